"""The release's files: a checkpoint with foreign objects in it, every weight accounted for, its config as a recipe."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from tests.models.small_starvr import CAPTIONS, SIZES, small, videos, vocabulary
from workbench.core.errors import DataError
from workbench.models import build_model
from workbench.models.families import load
from workbench.models.textvr_fusion.starvr.checkpoint import import_checkpoint
from workbench.models.textvr_fusion.starvr.config import read_config, recipe_of_config
from workbench.models.textvr_fusion.starvr.release import read_release
from workbench.training.recipes import Recipe, load_recipe
from workbench.training.released import released_recipe, write_recipe

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
CONFIG = {  # the keys of the release's fusion config, with other numbers
    "name": "any", "n_gpu": 8,
    "arch": {"type": "FrozenInTime", "args": {
        "video_params": {"model": "SpaceTimeTransformer", "arch_config": "base_patch16_224", "num_frames": 2,
                         "pretrained": True, "time_init": "zeros"},
        "text_params": {"model": "distilbert-base-uncased", "pretrained": True, "input": "text"},
        "projection": "minimal", "projection_dim": 6, "load_checkpoint": ""}},
    "data_loader": {"type": "TextVideoDataLoader", "args": {
        "dataset_name": "TextVR", "data_dir": "./data", "shuffle": True, "num_workers": 16, "batch_size": 32,
        "split": "train", "cut": "split", "subsample": 1, "reader": "decord", "text_params": {"input": "text"},
        "video_params": {"extraction_fps": 25, "extraction_res": 256, "input_res": 224, "num_frames": 2, "stride": 1}}},
    "optimizer": {"type": "AdamW", "args": {"lr": 1e-5}},
    "loss": {"type": "NormSoftmaxLoss", "args": {"temperature": 0.1}},
    "metrics": ["t2v_metrics", "v2t_metrics"],
    "trainer": {"epochs": 30, "max_samples_per_epoch": 20000, "save_dir": "x", "save_period": 1, "verbosity": 2,
                "monitor": "min val_loss_0", "early_stop": 200, "neptune": False, "init_val": False},
    "visualizer": {"type": "", "args": {}},
}  # fmt: skip


class Parser:
    """Pickled like the release's config parser, under a module that is gone when the file is read."""

    def __init__(self):
        self.resume, self.log = Path("ckpt"), {"levels": [0, 1, 2]}


def written(path: Path, state: dict, monkeypatch, *, prefix: str = "module.", zipped: bool = True) -> Path:
    """A checkpoint as the release's trainer writes it: under DataParallel, with its parser object beside it."""
    module = types.ModuleType("parse_config")
    module.Parser = Parser
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "parse_config", module)
        patch.setattr(Parser, "__module__", "parse_config")
        whole = {
            "arch": "FrozenInTime", "epoch": 17, "monitor_best": np.float64(1.5),
            "state_dict": OrderedDict((prefix + name, value) for name, value in state.items() if name != "scale"),
            "optimizer": {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1e-5}]},
            "config": Parser(),
        }  # fmt: skip
        torch.save(whole, path, _use_new_zipfile_serialization=zipped)
    return path


def state_of(model) -> dict:
    return {name: value.clone() for name, value in model.network.state_dict().items()}


@pytest.fixture
def release(tmp_path):
    """A model with random weights, and its vocabulary's folder."""
    return small(tmp_path / "words", time_init="zeros"), tmp_path / "words"


OTHER = {key: value for key, value in SIZES.items() if key not in ("n_frames", "projection", "time_init")}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("prefix", ["module.", ""])
def test_a_checkpoint_is_read_whole_and_written_as_safetensors(tmp_path, monkeypatch, release, prefix, zipped):
    model, folder = release
    path = written(tmp_path / "textvr.pth", state_of(model), monkeypatch, prefix=prefix, zipped=zipped)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    found = import_checkpoint(path, tmp_path / "config.json", tokenizer=folder, into=tmp_path / "out", **OTHER)
    assert found.told == {"arch": "FrozenInTime", "epoch": 17} and found.missing == ("scale",)
    assert set(found.loaded) == set(state_of(model)) - {"scale"} and found.left_out == ()
    assert found.temporal_rows == (2, 2) and found.config.recipe["temperature"] == 0.1
    assert found.model.network.scale.item() == pytest.approx(math.log(10))
    gallery = videos(model)
    should = model.similarity(CAPTIONS, model.encode(gallery))
    for one in (found.model, load(tmp_path / "out")):
        assert np.array_equal(one.similarity(CAPTIONS, one.encode(gallery)), should)
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"model.safetensors", "vocab.txt"}


