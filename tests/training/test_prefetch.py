"""The input pipeline: batches made ahead, held or decoded one by one, and files that break meanwhile."""

from __future__ import annotations

import itertools
import json
import logging
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.models.dual_folders import write_dual
from tests.training.filming import NAME, SHORT, TINY, clips_corpus, truncate
from tests.training.reading import TINY as READ
from tests.training.reading import read_corpus
from tests.training.test_parts import AsTheyAre, batches
from workbench.core import pool
from workbench.core.errors import StateError
from workbench.core.seeds import generator
from workbench.core.workspace import elsewhere
from workbench.corpus import open_corpus
from workbench.evaluation import open_run
from workbench.models.world import World
from workbench.pipelines.clips import HeldClips, StreamedClips
from workbench.pipelines.videos import compress
from workbench.training import load_recipe, train
from workbench.training.batches import Batch, Batches
from workbench.training.building import built
from workbench.training.looks import Looks
from workbench.training.loop import rules_of, train_batches
from workbench.training.optimiser import optimiser_of
from workbench.training.prefetch import DEPTH, Prefetch
from workbench.training.step import make_step

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
RECIPE = "textvr_fusion_selftest"
STREAMED = {"frames_in_memory": 0}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A workspace with the clips, whose frames lie in its cache."""
    folder = tmp_path_factory.mktemp("filmed")
    with elsewhere(folder / "home"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "default_workers", lambda: 1)  # a process takes longer to start than these to decode
        (folder / "home").mkdir()
        clips_corpus(folder / "videos")
        drawn("parity"), drawn("shift")
    return folder


@pytest.fixture
def clips(made, home, tmp_path, monkeypatch) -> Path:
    """The folder of the clips, a copy of one's own that may be broken."""
    monkeypatch.setattr(pool, "default_workers", lambda: 1)
    shutil.copytree(made / "home", home, dirs_exist_ok=True)
    videos = tmp_path / "videos"
    shutil.copytree(made / "videos", videos, copy_function=shutil.copy2)
    described = home / "corpora" / NAME / "corpus.json"
    described.write_text(described.read_text().replace(json.dumps(str(made / "videos")), json.dumps(str(videos))))
    assert open_corpus(NAME).roots["original"] == str(videos)
    return videos


def drawn(augment: str = "shift", **overrides) -> Batches:
    recipe = load_recipe(RECIPE, {**TINY, "augment": augment, **overrides})
    model, _ = built(recipe)
    return train_batches(recipe, model, rules_of(recipe, model))


def frames_of(batch: Batch) -> np.ndarray:
    return batch.gallery.frames


