from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import DataError
from workbench.ocr.jsonlines import read_jsonlines, to_tables, write_jsonlines
from workbench.ocr.kwai import KwaiFile, guess_over_files, merge_census, read_kwai
from workbench.ocr.reference import Reference

SPEC = json.loads(
    '{"3": {"text": "CRUMB HOUSE", "score": "0.93", "recommend_box": 12, "tracks":'
    ' {"0": [10,8,90,8,90,30,10,30,0,0], "5": [14,8,94,8,94,30,14,30,0,0]}}}'
)
SIZES = {"original": (1920, 1080, 250), "small": (398, 224, 30)}
TIMES = np.arange(30) / 3


def read(content: object, **options) -> KwaiFile:
    return read_kwai(content, **({"video_id": "a.mp4", "frame_times": TIMES, "sizes": SIZES} | options))


def track(**fields) -> dict:
    return {"text": "OPEN", "score": 0.9, "tracks": {"0": [0, 0, 10, 0, 10, 10, 0, 10]}} | fields


def test_the_invented_example_of_the_spec():
    file = read(SPEC)
    (text,) = file.texts.to_dict("records")
    assert text["text_id"] == "a.mp4#kwai#3" and text["text"] == "CRUMB HOUSE" and text["score"] == 0.93
    assert (text["first_frame"], text["last_frame"], text["n_boxes"]) == (0, 5, 2)
    assert text["start_s"] == 0 and text["end_s"] == pytest.approx(5 / 3)
    assert file.boxes["frame"].tolist() == [0, 5]
    assert file.boxes.loc[1, ["x1", "y1", "x3", "y3"]].tolist() == pytest.approx(
        [14 / 398, 8 / 224, 94 / 398, 30 / 224]
    )
    assert file.rendition_guess == "small" and file.fits == ("small", "original")
    assert file.evidence == (
        "Boxes reach (94, 30) and frame 5; small is the smallest that holds them (398 x 224, 30 frames); "
        "original fits too."
    )
    assert file.census["scores given as text"] == 1 and file.census["words"] == 2
    assert file.census["boxes of 10 numbers"] == 2 and file.census["recommend_box is int"] == 1


@pytest.mark.parametrize(
    ("box", "frame", "guess", "words"),
    [
        ([0, 0, 399, 0, 399, 9, 0, 9], "0", "original", "small lacks 1 pixels of width"),
        ([0, 0, 9, 0, 9, 9, 0, 9], "30", "original", "small lacks 1 frames"),
        ([0, 0, 398, 0, 398, 224, 0, 224], "29", "small", "original fits too"),
        ([0, 0, 2000, 0, 9, 9, 0, 1100], "300", None, "original lacks 80 pixels of width, 20 pixels of height, 51 fra"),
    ],
)
def test_rendition_by_corners_and_frames(box, frame, guess, words):
    file = read({"0": track(tracks={frame: box})})
    assert file.rendition_guess == guess and words in file.evidence
    if guess is None:
        assert file.boxes.empty and file.texts["n_boxes"].tolist() == [0]
        assert file.census["boxes left out: no rendition fits"] == 1


def test_a_rendition_can_be_asked_for():
    file = read({"0": track()}, reference=Reference("original"))
    assert file.boxes["x2"].tolist() == [10 / 1920] and file.rendition_guess == "small"
    with pytest.raises(DataError, match="rendition 'proxy'"):
        read({}, reference=Reference("proxy"))


def test_without_times_or_sizes_texts_stay_and_boxes_go():
    file = read(SPEC, frame_times=None)
    assert file.boxes.empty and file.census["boxes left out: no frame time"] == 2
    assert file.texts["first_frame"].tolist() == [0] and file.texts["start_s"].isna().all()
    assert read(SPEC, sizes={}).census["boxes left out: no rendition fits"] == 2
    assert "No rendition is known" in read(SPEC, sizes={}).evidence


