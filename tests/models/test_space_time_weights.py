"""Weights from elsewhere: timm's and Hugging Face's layouts, files, temporal tables, and what does not fit."""

from __future__ import annotations

import pytest

from tests.models.small_towers import SMALL, frames, image_vit, made
from workbench.core.errors import DataError, UnknownNameError
from workbench.models.towers.space_time import build_tower, load_weights
from workbench.models.towers.space_time.weights import as_timm, fit_temporal

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")


def timm_state(seed: int = 5):
    """Random weights of a ViT under timm's names, with its classifier."""
    draw = torch.Generator().manual_seed(seed)
    shapes = {"cls_token": (1, 1, 32), "pos_embed": (1, 17, 32), "patch_embed.proj.weight": (32, 3, 8, 8)}
    shapes |= {"patch_embed.proj.bias": (32,), "norm.weight": (32,), "norm.bias": (32,)}
    for b in range(2):
        linear = {"attn.qkv": (96, 32), "attn.proj": (32, 32), "mlp.fc1": (128, 32), "mlp.fc2": (32, 128)}
        for name, shape in linear.items():
            shapes |= {f"blocks.{b}.{name}.weight": shape, f"blocks.{b}.{name}.bias": shape[:1]}
        for name in ("norm1", "norm2"):
            shapes |= {f"blocks.{b}.{name}.weight": (32,), f"blocks.{b}.{name}.bias": (32,)}
    shapes |= {"head.weight": (10, 32), "head.bias": (10,)}
    return {name: torch.randn(shape, generator=draw) for name, shape in shapes.items()}


RENAMED = {  # timm to the names in Hugging Face's files and to those that transformers 5 has in memory
    "files": {
        "blocks.": "vit.encoder.layer.", "attn.proj": "attention.output.dense", "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense", "query": "attention.attention.query", "key": "attention.attention.key",
        "value": "attention.attention.value", "prefix": "vit.",
    },
    "memory": {
        "blocks.": "layers.", "attn.proj": "attention.o_proj", "mlp.fc1": "mlp.fc1", "mlp.fc2": "mlp.fc2",
        "query": "attention.q_proj", "key": "attention.k_proj", "value": "attention.v_proj", "prefix": "",
    },
}  # fmt: skip


def hugging_face_state(state, kind):
    """timm's layout turned into Hugging Face's, name by name."""
    to = RENAMED[kind]
    top = {"cls_token": "embeddings.cls_token", "pos_embed": "embeddings.position_embeddings"}
    out = {}
    for name, value in state.items():
        if name.startswith("head."):
            out[name.replace("head", "classifier")] = value
        elif not name.startswith("blocks."):
            new = top.get(name) or name.replace("patch_embed.proj", "embeddings.patch_embeddings.projection")
            out[to["prefix"] + new.replace("norm.", "layernorm.")] = value
        elif ".attn.qkv." in name:
            for part, rows in zip(("query", "key", "value"), value.chunk(3), strict=True):
                out[name.replace("attn.qkv", to[part]).replace("blocks.", to["blocks."])] = rows
        else:
            new = name.replace("norm1", "layernorm_before").replace("norm2", "layernorm_after")
            for piece in ("attn.proj", "mlp.fc1", "mlp.fc2", "blocks."):
                new = new.replace(piece, to[piece])
            out[new] = value
    return out


@pytest.mark.parametrize("kind", RENAMED)
def test_timm_and_hugging_face_layouts_are_the_same_weights(kind):
    timm = timm_state()
    body = {name: value for name, value in timm.items() if not name.startswith("head.")}
    layout, back = as_timm({k: v for k, v in hugging_face_state(timm, kind).items() if "classifier" not in k})
    assert layout == "hugging_face" and back.keys() == body.keys()
    assert all(torch.equal(back[name], body[name]) for name in body)
    one, other = build_tower("tiny"), build_tower("tiny")
    report, same = load_weights(one, timm), load_weights(other, hugging_face_state(timm, kind))
    assert report.loaded == same.loaded and set(report.loaded) == set(body) and report.missing == same.missing
    assert report.layout == "timm" and report.left_out == ("head.weight", "head.bias")
    assert same.left_out == ("classifier.weight", "classifier.bias") and report.temporal_rows is None
    assert all(torch.equal(one.state_dict()[name], value) for name, value in body.items())
    videos = frames(side=32).float()
    assert torch.equal(one(videos), other(videos))


def test_the_names_are_those_that_transformers_writes_and_holds(tmp_path):
    tensors = pytest.importorskip("safetensors.torch", reason="needs safetensors, which make setup installs")
    vit = image_vit()
    assert set(hugging_face_state(timm_state(), "memory")) - {"classifier.weight", "classifier.bias"} == {
        name for name in vit.state_dict() if "pooler" not in name
    }
    vit.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    assert any(name.startswith("encoder.layer.0.attention.attention") for name in tensors.load_file(path))
    tower = build_tower("tiny", norm_eps=vit.config.layer_norm_eps).double().eval()
    load_weights(tower, path)
    videos = frames(count=1, side=32)
    with torch.no_grad():
        torch.testing.assert_close(tower(videos), vit(pixel_values=videos[:, 0]).last_hidden_state[:, 0])


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_weights_come_from_files(tmp_path, suffix):
    tensors = pytest.importorskip("safetensors.torch", reason="needs safetensors, which make setup installs")
    path = tmp_path / f"weights{suffix}"
    state = made(image_size=8).float().state_dict()
    tensors.save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    tower = build_tower(**SMALL)
    report = load_weights(tower, path)
    assert not report.missing and report.temporal_rows == (3, 3)
    assert all(torch.equal(value, state[name]) for name, value in tower.state_dict().items())


