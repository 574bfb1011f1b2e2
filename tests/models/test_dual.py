"""The dual encoder against transformers' own functions and image processors; folders that lack something."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.models.dual_folders import MEAN, STD, WORDS, write_dual
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.seeds import generator
from workbench.models import Gallery, Words, build_model
from workbench.models.families import load
from workbench.models.towers.dual import find_weights
from workbench.models.towers.dual.pixels import FITS, prepared, scaled_size
from workbench.models.towers.dual.weights import Looks
from workbench.training.batches import Batch
from workbench.training.recipes import load_recipe
from workbench.training.step import make_step

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
transformers = pytest.importorskip("transformers", reason="needs transformers, which make setup installs")
tokenizers = pytest.importorskip("tokenizers", reason="needs tokenizers, which comes with transformers")

FAMILIES = ("clip", "siglip", "siglip2")
CAPTIONS = ["a red bus", "the dog", "a sign of the airport shop and the rain", "STOP", ""]
LOOKS = Looks(tuple(MEAN), tuple(STD), "bicubic")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    base = tmp_path_factory.mktemp("dual")
    return {family: write_dual(base / family, family) for family in FAMILIES}


@pytest.fixture
def encoder(folders, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    return lambda family="clip", **options: build_model(
        "dual_encoder", weights=str(folders[family]), **{"n_frames": 3, **options}
    )


def gallery(n=5, n_frames=3, height=16, width=16, words=None):
    draw = generator(0, "dual gallery")
    frames = draw.integers(0, 256, (n, n_frames, height, width, 3), np.uint8)
    texts = words or [(), ("RED", "bus"), ("stop",), ("airport", "shop", "taxi", "42"), ("red", "bus")]
    return Gallery(tuple(f"v{i}" for i in range(n)), frames, tuple(Words(tuple(one)) for one in texts))


def by_hand(folder, family, frames, captions):
    """Cosines [captions, videos] by transformers' own model: each caption and each frame by itself."""
    model = transformers.AutoModel.from_pretrained(folder, local_files_only=True)
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    text, videos = [], []
    with torch.no_grad():
        for caption in captions:
            ids = tokenizer.encode(caption.lower()).ids
            ids = ids if len(ids) <= 12 else [*ids[:11], ids[-1]]
            padding = [0] * (12 - len(ids)) if family != "clip" else []
            text.append(model.get_text_features(input_ids=torch.tensor([ids + padding])).pooler_output[0])
        for video in frames:
            each = []
            for frame in video:
                vector = model.get_image_features(**_as_taken(frame, family)).pooler_output[0]
                each.append(vector / vector.norm())
            videos.append(torch.stack(each).mean(0))
    text, videos = (torch.nn.functional.normalize(torch.stack(one), dim=-1) for one in (text, videos))
    return (text @ videos.T).numpy(), model.logit_scale.detach().exp().item()


def _as_taken(frame, family):
    """A frame of 16 x 16 pixels as the model takes it, by transformers' own processor where that is not plain."""
    if family == "siglip2":
        own = transformers.Siglip2ImageProcessorPil(patch_size=4, max_num_patches=16, image_mean=MEAN, image_std=STD)
        return dict(own(images=[frame], return_tensors="pt"))
    values = torch.from_numpy(((frame / 255 - MEAN) / STD).astype(np.float32)).permute(2, 0, 1)
    return {"pixel_values": values[None]}


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_what_transformers_computes(encoder, folders, family):
    model, videos = encoder(family), gallery()
    expected, scale = by_hand(folders[family], family, videos.frames, CAPTIONS)
    found = model.similarity(CAPTIONS, model.encode(videos))
    assert found.dtype == np.float32 and np.ptp(expected) > 0.05
    np.testing.assert_allclose(found, scale * expected, atol=2e-5 * scale)
    np.testing.assert_array_equal(model.device_similarity(CAPTIONS, model.encode(videos)).numpy(), found)
    assert model.needs == {"frames"} and model.reads["height"] == model.reads["width"] == 16
    assert set(model.parts(CAPTIONS, model.encode(videos))) == {"vision"}