def test_corners_in_shares_of_the_frame_stay_as_they_are():
    file = read({"0": track(tracks={"1": [0.1, 0.1, 0.5, 0.1, 0.5, 0.2, 0.1, 0.2]})})
    assert file.boxes["x2"].tolist() == [0.5] and file.census["files whose corners are in 0..1 already"] == 1


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"score": math.nan}, "scores that are no number"),
        ({"score": "high"}, "scores that are no number"),
        ({"score": True}, "scores that are no number"),
        ({"score": [0.5]}, "scores that are no number"),
        ({"score": None}, "scores absent"),
        ({"score": 93}, "scores outside 0..1"),
        ({"text": 42}, "texts given as a number"),
        ({"tracks": []}, "tracks given as a list"),
        ({"tracks": [[0, 0, 9, 0, 9, 9, 0, 9]]}, "boxes without a frame index"),
        ({"tracks": None}, "tracks without boxes"),
        ({"tracks": {}}, "tracks without boxes"),
        ({"tracks": {"frame_0": [0] * 8, "-1": [0] * 8, "1.5": [0] * 8}}, "frame keys that are no index"),
        ({"tracks": {"5": [1] * 8, "05": [2] * 8}}, "frames given twice"),
        ({"tracks": {"5": [0, 0, 9, 9]}}, "boxes of 4 numbers"),
        ({"tracks": {"5": "box"}}, "boxes of 0 numbers"),
        ({"tracks": {"5": [0, 0, 9, 0, 9, 9, 0, math.nan]}}, "boxes with a corner that is no number"),
        ({"tracks": {"5": [0, 0, 9, 0, 9, 9, 0, 1e300]}}, "boxes with a corner that is no number"),
        ({"tracks": {"5": [0, 0, 9, 0, 9, 9, 0, 9, 7, 1]}}, "boxes whose last two values are not both 0"),
        ({"tracks": {"5": [-3, 0, 9, 0, 9, 9, -3, 9]}}, "boxes that leave the frame"),
        ({"tracks": {"29": [0] * 8, "31": [0] * 8}}, "boxes left out: no frame time"),
        ({"language": "zh"}, "extra key: language"),
    ],
)
def test_oddities_are_counted_and_the_text_stays(fields, what):
    file = read({"0": track(**fields)})
    assert file.census[what] >= 1
    assert len(file.texts) == 1
    assert file.boxes[["x1", "y1"]].ge(0).all(axis=None)


@pytest.mark.parametrize("text", [None, "", "  ", [], {"a": 1}, math.nan, True])
def test_tracks_without_text_are_left_out(text):
    file = read({"0": track(text=text), "1": track()})
    assert file.texts["text_id"].tolist() == ["a.mp4#kwai#1"] == file.boxes["text_id"].tolist()
    assert file.census["tracks without text"] == 1


def test_nested_corners_and_lists_of_pairs():
    nested = [[0, 0], [9, 0], [9, 9], [0, 9]]
    file = read({"0": track(tracks=[[4, nested], ["5", ["0", "0", "9", "0", "9", "9", "0", "9"]]])})
    assert file.boxes["frame"].tolist() == [4, 5] and file.boxes["x2"].tolist() == [9 / 398] * 2
    assert file.census["boxes as nested corners"] == 1


def test_half_surrogate_pairs_and_no_tracks():
    assert read({"\ud800": track(text="A\udfffB")}).texts["text"].tolist() == ["A?B"]
    empty = read({})
    assert empty.texts.empty and empty.boxes.empty and empty.census == {"files": 1}
    assert read({"0": None, "1": [1]}).census["tracks that are no object"] == 2


@pytest.mark.parametrize("content", [[], "x", None, 3])
def test_another_top_level_is_an_error(content):
    with pytest.raises(DataError, match=r"The OCR of a\.mp4 is a JSON .* Download"):
        read(content)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)
FIELDS = st.fixed_dictionaries({}, optional={"text": VALUES, "score": VALUES, "tracks": VALUES})


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=3), FIELDS | VALUES, max_size=4))
def test_nothing_crashes_and_ids_are_unique(content):
    file = read(content)
    assert file.texts["text_id"].is_unique
    assert not file.boxes.duplicated(["text_id", "frame"]).any()
    assert file.boxes["time_s"].notna().all()
    assert file.texts["n_boxes"].sum() == len(file.boxes)


def test_census_and_guess_over_files():
    small, large, lost = read(SPEC), read({"0": track(tracks={"100": [0] * 6 + [1000, 9]})}), read({})
    table = merge_census([small, large, lost]).set_index("what")
    assert table.loc["files"].tolist() == [3, 1.0]
    assert table.loc["boxes of 10 numbers", "count"] == 2
    assert table.loc["boxes of 10 numbers", "share"] == pytest.approx(1 / 3)
    assert merge_census([]).columns.tolist() == ["what", "count", "share"]
    name, sentence = guess_over_files([large, large, small, lost])
    assert name == "original"
    assert sentence == (
        "original: 2 of 3 files with boxes fit only it, 1 fit it and another, 0 fit only another, 0 fit none."
    )
    assert guess_over_files([])[0] is None


