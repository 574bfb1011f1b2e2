"""Every shipped recipe is read and, at tiny sizes, run for two steps; what its keys do and what is refused."""

from __future__ import annotations

import importlib
from dataclasses import fields

import numpy as np
import pytest

from tests.training.split_videos import FEW, NAME, trained
from workbench.core.errors import DataError, UnknownNameError
from workbench.models import build_model
from workbench.models.checkpoints import load_model
from workbench.models.families import read_header
from workbench.pipelines.checkpoints import can_encode, model_of, score_checkpoint
from workbench.training import RECIPES, load_recipe, recipe_keys, train
from workbench.training.recipes import Recipe, differences

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_run_and_its_model_comes_back(space, name):
    run = trained(space, name, name.replace("_", "-"))
    assert run.state == "finished" and run.history.query("name == 'loss'")["value"].notna().sum() == 2
    again = score_checkpoint(run.name, NAME, name="again", overwrite=True)
    assert np.array_equal(again.similarity, run.similarity) and again.info["recipe"] == run.info["recipe"]
    assert can_encode(again) and can_encode(run)


def test_a_dual_encoder_learns_its_temperature_and_scores_as_it_was_trained(space):
    own = {"model": "dual_encoder", "modality": "vision", "options": {"weights": str(space / "clip"), "n_frames": 2}}
    run = train("textvr_clip_ocr_window", name="dual", overwrite=True, **{**FEW, **own, "rates": {}, "steps": 3})
    before = build_model("dual_encoder", modality="vision", **own["options"])
    after, told = load_model(run.path), read_header(run.path / "checkpoints" / "3")
    assert (told.model, told.family) == ("dual_encoder", "dual") and told.options["n_frames"] == 2
    assert after.network.scale.item() != before.network.scale.item()
    again = score_checkpoint("dual", NAME, name="again", overwrite=True)
    untrained = score_checkpoint("dual_encoder", NAME, name="plain", overwrite=True, options=own["options"])
    assert np.array_equal(again.similarity, run.similarity)
    assert not np.array_equal(again.similarity, untrained.similarity)
    child, _ = model_of(again)
    assert again.info["parent"] == "dual" and torch.equal(child.network.scale, after.network.scale)


def test_options_reach_the_model_and_are_kept(space):
    assert load_recipe("textvr_fusion_demo", {"options.dim": 8, "options": {"width": 4}}).options == {
        "dim": 8, "width": 4,
    }  # fmt: skip
    run = trained(space, "textvr_fusion_selftest", "sized", **{"options": {"dim": 8}, "modality": "ocr"})
    assert run.info["recipe"]["options"] == {"dim": 8} and load_model(run.path).options.dim == 8
    asked = load_recipe("textvr_fusion_selftest", {"options.dim": 16})
    assert "options {'dim': 8}, now {'dim': 16}" in differences(run.info["recipe"], asked)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"options.n_frame": 3}, "no option 'n_frame'. Did you mean n_frames"),
        ({"options": {"seed": 3}}, "options has 'seed'. It is a key by itself"),
        ({"options": [3]}, "options is .* It must be a mapping"),
        ({"preset": "starvr", "options.projektion": 3}, "Did you mean projection"),
        ({"preset": "strvr"}, "Did you mean starvr"),
        ({"model": "bm25_ocr"}, "has nothing to train"),
        ({"model": "dual_encodr"}, "Did you mean dual_encoder"),
        ({"model": "no.such:model"}, "cannot be imported"),
        ({"model": "bm25_ocr:build"}, "cannot be imported"),
        ({"rates": {"words": -1}}, "at least 0"),
        ({"lora": {"ranks": 3}}, "no option 'ranks'. Did you mean rank"),
        ({"lora": {"rank": "three"}}, "rank is 'three'. Give a whole number"),
        ({"lora": {"targets": []}}, "0 targets"),
        ({"schedule": "cosin"}, "Did you mean cosine"),
        ({"beta2": 1.0}, "between 0 and 1"),
        ({"epsilon": 0}, "epsilon is 0"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_built(monkeypatch, overrides, said):
    begin = importlib.import_module("workbench.training.begin")
    monkeypatch.setattr(begin, "start_run", lambda *_, **__: pytest.fail("a run was begun"))
    monkeypatch.setattr(begin, "built", lambda *_, **__: pytest.fail("a model was built"))
    with pytest.raises((DataError, UnknownNameError), match=said):
        train("textvr_fusion_demo", name="never", **overrides)


def test_another_model_does_not_inherit_preset_and_options():
    recipe = load_recipe("textvr_clip_ocr_window", {"model": "textvr_fusion"})
    assert recipe.preset is None and recipe.options == {}
    assert load_recipe("starvr", {"model": "textvr_fusion"}).preset == "starvr"


def test_every_key_is_documented():
    keys = recipe_keys().set_index("key")
    assert list(keys.index) == [one.name for one in fields(Recipe)] and keys["meaning"].str.len().min() > 5
    assert keys.loc["options", "kind"] == "mapping of names to values" and keys.loc["options", "default"] == "none"
    assert keys.loc["preset", "kind"] == "str or null"