def test_reading_runs_nothing(tmp_path, release):
    model, _ = release
    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return Path.touch, (ran,)

    class Worse:
        def __reduce__(self):
            return eval, (f"open({str(ran)!r}, 'w')",)

    path = tmp_path / "evil.pth"
    torch.save({"state_dict": state_of(model), "config": [Evil(), Worse()]}, path)
    state, told = read_release(path)
    assert set(state) == set(state_of(model)) and told == {} and not ran.exists()
    torch.save({"state_dict": {"a": Evil()}}, path)
    with pytest.raises(DataError, match="holds no weights by name"):
        read_release(path)
    assert not ran.exists()


def test_frozen_in_time_is_the_vision_model(tmp_path, monkeypatch):
    model = small(tmp_path / "words", "vision", time_init="zeros")
    state = state_of(model) | {"text_model.embeddings.position_ids": torch.arange(12)[None]}
    path = written(tmp_path / "frozen.pth", state, monkeypatch)
    found = import_checkpoint(path, modality="vision", tokenizer=tmp_path / "words", **{**SIZES, "n_frames": 4})
    assert found.left_out == ("text_model.embeddings.position_ids",) and found.temporal_rows == (2, 4)
    table = found.model.network.video_model.temporal_embed
    assert torch.equal(table[:, :2], state["video_model.temporal_embed"]) and not table[:, 2:].any()
    assert found.config is None and found.model.network.scale.item() == pytest.approx(math.log(20))


CHANGES = {
    r"1 missing \('query_token'\)": lambda s: {k: v for k, v in s.items() if k != "query_token"},
    r"1 unexpected \('head.weight'\)": lambda s: s | {"head.weight": torch.zeros(2)},
    r"1 of another size \('query_token' is \[1, 17\], the model has \[1, 16\]\)": lambda s: {
        **s, "query_token": torch.zeros(1, 17)
    },
    r"2 missing .*; 1 unexpected \('x'\); 1 of another": lambda s: {
        k: v for k, v in s.items() if "ocr_pos" not in k
    } | {"x": torch.zeros(1), "txt_proj.1.bias": torch.zeros(9)},
    r"\d+ missing \('query_token', .*' and \d+ more\)": lambda s: {k: v for k, v in s.items() if "video" in k},
}  # fmt: skip


@pytest.mark.parametrize("sentence", CHANGES)
def test_every_weight_is_accounted_for(tmp_path, monkeypatch, release, sentence):
    model, folder = release
    path = written(tmp_path / "textvr.pth", CHANGES[sentence](state_of(model)), monkeypatch)
    with pytest.raises(DataError, match=f"do not fit: {sentence}"):
        import_checkpoint(path, tokenizer=folder, into=tmp_path / "out", **SIZES)
    assert not (tmp_path / "out").exists()