@pytest.mark.parametrize("family", FAMILIES)
def test_read_text_is_its_nearest_sentence(encoder, family):
    model, videos = encoder(family, modality="ocr", words_per_sentence=2), gallery()
    assert model.needs == {"ocr"}
    sentences = {1: ["RED bus"], 2: ["stop"], 3: ["airport shop", "taxi 42"], 4: ["red bus"]}
    text, scale = model.text(CAPTIONS), model.network.scale.detach().exp().item()
    expected = np.zeros((len(CAPTIONS), 5), np.float32)
    for column, own in sentences.items():
        expected[:, column] = scale * (text @ model.text(own).T).amax(1).numpy()
    found = model.similarity(CAPTIONS, model.encode(videos))
    np.testing.assert_allclose(found, expected, atol=1e-5 * scale)
    assert (found[:, 1] == found[:, 4]).all(), "case does not matter to these tokenizers"


def test_every_sentence_and_frame_goes_through_once(encoder, monkeypatch):
    model = encoder(modality="fusion")
    rows = {"text": 0, "frames": 0}

    def counted(name, true):
        def count(value):
            rows[name] += len(value["ids"] if isinstance(value, dict) else value)
            return true(value)

        return count

    for name in rows:
        monkeypatch.setattr(model.network, name, counted(name, getattr(model.network, name)))
    words = [("red", "bus")] * 3 + [("stop",), ()]
    encoded = model.encode(gallery(words=words))
    assert rows == {"text": 2, "frames": 15}
    found = model.parts(["a red bus"], encoded)
    np.testing.assert_array_equal(found["ocr"][0, :3], found["ocr"][0, [0, 0, 0]])
    np.testing.assert_array_equal(model.similarity(["a red bus"], encoded), found["vision"] + found["ocr"])


def test_nothing_read_anywhere_is_no_error(encoder):
    model = encoder(modality="fusion")
    parts = model.parts(CAPTIONS, model.encode(gallery(words=[()] * 5)))
    assert (parts["ocr"] == 0).all() and np.isfinite(parts["vision"]).all()


def test_scores_do_not_depend_on_company_or_order(encoder):
    model, videos = encoder(modality="fusion"), gallery()
    whole = model.similarity(CAPTIONS, model.encode(videos))
    order = [3, 0, 4, 1, 2]
    turned = model.similarity(CAPTIONS[::-1], model.encode(videos.take(order)))
    np.testing.assert_allclose(turned[::-1], whole[:, order], atol=1e-4)
    alone = model.similarity([CAPTIONS[2]], model.encode(videos.take([3])))
    np.testing.assert_allclose(alone[0, 0], whole[2, 3], atol=1e-4)


def test_training_sees_the_same_numbers(encoder):
    model, videos = encoder(modality="fusion"), gallery()
    model.network.eval()
    with torch.no_grad():
        caption = model.network.caption(model.caption_inputs(CAPTIONS))
        parts = model.network.parts(caption, model.network.videos(*model.video_inputs(videos)))
    for name, part in model.parts(CAPTIONS, model.encode(videos)).items():
        np.testing.assert_allclose(parts[name].numpy(), part, atol=1e-4)
    assert "scale" in dict(model.network.named_parameters())


def test_bf16_is_near_and_leaves_the_weights_alone(encoder):
    exact, near = encoder(), encoder(precision="bf16")
    videos = gallery()
    a, b = (one.similarity(CAPTIONS, one.encode(videos)) for one in (exact, near))
    scale = exact.network.scale.detach().exp().item()
    assert 0 < np.abs(a - b).max() < 0.05 * scale
    assert {value.dtype for value in near.network.parameters()} == {torch.float32}


@pytest.mark.parametrize("shape", [(40, 64), (64, 40), (48, 48), (16, 16), (9, 31)])
def test_crop_is_what_clips_own_processor_makes(shape):
    frame = _smooth(shape)
    own = transformers.CLIPImageProcessorPil(
        size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}, image_mean=MEAN, image_std=STD
    )
    expected = own(images=[frame], return_tensors="np")["pixel_values"][0]
    found = prepared(torch.from_numpy(frame)[None], 16, "crop", LOOKS)[0].numpy()
    assert np.abs(found - expected).max() < 0.04, "Pillow rounds to whole colours after each of its two passes"


