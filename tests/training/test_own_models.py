"""Models from outside the tree: the example of docs/extending.md is trained, loaded and scored."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.test_documents import blocks
from tests.training.split_videos import FEW, NAME
from workbench.core.errors import DataError
from workbench.evaluation import open_run
from workbench.models import NetworkModel
from workbench.models.checkpoints import load_model
from workbench.models.families import load
from workbench.pipelines.checkpoints import can_encode, model_of, score_checkpoint
from workbench.training import load_recipe
from workbench.training.building import built

pytest.importorskip("torch", reason="needs torch, which make setup installs")
EXTENDING = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
TOO_LITTLE = """

def too_little(modality="vision", seed=0):
    return object()
"""


@pytest.fixture
def own_module(tmp_path, monkeypatch, space):
    """The example of the document, as a module in the current folder."""
    example, _ = blocks("python", EXTENDING)
    (tmp_path / "mine.py").write_text(example + TOO_LITTLE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "mine:build"
    sys.modules.pop("mine", None)


def test_a_model_of_ones_own_is_trained_scored_and_loaded(own_module, workbench):
    few = [f"{key}={json.dumps(value)}" for key, value in FEW.items()]
    words = ["train", "textvr_fusion_selftest", *few, "modality=vision", "options.dim=4", "--model", own_module]
    code, _, error = workbench(*words, "--name", "own", "--overwrite")
    assert code == 0, error
    run = open_run("own")
    assert run.info["recipe"]["model"] == own_module and run.info["recipe"]["options"] == {"dim": 4}
    assert run.info["recipe"]["preset"] is None
    model = load_model(run.path)
    assert isinstance(model, NetworkModel) and model.network.colours.out_features == 4
    assert np.array_equal(score_checkpoint("own", NAME, name="again", overwrite=True).similarity, run.similarity)
    folder = str(run.path / "checkpoints" / "2")
    given = ["--corpus", NAME, "--name", "by-folder", "--overwrite"]
    code, _, error = workbench("score", folder, *given, "--model", own_module, "--option", "dim=4")
    assert code == 0 and np.array_equal(open_run("by-folder").similarity, run.similarity), error
    code, _, error = workbench("score", folder, *given)
    assert code == 2 and "mine:Own, which is not part of the workbench" in error and "--model" in error
    code, _, error = workbench("score", folder, *given, "--model", own_module, "--option", "dim=3")
    assert code == 2 and "do not fit" in error
    with pytest.raises(DataError, match="belong to mine:Own"):
        load(run.path / "checkpoints" / "2")
    with pytest.raises(DataError, match="no option 'dims'. Did you mean dim"):
        load_recipe("textvr_fusion_demo", {"model": own_module, "options.dims": 3})


def test_a_builder_is_a_checkpoint_by_itself(own_module):
    run = score_checkpoint(own_module, NAME, name="ready", overwrite=True, options={"dim": 4})
    assert run.info["model"] == own_module and can_encode(run)
    model, _ = model_of(run)
    assert model.network.colours.out_features == 4


def test_a_model_that_cannot_be_trained_is_refused(own_module):
    with pytest.raises(DataError, match="cannot be trained.*Derive it from workbench.models.NetworkModel"):
        built(load_recipe("textvr_fusion_demo", {"model": "mine:too_little"}))
