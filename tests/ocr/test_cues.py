"""Cue words: what of a caption claims to stand in the video."""

from __future__ import annotations

import pytest

from workbench.ocr.cues import cue_words, spellings, written_words
from workbench.ocr.matching import caption_words

CASES = {
    'A sign "No Parking" hangs on a wall.': ["no", "parking"],
    "A man holds a card “Happy birthday, Ana” up.": ["happy", "birthday", "ana"],
    "The dog's bowl isn't full and the boys' toys lie there.": [],
    "He opens the door of a 'Corner Cafe' at night.": ["corner", "cafe"],
    "A bus of the line NACHTBUS N7 stops.": ["nachtbus", "n7"],
    "People watch TV in the USA.": [],
    "A MAN CUTS BREAD": [],
    "The score is 6-3 at 10:30.": ["6-3", "10:30"],
    "The 2nd of 3 men won in the 1990s.": [],
    "A shop sign says royal bakery on a brick wall.": ["royal", "bakery"],
    "A banner which reads happy new year, and balloons.": ["happy", "new", "year"],
    "It reads LOVOMA 70.": ["lovoma", "70"],
    "With the words ocean view, a title appears.": ["ocean", "view"],
    "A card with the words one two three four five six seven.": ["one", "two", "three", "four", "five"],
    "A bottle labelled Krono-Cola in a fridge.": ["krono", "cola"],
    "A woman reads a book to her child.": [],
    "A man says hello to a dog.": [],
    "": [],
    "…": [],
}


@pytest.mark.parametrize("caption", CASES)
def test_cue_words(caption):
    assert cue_words(caption) == CASES[caption]


def test_each_word_stands_once_in_the_order_of_the_caption():
    assert cue_words('The label "B" says B52 beside "ACME b52".') == ["b52", "acme"]


def test_written_words_are_those_of_the_caption_that_stand_in_the_video():
    written = set(caption_words("The ROYAL Bakery 3 Krono-Cola ЗИМА"))
    text = "The royal guard eats at a bakery with 3 krono-colas, krono-cola and зима."
    assert written_words(text, written) == ["royal", "bakery", "3", "krono", "cola", "зима"]
    assert written_words("nothing of it", written) == []


def test_spellings_keep_how_a_word_was_written():
    found = spellings('SL0ANE (Square), "Krono-Cola" 6-3 sl0ane!')
    assert found == {
        "sl0ane": "SL0ANE", "square": "Square", "krono-cola": "Krono-Cola", "krono": "Krono-Cola",
        "cola": "Krono-Cola", "6-3": "6-3",
    }  # fmt: skip
    text = "A/B  don’t\u00a0stop <b>now</b> – 10:30"
    assert set(spellings(text)) == set(caption_words(text))
