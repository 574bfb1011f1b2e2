"""CLIP with windows of read text: its equations in a slow loop, company and padding, frozen towers, training, files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

from tests.models.small_windows import CAPTIONS, READ, small, videos  # noqa: E402
from tests.training import world_worker  # noqa: E402
from workbench.core.errors import DataError, StateError, UnknownNameError  # noqa: E402
from workbench.models.clip_ocr_window import PRESETS, build, option_names  # noqa: E402
from workbench.models.families import load  # noqa: E402
from workbench.models.world import World  # noqa: E402
from workbench.pipelines.scoring import rules_for  # noqa: E402
from workbench.training.batches import Batch  # noqa: E402
from workbench.training.engine import engine_of  # noqa: E402
from workbench.training.optimiser import optimiser_of  # noqa: E402
from workbench.training.recipes import load_recipe  # noqa: E402
from workbench.training.step import backward, make_step  # noqa: E402

MODALITIES = ("vision", "ocr", "fusion")
RECIPE = replace(load_recipe("textvr_fusion_selftest"), auxiliary=0.3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("windows")


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")


def batch() -> Batch:
    n = len(READ)
    return Batch(CAPTIONS, videos(), np.zeros((n, n), bool))


def gradients(model) -> dict:
    found = {name: one.grad.clone() for name, one in model.network.named_parameters() if one.grad is not None}
    model.network.zero_grad(set_to_none=True)
    return found


def unit(vector):
    return vector / vector.norm() if vector.norm() > 0 else vector


def attended(block, tokens):
    """One block over the tokens of one video, head by head."""
    normed = block.norm_attention(tokens)
    query, key, value = (getattr(block.attention, one)(normed) for one in ("query", "key", "value"))
    heads, found = block.attention.heads, []
    size = query.shape[1] // heads
    for at in range(0, query.shape[1], size):
        own = slice(at, at + size)
        found.append((query[:, own] @ key[:, own].T / size**0.5).softmax(1) @ value[:, own])
    tokens = tokens + block.out(torch.cat(found, 1))
    return tokens + block.mlp(block.norm_mlp(tokens))


def expected(model, captions, gallery):
    """Parts by the equations of ``network``, one pair at a time."""
    network, n = model.network, model.options.n_frames
    names = ("vision", "ocr", "fusion") if model.options.modality == "fusion" else (model.options.modality,)
    parts = {name: np.zeros((len(captions), len(gallery.video_ids))) for name in names}
    for column, windows in enumerate(gallery.sentences):
        frames = network.frames(torch.from_numpy(gallery.frames[column]))
        read = [(at, network.text(model.caption_inputs([one]))[0]) for at, one in enumerate(windows) if one]
        vectors = {"vision": unit(frames.mean(0)), "ocr": torch.zeros(frames.shape[1], dtype=frames.dtype)}
        if read:
            vectors["ocr"] = unit(torch.stack([one for _, one in read]).mean(0))
        if model.options.modality == "fusion":
            tokens = [one + network.kind.weight[0] + network.time.weight[at] for at, one in enumerate(frames)]
            tokens += [
                one + network.kind.weight[1] + network.time.weight[int((at + 0.5) / len(windows) * n)]
                for at, one in read
            ]
            tokens = torch.stack(tokens)
            for block in network.blocks.blocks:
                tokens = attended(block, tokens)
            both = (vectors["vision"] + vectors["ocr"]) / (2 if read else 1)
            vectors["fusion"] = unit(both + network.out(network.blocks.norm(tokens).mean(0)))
        for row, caption in enumerate(captions):
            text = network.text(model.caption_inputs([caption]))[0]
            for name in names:
                parts[name][row, column] = network.scale.exp() * (text @ vectors[name]) / len(names)
    return parts


@pytest.mark.parametrize("modality", MODALITIES)
def test_it_is_its_equations(folder, modality):
    model, gallery = small(folder, modality, fusion_depth=2), videos()
    with torch.no_grad():
        should = expected(model, CAPTIONS, gallery)
    found = model.parts(CAPTIONS, model.encode(gallery))
    assert list(found) == list(should)
    for name, one in should.items():
        np.testing.assert_allclose(found[name], one, atol=1e-9)
        assert one.std() > 0.01, "the equations must tell pairs apart"
    np.testing.assert_array_equal(model.similarity(CAPTIONS, model.encode(gallery)), np.float32(sum(found.values())))


@pytest.mark.parametrize("family", ["clip", "siglip", "siglip2"])
def test_it_starts_as_the_mean_of_both(folder, family):
    model, gallery = small(folder, family=family), videos()
    torch.nn.init.zeros_(model.network.out.weight)
    found = model.encode(gallery)[0]
    both = torch.nn.functional.normalize(found["vision"] + found["ocr"], dim=-1)
    torch.testing.assert_close(found["fusion"], both)
    silent = [not any(one) for one in READ]
    assert (found["ocr"].norm(dim=1) == 0).tolist() == silent and sum(silent) == 2
    torch.testing.assert_close(found["fusion"][silent], found["vision"][silent])


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_pair_scores_the_same_in_any_company_and_order(folder, modality):
    model, gallery = small(folder, modality), videos()
    whole = model.similarity(CAPTIONS, model.encode(gallery))
    for column in range(len(READ)):
        alone = model.similarity(CAPTIONS, model.encode(gallery.take([column])))
        np.testing.assert_allclose(alone[:, 0], whole[:, column], atol=1e-6)
    turned = model.similarity(CAPTIONS[::-1], model.encode(gallery.take([4, 3, 2, 1, 0])))
    np.testing.assert_allclose(turned[::-1, ::-1], whole, atol=1e-6)
    assert np.array_equal(whole[0], whole[4]), "equal captions"
    if modality == "ocr":
        assert (whole[:, [1, 4]] == 0).all(), "nothing was read"


def test_windows_have_a_time(folder):
    model = small(folder)
    read = [("stop", "", ""), ("", "", "stop"), ("stop",), ("", "stop", "")]
    gallery = replace(videos(read), frames=np.repeat(videos(read[:1]).frames, 4, 0))
    found = model.encode(gallery)[0]
    assert (found["ocr"] - found["ocr"][0]).abs().max() < 1e-12
    apart = (found["fusion"][:, None] - found["fusion"]).abs().amax(-1)
    assert apart[0, 1] > 1e-6 and apart[0, 3] > 1e-6
    assert apart[2, 3] < 1e-12, "the only window of a video lies in its middle"


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("freeze_towers", [False, True])
def test_chunks_give_the_gradients_of_the_batch(folder, modality, freeze_towers):
    model = small(folder, modality, freeze_towers=freeze_towers)
    model.network.train()
    whole = backward(model, batch(), RECIPE)
    should = gradients(model)
    assert "scale" in should and all(torch.isfinite(one).all() for one in should.values())
    assert any(name.startswith("model.") for name in should) != freeze_towers
    for size in (1, 2, 3):
        torch.testing.assert_close(backward(model, batch(), replace(RECIPE, micro_batch=size)), whole)
        found = gradients(model)
        assert found.keys() == should.keys()
        for name, one in should.items():
            torch.testing.assert_close(found[name], one, rtol=1e-7, atol=1e-10, msg=name)


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_few_steps_learn(folder, modality):
    model, recipe = small(folder, modality), replace(RECIPE, learning_rate=3e-3, weight_decay=0.0)
    rows = [0, 2, 3]  # videos in which something was read
    given = Batch([CAPTIONS[row] for row in rows], videos().take(rows), np.zeros((3, 3), bool))
    optimiser = optimiser_of(model.network, recipe)
    before = float(model.network.scale.detach())
    losses = [make_step(model, given, optimiser, recipe) for _ in range(12)]
    assert losses[-1] < 0.7 * losses[0] and float(model.network.scale.detach()) != before


def test_features_stand_for_frames(folder):
    model, gallery = small(folder, freeze_towers=True), videos()
    assert model.frozen_frames and not small(folder).frozen_frames
    assert not small(folder, "ocr", freeze_towers=True).frozen_frames
    features = model.frame_features(gallery.frames)
    assert features.dtype == np.float32 and features.shape == (5, 3, 24) and model.encodes_features
    model.network.train()
    assert not model.network.model.training, "frozen towers compute in training as while scoring"
    np.testing.assert_array_equal(model.frame_features(gallery.frames), features)
    alone = np.concatenate([model.frame_features(gallery.take([row]).frames) for row in (3, 1)])
    np.testing.assert_array_equal(alone, features[[3, 1]])
    model.network.eval()
    kept = replace(gallery, frames=None, features=features)
    trained = small(folder)
    assert np.array_equal(
        trained.similarity(CAPTIONS, trained.encode(kept)), model.similarity(CAPTIONS, model.encode(kept))
    )
    found = model.similarity(CAPTIONS, model.encode(kept))
    np.testing.assert_allclose(found, model.similarity(CAPTIONS, model.encode(gallery)), atol=1e-5)
    steps = []
    for given in (gallery, kept):
        model = small(folder, freeze_towers=True)
        optimiser = optimiser_of(model.network, RECIPE)
        steps.append([make_step(model, Batch(CAPTIONS, given, batch().same), optimiser, RECIPE) for _ in range(3)])
    assert steps[0] == pytest.approx(steps[1], rel=1e-5) and steps[0][2] != steps[0][0]
    with pytest.raises(DataError, match="The vision tower is trained, so it needs frames"):
        trained.network.train()
        trained.video_inputs(kept)
    with pytest.raises(DataError, match=r"reads features \(3, 24\), found \(2, 24\)"):
        model.video_inputs(replace(kept, features=features[:, :2]))


def test_lower_precision_is_near(folder):
    """Products of the towers in bf16, the similarities never."""
    model = small(folder)
    model.network.float()
    exact = model.network.parts(*encoded(model))
    with torch.autocast("cpu", torch.bfloat16):
        near = model.network.parts(*encoded(model))
    for name, one in near.items():
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, exact[name], atol=0.15, rtol=0)
    sum(one.sum() for one in near.values()).backward()
    assert all(torch.isfinite(one).all() for one in gradients(model).values())


def encoded(model):
    captions = model.network.caption(model.caption_inputs(CAPTIONS))
    return captions, model.network.videos(*model.video_inputs(videos()))


def shared(world: World, folder: Path) -> None:
    """Loss and gradients of one batch, by one of several processes."""
    for micro in (None, 1):
        model = small(folder)
        recipe = replace(RECIPE, micro_batch=micro)
        engine = engine_of(model, optimiser_of(model.network, recipe), recipe, world)
        model.network.train()
        loss = backward(model, batch(), recipe, engine)
        torch.save({"loss": loss, **gradients(model)}, folder / f"{world.size}.{world.rank}.{micro}.pt")


@pytest.mark.slow
def test_two_processes_make_the_gradients_of_one(folder):
    small(folder)
    for process in world_worker.start(shared, 2, folder, 60.0):
        process.join(60)
    model = small(folder)
    model.network.train()
    should = {"loss": backward(model, batch(), RECIPE), **gradients(model)}
    for name in ("0.None", "1.None", "0.1", "1.1"):
        found = torch.load(folder / f"2.{name}.pt")
        assert found.keys() == should.keys()
        for key, one in should.items():
            torch.testing.assert_close(found[key], one, rtol=1e-7, atol=1e-10, msg=f"{name} {key}")


def test_what_it_reads_and_keeps(folder, tmp_path):
    model = small(folder, words_per_sentence=7, fit="letterbox")
    assert model.needs == {"frames", "ocr"} and small(folder, "vision").needs == {"frames"}
    rules = rules_for(model)
    assert (rules.windows, rules.height, rules.sampler.n, rules.fit) == (7, 16, 3, "letterbox")
    model.save(tmp_path / "kept")
    again = load(tmp_path / "kept")
    again.network.double()
    assert again.options == model.options
    for name, one in model.parts(CAPTIONS, model.encode(videos())).items():
        np.testing.assert_allclose(again.parts(CAPTIONS, again.encode(videos()))[name], one, atol=1e-5)


def test_what_does_not_fit_is_named(folder, tmp_path):
    model, gallery = small(folder), videos()
    with pytest.raises(DataError, match="The gallery holds no sentence per frame"):
        model.video_inputs(replace(gallery, sentences=None))
    with pytest.raises(DataError, match=r"reads frames \(3, 16, 16, 3\), found None"):
        model.video_inputs(replace(gallery, frames=None))
    with pytest.raises(DataError, match="no option 'n_frame'. Did you mean n_frames"):
        build(n_frame=3)
    with pytest.raises(DataError, match="modality_dropout drops one of two modalities, the model has ocr only"):
        build("ocr", modality_dropout=0.1)
    with pytest.raises(DataError, match="fusion_depth is 0"):
        build(fusion_depth=0)
    with pytest.raises(DataError, match="5 heads do not divide 24 dimensions"):
        small(folder, fusion_heads=5)
    with pytest.raises(UnknownNameError, match="No preset is called 'small'"):
        build(preset="small")
    with pytest.raises(StateError, match="are not on this machine"):
        build(weights=tmp_path / "nothing")
    assert option_names("tiny") >= {"weights", "freeze_towers"} and PRESETS["base"].n_frames == 12
