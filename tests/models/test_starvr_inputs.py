"""What StarVR is given: word pieces as transformers makes them, words in TextVR's order, and their twelve numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.models.small_starvr import PIECES, small, vocabulary
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.seeds import generator
from workbench.corpus import save_corpus
from workbench.corpus.store import replace_texts
from workbench.corpus.tables import CORNERS
from workbench.models.textvr_fusion.starvr.pieces import WordPieces
from workbench.pipelines.inputs import InputRules, gallery_of
from workbench.pipelines.places import PLACES, TRACK, places_of
from workbench.pipelines.scoring import score

RULES = InputRules(filters="textvr", places="textvr", max_words=200)
TEXTS = ["a red  bus", "Crumb House's SHOP-42!", "", " ", "é ΦΩΣ 雨 teas", "x" * 120, "[CLS] red", "n " * 40]


def pieces(folder, rows: int = 40, positions: int = 12) -> WordPieces:
    return WordPieces(vocabulary(folder), rows, positions)


# Word pieces.


def test_word_pieces_are_those_of_transformers(tmp_path):
    transformers = pytest.importorskip("transformers", reason="needs transformers, which make setup installs")
    folder = vocabulary(tmp_path)
    peer = transformers.DistilBertTokenizerFast(vocab=str(folder / "vocab.txt"), do_lower_case=True)
    ids = pieces(tmp_path).ids(TEXTS)
    assert ids == [tuple(peer(text.lower(), truncation=True, max_length=12)["input_ids"]) for text in TEXTS]
    assert ids[3] == (2, 3) and len(ids[-1]) == 12
    peer.save_pretrained(tmp_path / "as json")
    assert not (tmp_path / "as json" / "vocab.txt").exists()
    assert WordPieces(tmp_path / "as json", 40, 12).ids(TEXTS) == ids


def test_packing_keeps_every_word_and_encodes_none_twice(tmp_path):
    lists = [["tea", "NOMEK"], [], ["bus"], ["tea", "bus", "tea"]]
    one = pieces(tmp_path)
    packed = one.packed(lists)
    assert len(packed["ids"]) == 3 and packed["size"].tolist() == [4, 3]
    assert packed["row"].tolist() == [0, 0, 2, 3, 3, 3] and packed["place"].tolist() == [0, 1, 0, 0, 1, 2]
    lengths = np.repeat(packed["groups"][:, 1], packed["groups"][:, 0])
    back = [tuple(packed["ids"][at, : lengths[at]].tolist()) for at in packed["text"]]
    assert back == one.ids([word for words in lists for word in words])
    nothing = one.packed([])
    assert nothing["ids"].shape == (0, 1) and nothing["groups"].shape == (0, 2) and nothing["size"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("vocab.txt", "[CLS]\n[SEP]\na\n", r"lacks \[UNK\]"),
        ("vocab.txt", "[CLS]\n[SEP]\n[UNK]\na\na\n", "has a piece twice"),
        ("tokenizer.json", "{", "cannot be read as a tokenizer"),
        ("tokenizer.json", '{"model": {"type": "BPE", "vocab": {}}}', "a tokenizer of the kind 'BPE'"),
        ("other.txt", "", "holds neither tokenizer.json nor vocab.txt"),
    ],
)
def test_a_vocabulary_that_is_none_is_named(tmp_path, name, content, sentence):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=sentence):
        WordPieces(tmp_path, 40, 12)


# Words and places of a corpus.


def track(draw, frames, width, height):
    """A track as Kwai's files have it: frame -> quad in pixels, float [4, 2]."""
    return {frame: draw.random((4, 2)) * (width, height) for frame in frames}


def published(quads, score, width, height, n_frames):
    """The twelve numbers, from the pixels of one track, as spec/textvr.md 3.3 has them (D9 included)."""
    frames, boxes = sorted(quads), [quads[frame] for frame in sorted(quads)]
    mean = sum(boxes) / len(boxes)
    extent = [box.max(0) - box.min(0) for box in boxes]
    shift = (boxes[-1] - boxes[-1][0]).mean(0)
    return [
        frames[0] / n_frames, frames[-1] / n_frames, len(frames) / n_frames,
        mean[:, 0].mean() / width, mean[:, 1].mean() / height,
        (mean[:, 0].max() - mean[:, 0].min()) / width, (mean[:, 1].max() - mean[:, 1].min()) / height,
        shift[0] / width, shift[1] / height,
        extent[-1][0] / (extent[0][0] + 1e-6), extent[-1][1] / (extent[0][1] + 1e-6), score,
    ]  # fmt: skip


SIZES = {"a": (320, 240, 50), "b": (1920, 1080, 300), "c": (64, 48, 7)}


