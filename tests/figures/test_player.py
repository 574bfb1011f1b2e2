"""The player's data: tables become plain JSON that cannot break out of its script."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tests.figures.players import CONSTANT, FRAMES, HOSTILE, MOVES, Seen, made_data, made_tables
from workbench.core.errors import UnknownNameError
from workbench.figures.player import assets, player_data, player_html


def test_tables_become_plain_json():
    times = np.asarray(CONSTANT) / 600
    texts, boxes = made_tables()
    boxes.loc[0, "x1"] = np.nan
    data = player_data(
        key="k", sources=[{"src": "/v", "rendition": "original", "times": times}], width=np.int64(160), height=120,
        frame_times=times, texts=texts, boxes=boxes, matched=["a"], ticks=np.array([1, 2]), start=0.5,
    )  # fmt: skip
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    sign, hostile, speech, unknown = data["tracks"]
    assert [box[0] for box in sign["boxes"]] == [0, 15, 30]  # sorted; the one with a broken corner is gone
    assert sign["boxes"][0][1:] == [0.0625, 0.7, 0.4375, 0.7, 0.4375, 0.867, 0.0625, 0.867]
    assert (sign["matched"], hostile["matched"]) == (True, False)
    assert hostile["text"] == HOSTILE and hostile["score"] == 0.31
    assert (speech["boxes"], speech["span"], speech["score"]) == ([], [12, 24], None)
    assert unknown["span"] is None
    assert data["start"] == 0.5 and data["loop"] is True and data["ticks"][1]["frame"] == 2


def test_a_stamp_in_milliseconds_means_the_frame_that_begins_with_it():
    texts, boxes = made_tables()
    times = np.arange(12) / 24  # 0.041667 is written as 0.041
    speech = texts[texts["start_s"].notna()].iloc[[-1]].assign(
        first_frame=None, last_frame=None, start_s=0.041, end_s=0.208
    )  # fmt: skip
    (track,) = player_data(
        key="k", sources=[], width=1, height=1, frame_times=times, texts=speech, boxes=boxes[:0]
    )["tracks"]  # fmt: skip
    assert track["span"] == [1, 5]


def test_empty_tables_and_unknown_options():
    texts, boxes = made_tables()
    none = dict(key="k", sources=[], width=1, height=1, frame_times=[], texts=texts[:0], boxes=boxes[:0])
    assert player_data(**none)["tracks"] == []
    with pytest.raises(UnknownNameError, match="autoplay"):
        player_data(**none, autoplya=True)


def test_hostile_text_cannot_leave_its_script():
    page = player_html(made_data([], [0.0]))
    assert "</script><img" not in page and "<img" not in page
    assert page.count("</script>") == 2
    found = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S)
    assert found and json.loads(found[1])["tracks"][1]["text"] == HOSTILE
    assert player_html(made_data([], [0.0])).split('"')[1] != page.split('"')[1]  # another id each time


def test_module_is_safe_inline():
    js, css = assets()
    assert "innerHTML" not in js and "</script" not in js and "<!--" not in js and "</style" not in css
    assert "http://" not in js.replace("http://www.w3.org/2000/svg", "") and "url(" not in css


def readings(n: int = 8, first: int = 40) -> list[dict[str, float]]:
    """What a browser test writes down of a player that is right, 83 ms after each other."""
    frames = [(first + at) % FRAMES for at in range(n)]
    return [
        {"frame": frame, "picture": frame, "box": frame if frame <= MOVES else None, "presented": 83.0 * at,
         "told": 83.0 * at + 5, "ended": 83.0 * at + 7, "number": 1 + at}
        for at, frame in enumerate(frames)
    ]  # fmt: skip


def test_the_instrument_of_the_browser_tests_sees_what_is_wrong_and_only_that():
    right = Seen.of(readings())
    assert right == Seen(7, 7, 0, 1.0, [])  # the last one may have been another picture by then
    late, skipped, slow = readings(), readings(), readings()
    late[2] |= {"picture": 43, "told": 250.0, "ended": 252.0}  # told when the next one was there
    for one in skipped[3:]:
        one["number"] += 1
    skipped[2]["picture"] = 43
    slow[2] |= {"ended": slow[2]["told"] + 17}
    found = [Seen.of(one) for one in (late, skipped, slow)]
    assert found == [Seen(6, 6, 0, prompt, []) for prompt in (6 / 7, 6 / 7, 1.0)]
    wrong = readings()
    wrong[2]["picture"] += 1
    assert Seen.of(wrong) == Seen(7, 6, 1, 6 / 7, [])
    wrong[3]["box"] += 1
    assert Seen.of(wrong).misplaced == [wrong[3]]
    assert Seen.of([{**one, "picture": (one["picture"] + 1) % FRAMES} for one in readings(first=56)]).farthest == 1
