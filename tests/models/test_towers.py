"""Who sees and who reads: what is kept of their folders, features, files of weights, where captions are cut."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

from tests.far import far_device, send_away  # noqa: E402
from tests.models.dual_folders import write_dual  # noqa: E402
from tests.models.small_combined import CAPTIONS, READ, Case, made, scores, videos  # noqa: E402
from workbench.cli.common import key_values  # noqa: E402
from workbench.core.errors import DataError, StateError  # noqa: E402
from workbench.models import build_model, clip_ocr_window  # noqa: E402
from workbench.models.encoding import VECTORS, VIDEOS, kept_of  # noqa: E402
from workbench.models.families import load  # noqa: E402
from workbench.models.textvr_fusion import Starvr, families  # noqa: E402
from workbench.models.towers.choices import TEXT, VISION  # noqa: E402
from workbench.models.towers.dual.opened import opened, worded  # noqa: E402
from workbench.models.towers.space_time import build_tower  # noqa: E402
from workbench.pipelines.scoring import rules_for  # noqa: E402
from workbench.training.batches import Batch  # noqa: E402
from workbench.training.optimiser import optimiser_of  # noqa: E402
from workbench.training.recipes import load_recipe  # noqa: E402
from workbench.training.step import backward, make_step  # noqa: E402

RECIPE = replace(load_recipe("textvr_fusion_selftest"), auxiliary=0.0, learning_rate=3e-3, weight_decay=0.0)
DOCUMENT = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
USUAL = Case("starvr", "distilbert", "space_time")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("towers")
    for family in ("clip", "siglip"):
        write_dual(made / family, family)
    return made


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")


CAPTION_WORDS = [
    (USUAL, 10), (Case("starvr", "small", "space_time"), 12), (Case("starvr", "clip", "space_time"), 10),
    (Case("clip", "siglip", "small", "windows", "score"), 10), (Case("demo", "grams", "space_time"), 32),
]  # fmt: skip


@pytest.mark.parametrize(("case", "words"), CAPTION_WORDS)
def test_a_model_states_where_captions_are_cut(folder, case, words):
    """A text one word longer scores as the cut one, and a caption of so many words does not."""
    model = made(folder, case)
    encoded = model.encode(videos(model))
    full = " ".join(["bus", "red", "taxi"] * 11).split()[:words]  # one piece each, whoever cuts
    cut = model.similarity([" ".join(one) for one in (full, [*full, "rain"], [*full[:-1], "rain"])], encoded)
    assert rules_for(model).caption_words == words
    assert np.array_equal(cut[0], cut[1]) and not np.allclose(cut[0], cut[2], atol=1e-4)


@pytest.mark.parametrize("case", [Case("starvr", "reading", "seeing"), Case("clip", "reading", "seeing", "windows"),
                                  Case("demo", "grams", "seeing")], ids=lambda case: case.model)  # fmt: skip
def test_no_folder_is_needed_again(folder, tmp_path, case):
    for name, family in (("seeing", "siglip"), ("reading", "clip")):
        write_dual(tmp_path / name, family, seed=3)
    case = case._replace(text=str(tmp_path / case.text), vision=str(tmp_path / case.vision))
    built = made(folder, case)
    built.network.float()
    gallery = videos(built)
    built.save(tmp_path / "kept")
    for name in ("seeing", "reading"):
        for path in (tmp_path / name).iterdir():
            path.unlink()
    assert built.reads["height"] == 16, "of the folder's tower"
    np.testing.assert_array_equal(scores(load(tmp_path / "kept"), gallery), scores(built, gallery))
    with pytest.raises(StateError, match="The folder .* lacks config.json"):
        made(folder, case)


def test_a_checkpoint_of_before_describes_who_sees_beside_its_weights(folder, tmp_path):
    model = made(folder, Case("starvr", "distilbert", "clip"))
    model.network.float()
    model.save(tmp_path / "kept")
    for path in (tmp_path / "kept" / "vision").iterdir():
        path.rename(tmp_path / "kept" / path.name)
    (tmp_path / "kept" / "vision").rmdir()
    gallery = videos(model)
    np.testing.assert_array_equal(scores(load(tmp_path / "kept"), gallery), scores(model, gallery))
    assert not any("text_model" in name for name in model.network.video_model.state_dict())
    with pytest.raises(DataError, match=r"Frames for .*clip have 16 pixels"):
        Starvr.reopened(replace(model.options, image_size=32), tmp_path / "kept")


def batch(gallery) -> Batch:
    n = len(READ)
    return Batch(CAPTIONS, gallery, np.zeros((n, n), bool))


def test_vectors_of_another_tower_stand_for_frames(folder):
    case = Case("clip", "siglip", "clip", "windows", "block")
    model = made(folder, case, freeze_towers=True)
    gallery = videos(model)
    assert model.frozen_frames and kept_of(model) == VECTORS
    features = model.frame_features(gallery.frames)
    assert features.shape == (len(READ), 3, 24), "of CLIP, before they come into the 32 dimensions of SigLIP"
    kept = replace(gallery, frames=None, features=features)
    np.testing.assert_allclose(scores(model, kept), scores(model, gallery), atol=1e-5)
    trained = {name.split(".")[0] for name, one in model.network.named_parameters() if one.requires_grad}
    assert trained >= {"lift", "scale"} and trained.isdisjoint({"model", "eyes"})
    steps = []
    for given in (gallery, kept):
        again = made(folder, case, freeze_towers=True)
        optimiser = optimiser_of(again.network, RECIPE)
        steps.append([make_step(again, batch(given), optimiser, RECIPE) for _ in range(2)])
    assert steps[0] == pytest.approx(steps[1], rel=1e-5) and steps[0][1] != steps[0][0]


def test_where_frames_depend_on_each_other_no_vectors_stand_for_them(folder):
    model = made(folder, Case("clip", "clip", "space_time"), freeze_towers=True)
    gallery = videos(model)
    assert not model.frozen_frames and kept_of(model) == VIDEOS
    assert {one.requires_grad for one in model.network.eyes.parameters()} == {False}
    features = np.zeros((len(READ), 3, 32), np.float32)
    with pytest.raises(DataError, match="The model needs frames; no vectors can stand for them"):
        model.encode(replace(gallery, frames=None, features=features))


@pytest.mark.parametrize("model", ["clip", "demo"])
def test_the_space_time_tower_starts_from_a_file(folder, tmp_path, model):
    torch.save(build_tower("tiny", n_frames=3).state_dict(), tmp_path / "vit.pt")
    network = made(folder, Case(model, "clip", "space_time"), vision_weights=tmp_path / "vit.pt").network
    tower = network.eyes.tower if model == "clip" else network.frames.tower
    for name, value in torch.load(tmp_path / "vit.pt").items():
        assert torch.equal(tower.state_dict()[name], value.double()), name


@pytest.mark.parametrize("vision", ["space_time", "clip"])
def test_the_demo_s_words_look_at_one_token_per_frame(folder, vision):
    model = made(folder, Case("demo", "grams", vision))
    gallery = videos(model)
    encoded = model.encode(gallery)
    assert encoded[0]["frame"].shape == (len(READ), 3, model.options.dim)
    for row, told in enumerate(model.interactions(CAPTIONS, encoded)):
        assert told.frame.shape == (len(READ), len(told.tokens), 3)
        seen = (told.weights[:, 0] * told.frame.max(-1)).sum(1)
        read = (told.weights[:, 1] * told.word.max(-1).clip(min=0)).sum(1)
        np.testing.assert_allclose(seen + read, scores(model, gallery)[row], atol=1e-5)


@torch.no_grad()
def test_only_siglip_pads_a_word(folder):
    """CLIP reads a word alone as beside a long sentence; SigLIP would read another without its padding."""
    texts = ["taxi", "a red bus of the dog"]
    for family, padded in (("clip", False), ("siglip", True)):
        alone, both = (one(folder / family) for one in (worded, opened))
        tokens = both.tokens(texts, torch.device("cpu"))
        mask = {"attention_mask": tokens["mask"]} if both.family.masked else {}
        beside = both.model.get_text_features(input_ids=tokens["ids"], **mask)
        (line,) = alone.lines(texts[:1])
        short = tuple(tokens["ids"][0][: int(tokens["mask"][0].sum())].tolist())
        assert (len(line) == both.model.config.text_config.max_position_embeddings) == padded
        same = [
            torch.allclose(vector(alone.model, one), vector(beside, None)[0], atol=1e-5) for one in (line, short)
        ]  # fmt: skip
        assert same == [True, not padded]
        assert not hasattr(alone.model, "vision_model")


def vector(model, ids):
    found = model if ids is None else model.get_text_features(input_ids=torch.tensor([ids]))
    return found if isinstance(found, torch.Tensor) else found.pooler_output


AWAY = [Case("starvr", "clip", "small"), Case("starvr", "small", "space_time"), Case("clip", "clip", "space_time"),
        Case("demo", "grams", "space_time")]  # fmt: skip


@pytest.mark.parametrize("case", AWAY, ids="-".join)
def test_no_tensor_of_the_cpu_meets_one_of_the_device(folder, case):
    model = made(folder, case)
    given = batch(videos(model))
    expected, loss = scores(model, given.gallery), float(backward(model, given, RECIPE))
    send_away(model.network)
    with far_device():
        assert float(backward(model, given, RECIPE)) == pytest.approx(loss, rel=1e-6)
        np.testing.assert_allclose(scores(model, given.gallery), expected, atol=1e-6)


TOLD = re.findall(r"^workbench train (\S+) (options\.vision.*|options\.text.*|options\.ocr.*)$", DOCUMENT, re.M)


@pytest.mark.parametrize(("name", "given"), TOLD)
def test_commands_of_the_document_have_an_effect(monkeypatch, name, given):
    """As far as the record of the model; building one needs its weights."""
    asked, made = key_values(shlex.split(given)), {}
    recipe = load_recipe(name, asked)
    for kind, one in families.KINDS.items():
        monkeypatch.setitem(families.KINDS, kind, replace(one, make=lambda record, **files: made.update(record=record)))
    monkeypatch.setattr(clip_ocr_window.model, "ClipOcrWindow", lambda record, **files: made.update(record=record))
    build_model(recipe.model, preset=recipe.preset, modality=recipe.modality, **recipe.options)
    for key, value in asked.items():
        assert value is None or getattr(made["record"], key.removeprefix("options."), value) == value


def test_the_document_has_commands_for_every_choice():
    told = " ".join(given for _, given in TOLD)
    assert len(TOLD) >= 6 and all(f"options.{one}=" in told for one in ("vision", "text", "ocr", "fusion"))
    assert all(f"`{one}`" in DOCUMENT for one in (*VISION, *TEXT))
