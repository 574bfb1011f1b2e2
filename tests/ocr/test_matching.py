from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import DataError
from workbench.ocr import matching
from workbench.ocr.matching import STOP_WORDS, Match, WordMatcher, caption_words, match_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A red bus passes the bakery CRUMB HOUSE.", ["a", "red", "bus", "passes", "the", "bakery", "crumb", "house"]),
        ("The score is 6-3, at 10:30!", ["the", "score", "is", "6-3", "at", "10:30"]),
        ("An ice-cream van", ["an", "ice-cream", "ice", "cream", "van"]),
        ("“Baker’s” AT&T 1,000 (v2.0)", ["baker's", "at&t", "1,000", "v2.0"]),
        ("left/right. End", ["left", "right", "end"]),
        ("हिन्दी 面包店 Straße", ["हिन्दी", "面包店", "strasse"]),
        ("6 – 3 — no", ["6", "3", "no"]),
        (" \u00a0 ", []),
        ("", []),
    ],
)
def test_words_of_a_caption(text, expected):
    assert caption_words(text) == expected


def test_matches_by_hand():
    found = match_words(["bakery", "crumb", "house", "6-3", "tv", "2019"], ["CRUMB!", "H0USE", "BAKERI", "TVS", "2018"])
    assert found == [
        Match("bakery", "BAKERI", pytest.approx(100 * 10 / 12), "fuzzy"),
        Match("crumb", "CRUMB!", 100.0, "exact"),
        Match("house", "H0USE", 80.0, "fuzzy"),
    ]
    assert [m.word for m in match_words(["house"], ["H0USE"], threshold=81)] == []


def test_short_words_and_numbers_match_exactly_only():
    assert match_words(["opens"], ["pen"]) == []
    assert match_words(["open"], ["pen"]) == []  # 86 of 100, but three letters
    assert match_words(["route66"], ["route65"]) == []
    assert [m.kind for m in match_words(["route66", "7"], ["ROUTE66", "7"])] == ["exact", "exact"]


def test_nothing_matches_nothing():
    assert match_words([], ["a"]) == [] == match_words(["a"], []) == match_words(["", "..."], ["", "--"])
    with pytest.raises(DataError, match="threshold above 0"):
        match_words(["a"], ["b"], threshold=0)
    with pytest.raises(DataError, match="threshold above 0"):
        WordMatcher([], threshold=101)


VIDEOS = [["CRUMB", "HOUSE", "house"], ["H0USE", "The"], []]


def test_scores_and_counts_by_hand():
    matcher = WordMatcher(VIDEOS)
    captions = [["the", "crumb", "house", "house"], ["nothing"], []]
    assert matcher.vocabulary == ["crumb", "house", "h0use", "the"]
    assert matcher.caption_vocabulary(captions) == ["the", "crumb", "house", "nothing"]
    assert matcher.match(captions).toarray().tolist() == [[0, 0, 0, 100], [100, 0, 0, 0], [0, 100, 80, 0], [0] * 4]
    counts = matcher.counts(captions)
    assert counts.dtype == np.float32
    assert counts.tolist() == [[2, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert matcher.counts(captions, slice(1, 2)).tolist() == [[0, 0, 0]]
    assert matcher.counts(captions, slice(0, 1), {"house": 0.5, "the": 9.0}).tolist() == [[0.5, 0.5, 0]]


def test_weights_by_the_number_of_videos():
    matcher = WordMatcher(VIDEOS)
    crumb, house, none, stop = matcher.idf(["crumb", "house", "unseen", "the"])
    assert crumb == pytest.approx(np.log(1 + 2.5 / 1.5)) and house == pytest.approx(np.log(1 + 1.5 / 2.5))
    assert none > crumb and stop == 0
    assert matcher.counts([["crumb", "house", "the"]], weights="idf") == pytest.approx(
        np.asarray([[crumb + house, house, 0]])
    )


def test_a_matcher_of_nothing():
    assert WordMatcher([]).counts([["a"]]).shape == (1, 0)
    assert WordMatcher([[], ["..."]]).match([["word"]]).shape == (1, 0)
    assert WordMatcher([["word"]]).counts([]).shape == (0, 1)
    assert WordMatcher([["word"]]).match([[]]).shape == (0, 1)


WORD = st.text("abc7", min_size=1, max_size=7)
LISTS = st.lists(st.lists(WORD, max_size=5), min_size=1, max_size=5)


@settings(max_examples=80, deadline=None)
@given(LISTS, LISTS, st.sampled_from([60, 80, 90.5, 100]))
def test_the_corpus_matcher_agrees_with_pairs(videos, captions, threshold):
    matcher = WordMatcher(videos, threshold=threshold, workers=2)
    expected = [
        [len({m.word for m in match_words(c, v, threshold=threshold)} - STOP_WORDS) for v in videos] for c in captions
    ]
    half = len(captions) // 2
    parts = [matcher.counts(captions[:half]), matcher.counts(captions, slice(half, None))]
    assert np.concatenate(parts).tolist() == expected
    assert matcher.counts(captions).tolist() == expected


def test_small_blocks_give_the_same(monkeypatch):
    videos, captions = [["bakery", "bakerx", "crumb"]], [["bakery", "baker", "crumbs", "crumb"]]
    whole = WordMatcher(videos).match(captions).toarray()
    monkeypatch.setattr(matching, "BLOCK_BYTES", 1)
    assert (WordMatcher(videos, workers=1).match(captions).toarray() == whole).all()
