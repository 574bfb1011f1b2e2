"""The parts of the page Compare, and ablations on the pages Query and Domains."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import workbench as wb
from tests.app.test_pages import headings, opened, words
from tests.made import made_corpus, made_similarity
from tests.sites import WAIT, served
from workbench.analysis import compare_runs
from workbench.core.workspace import elsewhere
from workbench.corpus import open_corpus
from workbench.figures.code import as_code

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two fused runs, a counterfactual, three seeds, and ranks per checkpoint of both."""
    with elsewhere(tmp_path_factory.mktemp("home")) as folder:
        corpus = made_corpus(48)
        parts = {"vision": made_similarity(corpus, 8.0), "ocr": made_similarity(corpus, 6.0, seed=1)}
        fusion = {"method": "sum", "weights": {"vision": 1.0, "ocr": 1.0}}
        fused = wb.save_run(
            sum(parts.values()), corpus=corpus, name="fused", modalities=parts, fusion=fusion, model="m"
        )
        plain = wb.save_run(made_similarity(corpus, 7.0, seed=3), corpus=corpus, name="plain", model="n")
        wb.save_run(made_similarity(corpus, 1.0), corpus=corpus, name="perfect", parent="fused", ablation="ocr truth")
        for seed in (1, 2):
            similarity = made_similarity(corpus, 6.0, seed=10 + seed)
            wb.save_run(similarity, corpus=corpus, name=f"s{seed}", group="seeds", seed=seed)
        for run, last in ((fused, 1), (plain, 4)):
            looks = [("t2v", step, f"q{i}", above) for step, above in ((1, 5), (2, last - 1)) for i in range(3)]
            table = pd.DataFrame(looks, columns=["direction", "step", "id", "n_above"])
            table.assign(n_tied=0, n_tied_right=1).to_parquet(run.path / "trajectory.parquet")
        caption = open_corpus("made", split="test").captions["caption_id"][0]
        effects = {"caption_id": [caption], "video_id": [fused.gallery["video_id"][0]], "word": ["<b>stop</b>"],
                   "score": [1.0], "score_without": [0.25], "rank_without": [7.0]}  # fmt: skip
        pd.DataFrame(effects).to_parquet(fused.path / "word_effects.parquet")
        yield folder


@pytest.fixture
def compared(place, monkeypatch):
    """The page with one of its parts."""
    monkeypatch.setenv("WORKBENCH_HOME", str(place))

    def show(part: str, **parameters: str) -> AppTest:
        app = opened("compare", part=part, **{"run": "plain", "other": "fused", **parameters})
        assert not app.exception and not app.error
        return app

    return show


def test_the_verdict_stands_first_and_lists_side_by_side(compared):
    app = compared("queries")
    assert "fused - plain = " in app.markdown[1].value.replace("\\", "")
    run, other = wb.open_run("plain"), wb.open_run("fused")
    wins = int(((other.rank() <= 1) & (run.rank() > 1)).sum())
    assert f"Wins of B at rank 1 ({wins})" in headings(app)
    win, loss = (one.value for one in app.dataframe if "Rank in A" in one.value)
    assert len(win) == wins and win["Rank in A"].is_monotonic_decreasing and (loss["Rank in A"] == 1).all()


def test_micro_macro_and_effects_beside_the_verdict(compared):
    app = compared("queries")
    parts = next(one.value for one in app.dataframe if "p (BH)" in one.value)
    assert [one.rpartition(" (")[0] for one in parts["Queries"][:2]] == ["all queries", "mean over domains"]
    assert parts["B − A"].iloc[0] == pytest.approx(compare_runs("plain", "fused").test.difference)
    said = words(app).replace("\\", "")
    assert "wins per loss (odds ratio)" in said and "One model or two?" in said and "scene-text queries" in said
    sure = words(compared("sure")).replace("\\", "")
    assert "plain: confidence is " in sure and "fused: confidence is " in sure


