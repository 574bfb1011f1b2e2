"""The baseline without training: its three lists against models of their own, and their fusion worked out slowly."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from tests.captioned import captioned_corpus
from tests.models.dual_folders import write_dual
from tests.models.test_dual import gallery
from workbench.core.errors import DataError, StateError
from workbench.corpus import open_corpus
from workbench.evaluation import open_run
from workbench.models import Gallery, build_model
from workbench.models.registry import FusesParts, fused
from workbench.pipelines.checkpoints import can_encode, open_model, score_checkpoint
from workbench.pipelines.scoring import score
from workbench.pipelines.search import Searcher

pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("bm25s", reason="needs bm25s, which make setup installs")
CAPTIONS = ["a red bus", "taxi 42", "nothing that stands there", "stop"]
SILENT = 0  # the first video of the gallery, of which nothing was read


@pytest.fixture(scope="module")
def workspace_with_videos(tmp_path_factory):
    """A workspace with five clips and what was read in them, made once; every test writes runs of its own name."""
    folder = tmp_path_factory.mktemp("zeroshot-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(folder))
        captioned_corpus(folder / "videos", longer=9)
    return folder


@pytest.fixture
def corpus(workspace_with_videos, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(workspace_with_videos))
    return open_corpus("shown", "test")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_dual(tmp_path_factory.mktemp("zeroshot") / "tiny")


@pytest.fixture
def model(weights, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    return lambda **options: build_model("textvr_zeroshot_ocr", weights=str(weights), **{"n_frames": 3, **options})


def slow_rrf(parts, k=60):
    """Sum over the lists of 1 / (k + rank), tied videos at the mean of their ranks, unscored ones without a rank."""
    shape = next(iter(parts.values())).shape
    total = np.full(shape, -np.inf)
    for matrix in parts.values():
        for row in range(shape[0]):
            for column in range(shape[1]):
                own = matrix[row, column]
                if own > -np.inf:
                    rank = 1 + (matrix[row] > own).sum() + ((matrix[row] == own).sum() - 1) / 2
                    total[row, column] = max(total[row, column], 0) + 1 / (k + rank)
    return total


@pytest.mark.parametrize("k", [60, 1])
def test_it_fuses_the_ranks_of_three_lists(model, k):
    zeroshot, videos = model(k=k), gallery()
    encoded = zeroshot.encode(videos)
    parts = zeroshot.parts(CAPTIONS, encoded)
    assert list(parts) == ["vision", "ocr", "bm25"] and isinstance(zeroshot, FusesParts)
    np.testing.assert_allclose(zeroshot.similarity(CAPTIONS, encoded), slow_rrf(parts, k), rtol=1e-6)
    np.testing.assert_array_equal(fused(zeroshot, parts), zeroshot.similarity(CAPTIONS, encoded))


def test_its_lists_are_those_of_the_models_by_themselves(model, weights):
    zeroshot, videos = model(), gallery()
    parts = zeroshot.parts(CAPTIONS, zeroshot.encode(videos))
    bm25 = build_model("bm25_ocr")
    np.testing.assert_array_equal(parts["bm25"], bm25.similarity(CAPTIONS, bm25.encode(videos)))
    for modality in ("vision", "ocr"):
        alone = build_model("dual_encoder", weights=str(weights), modality=modality, n_frames=3)
        expected = alone.similarity(CAPTIONS, alone.encode(videos))
        if modality == "ocr":
            expected[:, SILENT] = -np.inf
        np.testing.assert_allclose(parts[modality], expected, atol=1e-5)


def test_a_video_without_an_input_takes_no_rank_from_others(model):
    zeroshot, videos = model(), gallery()
    with_missing = Gallery(videos.video_ids, videos.frames, videos.words, {"v3": "cannot be read"})
    kept = [0, 1, 2, 4]
    found = zeroshot.similarity(CAPTIONS, zeroshot.encode(with_missing))
    assert np.isneginf(found[:, 3]).all()
    parts = zeroshot.parts(CAPTIONS, zeroshot.encode(with_missing))
    np.testing.assert_allclose(found[:, kept], slow_rrf({name: one[:, kept] for name, one in parts.items()}), rtol=1e-6)


def test_nothing_read_in_any_video_leaves_the_frames(model):
    zeroshot, videos = model(), gallery(words=[()] * 5)
    vision = zeroshot.parts(CAPTIONS, zeroshot.encode(videos))["vision"]
    found = zeroshot.similarity(CAPTIONS, zeroshot.encode(videos))
    np.testing.assert_array_equal(np.argsort(-found, 1, kind="stable"), np.argsort(-vision, 1, kind="stable"))


def test_a_row_depends_on_its_caption_alone(model):
    zeroshot, videos = model(), gallery()
    encoded = zeroshot.encode(videos)
    whole = zeroshot.similarity(CAPTIONS, encoded)
    np.testing.assert_array_equal(np.concatenate([zeroshot.similarity([one], encoded) for one in CAPTIONS]), whole)


@pytest.mark.parametrize("keep", [True, False])
def test_a_run_says_how_its_scores_were_made(corpus, model, keep):
    run = score(model(), corpus, name="kept" if keep else "counted", keep_matrix=keep, workers=1)
    assert run.info["fusion"] == {"method": "RRF", "weights": {"vision": 1.0, "ocr": 1.0, "bm25": 1.0}}
    told = run.protocol
    assert (told["scoring"], told["sees"], told["direction"]) == ("RRF", "nothing", "t2v")
    assert told["parameters"]["k"] == 60 and told["warnings"] == [
        "Scores were made for t2v: the v2t numbers are no RRF result."
    ]
    assert run.gallery.set_index("video_id").loc["broken.mp4", "state"] == "not_scored"
    if keep:
        parts = {name: np.array(one) for name, one in run.modalities.items()}
        assert set(parts) == {"vision", "ocr", "bm25"}
        np.testing.assert_allclose(run.similarity, slow_rrf(parts), rtol=1e-6)
        assert {"", "vision", "ocr", "bm25"} == set(run.per_query["modality"])
    else:
        assert run.similarity is None and run.metrics["t2v"]["n_queries"] == 8
    assert json.dumps(run.metrics)


def test_its_run_can_be_asked_again(corpus, weights, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    monkeypatch.setattr("workbench.core.pool.default_workers", lambda: 1)
    run = score_checkpoint(
        "textvr_zeroshot_ocr", corpus, name="baseline", options={"weights": str(weights), "n_frames": 2}
    )
    told = run.info["recipe"]
    assert can_encode(run) and told["options"]["n_frames"] == told["resolved"]["n_frames"] == 2
    checksum = hashlib.sha256((weights / "model.safetensors").read_bytes()).hexdigest()
    assert told["resolved"]["sha256"] == {"model.safetensors": checksum} and told["resolved"]["family"] == "clip"
    assert told["resolved"]["k"] == 60 and told["resolved"]["fit"] == "squash"
    assert run.info["input_rules"]["sampler"]["n"] == 2 and run.info["input_rules"]["height"] == 16
    text = corpus.captions["text"].iloc[0]
    found = Searcher(corpus, "baseline").search(text, k=4).videos
    best = np.argsort(-open_run("baseline").similarity[0], kind="stable")[:4]
    assert found["video_id"].tolist() == corpus.videos["video_id"].iloc[best].tolist()
    with pytest.raises(StateError, match="one word has no effect of its own"):
        score_checkpoint(
            "textvr_zeroshot_ocr", corpus, name="words", explain="words", options={"weights": str(weights)}
        )
    with pytest.raises(DataError, match="no model that takes options"):
        open_model("baseline", {"k": 1})
    with pytest.raises(StateError, match="textvr_fusion must be trained first"):
        open_model("textvr_fusion")


def test_wrong_options_are_named(model):
    with pytest.raises(DataError, match="no option 'kk'"):
        model(kk=3)
    with pytest.raises(DataError, match="k is 'x'"):
        model(k="x")
    with pytest.raises(DataError, match="k is -1"):
        zeroshot = model(k=-1)
        zeroshot.similarity(CAPTIONS, zeroshot.encode(gallery()))
