"""What is read (words, windows), how it meets frames (bare, block, score), and who sees: any of each with another."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache, partial

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

from tests.models import small_starvr, small_windows  # noqa: E402
from tests.models.dual_folders import write_dual  # noqa: E402
from tests.models.small_combined import (  # noqa: E402
    ALONE,
    CAPTIONS,
    CASES,
    FEWER,
    FOLDERS,
    IDLE,
    READ,
    UNUSED,
    WINDOWS,
    Case,
    made,
    scores,
    sizes,
    videos,
)
from workbench.core.errors import DataError, StateError, UnknownNameError  # noqa: E402
from workbench.models import Words, build_model  # noqa: E402
from workbench.models.families import load  # noqa: E402
from workbench.models.options import record_of  # noqa: E402
from workbench.models.registry import check_options  # noqa: E402
from workbench.models.towers.small.words import grams_of, tokens_of  # noqa: E402
from workbench.pipelines.scoring import rules_for  # noqa: E402
from workbench.training.batches import Batch  # noqa: E402
from workbench.training.optimiser import optimiser_of  # noqa: E402
from workbench.training.recipes import load_recipe  # noqa: E402
from workbench.training.step import backward, make_step  # noqa: E402

RECIPE = replace(load_recipe("textvr_fusion_selftest"), auxiliary=0.0, learning_rate=2e-4, weight_decay=0.0)
USUAL = Case("starvr", "distilbert", "space_time")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("combined")
    for family in FOLDERS:
        write_dual(made / family, family)
    return made


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")


@pytest.fixture(scope="module")
def model_of(folder):
    """A model of a case, for tests that leave it as it is."""
    return cache(partial(made, folder))


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_two_steps_are_saved_and_score_the_same_when_opened(folder, tmp_path, case):
    model = made(folder, case)
    gallery, n = videos(model), len(READ)
    before = scores(model, gallery)
    batch = Batch(CAPTIONS, gallery, np.zeros((n, n), bool))
    model.network.train()
    whole = backward(model, batch, RECIPE)
    should = {name: one.grad for name, one in model.network.named_parameters() if one.grad is not None}
    idle = {name for name, one in model.network.named_parameters() if one.requires_grad and one.grad is None}
    assert idle <= UNUSED, "every weight learns"
    frozen = {name for name, one in model.network.named_parameters() if not one.requires_grad}
    assert frozen == (IDLE if case.model == "starvr" and case.fusion != "score" else set())
    model.network.zero_grad(set_to_none=True)
    torch.testing.assert_close(backward(model, batch, replace(RECIPE, micro_batch=2)), whole)
    for name, one in should.items():
        torch.testing.assert_close(model.network.get_parameter(name).grad, one, rtol=1e-6, atol=1e-9, msg=name)
    model.network.zero_grad(set_to_none=True)
    optimiser = optimiser_of(model.network, RECIPE)
    losses = [make_step(model, batch, optimiser, RECIPE) for _ in range(2)]
    assert losses[1] < losses[0]
    model.network.float().eval()
    after = scores(model, gallery)
    assert np.abs(after - before).max() > 1e-4
    model.save(tmp_path / "kept")
    again = load(tmp_path / "kept")
    assert again.options == model.options and again.needs == model.needs and again.reads == model.reads
    np.testing.assert_array_equal(scores(again, gallery), after)


@pytest.mark.parametrize(("case", "modality"), [*((one, "fusion") for one in CASES), *((one, "ocr") for one in ALONE)])
def test_a_pair_scores_the_same_in_any_company_and_order(model_of, case, modality):
    model = model_of(case, modality)
    gallery = videos(model)
    whole = scores(model, gallery)
    assert whole.std() > 1e-3
    for column in range(len(READ)):
        alone = model.similarity(CAPTIONS, model.encode(gallery.take([column])))
        np.testing.assert_allclose(alone[:, 0], whole[:, column], atol=1e-6)
    turned = model.similarity(CAPTIONS[::-1], model.encode(gallery.take([4, 3, 2, 1, 0])))
    np.testing.assert_allclose(turned[::-1, ::-1], whole, atol=1e-6)


@pytest.mark.parametrize("case", FEWER, ids="-".join)
def test_it_reads_what_was_asked_for_and_nothing_else(model_of, case):
    model = model_of(case)
    gallery = videos(model)
    whole = scores(model, gallery)
    silent = replace(gallery, words=tuple(Words() for _ in READ))
    mute = replace(gallery, sentences=tuple(("",) * len(one) for one in WINDOWS))
    others, own = (silent, mute) if case.ocr == "windows" else (mute, silent)
    np.testing.assert_array_equal(scores(model, others), whole)
    assert np.abs(scores(model, own) - whole).max() > 1e-3
    rules, size = rules_for(model), model.reads["height"]
    assert (rules.windows > 0) == (case.ocr == "windows") and size == (8 if case.vision == "space_time" else 16)
    assert rules.places == ("box" if case.ocr == "windows" else "track" if case.model == "clip" else "textvr")


@pytest.mark.parametrize("case", [one for one in FEWER if one.fusion != "score"], ids="-".join)
def test_texts_are_told_where_or_when_they_stand(model_of, case):
    model = model_of(case)
    gallery = videos(model)
    if case.ocr == "words":
        moved = replace(gallery, words=tuple(Words(one.text, one.place + 1) for one in gallery.words))
    else:
        moved = replace(gallery, sentences=tuple(one[::-1] for one in WINDOWS))
    apart = np.abs(scores(model, moved) - scores(model, gallery)).max(0)
    timed = [bool(words) if case.ocr == "words" else one != one[::-1] for words, one in zip(READ, WINDOWS, strict=True)]
    assert ((apart > 1e-6) == timed).all()


def unit(vector):
    return vector / vector.norm() if vector.norm() > 0 else vector


def asked(attention, query, tokens):
    """The query, and what it gathers from tokens of one video, head by head."""
    first, *_ = tokens
    size, found = len(first) // attention.heads, []
    keys, values = ([getattr(attention, one)(token) for token in tokens] for one in ("key", "value"))
    for at in range(0, len(first), size):
        own = slice(at, at + size)
        weights = torch.stack([attention.query(first)[own] @ key[own] / size**0.5 for key in keys]).softmax(0)
        found.append(sum(weight * value[own] for weight, value in zip(weights, values, strict=True)))
    return query + torch.cat(found)


@torch.no_grad()
@pytest.mark.parametrize("fusion", ["bare", "score"])
def test_clip_with_words_is_its_equations(folder, fusion):
    """One pair at a time, out of the towers' vectors."""
    model = made(folder, Case("clip", "clip", "own", "words", fusion))
    gallery, network = videos(model), model.network
    if fusion == "score":
        network.balance.copy_(torch.tensor([0.0, np.log(3.0)]))
    should = np.zeros((len(CAPTIONS), len(READ)))
    for column, words in enumerate(gallery.words):
        frames = network.frames(torch.from_numpy(gallery.frames[column]))
        read = [network.text(model.caption_inputs([word]))[0] for word in words.text]
        vectors = [unit(frames.mean(0)), unit(sum(read, torch.zeros_like(frames[0])))]
        shares = [0.25, 0.75]
        if fusion == "bare":
            kinds, query = network.kind.weight, network.query[0]
            places = network.place(torch.from_numpy(words.place).double())
            tokens = [query, *(one + kinds[0] + network.time.weight[at] for at, one in enumerate(frames))]
            tokens += [one + kinds[1] + place for one, place in zip(read, places, strict=True)]
            both = sum(vectors) / (2 if read else 1)
            vectors.append(unit(both + network.out(asked(network.blocks, query, tokens))))
            shares = [1 / 3] * 3
        for row, caption in enumerate(CAPTIONS):
            text = network.text(model.caption_inputs([caption]))[0]
            pairs = zip(shares, vectors, strict=True)
            should[row, column] = network.scale.exp() * sum(share * (text @ one) for share, one in pairs)
    np.testing.assert_allclose(scores(model, gallery), should, atol=1e-6)
    assert should.std() > 0.1