def test_a_group_of_seeds_stands_where_a_run_may(compared):
    app = compared("queries", run="seeds", other="fused")
    said = words(app).replace("\\", "")
    assert "fused - seeds (2 seeds, " in app.markdown[1].value.replace("\\", "")
    assert "Compared is fused with the mean of seeds (2 seeds), query by query." in said
    spread = app.dataframe[0].value
    assert spread["Side"].to_list() == ["A: seeds", "B: fused"] and spread["Seeds"].to_list() == [2, 1]
    right = [100 * (wb.open_run(name).rank() <= 1).mean() for name in ("s1", "s2")]
    assert spread["Mean R@1 ↑"][0] == pytest.approx(np.mean(right))
    assert (spread["Lowest seed"][0], spread["Highest seed"][0]) == pytest.approx((min(right), max(right)))
    app.selectbox(key="choose seed_a").select("s2").run()
    assert app.query_params["seed_a"] in ("s2", ["s2"]) and "fused - s2 = " in words(app).replace("\\", "")
    own = compared("queries", run="seeds", other="s1")  # never with the group that it is a seed of
    assert own.query_params["other"] != "s1" and not {"s1", "s2", "seeds"} & {
        *own.selectbox(key="choose other").options
    }


def test_every_figure_as_code_makes_that_figure(compared, monkeypatch):
    shown = {}

    def show_chart(figure, name, *, key, alt, code, runs, table=None, select=False):
        shown[name] = (figure, code, runs)
        return {"selection": {"points": []}}

    for module in ("compare", "many", "ablation", "sureness"):
        monkeypatch.setattr(f"workbench.app.parts.{module}.show_chart", show_chart)
    for part in ("queries", "causes", "ablations", "runs", "sure"):
        compared(part, side="b")
    assert len(shown) == 8
    saved = []
    monkeypatch.setattr("workbench.figures.save_figure", lambda figure, *path, **width: saved.append(figure))
    for name, (figure, code, runs) in shown.items():
        exec(compile(as_code(code, name, **runs), "copied", "exec"), {})
        assert saved[-1].to_json() == figure.to_json(), name


@pytest.mark.parametrize("direction", ["t2v", "v2t"])
def test_causes_are_counted_and_listed(compared, direction):
    app = compared("causes", direction=direction)
    run, other = wb.open_run("plain"), wb.open_run("fused")
    fixed = int(((other.rank(direction) <= 1) & (run.rank(direction) > 1)).sum())
    broken = int(((other.rank(direction) > 1) & (run.rank(direction) <= 1)).sum())
    said = headings(app)
    assert said[0] == f"B fixes {fixed} failures of A and breaks {broken}"
    assert said[1:] == [f"Fixed by B ({fixed})", f"Broken by B ({broken})"]


def test_ablations_of_the_run_that_is_chosen(compared):
    app = compared("ablations", side="b")
    table = app.dataframe[0].value
    assert table["Ablation"].to_list() == ["Without OCR", "Perfect OCR", "Hub-corrected (CSLS)"]
    assert table["Made from"][1] == "run perfect" and headings(app)[0].startswith("fused as it is: R@1 ")
    assert "--frames shuffled" in app.code[0].value and headings(app)[1:3] == ["Ablations by domain", "Other weights"]
    app = compared("ablations", side="a")
    assert app.dataframe[0].value["Ablation"].to_list() == ["Hub-corrected (CSLS)"]
    assert "Other weights" not in headings(app)


def test_a_weight_is_tried_and_labelled(compared):
    app = compared("ablations", side="b", weight="0.9")
    assert app.slider[0].value == 0.9 and "vision 0.1, ocr 0.9: R@1" in words(app).replace("\\", "")
    app.slider[0].set_value(0.5).run()
    said = words(app).replace("\\", "")
    assert "+0.0 (+0.0 to +0.0) against vision 1, ocr 1 as used; 0 queries better, 0 worse" in said
    assert "this weight is chosen on made/test, the queries that it is tested on" in said
    assert compared("ablations", side="b", weight="x").slider[0].value == 0.5  # nonsense in the address