def test_files_that_are_no_checkpoint_are_named(tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        read_release(tmp_path / "none.pth")
    for content in (b"", b"no weights at all", b"PK\x03\x04 broken", pickle.dumps({"state_dict": [1]})):
        (tmp_path / "bad.pth").write_bytes(content)
        with pytest.raises(DataError, match=r"bad\.pth"):
            read_release(tmp_path / "bad.pth")
    torch.save({"a": torch.zeros(2), "b": torch.zeros(1)}, tmp_path / "bare.pth")
    state, told = read_release(tmp_path / "bare.pth")
    assert set(state) == {"a", "b"} and told == {}


# The config.


def test_a_config_becomes_recipe_keys(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | {"seed": 3, "trainer": CONFIG["trainer"] | {"epoks": 1}}))
    found = recipe_of_config(read_config(tmp_path / "config.json"), n_videos=7869)
    assert found.recipe == {
        "model": "textvr_fusion", "preset": "starvr", "modality": "fusion", "corpus": "textvr", "batch_videos": 32,
        "learning_rate": 1e-5, "weight_decay": 0.0, "warmup": 0, "auxiliary": 0.0, "mask": [], "loss": "infonce",
        "temperature": 0.1, "reader": "decord", "steps": 30 * 245, "eval_every": 245, "patience": 201,
        "schedule": "constant", "epsilon": 1e-6, "beta2": 0.999, "precision": "float32", "augment": "parity",
        "frame_choices": 8,
    }  # fmt: skip
    assert found.options == {"n_frames": 2, "time_init": "zeros", "projection": 6}
    assert set(found.unknown) == {"trainer.epoks", "seed"}
    assert "data_loader.args.cut" in found.no_effect and found.not_taken["trainer.save_period"] == 1
    everything = set(found.not_taken) | set(found.no_effect) | set(found.unknown)
    assert not everything & {"optimizer.args.lr", "data_loader.args.batch_size"}
    fields = {one.name for one in dataclasses.fields(Recipe)}
    assert set(found.recipe) <= fields
    assert recipe_of_config(CONFIG).recipe["steps"] == 30 * (7082 // 32)
    assert recipe_of_config(changed("trainer.max_samples_per_epoch", 100)).recipe["eval_every"] == 4
    assert recipe_of_config(changed("trainer.monitor", "off")).recipe["patience"] is None
    other = recipe_of_config(changed("data_loader.args.dataset_name", "VITVR_zyzocranns"))
    assert "steps" not in other.recipe and released_recipe(dataclasses.asdict(other)) is None


@pytest.mark.parametrize("modality", ["fusion", "vision", "ocr"])
def test_webvid_makes_a_recipe(modality):
    config = changed("data_loader.args.dataset_name", "WebVid") | {"optimizer": {"args": {"lr": 2e-5}}}
    config["data_loader"]["args"]["batch_size"] = 64
    found = released_recipe(dataclasses.asdict(recipe_of_config(config, modality=modality)))
    assert (found.corpus, found.modality, found.steps, found.eval_every) == ("webvid", modality, 30 * 313, 313)
    config["trainer"]["max_samples_per_epoch"] = 3_000_000
    assert recipe_of_config(config).recipe["eval_every"] == load_recipe("webvid_pretrain").steps


@pytest.mark.parametrize(
    ("path", "value"),
    [("data_loader.args.batch_size", 0), ("data_loader.args.batch_size", "64"), ("trainer.epochs", "300"),
     ("trainer.max_samples_per_epoch", "20000"), ("trainer.epochs", True), ("trainer.epochs", 10**300),
     ("trainer.early_stop", -1), ("optimizer.args.lr", "1e-5"), ("optimizer.args.lr", float("inf"))],
)  # fmt: skip
def test_a_config_with_wrong_kinds_is_refused(path, value):
    with pytest.raises(DataError, match=path):
        recipe_of_config(changed(path, value))


def test_a_config_is_the_shipped_recipe_with_its_own_numbers(tmp_path):
    config = dataclasses.asdict(recipe_of_config(CONFIG))
    made, shipped = load_recipe(str(write_recipe(tmp_path, config))).to_dict(), load_recipe("starvr").to_dict()
    assert {key: value for key, value in made.items() if value != shipped[key]} == {
        "batch_videos": 32, "learning_rate": 1e-5, "temperature": 0.1, "reader": "decord", "steps": 30 * 221,
        "eval_every": 221, "options": {**shipped["options"], "n_frames": 2, "time_init": "zeros", "projection": 6},
    }  # fmt: skip
    assert "trainer.save_period 1" in (tmp_path / "recipe.yaml").read_text().splitlines()[0]
    as_shipped = changed("data_loader.args.batch_size", 64) | {
        "optimizer": {"args": {"lr": 3e-5}}, "loss": {}, "trainer": CONFIG["trainer"] | {"epochs": 300},
    }  # fmt: skip
    as_shipped["arch"]["args"] = {}
    as_shipped["data_loader"]["args"]["reader"] = "av"
    assert released_recipe(dataclasses.asdict(recipe_of_config(as_shipped))) == load_recipe("starvr")


def changed(path: str, value) -> dict:
    config = json.loads(json.dumps(CONFIG))
    *above, last = path.split(".")
    at = config
    for name in above:
        at = at[name]
    at[last] = value
    return config


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("arch.args.text_params.model", "bert-base-uncased", "text_params.model 'bert-base-uncased'. Only 'distilbert"),
        ("arch.args.video_params.arch_config", "base_patch32_224", "Only 'base_patch16_224'"),
        ("arch.args.projection", "", "Only 'minimal'"),
        ("data_loader.args.reader", "cv2", "reader 'cv2'. Known: decord, av"),
        ("loss.type", "EgoNCE", "loss.type 'EgoNCE'"),
        ("data_loader", [{}, {}], "several data sets"),
    ],
)
def test_a_config_of_another_model_is_refused(path, value, sentence):
    with pytest.raises(DataError, match=sentence):
        recipe_of_config(changed(path, value))


