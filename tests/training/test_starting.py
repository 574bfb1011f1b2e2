"""Where the weights of a training start: another run, a folder, released weights; adapters beside frozen ones."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from tests.models.small_starvr import SIZES
from tests.training.split_videos import FEW, NAME, trained
from workbench.core.errors import DataError, MissingExtraError, StateError, UnknownNameError
from workbench.evaluation import open_run
from workbench.models import build_model
from workbench.models.checkpoints import load_model
from workbench.models.families import read_header, read_tensors
from workbench.models.lora import Lora
from workbench.pipelines.checkpoints import can_encode, open_model, score_checkpoint
from workbench.training import load_recipe, train
from workbench.training.building import built, start_from

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")


def test_weights_start_from_a_run_and_what_differs_is_named(space):
    first = trained(space, "textvr_fusion_selftest", "first")
    one, _ = built(load_recipe("textvr_fusion_selftest", {"init": "first", "seed": 5}), begin=True)
    state = load_model(first.path).network.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in one.network.state_dict().items())
    second = trained(space, "textvr_fusion_selftest", "second", init="first@2", seed=5)
    told = second.info["initial"]
    assert told["from"] == "first@2" and told["loaded"] == len(state) and len(told["sha256"]) == 64
    other = {"init": "first", "modality": "ocr"}
    with pytest.raises(DataError, match=r"14 unexpected \('frames.*init_strict=false"):
        trained(space, "textvr_fusion_selftest", "third", **other)
    with pytest.raises(UnknownNameError):
        open_run("third")
    third = trained(space, "textvr_fusion_selftest", "third", init_strict=False, **other)
    assert len(third.info["initial"]["unexpected"]) == 14 and third.info["initial"]["missing"] == []


def test_a_start_that_there_is_not(space, tmp_path):
    model = build_model("textvr_fusion", preset="tiny")
    with pytest.raises(UnknownNameError, match="No run is called 'nothing'"):
        start_from(model, "nothing")
    (tmp_path / "textvr.pth").write_bytes(b"")
    with pytest.raises(DataError, match="is a file. Import it first: workbench import FILE --format starvr"):
        start_from(model, str(tmp_path / "textvr.pth"))
    build_model("textvr_fusion", preset="starvr", tokenizer=str(space / "words"), **SIZES).save(tmp_path / "starvr")
    model.network = torch.nn.Linear(2, 3)
    with pytest.raises(DataError, match="No weight of .* fits"):
        start_from(model, str(tmp_path / "starvr"), strict=False)


def test_more_frames_start_with_the_temporal_rows_that_there_are(space, tmp_path):
    options = {**SIZES, "preset": "starvr", "modality": "vision", "tokenizer": str(space / "words")}
    build_model("textvr_fusion", **options).save(tmp_path / "two")
    four = build_model("textvr_fusion", **{**options, "n_frames": 4, "seed": 1})
    start_from(four, str(tmp_path / "two"))
    name = "video_model.temporal_embed"
    table = four.network.state_dict()[name]
    assert torch.equal(table[:, :2], read_tensors(tmp_path / "two")[name]) and not table[:, 2:].any()


# Adapters.


def test_without_peft_the_sentence_says_what_to_install(space, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtraError, match=r"LoRA needs the package 'peft'.*textvr-workbench\[lora\]"):
        trained(space, "textvr_fusion_selftest", "never", lora={"rank": 2, "targets": ["out"]})


def test_adapters_alone_are_trained_and_come_back(space):
    pytest.importorskip("peft", reason="needs peft, which the extra lora installs")
    options = {"weights": str(space / "clip"), "n_frames": 2}
    given = {**FEW, "modality": "vision", "model": "dual_encoder", "options": options, "rates": {}, "steps": 3}
    run = train("textvr_clip_ocr_window", name="adapted", overwrite=True, **given, lora={"rank": 2})
    state, plain = read_tensors(run.path / "checkpoints" / "3"), build_model("dual_encoder", **options)
    before = plain.network.state_dict()
    same = {name for name, value in before.items() if name in state and torch.equal(state[name], value)}
    assert set(before) & set(state) - same == {"scale"}
    assert all(torch.equal(state[f"{name[:-7]}.base_layer.weight"], before[name]) for name in set(before) - set(state)
               if name.endswith("_proj.weight"))  # fmt: skip
    assert any(float(value.abs().max()) for name, value in state.items() if "lora_B" in name)
    assert read_header(run.path / "checkpoints" / "3").lora["rank"] == 2
    again = score_checkpoint("adapted", NAME, name="again", overwrite=True)
    assert np.array_equal(again.similarity, run.similarity)
    assert load_model(run.path).lora == Lora(rank=2)


def test_released_weights_are_imported_scored_and_start_a_training(space, workbench, tmp_path):
    model = build_model("textvr_fusion", preset="starvr", tokenizer=str(space / "words"), **SIZES)
    state = {f"module.{name}": value for name, value in model.network.state_dict().items() if name != "scale"}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "textvr.pth")
    sizes = [word for key, value in SIZES.items() for word in ("--option", f"{key}={value}")]
    words = ["import", str(tmp_path / "textvr.pth"), "--format", "starvr", "--tokenizer", str(space / "words"), *sizes]
    code, out, error = workbench(*words, "--name", "released")
    assert code == 0 and "Score it: workbench score released --corpus C" in out, error
    told = json.loads((space / "home" / "models" / "released" / "import.json").read_text())
    assert told["source"] == "textvr.pth" and told["set otherwise"] == ["scale"] and len(told["sha256"]) == 64
    code, _, error = workbench(*words, "--name", "released")
    assert code == 2 and "exists already" in error
    code, _, error = workbench("evaluate", "released", "--corpus", NAME, "--overwrite")
    assert code == 0, error
    run = open_run(f"{NAME}-released")
    assert run.info["model"] == "textvr_fusion" and run.info["parent"].endswith("released") and can_encode(run)
    by_path = score_checkpoint(run.info["parent"], NAME, name="by-path", overwrite=True)
    assert np.array_equal(by_path.similarity, run.similarity)
    tuned = trained(space, "textvr_finetune", "tuned", init="released")
    assert tuned.info["initial"]["loaded"] == len(model.network.state_dict())
    with pytest.raises(DataError, match="have their own options"):
        open_model("released", {"dim": 3})


def test_scores_need_a_corpus(workbench, tmp_path):
    code, _, error = workbench("import", str(tmp_path / "sim.npy"), "--name", "x")
    assert code == 2 and "Scores belong to a corpus. Add --corpus NAME" in error


def test_a_trained_checkpoint_is_evaluated_and_an_untrained_recipe_says_how_to_train_it(space, workbench):
    trained(space, "textvr_fusion_selftest", "parent", modality="ocr")
    code, out, error = workbench("evaluate", "parent@2", "--corpus", NAME, "--split", "val", "--json", "--overwrite")
    assert code == 0, error
    assert json.loads(out)["run"] == f"{NAME}-parent-2" and open_run(f"{NAME}-parent-2").info["parent"] == "parent@2"
    code, _, error = workbench("evaluate", "textvr_ocr", "--corpus", NAME)
    said = f"textvr_ocr is a recipe and must be trained first. Run: workbench train textvr_ocr corpus={NAME}"
    assert code == 2 and said in error
    code, _, error = workbench("evaluate", "textvr_ocr")
    assert code == 2 and "textvr_ocr is a recipe; it needs videos to score." in error
    with pytest.raises(StateError, match="must be trained first"):
        open_model("clip_ocr_window")