def test_what_was_learned_by_both(compared):
    app = compared("training")
    table = app.dataframe[0].value
    assert table.loc[table.iloc[:, 0] == "never learned", "B: kept"].to_list() == [3]
    assert "3 queries of the validation split" in words(app)
    assert "keeps no ranks of the validation split" in words(compared("training", other="perfect"))


def test_many_runs_sets_and_seeds(compared):
    app = compared("runs", runs="fused,s1,plain")
    family = app.dataframe[0].value
    assert family["Run"].to_list() == ["fused", "s1"]  # A is not compared with itself
    right = np.stack([wb.open_run(name).rank() <= 1 for name in ("plain", "fused", "s1")], axis=1)
    assert f"**{right.all(1).sum()}** are solved by all 3 runs, **{right.any(1).sum()}** by at least" in words(app)
    seeds = app.dataframe[-1].value
    assert seeds["Group"].to_list() == ["seeds"] and seeds["Seeds"].to_list() == [2]
    table = compared("runs", runs="").dataframe[0].value
    assert set(table["Run"]) == {"fused", "s1", "s2"}  # counterfactuals are chosen by hand only


def test_a_query_has_its_rank_in_every_ablation(compared, place):
    run = wb.open_run("fused")
    query = run.queries["caption_id"][0]
    app = opened("query", run="fused", other="plain", q=query)
    said = words(app).replace("\\", "")
    assert not app.exception and "Ablations of fused" in said and f"As it is  \n**rank {run.rank()[0]:g}**" in said
    assert f"Perfect OCR  \n**rank {wb.open_run('perfect').rank()[0]:g}**" in said
    effects = next(one.value for one in app.dataframe if "Without it" in one.value)
    assert effects["Word"].to_list() == ["<b>stop</b>"] and effects["Adds to the score"].to_list() == [0.75]
    video = run.gallery["video_id"][0]
    back = opened("query", run="fused", other="plain", q=video, direction="v2t")
    assert not back.exception and "Ablations of fused" in words(back).replace("\\", "")


def test_domains_show_what_ablations_change(compared):
    app = opened("domains", run="fused")
    assert not app.exception and "Ablations by domain" in headings(app)
    assert "perfect" not in " ".join(one.value for one in app.caption if one.value.startswith("R@1"))


def test_a_new_counterfactual_is_noticed(home):
    corpus = made_corpus(24)
    wb.save_run(made_similarity(corpus, 5.0), corpus=corpus, name="one", model="m")
    wb.save_run(made_similarity(corpus, 4.0), corpus=corpus, name="two", model="n")
    parameters = {"run": "one", "other": "two", "part": "ablations", "side": "a"}
    assert "Perfect OCR" not in str(opened("compare", **parameters).dataframe[0].value)
    similarity = made_similarity(corpus, 1.0)
    made = wb.save_run(similarity, corpus=corpus, name="three", parent="one", ablation="ocr truth")
    assert "Perfect OCR" in str(opened("compare", **parameters).dataframe[0].value)
    info = made.path / "run.json"
    info.write_text(json.dumps({**json.loads(info.read_text()), "ablation": "<b>x</b>"}))
    app = opened("compare", **parameters)
    assert "<b>x</b>" in str(app.dataframe[0].value) and not app.exception


# In a browser -----------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_another_part_tells_of_a_run_that_was_written_again_meanwhile(home, browser):
    corpus = made_corpus(40)
    for name in ("one", "two"):
        wb.save_run(made_similarity(corpus, 7.0), corpus=corpus, name=name)
    for site in served(home, browser, "compare"):
        site.open("compare?run=one&other=two&part=queries")
        assert "one and two have the same R@1" in site.text()
        wb.save_run(made_similarity(corpus, 0.01), corpus=corpus, name="two", overwrite=True)
        site.page.get_by_text("Causes", exact=True).click()
        site.page.wait_for_selector("h2:has-text('B fixes')", timeout=WAIT)
        assert "two is better, beyond noise" in site.text() and "part=causes" in site.page.url
        assert site.complaints == [] and not site.errors()
