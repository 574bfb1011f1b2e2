"""How frames and words meet in StarVR (bare, block, score), and modalities dropped in training by every family."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

from tests.models import small_starvr, small_windows  # noqa: E402
from tests.training import test_gradcache  # noqa: E402
from workbench.core.errors import DataError, UnknownNameError  # noqa: E402
from workbench.models import build_model  # noqa: E402
from workbench.models.checkpoints import load_weights, restore, save_checkpoint  # noqa: E402
from workbench.models.families import load  # noqa: E402
from workbench.models.fusion.network import FusionEncoder, ModalityDropout  # noqa: E402
from workbench.training.batches import Batch  # noqa: E402
from workbench.training.loss import objective  # noqa: E402
from workbench.training.optimiser import optimiser_of  # noqa: E402
from workbench.training.recipes import load_recipe  # noqa: E402
from workbench.training.step import backward, make_step  # noqa: E402

RECIPE = replace(load_recipe("textvr_fusion_selftest"), auxiliary=0.0)
KINDS = [("block", "fusion"), ("block", "ocr"), ("score", "fusion")]
CAPTIONS, READ = small_starvr.CAPTIONS, small_starvr.READ


def starvr(folder, fusion: str, modality: str = "fusion", **options):
    model = small_starvr.small(folder, modality, fusion=fusion, dropout=0.0, **options)
    model.network.double()
    return model


def gradients(model) -> dict:
    return test_gradcache.gradients(model)


@pytest.mark.parametrize(("fusion", "modality"), KINDS)
def test_a_pair_scores_the_same_in_any_company_and_order(tmp_path, fusion, modality):
    model = starvr(tmp_path, fusion, modality)
    gallery = small_starvr.videos(model)
    whole = model.similarity(CAPTIONS, model.encode(gallery))
    for column in range(len(READ)):
        alone = model.similarity(CAPTIONS, model.encode(gallery.take([column])))
        np.testing.assert_allclose(alone[:, 0], whole[:, column], atol=1e-6)
    turned = model.similarity(CAPTIONS[::-1], model.encode(gallery.take([4, 3, 2, 1, 0])))
    np.testing.assert_allclose(turned[::-1, ::-1], whole, atol=1e-6)
    assert np.abs(whole).max() <= 1 + 1e-6 and whole.std() > 0.01
    bare = starvr(tmp_path, "bare", modality)
    assert np.abs(bare.similarity(CAPTIONS, bare.encode(gallery)) - whole).max() > 1e-3


@pytest.mark.parametrize(("fusion", "modality"), KINDS)
def test_every_weight_learns_and_chunks_give_the_gradients_of_the_batch(tmp_path, fusion, modality):
    model = starvr(tmp_path, fusion, modality)
    model.network.train()
    n = len(READ)
    batch = Batch(CAPTIONS[:n], small_starvr.videos(model), np.zeros((n, n), bool))
    whole = backward(model, batch, RECIPE)
    should = gradients(model)
    trained = {name for name, one in model.network.named_parameters() if one.requires_grad}
    assert trained - set(should) <= {"vid_proj.0.weight", "vid_proj.0.bias"} - (trained if fusion == "score" else set())
    torch.testing.assert_close(backward(model, batch, replace(RECIPE, micro_batch=2)), whole)
    found = gradients(model)
    for name, one in should.items():
        torch.testing.assert_close(found[name], one, rtol=1e-6, atol=1e-10, msg=name)
    recipe = replace(RECIPE, learning_rate=3e-3, weight_decay=0.0)
    optimiser = optimiser_of(model.network, recipe)
    given = Batch(CAPTIONS[:4], batch.gallery.take(range(4)), batch.same[:4, :4])
    losses = [make_step(model, given, optimiser, recipe) for _ in range(12)]
    assert losses[-1] < 0.6 * losses[0]


def test_the_scores_of_both_add_up(tmp_path):
    model = starvr(tmp_path, "score")
    with torch.no_grad():
        model.network.balance.copy_(torch.tensor([0.0, np.log(3.0)]))
    encoded = model.encode(small_starvr.videos(model))
    parts = model.parts(CAPTIONS, encoded)
    assert list(parts) == ["vision", "ocr"]
    np.testing.assert_allclose(model.similarity(CAPTIONS, encoded), parts["vision"] + parts["ocr"], atol=1e-7)
    assert np.abs(parts["vision"]).max() <= 0.25 + 1e-6 and 0.25 < np.abs(parts["ocr"]).max() <= 0.75 + 1e-6
    model.save(tmp_path / "kept")
    assert load(tmp_path / "kept").options == model.options


def test_a_block_is_a_transformer_block():
    """As torch's own, weights copied; padding changes nothing."""
    ours = FusionEncoder(16, 4, 1).double().eval()
    block = ours.blocks[0]
    theirs = torch.nn.TransformerEncoderLayer(16, 4, 64, 0.0, "gelu", batch_first=True, norm_first=True).double().eval()
    attention = block.attention
    named = {"self_attn.out_proj": block.out, "linear1": block.mlp[0], "linear2": block.mlp[2]}
    named |= {"norm1": block.norm_attention, "norm2": block.norm_mlp}
    state = {f"{name}.{key}": one for name, part in named.items() for key, one in part.state_dict().items()}
    for key in ("weight", "bias"):
        stacked = [getattr(one, key) for one in (attention.query, attention.key, attention.value)]
        state[f"self_attn.in_proj_{key}"] = torch.cat(stacked)
    theirs.load_state_dict(state)
    tokens = torch.randn(3, 5, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    there = torch.arange(5) < torch.tensor([[5], [2], [4]])
    with torch.no_grad():
        should = ours.norm(theirs(tokens, src_key_padding_mask=~there))
        found = ours(tokens, there)
        padded = ours(tokens.masked_fill(~there[..., None], 9.0), there)
    torch.testing.assert_close(found[there], should[there])
    torch.testing.assert_close(padded[there], found[there])


def test_kinds_that_do_not_fit_are_named(tmp_path):
    with pytest.raises(UnknownNameError, match="No kind of fusion is called 'blok'. Did you mean block"):
        starvr(tmp_path, "blok")
    for fusion, modality in (("score", "ocr"), ("block", "vision")):
        with pytest.raises(DataError, match=f"The modality {modality} leaves the fusion {fusion} nothing to do"):
            starvr(tmp_path, fusion, modality)
    with pytest.raises(DataError, match="textvr_fusion has no option 'fusion'"):
        build_model("textvr_fusion", preset="tiny", fusion="block")
    with pytest.raises(DataError, match="modality_dropout is 1.5"):
        build_model("textvr_fusion", preset="tiny", modality_dropout=1.5)


def demo(folder, share: float):
    model = build_model("textvr_fusion", preset="tiny", modality_dropout=share)
    model.network.double()
    return model


FAMILIES = {
    "demo": demo,
    "bare": lambda folder, share: starvr(folder, "bare", modality_dropout=share),
    "block": lambda folder, share: starvr(folder, "block", modality_dropout=share),
    "score": lambda folder, share: starvr(folder, "score", modality_dropout=share),
    "windows": lambda folder, share: small_windows.small(folder, modality_dropout=share),
}
families = pytest.mark.parametrize("family", FAMILIES)


@pytest.fixture
def model_of(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")

    def made(family: str, share: float):
        model = FAMILIES[family](tmp_path, share)
        model.network.train()
        return model

    return made


def batch_of(family: str, model) -> Batch:
    """Some videos of the family; what was read in them differs, in one or two nothing."""
    if family == "demo":
        return test_gradcache.made()
    gallery = small_windows.videos() if family == "windows" else small_starvr.videos(model)
    n = len(gallery.video_ids)
    captions = small_windows.CAPTIONS if family == "windows" else CAPTIONS[:n]
    return Batch(captions, gallery, np.zeros((n, n), bool))


def kept_of(family: str, model, gallery) -> tuple[torch.Tensor, torch.Tensor]:
    """Which videos of a forward pass had frames and which had words."""
    seen = []
    if family in ("bare", "block"):
        model.network.fusion_model.register_forward_pre_hook(lambda _, given: seen.append(given[-1]))
    found = model.network.videos(*model.video_inputs(gallery))
    if seen:
        return seen[0][:, 1], seen[0][:, 2:].any(1)
    if family == "demo":
        return found["frame"].abs().amax((1, 2)) > 0, found["there"].any(1)
    return found["vision"].abs().amax(1) > 0, found["ocr"].abs().amax(1) > 0


@families
def test_each_video_with_words_loses_one_modality(model_of, family):
    model = model_of(family, 1.0)
    gallery = batch_of(family, model).gallery
    texts = gallery.sentences or [one.text for one in gallery.words]
    worded = torch.tensor([any(one) for one in texts])
    torch.manual_seed(1)
    draws = [kept_of(family, model, gallery) for _ in range(6)]
    for frames, words in draws:
        assert (frames[worded] ^ words[worded]).all() and frames[~worded].all() and not words[~worded].any()
    assert 0 < torch.stack([frames[worded] for frames, _ in draws]).double().mean() < 1, "by the toss of a coin"
    model.network.eval()
    frames, words = kept_of(family, model, gallery)
    assert frames.all() and words[worded].all(), "never while scoring"


def test_a_share_of_the_videos():
    drop = ModalityDropout(0.3).train()
    torch.manual_seed(0)
    frames, words = drop(torch.ones(4000, dtype=torch.bool))
    assert (frames | words).all()
    assert float((~frames).double().mean()) == pytest.approx(0.15, abs=0.02)
    assert float((~words).double().mean()) == pytest.approx(0.15, abs=0.02)


@families
def test_no_share_changes_nothing_and_draws_nothing(model_of, family):
    model = model_of(family, 0.0)
    batch, before = batch_of(family, model), torch.get_rng_state()
    trained = [backward(model, batch, RECIPE), *gradients(model).values()]
    assert torch.equal(torch.get_rng_state(), before)
    model.network.eval()
    scored = [backward(model, batch, RECIPE), *gradients(model).values()]
    assert all(torch.equal(one, two) for one, two in zip(trained, scored, strict=True))


@families
def test_what_was_dropped_is_dropped_again_in_chunks(model_of, family):
    model, micro = model_of(family, 0.6), 2
    batch = batch_of(family, model)
    n = len(batch.captions)
    spans = [range(n)[at : at + micro] for at in range(0, n, micro)]
    network = model.network
    torch.manual_seed(3)
    captions = [network.caption(model.caption_inputs([batch.captions[row] for row in span])) for span in spans]
    videos = [network.videos(*model.video_inputs(batch.gallery.take(span))) for span in spans]
    rows = [[network.parts(one, two) for two in videos] for one in captions]
    parts = [torch.cat([torch.cat([tile[name] for tile in row], 1) for row in rows]) for name in rows[0][0]]
    whole = objective(parts, torch.from_numpy(batch.same), RECIPE)
    whole.backward()
    should = gradients(model)
    torch.manual_seed(3)
    torch.testing.assert_close(backward(model, batch, replace(RECIPE, micro_batch=micro)), whole.detach())
    found = gradients(model)
    for name, one in should.items():
        torch.testing.assert_close(found[name], one, rtol=1e-6, atol=1e-9, msg=name)
    others = [float(backward(model, batch, RECIPE)) for seed in range(4) if torch.manual_seed(seed)]
    assert len(set(others)) > 1, "the draw matters"


def test_a_resumed_training_drops_as_one_that_never_stopped(tmp_path, model_of):
    def steps(model, optimiser, count: int) -> list[float]:
        return [make_step(model, batch_of("demo", model), optimiser, RECIPE) for _ in range(count)]

    def begun():
        model = model_of("demo", 0.5)
        return model, optimiser_of(model.network, RECIPE)

    torch.manual_seed(7)
    model, optimiser = begun()
    whole = steps(model, optimiser, 6)
    torch.manual_seed(7)
    first, its_optimiser = begun()
    losses = steps(first, its_optimiser, 3)
    save_checkpoint(tmp_path, 3, first, its_optimiser, {}, best=True)
    torch.manual_seed(99)
    again, its_optimiser = begun()
    load_weights(tmp_path, "last", again)
    restore(tmp_path, its_optimiser)
    assert losses + steps(again, its_optimiser, 3) == whole
    for name, one in again.network.state_dict().items():
        assert torch.equal(one, model.network.state_dict()[name])
