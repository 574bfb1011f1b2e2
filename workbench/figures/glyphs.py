"""Signs of a font as a small TrueType font of their own.

Matplotlib can embed an OpenType font with cubic outlines (CFF) only under a name that belongs to TrueType, which strict
readers and publishers' checks refuse (issue 2869 of matplotlib). Fonts for Chinese, Japanese and Korean are such ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.core.optional import need

FEATURE = "A figure as PDF or SVG"
ERROR = 0.001
"""How far an outline may move, in shares of a letter's height."""


def is_cubic(path: str) -> bool:
    """Whether a font file has cubic outlines; of a collection the first font counts, as for matplotlib."""
    return not {"CFF ", "CFF2"}.isdisjoint(_font(path).keys())


def as_truetype(path: str, signs: Iterable[str], out: Path) -> None:
    """Write some signs of a font as TrueType; the same signs give the same bytes.

    Args:
        path: The font.
        signs: Signs that it has.
        out: The file.
    """
    font, quadratic = _font(path), need("fontTools.pens.cu2quPen", FEATURE).Cu2QuPen
    names = {ord(sign): font.getBestCmap()[ord(sign)] for sign in sorted(signs)}
    order = list(dict.fromkeys([".notdef", *names.values()]))
    glyphs, units = font.getGlyphSet(), font["head"].unitsPerEm
    outlines = {}
    for name in order:
        pen = need("fontTools.pens.ttGlyphPen", FEATURE).TTGlyphPen(None)
        glyphs[name].draw(quadratic(pen, ERROR * units, reverse_direction=True))
        outlines[name] = pen.glyph()
    made = need("fontTools.fontBuilder", FEATURE).FontBuilder(units, isTTF=True)
    made.updateHead(created=font["head"].created, modified=font["head"].modified)  # else the second of now
    made.setupGlyphOrder(order)
    made.setupCharacterMap(names)
    made.setupGlyf(outlines)
    made.setupHorizontalMetrics({name: (font["hmtx"][name][0], getattr(outlines[name], "xMin", 0)) for name in order})
    high, low = font["hhea"].ascent, font["hhea"].descent
    made.setupHorizontalHeader(ascent=high, descent=low)
    made.setupNameTable({"familyName": font["name"].getDebugName(1), "psName": font["name"].getDebugName(6)})
    made.setupOS2(sTypoAscender=high, usWinAscent=high, usWinDescent=-low)
    made.setupPost()
    made.save(out)


@lru_cache(maxsize=2)
def _font(path: str) -> Any:
    return need("fontTools.ttLib", FEATURE).TTFont(path, fontNumber=0, lazy=True)
