"""Steps on a GPU are those of the CPU: whole, in chunks, compiled, computed again, in half precision, after a resume.

``WORKBENCH_TEST_DEVICE=cpu`` runs the same lines where there is no GPU, to see that they run.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

from tests.training.test_devices import MAKERS  # noqa: E402
from tests.training.test_gradcache import RECIPE, assert_equal, gradients, made, small  # noqa: E402
from workbench.models.checkpoints import load_weights, restore, save_checkpoint  # noqa: E402
from workbench.models.world import World  # noqa: E402
from workbench.training.engine import engine_of  # noqa: E402
from workbench.training.loop import deterministic  # noqa: E402
from workbench.training.optimiser import optimiser_of  # noqa: E402
from workbench.training.step import backward, make_step  # noqa: E402

DEVICE = torch.device(os.environ.get("WORKBENCH_TEST_DEVICE", "cuda"))
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(DEVICE.type == "cuda" and not torch.cuda.is_available(), reason="needs a GPU"),
]
COMPILER = "ignore:(TensorFloat32|`torch.jit.script_method` is dep|The .grad attribute)"


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    """Weights are made on the CPU; convolutions in float32 are made in float32."""
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def here(found: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: one.cpu() for name, one in found.items()}


def apart(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> float:
    """Length of the difference of two gradients, as a share of the length of one."""
    assert found.keys() == expected.keys()
    gap = np.hypot.reduce([float((found[name].cpu() - one).norm()) for name, one in expected.items()])
    return float(gap / np.hypot.reduce([float(one.norm()) for one in expected.values()]))


def ready(model, recipe):
    """The model on the device, its optimiser and engine."""
    model.network.to(DEVICE)
    optimiser = optimiser_of(model.network, recipe)
    return optimiser, engine_of(model, optimiser, recipe, World(device=DEVICE))


@pytest.mark.parametrize("micro", [None, 3])
@pytest.mark.parametrize("name", MAKERS)
def test_loss_and_gradients_are_those_of_the_cpu(tmp_path, name, micro):
    model, batch = MAKERS[name](tmp_path)
    model.network.eval()
    for module in model.network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    expected, there = float(backward(model, batch, RECIPE)), gradients(model)
    model.network.to(DEVICE)
    found = backward(model, batch, replace(RECIPE, micro_batch=micro))
    assert found.device.type == DEVICE.type and float(found) == pytest.approx(expected, rel=1e-4)
    assert apart(gradients(model), there) < 1e-3


@pytest.mark.parametrize("modality", ["vision", "ocr", "fusion"])
def test_chunks_are_the_whole_batch_in_float64(modality):
    model, batch = small(modality), made()
    model.network.to(DEVICE, torch.float64)
    whole = backward(model, batch, RECIPE)
    expected = gradients(model)
    for micro in (1, 4, 64):
        assert float(backward(model, batch, replace(RECIPE, micro_batch=micro))) == pytest.approx(float(whole), 1e-9)
        assert_equal(here(gradients(model)), here(expected))


def test_dropout_is_replayed_with_the_device_s_own_numbers():
    """With one chunk, dropout is drawn as by the whole batch: captions, then videos."""
    model, batch = small("fusion", dropout=True), made()
    model.network.to(DEVICE, torch.float64)
    found = []
    for micro in (None, 64):
        torch.manual_seed(3)
        loss = backward(model, batch, replace(RECIPE, micro_batch=micro))
        found.append((float(loss), here(gradients(model)), torch.rand(4, device=DEVICE).tolist()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-9) and found[0][2] == found[1][2]
    assert_equal(found[1][1], found[0][1])
    torch.manual_seed(4)
    assert float(backward(model, batch, RECIPE)) != pytest.approx(found[0][0], rel=1e-6)


@pytest.mark.filterwarnings(COMPILER)
@pytest.mark.parametrize("name", ["demo", "starvr"])
def test_compiled_steps_are_the_plain_ones(tmp_path, name):
    recipe = replace(RECIPE, compile=True)
    plain, batch = MAKERS[name](tmp_path)
    model, _ = MAKERS[name](tmp_path)
    for one in (plain, model):
        one.network.eval()
    plain.network.to(DEVICE)
    _, engine = ready(model, recipe)
    expected, loss = float(backward(plain, batch, RECIPE)), float(backward(model, batch, recipe, engine))
    assert loss == pytest.approx(expected, rel=1e-4)
    assert apart(here(gradients(model)), here(gradients(plain))) < 1e-3


def test_activations_computed_again_are_the_same(tmp_path):
    recipe = replace(RECIPE, activation_checkpointing=True)
    plain, batch = MAKERS["starvr"](tmp_path)
    model, _ = MAKERS["starvr"](tmp_path)
    plain.network.to(DEVICE).train()
    _, engine = ready(model, recipe)
    model.network.train()
    losses = []
    for one, how, by in ((plain, RECIPE, None), (model, recipe, engine)):
        torch.manual_seed(1)
        losses.append(float(backward(one, batch, how, by)))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert apart(here(gradients(model)), here(gradients(plain))) < 1e-4


@pytest.mark.parametrize("micro", [None, 4])
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_keeps_float32_weights_and_learns(precision, micro):
    batch, recipe = made(), replace(RECIPE, precision=precision, micro_batch=micro)
    expected = float(backward(small("fusion"), batch, RECIPE))
    model = small("fusion")
    optimiser, engine = ready(model, recipe)
    losses = [make_step(model, batch, optimiser, recipe, engine) for _ in range(20)]
    assert losses[0] == pytest.approx(expected, rel=0.05) and losses[-1] < 0.7 * losses[0]
    kept = [*model.network.parameters(), *(value for state in optimiser.state.values() for value in state.values())]
    assert {one.dtype for one in kept} == {torch.float32}


@pytest.mark.parametrize("precision", ["float32", "fp16"])
def test_a_checkpoint_goes_on_where_it_was(tmp_path, precision):
    recipe = replace(RECIPE, precision=precision, ema=0.9)
    one, two = small("fusion"), small("fusion")
    optimiser, engine = ready(one, recipe)
    for number in range(3):
        make_step(one, made(number=number), optimiser, recipe, engine)
    save_checkpoint(tmp_path, 3, one, optimiser, {"engine": engine.state()}, best=True)
    again, other = ready(two, recipe)
    told = restore(tmp_path, again)
    load_weights(tmp_path, "last", two)
    other.restore(json.loads(json.dumps(told["engine"])))
    for number in range(3, 6):
        batch = made(number=number)
        losses = [make_step(one, batch, optimiser, recipe, engine), make_step(two, batch, again, recipe, other)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.filterwarnings("error")
def test_a_training_s_surroundings_warn_of_nothing():
    model, recipe = small("fusion"), RECIPE
    with deterministic(1, 0, DEVICE):
        optimiser, engine = ready(model, recipe)
        assert np.isfinite(make_step(model, made(), optimiser, recipe, engine))


@pytest.mark.parametrize("name", MAKERS)
def test_scores_are_those_of_the_cpu(tmp_path, name):
    model, batch = MAKERS[name](tmp_path)
    model.network.eval()
    expected = model.similarity(batch.captions, model.encode(batch.gallery))
    model.network.to(DEVICE)
    if DEVICE.type == "cuda" and name in ("clip", "siglip2"):  # bf16 on a GPU by itself
        model.network.precision = "float32"
    found = model.similarity(batch.captions, model.encode(batch.gallery))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
