"""Words of the evidence as buttons: on Query and Failures, for the videos that play there; a click moves the player."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.app.test_pages import opened
from tests.app.test_video_pages import mounted, said
from tests.captioned import captioned_corpus
from tests.figures.players import CONSTANT, made_data, shown, write_video  # noqa: F401
from tests.filmed import HOSTILE
from workbench.analysis.causes.seen import COLUMNS
from workbench.app.components import evidence
from workbench.evaluation import save_run
from workbench.figures.player import player_html

ROW = dict.fromkeys(COLUMNS) | {
    "query_id": "q", "cause": "ocr_ignored", "word": "mira", "video_id": "one.mp4", "text_id": "t1",
    "engine": "rapidocr", "text": HOSTILE, "frame": 40.0, "time_s": 1.6,
}  # fmt: skip


def test_a_button_is_a_text_of_a_video_that_plays():
    written = ROW | {"text_id": "t2", "engine": "truth", "time_s": np.nan}
    rows = [ROW, ROW | {"word": "42", "cause": "ocr_flood"}, written, ROW | {"video_id": "elsewhere.mp4"}]
    data = evidence.evidence_data(pd.DataFrame(rows), {"one.mp4": "in the right video"}, "shown")
    assert json.loads(json.dumps(data, allow_nan=False)) == data and data["more"] == 0
    first, second = data["buttons"]
    assert first["word"] == "mira 42" and first["place"] == "in the right video, 1.60 s"
    assert first["about"].startswith("Text not enough, Too much text: ") and first["about"].endswith("read by rapidocr")
    assert (first["player"], first["seconds"]) == ("shown/one.mp4", 1.6)
    assert second["seconds"] is None and second["about"].endswith("written") and "not known" in second["place"]
    many = [ROW | {"text_id": f"t{i}"} for i in range(evidence.MOST + 3)]
    assert evidence.evidence_data(pd.DataFrame(many), {"one.mp4": "here"}, "shown")["more"] == 3


@pytest.mark.filterwarnings("default")
def test_query_and_failures_show_the_words_and_mark_their_boxes(home, tmp_path):
    corpus = captioned_corpus(tmp_path / "films")
    near = corpus.relevance_matrix().toarray().astype(np.float32)
    words = [["mira", "42"], ["bank"], [], [], []]
    inputs = pd.DataFrame({"video_id": corpus.videos["video_id"], "words": words, "engine": "rapidocr"})
    save_run(np.linspace(0, 0.1, near.size).reshape(near.shape) - near, corpus=corpus, name="wrong",
             inputs=inputs.assign(frames=[[1]] * 5, times_s=[[0.1]] * 5))  # fmt: skip
    app = opened("query", run="wrong", q="one.mp4#0")
    assert "MIRA" in said(app)
    parts = mounted(app)
    button = parts["evidence wrong"]["buttons"][0]
    assert button["word"] == "mira" and button["player"] == parts["right"]["key"] == "shown/one.mp4"
    assert [track["matched"] for track in parts["right"]["tracks"]] == [True]
    turned = mounted(opened("query", run="wrong", q="one.mp4", direction="v2t"))
    assert {one["player"] for one in turned["evidence wrong"]["buttons"]} == {"shown/one.mp4"}
    case = mounted(opened("failures", run="wrong", q="one.mp4#0"))
    assert case["case evidence"]["buttons"][0]["word"] == "mira"


@pytest.mark.browser
def test_a_click_moves_the_player(shown):  # noqa: F811
    times = write_video(shown.folder / "video.mp4", CONSTANT)
    rows = [ROW | {"word": HOSTILE, "time_s": times[40]}, ROW | {"text_id": "t2", "time_s": np.nan}]
    data = evidence.evidence_data(pd.DataFrame(rows), {"one.mp4": "right"}, "shown")
    data["buttons"][0]["player"] = "k"
    module = evidence.asset("evidence.js").replace("export default function", "window.component = function")
    player = player_html(made_data(shown.sources("video.mp4", times=times), times))
    parts = f"<div id=host></div><script type=module>{module}</script>"
    (shown.folder / "page.html").write_text(f"<!doctype html><body>{player}{parts}</body>", encoding="utf-8")
    page = shown.page
    page.goto(f"{shown.base}/page.html")
    page.wait_for_selector(".wbp[data-ready=true]")
    page.evaluate("(data) => component({ data, parentElement: document.getElementById('host') })", data)
    page.locator("#host button").first.click()
    page.wait_for_selector(".wbp[data-frame='40']")
    assert page.locator("#host button").nth(1).is_disabled() and page.locator("#host img").count() == 0
    assert page.inner_text("#host b >> nth=0") == " ".join(HOSTILE.split())[:39].rstrip() + "…"
