"""Precision, learned bias, compiled code and activations computed again: what each changes, and what it must not."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from tests.training.test_gradcache import RECIPE, assert_equal, gradients, held, made, small
from workbench.core.errors import StateError, UnknownNameError
from workbench.training.engine import BIAS, compiles, engine_of
from workbench.training.optimiser import optimiser_of
from workbench.training.recipes import load_recipe
from workbench.training.step import backward, make_step

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
LEARNED = replace(RECIPE, loss="sigmoid", sigmoid_bias="learned")


def ready(recipe, modality: str = "fusion"):
    model = small(modality)
    optimiser = optimiser_of(model.network, recipe)
    return model, optimiser, engine_of(model, optimiser, recipe)


def whole(found: dict[str, torch.Tensor]) -> np.ndarray:
    return torch.cat([one.reshape(-1) for one in found.values()]).numpy()


@pytest.mark.parametrize("micro", [None, 4])
@pytest.mark.parametrize(("precision", "close"), [("bf16", 0.1), ("fp16", 0.02)])
def test_products_in_half_precision_keep_float32_weights_and_the_direction(precision, close, micro):
    model, batch = small("fusion"), made()
    exact = float(backward(model, batch, RECIPE))
    expected = whole(gradients(model))
    recipe = replace(RECIPE, precision=precision, micro_batch=micro)
    model, optimiser, engine = ready(recipe)
    asked = []
    engine.calls.parts.__self__.weights.register_forward_hook(lambda *seen: asked.append(seen[2].dtype))
    if engine.scaler is not None:
        engine.scaler.load_state_dict({**engine.scaler.state_dict(), "scale": 64.0})
    loss = backward(model, batch, recipe, engine)
    assert set(asked) == {{"bf16": torch.bfloat16, "fp16": torch.float16}[precision]} and loss.dtype == torch.float32
    assert float(loss) == pytest.approx(exact, rel=0.02) and float(loss) != exact
    scale = 1.0 if engine.scaler is None else engine.scaler.get_scale()
    found = whole(gradients(model)) / scale
    assert np.linalg.norm(found - expected) < close * np.linalg.norm(expected)
    assert {one.dtype for one in model.network.parameters()} == {torch.float32}
    losses = [make_step(model, batch, optimiser, recipe, engine) for _ in range(20)]
    assert losses[-1] < 0.7 * losses[0]
    moments = {value.dtype for state in optimiser.state.values() for value in state.values()}
    assert moments == {torch.float32} and {one.dtype for one in model.network.parameters()} == {torch.float32}


def test_gradients_of_fp16_that_overflow_change_nothing_but_the_scale():
    recipe = replace(RECIPE, precision="fp16", clip=1.0)
    model, optimiser, engine = ready(recipe)
    engine.scaler.load_state_dict({**engine.scaler.state_dict(), "scale": 2.0**100})
    before = {name: one.clone() for name, one in model.network.state_dict().items()}
    make_step(model, made(), optimiser, recipe, engine)
    assert all(torch.equal(one, before[name]) for name, one in model.network.state_dict().items())
    assert engine.scaler.get_scale() == 2.0**99
    kept = json.loads(json.dumps(engine.state()))
    _, _, other = ready(recipe)
    other.restore(kept)
    assert other.state() == engine.state() and other.scaler.get_scale() == 2.0**99


@pytest.mark.parametrize("micro", [None, 4])
def test_a_learned_bias_starts_as_published_and_goes_its_way(micro):
    recipe = replace(LEARNED, micro_batch=micro, learning_rate=0.01)
    model, optimiser, engine = ready(recipe)
    assert float(engine.bias.detach()) == BIAS == -10 and optimiser.param_groups[-1]["weight_decay"] == 0
    plain, fixed = small("fusion"), replace(recipe, sigmoid_bias=BIAS)
    assert float(backward(plain, made(), fixed)) == float(backward(model, made(), recipe, engine))
    gradients(plain)
    sides = [float(backward(plain, made(), replace(fixed, sigmoid_bias=BIAS + by))) for by in (-0.05, 0.05)]
    assert float(engine.bias.grad) == pytest.approx((sides[1] - sides[0]) / 0.1, rel=1e-2)
    for _ in range(5):
        make_step(model, made(), optimiser, recipe, engine)
    assert float(engine.bias.detach()) != BIAS
    assert "bias" not in "".join(set(model.network.state_dict()) - set(plain.network.state_dict()))


def test_a_learned_bias_goes_on_where_a_checkpoint_left_it():
    one, optimiser, engine = ready(LEARNED)
    make_step(one, made(), optimiser, LEARNED, engine)
    two, again, other = ready(LEARNED)
    two.network.load_state_dict(one.network.state_dict())
    again.load_state_dict(deepcopy(optimiser.state_dict()))
    other.restore(json.loads(json.dumps(engine.state())))
    for number in range(3):
        losses = [
            make_step(one, made(number=number), optimiser, LEARNED, engine),
            make_step(two, made(number=number), again, LEARNED, other),
        ]
        assert losses[0] == losses[1]
    assert torch.equal(engine.bias, other.bias)


@pytest.mark.parametrize(
    ("key", "value"),
    [("precision", "fp16"), ("compile", True), ("activation_checkpointing", True), ("sigmoid_bias", "learned")],
)
def test_what_must_be_prepared_is_never_left_out_in_silence(key, value):
    recipe, model = replace(RECIPE, loss="sigmoid", **{key: value}), small("ocr")
    with pytest.raises(StateError, match=f"{key}.* must be prepared. Call workbench.training.engine.engine_of"):
        make_step(model, made(), optimiser_of(model.network, recipe), recipe)


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch.compile looks at it
def test_compiled_steps_are_the_plain_ones(monkeypatch):
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    recipe = replace(RECIPE, compile=True)
    model, _, engine = ready(recipe)
    loss = backward(model, made(), recipe, engine)
    found, plain = gradients(model), small("fusion")
    assert float(loss) == pytest.approx(float(backward(plain, made(), RECIPE)), rel=1e-5)
    assert_equal(found, gradients(plain))


def stub():
    """A model of two towers that can compute their activations again: ours, and one of transformers'."""
    from transformers import DistilBertConfig, DistilBertModel

    from workbench.models.towers.space_time.network import SpaceTimeTransformer

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = {"width": 16, "depth": 6, "heads": 2, "n_frames": 2, "time_init": "random"}
            self.tower = SpaceTimeTransformer(image_size=16, patch_size=4, **sizes)
            shape = DistilBertConfig(vocab_size=30, dim=16, n_layers=6, n_heads=2, hidden_dim=32)
            self.reader = DistilBertModel(shape)

        def caption(self, tokens):
            return {"caption": self.reader(input_ids=tokens).last_hidden_state[:, 0]}

        def videos(self, frames):
            return {"video": self.tower(frames)}

        def parts(self, caption, videos):
            return {"vision": caption["caption"] @ videos["video"].T}

    torch.manual_seed(0)
    return SimpleNamespace(
        network=Network(),
        device=torch.device("cpu"),
        caption_inputs=lambda captions: torch.tensor([[int(one[-1]) + at for at in range(6)] for one in captions]),
        video_inputs=lambda gallery: [torch.from_numpy(gallery.frames[:, :, :16, :16].copy()).movedim(-1, 2) / 255],
    )


