"""TVR's files: queries with their moments, galleries larger than what is asked for, hidden queries, subtitles."""

from __future__ import annotations

import json

import pytest

from workbench.core.errors import DataError
from workbench.corpus import open_corpus, save_corpus
from workbench.corpus.formats import find_format
from workbench.pipelines.datasets import prepare

VAL = ["house_s01e02_seg02_clip_03", "house_s01e02_seg02_clip_04", "s03e04_seg01_clip_00"]
PUBLIC = ["friends_s01e01-02_seg02_clip_01"]
INDEX = {"test_public": {PUBLIC[0]: [61.0, 3]}, "val": {name: [60.5 + i, i] for i, name in enumerate(VAL)}}


def query(number, video, span, kind="v", **more):
    return {"vid_name": video, "duration": 60.5, "ts": span, "desc": f" query {number} ", "type": kind,
            "desc_id": number, **more}  # fmt: skip


QUERIES = [query(7, VAL[2], [0, 2.5], "vt"), query(5, VAL[0], [1.5, 9], "t"), query(6, VAL[0], [1.5, 9])]


@pytest.fixture
def write(tmp_path):
    def lines(name, records):
        path = tmp_path / name
        whole = isinstance(records, dict)
        path.write_text(json.dumps(records) if whole else "\n".join(map(json.dumps, records)), encoding="utf-8")
        return path

    return lines


def test_moments_types_and_the_whole_gallery(write):
    hidden = [{"desc": "who speaks?", "desc_id": 9}, {"desc": "who sings?", "desc_id": 10}]
    files = [
        write("tvr_val_release.jsonl", QUERIES),
        write("tvr_test_public_release.jsonl", hidden),
        write("tvr_video2dur_idx.json", INDEX),
    ]
    parsed = find_format("tvr")(files)
    corpus = save_corpus("tvr", parsed.tables, {"default_split": parsed.default_split})
    assert corpus.meta["counts"] == {
        "test_public": {"captions": 0, "videos": 1}, "val": {"captions": 3, "videos": 3},
    }  # fmt: skip
    val = corpus.with_split("val")
    assert val.captions[["caption_id", "text", "query_type"]].to_numpy().tolist() == [
        ["7", " query 7 ", "vt"], ["5", " query 5 ", "t"], ["6", " query 6 ", "v"],
    ]  # fmt: skip
    assert val.relevance[["caption_id", "video_id", "start_s", "end_s"]].to_numpy().tolist() == [
        ["7", VAL[2], 0.0, 2.5], ["5", VAL[0], 1.5, 9.0], ["6", VAL[0], 1.5, 9.0],
    ]  # fmt: skip
    assert val.videos[["video_id", "duration_s", "domain", "source_id"]].to_numpy().tolist() == [
        [VAL[0], 60.5, "House", "House s01e02"], [VAL[1], 61.5, "House", "House s01e02"],
        [VAL[2], 62.5, "The Big Bang Theory", "The Big Bang Theory s03e04"],
    ]  # fmt: skip
    assert parsed.default_split == "val" and parsed.notes == [
        "test_public: 2 queries hide their videos and are left out; its videos can be searched."
    ]
    assert corpus.with_split("test_public").videos["source_id"].to_list() == ["Friends s01e01-02"]


def test_without_the_index_the_gallery_is_what_is_asked_for(write):
    parsed = find_format("tvr")([write("tvr_train_release.jsonl", QUERIES)])
    assert parsed.tables["videos"]["video_id"].to_list() == [VAL[2], VAL[0]] and parsed.default_split == "train"
    assert parsed.notes == ["Without tvr_video2dur_idx.json the gallery holds only videos that are asked for."]


def test_subtitles_are_texts_and_files_are_found(write, tmp_path):
    spoken = [
        {"vid_name": VAL[1], "sub": [{"text": "Hello (there) : you", "start": 0.5, "end": 2.0}]},
        {"vid_name": "elsewhere", "sub": [{"text": "x", "start": 0, "end": 1}]},
    ]
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / f"{VAL[0]}.mkv").write_bytes(b"x")
    files = [write("val.jsonl", QUERIES), write("index.json", INDEX), write("subtitles.jsonl", spoken)]
    parsed = find_format("tvr")(files, roots={"original": tmp_path / "videos"})
    corpus = save_corpus("tvr", parsed.tables).with_split("val")
    text = corpus.texts.iloc[0]
    assert len(corpus.texts) == 1 and (text["kind"], text["engine"]) == ("subtitle", "subtitles")
    assert (text["text"], text["start_s"], text["end_s"]) == ("Hello (there) : you", 0.5, 2.0)
    assert corpus.videos["status"].to_list() == ["ok", "missing", "missing"]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([{"desc": "x", "desc_id": 1}], "record 0: there is no 'vid_name', and the file's name states no split"),
        ([query(1, VAL[0], [5, 2])], r"record 0: ts \[5, 2\] is not \[start, end\] in seconds"),
        ([query(1, VAL[0], [1])], r"ts \[1\] is not"),
        ([query(1, VAL[0], [1, 2], "tv")], "type 'tv' is none of v, t, vt"),
        ([query(1, 7, [1, 2])], "vid_name or desc is no text"),
        ([{"vid_name": VAL[0]}], "record 0: there is no 'desc'"),
        ([{"vid_name": VAL[0], "sub": 3}], "sub is no list"),
        ([[1]], "record 0: there is no 'vid_name'"),
        ([query(1, "house_s09e09_seg01_clip_00", [1, 2])], "is in no split of the index"),
        ([{"vid_name": VAL[0], "sub": []}], "hold no query whose video is stated"),
    ],
)
def test_broken_files(write, records, message):
    with pytest.raises(DataError, match=message):
        find_format("tvr")([write("x.jsonl", records), write("index.json", INDEX)])


@pytest.mark.parametrize(("content", "message"), [([1], "is not {split"), ({"val": {"a": [1]}}, "is not .seconds")])
def test_a_broken_index(tmp_path, content, message):
    (tmp_path / "index.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        find_format("tvr")([tmp_path / "index.json"])
    (tmp_path / "x.jsonl").write_text('{"desc": \n')
    with pytest.raises(DataError, match="line 1 is not valid JSON"):
        find_format("tvr")([tmp_path / "x.jsonl"])


def test_real_tvr(real_data):
    folder = real_data / "annotations" / "tvr"
    names = ("tvr_val_release.jsonl", "tvr_test_public_release.jsonl", "tvr_video2dur_idx.json")
    prepare("tvr", annotations=[folder / name for name in names])
    val = open_corpus("tvr", "val")
    assert (len(val.captions), len(val.videos)) == (10895, 2179)
    assert val.captions["query_type"].value_counts().to_dict() == {"v": 8097, "vt": 1834, "t": 964}
    assert val.videos["domain"].value_counts().to_dict() == {
        "Friends": 560, "Castle": 473, "House": 462, "The Big Bang Theory": 431, "How I Met Your Mother": 149,
        "Grey's Anatomy": 104,
    }  # fmt: skip
    assert val.has_sources and (val.relevance["end_s"] > val.relevance["start_s"]).all()
    public = open_corpus("tvr", "test_public")
    assert (len(public.captions), len(public.videos)) == (0, 1089)
