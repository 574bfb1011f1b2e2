"""Pages as Streamlit runs them, without a browser: what they say, what they keep, what a bad address does."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench.app.links import address
from workbench.app.navigation import SCRIPT, TITLES
from workbench.app.settling import settle
from workbench.app.text import plain
from workbench.cli.serve import free_port
from workbench.core import jobs
from workbench.core.errors import DataError

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


def opened(page: str = "", /, **parameters: str) -> AppTest:
    """A page after its first run; the address' values are given as a link would."""
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    for key, value in parameters.items():
        app.query_params[key] = value
    app.run()
    if page:
        app.switch_page(f"../pages/{page}.py").run()
    return app


def unfolded(app: AppTest, *keys: str) -> AppTest:
    """The page with these of its folds open."""
    for key in keys:
        app.session_state[f"fold {key}"] = True
    return app.run()


def headings(app: AppTest, level: int = 2) -> list[str]:
    """Headings of the page (1) or of its parts (2), in their order, as they are read."""
    found = [one.value.partition(" ") for one in app.markdown]
    return [said.replace("\\", "") for sign, _, said in found if sign == "#" * level]


def words(app: AppTest) -> str:
    found = [*app.markdown, *app.caption, *app.text, *app.error, *app.warning, *app.info]
    return " ".join(str(element.value) for element in [*found, *app.success])


@pytest.fixture
def made(home):
    corpus = made_corpus(80)
    made_runs(corpus)
    return corpus


def test_an_empty_workspace_says_how_to_begin(home):
    app = opened()
    assert not app.exception and "What do you have?" in words(app)
    said = [one.value for one in app.code]
    assert len(said) == 4 and "workbench import sim.npy" in said[0] and "workbench ocr run mine" in said[3]


def job(home: Path, log: str = "", progress: dict | None = None, code: int | None = None) -> None:
    """A job called demo: of this very process while it runs, of no process when it has ended."""
    folder = home / "jobs" / "demo"
    folder.mkdir(parents=True)
    me = psutil.Process()
    pid, started = (me.pid, me.create_time()) if code is None else (2**22 + 1, 0.0)
    (folder / "job.json").write_text(json.dumps({"argv": ["demo"], "pid": pid, "started": started}))
    (folder / "log.txt").write_text(log)
    if progress:
        (folder / "progress.json").write_text(json.dumps(progress))
    if code is not None:
        (folder / "exit_code").write_text(str(code))


def test_the_demo_is_made_by_a_button(monkeypatch):
    started = []
    monkeypatch.setattr(jobs, "start", lambda argv, name: started.append((argv, name)))
    app = opened()
    app.button[0].click().run()
    assert started == [(["demo"], "demo")] and not app.exception


def test_what_is_being_made_stands_on_every_page(home):
    job(home, progress={"label": "Drawing videos", "done": 48, "total": 192, "unit": "videos"})
    for page in ("", "data"):
        app = opened(page)
        assert not app.exception
        (bar,) = app.get("progress")
        assert bar.proto.value == 25 and "Drawing videos, 48 of 192 videos" in bar.proto.text
    assert not opened().button  # it is being made already


def test_a_demo_that_failed_says_why_and_can_be_tried_again(home):
    job(home, log="Drawing\nerror: no space left on the disk. Free some.\n", code=2)
    app = opened()
    assert "The job demo failed" in words(app) and "no space left" in app.code[2].value
    assert app.button[0].label == "Make the demo"


def test_leaderboard(made):
    app = opened()
    assert not app.exception and not app.error
    assert "good is better, beyond noise" in words(app).replace("\\", "")
    assert list(app.dataframe[0].value["Run"]) == ["good", "fair", "poor"]
    assert "Ceiling here" in words(app)


def test_metrics_of_the_leaderboard_are_chosen_and_stand_in_the_address(made):
    app = opened("", metrics="mrr,both,nonsense")
    table = app.dataframe[0].value
    both = "RSum t2v + v2t"
    assert not app.exception and list(table)[:5] == ["Run", "MRR ↑", "MRR 95 %", f"{both} ↑", f"{both} 95 %"]
    assert f"{both} ↑" not in app.dataframe[1].value  # of both directions: said once
    app.multiselect(key="choose metrics").select("median_rank").run()
    assert app.query_params["metrics"] == "mrr,both,median_rank" and "MdR ↓" in app.dataframe[0].value
    low, high = map(float, app.dataframe[0].value["MRR 95 %"][0].split(" – "))
    assert low <= app.dataframe[0].value["MRR ↑"][0] <= high