def test_what_is_no_config_is_named(tmp_path):
    for content in ("", "[1]"):
        (tmp_path / "config.json").write_text(content)
        with pytest.raises(DataError, match=r"config\.json"):
            read_config(tmp_path / "config.json")


# Starting from DistilBERT and an image ViT.


def distilbert(folder: Path, head: bool, **sizes):
    """A random DistilBERT in a folder of Hugging Face layout, with or without the head of its own task."""
    transformers = pytest.importorskip("transformers", reason="needs transformers, which make setup installs")
    small_ones = {"vocab_size": 40, "max_position_embeddings": 12, "n_layers": 2, "n_heads": 2, "dim": 16}
    config = transformers.DistilBertConfig(**{**small_ones, "hidden_dim": 64, **sizes})
    model = (transformers.DistilBertForMaskedLM if head else transformers.DistilBertModel)(config)
    model.save_pretrained(folder)
    vocabulary(folder)
    return model.distilbert if head else model


@pytest.mark.parametrize("head", [True, False])
def test_both_text_towers_start_from_a_folder(tmp_path, head):
    peer = distilbert(tmp_path, head)
    tower = build_model("textvr_fusion", preset="starvr", weights=tmp_path, **SIZES).network
    for name, value in peer.state_dict().items():
        assert torch.equal(tower.text_model.state_dict()[name], value), name
        assert torch.equal(tower.ocr_model.state_dict()[name], value), name
    assert tower.text_model.embeddings.word_embeddings.weight is not tower.ocr_model.embeddings.word_embeddings.weight


def test_the_video_tower_starts_from_a_file(tmp_path):
    folder = vocabulary(tmp_path)
    source = small(folder, "vision").network.video_model
    torch.save(source.state_dict(), tmp_path / "vit.pt")
    model = build_model("textvr_fusion", preset="starvr", tokenizer=folder, vision_weights=tmp_path / "vit.pt", **SIZES)
    for name, value in source.state_dict().items():
        assert torch.equal(model.network.video_model.state_dict()[name], value), name


def test_a_folder_that_does_not_fit_is_named(tmp_path):
    distilbert(tmp_path / "other", head=False, n_heads=4)
    with pytest.raises(DataError, match="has n_heads 4, the model 2. Give text_heads=4"):
        build_model("textvr_fusion", preset="starvr", weights=tmp_path / "other", **SIZES)
    for name, sentence in (("model.safetensors", "holds no model.safetensors"), ("config.json", "cannot be read")):
        (tmp_path / "other" / name).unlink()
        with pytest.raises(DataError, match=sentence):
            build_model("textvr_fusion", preset="starvr", weights=tmp_path / "other", **{**SIZES, "text_heads": 4})


def test_a_program_is_refused_before_torch_sees_it(tmp_path, monkeypatch):
    path = tmp_path / "textvr.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
        archive.writestr("archive/constants.pkl", pickle.dumps(()))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was loaded"))
    with pytest.raises(DataError, match="TorchScript program"):
        read_release(path)
