from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import DataError, UnknownNameError
from workbench.ocr.cleaning import FILTERS, PRESETS, clean, normalise_word, textvr_words, words_of


def words(*texts: str, scores: list[float] | None = None, **columns) -> pd.DataFrame:
    return pd.DataFrame({"text": pd.Series(texts, dtype="str"), "score": scores or [0.9] * len(texts)} | columns)


def kept(table: pd.DataFrame, *filters) -> list[str]:
    return clean(table, filters).words["text"].tolist()


def texts(*rows: tuple[str, float | None]) -> pd.DataFrame:
    ids = [f"a#kwai#{i}" for i in range(len(rows))]
    return pd.DataFrame({"text_id": ids, "text": [row[0] for row in rows], "score": [row[1] for row in rows]})


def test_words_keep_text_and_position():
    table = words_of(texts(("CRUMB  HOUSE", 0.9), ("  ", 0.5), ("面包\u00a0店", None)))
    assert table.columns.tolist() == ["text_id", "position", "text", "score"]
    assert table["text_id"].tolist() == ["a#kwai#0"] * 2 + ["a#kwai#2"] * 2
    assert table["position"].tolist() == [0, 1, 0, 1]
    assert table["text"].tolist() == ["CRUMB", "HOUSE", "面包", "店"]
    assert table["score"].tolist()[:2] == [0.9, 0.9] and table["score"].isna().tolist()[2:] == [True, True]


def test_words_of_nothing_and_of_missing_texts():
    assert words_of(texts()).empty
    assert words_of(pd.DataFrame({"text_id": ["a", "b"], "text": [None, "x y"]}))["text"].tolist() == ["x", "y"]
    assert words_of(texts(("a\tb c", 1.0)), separator=" ")["text"].tolist() == ["a\tb", "c"]


@pytest.mark.parametrize(
    ("word", "normal"),
    [
        ("«OPEN!»", "open"),
        ("ＯＰＥＮ", "open"),
        ("Straße,", "strasse"),
        ("baker’s", "baker's"),
        ("6–3", "6-3"),
        ("$5.00", "5.00"),
        ("...", ""),
        ("", ""),
        ("so\u00adft", "soft"),
        ("हिन्दी।", "हिन्दी"),
        ("面包", "面包"),
    ],
)
def test_normalised_words(word, normal):
    assert normalise_word(word) == normal


@given(st.text(max_size=12))
def test_normalising_twice_changes_nothing(word):
    once = normalise_word(word)
    assert normalise_word(once) == once


def test_each_filter_by_hand():
    table = words("OPEN", "open", "x", "7", "--", "面", "é", scores=[0.6, 0.9, 0.4, np.nan, 0.8, 0.7, 0.2])
    assert kept(table, ("min_score", {"minimum": 0.5})) == ["OPEN", "open", "7", "--", "面"]
    assert kept(table, "min_length") == ["OPEN", "open", "7", "面"]
    assert kept(table, "letters_or_digits") == ["OPEN", "open", "x", "7", "面", "é"]
    assert kept(table, "repeated") == ["open", "x", "7", "--", "面", "é"]
    assert kept(table, ("max_words", {"maximum": 2})) == ["open", "--"]
    assert kept(table, *PRESETS["default"]) == ["open", "7", "面"]


def test_repetitions_and_limits_are_per_video():
    table = words("OPEN", "open", "Open", video_id=["a", "b", "b"])
    assert kept(table, "repeated") == ["OPEN", "open"]
    assert kept(table, ("max_words", {"maximum": 1})) == ["OPEN", "open"]


def test_what_was_dropped_is_counted():
    result = clean(words("a", "b", "a", "word"), ["min_length", "repeated"])
    assert result.dropped.to_dict("records") == [
        {"filter": "min_length", "n_dropped": 3, "examples": ["a", "b"]},
        {"filter": "repeated", "n_dropped": 0, "examples": []},
    ]


def test_textvr_preset_step_by_step():
    """Spec 1.6: blanks, codes above 123, repetition against lower case, length, lower case, sort, cut."""
    table = texts(
        ("Crumb  House", 0.5),  # two words, one empty piece
        ("crumb", 0.9),  # already there in lower case: dropped
        ("Crumb", 0.95),  # D7: compared as written, slips in a second time
        ("TV", 0.99),  # too short
        ("TV", 0.99),  # too short as well, never a repetition
        ("café 面包 {z |a ~b}", 0.8),  # é, CJK, | and ~ go; { is 123 and stays, but "{z" is too short
        ("{zz 42 365", 0.7),
    )
    result = textvr_words(table)
    assert result.words["text"].tolist() == ["crumb", "{zz", "365", "crumb", "house"]
    assert result.words["score"].tolist() == [0.95, 0.7, 0.7, 0.5, 0.5]
    assert result.dropped[["filter", "n_dropped"]].values.tolist() == [
        ["textvr_ascii", 4],
        ["textvr_dedup", 1],
        ["textvr_min3", 4],
        ["max_words", 0],
    ]


def reference(rows: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """The rules of the spec as a loop."""
    kept_words: list[str] = []
    result = []
    for text, score in rows:
        for piece in (part for part in text.split(" ") if part):
            if any(ord(c) > 123 for c in piece) or piece.strip() in kept_words or len(piece.strip()) < 3:
                continue
            kept_words.append(piece.strip().lower())
            result.append((piece.strip().lower(), score))
    return sorted(result, key=lambda one: -one[1])[:200]


@given(st.lists(st.tuples(st.text("aAbB é{|7", max_size=12), st.sampled_from([0.1, 0.5, 0.9])), max_size=12))
def test_textvr_preset_equals_the_rules_as_a_loop(rows):
    found = textvr_words(texts(*rows)).words
    assert list(zip(found["text"], found["score"], strict=True)) == reference(rows)


@given(st.lists(st.text(max_size=5), max_size=8), st.sampled_from(sorted(FILTERS)))
def test_every_filter_answers_for_anything(values, name):
    result = clean(words(*values), [name])
    assert len(result.words) + result.dropped["n_dropped"].sum() == len(values)
    assert clean(result.words, [name]).dropped["n_dropped"].sum() == 0 or name == "textvr_dedup"


def test_hostile_words():
    assert clean(words(), PRESETS["default"]).words.empty
    assert clean(pd.DataFrame({"text": [None, "word"]}), PRESETS["default"]).words["text"].tolist() == ["word"]
    with pytest.raises(UnknownNameError, match="Did you mean min_score"):
        clean(words("a"), ["min_scor"])
    with pytest.raises(DataError, match="no option 'minimal'. Did you mean minimum"):
        clean(words("a"), [("min_score", {"minimal": 1})])
    with pytest.raises(DataError, match="is 'x', not a number"):
        clean(words("a"), [("min_score", {"minimum": "x"})])
    with pytest.raises(DataError, match="no column 'text'"):
        clean(pd.DataFrame())