class Watched(AsTheyAre):
    """Notes where and when inputs are made."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def caption_inputs(self, captions):
        self.asked.append((threading.current_thread().name, captions))
        return captions


@pytest.mark.parametrize("micro", [None, 5])
def test_coming_batches_and_their_inputs_are_made_while_a_step_runs(micro):
    whole, model = batches(size=13), Watched()
    chunks = 1 if micro is None else 3
    with Prefetch(whole, World(), 4, model, micro) as coming:
        for step in range(4):
            batch, expected = coming.take(step), whole.at(step)
            assert batch.captions == expected.captions and np.array_equal(frames_of(batch), frames_of(expected))
            assert [caption for chunk in batch.chunks for caption in chunk.texts()] == batch.captions
            coming.rest()
            assert len(model.asked) == chunks * min(4, step + 1 + DEPTH)  # and none beyond the last
            assert batch.packed(model, micro) is batch
    assert {name for name, _ in model.asked} == {"prefetch_0"}
    assert [caption for _, captions in model.asked for caption in captions] == [
        caption for step in range(4) for caption in whole.at(step).captions
    ]


def test_what_a_broken_file_leaves_is_packed_again(clips):
    streamed = drawn(**STREAMED, batch_videos=6)
    (clips / "train/1.mp4").unlink()
    with Prefetch(streamed, World(), 1, Watched(), 2) as coming:
        batch = coming.take(0)
    assert len(batch.captions) == 5 and [len(chunk.texts()) for chunk in batch.chunks] == [2, 2, 1]


def test_nobody_makes_inputs_while_the_select_split_is_looked_at(home, monkeypatch):
    read_corpus()
    at, look, busy = Batches.at, Looks.similarity, []

    def slow(self, *step):
        busy.append(1)
        time.sleep(0.02)
        made = at(self, *step)
        busy.pop()
        return made

    def looked(self):
        looks.append(bool(busy))
        return look(self)

    looks: list[bool] = []
    monkeypatch.setattr(Batches, "at", slow)
    monkeypatch.setattr(Looks, "similarity", looked)
    monkeypatch.setattr("workbench.training.trackers.has", lambda _: False)
    train(RECIPE, name="quiet", **{**READ, "steps": 4, "eval_every": 2, "warmup": 0})
    assert looks == [False, False]


def test_the_order_of_an_epoch_is_drawn_once(monkeypatch):
    whole, fresh, drawn = batches(size=13), batches(size=13), []
    monkeypatch.setattr("workbench.training.batches.generator", lambda *keys: drawn.append(keys) or generator(*keys))
    ids = [whole.at(step).ids for step in range(6)]
    assert [keys for keys in drawn if keys[1] == "order"] == [(0, "order", 0), (0, "order", 1)]
    assert {step: fresh.at(step).ids for step in (5, 0, 4, 1, 3, 2)} == dict(enumerate(ids))


def test_a_jump_is_no_trouble_and_errors_come_out():
    whole = batches(size=13)
    with Prefetch(whole, World(), 10, AsTheyAre()) as coming:
        coming.take(0)
        assert coming.take(7).captions == whole.at(7).captions
        assert coming.take(8).captions == whole.at(8).captions
    with (
        Prefetch(whole, World(0, 14), 10, AsTheyAre()) as coming,
        pytest.raises(StateError, match="cannot share a batch"),
    ):
        coming.take(0)


@pytest.mark.usefixtures("clips")
@pytest.mark.parametrize("augment", ["shift", "parity"])
@pytest.mark.parametrize("choices", [2, 3])
def test_held_and_decoded_clips_are_the_same_bit_by_bit(augment, choices):
    held, streamed = (drawn(augment, frame_choices=choices, **how) for how in ({}, STREAMED))
    assert isinstance(held.clips, HeldClips) and isinstance(streamed.clips, StreamedClips)
    seen = set()
    for step in range(4):
        one, two = held.at(step), streamed.at(step)
        assert (
            one.captions == two.captions and np.array_equal(one.variation.draws, two.variation.draws) and not two.lost
        )
        assert frames_of(one).any() and np.array_equal(frames_of(one), frames_of(two))
        seen |= set(one.ids)
    assert SHORT in seen
    part = streamed.at(1, World(1, 2))
    assert np.array_equal(frames_of(part), frames_of(streamed.at(1))[1:])


@pytest.mark.usefixtures("clips")
def test_every_epoch_draws_its_own_frames():
    made = drawn("none", frame_choices=3, batch_videos=6)
    epochs = [dict(zip((batch := made.at(step)).ids, frames_of(batch), strict=True)) for step in range(6)]
    pairs = itertools.pairwise(epochs)
    assert all(any(not np.array_equal(one[video], two[video]) for video in one) for one, two in pairs)
    assert made.per_epoch == 1


def test_a_file_that_breaks_is_named_and_left_out(clips, caplog):
    streamed = drawn(**STREAMED, batch_videos=6)
    whole = streamed.settled(streamed.at(0), World())
    assert len(whole.captions) == 6 and streamed.excluded == {}
    truncate(clips / "train/1.mp4")
    with caplog.at_level(logging.WARNING):
        broken = streamed.at(0)
        batch = streamed.settled(broken, World())
        again = streamed.settled(streamed.at(1), World())
    assert set(broken.lost) == {"train/1.mp4"} and "has changed meanwhile" in broken.lost["train/1.mp4"]
    kept = [at for at, video in enumerate(whole.ids) if video != "train/1.mp4"]
    assert batch.captions == [whole.captions[at] for at in kept] and len(again.captions) == 5
    assert np.array_equal(frames_of(batch), frames_of(whole)[kept]) and np.array_equal(
        batch.variation.draws, whole.variation.draws[kept]
    )
    assert batch.same.shape == (5, 5) and batch.gallery.video_ids == tuple(batch.ids)
    assert [one.message.count("train/1.mp4 takes no part") for one in caplog.records] == [1]


class Together(World):
    """One of two processes; what the other one says is known."""

    other: list[int] = []

    def gather(self, tensors):
        own, other = tensors["there"], torch.tensor(self.other)
        return {"there": torch.cat([own, other] if self.first else [other, own])}


def test_all_processes_leave_out_what_one_cannot_read(clips, monkeypatch):
    streamed = drawn(**STREAMED, batch_videos=6)
    whole = streamed.at(0)
    (clips / whole.ids[4]).unlink()
    parts = [streamed.at(0, World(rank, 2)) for rank in (0, 1)]
    monkeypatch.setattr(Together, "other", [1, 0, 1])
    first = streamed.settled(parts[0], Together(0, 2))
    assert (first.captions, first.rows, first.same.shape) == (whole.captions[:3], slice(0, 3), (5, 5))
    assert streamed.excluded == {whole.ids[4]: "another process cannot read it"}
    monkeypatch.setattr(Together, "other", [0, 1, 1])
    second = streamed.settled(parts[1], Together(1, 2))
    assert second.captions == [whole.captions[3], whole.captions[5]] and second.rows == slice(2, 4)
    assert second.ids == [video for at, video in enumerate(whole.ids) if at not in (0, 4)]
    for video in whole.ids[3:]:
        (clips / video).unlink(missing_ok=True)
    gone = streamed.at(6, World(1, 2))
    with pytest.raises(StateError, match="No video of a batch can be read"):
        streamed.settled(replace(gone, lost=dict.fromkeys(gone.gallery.video_ids, "it is gone")), Together(1, 2))


@pytest.mark.usefixtures("clips")
def test_vectors_of_a_frozen_tower_stand_for_frames(tmp_path):
    weights = str(write_dual(tmp_path / "clip"))
    options = {"weights": weights, "n_frames": 2, "freeze_towers": True}
    how = {"model": "clip_ocr_window", "preset": None, "modality": "fusion", "steps": 2, "frame_choices": 3}
    thawed = {**how, "options": {**options, "freeze_towers": False}}
    frozen, frames = (drawn("none", **{**how, "options": options}), drawn("none", **thawed))
    model, _ = built(load_recipe(RECIPE, {**TINY, **how, "options": options}))
    for step in range(3):
        one, two = frozen.at(step), frames.at(step)
        assert one.gallery.frames is None and one.captions == two.captions
        expected = model.frame_features(frames_of(two))
        assert np.allclose(one.gallery.features, expected, atol=1e-5) and np.ptp(expected, axis=0).max() > 1e-3
        assert one.gallery.sentences == two.gallery.sentences and len(one.gallery.sentences[0]) == 2
    with pytest.raises(StateError, match="cannot be varied .augment: shift.. Set augment=none"):
        drawn("shift", **{**how, "options": options})
    recipe = load_recipe(RECIPE, {**TINY, **how, "options": options})
    assert make_step(model, frozen.at(0), optimiser_of(model.network, recipe), recipe) > 0
    assert frozen.clips.said["frames"]["value"] == "vectors of frames"


@pytest.mark.usefixtures("clips")
def test_what_was_chosen_is_said():
    made = drawn()
    assert made.clips.said["rendition"]["value"] == "original"
    assert "no small files" in made.clips.said["rendition"]["reason"]
    assert made.clips.said["frames"]["value"] == "held in memory"
    assert drawn(**STREAMED).clips.said["frames"]["value"] == "decoded for each batch"


def test_small_files_are_read_where_all_train_videos_have_one(made, home, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "default_workers", lambda: 1)
    small = tmp_path / "small"
    compress(made / "videos" / "train", small / "train", short_side=32, fps=0, workers=1)
    clips_corpus(tmp_path / "videos", small=small)
    held, streamed = drawn(), drawn(**STREAMED)
    assert held.clips.said["rendition"]["value"] == streamed.clips.said["rendition"]["value"] == "small"
    assert np.array_equal(frames_of(held.at(0)), frames_of(streamed.at(0)))
    shutil.rmtree(tmp_path / "videos" / "train")  # which training does not look at
    assert frames_of(drawn(**STREAMED, seed=1).at(0)).any()
    (small / "train/0.mp4").unlink()
    clips_corpus(tmp_path / "again", name="fewer", small=small)
    fewer = drawn(corpus="fewer").clips.said["rendition"]
    assert fewer == {"value": "original", "reason": "1 of 6 videos have no small file"}


def test_a_training_tells_what_it_left_out_and_decodes_as_it_goes(clips, monkeypatch):
    whole = train(RECIPE, name="held", **TINY)
    streamed = train(RECIPE, name="streamed", **TINY, **STREAMED)
    losses = [run.history.query("name == 'loss'")["value"].to_list() for run in (whole, streamed)]
    assert losses[0] == losses[1] and np.array_equal(whole.similarity, streamed.similarity)
    assert streamed.info["choices"]["frames"]["value"] == "decoded for each batch" and streamed.info["excluded"] == {}
    at = Batches.at

    def breaks(self, step, *world):
        if step == 3:
            (clips / "train/0.mp4").unlink(missing_ok=True)
        return at(self, step, *world)

    monkeypatch.setattr(Batches, "at", breaks)
    smaller = train(RECIPE, name="smaller", **TINY, **STREAMED)
    assert smaller.state == "finished" and list(smaller.info["excluded"]) == ["train/0.mp4"]
    assert open_run("smaller").history.query("name == 'loss'")["value"].to_list()[:3] == losses[0][:3]