@pytest.mark.parametrize("shape", [(40, 64), (64, 40), (16, 16)])
def test_squash_is_what_siglips_own_processor_makes(shape):
    frame = _smooth(shape)
    own = transformers.SiglipImageProcessorPil(
        size={"height": 16, "width": 16}, image_mean=MEAN, image_std=STD, resample=3
    )
    expected = own(images=[frame], return_tensors="np")["pixel_values"][0]
    found = prepared(torch.from_numpy(frame)[None], 16, "squash", LOOKS)[0].numpy()
    assert np.abs(found - expected).max() < 0.04


def _smooth(shape):
    """A picture of waves; noise would differ by rounding alone."""
    y, x = np.mgrid[: shape[0], : shape[1]] / 8
    return (127 + 100 * np.sin(np.stack([x, y, x + y], -1))).astype(np.uint8)


@pytest.mark.parametrize("shape", [(36, 64), (64, 36), (16, 16), (5, 400), (400, 5)])
def test_letterbox_keeps_the_shape_and_fills_with_the_mean(shape):
    frame = torch.full((2, *shape, 3), 200, dtype=torch.uint8)
    found = prepared(frame, 16, "letterbox", LOOKS)
    assert found.shape == (2, 3, 16, 16)
    filled = (found[0, 0] != 0).numpy()
    height, width = filled.any(1).sum(), filled.any(0).sum()
    assert (height, width) == scaled_size(*shape, 16, "letterbox") and max(height, width) == 16
    assert abs(height * shape[1] - width * shape[0]) <= max(shape), "within a pixel of the frame's own shape"
    top, bottom = np.flatnonzero(filled.any(1))[[0, -1]]
    assert abs(top - (15 - bottom)) <= 1, "in the middle"
    np.testing.assert_allclose(found[0, 0][filled], (200 / 255 - MEAN[0]) / STD[0], rtol=1e-4)


def test_frames_of_the_right_size_are_not_scaled():
    frame = torch.from_numpy(_smooth((16, 16)))[None]
    plain = (frame[0] / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    for fit in FITS:
        torch.testing.assert_close(prepared(frame, 16, fit, LOOKS)[0], plain.permute(2, 0, 1))


def test_weights_by_name_lie_in_one_folder(folders, monkeypatch, tmp_path):
    (tmp_path / "clip-vit-base-patch32").symlink_to(folders["clip"])
    monkeypatch.delenv("WORKBENCH_WEIGHTS", raising=False)
    missing = "hf download openai/clip-vit-base-patch32 --local-dir FOLDER/clip-vit-base-patch32"
    with pytest.raises(StateError, match=missing) as caught:
        build_model("dual_encoder")
    assert "config.json, preprocessor_config.json, tokenizer.json" in caught.value.message
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path))
    assert find_weights("clip-vit-base-patch32") == tmp_path / "clip-vit-base-patch32"
    assert build_model("dual_encoder").network.size == 16
    with pytest.raises(StateError, match="'other' are not on this machine"):
        find_weights("other")


def test_a_torch_file_of_weights_is_read_as_tensors_only(folders, encoder, tmp_path):
    safe = pytest.importorskip("safetensors.torch", reason="needs safetensors, which make setup installs")
    for file in folders["clip"].glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save(safe.load_file(folders["clip"] / "model.safetensors"), tmp_path / "pytorch_model.bin")
    old, own = build_model("dual_encoder", weights=str(tmp_path)), encoder()
    torch.testing.assert_close(old.text(CAPTIONS), own.text(CAPTIONS), rtol=0, atol=0)
    assert set(old.stated()["sha256"]) == {"pytorch_model.bin"}
    torch.save(Harmful(), tmp_path / "pytorch_model.bin")
    with pytest.raises(DataError, match="cannot be read"):
        build_model("dual_encoder", weights=str(tmp_path))


class Harmful:
    def __reduce__(self):
        return (pytest.fail, ("code of a file was run",))