@pytest.mark.parametrize("micro", [None, 4])
def test_activations_computed_again_are_the_same_and_hold_less(micro):
    batch, recipe = made(), replace(RECIPE, micro_batch=micro)
    plain, model = stub(), stub()
    frugal = replace(recipe, activation_checkpointing=True)
    engine = engine_of(model, None, frugal)
    assert model.network.tower.checkpointing and not plain.network.tower.checkpointing
    for one in (plain, model):
        one.network.train()
        one.network.reader.transformer.layer[0].attention.dropout.p = 0.3
        torch.manual_seed(5)
        backward(one, batch, recipe if one is plain else frugal, None if one is plain else engine)
    assert_equal(gradients(model), gradients(plain))
    assert held(model, batch, frugal, engine) < 0.5 * held(plain, batch, recipe)


def test_a_model_without_such_a_tower_is_named():
    model, recipe = small("ocr"), replace(RECIPE, activation_checkpointing=True)
    with pytest.raises(StateError, match="No tower of textvr_fusion can compute its activations again. Take activ"):
        engine_of(model, optimiser_of(model.network, recipe), recipe)


@pytest.mark.parametrize(
    ("keys", "device", "needs", "found", "why"),
    [
        ({"compile": False}, "cuda", {"frames"}, False, "the recipe says so"),
        ({"compile": True}, "cpu", {"frames"}, True, "the recipe says so"),
        ({"compile": "auto"}, "cpu", {"frames"}, False, "on a GPU only"),
        ({"compile": "auto"}, "cuda", {"ocr"}, False, "no tower of frames"),
        ({"compile": "auto", "steps": 1999}, "cuda", {"frames"}, False, "1,999 steps are over before it pays"),
        ({"compile": "auto"}, "cuda", {"frames"}, True, "2,000 steps on a GPU repay"),
    ],
)
def test_auto_compiles_where_it_helps_and_says_why(keys, device, needs, found, why, monkeypatch):
    monkeypatch.setattr("workbench.training.engine.has", lambda _: True)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/cc")
    recipe = replace(RECIPE, **{"steps": 2000, **keys})
    model = SimpleNamespace(device=torch.device(device), needs=needs)
    chosen, reason = compiles(recipe, model)
    assert chosen is found and why in reason
    monkeypatch.setattr("shutil.which", lambda _: None)
    if keys["compile"] == "auto" and found:
        assert compiles(recipe, model) == (False, "it needs triton and a C compiler, which this machine lacks")


def test_another_word_for_compile_is_refused():
    with pytest.raises(UnknownNameError, match="No choice of compile is called 'always'"):
        load_recipe("starvr", {"compile": "always"})
    assert load_recipe("starvr").compile == "auto" and load_recipe("textvr_fusion_demo").compile is False
