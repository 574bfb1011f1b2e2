"""Ablations: what is joined, what is made of stored scores, what is absent and why; words of one query."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.workspace import elsewhere
from workbench.evaluation import retrieval_metrics
from workbench.evaluation.rescoring import csls
from workbench.pipelines.rescoring import rescore


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace with one fused run, its counterfactuals and re-scored runs, and runs that are none of these."""
    with elsewhere(tmp_path_factory.mktemp("home")) as folder:
        corpus = made_corpus(64)
        vision, ocr = made_similarity(corpus, 8.0), made_similarity(corpus, 6.0, seed=1)
        inputs = pd.DataFrame({
            "video_id": corpus.videos["video_id"], "frames": [[0]] * 64, "times_s": [[0.5]] * 64,
            "words": [["stop"]] * 64, "engine": "rapidocr",
        })  # fmt: skip
        parts = {"vision": vision, "ocr": ocr}
        stated = {"corpus": corpus, "model": "theirs", "inputs": inputs}
        fusion = {"method": "sum", "weights": {"vision": 1.0, "ocr": 1.0}}
        base = wb.save_run(vision + ocr, name="base", modalities=parts, fusion=fusion, **stated)
        wb.save_run(vision + 1.5 * ocr, name="perfect", parent="base", ablation="ocr truth", **stated)
        wb.save_run(vision, name="older", parent="base", ablation="frames shuffled", **stated)
        wb.save_run(vision + ocr, name="newer", parent="base", ablation="frames shuffled", **stated)
        wb.save_run(ocr, name="stranger", parent="other", ablation="without ocr", **stated)
        rescore(base, "fusion", name="reweighted", weights={"vision": 1, "ocr": 3})
        rescore(base, "csls", name="csls", k=5)
        wb.save_run(vision + ocr, name="silent", modalities=parts, **stated)
        wb.save_run(vision, name="wrong", modalities=parts, fusion=fusion, **stated)
        wb.save_run(vision, corpus=corpus, name="imported")
        yield folder