RECORD = {
    "video_id": "a.mp4",
    "engine": "mine",
    "texts": [
        {"text": "面包 OPEN", "score": 0.5, "boxes": [{"time_s": 0.4, "quad": [0, 0, 1, 0, 1, 1, 0, 1]}]},
        {"text": "bye", "language": "en", "start_s": 1.0, "end_s": 2.0},
    ],
}


def write(path, *records) -> None:
    path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")


def test_jsonlines_to_tables_and_back(tmp_path):
    write(tmp_path / "a.jsonl", RECORD, {"video_id": "b.mp4", "engine": "mine", "texts": []})
    first, second = read_jsonlines(tmp_path / "a.jsonl")
    texts, boxes = to_tables(first, TIMES)
    assert texts["text_id"].tolist() == ["a.mp4#mine#0", "a.mp4#mine#1"]
    assert texts["first_frame"].tolist() == [1, 3] and texts["last_frame"].tolist() == [1, 6]
    assert boxes[["frame", "time_s"]].values.tolist() == [[1, 0.4]]
    assert to_tables(first, None)[1].empty
    write_jsonlines(tmp_path / "b.jsonl", {"a.mp4": (texts, boxes), "b.mp4": to_tables(second, TIMES)}, engine="mine")
    again, empty = read_jsonlines(tmp_path / "b.jsonl")
    assert to_tables(again, TIMES)[0].equals(texts) and to_tables(again, TIMES)[1].equals(boxes)
    assert empty == second


def test_kwai_tables_survive_jsonlines(tmp_path):
    file = read(SPEC | {"x": track(score=None)})
    write_jsonlines(tmp_path / "a.jsonl", {"a.mp4": (file.texts, file.boxes)})
    texts, boxes = to_tables(read_jsonlines(tmp_path / "a.jsonl")[0], TIMES)
    assert texts.equals(file.texts) and boxes.equals(file.boxes)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"video_id": ""}, "line 2: video_id is ''"),
        ({"texts": {}}, "texts is {}"),
        ({"text": []}, "unknown key 'text'.*Did you mean texts"),
        ({"texts": [{"text": "a", "score": 2}]}, "line 2, text 0: score is 2; it must be a number in 0..1"),
        ({"texts": [{"text": "a", "boxes": [{"quad": [0] * 8}]}]}, "text 0, box 0: time_s is None"),
        ({"texts": [{"text": "a", "boxes": [{"frame": 1, "quad": [640] * 8}]}]}, "divide pixels by width"),
        ({"texts": [{"text": "a", "boxes": [{"frame": 1, "quad": [0] * 4}]}]}, "8 numbers"),
        ({"texts": [{"text": "a", "start_s": math.nan}]}, "line 2 is not valid JSON: NaN"),
        ({"texts": [{"text": "\ud800"}]}, "text is"),
        ({"texts": [3]}, "text 0 is 3, not an object"),
        ({"texts": [{"text": "a", "track": "1"}, {"text": "b"}]}, "track is"),
        ({"width": 0}, "width is 0"),
        ({"frames_read": [0, -1]}, "frames_read"),
        ({}, "line 2 repeats a.mp4 by mine of line 1"),
    ],
)
def test_jsonlines_errors_name_the_line(tmp_path, change, sentence):
    write(tmp_path / "a.jsonl", RECORD, RECORD | change)
    with pytest.raises(DataError, match=sentence):
        read_jsonlines(tmp_path / "a.jsonl")


def test_jsonlines_of_other_kinds(tmp_path):
    with pytest.raises(DataError, match="is missing"):
        read_jsonlines(tmp_path / "none.jsonl")
    (tmp_path / "a.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        read_jsonlines(tmp_path / "a.jsonl")
    (tmp_path / "a.jsonl").write_text("\n\n[1]\n")
    with pytest.raises(DataError, match=r"line 3 is \[1\], not an object"):
        read_jsonlines(tmp_path / "a.jsonl")
    record = RECORD | {"texts": [{"text": "a", "boxes": [{"frame": 30, "quad": [0] * 8}]}]}
    with pytest.raises(DataError, match="frame 30, but the video has 30 frames"):
        to_tables(record, TIMES)
