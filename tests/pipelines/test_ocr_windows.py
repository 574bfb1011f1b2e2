"""Sentences per frame against a slow way of making them; order, filters, texts without times, wrong input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.core.errors import DataError, UnknownNameError
from workbench.core.seeds import generator
from workbench.pipelines.ocr_windows import window_sentences


def texts_of(*rows, video="v"):
    """Rows of (text, start_s, end_s, score)."""
    return pd.DataFrame({
        "text_id": [f"{video}#e#{at:03d}" for at in range(len(rows))], "video_id": video,
        "text": [row[0] for row in rows], "start_s": [row[1] for row in rows], "end_s": [row[2] for row in rows],
        "score": [row[3] if len(row) > 3 else 0.9 for row in rows],
    })  # fmt: skip


def test_a_text_stands_in_the_windows_that_it_lasts_through():
    texts = texts_of(("TAXI", 0.0, 0.4), ("BANK", 0.9, 2.1), ("STOP", 2.9, 9.0))
    found = window_sentences(texts, {"v": [0.5, 1.5, 2.5, 3.5], "silent": [1.0, 2.0]})
    assert found == {"v": ("TAXI BANK", "BANK", "BANK STOP", "STOP"), "silent": ("", "")}


def test_one_moment_on_a_border_is_in_one_window():
    assert window_sentences(texts_of(("TAXI", 1.0, 1.0)), {"v": [0.5, 1.5]}) == {"v": ("", "TAXI")}
    assert window_sentences(texts_of(("TAXI", 9.0, 9.5)), {"v": [0.5, 1.5]}) == {"v": ("", "TAXI")}
    assert window_sentences(texts_of(("TAXI", 0.0, 1.0)), {"v": [0.5, 1.5]}) == {"v": ("TAXI", "")}


def test_without_times_a_text_is_everywhere():
    texts = texts_of(("BANK", np.nan, np.nan), ("TAXI", 2.0, np.nan))
    assert window_sentences(texts, {"v": [0.0, 2.0]}) == {"v": ("BANK", "TAXI BANK")}
    assert window_sentences(texts, {"v": [7.0]}) == {"v": ("TAXI BANK",)}


def test_filters_act_within_a_window():
    texts = texts_of(("taxi", 0, 1, 0.6), ("TAXI", 0, 9, 0.9), ("dim", 0, 9, 0.3), ("?!", 0, 9), ("RED BUS", 8, 9, 0.7))
    assert window_sentences(texts, {"v": [0.5, 8.5]}) == {"v": ("TAXI", "TAXI RED BUS")}
    assert window_sentences(texts, {"v": [0.5, 8.5]}, max_words=1) == {"v": ("TAXI", "TAXI")}
    assert window_sentences(texts, {"v": [0.5]}, filters="textvr")["v"][0].split() == [
        "taxi",
        "TAXI",
        "dim",
        "RED",
        "BUS",
    ]


def test_places_give_reading_order():
    texts = texts_of(("below", 0, 1), ("right", 0, 1), ("left", 0, 1))
    places = pd.DataFrame({"x": [0.1, 0.9, 0.2], "y": [0.9, 0.11, 0.14]}, index=texts["text_id"])
    assert window_sentences(texts, {"v": [0.5]}, places=places) == {"v": ("left right below",)}


def slowly(texts, times):
    """Word by word: of each frame the texts that overlap with its stretch, by start and id."""
    middles = [(a + b) / 2 for a, b in zip(times, times[1:], strict=False)]
    sentences = []
    for low, high in zip([-np.inf, *middles], [*middles, np.inf], strict=True):
        own = []
        for row in texts.itertuples():
            moment = row.start_s == row.end_s
            if (low <= row.start_s < high) if moment else (row.start_s < high and row.end_s > low):
                own.append((row.start_s, row.text_id, row.text))
        sentences.append(" ".join(dict.fromkeys(text for *_, text in sorted(own))))
    return tuple(sentences)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_slow_way_whatever_the_order_of_rows(seed):
    draw = generator(seed, "windows")
    tables, times = [], {}
    for video in ("a", "b", "c"):
        starts = np.round(draw.uniform(0, 10, draw.integers(0, 12)), 1)
        ends = starts + np.round(draw.uniform(0, 4, len(starts)), 1) * draw.integers(0, 2, len(starts))
        words = [f"word{at}" for at in range(len(starts))]
        tables.append(texts_of(*zip(words, starts, ends, strict=True), video=video))
        times[video] = np.sort(draw.choice(np.arange(0, 10, 0.5), draw.integers(1, 13), replace=False)).tolist()
    texts = pd.concat(tables, ignore_index=True)
    expected = {video: slowly(texts[texts["video_id"] == video], own) for video, own in times.items()}
    found = window_sentences(texts.sample(frac=1, random_state=seed), times)
    assert found == expected and [len(found[video]) for video in times] == [len(own) for own in times.values()]


def test_empty_tables_and_wrong_input():
    empty = texts_of(("TAXI", 0.0, 1.0)).iloc[:0]
    assert window_sentences(empty, {"v": [0.0, 1.0]}) == {"v": ("", "")} and window_sentences(empty, {}) == {}
    with pytest.raises(DataError, match="frame times of v do not rise"):
        window_sentences(texts_of(("TAXI", 0.0, 1.0)), {"v": [1.0, 1.0]})
    with pytest.raises(DataError, match="max_words is 0"):
        window_sentences(empty, {}, max_words=0)
    with pytest.raises(UnknownNameError, match="No preset of OCR filters"):
        window_sentences(empty, {}, filters="strict")
