"""Cue words: the words of a caption that claim to stand in the video."""

from __future__ import annotations

import re
from collections.abc import Collection

from workbench.ocr.matching import STOP_WORDS, caption_words

LONGEST = 5
"""Words after a mark such as "the sign says" that are taken."""
ABBREVIATIONS = frozenset("tv dj pc uk us usa ok cd dvd led lcd suv atv bmx bbq diy gps mc vip".split())
"""Words that captions write in capitals without quoting anything."""
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
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th|s)")


def cue_words(caption: str) -> list[str]:
    """The words of an English caption that claim to stand in the video, normalised, each once, in its order.

    The rule "marked words": words in quotes; words in capitals (two letters or more, no common abbreviation, and not in
    a caption that is all capitals); words of two or more characters with a digit, without ordinals and decades; and up
    to five words after a mark ("the sign says", "which reads", "with the words", "is written", "titled"), up to the
    first function word or the end of the clause. Function words and single letters never count.

    It is no definition of scene-text queries: captions that only name a thing ("a Starbucks shop") have none.
    """
    places = _quoted(caption) + _marked(caption)
    shouted = not any(c.islower() for c in caption)
    found: dict[str, None] = {}
    for token in re.finditer(r"\S+", caption):
        inside = any(start <= token.start() < end or start < token.end() <= end for start, end in places)
        if inside or _stands_out(token.group(), shouted):
            found.update(dict.fromkeys(_counted(token.group())))
    return list(found)


def written_words(caption: str, written: Collection[str]) -> list[str]:
    """The words of a caption that stand among the words really written in the video, each once, in its order.

    Args:
        caption: The caption.
        written: Normalised words, from ``caption_words``.
    """
    return [word for word in dict.fromkeys(_counted(caption)) if word in written]


def spellings(text: str) -> dict[str, str]:
    """The normalised words of a text (those of ``caption_words``) and how each is spelt in it."""
    return {word: _bare(token) for token in reversed(text.split()) for word in caption_words(token)}


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


def _stands_out(token: str, shouted: bool) -> bool:
    """Whether a word alone looks written: capitals or digits."""
    core = _bare(token)
    if any(c.isdigit() for c in core):
        return len(core) > 1 and not _ORDINAL.fullmatch(core.casefold())
    letters = [c for c in core if c.isalpha()]
    return not shouted and len(letters) > 1 and core.isupper() and core.casefold() not in ABBREVIATIONS


def _counted(text: str) -> list[str]:
    """Words that can be looked for: no function words, no single letters, and of hyphenated words only the parts.

    An engine reads a hyphenated word either way, and ``caption_words`` gives its parts for both.
    """
    words = [word for word in caption_words(text) if word not in STOP_WORDS]
    words = [word for word in words if "-" not in word or not any(c.isalpha() for c in word)]
    return [word for word in words if len(word) > 1 or not word.isascii() or word.isdigit()]


def _bare(token: str) -> str:
    """A token without the punctuation around it."""
    return re.sub(r"^\W+|\W+$", "", token) or token
