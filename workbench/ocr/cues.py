"""Cue words: the words of a caption that claim to stand in the video."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from workbench.ocr.matching import STOP_WORDS, caption_words

LONGEST = 5
"""Words after a mark such as "the sign says" that are taken."""
ABBREVIATIONS = frozenset("tv dj pc uk us usa ok cd dvd led lcd suv atv bmx bbq diy gps mc vip".split())
"""Words that captions write in capitals without quoting anything."""
USUAL_CAPITALS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august"
    " september october november december african american arab arabian arabic asian australian brazilian british"
    " canadian caucasian chinese christian dutch english european french german greek hispanic indian irish italian"
    " japanese korean latin mexican muslim polish roman russian scottish spanish swedish thai turkish vietnamese welsh"
    " mr mrs ms dr i'm i'll i've i'd".split()
)
"""Words that English begins with a capital whether or not they stand written in the video."""
SURFACES = (
    "ad|banner|billboard|board|book|bottle|box|building|caption|card|cover|headline|jersey|label|letters|logo|menu"
    "|note|number|package|page|paper|plate|poster|scoreboard|screen|shirt|shop|sign|signboard|slogan|sticker|store"
    "|subtitle|text|ticker|title|van|wall|word|words|it|that|which"
)
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|«([^»]+)»|(?<!\w)['‘](.+?)['’](?!\w)")
_MARKED = re.compile(
    rf"\b(?:(?:{SURFACES})\s+(?:says|say|saying|reads|read|reading|shows)|labell?ed|entitled|titled|(?:is|are) written"
    r"|the (?:words?|letters?|number|text|title|slogan|logo))\b[\s:]+(?=\S)",
    re.IGNORECASE,
)
_END = re.compile(r"[.,;!?](?=\s|$)")
_MIXED = re.compile(r"[^\W\d_][a-z]*[a-z][A-Z]")
_TOKEN = re.compile(r"\S+")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th|s)")


def cue_words(caption: str) -> list[str]:
    """The words of an English caption that claim to stand in the video, normalised, each once, in its order.

    A word of the caption c is one if it is

    - quoted: between quotation marks;
    - marked: one of up to five words after a mark ("the sign says", "which reads", "with the words", "is written",
      "titled"), up to the first function word or the end of the clause;
    - in capitals: two letters or more, no common abbreviation, in a caption that is not all capitals;
    - a number: two characters or more with a digit, no ordinal and no decade;
    - a name: it begins with a capital inside a sentence, or has a capital after a small letter (``SEALiFE``), is none
      of ``USUAL_CAPITALS``, and no more than half of the words inside the caption's sentences begin with a capital.

    Function words and single letters never count. This rule is what ``evaluation.metrics.scene_text`` calls
    ``scene-text-query v1``; whoever changes it makes a new version. Names of persons and places count although nobody
    may have written them, and a name at the start of a sentence is missed.
    """
    return list(_cues(caption))


def marked_words(caption: str) -> list[str]:
    """The ``cue_words`` of a caption that its form alone tells: quoted, marked, in capitals, or of mixed case.

    Numbers and names are left out, as "12 kids" and "a woman in Brazil" need not stand written anywhere.
    """
    return [word for word, sure in _cues(caption).items() if sure]


@lru_cache(maxsize=1 << 17)
def _cues(caption: str) -> Mapping[str, bool]:
    """``cue_words`` of a caption, and whether each is one of its ``marked_words``."""
    places = _quoted(caption) + _marked(caption)
    shouted = not any(c.islower() for c in caption)
    tokens = [(match.group(), *match.span()) for match in _TOKEN.finditer(caption)]
    mixed, names = _names(tokens)
    found: dict[str, bool] = {}
    for token, at, stop in tokens:
        inside = any(start <= at < end or start < stop <= end for start, end in places)
        sure = inside or at in mixed or _in_capitals(token, shouted)
        if sure or at in names or _is_number(token):
            found.update({word: sure or found.get(word, False) for word in _counted(token)})
    return found


def written_words(caption: str, written: Collection[str]) -> list[str]:
    """The words of a caption that stand among the words really written in the video, each once, in its order.

    Args:
        caption: The caption.
        written: Normalised words, from ``caption_words``.
    """
    return [word for word in dict.fromkeys(_counted(caption)) if word in written]


def spellings(text: str) -> dict[str, str]:
    """The normalised words of a text (those of ``caption_words``) and how each is spelt in it."""
    return dict(pair for token in reversed(text.split()) for pair in _spelt(token))


@lru_cache(maxsize=1 << 17)
def _spelt(token: str) -> tuple[tuple[str, str], ...]:
    """The words of a token, each with how it is spelt."""
    return tuple((word, _bare(token)) for word in caption_words(token))


def _quoted(caption: str) -> list[tuple[int, int]]:
    return [match.span() for match in _QUOTED.finditer(caption)]


def _marked(caption: str) -> list[tuple[int, int]]:
    """Where the words after each mark stand."""
    places = []
    for mark in _MARKED.finditer(caption):
        end = _END.search(caption, mark.end())
        clause = caption[mark.end() : end.start() if end else len(caption)]
        stop = mark.end()
        for number, token in enumerate(re.finditer(r"\S+", clause)):
            if number == LONGEST or all(word in STOP_WORDS for word in caption_words(token.group())):
                break
            stop = mark.end() + token.end()
        places.append((mark.end(), stop))
    return places


@lru_cache(maxsize=1 << 17)
def _is_number(token: str) -> bool:
    """Whether a word has digits and is no ordinal and no decade."""
    core = _bare(token)
    return any(c.isdigit() for c in core) and len(core) > 1 and not _ORDINAL.fullmatch(core.casefold())


@lru_cache(maxsize=1 << 17)
def _in_capitals(token: str, shouted: bool) -> bool:
    """Whether a word without digits stands in capitals, in a caption that does not."""
    core = _bare(token)
    letters = [c for c in core if c.isalpha()]
    spelt = len(letters) > 1 and core.isupper() and not any(c.isdigit() for c in core)
    return spelt and not shouted and core.casefold() not in ABBREVIATIONS


def _names(tokens: Sequence[tuple[str, int, int]]) -> tuple[set[int], set[int]]:
    """Where words of mixed case begin among the tokens of a caption, and where names do.

    Capitals that the start of a sentence explains are none.
    """
    first, begins, inner = True, set(), 0
    mixed = set()
    for token, at, _ in tokens:
        casing = _casing(token)
        if casing is None:
            continue
        if casing[0]:
            mixed.add(at)
        if not first:
            inner += 1
            if casing[1]:
                begins.add(at)
        first = token[-1] in ".!?:"
    return mixed, set() if 2 * len(begins) > inner else begins


@lru_cache(maxsize=1 << 17)
def _casing(token: str) -> tuple[bool, bool] | None:
    """Whether a token has a capital after a small letter, and whether it begins like a name; None = no letters."""
    core = _bare(token)
    if not any(c.isalpha() for c in core):
        return None
    capital = core[0].isupper() and any(c.islower() for c in core)
    return bool(_MIXED.search(core)), capital and core.casefold() not in USUAL_CAPITALS


@lru_cache(maxsize=1 << 17)
def _counted(text: str) -> tuple[str, ...]:
    """Words that can be looked for: no function words, no single letters, and of hyphenated words only the parts.

    An engine reads a hyphenated word either way, and ``caption_words`` gives its parts for both.
    """
    words = [word for word in caption_words(text) if word not in STOP_WORDS]
    words = [word for word in words if "-" not in word or not any(c.isalpha() for c in word)]
    return tuple(word for word in words if len(word) > 1 or not word.isascii() or word.isdigit())


@lru_cache(maxsize=1 << 17)
def _bare(token: str) -> str:
    """A token without the punctuation around it."""
    return re.sub(r"^\W+|\W+$", "", token) or token