def read_alone(tower, model, text: str):
    """The vector of one text by a tower of StarVR, from its parts."""
    ids = torch.tensor(model.pieces.ids([text]))
    if model.options.text == "distilbert":
        return tower(input_ids=ids).last_hidden_state[0, 0]
    if model.options.text == "small":
        grams = [gram for word in tokens_of(text, 99) for gram in grams_of(word, model.options.vocabulary)]
        return tower.norm(tower.grams.weight[grams].mean(0))
    found = tower.model.get_text_features(input_ids=ids)
    return tower.lift(unit(found if isinstance(found, torch.Tensor) else found.pooler_output)[0])


@torch.no_grad()
@pytest.mark.parametrize(
    ("text", "vision"),
    [("distilbert", "space_time"), ("distilbert", "clip"), ("clip", "space_time"), ("small", "small")],
)
def test_starvr_with_windows_is_its_equations(folder, text, vision):
    """One pair at a time, out of the towers' vectors."""
    model = made(folder, Case("starvr", text, vision, "windows", "bare"))
    gallery, network = videos(model), model.network
    types, times, query = network.type_embedding.weight, network.ocr_pos_embeds.weight, network.query_token[0]
    should = np.zeros((len(CAPTIONS), len(READ)))
    for column, windows in enumerate(WINDOWS):
        frames, tower = torch.from_numpy(gallery.frames[column]), network.video_model
        if vision == "space_time":
            seen = tower(network.pixels(frames[None]))[0]
        else:
            each = tower.frames(frames) if vision == "clip" else tower(frames[None])[0].view(3, 12, -1).mean(1)
            seen = tower.lift(unit(each.mean(0)))
        rows = {1: [1], 3: [0, 1, 2]}.get(len(windows), [])
        read = [(text, row) for text, row in zip(windows, rows, strict=True) if text] or [(" ", 0)]
        tokens = [query + types[0], seen + types[1]]
        tokens += [read_alone(network.ocr_model, model, text) + times[row] + types[2] for text, row in read]
        video = network.fusion_proj(asked(network.fusion_model, query, tokens))
        for row, caption in enumerate(CAPTIONS):
            text = network.txt_proj(read_alone(network.text_model, model, caption))
            should[row, column] = unit(text) @ unit(video)
    np.testing.assert_allclose(scores(model, gallery), should, atol=1e-6)


