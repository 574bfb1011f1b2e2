"""The formats on small files of the shapes that the specs describe, and on the real annotations."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from workbench.core.errors import DataError, UnknownNameError
from workbench.corpus import normalise_caption, save_corpus
from workbench.corpus.formats import find_format
from workbench.corpus.formats.textvr import scrambled_permutation, source_of

CLIPS = ["Activity/v_abcdefghijk_1", "Sports/xyz_00010_00020", "Sports/xyz_00030_00040", "Cooking/pqr_3", "Driving/817"]


def record(clip: str, *, ocr: str | None = None, captions: int = 1, split: str = "test") -> dict:
    duration = 0 if clip.startswith("Activity") else 10.0
    return {
        "path": f"{clip}.mp4",
        "captions_info": [
            {"caption": f" caption {k} of {clip}", "caption_info": {"duration": duration, "desc_id": 1}}
            for k in range(captions)
        ],
        "videos_info": {"source": "vitvr_x", "split": split, "Kwai_OCR": f"{ocr or clip}.json"},
    }


def write(path, value):
    path.write_text(json.dumps(value))
    return path


@pytest.fixture
def aligned(tmp_path):
    return write(tmp_path / "TextVR_test.json", [record(clip) for clip in CLIPS])


@pytest.fixture
def scrambled(tmp_path):
    records = [record(clip) for clip in CLIPS]
    moved = [records[i] for i in (1, 2, 3, 4, 0)]
    mixed = [
        {**old, "path": new["path"], "videos_info": new["videos_info"]} for old, new in zip(records, moved, strict=True)
    ]
    return write(tmp_path / "TextVR_test_rand.json", mixed)


def test_textvr_tables(aligned, tmp_path):
    train = write(tmp_path / "train.json", [record("Games/g_00000_00010", captions=3, split="train")])
    parsed = find_format("textvr")([train, aligned])
    corpus = save_corpus("textvr", parsed.tables, {"default_split": parsed.default_split})
    assert corpus.meta["counts"] == {"train": {"captions": 3, "videos": 1}, "test": {"captions": 5, "videos": 5}}
    test = corpus.with_split("test")
    assert test.captions["caption_id"][0] == "Activity/v_abcdefghijk_1.mp4#0"
    assert test.captions["text"][0].startswith(" caption")
    assert np.isnan(test.videos["duration_s"][0]) and test.videos["duration_s"][1] == 10.0
    assert test.videos["collection"].unique().tolist() == ["vitvr_x"]
    assert test.videos["status"].unique().tolist() == ["not_kept"]


@pytest.mark.parametrize(
    ("video", "source"),
    [
        ("Activity/v_abcdefghijk_12.mp4", "Activity/v_abcdefghijk"),
        ("Sports/xyz_00010_00020.mp4", "Sports/xyz"),
        ("Street_View_Indoor/a_b_listx_02000_02010.mp4", "Street_View_Indoor/a_b_listx"),
        ("Cooking/pqr_3.mp4", "Cooking/pqr"),
        ("Driving/817.mp4", "Driving/817"),
    ],
)
def test_sources_from_file_names(video, source):
    assert source_of(video) == source


def test_scrambled_alone_is_refused_and_beside_the_aligned_one_an_order(aligned, scrambled):
    with pytest.raises(DataError, match="Only a scrambled file was given.*Give TextVR_test.json"):
        find_format("textvr")([scrambled])
    parsed = find_format("textvr")([scrambled, aligned])
    corpus = save_corpus("textvr", parsed.tables, orders=parsed.orders).with_split("test")
    orders = corpus.orders("videos")
    assert orders["aligned"] == corpus.videos["video_id"].to_list()
    pi = scrambled_permutation(orders["aligned"], orders["scrambled"])
    matrix = np.arange(25).reshape(5, 5)
    assert np.array_equal(matrix[:, pi][:, np.argsort(pi)], matrix)
    assert [orders["scrambled"][i] for i in pi] == orders["aligned"]
    with pytest.raises(DataError, match="do not hold the same videos"):
        scrambled_permutation(["a"], ["b"])


def test_stale_file_is_refused(tmp_path):
    stale = write(tmp_path / "t.json", [record(CLIPS[0]), record(CLIPS[1], ocr=CLIPS[2])])
    with pytest.raises(
        DataError, match="is a stale file: 1 of 2 records name another clip's OCR, the first is record 1"
    ):
        find_format("textvr")([stale])


@pytest.mark.parametrize("folder", ["Video", "Videos", "videos", ""])
@pytest.mark.parametrize("flat", [True, False])
def test_textvr_finds_files_in_every_layout(aligned, tmp_path, folder, flat):
    root = tmp_path / "root" / folder
    clip = CLIPS[1].split("/")[1] if flat else CLIPS[1]
    (root / f"{clip}.mp4").parent.mkdir(parents=True)
    (root / f"{clip}.mp4").write_bytes(b"123")
    parsed = find_format("textvr")([aligned], roots={"original": tmp_path / "root"})
    corpus = save_corpus("t", parsed.tables)
    assert corpus.renditions[["video_id", "n_bytes"]].to_numpy().tolist() == [[f"{CLIPS[1]}.mp4", 3]]
    assert corpus.videos["status"].value_counts().to_dict() == {"missing": 4, "ok": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("[", "is not valid JSON at line 1, column 2"),
        ("{}", "is not a list of records"),
        ('[{"paht": 1}]', "record 0: there is no 'path'"),
        ('[{"path": "flat.mp4"}]', "path 'flat.mp4' is not <Domain>/<clip>"),
        ('[{"path": "a/b.mp4", "videos_info": {"split": "test"}, "captions_info": []}]', "record 0: it has no caption"),
    ],
)
def test_broken_textvr_files(tmp_path, content, message):
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(DataError, match=message):
        find_format("textvr")([tmp_path / "t.json"])


def test_real_textvr(real_data):
    folder = real_data / "annotations" / "textvr"
    parsed = find_format("textvr")([folder / "TextVR_test.json", folder / "TextVR_test_rand.json"])
    corpus = save_corpus("textvr", parsed.tables, orders=parsed.orders).with_split("test")
    assert len(corpus.captions) == len(corpus.videos) == 2727
    assert corpus.captions["text"].map(normalise_caption).nunique() == 2454
    sources = corpus.videos.groupby("domain")["source_id"].nunique().to_dict()
    assert sources == {
        "Activity": 985, "Street_View_Indoor": 71, "Street_View_Outdoor": 31, "Driving": 123, "Sports": 36,
        "Cooking": 98, "News_Movie": 58, "Games": 10,
    }  # fmt: skip
    pi = scrambled_permutation(corpus.orders("videos")["aligned"], corpus.orders("videos")["scrambled"])
    assert int((pi == np.arange(2727)).sum()) == 2  # two rows stay where they were


CSV = 'key,vid_key,video_id,sentence\nret0,msr9,video9,"a man, talking"\nret1,msr8,video8,a dog\n'


@pytest.fixture
def msrvtt(tmp_path):
    (tmp_path / "test.csv").write_text(CSV)
    (tmp_path / "train.9k.csv").write_text("video_id\nvideo0\nvideo1\n")
    sentences = [{"video_id": f"video{i}", "caption": f"c{k} of {i}", "sen_id": k} for i in (0, 1, 9) for k in range(2)]
    videos = [
        {"video_id": f"video{i}", "url": f"https://x/watch?v=src{i}", "split": "test" if i == 9 else "train"}
        for i in (0, 1, 9)
    ]
    write(tmp_path / "data.json", {"sentences": sentences, "videos": videos})
    write(tmp_path / "coco.json", {"annotations": [{"image_id": "video0", "caption": "c"}], "images": []})
    return tmp_path


def test_msrvtt_protocols_are_corpora_of_their_own(msrvtt):
    files = [msrvtt / name for name in ("test.csv", "train.9k.csv", "data.json")]
    parse = find_format("msrvtt")
    first = save_corpus("msrvtt-1ka", parse(files).tables)
    assert first.meta["counts"] == {"test": {"captions": 2, "videos": 2}, "train": {"captions": 4, "videos": 2}}
    assert first.with_split("test").captions["text"].to_list() == ["a man, talking", "a dog"]
    assert first.videos.set_index("video_id")["source_id"]["video9"] == "src9"
    full = save_corpus("msrvtt-full", parse([msrvtt / "data.json"], protocol="full").tables)
    assert full.meta["counts"]["test"] == {"captions": 2, "videos": 1}
    coco = parse([msrvtt / "test.csv", msrvtt / "train.9k.csv", msrvtt / "coco.json"])
    assert coco.tables["captions"]["caption_id"].to_list() == ["ret0", "ret1", "video0#0"]
    with pytest.raises(UnknownNameError, match="No MSR-VTT protocol is called '1k'"):
        parse(files, protocol="1k")
    with pytest.raises(DataError, match="hold no test captions of protocol 1ka"):
        parse([msrvtt / "train.9k.csv"])


def test_other_tables_are_not_taken_for_msrvtt(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="has the columns a, b. .*--format table"):
        find_format("msrvtt")([tmp_path / "x.csv"])
    (tmp_path / "y.csv").write_text(CSV.replace("a dog", " "))
    with pytest.raises(DataError, match="data row 1: sentence is empty"):
        find_format("msrvtt")([tmp_path / "y.csv"])
    with pytest.raises(DataError, match="has none of MSR-VTT's layouts"):
        find_format("msrvtt")([write(tmp_path / "z.json", {"x": 1})])


def test_real_msrvtt(real_data):
    parse, folder = find_format("msrvtt"), real_data / "annotations"
    assert len(parse([folder / "msrvtt" / "MSRVTT_JSFUSION_test.csv"]).tables["captions"]) == 1000
    full = parse([folder / "gram_msrvtt_descs_cap_test.json"], protocol="full").tables
    assert (len(full["videos"]), len(full["captions"])) == (2990, 59800)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'caption,video\n"ein Café, rot",x.mp4\nzwei,y.mp4\n'),
        ("a.csv", '\ufeffvideo_id,sentence\r\nx.mp4,"ein Café, rot"\r\ny.mp4,zwei\r\n'),
        ("a.tsv", "query\tpath\nein Café, rot\tx.mp4\nzwei\ty.mp4\n"),
        ("a.jsonl", '{"desc": "ein Café, rot", "video": "x.mp4"}\n\n{"desc": "zwei", "video": "y.mp4"}\n'),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_tables_of_any_kind(tmp_path, name, content, zipped):
    path = tmp_path / (name + ".gz" * zipped)
    raw = content.encode()
    path.write_bytes(gzip.compress(raw) if zipped else raw)
    corpus = save_corpus("mine", find_format("table")([path]).tables)
    assert corpus.captions["text"].to_list() == ["ein Café, rot", "zwei"]
    assert corpus.videos["video_id"].to_list() == ["x.mp4", "y.mp4"]


def test_one_caption_with_several_videos(tmp_path):
    (tmp_path / "a.csv").write_text("id,caption,video,category\nq,two cats,x,pets\nq,two cats,y,pets\n")
    corpus = save_corpus("mine", find_format("table")([tmp_path / "a.csv"]).tables)
    assert corpus.relevance_matrix().toarray().tolist() == [[1, 1]] and corpus.has_domains
    (tmp_path / "b.csv").write_text("id,caption,video\nq,two cats,x\nq,one cat,y\n")
    with pytest.raises(DataError, match="Caption 'q' stands with two different texts"):
        find_format("table")([tmp_path / "b.csv"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text\nx\n", "has no column of video ids; it has text. Name it one of: video_id"),
        ("video\nx\n", "has no column of captions"),
        ("caption,video\nx,\n", "data row 0: video_id is empty"),
        ("caption,video\na,b,c\n", "data row 0: 3 values for 2 columns. Quote texts"),
    ],
)
def test_broken_tables(tmp_path, content, message):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        find_format("table")([tmp_path / "a.csv"])


def test_unreadable_files(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        find_format("table")([tmp_path / "none.csv"])
    (tmp_path / "a.csv").write_bytes(b"caption,video\n\xff,x\n")
    with pytest.raises(DataError, match="is not UTF-8"):
        find_format("table")([tmp_path / "a.csv"])
    (tmp_path / "a.csv.gz").write_bytes(b"not gzip")
    with pytest.raises(DataError, match="not a whole gzip file"):
        find_format("table")([tmp_path / "a.csv.gz"])


def test_formats_from_outside_the_tree():
    assert find_format("workbench.corpus.formats.table:parse_table") is find_format("table")
    with pytest.raises(UnknownNameError, match="cannot be imported"):
        find_format("no.such.module:parse")
    with pytest.raises(UnknownNameError, match="No format is called 'textv'. Did you mean textvr"):
        find_format("textv")
