"""A folder of clips as a corpus: what names a file, what names none, and captions that may be absent."""

from __future__ import annotations

import json

import pytest

from tests.clips import write_clip
from workbench.core.errors import DataError, StateError
from workbench.corpus.formats.folder import parse_folder
from workbench.corpus.media import file_of
from workbench.pipelines.datasets import prepare
from workbench.pipelines.ocr import run_ocr

FILES = ["Cooking/one.mp4", "Cooking/two.webm", "Street/one.mp4", "Street/deep/three.MKV", "überall/日本 語.mov"]


@pytest.fixture
def root(tmp_path):
    for name in [*FILES, "notes.txt", ".hidden.mp4", "Cooking/._two.webm", "a.mp4.part"]:
        path = tmp_path / "clips" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "clips" / "folder.mp4").mkdir()
    return tmp_path / "clips"


def table(path, *rows: tuple[str, ...], head: str = "video,caption"):
    path.write_text("\n".join([head, *(",".join(row) for row in rows)]), encoding="utf-8")
    return path


def parse(root, *annotations, **more):
    return parse_folder(annotations, roots={"original": root}, **more)


def test_a_folder_without_captions(root):
    parsed = parse(root)
    assert parsed.tables["videos"]["video_id"].tolist() == sorted(FILES)
    assert set(parsed.tables["videos"]["status"]) == {"ok"} and parsed.title == "clips"
    assert parsed.tables["renditions"]["path"].tolist() == sorted(FILES)
    assert parsed.notes == ["5 of 5 videos have no caption; they are in the gallery and can be searched."]
    assert "captions" not in parsed.tables


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Cooking/one.mp4", "Cooking/one.mp4"),  # its path
        ("Street/one", "Street/one.mp4"),  # without extension
        ("deep/three.MKV", "Street/deep/three.MKV"),  # the end of its path
        ("three", "Street/deep/three.MKV"),
        ("/srv/data/Cooking/two.webm", "Cooking/two.webm"),  # a path of another machine
        ("C:\\clips\\Cooking\\one.mp4", "Cooking/one.mp4"),
        ("日本 語", "überall/日本 語.mov"),
        ("one", None),  # two files are called so
        ("one.mp4", None),
        ("four", None),
        ("two.mp4", None),  # another extension
        ("wo", None),
        ("Sports/two.webm", None),  # another folder's clip of that name is another clip
        ("/data/deep/three.MKV", None),
        ("../clips/nothing.mp4", None),
    ],
)
def test_what_names_a_file(root, tmp_path, name, file):
    csv = table(tmp_path / "a.csv", (name, "that one"), ("Cooking/two.webm", "a surely known one"))
    parsed = parse(root, csv)
    named = parsed.tables["captions"].set_index("text")["video_id"].to_dict()
    assert named.pop("a surely known one") == "Cooking/two.webm"
    assert named == ({"that one": file} if file else {})
    left_out = [note for note in parsed.notes if "left out" in note]
    assert left_out == ([] if file else [f"1 captions name no file of the folder and are left out, e.g. {name}."])


def test_several_captions_labels_and_tables(root, tmp_path):
    csv = table(
        tmp_path / "a.csv", ("two", "first", "Food", "s1"), ("two", "second", "Other", "s2"),
        ("three", "third", "-", ""), head="video,caption,domain,source_id",
    )  # fmt: skip
    lines = tmp_path / "b.jsonl"
    lines.write_text(json.dumps({"video": "日本 語", "caption": "<b>四</b>", "language": "zh"}))
    parsed = parse(root, csv, lines, split="val", title="Mine")
    captions = parsed.tables["captions"]
    assert captions["caption_id"].tolist() == [
        "Cooking/two.webm#0", "Cooking/two.webm#1", "Street/deep/three.MKV#0", "überall/日本 語.mov#0"
    ]  # fmt: skip
    assert captions["text"].tolist() == ["first", "second", "third", "<b>四</b>"] and set(captions["split"]) == {"val"}
    videos = parsed.tables["videos"].set_index("video_id")
    assert videos.loc["Cooking/two.webm", ["domain", "source_id"]].tolist() == ["Food", "s1"]
    assert videos["domain"].notna().sum() == 1 and videos["source_id"].notna().sum() == 1
    assert parsed.title == "Mine" and "2 of 5 videos have no caption" in parsed.notes[0]


def test_wrong_folders(root, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="needs the folder of the videos. Add --root FOLDER"):
        parse_folder()
    with pytest.raises(DataError, match=r"none does not exist\. Check --root"):
        parse(tmp_path / "none")
    with pytest.raises(DataError, match=r"empty holds no video file\. Looked for \.mp4"):
        parse(tmp_path / "empty")
    with pytest.raises(DataError, match=r"No caption names a file of .*, e\.g\. nine"):
        parse(root, table(tmp_path / "a.csv", ("nine", "text")))


def test_a_broken_file_stays_broken(tmp_path):
    root = tmp_path / "my clips"
    root.mkdir()
    for name in ("-i.mp4", "100%.mp4", "Ünï 'q' \"d\" #1?.mp4", "a\nb.mp4"):
        write_clip(root / name, 3, options={"preset": "ultrafast"})
    (root / "bad.mp4").write_bytes(b"no video at all")
    (root / "none.mp4").write_bytes(b"")
    csv = table(tmp_path / "c.csv", ("bad", "the broken one"), ("-i", "the good one"))
    corpus = prepare("folder", annotations=[csv], roots={"original": root}, rename="mine", workers=1)
    videos = corpus.videos.set_index("video_id")
    assert videos["status"].value_counts().to_dict() == {"ok": 4, "broken": 2}
    assert videos.loc["bad.mp4", "reason"].startswith("bad.mp4 cannot be read: Invalid data")
    assert videos.loc["none.mp4", "status"] == "broken"
    assert corpus.captions["video_id"].tolist() == ["bad.mp4", "-i.mp4"]  # it stays in the task
    renditions = corpus.renditions.set_index("video_id")
    assert renditions["n_frames"].drop(["bad.mp4", "none.mp4"]).tolist() == [3] * 4
    assert renditions.loc["bad.mp4", ["n_frames", "sha256"]].isna().all()
    for video in corpus.videos["video_id"]:
        assert file_of(corpus, video).name == video
    assert sorted(path.name for path in root.iterdir()) == sorted(corpus.videos["video_id"])


def test_a_folder_needs_a_name_and_is_not_guessed(root):
    with pytest.raises(DataError, match="has no name of its own. Add --name"):
        prepare("folder", annotations=[], roots={"original": root})


def test_ocr_of_a_folder_of_broken_files_says_so(root):
    pytest.importorskip("rapidocr", reason="needs RapidOCR, which make setup installs")
    corpus = prepare("folder", annotations=[], roots={"original": root}, rename="mine", workers=1)
    assert set(corpus.videos["status"]) == {"broken"}
    with pytest.raises(StateError, match="mine has no video that can be read"):
        run_ocr(corpus)
