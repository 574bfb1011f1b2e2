"""Audit of corpora: duplicates, leaks between splits, sources, stale files; each planted, each clean."""

from __future__ import annotations

import os

import pandas as pd
import pytest

from tests.made import made_corpus
from tests.texts import read_corpus
from workbench.core.files import sha256_file, write_table
from workbench.corpus import save_corpus
from workbench.pipelines.audit import audit
from workbench.pipelines.datasets import prepare

WORDS = "red green blue black white yellow brown pink".split()


def corpus_of(texts, *, splits="test", sources=None, domains=None, videos=None, name="c"):
    ids = videos or [f"v{i}" for i in range(len(texts))]
    rows = pd.DataFrame({"video_id": ids, "split": splits, "status": "not_kept", "source_id": sources,
                         "domain": domains})  # fmt: skip
    captions = pd.DataFrame({"caption_id": [f"q{i}" for i in range(len(texts))], "video_id": ids, "text": texts,
                             "split": splits, "role": "original"})  # fmt: skip
    return save_corpus(name, {"videos": rows.drop_duplicates("video_id"), "captions": captions})


def test_a_clean_corpus(home):
    texts = [f"{word} thing number {i} of its kind {word * 2}" for i, word in enumerate(WORDS)]
    found = audit(corpus=corpus_of(texts, sources=[f"s{i}" for i in range(8)]))
    assert found.ok and set(found.table["about"]) == {"corpus c", "corpus c/test"}
    for check in ("tables", "duplicate captions", "near-duplicate captions", "ceilings", "same-source videos"):
        assert found.of(check).severity == "ok", check
    assert found.of("duplicates across splits").severity == found.of("files").severity == "note"


def test_duplicates_and_near_duplicates(home):
    texts = [
        "A dog runs home.",
        "a dog  runs home.",
        "a dog runs away.",
        "the cat sleeps on a mat",
        "one bus",
        "one bus!",
    ]
    found = audit(corpus=corpus_of(texts))
    equal = found.of("duplicate captions")
    assert equal.severity == "warning" and equal.rows == ["q0", "q1"] and equal.n_rows == 2
    assert equal.numbers == {"n_captions": 6, "n_distinct": 5, "n_duplicated": 2, "n_groups": 1}
    assert found.of("near-duplicate captions").rows == ["q0", "q1", "q2"]
    ceiling = found.of("ceilings")
    assert ceiling.severity == "note" and ceiling.numbers["t2v_r1"] == pytest.approx(100 * 5 / 6)
    assert ceiling.numbers["t2v_mean_rank"] == pytest.approx(7 / 6) and ceiling.numbers["t2v_mrr"] < 1
    same_video = corpus_of(["a dog runs home", "a dog runs home"], videos=["v", "v"], name="d")
    assert audit(corpus=same_video).of("duplicate captions").severity == "ok"


def test_what_each_definition_of_scene_text_takes(home):
    found = audit(corpus=read_corpus(rapidocr={"a": ["SLOANE"], "b": ["dog"]}))
    (row,) = [one for one in found if one.check == "scene-text queries"]
    assert row.severity == "note" and row.fix == "Say which definition a number is for."
    assert "by scene-text-query v1: 1 of 4; scene-text-query-ocr v1: 2 of 4; capitals" in row.sentence
    assert [one["n_scene_text"] for one in row.numbers["definitions"]] == [1, 2, 1, 1, 1]
    unread = audit(corpus=read_corpus(name="d")).of("scene-text queries")
    assert "scene-text-query-ocr" not in unread.sentence and "Run: workbench ocr run d" in unread.fix


def test_no_captions(home):
    videos = pd.DataFrame({"video_id": ["a", "b"], "split": "test", "status": "not_kept"})
    empty = made_corpus(4).captions.iloc[:0].assign(split="test")
    found = audit(corpus=save_corpus("bare", {"videos": videos, "captions": empty}))
    assert found.ok and found.of("duplicate captions").severity == "note"


def test_what_stands_in_two_splits(home):
    texts = [f"thing {word} at {i}" for i, word in enumerate(WORDS)]
    splits, sources = ["train"] * 4 + ["test"] * 4, [f"s{i}" for i in range(8)]
    clean = audit(corpus=corpus_of(texts, splits=splits, sources=sources))
    for check in ("captions across splits", "sources across splits"):
        assert clean.of(check).severity == "ok"
    assert clean.of("videos across splits").severity == "note"  # no file is known
    sources[7], texts[6] = "s0", texts[1]
    leaky = audit(corpus=corpus_of(texts, splits=splits, sources=sources, name="leaky").with_split("test"))
    assert leaky.of("sources across splits").severity == "warning"
    assert leaky.of("sources across splits").rows == ["v0", "v7"]
    assert leaky.of("captions across splits").rows == ["q1", "q6"]
    assert leaky.of("captions across splits").severity == "warning" and leaky.ok