def test_a_checkpoint_from_before_the_choices_has_the_defaults(folder):
    """Options without the names that came later."""
    later = {"vision", "vision_size", "text", "ocr", "fusion", "max_words", "places"}
    for name, usual in (("starvr", ("words", "bare")), ("clip_ocr_window", ("windows", "block"))):
        model = small_starvr.small(folder / "words") if name == "starvr" else small_windows.small(folder)
        kept = {key: one for key, one in asdict(model.options).items() if key not in later}
        record = record_of(type(model.options), kept, name)
        assert (record.ocr, record.fusion) == usual and record == replace(model.options, max_words=record.max_words)


NO_EFFECT = [
    ("clip", "vision", {"ocr": "words"}, "The modality vision reads nothing, so ocr=words has no effect"),
    ("starvr", "vision", {"ocr": "windows"}, "The modality vision reads nothing, so ocr=windows has no effect"),
    ("starvr", "fusion", {"ocr": "windows", "places": "track"}, "Windows of text have times and no places"),
    ("clip", "fusion", {"ocr": "windows", "places": "textvr"}, "Windows of text have times and no places"),
    ("clip", "ocr", {"fusion": "bare"}, "The modality ocr leaves the fusion bare nothing to do"),
    ("clip", "vision", {"fusion": "score"}, "The modality vision leaves the fusion score nothing to do"),
    ("starvr", "ocr", {"vision": "clip"}, "The modality ocr has no video tower"),
    ("clip", "ocr", {"vision": "small"}, "The modality ocr has no video tower"),
    ("demo", "ocr", {"vision": "clip"}, "The modality ocr has no video tower"),
    ("starvr", "fusion", {"vision": "own"}, "The model has no tower for frames of its own. Use vision=space_time"),
    ("starvr", "fusion", {"vision": "clip", "vision_weights": "x"}, "the option vision_weights has no effect"),
    ("starvr", "fusion", {"vision": "clip", "depth": 3}, "With vision=.*clip the option depth has no effect"),
    ("starvr", "fusion", {"vision": "small", "patch_size": 4}, "With vision=small the option patch_size has no effect"),
    ("starvr", "fusion", {"text": "small", "weights": "x"}, "With text=small the option weights has no effect"),
    ("starvr", "fusion", {"text": "clip", "positions": 9}, "With text=.*clip the option positions has no effect"),
    ("starvr", "fusion", {"text": "small", "vocabulary": 1}, "vocabulary is 1"),
    ("clip", "fusion", {"vision_size": "tiny"}, "With vision=own the option vision_size has no effect. Leave it out"),
    ("clip", "fusion", {"vision": "small", "vision_weights": "x"}, "the option vision_weights has no effect"),
    ("clip", "fusion", {"vision": "small", "freeze_towers": True}, "would leave the small convolution at random"),
    ("clip", "fusion", {"text": "small"}, "has no option 'text'"),
    ("demo", "fusion", {"vision": "clip", "grid": (1, 2)}, "With vision=.*clip the option grid has no effect"),
    ("demo", "fusion", {"vision_weights": "x"}, "With vision=small the option vision_weights has no effect"),
]  # fmt: skip
BUILT = {
    "clip": lambda folder, **given: build_model("clip_ocr_window", weights=str(folder / "clip"), **given),
    "starvr": lambda folder, **given: build_model("textvr_fusion", preset="starvr_tiny", **given),
    "demo": lambda folder, **given: build_model("textvr_fusion", preset="tiny", **given),
}


