"""Foreign texts onto a corpus: files found by stem, boxes by the rendition that fits, nothing lost, nothing made up."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from workbench.core.errors import DataError, UnknownNameError
from workbench.corpus import Corpus, save_corpus
from workbench.corpus.media import write_frame_times
from workbench.corpus.tables import validate
from workbench.ocr.jsonlines import CORNERS
from workbench.pipelines.ocr_import import import_ocr

VIDEOS = [
    "News_Movie/tv_1.mp4",
    "Sports/run_2.mp4",
    "Sports/none_3.mp4",
    "Driving/7.mp4",
    "Games/7.mp4",
    "Cooking/é.mp4",
]
TIMES = {"original": np.arange(50) / 25 + 0.5, "small": np.arange(6) / 3 + 0.5}


@pytest.fixture
def corpus(home) -> Corpus:
    """Six probed videos, 640 x 360 and 50 frames; the small files 320 x 180 and 6 frames."""
    sizes = {"original": (640, 360, 50, 25.0), "small": (320, 180, 6, 3.0)}
    renditions = pd.DataFrame([
        {"video_id": video, "rendition": name, "path": video, "width": width, "height": height, "n_frames": n,
         "fps": fps}
        for video in VIDEOS for name, (width, height, n, fps) in sizes.items()
    ])  # fmt: skip
    videos = pd.DataFrame({"video_id": VIDEOS, "split": ["test"] * 5 + ["train"], "status": "ok"})
    made = save_corpus("x", {"videos": videos, "renditions": renditions})
    for video in VIDEOS:
        for name, times in TIMES.items():
            write_frame_times(made, video, name, times, np.ones(len(times), bool))
    return made


def box(right: float = 300, bottom: float = 100) -> list[float]:
    return [0, 0, right, 0, right, bottom, 0, bottom, 0, 0]


def track(text: str = "OPEN", **boxes: list[float]) -> dict:
    return {"text": text, "score": "0.9", "tracks": {key[1:]: value for key, value in boxes.items()}}


def write_kwai(folder, **files: object):
    for name, content in files.items():
        path = folder / (name.replace("__", "/") + ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def write_lines(path, *records):
    path.write_text("\n".join(json.dumps(record) for record in records))
    return path


def states(report) -> dict[str, str]:
    return dict(zip(report.videos["video_id"], report.videos["state"], strict=True))


def check(corpus: Corpus) -> None:
    """The tables keep their rules, and boxes are of texts that say how many they have."""
    tables = {"videos": corpus.videos}
    texts = validate("texts", corpus.texts, tables)
    validate("text_coverage", corpus.text_coverage, tables)
    boxes = [validate("boxes", corpus.boxes(video)) for video in corpus.videos["video_id"]]
    counted = pd.concat(boxes)["text_id"].value_counts().reindex(texts["text_id"]).fillna(0)
    assert counted.tolist() == texts["n_boxes"].tolist()


def test_kwai_finds_files_by_stem_and_boxes_by_the_majority(corpus, tmp_path):
    folder = write_kwai(
        tmp_path / "Kwai_VideoOCR",
        Technology__tv_1={"1": track(f0=box(), f49=box(600, 360)), "2": {"text": "no box", "score": 0.5, "tracks": {}}},
        Sports__run_2={}, Driving__7={"0": track(f0=box())}, Cooking__é={"0": track("CAFÉ 面", f3=box())},
        Other__lost={}, Other__none_3="{broken", Speech_Interview__tv_2={},
    )  # fmt: skip
    report = import_ocr(corpus.with_split("test"), folder, format="kwai")
    assert report.engine == "kwai" and report.corpus.split == "test"
    assert list(states(report).values()) == ["read", "empty", "failed", "absent", "absent", "read"]
    reasons = report.videos["reason"].tolist()
    assert "is not valid JSON" in reasons[2] and reasons[3] == "2 videos are called 7, but there is one 7.json."
    assert report.videos["n_texts"].tolist() == [2, 0, 0, 0, 0, 1]
    whole = report.corpus.with_split(None)
    check(whole)
    boxes = whole.boxes(VIDEOS[0])
    assert boxes["frame"].tolist() == [0, 49] and boxes["time_s"].tolist() == pytest.approx([0.5, 0.5 + 49 / 25])
    assert boxes["x2"].tolist() == pytest.approx([300 / 640, 600 / 640])
    coverage = whole.text_coverage.set_index("video_id")
    assert coverage.loc[VIDEOS[0], ["rendition", "width", "height", "n_frames", "fps"]].tolist() == [
        "original", 640, 360, 50, 25.0
    ]  # fmt: skip
    assert coverage.loc[VIDEOS[1], "state"] == "empty" and len(coverage) == 6
    assert "3 of 7 files belong to no video of x, or not to one alone." in report.notes
    census = report.census.set_index("what")["count"]
    assert census["tracks"] == 3 and census["tracks without boxes"] == 1


def test_kwai_says_which_rendition_and_leaves_out_what_does_not_fit(corpus, tmp_path):
    folder = write_kwai(
        tmp_path / "k", A__tv_1={"1": track(f5=box())}, A__run_2={"1": track(f2=box(310))},
        A__none_3={"1": track(f40=box(500, 300))},
    )  # fmt: skip
    report = import_ocr(corpus, folder, format="kwai", engine="mine")
    assert report.notes[0] == (
        "Which rendition the boxes are of: small: 0 of 3 files with boxes fit only it, 2 fit it and another, "
        "1 fit only another, 0 fit none."
    )
    assert "1 files fit only another rendition: their texts are stored without boxes." in report.notes
    assert report.corpus.boxes(VIDEOS[0])["time_s"].tolist() == pytest.approx([TIMES["small"][5]])
    assert report.corpus.boxes(VIDEOS[2]).empty and states(report)[VIDEOS[2]] == "read"
    assert set(report.corpus.texts["engine"]) == {"mine"}
    check(report.corpus)


def test_kwai_without_probed_videos_keeps_the_texts(home, tmp_path):
    made = save_corpus("bare", {"videos": pd.DataFrame({"video_id": ["d/a.b"], "split": "test", "status": "not_kept"})})
    report = import_ocr(made, write_kwai(tmp_path / "k", **{"D__a.b": {"1": track(f0=box())}}), format="kwai")
    assert report.corpus.texts["text"].tolist() == ["OPEN"] and report.corpus.boxes("d/a.b").empty
    assert any("workbench video probe bare" in note for note in report.notes)
    assert report.census.set_index("what").loc["boxes left out: no rendition fits", "count"] == 1


def line(video: str = VIDEOS[0], engine: str = "theirs", **text: object) -> dict:
    quad = [0.1, 0.1, 0.2, 0.1, 0.2, 0.2, 0.1, 0.2]
    return {
        "video_id": video,
        "engine": engine,
        "texts": [{"text": "OPEN", "boxes": [{"frame": 3, "quad": quad}], **text}],
    }


def test_jsonl(corpus, tmp_path):
    empty = {"video_id": VIDEOS[1], "engine": "theirs", "texts": [], "frames_read": [0, 9], "width": 64, "height": 36}
    outside = line(VIDEOS[2], boxes=[{"frame": 50, "quad": [0.5] * 8}])
    path = write_lines(tmp_path / "a.jsonl", line(score=0.25), empty, outside, line("who/knows.mp4"))
    report = import_ocr(corpus, path)
    assert report.engine == "theirs" and report.notes == ["1 of 4 lines name no video of x, e.g. 'who/knows.mp4'."]
    assert list(states(report).values()) == ["read", "empty", "failed", "absent", "absent", "absent"]
    assert report.videos["reason"][2].endswith("stands in frame 50, but the video has 50 frames.")
    check(report.corpus)
    boxes = report.corpus.boxes(VIDEOS[0])
    assert boxes[["frame", "time_s"]].to_numpy().tolist() == [[3, pytest.approx(0.5 + 3 / 25)]]
    assert boxes[CORNERS].to_numpy().tolist() == [[0.1, 0.1, 0.2, 0.1, 0.2, 0.2, 0.1, 0.2]]
    row = report.corpus.text_coverage.set_index("video_id").loc[VIDEOS[1]]
    assert row["frames_read"].tolist() == [0, 9] and (row["width"], row["n_frames"]) == (64, 50)
    assert report.census.set_index("what").loc["texts", "count"] == 1


def test_parts_and_engines_lie_beside_each_other(corpus, tmp_path):
    import_ocr(corpus, write_lines(tmp_path / "a.jsonl", line(), line(VIDEOS[1])))
    second = import_ocr(corpus, write_lines(tmp_path / "b.jsonl", line(VIDEOS[1], text="NEW"), line(VIDEOS[2])))
    assert second.notes == ["1 absent videos keep what theirs had for them."]
    texts = second.corpus.texts.set_index("video_id")["text"]
    assert texts.to_dict() == {VIDEOS[0]: "OPEN", VIDEOS[1]: "NEW", VIDEOS[2]: "OPEN"}
    both = write_lines(tmp_path / "c.jsonl", line(engine="one", text="ONE"), line(engine="two", text="TWO"))
    with pytest.raises(DataError, match=r"holds texts of 2 engines: one, two\. Import one at a time, e\.g\. --as one"):
        import_ocr(corpus, both)
    with pytest.raises(DataError, match="Did you mean two"):
        import_ocr(corpus, both, engine="tow")
    third = import_ocr(corpus, both, engine="two")
    assert third.notes == ["1 of 2 lines are of other engines; not imported."]
    renamed = import_ocr(corpus, tmp_path / "a.jsonl", engine="named").corpus
    assert sorted(set(renamed.texts["engine"])) == ["named", "theirs", "two"]
    assert len(renamed.boxes(VIDEOS[0])) == 3
    check(renamed)


def test_wrong_sources(corpus, tmp_path):
    with pytest.raises(UnknownNameError, match="No OCR format is called 'kwia'. Did you mean kwai"):
        import_ocr(corpus, tmp_path, format="kwia")
    lines = write_lines(tmp_path / "a.jsonl", line("other/a.mp4"))
    (tmp_path / "empty.jsonl").write_text("\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    wrong = [
        (folder, "kwai", "folder holds no .json file"),
        (lines, "kwai", "a.jsonl is not a folder"),
        (folder, "jsonl", "folder is a folder. .*--format kwai"),
        (tmp_path / "none.jsonl", "jsonl", "none.jsonl is missing"),
        (tmp_path / "empty.jsonl", "jsonl", "holds no line"),
        (
            lines,
            "jsonl",
            r"No line of .* names a video of x, e\.g\. 'other/a\.mp4'\. Its ids look like 'News_Movie/tv_1",
        ),
    ]
    for source, format, message in wrong:
        with pytest.raises(DataError, match=message):
            import_ocr(corpus, source, format=format)
    with pytest.raises(DataError, match=r"is called like one video of x, e\.g\. tv_1\.json"):
        import_ocr(corpus, write_kwai(folder, A__other={}), format="kwai")
    with pytest.raises(DataError, match="'a#b' cannot name an engine"):
        import_ocr(corpus, write_lines(lines, line()), engine="a#b")
    assert corpus.texts.empty and not (corpus.path / "boxes").exists()
