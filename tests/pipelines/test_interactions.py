"""Word by word: vision and OCR parts add up to the score, and what is stored comes back."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.evaluation import open_run
from workbench.evaluation.runs.interactions import Interactions, PairInteraction, write_interactions
from workbench.models import build_model
from workbench.pipelines.cache_limit import set_cache_limit
from workbench.pipelines.checkpoints import score_checkpoint

pytest.importorskip("torch", reason="needs torch, which make setup installs")


@pytest.mark.parametrize("modality", ["vision", "ocr", "fusion"])
def test_the_parts_of_every_pair_add_up_to_its_score(tiny_home, shown, modality):
    how = {"frames": "shuffled"} if modality == "vision" else {}
    run = score_checkpoint(str(tiny_home / modality), "shown", name="told", explain="pairs", **how)
    seen = open_run("told").inputs.set_index("video_id")
    for row, caption in enumerate(run.queries["caption_id"]):
        pairs = open_run("told").interactions(caption)
        right = set(run.relevance.loc[run.relevance["caption_id"] == caption, "video_id"]) - {"broken.mp4"}
        assert {one.video_id for one in pairs if one.role == "right"} == right and len(pairs) == 4
        scores = [one.score for one in pairs if one.role == "top"]
        assert scores == sorted(scores, reverse=True)
        for one in pairs:
            column = run.gallery["video_id"].tolist().index(one.video_id)
            assert one.score == run.similarity[row, column]
            assert one.of_frames.sum() + one.of_words.sum() == pytest.approx(one.score, abs=1e-4)
            for part, name in ((one.of_frames, "vision"), (one.of_words, "ocr")):
                if name in run.modalities:
                    assert part.sum() == pytest.approx(run.modalities[name][row, column], abs=1e-4)
            assert one.frame.shape == (len(one.tokens), len(one.times_s)) and one.weights.shape == (len(one.tokens), 2)
            assert one.word.shape == (len(one.tokens), len(one.words))
            assert list(one.words) == (list(seen["words"][one.video_id]) if modality != "vision" else [])
            assert list(one.times_s) == (list(seen["times_s"][one.video_id]) if modality != "ocr" else [])


def test_shuffled_frames_carry_their_own_times(tiny_home, shown):
    told = {}
    for name, frames in (("plain", None), ("turned", "shuffled")):
        run = score_checkpoint(str(tiny_home / "vision"), "shown", name=name, explain="pairs", frames=frames)
        told[name] = {one.video_id: one for one in run.interactions(run.queries["caption_id"][1])}
    moved = 0
    for video, plain in told["plain"].items():
        turned = told["turned"][video]
        at = [turned.times_s.index(time_s) for time_s in plain.times_s]
        moved += at != sorted(at)
        np.testing.assert_allclose(turned.frame[:, at], plain.frame, atol=1e-5)
    assert moved


def test_what_cannot_be_explained_is_refused_before_anything_is_scored(tiny_home, shown, home):
    weights = {"weights": str(tiny_home / "dual"), "n_frames": 2}
    for checkpoint, kind, options, said in (
        ("bm25_ocr", "pairs", None, "does not say how well"), ("dual_encoder", "words", weights, "reads no words"),
        ("textvr_zeroshot_ocr", "pairs", weights, "scores by ranks among all videos"),
    ):  # fmt: skip
        with pytest.raises(StateError, match=said):
            score_checkpoint(checkpoint, "shown", name="x", explain=kind, options=options)
    with pytest.raises(StateError, match="Explain a run of one clip"):
        score_checkpoint(str(tiny_home / "vision"), "shown", name="x", explain="pairs", clips=2)
    with pytest.raises(UnknownNameError, match="pairs"):
        score_checkpoint(str(tiny_home / "vision"), "shown", name="x", explain="pair")
    assert not list((home / "runs").glob("*"))


def test_a_run_that_was_not_asked_has_none_and_the_cache_keeps_its_limit(tiny_home, shown, home):
    set_cache_limit(1e-9)
    run = score_checkpoint(str(tiny_home / "ocr"), "shown", name="plain")
    assert run.interactions(run.queries["caption_id"][0]) is None
    assert not list((home / "cache" / "features").rglob("*.npz")) and run.info["encoding"]["videos"]


def pair(tokens=("a", "b"), times_s=(0.5, 1.0, 1.5), words=("MIRA",), caption_id="q", video_id="v"):
    draw = np.random.default_rng(len(words))
    made = [draw.normal(size=(len(tokens), width)).astype(np.float32) for width in (2, len(times_s), len(words))]
    return PairInteraction(caption_id, video_id, "top", 0.25, tokens, made[0], times_s, made[1], words, made[2])


def test_what_is_written_comes_back(tmp_path):
    given = [pair(), pair(video_id="w", words=()), pair(caption_id="p", times_s=(), words=("A", "B"))]
    write_interactions(tmp_path, given)
    stored = Interactions(tmp_path / "interactions")
    for one, back in zip(given, [*stored.of("q"), *stored.of("p")], strict=True):
        assert all(np.array_equal(getattr(one, name), getattr(back, name)) for name in vars(one))
    assert stored.of("nobody") == []
    (tmp_path / "interactions" / "values.npy").unlink()
    with pytest.raises(DataError, match="explain pairs"):
        Interactions(tmp_path / "interactions")


def test_a_word_that_fits_nothing_brings_nothing():
    one = pair(words=("MIRA", "CAFE"))
    one.word[:] = [[-0.5, -0.1], [0.2, 0.4]]
    assert one.of_words[0] == 0 and one.of_words[1] == one.weights[1, 1] * np.float32(0.4)
    assert not pair(words=()).of_words.any() and not pair(times_s=()).of_frames.any()


def test_the_family_of_tokens_says_so():
    from workbench.models.interactions import ExplainsPairs

    assert isinstance(build_model("textvr_fusion", preset="tiny"), ExplainsPairs)
