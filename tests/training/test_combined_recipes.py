"""Other eyes, other reading and another fusion than a recipe has, from the corpus to the run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.split_videos import NAME, trained
from workbench.models.families import read_header
from workbench.pipelines.checkpoints import score_checkpoint

pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

ASKED = {
    "textvr_clip_ocr_window": {"ocr": "words", "fusion": "score"},
    "starvr": {"ocr": "windows", "fusion": "block", "vision": "clip", "vision_weights": None, "weights": None},
}


@pytest.mark.parametrize("recipe", ASKED)
def test_a_recipe_trains_with_other_choices_and_is_scored_again(space, monkeypatch, recipe):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(space))
    options = ASKED[recipe]
    run = trained(space, recipe, f"combined-{recipe.replace('_', '-')}", options=options)
    kept = read_header(run.path / "checkpoints" / "2").options
    assert {name: kept[name] for name in ("ocr", "fusion")} == {name: options[name] for name in ("ocr", "fusion")}
    again = score_checkpoint(run.name, NAME, split="test", name=f"{run.name}-again", overwrite=True)
    np.testing.assert_array_equal(again.similarity, run.similarity)
    assert (set(run.modalities) == {"vision", "ocr"}) == (options["fusion"] == "score")
