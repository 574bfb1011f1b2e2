"""Every type of dual encoder against transformers' own functions, and folders as transformers 5 writes them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.models.dual_folders import MEAN, OTHERS, STD, write_dual
from workbench.core.seeds import generator
from workbench.models import build_model
from workbench.models.families import load
from workbench.models.towers.dual.opened import pictured, worded
from workbench.models.towers.dual.pixels import prepared
from workbench.models.towers.dual.weights import FAMILIES

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
transformers = pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

TEXTS = ["a red bus", "the Dog", "a sign of the airport shop and the rain " * 3, "STOP"]


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")


@pytest.mark.parametrize("family", OTHERS)
def test_vectors_are_those_of_transformers(tmp_path, family):
    folder = write_dual(tmp_path / "one", family)
    model = build_model("dual_encoder", weights=str(folder), n_frames=2, modality="fusion")
    theirs = transformers.AutoModel.from_pretrained(folder, local_files_only=True)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    longest = theirs.config.text_config.max_position_embeddings - (1 if family == "altclip" else 0)
    frames = generator(0, "families").integers(0, 256, (1, 2, 16, 16, 3), np.uint8)
    for text, own in zip(TEXTS, model.caption_vectors(TEXTS), strict=True):
        asked = text.lower() if FAMILIES[family].lower else text
        ids = tokenizer([asked], truncation=True, max_length=longest, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            found = theirs.get_text_features(input_ids=ids, attention_mask=torch.ones_like(ids)).pooler_output[0]
        np.testing.assert_allclose(own, (found / found.norm()).numpy(), atol=1e-5)
    with torch.no_grad():
        pictures = prepared(torch.from_numpy(frames[0]), 16, "squash", model.network.looks)
        seen = theirs.get_image_features(pixel_values=pictures).pooler_output
    np.testing.assert_allclose(
        model.frame_features(frames)[0], (seen / seen.norm(dim=1, keepdim=True)).numpy(), atol=1e-5
    )
    assert pictured(folder).model.get_image_features(pixel_values=pictures) is not None and worded(folder).width == 24


def test_a_folder_as_transformers_5_writes_it_is_read_and_kept(tmp_path):
    folder = write_dual(tmp_path / "one")
    before = build_model("dual_encoder", weights=str(folder), n_frames=2)
    told = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    (folder / "processor_config.json").write_text(
        json.dumps({"processor_class": "CLIPProcessor", "image_processor": told})
    )
    model = build_model("dual_encoder", weights=str(folder), n_frames=2)
    assert model.network.looks == before.network.looks and model.network.looks.mean == tuple(MEAN)
    assert model.network.looks.std == tuple(STD)
    model.save(tmp_path / "kept")
    np.testing.assert_array_equal(load(tmp_path / "kept").caption_vectors(TEXTS), model.caption_vectors(TEXTS))
    assert (tmp_path / "kept" / "processor_config.json").is_file()