def filed(tmp_path, names, splits, name="filed"):
    """A corpus of little files; equal letters are equal files."""
    folder = tmp_path / name
    folder.mkdir()
    corpus = corpus_of([f"word{i} here" for i in range(len(names))], splits=splits, name=name)
    rows = []
    for i, letter in enumerate(names):
        path = folder / f"v{i}.mp4"
        path.write_bytes(letter.encode() * 50)
        stat = path.stat()
        rows.append({"video_id": f"v{i}", "rendition": "original", "path": path.name, "n_bytes": stat.st_size,
                     "mtime": stat.st_mtime, "sha256": sha256_file(path)})  # fmt: skip
    tables = {"videos": corpus.videos, "captions": corpus.captions, "renditions": pd.DataFrame(rows)}
    return save_corpus(name, tables, {"roots": {"original": str(folder)}}, overwrite=True), folder


def test_the_same_file_in_two_splits_and_twice_in_one(home, tmp_path):
    clean, _ = filed(tmp_path, "abcd", ["train", "train", "test", "test"])
    found = audit(corpus=clean)
    assert found.ok and found.of("videos across splits").severity == found.of("same file twice").severity == "ok"
    assert found.of("files").severity == "ok"
    leaky, _ = filed(tmp_path, "abab", ["train", "train", "test", "test"], "leaky")
    found = audit(corpus=leaky)
    assert found.of("videos across splits").severity == "wrong" and not found.ok
    assert sorted(found.of("videos across splits").rows) == ["v0", "v1", "v2", "v3"]
    twice, _ = filed(tmp_path, "aabc", "test", "twice")
    assert audit(corpus=twice).of("same file twice").rows == ["v0", "v1"]


def test_stale_files(home, tmp_path):
    corpus, folder = filed(tmp_path, "abcde", "test")
    (folder / "v0.mp4").write_bytes(b"longer than before" * 20)
    (folder / "v1.mp4").write_bytes(b"x" * 50)
    os.utime(folder / "v1.mp4", (1, 1))
    os.utime(folder / "v2.mp4", (1, 1))
    (folder / "v3.mp4").unlink()
    found = audit(corpus=corpus)
    by_state = {row.numbers["state"]: (row.severity, row.rows) for row in found if row.check == "files"}
    assert by_state == {
        "changed": ("wrong", ["v0", "v1"]), "gone": ("warning", ["v3"]), "touched": ("note", ["v2"]),
    }  # fmt: skip
    stat = (folder / "v4.mp4").stat()
    (folder / "v4.mp4").write_bytes(b"y" * 50)
    os.utime(folder / "v4.mp4", (stat.st_atime, stat.st_mtime))
    assert "v4" not in audit(corpus=corpus).of("files").rows
    assert "v4" in audit(corpus=corpus, hashes=True).of("files").rows


def test_sources(home):
    found = audit(corpus=made_corpus(160))
    same = found.of("same-source videos")
    assert same.severity == "note" and same.numbers["n_with_sibling"] == 160 and same.numbers["largest"] == 4
    few = found.of("few sources")
    assert few.severity == "warning" and "TV Show (10)" in few.sentence
    unknown = audit(corpus=corpus_of(["a b c", "d e f"]))
    assert (
        unknown.of("same-source videos").severity == "note"
        and "not clustered" in unknown.of("same-source videos").sentence
    )


def test_tables_that_were_edited(home):
    corpus = made_corpus(20)
    write_table(corpus.path / "captions.parquet", corpus.captions.assign(text="other"))
    found = audit(corpus="made").of("tables")
    assert found.severity == "wrong" and "fingerprint" in found.sentence


def test_textvr(home, real_data):
    files = [real_data / "annotations" / "textvr" / name for name in ("TextVR_test.json", "TextVR_test_rand.json")]
    corpus = prepare("textvr", annotations=files)
    found = audit(corpus=corpus)
    numbers = found.of("duplicate captions").numbers
    assert numbers == {"n_captions": 2727, "n_distinct": 2454, "n_duplicated": 496, "n_groups": 223}
    ceilings = found.of("ceilings").numbers
    assert ceilings["t2v_r1"] == pytest.approx(89.99, abs=0.01) and ceilings["t2v_r10"] == 100
    assert ceilings["v2t_r1"] == pytest.approx(89.99, abs=0.01) and 1 < ceilings["t2v_mean_rank"] < 1.3
    scrambled = found.of("scrambled order").numbers
    assert scrambled["order"] == "scrambled" and len(set(scrambled["columns_in_order"])) == 2727
    assert found.of("same-source videos").numbers["n_sources"] == 1412
    assert found.of("few sources").severity == "warning" and found.ok
