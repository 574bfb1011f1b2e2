"""Scores out of fixed tiles: the same numbers with and without a matrix, whoever asks and in whatever order."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from tests.evaluation.test_streaming import equal_metrics
from workbench.core.seeds import generator
from workbench.evaluation import retrieval_metrics
from workbench.models import Gallery, Words, build_model, scoring
from workbench.models.scoring import Tiles

pytest.importorskip("torch", reason="needs torch, which make setup installs")
N_VIDEOS = 9
NAMES = ["red", "bus", "NOMEK", "42", "ΦΩΣ", "rain", "stop", "tea", "go"]


def problem(model, owner):
    """Tiles of a model with random weights; captions of very different lengths, one video that is not scored."""
    draw = generator(0, "tiles")
    options = model.options
    frames = draw.integers(0, 256, (N_VIDEOS, options.n_frames, options.height, options.width_px, 3), np.uint8)
    words = tuple(Words((name,), draw.random((1, 6)).astype(np.float32)) for name in NAMES)
    videos = Gallery(tuple(f"v{i}" for i in range(N_VIDEOS)), frames, words)
    captions = [f"{NAMES[video]} {' '.join(draw.choice(NAMES, at % 17))}" for at, video in enumerate(owner)]
    relevance = sp.csr_array((np.ones(len(owner), np.int8), (range(len(owner)), owner)), (len(owner), N_VIDEOS))
    return Tiles(model, captions, [model.encode(videos)], relevance, absent=[3])


@pytest.mark.parametrize("owner", ["in order", "scattered", "one each"])
@pytest.mark.parametrize("modality, as_on_a_gpu", [("fusion", False), ("fusion", True), ("ocr", False)])
def test_counting_while_scoring_equals_the_stored_matrix(monkeypatch, owner, modality, as_on_a_gpu):
    monkeypatch.setattr(scoring, "_on_gpu", lambda model: as_on_a_gpu)
    monkeypatch.setattr(scoring, "CAPTIONS_PER_TILE", 16)
    monkeypatch.setattr("workbench.evaluation.ranks.blocks.BLOCK_ITEMS", 21 * N_VIDEOS)
    one = np.arange(N_VIDEOS) if owner == "one each" else np.repeat(np.arange(N_VIDEOS), 7)
    if owner == "scattered":
        one = generator(1, "owner").permutation(one)
    tiles = problem(build_model("textvr_fusion", preset="tiny", modality=modality), one)
    similarity, parts = tiles.matrix()
    assert (similarity[:, 3] == -np.inf).all() and np.isfinite(np.delete(similarity, 3, axis=1)).all()
    assert set(parts) == ({"vision", "ocr"} if modality == "fusion" else {"ocr"})
    for rows in (slice(0, 1), slice(2, 9), generator(2, "rows").permutation(len(one))[:7]):
        assert np.array_equal(np.asarray(tiles.rows(rows)), similarity[rows])
    equal_metrics(tiles.metrics(), retrieval_metrics(similarity, tiles.relevance, direction="both"))


def test_every_tile_is_scored_twice_and_no_more(monkeypatch):
    monkeypatch.setattr("workbench.evaluation.ranks.counters.n_threads", lambda: 1)  # several may ask out of turn
    monkeypatch.setattr(scoring, "CAPTIONS_PER_TILE", 16)
    monkeypatch.setattr("workbench.evaluation.ranks.blocks.BLOCK_ITEMS", 21 * N_VIDEOS)
    model = build_model("textvr_fusion", preset="tiny", modality="ocr")
    tiles = problem(model, np.repeat(np.arange(N_VIDEOS), 20))
    asked, parts = [], model.parts
    monkeypatch.setattr(
        model, "parts", lambda captions, encoded: asked.append(len(captions)) or parts(captions, encoded)
    )
    tiles.metrics()
    assert sum(asked) <= 2 * 180 + 16 and max(asked) == 16  # one tile more where a pass ends and the next begins


@pytest.mark.gpu
def test_a_model_on_a_gpu_is_counted_there(monkeypatch):
    torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    monkeypatch.setattr(scoring, "CAPTIONS_PER_TILE", 16)
    model = build_model("textvr_fusion", preset="tiny", modality="fusion")
    model.network.to("cuda")
    tiles = problem(model, np.repeat(np.arange(N_VIDEOS), 7))
    assert tiles.rows(slice(0, 3)).device.type == "cuda"
    similarity, _ = tiles.matrix()
    equal_metrics(tiles.metrics(), retrieval_metrics(similarity, tiles.relevance, direction="both"))
