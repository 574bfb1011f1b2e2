"""What is kept of each video: a hit equals a recompute bit by bit, whoever computes it in whatever company."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tests.models.small_starvr import small
from workbench.core.caches import cache_parts, prune_cache
from workbench.core.errors import StateError
from workbench.models import build_model
from workbench.models.checkpoints import load_folder
from workbench.models.encoding import VECTORS, VIDEOS, kept_of
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.features import part_of, stacked
from workbench.pipelines.scoring import rules_for, score

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")


def same(*parts):
    """Whether parts hold the same bits of every video."""
    first, *others = (
        [None if one is None else {name: value.tobytes() for name, value in one.tensors.items()} for one in part.kept]
        for part in parts
    )
    return all(other == first for other in others)


def files(home):
    return sorted((home / "cache" / "features").rglob("*"))


@pytest.fixture(params=["vision", "ocr", "fusion", "dual", "window", "starvr"])
def model(request, tiny_home, shown, tmp_path):
    """A model of each kind: networks of whole videos, and vectors of frames."""
    if request.param in ("vision", "ocr", "fusion"):
        return load_folder(tiny_home / request.param)
    if request.param == "dual":
        return build_model("dual_encoder", weights=str(tiny_home / "dual"), n_frames=2, modality="fusion")
    if request.param == "starvr":
        return small(tmp_path / "words")
    options = {"n_frames": 2, "words_per_sentence": 4, "fusion_depth": 1, "fusion_heads": 2, "freeze_towers": True}
    return build_model("clip_ocr_window", weights=str(tiny_home / "dual"), **options)


def test_a_hit_is_a_recompute_whatever_the_company(model, shown, home):
    rules, ids = rules_for(model), shown.videos["video_id"].tolist()
    made = part_of(model, shown, rules, workers=1)
    kept = files(home)
    assert len(made.here) == 4 and not any(one.found for one in made.here)
    hit = part_of(model, shown, rules)
    assert all(one.found for one in hit.here) and same(made, hit) and files(home) == kept
    assert hit.inputs.table.equals(made.inputs.table) and hit.inputs.gallery.missing == made.inputs.gallery.missing
    shutil.rmtree(home / "cache" / "features")
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        alone = [part_of(model, shown, rules, videos=[one], workers=1) for one in ids]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    assert files(home) == kept and not alone[0].here and not alone[1].here[0].found
    assert all(same(replace(made, kept=(one,)), part) for one, part in zip(made.kept, alone, strict=True))


def test_scores_out_of_the_cache_are_those_of_encoding(model, shown):
    first, second = (score(model, shown, name=name, workers=1) for name in ("first", "second"))
    assert np.array_equal(first.similarity, second.similarity)
    assert first.info["encoding"]["from_cache"] == 0 and second.info["encoding"]["from_cache"] >= 4
    assert first.inputs.equals(second.inputs)
    whole = score(Plain(model), shown, name="whole", workers=1)
    one, other = (np.nan_to_num(run.similarity, neginf=0.0) for run in (first, whole))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    if kept_of(model) == VIDEOS:
        assert np.isfinite(first.similarity).sum(1).max() == second.info["encoding"]["videos"]


def test_a_hit_of_vectors_needs_no_frames(tiny_home, shown, home):
    model = build_model("textvr_zeroshot_ocr", weights=str(tiny_home / "dual"), n_frames=2)
    assert kept_of(model) == VECTORS
    before = score(model, shown, name="before", workers=1)
    shutil.rmtree(home / "cache" / "frames")
    after = score(model, shown, name="after", workers=1)
    assert np.array_equal(before.similarity, after.similarity) and not (home / "cache" / "frames").exists()
    whole = score(PlainFusion(model), shown, name="whole", workers=1)
    finite = np.isfinite(before.similarity)
    assert np.array_equal(finite, np.isfinite(whole.similarity)) and "encoding" not in whole.info
    for name in ("vision", "ocr", "bm25"):
        one, other = (np.nan_to_num(run.modalities[name], neginf=0.0) for run in (before, whole))
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


class Plain:
    """A model of which nothing is known but what scoring needs."""

    def __init__(self, model):
        self.needs, self.reads, self.encode = model.needs, model.reads, model.encode
        self.similarity, self.parts = model.similarity, model.parts


class PlainFusion(Plain):
    """And how it fuses its parts."""

    def __init__(self, model):
        super().__init__(model)
        self.fuse, self.protocol = model.fuse, model.protocol


def test_what_it_is_made_of_decides_where_it_lies(tiny_home, shown, home):
    model, other = (load_folder(tiny_home / "fusion") for _ in range(2))
    with torch.no_grad():
        next(other.network.parameters()).mul_(1.5)
    rules = rules_for(model)
    part_of(model, shown, rules, workers=1)
    others = {
        "fewer words": lambda: part_of(model, shown, replace(rules, max_words=1), workers=1),
        "silent": lambda: part_of(model, shown, rules, change=Change(without="ocr"), workers=1),
        "shuffled": lambda: part_of(model, shown, rules, change=Change(frames="shuffled"), workers=1),
        "weights": lambda: part_of(other, shown, rules, workers=1),
    }
    for name, make in others.items():
        again = make()
        assert not all(one.found for one in again.here), name
        assert all(one.found for one in make().here), name


def test_the_head_may_learn_while_vectors_are_kept(tiny_home, shown, home):
    options = {"n_frames": 2, "words_per_sentence": 4, "fusion_depth": 1, "fusion_heads": 2}
    weights = str(tiny_home / "dual")
    model = build_model("clip_ocr_window", weights=weights, freeze_towers=True, **options)
    vectors = stacked(part_of(model, shown, rules_for(model), workers=1), shown)
    assert vectors.shape[:2] == (5, 2) and vectors.dtype == np.float32
    broken = shown.videos["video_id"].tolist().index("broken.mp4")
    assert not vectors[broken].any() and np.linalg.norm(vectors, axis=-1).min() == 0
    kept = files(home)
    other = build_model("clip_ocr_window", weights=weights, freeze_towers=True, seed=7, modality="vision", **options)
    with torch.no_grad():
        for one in other.network.parameters():
            if one.requires_grad:
                one.add_(1.0)
    again = part_of(other, shown, rules_for(model), workers=1)
    assert np.array_equal(stacked(again, shown), vectors) and files(home) == kept
    trained = build_model("clip_ocr_window", weights=weights, freeze_towers=False, **options)
    assert kept_of(trained) == VECTORS and not trained.frozen_frames


def test_a_damaged_file_is_said_and_made_again(tiny_home, shown, home, caplog):
    model = load_folder(tiny_home / "ocr")
    made = part_of(model, shown, rules_for(model))
    whole = [path for path in files(home) if path.suffix == ".npz"]
    whole[0].write_bytes(whole[0].read_bytes()[:-30])
    whole[1].write_bytes(b"")
    (whole[2].parent / f".{whole[2].name}.0.tmp").write_bytes(b"half")
    again = part_of(model, shown, rules_for(model))
    assert same(made, again) and sum(one.found for one in again.here) == len(again.here) - 2
    assert [str(path) in caplog.text for path in whole[:3]] == [True, True, False]


def test_two_at_once_write_the_same(tiny_home, shown, home):
    models = [load_folder(tiny_home / "ocr") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda one: part_of(one, shown, rules_for(one)), models))
    assert same(*parts) and not any(".tmp" in path.name for path in files(home))


def test_the_cache_counts_and_prunes_them(tiny_home, shown, home):
    model = load_folder(tiny_home / "ocr")
    part = part_of(model, shown, rules_for(model))
    size = cache_parts(home / "cache")["features"]
    assert size == sum(one.n_bytes for one in part.here) > 0
    now, then = (files(home)[0] / f".{name}.npz.tmp" for name in ("now", "then"))
    for path in (now, then):
        path.write_bytes(b"half")
    os.utime(then, (0, 0))  # its writer was killed long ago
    freed = prune_cache(home / "cache", "features", size // 2)
    assert now.exists() and not then.exists()
    assert size // 2 <= freed < size and sum(one.found for one in part_of(model, shown, rules_for(model)).here) > 0


def test_nothing_readable_is_said(tiny_home, shown):
    model = load_folder(tiny_home / "vision")
    part = part_of(model, shown, rules_for(model), videos=["broken.mp4"])
    assert part.kept == (None,) and "broken.mp4" in part.inputs.gallery.missing
    with pytest.raises(StateError, match="No video of shown/test can be read: broken.mp4"):
        stacked(part, shown)
