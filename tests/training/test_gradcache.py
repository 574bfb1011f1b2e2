"""Steps in chunks equal the whole batch; the defaults equal the step written out; fewer bytes are held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workbench.core.seeds import generator
from workbench.models import Gallery, Words, build_model
from workbench.training.batches import Batch
from workbench.training.loss import LOSSES, objective, symmetric_infonce
from workbench.training.optimiser import optimiser_of
from workbench.training.recipes import load_recipe
from workbench.training.step import backward, make_step

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
RECIPE = load_recipe("textvr_fusion_selftest")


def made(n: int = 10, number: int = 0) -> Batch:
    """Captions and read words of different lengths, one video without words."""
    draw = generator(number, "gradcache")
    names = [f"word{i}" for i in range(30)]
    captions = [" ".join(draw.choice(names, 2 + i % 5)) for i in range(n)]
    words = []
    for i in range(n):
        text = tuple(draw.choice(names, i % 4))
        words.append(Words(text, draw.random((len(text), 6)).astype(np.float32)))
    frames = draw.integers(0, 256, (n, 2, 24, 32, 3), np.uint8)
    same = np.zeros((n, n), bool)
    same[1, 4] = same[4, 1] = True
    return Batch(captions, Gallery(tuple(f"v{i}" for i in range(n)), frames, tuple(words)), same)


def small(modality: str, dropout: bool = False):
    model = build_model("textvr_fusion", preset="tiny", modality=modality, seed=0)
    if dropout:
        model.network.weights.insert(2, torch.nn.Dropout(0.5))
        if model.network.vision:
            model.network.to_frames.insert(2, torch.nn.Dropout(0.5))
            model.network.frames.layers.append(torch.nn.Dropout(0.5))
    model.network.train()
    return model


def gradients(model) -> dict[str, torch.Tensor]:
    found = {name: one.grad.clone() for name, one in model.network.named_parameters() if one.grad is not None}
    model.network.zero_grad(set_to_none=True)
    return found


def assert_equal(found, expected) -> None:
    """The whole gradient to 1e-5 of its length; in float64 each of its parts, be it nearly zero, to 1e-9 of its own."""
    assert found.keys() == expected.keys()
    apart = {name: float((found[name] - one).norm()) for name, one in expected.items()}
    length = {name: float(one.norm()) for name, one in expected.items()}
    assert np.hypot.reduce(list(apart.values())) <= 1e-5 * np.hypot.reduce(list(length.values()))
    if next(iter(expected.values())).dtype == torch.float64:
        rounding = 1e-15 * max(length.values())
        assert {name: gap for name, gap in apart.items() if gap > 1e-9 * length[name] + rounding} == {}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("micro", [1, 4, 10, 64])
@pytest.mark.parametrize("modality", ["vision", "ocr", "fusion"])
def test_gradients_in_chunks_equal_the_whole_batch(modality, micro, dtype):
    model, batch = small(modality), made()
    model.network.to(dtype)
    whole = backward(model, batch, RECIPE)
    expected = gradients(model)
    assert float(expected["scale"]) != 0
    chunked = backward(model, batch, replace(RECIPE, micro_batch=micro))
    assert float(chunked) == pytest.approx(float(whole), rel=1e-5)
    assert_equal(gradients(model), expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_so_do_they_with_every_loss(loss):
    model, batch, recipe = small("fusion"), made(), replace(RECIPE, loss=loss)
    model.network.double()
    backward(model, batch, recipe)
    expected = gradients(model)
    backward(model, batch, replace(recipe, micro_batch=3))
    assert_equal(gradients(model), expected)


@pytest.mark.parametrize("modality", ["vision", "ocr", "fusion"])
def test_dropout_is_replayed(modality):
    model, batch, micro = small(modality, dropout=True), made(), 4
    model.network.double()
    same, spans = torch.from_numpy(batch.same), [slice(at, at + micro) for at in range(0, 10, micro)]
    torch.manual_seed(3)
    captions = [model.network.caption(model.caption_inputs(batch.captions[span])) for span in spans]
    videos = [model.network.videos(*model.video_inputs(batch.gallery.take(range(10)[span]))) for span in spans]
    rows = [[model.network.parts(one, two) for two in videos] for one in captions]
    parts = [torch.cat([torch.cat([tile[name] for tile in row], 1) for row in rows]) for name in rows[0][0]]
    whole = objective(parts, same, RECIPE)
    whole.backward()
    expected, after = gradients(model), torch.get_rng_state()
    torch.manual_seed(3)
    assert float(backward(model, batch, replace(RECIPE, micro_batch=micro))) == float(whole.detach())
    assert_equal(gradients(model), expected)
    assert torch.equal(torch.get_rng_state(), after)
    torch.manual_seed(4)
    assert float(backward(model, batch, replace(RECIPE, micro_batch=micro))) != float(whole.detach())


def held(model, batch, recipe, engine=None) -> int:
    """Most bytes that graphs hold for the way back at one moment, weights left out."""
    weights = {one.data_ptr() for one in model.network.parameters()}
    now = most = 0

    class Kept:
        def __init__(self, tensor) -> None:
            nonlocal now, most
            self.tensor = tensor
            self.size = 0 if tensor.data_ptr() in weights else tensor.numel() * tensor.element_size()
            now += self.size
            most = max(most, now)

        def __del__(self) -> None:
            nonlocal now
            now -= self.size

    with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
        backward(model, batch, recipe, engine)
    return most


def test_chunks_hold_less_at_one_moment():
    batch = made(32)
    whole = held(small("fusion"), batch, RECIPE)
    chunked = held(small("fusion"), batch, replace(RECIPE, micro_batch=4))
    assert whole > 0 and chunked < whole / 4


def test_the_defaults_are_the_plain_step_bit_by_bit():
    losses = []
    one, two = small("fusion"), small("fusion")
    optimiser = optimiser_of(one.network, RECIPE)
    plain = torch.optim.AdamW(two.network.parameters(), RECIPE.learning_rate, weight_decay=0.02, fused=True)
    for number in range(6):
        batch = made(number=number)
        plain.zero_grad(set_to_none=True)
        tokens = two.network.caption(two.caption_inputs(batch.captions))
        parts = list(two.network.parts(tokens, two.network.videos(*two.video_inputs(batch.gallery))).values())
        same = torch.from_numpy(batch.same)
        loss = symmetric_infonce(sum(parts), same) + 0.5 * sum(symmetric_infonce(part, same) for part in parts)
        loss.backward()
        plain.step()
        losses.append((make_step(one, batch, optimiser, RECIPE), float(loss.detach())))
    assert all(a == b for a, b in losses) and len(set(losses)) == 6
    state = two.network.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in one.network.state_dict().items())
