"""Words on frames: what a cell says, which cells count, a click moves the player; runs without it name the command."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.app.test_pages import opened, unfolded
from tests.app.test_video_pages import mounted, said
from tests.captioned import HOSTILE, captioned_corpus, captioned_runs
from tests.figures.players import CONSTANT, made_data, shown, write_video  # noqa: F401
from workbench.app.components import token_map
from workbench.evaluation.runs.interactions import PairInteraction, write_interactions
from workbench.figures.player import player_html

PAIR = PairInteraction(
    "one.mp4#0", "one.mp4", "right", 3.1, ("a", "MIRA"), np.array([[2, 0], [1, 4]], np.float32), (0.5, 1.5),
    np.array([[0.25, 0.5], [-0.75, -0.5]], np.float32), (HOSTILE, "MIRA"),
    np.array([[0.9, 0], [-0.1, 0.75]], np.float32),
)  # fmt: skip
OTHER = PairInteraction(
    "one.mp4#0", "two.mp4", "top", 1.0, ("a", "MIRA"), np.ones((2, 2), np.float32), (),
    np.zeros((2, 0), np.float32), (), np.zeros((2, 0), np.float32),
)  # fmt: skip


def test_a_cell_is_what_a_word_would_add():
    data = token_map.map_data(PAIR, title="Right", player="shown/one.mp4", limit=3.0, word_seconds={"MIRA": 0.25})
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["values"] == [[0.5, 1.0, 0.0, 0.0], pytest.approx([-0.75, -0.5, -0.4, 3.0])]
    assert data["best"] == [[1], [1, 3]] and data["lowest"] == -0.75
    assert data["brings"] == [1.0, 2.5]
    assert [column["seconds"] for column in data["columns"]] == [0.5, 1.5, None, 0.25]
    assert "2 words of the caption by 2 frames and 2 read words" in data["about"]
    assert token_map.limit_of([PAIR, OTHER]) == 3.0 and token_map.limit_of([OTHER]) == token_map.limit_of([]) == 1.0
    empty = token_map.map_data(OTHER, title="", player="", limit=1.0, word_seconds={})
    assert empty["values"] == [[], []] and empty["best"] == [[], []] and "player" not in empty["hint"]


@pytest.fixture
def runs(home, tmp_path):
    runs = captioned_runs(captioned_corpus(tmp_path / "films"))
    write_interactions(runs[1].path, [PAIR, OTHER])
    return runs


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("runs")
def test_the_query_page_shows_both_videos_and_says_the_command():
    app = unfolded(opened("query", run="wrong", other="right", q="one.mp4#0", video="two.mp4"), "tokens")
    text = said(app)
    maps = {key: data for key, data in mounted(app).items() if key.startswith("map")}
    assert list(maps) == ["map wrong 0", "map wrong 1"]
    assert maps["map wrong 0"]["title"] == "Right video: wrong gives 3.10"
    assert maps["map wrong 0"]["player"] == mounted(app)["right"]["key"]
    assert maps["map wrong 0"]["columns"][3]["seconds"] == pytest.approx(2 / 24)
    assert maps["map wrong 1"]["player"] == mounted(app)["beside"]["key"]
    assert {maps[key]["limit"] for key in maps} == {3.0}
    commands = [code.value for code in app.code]
    assert "workbench score right --explain pairs --corpus shown --split test --name right-pairs" in commands
    assert "right keeps no words on frames" in text
    assert "these are none of them" in said(unfolded(opened("query", run="wrong", q="two.mp4#0"), "tokens"))
    turned = mounted(unfolded(opened("query", run="wrong", q="one.mp4", direction="v2t"), "tokens"))
    assert [turned[key]["title"] for key in turned if key.startswith("map")] == ["Its caption: wrong gives 3.10"]


@pytest.mark.browser
def test_a_click_and_the_keyboard_move_the_player(shown):  # noqa: F811
    times = write_video(shown.folder / "video.mp4", CONSTANT)
    data = token_map.map_data(PAIR, title=HOSTILE, player="k", limit=3.0, word_seconds={"MIRA": times[40]})
    module = token_map.asset("token_map.js").replace("export default function", "window.component = function")
    player = player_html(made_data(shown.sources("video.mp4", times=times), times))
    style = f"<style>{token_map.asset('token_map.css')}</style>"
    parts = f"<div id=host></div>{style}<script type=module>{module}</script>"
    (shown.folder / "page.html").write_text(f"<!doctype html><body>{player}{parts}</body>", encoding="utf-8")
    page = shown.page
    page.goto(f"{shown.base}/page.html")
    page.wait_for_selector(".wbp[data-ready=true]")
    page.evaluate("(data) => component({ data, parentElement: document.getElementById('host') })", data)

    def stands(frame: int) -> None:
        page.wait_for_selector(f".wbp[data-frame='{frame}']")

    cell = page.locator("td[data-row='1'][data-column='1']")
    cell.click()
    stands(18)
    assert page.inner_text("thead th.now") == "1.50" and "best" in cell.get_attribute("class")
    page.keyboard.press("End")
    assert page.inner_text(".status") == "“MIRA” and the read word “MIRA”: 3.00, the best: it counts"
    page.keyboard.press("Enter")
    stands(40)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")  # nobody knows where this word stands: the player stays
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    stands(6)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "“a” and the frame at 0.50 s: 0.50"
    assert page.locator("td[tabindex='0']").count() == 1 and page.locator("#host img").count() == 0
    assert HOSTILE in page.inner_text("#host .title") and page.get_by_role("grid").count() == 1