@pytest.mark.parametrize(("model", "modality", "options", "sentence"), NO_EFFECT)
def test_what_has_no_effect_is_refused(folder, model, modality, options, sentence):
    options = {key: str(folder / one) if one in FOLDERS else one for key, one in options.items()}
    with pytest.raises(DataError, match=sentence):
        BUILT[model](folder, modality=modality, **options)


def test_unknown_choices_are_named(folder):
    with pytest.raises(UnknownNameError, match="No kind of read text is called 'window'. Did you mean windows"):
        made(folder, Case("clip", "clip", "own", "window", "block"))
    with pytest.raises(UnknownNameError, match="No kind of fusion is called 'scores'. Did you mean score"):
        made(folder, Case("clip", "clip", "own", "words", "scores"))
    with pytest.raises(StateError, match="The weights 'clip-vit' are not on this machine"):
        made(folder, USUAL, vision="clip-vit", **sizes("clip"))
    model = made(folder, Case("clip", "clip", "own", "words", "bare"))
    gallery = videos(model)
    boxes = tuple(Words(one.text, one.place[:, :6]) for one in gallery.words)
    with pytest.raises(DataError, match="reads 12 numbers of a word's place, found 6"):
        model.video_inputs(replace(gallery, words=boxes))


@pytest.mark.parametrize("recipe", ["textvr_clip_ocr_window", "starvr"])
def test_a_recipe_takes_them_on_the_command_line(recipe):
    asked = {"options.fusion": "score", "options.ocr": "words" if recipe != "starvr" else "windows"}
    made = load_recipe(recipe, asked)
    assert made.options["fusion"] == "score" and made.options["ocr"] == asked["options.ocr"]
    check_options(made.model, made.options, preset=made.preset)
