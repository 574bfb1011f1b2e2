"""A line that looks the same is recognised once; another letter, another video or another place is recognised anew."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.lettered import lettered
from workbench.core.seeds import generator
from workbench.ocr import Engine
from workbench.ocr.recall import KEPT, Recall, look, same

pytest.importorskip("rapidocr", reason="needs the OCR engine, which make setup installs")


PAIRS = [("0.3783", "0.3788"), ("12:03", "12:08"), ("OPEN", "OPEN."), ("TAXI", "TAXL"), ("5", "6"), ("1", "7")]


class Reader:
    """Stands for the engine's recognition: the text of a crop is its first pixel."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, crops):
        self.calls.append(len(crops))
        return SimpleNamespace(txts=tuple(str(crop[0, 0, 0]) for crop in crops), scores=[0.9] * len(crops))


def crop(value: int, seed: int = 0, shape: tuple[int, int] = (24, 120)) -> np.ndarray:
    pixels = generator(seed, "crop").integers(0, 256, (*shape, 3), np.uint8)
    pixels[0, 0] = value
    return pixels


def test_only_what_is_new_is_recognised_and_the_order_is_kept():
    reader = Reader()
    recall = Recall(reader)
    assert recall([crop(1, 1), crop(2, 2)]).txts == ("1", "2")
    again = recall([crop(3, 3), crop(2, 2), crop(1, 1)])
    assert again.txts == ("3", "2", "1") and len(again.scores) == 3 == len(again.word_results)
    assert reader.calls == [2, 1] and (recall.n_lines, recall.n_recalled) == (5, 2)
    recall([crop(1, 1)])
    assert reader.calls == [2, 1]
    recall.forget()
    recall([crop(1, 1)])
    assert reader.calls == [2, 1, 1]


def test_memory_is_bounded():
    reader = Reader()
    recall = Recall(reader)
    for seed in range(KEPT + 5):
        recall([crop(1, seed, (6, 12))])
    assert recall([crop(1, KEPT + 4, (6, 12))]).txts == ("1",) and len(reader.calls) == KEPT + 5
    recall([crop(1, 0, (6, 12))])
    assert len(reader.calls) == KEPT + 6


@pytest.mark.parametrize("shape", [(24, 120), (3, 3), (1, 40), (40, 1), (200, 7)])
def test_looks_of_any_shape(shape):
    pixels = crop(0, shape=shape)
    assert same(look(pixels), look(pixels)) and look(pixels).ndim == 2
    assert not same(look(pixels), look(np.full_like(pixels, 255)))


@pytest.mark.parametrize(("before", "after"), PAIRS)
@pytest.mark.parametrize("size", [10, 14, 30])
def test_another_letter_is_seen(before, after, size):
    pictures = (lettered({text: (10, 10)}, size, (60, 260)) for text in (before, after))
    one, two = (picture[8 : 12 + size, 8 : 14 + 4 * size] for picture in pictures)
    faint = 180 + (one * 0.15).astype(np.uint8), 180 + (two * 0.15).astype(np.uint8)  # letters 30 grey levels darker
    for first, second in ((one, two), faint):
        assert same(look(first), look(first)) and not same(look(first), look(second))


def test_the_engine_reads_the_same_with_and_without_memory():
    frames = [lettered({"TAXI 27": (20, 20), text: (30, 120)}) for text in ("OPEN", "CLOSED", "OPEN", "8:15", "8:16")]
    engine, fresh = Engine("fast"), Engine("fast")
    for frame in frames:
        fresh.forget()
        assert [line.text for line in engine.read(frame)] == [line.text for line in fresh.read(frame)]
    assert engine.recall.n_recalled >= 4 > fresh.recall.n_recalled == 0