@pytest.mark.parametrize("wrapped", ["model", "state_dict", None])
@pytest.mark.parametrize("before", ["", "module.", "module.video_model.", "video_model.", "eyes.tower."])
def test_wrapped_weights_and_those_of_a_whole_model_are_read(tmp_path, wrapped, before):
    state = made(image_size=8).float().state_dict()
    named = {before + name: value for name, value in state.items()}
    if "." in before.removeprefix("module."):
        named |= {"module.text_model.w" if before.startswith("module.") else "text_model.w": torch.zeros(2)}
    torch.save(
        named if wrapped is None else {"epoch": 3, wrapped: named, "optimizer": {"state": {}}}, tmp_path / "w.pth"
    )
    tower = build_tower(**SMALL)
    assert not load_weights(tower, tmp_path / "w.pth").missing
    assert all(torch.equal(value, state[name]) for name, value in tower.state_dict().items())


@pytest.mark.parametrize(
    "rows,n_frames,rule,expected",
    [
        ([1, 2], 4, "zeros", [1, 2, 0, 0]),
        ([1, 2], 4, "interp", [1, 1, 2, 2]),
        ([1, 2], 4, "bilinear", [1, 1.25, 1.75, 2]),
        ([1, 2], 3, "interp", [1, 1, 2]),
        ([1, 2], 3, "bilinear", [1, 1.5, 2]),
        ([3], 2, "bilinear", [3, 3]),
        ([1, 2, 5, 7], 2, "bilinear", [1, 2]),  # longer: cut, whatever the rule
        ([1, 2, 5, 7], 3, "zeros", [1, 2, 5]),
        ([1, 2], 2, "interp", [1, 2]),
    ],
)
def test_a_temporal_table_takes_the_tower_s_number_of_frames(rows, n_frames, rule, expected):
    table = torch.tensor(rows, dtype=torch.float64)[None, :, None] * torch.tensor([1.0, -2.0])
    golden = torch.tensor(expected, dtype=torch.float64)[None, :, None] * torch.tensor([1.0, -2.0])
    assert torch.equal(fit_temporal(table, n_frames, rule), golden)
    source = made(n_frames=len(rows)).state_dict()
    tower = made(seed=2, n_frames=n_frames)
    report = load_weights(tower, source, temporal=rule)
    assert report.temporal_rows == (len(rows), n_frames)
    assert torch.equal(tower.temporal_embed.data, fit_temporal(source["temporal_embed"], n_frames, rule))


def without(*names):
    return lambda state: {name: value for name, value in state.items() if name not in names}


WRONG = {
    "lacks the weights 'blocks.1.mlp.fc1.bias'": without("blocks.1.mlp.fc1.bias"),
    "lacks the weights 'blocks.0.timeattn.qkv.bias'": without("blocks.0.timeattn.qkv.bias"),
    "'reg_token' have no place": lambda state: state | {"reg_token": torch.zeros(1, 4, 8)},
    "made for 9 patches per frame, the tower has 4": lambda state: state | {"pos_embed": torch.zeros(1, 10, 8)},
    r"'norm.weight' are \[9\], the tower has \[8\]": lambda state: state | {"norm.weight": torch.zeros(9)},
    "'embeddings.mask_token' belong to no plain ViT": lambda state: {"embeddings.mask_token": torch.zeros(1)},
}


@pytest.mark.parametrize("sentence", WRONG)
def test_weights_that_do_not_fit_are_refused_and_change_nothing(sentence):
    tower = made()
    before = {name: value.clone() for name, value in tower.state_dict().items()}
    with pytest.raises(DataError, match=sentence):
        load_weights(tower, WRONG[sentence](made(seed=9).state_dict()))
    assert all(torch.equal(value, before[name]) for name, value in tower.state_dict().items())


def test_an_incomplete_hugging_face_block_is_named():
    state = hugging_face_state(timm_state(), "memory")
    del state["layers.1.attention.k_proj.bias"]
    with pytest.raises(DataError, match=r"'blocks.1.attn.key.bias' are missing"):
        load_weights(build_tower("tiny"), state)


def test_what_is_wrong_is_named(tmp_path):
    tower = made()
    with pytest.raises(UnknownNameError, match="'linear'"):
        load_weights(tower, tower.state_dict(), temporal="linear")
    with pytest.raises(DataError, match="There is no file"):
        load_weights(tower, tmp_path / "none.pt")
    torch.save({"epoch": 3}, tmp_path / "empty.pth")
    with pytest.raises(DataError, match=r"holds no tensor. Save its tensors alone: torch.save\(model.state_dict"):
        load_weights(tower, tmp_path / "empty.pth")
    (tmp_path / "bad.safetensors").write_bytes(b"no tensors here")
    with pytest.raises(DataError, match="cannot be read as safetensors"):
        load_weights(tower, tmp_path / "bad.safetensors")
