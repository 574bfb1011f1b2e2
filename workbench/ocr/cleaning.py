"""Recognised texts become words, and named filters drop those that are noise, each counting what it dropped."""

from __future__ import annotations

import inspect
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.core.lookup import nearest, pick

ALIKE = str.maketrans({**dict.fromkeys("‘’ʼ", "'"), **dict.fromkeys("‐‑‒–−", "-")})
"""Apostrophes and hyphens that differ in print only."""
N_EXAMPLES = 5
WORD_COLUMNS = ["text_id", "position", "text", "score"]


def fold(text: str) -> str:
    """Text for comparing: NFKC, case folded, one kind of apostrophe and hyphen, no invisible format characters.

    Source: Unicode Standard, section 3.13, compatibility caseless matching.
    """
    if text.isascii():
        return text.casefold()
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).casefold()
    text = unicodedata.normalize("NFKC", text).translate(ALIKE)
    return "".join(c for c in text if unicodedata.category(c) != "Cf")


@lru_cache(maxsize=1 << 17)
def normalise_word(word: str) -> str:
    """A word for comparing: folded, and without surrounding punctuation, symbols and blanks (may become empty)."""
    word = fold(word)
    start, end = 0, len(word)
    while start < end and not _inner(word[start]):
        start += 1
    while end > start and not _inner(word[end - 1]):
        end -= 1
    return word[start:end]


def _inner(character: str) -> bool:
    """Letters, marks and numbers: what a word is made of."""
    return character.isalnum() or unicodedata.category(character)[0] in "LMN"


def words_of(texts: pd.DataFrame, *, separator: str | None = None) -> pd.DataFrame:
    """Split recognised texts into words.

    Args:
        texts: Rows of ``texts``; text_id and text are needed, score and video_id are taken along.
        separator: None = any white space; TextVR splits on single blanks.

    Returns:
        text_id, position (0.. in the text), text, score, and video_id where there was one; in the order of ``texts``.
    """
    taken = [column for column in ("text_id", "score", "video_id") if column in texts.columns]
    rows = texts.loc[texts["text"].notna(), [*taken, "text"]].reset_index(drop=True)
    split = [[word for word in str(text).split(separator) if word] for text in rows["text"]]
    counts = np.asarray([len(words) for words in split], int)
    words = rows[taken].loc[np.repeat(np.arange(len(rows)), counts)].reset_index(drop=True)
    words["text"] = pd.Series([word for one in split for word in one], dtype="str")
    words["position"] = np.arange(len(words)) - np.repeat(np.cumsum(counts) - counts, counts)
    if "score" not in words.columns:
        words["score"] = np.nan
    return words[[*WORD_COLUMNS, *(column for column in words.columns if column not in WORD_COLUMNS)]]


Keep = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Filter:
    """One rule.

    Attributes:
        name: Its name in ``FILTERS``.
        sentence: What it drops.
        function: (words, options) -> bool [n_words], true = kept.
    """

    name: str
    sentence: str
    function: Keep


@dataclass(frozen=True)
class Cleaned:
    """What is left, and why the rest is not.

    Attributes:
        words: The kept rows, in their order and with their index.
        dropped: filter, n_dropped, examples (up to five different words), in the order of the filters.
    """

    words: pd.DataFrame
    dropped: pd.DataFrame


def _each(words: pd.DataFrame, rule: Callable[[str], bool]) -> np.ndarray:
    return np.fromiter((rule(word) for word in words["text"]), bool, len(words))


def _scores(words: pd.DataFrame) -> np.ndarray:
    """Scores, float [n_words]; unknown ones are below all others."""
    return pd.to_numeric(words["score"], errors="coerce").astype(float).fillna(-np.inf).to_numpy()


def _groups(words: pd.DataFrame) -> list[object]:
    """The video of each word; all words are of one video where no column says otherwise."""
    return list(words["video_id"]) if "video_id" in words.columns else [None] * len(words)


def _min_score(words: pd.DataFrame, minimum: float = 0.5) -> np.ndarray:
    scores = _scores(words)
    return (scores >= minimum) | np.isneginf(scores)


def _min_length(words: pd.DataFrame, minimum: int = 2) -> np.ndarray:
    def long_enough(word: str) -> bool:
        core = normalise_word(word)
        alone = any(c.isdigit() or unicodedata.category(c) == "Lo" for c in core)
        return len(core) >= minimum or alone

    return _each(words, long_enough)


def _letters_or_digits(words: pd.DataFrame) -> np.ndarray:
    return _each(words, lambda word: any(c.isalnum() for c in word))


def _repeated(words: pd.DataFrame) -> np.ndarray:
    best: dict[tuple[object, str], int] = {}
    scores = _scores(words)
    for i, (group, word) in enumerate(zip(_groups(words), words["text"], strict=True)):
        first = best.setdefault((group, normalise_word(word) or word), i)
        if scores[i] > scores[first]:
            best[group, normalise_word(word) or word] = i
    keep = np.zeros(len(words), bool)
    keep[list(best.values())] = True
    return keep


