"""No tensor of the CPU meets one of the device, in a training step or in scoring, with any model; few wait for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

from tests.far import FAR, MixedDevicesError, far_device, send_away  # noqa: E402
from tests.models.dual_folders import write_dual  # noqa: E402
from tests.models.small_starvr import small as small_starvr  # noqa: E402
from tests.models.small_starvr import videos as starvr_videos  # noqa: E402
from tests.training.test_gradcache import RECIPE, assert_equal, gradients, made, small  # noqa: E402
from workbench.core.seeds import generator  # noqa: E402
from workbench.models import Gallery, Words, build_model  # noqa: E402
from workbench.models.augment import AUGMENTS  # noqa: E402
from workbench.models.encoding import encode_one, in_tiles  # noqa: E402
from workbench.training.batches import Batch  # noqa: E402
from workbench.training.loss import LOSSES  # noqa: E402
from workbench.training.packing import Variation  # noqa: E402
from workbench.training.step import backward  # noqa: E402

CAPTIONS = ["a red bus", "the sign stop 42", "dog", "a taxi of the airport", "nomek shop"]
NONE = np.zeros((5, 5), bool)


def demo(folder: Path):
    return small("fusion"), made()


def starvr(folder: Path):
    model = small_starvr(folder, "fusion")
    return model, Batch(CAPTIONS, starvr_videos(model), NONE)


def around_weights(folder: Path, name: str, family: str, **options: Any):
    """A model that starts from a folder of weights, and videos with words and sentences."""
    weights = str(write_dual(folder / family, family))
    model = build_model(name, weights=weights, modality="fusion", n_frames=2, **options)
    size, draw = model.reads["height"], generator(0, "devices")
    frames = draw.integers(0, 256, (5, 2, size, size, 3), np.uint8)
    words = tuple(Words(tuple(text.split()), np.zeros((len(text.split()), 6), np.float32)) for text in CAPTIONS)
    sentences = tuple((text, text.split()[0]) for text in CAPTIONS[:4]) + (("", ""),)
    return model, Batch(CAPTIONS, Gallery(tuple("abcde"), frames, words, sentences=sentences), NONE)


def clip(folder: Path):
    return around_weights(folder, "dual_encoder", "clip")


def siglip2(folder: Path):
    return around_weights(folder, "dual_encoder", "siglip2")


def window(folder: Path):
    return around_weights(folder, "clip_ocr_window", "clip", preset="tiny")


MAKERS = {one.__name__: one for one in (demo, starvr, clip, siglip2, window)}
OF_TRANSFORMERS = {"clip": 4, "siglip2": 10, "window": 4}
"""How often transformers itself waits: it looks whether masks are full, and SigLIP 2 reads the shapes of pictures."""


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")


@pytest.mark.parametrize(("name", "micro"), [*((name, None) for name in MAKERS), ("demo", 4), ("starvr", 2)])
def test_a_step_stays_on_its_device(tmp_path, name, micro):
    model, batch = MAKERS[name](tmp_path)
    recipe = replace(RECIPE, micro_batch=micro)
    torch.manual_seed(0)
    expected, there = float(backward(model, batch, recipe)), gradients(model)
    send_away(model.network)
    with far_device() as waits:
        torch.manual_seed(0)
        loss = backward(model, batch, recipe)
        assert model.device == FAR == loss.device
        assert len(waits) <= 1 + OF_TRANSFORMERS.get(name, 0), waits  # is the loss finite?
        assert float(loss) == pytest.approx(expected, rel=1e-5)
        assert_equal({key: one.near for key, one in gradients(model).items()}, there)


@pytest.mark.parametrize("loss", LOSSES)
def test_so_does_every_loss(loss):
    model, recipe = small("fusion"), replace(RECIPE, loss=loss, mask=("duplicates",))
    expected = float(backward(model, made(), recipe))
    send_away(model.network)
    with far_device():
        assert float(backward(model, made(), recipe)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", AUGMENTS)
def test_so_do_frames_that_are_varied(name):
    draws = np.stack([AUGMENTS[name].draw(generator(number, "devices")) for number in range(10)])
    model, batch = small("vision"), replace(made(), variation=Variation(AUGMENTS[name], draws))
    expected = float(backward(model, batch, RECIPE))
    send_away(model.network)
    with far_device():
        assert float(backward(model, batch, RECIPE)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["demo", "starvr"])
def test_so_do_videos_out_of_the_cache(tmp_path, name):
    model, batch = MAKERS[name](tmp_path)
    model.network.eval()
    expected = model.similarity(batch.captions, model.encode(batch.gallery))
    send_away(model.network)
    with far_device():
        kept = [encode_one(model, batch.gallery.take([row])) for row in range(len(batch.captions))]
        assert {type(value) for one in kept for value in one.values()} == {np.ndarray}
        found = model.device_similarity(batch.captions, in_tiles(model, kept))
        np.testing.assert_allclose(found.near.numpy(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", MAKERS)
def test_so_does_scoring(tmp_path, name):
    model, batch = MAKERS[name](tmp_path)
    model.network.eval()
    expected = model.similarity(batch.captions, model.encode(batch.gallery))
    send_away(model.network)
    with far_device():
        encoded = model.encode(batch.gallery)
        assert {one.device for tile in encoded for one in tile.values()} == {FAR}
        found = model.device_similarity(batch.captions, encoded)
        assert found.device == FAR
        np.testing.assert_allclose(found.near.numpy(), expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(model.similarity(batch.captions, encoded), expected, rtol=1e-4, atol=1e-4)


def test_strangers_are_refused_and_single_numbers_are_not():
    with far_device() as waits:
        there, here = torch.ones(3, device=FAR), torch.ones(3)
        assert (there + torch.tensor(1.0)).near.tolist() == [2, 2, 2] and there[torch.tensor([0])].device == FAR
        with pytest.raises(MixedDevicesError, match=r"add: \[\[3\]\] of the CPU with \[\[3\]\] of the device"):
            _ = there + here
        with pytest.raises((TypeError, RuntimeError)):
            there.numpy()
        assert there.sum().item() == 3 and there.cpu().numpy().sum() == 3 and len(waits) == 2