def read_corpus(told=True, found=True):
    """Three videos: two with tracks by engine ``kwai``, one where nothing was read; sizes in the coverage or not."""
    draw = generator(0, "tracks")
    videos = pd.DataFrame({"video_id": list(SIZES), "split": "test", "status": "not_kept"})
    captions = videos[["video_id", "split"]].assign(caption_id=videos["video_id"], text="x", role="original")
    tables = {"videos": videos, "captions": captions}
    if found:
        tables["renditions"] = pd.DataFrame([
            {"video_id": one, "rendition": "original", "path": one, "width": w, "height": h, "n_frames": n}
            for one, (w, h, n) in SIZES.items()
        ])  # fmt: skip
    corpus = save_corpus("c", tables)
    given = {
        "a": [("CRUMB HOUSE", 0.5, (0, 5, 9)), ("Tea tea TV 面包", 0.9, (49,)), ("tea late", 0.7, (3, 4))],
        "b": [("café Red", None, (10, 20)), ("bus", 0.1, ())],
    }
    texts, boxes, numbers = [], {}, {}
    for video, tracks in given.items():
        width, height, n_frames = SIZES[video]
        rows = []
        for at, (text, sure, frames) in enumerate(tracks):
            name = f"{video}#kwai#{at}"
            quads = track(draw, frames, width, height)
            texts.append({"text_id": name, "video_id": video, "kind": "ocr", "text": text, "score": sure})
            for frame in reversed(frames):  # the order of a file is no promise
                shares = (quads[frame] / (width, height)).ravel()
                corners = dict(zip(CORNERS, shares, strict=True))
                rows.append({"text_id": name, "frame": frame, "time_s": frame / 25, **corners})
            numbers[name] = published(quads, sure or 0.0, width, height, n_frames) if frames else [0.0] * 12
        boxes[video] = pd.DataFrame(rows)
    coverage = [{"video_id": one, "engine": "kwai", "state": "read" if one in given else "empty"} for one in SIZES]
    if told:
        for row in coverage:
            row |= dict(zip(("width", "height", "n_frames"), SIZES[row["video_id"]], strict=True))
    corpus = replace_texts(corpus, "kwai", pd.DataFrame(texts).assign(engine="kwai"), pd.DataFrame(coverage), boxes)
    return corpus.with_split("test"), numbers


@pytest.mark.parametrize("told, found", [(True, True), (True, False), (False, True)])
def test_words_come_in_textvr_s_order_with_the_published_numbers(home, told, found):
    corpus, numbers = read_corpus(told, found)
    gallery = gallery_of(corpus, {"ocr"}, RULES).gallery
    a, b, c = gallery.words
    assert a.text == ("tea", "late", "crumb", "house") and b.text == ("bus", "red") and c.text == ()
    expected = [numbers[f"a#kwai#{at}"] for at in (1, 2, 0, 0)]
    np.testing.assert_allclose(a.place, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(b.place, [numbers["b#kwai#1"], numbers["b#kwai#0"]], rtol=1e-5, atol=1e-6)
    assert a.place.dtype == np.float32 and c.place.shape == (0, 12)
    assert gallery_of(corpus, {"ocr"}, InputRules(filters="textvr", max_words=1)).gallery.words[0].place.shape == (1, 6)


def test_the_displacement_can_be_a_displacement(home):
    corpus, _ = read_corpus()
    texts = corpus.texts
    published_as, repaired = (places_of(corpus, texts, kind) for kind in ("textvr", "track"))
    same = [name for name in TRACK if not name.startswith("shift")]
    pd.testing.assert_frame_equal(published_as[same], repaired[same])
    boxes = corpus.boxes("a").query("text_id == 'a#kwai#0'").sort_values("frame")
    moved = boxes[["x1", "x2", "x3", "x4"]].mean(axis=1)
    assert repaired.loc["a#kwai#0", "shift_x"] == pytest.approx(moved.iloc[-1] - moved.iloc[0])
    assert repaired.loc["a#kwai#1", "shift_x"] == 0 != published_as.loc["a#kwai#1", "shift_x"]


def test_places_without_a_size_are_refused_and_nothing_read_is_no_error(home):
    corpus, _ = read_corpus(told=False, found=False)
    with pytest.raises(StateError, match="number of frames of a is not known. Run: workbench video probe c"):
        places_of(corpus, corpus.texts, "textvr")
    with pytest.raises(UnknownNameError, match="kind of places is called 'tracks'.*track"):
        places_of(corpus, corpus.texts, "tracks")
    for kind in PLACES:
        assert places_of(corpus, corpus.texts.iloc[:0], kind).empty


def test_a_corpus_is_scored_by_the_model_s_own_rules(home, tmp_path):
    corpus, _ = read_corpus()
    model = small(tmp_path / "words", "ocr")
    run = score(model, corpus, name="starvr-ocr")
    assert run.info["input_rules"]["places"] == run.info["input_rules"]["filters"] == "textvr"
    assert run.similarity.shape == (3, 3) and np.abs(run.similarity).max() <= 1 + 1e-6
    gallery = gallery_of(corpus, model.needs, RULES).gallery
    np.testing.assert_allclose(run.similarity, model.similarity(["x"] * 3, model.encode(gallery)), atol=1e-6)


def test_the_vocabulary_of_the_tests_is_one():
    assert len(set(PIECES.split())) == len(PIECES.split())
