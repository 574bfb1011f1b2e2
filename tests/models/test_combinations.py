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
    IDLE,
    READ,
    UNUSED,
    WINDOWS,
    made,
    scores,
    videos,
)
from workbench.core.errors import DataError, StateError, UnknownNameError  # noqa: E402
from workbench.models import Words  # noqa: E402
from workbench.models.families import load  # noqa: E402
from workbench.models.options import record_of  # noqa: E402
from workbench.models.registry import check_options  # noqa: E402
from workbench.models.textvr_fusion import Starvr  # noqa: E402
from workbench.pipelines.scoring import rules_for  # noqa: E402
from workbench.training.batches import Batch  # noqa: E402
from workbench.training.optimiser import optimiser_of  # noqa: E402
from workbench.training.recipes import load_recipe  # noqa: E402
from workbench.training.step import backward, make_step  # noqa: E402

RECIPE = replace(load_recipe("textvr_fusion_selftest"), auxiliary=0.0, learning_rate=2e-4, weight_decay=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("combined")
    for family in ("clip", "siglip", "siglip2"):
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
    assert frozen == (IDLE if case[0] == "bert_text" and case[3] != "score" else set())
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


@pytest.mark.parametrize(
    ("case", "modality"), [*((one, "fusion") for one in CASES[:-3]), *((one, "ocr") for one in ALONE)]
)
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
    others, own = (silent, mute) if case[2] == "windows" else (mute, silent)
    np.testing.assert_array_equal(scores(model, others), whole)
    assert np.abs(scores(model, own) - whole).max() > 1e-3
    rules, size = rules_for(model), model.reads["height"]
    assert (rules.windows > 0) == (case[2] == "windows") and size == (8 if case[1] == "space_time" else 16)
    assert rules.places == ("box" if case[2] == "windows" else "track" if case[0] == "clip_text" else "textvr")


@pytest.mark.parametrize("case", [one for one in FEWER if one[3] != "score"], ids="-".join)
def test_texts_are_told_where_or_when_they_stand(model_of, case):
    model = model_of(case)
    gallery = videos(model)
    if case[2] == "words":
        moved = replace(gallery, words=tuple(Words(one.text, one.place + 1) for one in gallery.words))
    else:
        moved = replace(gallery, sentences=tuple(one[::-1] for one in WINDOWS))
    apart = np.abs(scores(model, moved) - scores(model, gallery)).max(0)
    timed = [bool(words) if case[2] == "words" else one != one[::-1] for words, one in zip(READ, WINDOWS, strict=True)]
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
    model = made(folder, ("clip_text", "clip", "words", fusion))
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


@torch.no_grad()
@pytest.mark.parametrize("vision", ["space_time", "clip"])
def test_starvr_with_windows_is_its_equations(folder, vision):
    """One pair at a time, out of the towers' vectors."""
    model = made(folder, ("bert_text", vision, "windows", "bare"))
    gallery, network = videos(model), model.network
    types, times, query = network.type_embedding.weight, network.ocr_pos_embeds.weight, network.query_token[0]
    should = np.zeros((len(CAPTIONS), len(READ)))
    for column, windows in enumerate(WINDOWS):
        frames = torch.from_numpy(gallery.frames[column])
        if vision == "clip":
            seen = network.video_model.lift(unit(network.video_model.frames(frames).mean(0)))
        else:
            seen = network.video_model(network.pixels(frames[None]))[0]
        rows = {1: [1], 3: [0, 1, 2]}.get(len(windows), [])
        read = [(text, row) for text, row in zip(windows, rows, strict=True) if text] or [(" ", 0)]
        tokens = [query + types[0], seen + types[1]]
        for text, row in read:
            ids = torch.tensor(model.pieces.ids([text]))
            tokens.append(network.ocr_model(input_ids=ids).last_hidden_state[0, 0] + times[row] + types[2])
        video = network.fusion_proj(asked(network.fusion_model, query, tokens))
        for row, caption in enumerate(CAPTIONS):
            ids = torch.tensor(model.pieces.ids([caption]))
            text = network.txt_proj(network.text_model(input_ids=ids).last_hidden_state[0, 0])
            should[row, column] = unit(text) @ unit(video)
    np.testing.assert_allclose(scores(model, gallery), should, atol=1e-6)


def test_a_checkpoint_from_before_the_choices_has_the_defaults(folder):
    """Options without the names that came later."""
    later = {"vision", "ocr", "fusion", "max_words", "places"}
    for name, usual in (("starvr", ("words", "bare")), ("clip_ocr_window", ("windows", "block"))):
        model = small_starvr.small(folder / "words") if name == "starvr" else small_windows.small(folder)
        kept = {key: one for key, one in asdict(model.options).items() if key not in later}
        record = record_of(type(model.options), kept, name)
        assert (record.ocr, record.fusion) == usual and getattr(record, "vision", "space_time") == "space_time"


def test_a_folder_that_sees_is_not_needed_again(folder, tmp_path):
    seeing = write_dual(tmp_path / "seeing", "clip", seed=3)
    model = made(folder, ("bert_text", "space_time", "words", "bare"), vision=str(seeing))
    model.network.float()
    gallery = videos(model)
    model.save(tmp_path / "kept")
    for path in seeing.iterdir():
        path.unlink()
    assert model.options.image_size == 16, "of the folder's tower"
    with pytest.raises(DataError, match=r"Frames for .*seeing have 16 pixels"):
        Starvr.reopened(replace(model.options, image_size=32), tmp_path / "kept")
    assert not any("text_model" in name for name in model.network.video_model.state_dict())
    np.testing.assert_array_equal(scores(load(tmp_path / "kept"), gallery), scores(model, gallery))
    with pytest.raises(StateError, match="The folder .* lacks config.json"):
        made(folder, ("bert_text", "space_time", "words", "bare"), vision=str(seeing))


NO_EFFECT = [
    ("clip_text", "vision", {"ocr": "words"}, "The modality vision reads nothing, so ocr=words has no effect"),
    ("bert_text", "vision", {"ocr": "windows"}, "The modality vision reads nothing, so ocr=windows has no effect"),
    ("bert_text", "fusion", {"ocr": "windows", "places": "track"}, "Windows of text have times and no places"),
    ("clip_text", "fusion", {"ocr": "windows", "places": "textvr"}, "Windows of text have times and no places"),
    ("clip_text", "ocr", {"fusion": "bare"}, "The modality ocr leaves the fusion bare nothing to do"),
    ("clip_text", "vision", {"fusion": "score"}, "The modality vision leaves the fusion score nothing to do"),
    ("bert_text", "ocr", {"vision": "clip"}, "The modality ocr has no video tower"),
    ("bert_text", "fusion", {"vision": "clip", "vision_weights": "x"}, "The video tower starts from .*clip"),
    ("clip_text", "fusion", {"vision": "space_time"}, "has no option 'vision'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "modality", "options", "sentence"), NO_EFFECT)
def test_what_has_no_effect_is_refused(folder, text, modality, options, sentence):
    usual = ("windows", "block") if text == "clip_text" else ("words", "bare")
    if "vision" in options and text == "bert_text":
        options = {**options, "vision": str(folder / options["vision"])}
    with pytest.raises(DataError, match=sentence):
        made(folder, (text, "clip" if text == "clip_text" else "space_time", *usual), modality, **options)


def test_unknown_choices_are_named(folder):
    with pytest.raises(UnknownNameError, match="No kind of read text is called 'window'. Did you mean windows"):
        made(folder, ("clip_text", "clip", "window", "block"))
    with pytest.raises(UnknownNameError, match="No kind of fusion is called 'scores'. Did you mean score"):
        made(folder, ("clip_text", "clip", "words", "scores"))
    with pytest.raises(StateError, match="The weights 'clip-vit' are not on this machine"):
        made(folder, ("bert_text", "space_time", "words", "bare"), vision="clip-vit")
    model = made(folder, ("clip_text", "clip", "words", "bare"))
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
