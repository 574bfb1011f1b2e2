"""The demo as it is shipped, made by the command and the real engine: what it must show, or it shows nothing."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.analysis import by_slice
from workbench.corpus import open_corpus
from workbench.evaluation import open_run
from workbench.training.demo import RUNS

pytestmark = pytest.mark.slow


def r1(run: str) -> float:
    return open_run(run).metrics["t2v"]["r1"]


def r1_by_type(run: str) -> dict[str, float]:
    table = by_slice(open_run(run), "query_type")
    return dict(zip(table["slice"], table["value"], strict=True))


@pytest.mark.usefixtures("demo")
def test_videos_are_as_promised():
    corpus = open_corpus("demo").with_split(None)
    files = corpus.renditions
    assert len(corpus.videos) == 192 and corpus.videos["domain"].nunique() == 8
    whole = files[files["n_frames"].notna()]
    assert len(whole) == 191 and set(whole["codec"]) == {"h264"}
    assert set(whole["width"]) == {320} and set(whole["height"]) == {240} and np.allclose(whole["fps"], 12)
    assert whole["n_frames"].between(24, 36).all()
    broken = corpus.videos[corpus.videos["status"] == "broken"]
    assert len(broken) == 1 and broken["reason"].notna().all()
    assert corpus.videos.groupby("source_id")["split"].nunique().max() == 1


@pytest.mark.usefixtures("demo")
def test_every_planted_trouble_shows_with_the_real_engine():
    planted = open_corpus("demo").meta["planted"]
    assert len(planted) == 11
    assert [one for one in planted if not one["shown"]] == []


@pytest.mark.usefixtures("demo")
def test_the_engine_reads_what_is_not_troubled():
    corpus = open_corpus("demo").with_split(None)
    troubled = {one["video_id"] for one in corpus.meta["planted"]}
    texts = corpus.texts[~corpus.texts["video_id"].isin(troubled)]
    drawn = texts[texts["engine"] == "truth"].groupby("video_id")["text"].agg(" ".join)
    read = (
        texts[texts["engine"] == "rapidocr"]
        .groupby("video_id")["text"]
        .agg(" ".join)
        .reindex(drawn.index, fill_value="")
    )
    right = [set(a.split()) <= set(b.split()) for a, b in zip(drawn, read, strict=True)]
    assert np.mean(right) > 0.9


@pytest.mark.usefixtures("demo")
def test_fusion_truly_gains_and_every_modality_is_far_above_chance():
    chance = 100 / len(open_run("demo-fusion").gallery)
    vision, ocr, fusion = (r1(f"demo-{name}") for name in ("vision", "ocr", "fusion"))
    assert fusion >= max(vision, ocr) + 15
    assert min(vision, ocr, r1("demo-bm25")) > 3 * chance


@pytest.mark.usefixtures("demo")
def test_what_is_not_asked_for_gains_nothing():
    fusion, vision, ocr = (r1_by_type(f"demo-{name}") for name in ("fusion", "vision", "ocr"))
    assert fusion["visual"] <= vision["visual"] + 2  # captions without scene text gain nothing from OCR
    assert fusion["text"] <= ocr["text"] + 2  # captions that only quote gain nothing from frames
    assert fusion["both"] > max(vision["both"], ocr["both"]) + 15


@pytest.mark.usefixtures("demo")
def test_runs_say_how_they_were_made():
    for name in RUNS:
        run = open_run(name)
        assert run.state == "finished" and len(run.inputs) == len(run.gallery)
        assert run.info["model"] in ("bm25_ocr", "textvr_fusion") and run.info["input_rules"]["engine"] in (
            None,
            "rapidocr",
        )
    fusion = open_run("demo-fusion")
    assert fusion.info["seed"] == 0
    assert set(fusion.modalities) == {"vision", "ocr"}
    total = sum(np.asarray(fusion.modalities[part], np.float64) for part in ("vision", "ocr"))
    finite = np.isfinite(fusion.similarity)
    assert np.allclose(total[finite], np.asarray(fusion.similarity)[finite], atol=1e-4)
    assert {"loss", "val mrr"} <= set(fusion.history["name"])
    assert fusion.info["recipe"]["select_split"] == "val" != fusion.split
    assert (fusion.path / "checkpoints" / "best").is_file()
