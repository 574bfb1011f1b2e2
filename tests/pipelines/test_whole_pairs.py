"""Captions as wholes against single frames and texts: what is told is the score of a video that has but this one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.models import small_starvr
from tests.models.dual_folders import write_dual
from tests.models.small_combined import CAPTIONS, Case, made, videos
from workbench.evaluation import open_run
from workbench.models import Words, build_model
from workbench.models.interactions import TakesApart
from workbench.pipelines import inputs
from workbench.pipelines.checkpoints import score_checkpoint

pytest.importorskip("torch", reason="needs torch, which make setup installs")

CASES = [
    Case("starvr", "distilbert", "space_time"), Case("starvr", "distilbert", "space_time", "windows", "score"),
    Case("starvr", "distilbert", "clip", "words", "block"), Case("clip", "clip", "own", "words", "score"),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("whole")
    write_dual(made / "clip")
    return made


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")


@pytest.mark.parametrize("modality", ["vision", "ocr", "fusion"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_vectors_are_of_videos_that_have_but_this_one(folder, case, modality):
    """A video of one word scores as that word alone; frames as a video that shows the same all the time."""
    if modality != "fusion":
        case = case._replace(fusion="bare" if case.model == "starvr" else "block")
    if modality == "vision":
        case = case._replace(ocr="words" if case.model == "starvr" else "windows")
    model = made(folder, case, modality)
    model.network.float()
    assert isinstance(model, TakesApart)
    gallery = videos(model)
    asked, (first, *_) = model.caption_vectors(CAPTIONS), model.apart(gallery)
    of_frames, of_texts = model.shares()
    assert (of_frames > 0) == (modality != "ocr") and (of_texts > 0) == (modality != "vision")
    assert len(first.texts) == len(first.text) and len(first.frame) == (3 if of_frames else 0)
    for rows in (first.frame, first.text):
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    if case.ocr == "words" and of_texts and not (of_frames and case.model == "starvr"):
        alone = replace(gallery, words=tuple(Words(one.text[:1], one.place[:1]) for one in gallery.words))
        part = model.parts(CAPTIONS, model.encode(alone))["ocr"][:, 0]
        np.testing.assert_allclose(of_texts * asked @ first.text[0], part, atol=1e-4)
    if of_frames and not of_texts and case.vision != "space_time":
        still = replace(gallery, frames=np.repeat(gallery.frames[:, :1], 3, 1))
        np.testing.assert_allclose(
            of_frames * asked @ first.frame[0], model.similarity(CAPTIONS, model.encode(still))[:, 0], atol=1e-4
        )


def model_of(name, tiny_home, tmp_path):
    if name == "starvr":
        return small_starvr.small(tmp_path / "words", n_frames=3)
    options = {"ocr_text": "windows", "modality": "fusion"} if name == "dual_encoder" else {"preset": "tiny"}
    return build_model(name, weights=str(tiny_home / "dual"), n_frames=3, **options)


@pytest.mark.parametrize("name", ["starvr", "clip_ocr_window", "dual_encoder"])
def test_runs_of_wholes_are_explained(tiny_home, shown, tmp_path, name):
    model = model_of(name, tiny_home, tmp_path)
    model.save(tmp_path / "own")
    run = score_checkpoint(str(tmp_path / "own"), "shown", name="told", explain="pairs")
    seen = open_run("told").inputs.set_index("video_id")
    for row, caption in enumerate(run.queries["caption_id"]):
        pairs = open_run("told").interactions(caption)
        assert len(pairs) == 4
        for one in pairs:
            assert one.tokens == (shown.captions["text"].iloc[row],) and one.weights.shape == (1, 2)
            assert list(one.times_s) == list(seen["times_s"][one.video_id])
            assert one.frame.shape == (1, len(one.times_s)) and one.word.shape == (1, len(one.words))
            assert (np.abs(one.frame) <= 1.00001).all() and (np.abs(one.word) <= 1.00001).all()
            assert one.score == run.similarity[row, run.gallery["video_id"].tolist().index(one.video_id)]
            if name == "dual_encoder" and one.words:
                column = run.gallery["video_id"].tolist().index(one.video_id)
                assert one.weights[0, 1] * one.word.max() == pytest.approx(run.modalities["ocr"][row, column], abs=1e-4)


@pytest.mark.parametrize("name", ["clip_ocr_window", "dual_encoder"])
def test_a_word_is_taken_out_of_every_sentence(tiny_home, shown, tmp_path, name, monkeypatch):
    model = model_of(name, tiny_home, tmp_path)
    model.save(tmp_path / "own")
    run = score_checkpoint(str(tmp_path / "own"), "shown", name="words", explain="words")
    effects = open_run("words").word_effects
    assert len(effects) and (effects["rank_without"] >= 1).all() and not effects["word"].str.contains(" ").any()
    one = effects.iloc[0]
    plain = inputs.sentences_of

    def without(*args, **options):
        of = {video: [one.split() for one in sentences] for video, sentences in plain(*args, **options).items()}
        fewer = {video: [[w for w in words if w != one["word"]] for words in every] for video, every in of.items()}
        return {video: tuple(map(" ".join, every)) for video, every in fewer.items()}

    monkeypatch.setattr(inputs, "sentences_of", without)
    fewer = score_checkpoint(str(tmp_path / "own"), "shown", name="fewer")
    row, column = run.queries["caption_id"].eq(one["caption_id"]), run.gallery["video_id"].eq(one["video_id"])
    assert fewer.similarity[row][:, column].item() == pytest.approx(one["score_without"], abs=1e-4)
