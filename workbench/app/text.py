"""Text from data and errors as text: nothing in it can become Markdown, HTML, a link or an icon."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from html import escape
from math import isfinite

from workbench.ocr.matching import caption_words

ACTIVE = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")
NAMED = re.compile(r":(?=material/|[a-z+-][\w+-]*:)")
"""Where the name of an icon or an emoji begins, which Streamlit looks for after everything escaped is text again."""
DRAWN = re.compile(r"(?<!\S)(<->|->|<-|--|>=|<=|~=)(?!\S)")
"""Signs that Streamlit then turns into one typographic sign where they stand alone."""
BROKEN = "\u2060"
"""Joins two signs without being seen; neither a name nor a pair of signs is found across it."""
BLANKS = re.compile(r"(\s+)")
EDGES = re.compile(r"(\W*)(.*?)(\W*)", re.S)
MARK = (
    "background:#fef3c7;color:#1c2733;border-bottom:2.5px solid #d97706;border-radius:3px;padding:0 2px;font-weight:600"
)
LINES = "max-height:9em;overflow-y:auto;overflow-wrap:anywhere;unicode-bidi:plaintext;line-height:1.45"


def plain(text: object) -> str:
    """The text for a Markdown element as it stands: what Markdown, names of icons or typography could act on is not."""
    apart = DRAWN.sub(lambda found: BROKEN.join(found[1]), NAMED.sub(f":{BROKEN}", str(text)))
    return ACTIVE.sub(r"\\\1", apart).replace("\n", "  \n")


def short(text: object, most: int = 160) -> str:
    """The text on one line, cut to so many characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def extremes(what: str, labels: Iterable[object], values: Iterable[float], form: str = ".1f") -> str:
    """What a chart of one value for each label shows, for who cannot see it: the highest and the lowest.

    Args:
        what: What the chart is about.
        labels: One for each value.
        values: Those that are not finite do not count.
        form: How a value is written, as for ``format``.
    """
    held = [(value, str(label)) for label, value in zip(labels, values, strict=True) if isfinite(value)]
    ends = dict.fromkeys((max(held), min(held))) if held else ()
    said = [f"{end} {label} ({value:{form}})" for end, (value, label) in zip(("highest", "lowest"), ends, strict=False)]
    return f"{what}: {', '.join(said) or 'no values'}"


def marked(text: str, words: Collection[str], size: str = "1rem") -> str:
    """HTML of a caption whose words of a list stand out; all of the text is escaped.

    Args:
        text: The caption.
        words: Normalised words, as ``ocr.matching.caption_words`` gives them.
        size: Of the letters, in CSS.
    """
    parts = []
    for piece in BLANKS.split(text):
        found = EDGES.fullmatch(piece)
        if found and not set(words).isdisjoint(caption_words(piece)):
            before, inner, after = map(escape, found.groups())
            parts.append(f'{before}<mark style="{MARK}">{inner}</mark>{after}')
        else:
            parts.append(escape(piece))
    return f'<div dir="auto" tabindex="0" style="font-size:{size};{LINES}">{"".join(parts)}</div>'