@pytest.fixture
def opened(place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    return wb.open_run


def ranks_of(run, similarity, direction="t2v"):
    return retrieval_metrics(similarity, run.relevance_matrix, direction=direction).values["rank"].to_numpy()


@pytest.mark.parametrize("direction", ["t2v", "v2t"])
def test_what_is_joined_and_what_is_made(opened, direction):
    base = opened("base")
    found = analysis.ablations(base, direction=direction)
    held = {one.id: one for one in found.held}
    assert list(held) == ["as it is", "without ocr", "ocr truth", "frames shuffled", "CSLS",
                          "weighted sum: vision 1, ocr 3"]  # fmt: skip
    assert [one.run for one in held.values()] == ["base", None, "perfect", "newer", "csls", "reweighted"]
    assert found.absent.empty
    wanted = {
        "as it is": base.similarity, "without ocr": base.modalities["vision"],
        "ocr truth": opened("perfect").similarity, "CSLS": csls(base.similarity, k=5).similarity,
    }  # fmt: skip
    for name, similarity in wanted.items():
        assert np.array_equal(found.ranks[name], ranks_of(base, similarity, direction))
    assert held["CSLS"].sees == "test queries" and held["without ocr"].how.startswith("made here")
    assert "not stated on what" in held["weighted sum: vision 1, ocr 3"].how


def test_differences_are_paired_and_corrected_together(opened):
    found = analysis.ablations(opened("base"))
    scores = found.scores("r5", by="domain")
    assert len(scores) == 5 * 6 and scores["domain"].isna().sum() == 6
    for domain, part in scores.groupby(scores["domain"].fillna("all")):
        mine = (found.queries["domain"] == domain).to_numpy() if domain != "all" else np.ones(64, bool)
        first = part.iloc[0]
        assert first["ablation"] == "as it is" and np.isnan(first["difference"]) and first["n_queries"] == mine.sum()
        for row in part.iloc[1:].itertuples():
            hits = (found.ranks.loc[mine, row.ablation] <= 5).mean() * 100
            assert row.value == pytest.approx(hits, abs=1e-9) and row.n_sources == mine.sum() // 4
            assert row.difference == pytest.approx(row.value - first["value"])
    alone = found.scores("r5")
    assert (alone["p_holm"].dropna().to_numpy() <= scores["p_holm"].dropna().to_numpy()[:5] + 1e-12).all()
    assert (scores.loc[scores["ablation"] == "frames shuffled", "difference"] == 0).all()  # the newer of two alike
    assert found.scores("map")["value"].between(0, 1).all()
    with pytest.raises(UnknownNameError, match="No grouping is called 'colour'"):
        found.scores(by="colour")


def test_one_query(opened):
    found = analysis.ablations(opened("base"))
    query = found.ranks.loc[(found.ranks["as it is"] / found.ranks["ocr truth"]).idxmax(), "id"]
    table = found.of(query).set_index("ablation")
    assert table["times"]["as it is"] == 1
    assert table["times"]["ocr truth"] == table["rank"]["as it is"] / table["rank"]["ocr truth"] > 1
    with pytest.raises(UnknownNameError, match="No query is called 'nope'"):
        found.of("nope")


def test_what_is_absent_is_named_with_its_command(opened):
    absent = analysis.ablations(opened("silent")).absent.set_index("ablation")
    assert "does not state that its score is a function" in absent["reason"]["other weights"]
    assert absent["command"]["other weights"] == "" and "without ocr" in absent.index
    assert absent["command"]["frames shuffled"].endswith("--frames shuffled --name silent-frames-shuffled")
    assert "Nobody wrote down what stands in the videos of made" in absent["reason"]["ocr truth"]
    imported = analysis.ablations(opened("imported")).absent.set_index("ablation")
    assert 'parent="imported", ablation="without ocr"' in imported["command"]["without ocr"]
    assert "is itself an ablation of base" in analysis.ablations(opened("perfect")).absent["reason"][0]
    again = analysis.ablations(opened("reweighted")).absent
    assert "was re-scored" in again["reason"][0]


def test_the_command_of_an_imported_run_makes_what_is_joined(home):
    corpus = made_corpus(16)
    run = wb.save_run(made_similarity(corpus), corpus=corpus, name="imported")
    command = analysis.ablations(run).absent.set_index("ablation")["command"]["without ocr"]
    exec(compile(command, "copied", "exec"), {"wb": wb, "SIMILARITY": made_similarity(corpus, 3.0)})
    assert analysis.ablations(run).held[1].run == "imported-without-ocr"


def test_other_weights_only_where_the_score_is_a_function_of_the_modalities(opened):
    base = opened("base")
    made = analysis.reweighted(base, {"vision": 1, "ocr": 2})
    wanted = base.modalities["vision"] + 2 * base.modalities["ocr"]
    assert np.array_equal(made.ranks["other weights"], ranks_of(base, wanted)) and len(made.held) == 2
    assert "chosen by hand" in made.held[1].how
    same = analysis.ablations(base, weights={"vision": 0.5, "ocr": 0.5})
    assert same.scores().set_index("ablation")["difference"]["other weights"] == 0
    for name, why in (("silent", "does not state"), ("wrong", "do not add up"), ("imported", "no two modalities")):
        with pytest.raises(StateError, match=why):
            analysis.reweighted(opened(name), {"vision": 1, "ocr": 2})
    with pytest.raises(DataError, match="The weights are"):
        analysis.reweighted(base, {"vision": 0, "ocr": 0})


def test_ranks_are_fused_where_ranks_were_fused(home):
    corpus = made_corpus(32)
    parts = {"ocr": made_similarity(corpus, 1.0), "vision": made_similarity(corpus, 2.0, seed=1)}
    base = wb.save_run(parts["ocr"], corpus=corpus, name="base", modalities=parts)
    fused = rescore(base, "weighted-rrf", name="fused", weights={"ocr": 2, "vision": 1})
    assert analysis.reweighted(fused, {"ocr": 2, "vision": 1}).scores()["difference"][1] == 0
    gate = wb.save_run(parts["ocr"], corpus=corpus, name="gate", modalities=parts,
                       fusion={"method": "gate", "weights": None})  # fmt: skip
    with pytest.raises(StateError, match="fused by gate, which has no weights to change"):
        analysis.reweighted(gate, {"ocr": 1, "vision": 1})


def test_on_what_weights_were_chosen(home):
    corpus = made_corpus(32)
    parts = {"ocr": made_similarity(corpus, 1.0), "vision": made_similarity(corpus, 2.0, seed=1)}
    fusion = {"method": "sum", "weights": {"ocr": 1.0, "vision": 1.0}}
    base = wb.save_run(sum(parts.values()), corpus=corpus, name="base", modalities=parts, fusion=fusion)
    made = rescore(base, "fusion", name="chosen", weights={"ocr": 1, "vision": 2})
    info = made.path / "run.json"
    info.write_text(
        info.read_text().replace(
            '"scoring": "weighted sum"', '"weights_chosen_on": "val", "scoring": "weighted sum"', 1
        )
    )
    held = analysis.ablations(base).held
    assert any(one.run == "chosen" and one.how.endswith("weights: chosen on val") for one in held)


def test_totals_only_runs_have_none(home):
    corpus = made_corpus(16)
    run = wb.save_run(made_similarity(corpus), corpus=corpus, name="totals", totals_only=True)
    with pytest.raises(StateError, match="holds totals only"):
        analysis.ablations(run)


def test_a_notebook_shows_them(opened):
    shown = analysis.ablations(opened("silent"))._repr_html_()
    assert "<b>silent, t2v R@1 with one thing changed: As it is " in shown and "--frames shuffled" in shown


def test_words_of_one_query(home):
    corpus = made_corpus(16)
    run = wb.save_run(made_similarity(corpus), corpus=corpus, name="run", model="theirs")
    assert analysis.word_effects_of(run, run.queries["caption_id"][0]).empty
    assert analysis.word_effects_command(run) == (
        "workbench score theirs --corpus made --split test --explain words --name run-words"
    )
    words = wb.save_run(made_similarity(corpus), corpus=corpus, name="run-words", model="theirs", parent="run")
    caption, right, wrong = run.queries["caption_id"][0], run.gallery["video_id"][0], run.gallery["video_id"][1]
    effects = pd.DataFrame({
        "caption_id": [caption, caption, caption, "other"], "video_id": [wrong, right, right, right],
        "word": ["cafe", "a", "stop", "no"], "score": [1.0, 2.0, 2.0, 3.0], "score_without": [0.5, 1.9, 1.0, 3.0],
        "rank_without": [1.0, 2.0, 4.0, 1.0],
    })  # fmt: skip
    effects.to_parquet(words.path / "word_effects.parquet")
    found = analysis.word_effects_of(run, caption)
    assert found["word"].to_list() == ["stop", "a", "cafe"] and found["right"].to_list() == [True, True, False]
    assert found["change"].to_list() == pytest.approx([1.0, 0.1, 0.5]) and set(found["run"]) == {"run-words"}
    assert set(found["rank"]) == {words.rank()[0]}