def test_a_folder_that_lacks_something_is_named(folders, tmp_path):
    def broken(**changes):
        folder = tmp_path / f"broken{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for file in folders["clip"].iterdir():
            content = changes.get(file.stem.split("_")[0], file.read_bytes())
            if content is not None:
                (folder / file.name).write_bytes(content)
        return folder

    def says(sentence, folder, error=DataError):
        with pytest.raises(error, match=sentence):
            build_model("dual_encoder", weights=str(folder))

    says("lacks preprocessor_config.json. .*hf download", broken(preprocessor=None), StateError)
    says("lacks model.safetensors", broken(model=None), StateError)
    says("cannot be read", broken(model=b"no tensors"))
    told = json.loads((folders["clip"] / "preprocessor_config.json").read_text())
    says("image_mean", broken(preprocessor=b"{}"))
    says("filter 9", broken(preprocessor=json.dumps({**told, "resample": 9}).encode()))
    says("rescale_factor", broken(preprocessor=json.dumps({**told, "rescale_factor": 1.0}).encode()))
    config = json.loads((folders["clip"] / "config.json").read_text())
    says("No type of dual encoder is called 'bert'", broken(config=b'{"model_type": "bert"}'), UnknownNameError)
    config["text_config"]["num_hidden_layers"] = 3
    says("lacks 16 weights, the first is text_model", broken(config=json.dumps(config).encode()))


def test_wrong_options_are_named(encoder):
    with pytest.raises(UnknownNameError, match="No fit is called 'stretch'"):
        encoder(fit="stretch")
    with pytest.raises(DataError, match="no option 'frames'. Did you mean n_frames"):
        encoder(frames=3)
    with pytest.raises(DataError, match="n_frames is 0"):
        encoder(n_frames=0)
    with pytest.raises(DataError, match="n_frames is 'many'. Give a whole number."):
        encoder(n_frames="many")
    with pytest.raises(DataError, match="fit is 3. Give a text."):
        encoder(fit=3)
    with pytest.raises(DataError, match=r"reads frames \(3, 16, 16, 3\), found None"):
        encoder().encode(Gallery(("a",), None, (Words(),)))


def test_long_text_is_cut_where_positions_end(encoder):
    model = encoder()
    long = " ".join(WORDS * 3)
    assert model.caption_inputs([long])["ids"].shape == (1, 12)
    assert torch.isfinite(model.text([long])).all()


@pytest.mark.parametrize("modality", ["vision", "fusion"])
def test_the_training_engine_can_change_it_and_it_comes_back(encoder, folders, modality, tmp_path, monkeypatch):
    """Loss and gradients of the tower and of its temperature; the checkpoint needs no file of where it began."""
    recipe = replace(load_recipe("textvr_fusion_selftest"), modality=modality)
    model = encoder(modality=modality)
    videos = gallery(n=4, words=[("red", "bus"), (), ("stop",), ("taxi",)])
    batch = Batch(["a red bus", "the dog", "stop", "taxi 42"], videos, np.zeros((4, 4), bool))
    before = {name: value.detach().clone() for name, value in model.network.named_parameters()}
    optimiser = torch.optim.AdamW(model.network.parameters(), lr=1e-3)
    losses = [make_step(model, batch, optimiser, recipe) for _ in range(8)]
    assert losses[-1] < losses[0]
    changed = {name for name, value in model.network.named_parameters() if not torch.equal(value, before[name])}
    model.network.eval()
    model.save(tmp_path / "saved")
    monkeypatch.delenv("WORKBENCH_WEIGHTS", raising=False)
    shutil.move(folders["clip"], tmp_path / "away")
    try:
        again = load(tmp_path / "saved")
    finally:
        shutil.move(tmp_path / "away", folders["clip"])
    assert again.options == model.options and again.needs == model.needs and again.reads == model.reads
    np.testing.assert_array_equal(
        again.similarity(CAPTIONS, again.encode(videos)), model.similarity(CAPTIONS, model.encode(videos))
    )
    assert {"scale", "model.visual_projection.weight", "model.text_projection.weight"} <= changed