def test_seeds_of_one_group_are_one_row(made):
    for seed in (1, 2):
        wb.save_run(made_similarity(made, noise=1.5, seed=seed), corpus=made, name=f"s{seed}", group="seeds", seed=seed)
    app = opened()
    assert not app.exception and list(app.dataframe[0].value["Run"]).count("seeds") == 1
    row = app.dataframe[0].value.set_index("Run").loc["seeds"]
    assert row["Seeds"].startswith("2: ") and "seeds (2 seeds, " in words(app).replace("\\", "")
    app = opened("", seeds="each")
    assert {"↳ s1", "↳ s2", "seeds"} <= set(app.dataframe[0].value["Run"])


@pytest.mark.parametrize("metric", ["median_rank", "map"])
def test_any_metric_can_be_compared(made, metric):
    app = opened("compare", metric=metric)
    assert not app.exception and not app.error, words(app)
    assert {"median_rank": "MdR", "map": "mAP"}[metric] in words(app)


@pytest.mark.parametrize("page", TITLES)
def test_every_page_opens(made, page):
    app = opened(page)
    assert not app.exception and not app.error, words(app)
    assert headings(app, 1) == [TITLES[page][0]]


def test_a_link_opens_its_query(made):
    query = "Sports/clip_0070.mp4#0"
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.run()
    app.query_params["q"] = query
    app.switch_page("../pages/query.py").run()
    assert "clip\\_0070" in words(app) and "Query 71 of 80" in words(app)
    app.query_params["q"] = "no/such"
    app.run()
    assert "has no query no/such" in words(app).replace("\\", "") and not app.exception


def test_filters_change_the_table(made):
    app = opened("failures")
    app.selectbox(key="choose run").select("poor").run()
    before = len(app.dataframe[-1].value)
    app.text_input(key="write words").set_value("dog").run()
    table = app.dataframe[-1].value
    assert 0 < len(table) < before and table["Caption"].str.contains("dog").all()


def test_totals_only_is_said_and_pages_of_single_queries_refuse(home):
    corpus = made_corpus(40)
    wb.save_run(made_similarity(corpus), corpus=corpus, name="totals", totals_only=True)
    assert "its rows cannot be tied to captions" in words(opened()).replace("\\", "")
    app = opened("failures")
    assert "No run here can be looked at query by query" in words(app).replace("\\", "") and not app.exception


def test_one_run_is_enough_except_for_comparing(home):
    made_runs(made_corpus(40), ("alone",))
    assert "only run that can be compared" in words(opened()).replace("\\", "")
    assert "Two runs" in words(opened("compare"))
    for page in ("matrix", "failures", "query"):
        assert not opened(page).error


def test_text_from_data_cannot_act():
    text = "<b>x</b> **y** [a](http://x) :red[z] $1$ `c` # h"
    shown = plain(text)
    for sign in "<>*[]()#$`:":
        assert f"\\{sign}" in shown and shown.replace(f"\\{sign}", "").find(sign) == -1
    assert plain("plain words") == "plain words" and plain("at 12:30:45") == "at 12\\:30\\:45"
    assert ":material" not in plain(":material/home:").replace("\\", "") and ":+1:" not in plain(":+1:").replace(
        "\\", ""
    )


def test_addresses():
    link = address("query", corpus="made/test", run="good", q="a b/c#0", other=None)
    assert link == "/query?v=1&corpus=made%2Ftest&run=good&q=a+b%2Fc%230"


def test_ports():
    assert 8501 <= free_port("localhost", None) < 8551
    with pytest.raises(DataError, match="0 is not a port"):
        free_port("localhost", 0)


def test_what_a_page_has_loaded_is_not_looked_at_for_cycles_again(made):
    settle.clear()
    before = gc.get_freeze_count()
    assert not opened("query").exception and gc.get_freeze_count() > max(before, 100_000)
    frozen = gc.get_freeze_count()
    opened("query")
    assert gc.get_freeze_count() <= frozen
