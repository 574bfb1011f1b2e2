"""How figures look on paper: the size of a column, letters, fonts that hold every sign, text that is only text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any

from workbench.core.optional import need
from workbench.figures.theme import GRID, INK, MUTED

COLUMN, PAGE = 3.3, 6.9
"""Widths in inches: one column of a two-column paper, and both."""
PIXELS = 117
"""Pixels of the screen in one inch of paper: 13 px letters become 8 pt."""
POINT = 72 / PIXELS
"""Points on paper of one pixel on the screen."""
BASE = "DejaVu Sans"
_DRAWING = Lock()
_LOOK = {
    "text.parse_math": False,  # a dollar sign in a caption is a dollar sign
    "font.size": 13 * POINT, "text.color": INK,
    "axes.edgecolor": MUTED, "axes.labelcolor": INK, "axes.linewidth": 0.6, "axes.spines.top": False,
    "axes.spines.right": False, "axes.axisbelow": True, "grid.color": GRID, "grid.linewidth": 0.6,
    "xtick.color": INK, "ytick.color": INK, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "legend.frameon": False, "hatch.linewidth": 0.6, "pdf.fonttype": 42, "svg.fonttype": "path",
    "svg.hashsalt": "workbench",
}  # fmt: skip


@contextmanager
def paper_look(families: tuple[str, ...] = (BASE,)) -> Iterator[None]:
    """Draw inside the block in the look of a paper; one drawing at a time, as matplotlib's settings are global.

    Args:
        families: Fonts, in the order in which they are tried for a sign.
    """
    matplotlib = need("matplotlib", "A figure as PDF or SVG")
    with _DRAWING, matplotlib.rc_context({**_LOOK, "font.family": list(families)}):
        yield


def fonts_for(text: str) -> tuple[tuple[str, ...], str]:
    """The fonts of this machine that together hold every sign of a text.

    Args:
        text: All that will be drawn.

    Returns:
        Their families, the usual one first; and the signs that no font holds.
    """
    manager = need("matplotlib.font_manager", "A figure as PDF or SVG").fontManager
    left = {sign for sign in text if sign.isprintable() and not sign.isspace()}
    families = [BASE]
    left -= _signs(manager.findfont(BASE))
    upright = [one for one in manager.ttflist if one.style == "normal" and not one.name.startswith("Last Resort")]
    for font in sorted(upright, key=lambda one: (abs(_weight(one.weight) - 400), one.name)):
        if not left:
            break
        if held := left & _signs(font.fname):
            families.append(font.name)
            left -= held
    return tuple(dict.fromkeys(families)), "".join(sorted(left))


def about_missing(signs: str) -> str:
    """What to tell where no font holds some signs; empty where there are none."""
    if not signs:
        return ""
    shown = " ".join(signs[:8]) + (" …" if len(signs) > 8 else "")
    return (
        f"No font on this machine has {shown}, so a box stands for each. Install one that has, e.g. Noto Sans CJK for "
        "Chinese, Japanese and Korean (fonts-noto-cjk), and start again."
    )


@lru_cache(maxsize=1024)
def _signs(path: str) -> frozenset[str]:
    """What a font file can draw."""
    font = need("matplotlib.ft2font", "A figure as PDF or SVG").FT2Font(path)
    return frozenset(map(chr, font.get_charmap()))


def _weight(weight: Any) -> int:
    return int(weight) if str(weight).isdigit() else 400
