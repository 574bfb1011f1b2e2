"""StarVR in the training engine: chunks give the batch's gradients, dropout included, and a few steps learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.models.small_starvr import CAPTIONS, small, videos
from workbench.training.batches import Batch
from workbench.training.optimiser import optimiser_of
from workbench.training.recipes import load_recipe
from workbench.training.step import backward, make_step

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
RECIPE = replace(load_recipe("textvr_fusion_selftest"), model="textvr_fusion", temperature=0.05, auxiliary=0.0)


def batch(model) -> Batch:
    gallery = videos(model)
    n = len(gallery.video_ids)
    return Batch(CAPTIONS[:n], gallery, np.zeros((n, n), bool))


def gradients(model) -> dict:
    found = {name: one.grad.clone() for name, one in model.network.named_parameters() if one.grad is not None}
    model.network.zero_grad(set_to_none=True)
    return found


@pytest.mark.parametrize("modality", ["vision", "ocr", "fusion"])
def test_chunks_give_the_gradients_of_the_batch(tmp_path, modality):
    model = small(tmp_path, modality, dropout=0.0)
    model.network.double().train()
    whole = backward(model, batch(model), RECIPE)
    expected = gradients(model)
    for size in (1, 2, 3):
        loss = backward(model, batch(model), replace(RECIPE, micro_batch=size))
        torch.testing.assert_close(loss, whole, rtol=1e-9, atol=0)
        found = gradients(model)
        assert found.keys() == expected.keys() and "scale" in found
        for name, one in expected.items():
            torch.testing.assert_close(found[name], one, rtol=1e-6, atol=1e-10, msg=name)


def test_dropout_is_replayed_in_chunks(tmp_path):
    """The loss of a second pass over the same random numbers is that of the first: chunks are made twice alike."""
    model = small(tmp_path, "ocr", dropout=0.3)
    model.network.train()
    first = [backward(model, batch(model), replace(RECIPE, micro_batch=2)) for _ in range(2) if torch.manual_seed(4)]
    assert first[0] == first[1]
    torch.manual_seed(5)
    assert backward(model, batch(model), replace(RECIPE, micro_batch=2)) != first[0]


@pytest.mark.parametrize("modality", ["vision", "ocr", "fusion"])
def test_a_few_steps_learn(tmp_path, modality):
    model = small(tmp_path, modality, dropout=0.0)
    recipe = replace(RECIPE, learning_rate=3e-3, weight_decay=0.0)
    optimiser = optimiser_of(model.network, recipe)
    assert not model.network.scale.requires_grad and model.network.scale.item() == pytest.approx(np.log(20))
    given = batch(model)
    given = Batch(CAPTIONS[:4], given.gallery.take(range(4)), given.same[:4, :4])
    losses = [make_step(model, given, optimiser, recipe) for _ in range(12)]
    assert losses[-1] < 0.5 * losses[0] and all(np.isfinite(losses))


@pytest.mark.parametrize("modality", ["vision", "ocr", "fusion"])
def test_lower_precision_is_near(tmp_path, modality):
    model = small(tmp_path, modality, dropout=0.0)
    network, given = model.network, batch(model)

    def cosines():
        captions = network.caption(model.caption_inputs(given.captions))
        return network.cosine(captions, network.videos(*model.video_inputs(given.gallery)))

    exact = cosines()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        near = cosines()
    assert near.dtype == torch.float32
    torch.testing.assert_close(near, exact, atol=0.05, rtol=0)
    near.sum().backward()
    assert all(torch.isfinite(one.grad).all() for one in network.parameters() if one.grad is not None)


def test_towers_compute_their_activations_again(tmp_path):
    """The switches that training turns change no gradient."""
    model = small(tmp_path, dropout=0.0)
    network = model.network.double().train()
    backward(model, batch(model), RECIPE)
    expected = gradients(model)
    network.video_model.checkpointing = True
    for tower in (network.text_model, network.ocr_model):
        switch = getattr(tower, "activation_checkpointing_enable", None) or tower.gradient_checkpointing_enable
        switch({"use_reentrant": False})  # the name changed within transformers 5
        assert tower.transformer.layer[0].gradient_checkpointing
    backward(model, batch(model), RECIPE)
    found = gradients(model)
    for name, one in expected.items():
        torch.testing.assert_close(found[name], one, rtol=1e-9, atol=1e-12, msg=name)