def _max_words(words: pd.DataFrame, maximum: int = 200) -> np.ndarray:
    keep = np.zeros(len(words), bool)
    taken: dict[object, int] = {}
    groups = _groups(words)
    for i in np.argsort(-_scores(words), kind="stable"):
        taken[groups[i]] = taken.get(groups[i], 0) + 1
        keep[i] = taken[groups[i]] <= maximum
    return keep


def _textvr_ascii(words: pd.DataFrame) -> np.ndarray:
    return _each(words, lambda word: all(ord(c) <= 123 for c in word))


def _textvr_dedup(words: pd.DataFrame) -> np.ndarray:
    kept: set[tuple[object, str]] = set()
    keep = np.ones(len(words), bool)
    for i, (group, word) in enumerate(zip(_groups(words), words["text"], strict=True)):
        keep[i] = (group, word.strip()) not in kept
        if keep[i] and len(word.strip()) >= 3:  # shorter ones never reach TextVR's list
            kept.add((group, word.strip().lower()))
    return keep


def _textvr_min3(words: pd.DataFrame) -> np.ndarray:
    return _each(words, lambda word: len(word.strip()) >= 3)


_ALL = (
    Filter("min_score", "drops words below a confidence; unknown ones stay", _min_score),
    Filter("letters_or_digits", "drops words without any letter or digit", _letters_or_digits),
    Filter("min_length", "drops short words; numbers and single letters of scripts without case stay", _min_length),
    Filter("repeated", "drops repetitions within a video, whatever their case; the most confident stays", _repeated),
    Filter("max_words", "drops all but the most confident words of a video", _max_words),
    Filter("textvr_ascii", "TextVR: drops words with a character code above 123, so also é, ’, | and ~", _textvr_ascii),
    Filter("textvr_dedup", "TextVR: drops words already kept in lower case; other spellings slip in", _textvr_dedup),
    Filter("textvr_min3", "TextVR: drops words of one or two characters, numbers included", _textvr_min3),
)
FILTERS: dict[str, Filter] = {one.name: one for one in _ALL}
Step = str | tuple[str, Mapping[str, Any]]
PRESETS: dict[str, tuple[Step, ...]] = {
    "default": ("min_score", "letters_or_digits", "min_length", "repeated", "max_words"),
    "textvr": ("textvr_ascii", "textvr_dedup", "textvr_min3", ("max_words", {"maximum": 200})),
}


def clean(words: pd.DataFrame, filters: Sequence[Step] = PRESETS["default"]) -> Cleaned:
    """Apply filters one after another.

    Args:
        words: From ``words_of``; text is needed, score and video_id are used where present.
        filters: Names, or (name, options); a preset of ``PRESETS`` is such a list.

    Raises:
        UnknownNameError: No filter is called so.
        DataError: A filter has no such option, or ``words`` has no column text.
    """
    if "text" not in words.columns:
        raise DataError("The words have no column 'text'.", "Make them with words_of(texts).")
    words = words if "score" in words.columns else words.assign(score=np.nan)
    words = words[words["text"].notna()]
    rows = []
    for step in filters:
        name, options = (step, {}) if isinstance(step, str) else step
        keep = _function(name, options)(words, **options)
        examples = list(dict.fromkeys(words["text"][~keep]))[:N_EXAMPLES]
        rows.append((name, int((~keep).sum()), examples))
        words = words[keep]
    return Cleaned(words, pd.DataFrame(rows, columns=["filter", "n_dropped", "examples"]))


def _function(name: str, options: Mapping[str, Any]) -> Keep:
    function = pick(FILTERS, name, "OCR filter").function
    known = list(inspect.signature(function).parameters)[1:]
    for option, value in options.items():
        if option not in known:
            raise DataError(f"The filter {name} has no option {option!r}.", nearest(option, known))
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise DataError(f"The option {option} of {name} is {value!r}, not a number.", "Give a number.")
    return function


def textvr_words(texts: pd.DataFrame) -> Cleaned:
    """The words that TextVR's fusion loader gives its model, in its order, before padding.

    Source: the loader's rules (docs: spec 1.6): single blanks, character codes, repetitions, length, lower case, stable
    sort by score, 200 words.

    Args:
        texts: Rows of ``texts`` of one or several videos, tracks in file order.
    """
    cleaned = clean(words_of(texts, separator=" "), PRESETS["textvr"])
    order = np.argsort(-_scores(cleaned.words), kind="stable")
    words = cleaned.words.iloc[order]
    return Cleaned(words.assign(text=words["text"].str.strip().str.lower()), cleaned.dropped)
