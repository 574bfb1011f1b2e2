"""Others who see and read, other reading and another fusion than a recipe has, from the corpus to the run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.small_combined import sizes
from tests.training.split_videos import NAME, trained
from workbench.models.families import read_header
from workbench.pipelines.checkpoints import score_checkpoint

pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

ASKED = {
    "textvr_clip_ocr_window": {"ocr": "words", "fusion": "score", "vision": "space_time", "vision_size": "tiny"},
    "starvr": {"ocr": "windows", "fusion": "block", "vision": "clip", "text": "small"},
    "textvr_fusion_demo": {"vision": "clip", "n_frames": 2, "buckets": 500},
}
"""What differs from each recipe."""


@pytest.mark.parametrize("recipe", ASKED)
def test_a_recipe_trains_with_other_choices_and_is_scored_again(space, monkeypatch, recipe):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(space))
    options = ASKED[recipe]
    taken_back = {**sizes("clip", "small"), "tokenizer": None} if recipe == "starvr" else {}
    run = trained(space, recipe, f"combined-{recipe.replace('_', '-')}", options={**taken_back, **options})
    kept = read_header(run.path / "checkpoints" / "2").options
    assert {name: kept[name] for name in options} == options
    again = score_checkpoint(run.name, NAME, split="test", name=f"{run.name}-again", overwrite=True)
    np.testing.assert_array_equal(again.similarity, run.similarity)
    assert (set(run.modalities) == {"vision", "ocr"}) == (options.get("fusion", "score") == "score")
