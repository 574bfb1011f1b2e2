"""The parts of training by themselves: loss, batches, recipes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.made import made_corpus
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.seeds import generator
from workbench.models import Gallery, Words
from workbench.models.augment import SHIFT
from workbench.pipelines.clips import HeldClips
from workbench.training.batches import Batches
from workbench.training.recipes import RECIPES, load_recipe

NUMBERS = itertools.count()
torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")


def test_the_loss_is_its_formula_and_leaves_duplicates_out():
    from workbench.training.loss import symmetric_infonce

    scores = generator(0, "loss").normal(size=(4, 4))
    same = np.zeros((4, 4), bool)
    same[0, 2] = same[2, 0] = True

    def direction(matrix) -> float:
        allowed = np.where(same, -np.inf, matrix)
        return float(np.mean(np.log(np.exp(allowed).sum(1)) - np.diag(matrix)))

    found = symmetric_infonce(torch.from_numpy(scores), torch.from_numpy(same))
    assert float(found) == pytest.approx((direction(scores) + direction(scores.T)) / 2)
    alone = symmetric_infonce(torch.tensor([[3.0]]), torch.tensor([[False]]))
    assert float(alone) == 0


FRAMES = generator(1, "frames").integers(0, 256, (40, 4, 20, 24, 3), np.uint8)


class AsTheyAre:
    """A model that takes frames alone."""

    def caption_inputs(self, captions):
        return captions

    def video_inputs(self, gallery: Gallery):
        return torch.from_numpy(gallery.frames), None, None


def batches(seed: int = 0, size: int = 16) -> Batches:
    corpus = made_corpus(40, name=f"made-{next(NUMBERS)}")
    ids = tuple(corpus.videos["video_id"])
    missing = {ids[3]: "broken"}
    gallery = Gallery(ids, None, tuple(Words((f"w{i}",)) for i in range(40)), missing)
    return Batches(corpus, gallery, size, seed, clips=HeldClips(FRAMES, 2), augment="shift")


def test_a_batch_depends_on_its_step_alone():
    one, two = batches(), batches()
    later = two.at(7)
    for step in range(8):
        batch = one.at(step)
    assert batch.captions == later.captions and np.array_equal(batch.gallery.frames, later.gallery.frames)
    assert one.at(6).captions != batch.captions
    assert batches(seed=1).at(7).captions != batch.captions


def test_an_epoch_shows_each_usable_video_once_and_frames_are_moved_not_mirrored():
    made = batches(size=13)
    assert made.per_epoch == 3
    seen = [video for step in range(3) for video in made.at(step).gallery.video_ids]
    assert len(set(seen)) == len(seen) == 39 and made.gallery.video_ids[3] not in seen
    batch = made.at(0)
    frames = batch.packed(AsTheyAre(), None).chunks[0].looks()[0].numpy()
    assert frames.shape == (13, 2, 20, 24, 3) and frames.dtype == np.uint8
    source = FRAMES[made.gallery.video_ids.index(batch.gallery.video_ids[0])]
    inner = frames[0, 0, SHIFT:-SHIFT, SHIFT:-SHIFT]
    places = [
        np.array_equal(inner, one[SHIFT + dy : SHIFT + dy + inner.shape[0], SHIFT + dx : SHIFT + dx + inner.shape[1]])
        for one in source[:2]
        for dy in range(-SHIFT, SHIFT + 1)
        for dx in range(-SHIFT, SHIFT + 1)
    ]
    assert any(places)


def test_equal_captions_are_marked():
    made = batches(size=39)
    batch = made.at(0)
    equal = np.asarray([[a == b for b in batch.captions] for a in batch.captions]) & ~np.eye(39, dtype=bool)
    assert np.array_equal(batch.same, equal) and not batch.same.diagonal().any()


def test_too_few_videos_are_refused():
    corpus = made_corpus(2)
    ids = tuple(corpus.videos["video_id"])
    with pytest.raises(StateError, match="1 usable videos; training needs two"):
        Batches(corpus, Gallery(ids, None, (Words(), Words()), {ids[0]: "broken"}), 8, 0)


@pytest.mark.parametrize("name", RECIPES)
def test_shipped_recipes_are_whole(name):
    recipe = load_recipe(name)
    assert recipe.select_split != recipe.report_split
    assert load_recipe(name, {"modality": "ocr", "seed": 5}).to_dict() == {
        **recipe.to_dict(), "modality": "ocr", "seed": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"stpes": 3}, "unknown key 'stpes'. Did you mean steps"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": "many"}, "steps is 'many'. It must be an int"),
        ({"steps": True}, "steps is True"),
        ({"select_split": "test"}, "the split that is reported"),
    ],
)
def test_a_wrong_recipe_is_named(overrides, said):
    with pytest.raises(DataError, match=said):
        load_recipe("textvr_fusion_demo", overrides)


def test_recipes_by_name_and_by_file(tmp_path):
    with pytest.raises(UnknownNameError, match="textvr_fusion_dmo"):
        load_recipe("textvr_fusion_dmo")
    with pytest.raises(DataError, match="does not exist"):
        load_recipe(str(tmp_path / "none.yaml"))
    (tmp_path / "some.yaml").write_text("model: textvr_fusion\n")
    with pytest.raises(DataError, match="preset is missing"):
        load_recipe(str(tmp_path / "some.yaml"))
