"""StarVR: its equations in slow loops, padding and company, words encoded once, training's gradients, sizes, files."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.models import slow_starvr as slow
from tests.models.small_starvr import CAPTIONS, READ, SIZES, small, videos, vocabulary
from workbench.core.errors import DataError, UnknownNameError
from workbench.models import Gallery, Words, build_model
from workbench.models.families import load
from workbench.models.textvr_fusion import PRESETS
from workbench.models.textvr_fusion.starvr import StarvrOptions

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
MODALITIES = ("vision", "ocr", "fusion")


def expected(model, captions, gallery):
    """Cosines by the slow equations, in float64."""
    options, pieces = model.options, model.pieces
    state = {name: value.double() for name, value in model.network.state_dict().items()}
    texts = [slow.caption_vector(state, ids, options) for ids in pieces.ids(captions)]
    rows = []
    for at, words in enumerate(gallery.words):
        text, place = words.text[: options.max_words], torch.from_numpy(words.place[: options.max_words]).double()
        if not text:
            text, place = (" ",), torch.zeros(1, 12).double()
        frames = torch.from_numpy(gallery.frames[at])
        rows.append(slow.video_vector(state, frames, pieces.ids(text), place, options))
    return np.array([[float(slow.cosine(text, video)) for video in rows] for text in texts])


@pytest.mark.parametrize("modality", MODALITIES)
def test_the_network_is_its_equations(tmp_path, modality):
    model = small(tmp_path, modality)
    gallery = videos(model)
    with torch.no_grad():
        found = model.similarity(CAPTIONS, model.encode(gallery))
        should = expected(model, CAPTIONS, gallery)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, should, atol=2e-5)
        model.network.double()
        exact = model.similarity(CAPTIONS, model.encode(gallery))
    np.testing.assert_allclose(exact, should, atol=1e-7)
    assert should.std() > 0.01, "the equations must tell pairs apart"


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_pair_scores_the_same_in_any_company_and_order(tmp_path, modality):
    model = small(tmp_path, modality)
    gallery = videos(model)
    whole = model.similarity(CAPTIONS, model.encode(gallery))
    for row, caption in enumerate(CAPTIONS):
        for column in range(len(READ)):
            alone = model.similarity([caption], model.encode(gallery.take([column])))
            np.testing.assert_allclose(alone[0, 0], whole[row, column], atol=1e-6)
    turned = model.similarity(CAPTIONS[::-1], model.encode(gallery.take([4, 3, 2, 1, 0])))
    np.testing.assert_allclose(turned[::-1, ::-1], whole, atol=1e-6)


@pytest.mark.parametrize("modality", ["ocr", "fusion"])
def test_words_have_no_order_but_their_places(tmp_path, modality):
    model = small(tmp_path, modality)
    gallery = videos(model, READ[:1])
    words = gallery.words[0]
    turned = Gallery(gallery.video_ids, gallery.frames, (Words(words.text[::-1], words.place[::-1].copy()),))
    one, other = (model.similarity(CAPTIONS, model.encode(each)) for each in (gallery, turned))
    np.testing.assert_allclose(one, other, atol=1e-6)
    moved = Gallery(gallery.video_ids, gallery.frames, (Words(words.text, words.place + 1),))
    apart = np.abs(model.similarity(CAPTIONS, model.encode(moved)) - one).max()
    assert (apart > 1e-4) == (modality == "fusion"), "the OCR-only model is told no places"


@pytest.mark.parametrize("modality", ["ocr", "fusion"])
def test_nothing_read_is_the_blank_word(tmp_path, modality):
    model = small(tmp_path, modality)
    gallery = videos(model, [()])
    blank = Gallery(gallery.video_ids, gallery.frames, (Words((" ",), np.zeros((1, 12), np.float32)),))
    one, other = (model.similarity(CAPTIONS, model.encode(each)) for each in (gallery, blank))
    assert np.array_equal(one, other)
    without = Gallery(gallery.video_ids, gallery.frames, (Words(),))  # as a counterfactual takes words away
    assert np.array_equal(model.similarity(CAPTIONS, model.encode(without)), one)


def test_a_word_is_encoded_once_and_none_is_padded(tmp_path, monkeypatch):
    model = small(tmp_path, max_words=200)
    read = [("tea", "nomek", "TEA"), ("nomek",), (), ("tea",) * 50, ("42",)]
    seen: dict[str, list[tuple[int, ...]]] = {"text_model": [], "ocr_model": []}
    for name, into in seen.items():
        tower = getattr(model.network, name)
        tower.register_forward_pre_hook(
            lambda _, __, given, into=into: into.append(tuple(given["input_ids"].shape)), with_kwargs=True
        )
    monkeypatch.setattr(type(model), "videos_per_tile", 2)
    encoded = model.encode(videos(model, read))
    assert len(encoded) == 3
    assert sum(rows for rows, _ in seen["ocr_model"]) == 4, "tea, nomek, 42 and the blank word, of 57"
    assert sorted(length for _, length in seen["ocr_model"]) == [2, 3, 4]
    model.similarity(CAPTIONS, encoded)
    assert sum(rows for rows, _ in seen["text_model"]) == len({caption.lower() for caption in CAPTIONS})


@pytest.mark.parametrize("modality", MODALITIES)
def test_tiles_change_no_score(tmp_path, monkeypatch, modality):
    model = small(tmp_path, modality)
    gallery = videos(model)
    with torch.inference_mode():
        whole = model.network.videos(*model.video_inputs(gallery))["video"]
    monkeypatch.setattr(type(model), "videos_per_tile", 2)
    tiles = torch.cat([one["video"] for one in model.encode(gallery)])
    torch.testing.assert_close(tiles, whole, atol=1e-5, rtol=1e-5)


def test_many_words_go_through_in_pieces(tmp_path, monkeypatch):
    model = small(tmp_path, "ocr")
    gallery = videos(model)
    whole = model.similarity(CAPTIONS, model.encode(gallery))
    monkeypatch.setattr("workbench.models.towers.texts.pieces.PIECES_PER_FORWARD", 7)
    packed = model.pieces.packed([one.text for one in gallery.words])
    assert (packed["groups"].prod(1) <= 7).all() and packed["groups"][:, 0].sum() == len(packed["ids"])
    np.testing.assert_allclose(model.similarity(CAPTIONS, model.encode(gallery)), whole, atol=1e-6)


def test_training_sees_the_cosine_over_the_temperature_and_runs_keep_the_cosine(tmp_path):
    model = small(tmp_path)
    gallery, network = videos(model), model.network
    with torch.no_grad():
        captions = network.caption(model.caption_inputs(CAPTIONS))
        logits = network.parts(captions, network.videos(*model.video_inputs(gallery)))
    assert list(logits) == ["fusion"]
    np.testing.assert_allclose(logits["fusion"], 20 * model.similarity(CAPTIONS, model.encode(gallery)), rtol=1e-5)
    assert list(model.parts(CAPTIONS, model.encode(gallery))) == ["fusion"]
    on_device = model.device_similarity(CAPTIONS, model.encode(gallery))
    assert np.array_equal(on_device.numpy(), model.similarity(CAPTIONS, model.encode(gallery)))


def test_the_cosine_is_float32_whatever_the_rest_is_and_survives_nothing(tmp_path):
    network = small(tmp_path, "ocr").network
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = network.cosine({"text": torch.ones(2, 6).bfloat16()}, {"video": torch.zeros(3, 6).bfloat16()})
    assert found.dtype == torch.float32 and not found.any()
    tiny = {"text": torch.full((1, 4), 1e-9)}
    assert float(network.cosine(tiny, {"video": torch.ones(1, 4)})) == pytest.approx(2e-9 / 1e-8, rel=1e-5)


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_weight_learns_but_the_published_head_without_a_loss(tmp_path, modality):
    model = small(tmp_path, modality)
    network = model.network
    captions = network.caption(model.caption_inputs(CAPTIONS[:5]))
    logits = network.parts(captions, network.videos(*model.video_inputs(videos(model))))[modality]
    torch.nn.functional.cross_entropy(logits, torch.arange(5)).backward()
    idle = {name for name, one in network.named_parameters() if one.grad is None}
    assert idle == ({"vid_proj.0.weight", "vid_proj.0.bias"} if modality == "fusion" else set())
    assert all(not one.requires_grad for name, one in network.named_parameters() if name in idle)


# Sizes.


PARTS = {  # spec 3: video tower, DistilBERTs, fusion attention, rest, total, in millions
    "video_model": 114.17, "text_model": 66.36, "ocr_model": 66.36, "fusion_model": 1.77,
}  # fmt: skip


def test_the_published_model_has_its_number_of_parameters():
    from workbench.models.textvr_fusion.starvr.network import Network

    with torch.device("meta"):
        network = Network(PRESETS["starvr"])
    counts: dict[str, int] = {}
    for name, value in network.named_parameters():
        counts[name.split(".")[0]] = counts.get(name.split(".")[0], 0) + value.numel()
    assert counts.pop("scale") == 1, "the temperature, which the release does not count among its weights"
    assert {name: round(counts[name] / 1e6, 2) for name in PARTS} == PARTS
    rest = sum(count for name, count in counts.items() if name not in PARTS)
    assert rest == 603_648 and round(rest / 1e6, 2) == 0.60
    assert round(sum(counts.values()) / 1e6, 1) == 249.3


def test_single_modalities_hold_what_they_use():
    from workbench.models.textvr_fusion.starvr.network import Network

    tops = {}
    for modality in MODALITIES:
        with torch.device("meta"):
            network = Network(StarvrOptions(**{**SIZES, "modality": modality}))
        tops[modality] = {name.split(".")[0] for name in network.state_dict()}
    assert tops["vision"] == {"scale", "text_model", "txt_proj", "video_model", "vid_proj"}
    assert tops["ocr"] == {"scale", "text_model", "txt_proj", "ocr_model", "fusion_model", "query_token", "fusion_proj"}
    assert tops["fusion"] == tops["vision"] | tops["ocr"] | {"type_embedding", "ocr_pos_embeds"}


# Building, saving, opening.


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_checkpoint_needs_no_other_file(tmp_path, modality):
    model = small(tmp_path / "words", modality, seed=3)
    (tmp_path / "saved").mkdir()
    model.save(tmp_path / "saved")
    (tmp_path / "words" / "vocab.txt").unlink()
    back = load(tmp_path / "saved")
    assert back.options == model.options and back.needs == model.needs and back.reads == model.reads
    gallery = videos(model)
    one, other = (each.similarity(CAPTIONS, each.encode(gallery)) for each in (model, back))
    assert np.array_equal(one, other)


def test_the_seed_decides_the_weights(tmp_path):
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    made = [
        build_model("textvr_fusion", preset="starvr", tokenizer=vocabulary(tmp_path), **SIZES, seed=seed)
        for seed in (0, 0, 1)
    ]
    states = [one.network.state_dict() for one in made]
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["txt_proj.1.weight"], states[2]["txt_proj.1.weight"])


def test_the_vocabulary_is_found_where_weights_lie(tmp_path, monkeypatch):
    monkeypatch.delenv("WORKBENCH_WEIGHTS", raising=False)
    with pytest.raises(
        DataError, match="vocabulary of distilbert-base-uncased, which is not here. Get its tokenizer.json"
    ):
        build_model("textvr_fusion", preset="starvr")
    vocabulary(tmp_path / "distilbert-base-uncased")
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(tmp_path))
    assert build_model("textvr_fusion", preset="starvr_tiny").needs == {"frames", "ocr"}


def test_what_is_wrong_is_named(tmp_path):
    folder = vocabulary(tmp_path / "words")
    for options, error, sentence in (
        ({"modality": "smell"}, UnknownNameError, "'smell'"),
        ({"places": "box"}, UnknownNameError, "choice of places is called 'box'"),
        ({"fusion_heads": 5}, DataError, "5 heads do not divide 16"),
        ({"vocabulary": 8}, DataError, "has 26 pieces, the model 8. Give vocabulary=26"),
        ({"projektion": 8}, DataError, "no option 'projektion'.*projection"),
        ({"modality": "ocr", "vision_weights": "x.pt"}, DataError, "has no video tower"),
        ({"tokenizer": tmp_path / "none"}, DataError, "is no folder"),
    ):
        with pytest.raises(error, match=sentence):
            build_model("textvr_fusion", **{**SIZES, "preset": "starvr", "tokenizer": folder, **options})
    with pytest.raises(DataError, match="no option 'tokenizer'"):
        build_model("textvr_fusion", preset="demo", tokenizer=folder)
    model = small(tmp_path / "words")
    gallery = videos(model)
    with pytest.raises(DataError, match="12 numbers of a word's place, found 6"):
        model.encode(
            Gallery(gallery.video_ids[:1], gallery.frames[:1], (Words(("tea",), np.zeros((1, 6), np.float32)),))
        )
    with pytest.raises(DataError, match="reads frames"):
        model.encode(Gallery(gallery.video_ids, gallery.frames[:, :1], gallery.words))


def test_importing_it_loads_no_torch():
    code = "import sys, workbench.models.textvr_fusion as one; print('torch' in sys.modules, len(one.PRESETS))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["False", str(len(PRESETS))]
