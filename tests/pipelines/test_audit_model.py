"""Audit of models: sound ones pass, and each planted leak is caught by the test that is made for it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.test_textvr_fusion import gallery
from tests.texts import read_corpus, run_on
from workbench.core.errors import StateError
from workbench.core.seeds import generator
from workbench.models import Gallery, Words, build_model
from workbench.pipelines.audit import Findings, audit, audit_model

CAPTIONS = [f"a {word} thing in the {word} street" for word in "red green blue tall small NOMEK tea 42".split()]
TESTS = ["repetition", "shuffle test", "rectangular test", "single-query test", "batch size", "padding"]


def videos(n=8):
    words = [Words((f"word{i}", "tea", "NOMEK"), np.zeros((3, 6), np.float32)) for i in range(n)]
    return Gallery(tuple(f"v{i}" for i in range(n)), None, tuple(words))


class Fair:
    """Scores a pair by its two texts alone."""

    needs, reads = frozenset({"ocr"}), {}

    def encode(self, gallery):
        return np.stack([self.vector(video) for video in gallery.video_ids])

    def vector(self, text):
        return generator(0, text).normal(size=16)

    def similarity(self, captions, encoded):
        return (np.stack([self.vector(one) for one in captions]) @ encoded.T).astype(np.float32)

    def parts(self, captions, encoded):
        return {}


class Diagonal(Fair):
    """Knows the pair by its place in the batch."""

    def similarity(self, captions, encoded):
        return super().similarity(captions, encoded) + 5 * np.eye(len(captions), len(encoded), dtype=np.float32)


class Square(Fair):
    """Needs as many captions as videos."""

    def similarity(self, captions, encoded):
        if len(captions) != len(encoded):
            raise RuntimeError("sizes of tensors must match")
        return super().similarity(captions, encoded)


class DualSoftmax(Fair):
    """Normalises over the captions that are asked together."""

    def similarity(self, captions, encoded):
        found = super().similarity(captions, encoded)
        return found * np.exp(found) / np.exp(found).sum(0)


class Padded(Fair):
    """Reads the padding of captions that are shorter than the longest one beside them."""

    def similarity(self, captions, encoded):
        longest = max(len(one) for one in captions)
        share = np.array([[len(one) / longest] for one in captions], np.float32)
        return super().similarity(captions, encoded) * share


class Restless(Fair):
    """Leaves drop-out on."""

    calls = 0

    def similarity(self, captions, encoded):
        self.calls += 1
        return super().similarity(captions, encoded) + generator(self.calls).normal(size=(len(captions), len(encoded)))


class Batchwise(Fair):
    """Normalises by the size of the batch."""

    def similarity(self, captions, encoded):
        return super().similarity(captions, encoded) / len(captions)


class GalleryNorm(Fair):
    """Normalises over the videos."""

    def encode(self, gallery):
        found = super().encode(gallery)
        return found - found.mean(0)


class Broken(Fair):
    def similarity(self, captions, encoded):
        raise KeyError("weights")


class NotANumber(Fair):
    def similarity(self, captions, encoded):
        return np.full((len(captions), len(encoded)), np.nan)


class Same(Fair):
    def similarity(self, captions, encoded):
        return np.ones((len(captions), len(encoded)))


def audited(model, gallery=None, captions=CAPTIONS):
    return Findings(("model", one) for one in audit_model(model, captions, gallery or videos()))


def severities(found):
    return {row.check: row.severity for row in found}


def test_a_fair_model_passes():
    found = severities(audited(Fair()))
    assert found == dict.fromkeys(["scores", *TESTS, "other videos"], "ok")


@pytest.mark.parametrize(
    "model, check",
    [(Diagonal, "shuffle test"), (Square, "rectangular test"), (DualSoftmax, "single-query test"),
     (Batchwise, "batch size"), (Padded, "padding"), (Restless, "repetition")],
)  # fmt: skip
def test_a_planted_leak_is_caught_by_its_test(model, check):
    found = audited(model())
    assert found.of(check).severity == "wrong" and not found.ok and found.of(check).fix
    if model is Square:
        assert "sizes of tensors must match" in found.of(check).sentence


def test_tests_that_a_leak_does_not_touch_stay_green():
    assert severities(audited(Padded()))["shuffle test"] == "ok"
    assert severities(audited(Diagonal()))["repetition"] == "ok"
    assert severities(audited(DualSoftmax()))["shuffle test"] == "ok"


def test_scores_that_depend_on_the_gallery_are_a_warning():
    found = audited(GalleryNorm())
    assert found.ok and found.of("other videos").severity == "warning" and "BM25" in found.of("other videos").fix


def test_models_that_cannot_score():
    assert "KeyError: 'weights'" in audited(Broken()).of("scores").sentence
    assert audited(NotANumber()).of("scores").severity == "wrong"
    assert audited(Same()).of("scores").severity == "warning"


def test_the_small_model_passes():
    pytest.importorskip("torch", reason="needs torch, which make setup installs")
    for modality in ("vision", "ocr", "fusion"):
        model = build_model("textvr_fusion", preset="tiny", modality=modality)
        found = audited(model, gallery(model=model))
        assert found.ok and found.count("warning") == 0, (modality, found)


def test_bm25_passes_but_for_its_nature():
    pytest.importorskip("bm25s", reason="needs bm25s, which make setup installs")
    found = audited(build_model("bm25_ocr"), captions=["NOMEK word1", "tea", "word3 NOMEK", "none of it", "word5"])
    assert found.ok and {row.check for row in found if row.severity != "ok"} <= {"other videos"}


def test_a_model_by_name_on_a_corpus(home):
    pytest.importorskip("bm25s", reason="needs bm25s, which make setup installs")
    corpus = read_corpus(rapidocr={"a": ["SLOANE SQUARE"], "b": ["dog"], "c": ["cat"], "d": ["bird"]})
    found = audit(model="bm25_ocr", corpus=corpus)
    assert found.ok and set(found.table["about"]) >= {"model bm25_ocr", "corpus c"}
    assert audit(model=Fair(), run=run_on(corpus)).of("shuffle test").about == "model Fair"
    with pytest.raises(StateError, match="needs videos to be tried on.*--corpus NAME"):
        audit(model="bm25_ocr")
    silent = read_corpus(rapidocr={"a": ["x"]}, states=dict.fromkeys("bcd", "failed"), name="silent")
    with pytest.raises(StateError, match="1 usable videos; four of each"):
        audit(model="bm25_ocr", corpus=silent)
