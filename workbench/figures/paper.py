"""How figures look on paper: the size of a column, letters, fonts that hold every sign, text that is only text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from workbench.core.optional import need
from workbench.figures.glyphs import FEATURE, as_truetype, is_cubic
from workbench.figures.theme import GRID, INK, MUTED

COLUMN, PAGE = 3.3, 6.9
"""Widths in inches: one column of a two-column paper, and both."""
PIXELS = 117
"""Pixels of the screen in one inch of paper: 13 px letters become 8 pt."""
POINT = 72 / PIXELS
"""Points on paper of one pixel on the screen."""
BASE = "DejaVu Sans"
PACKED = "NotoSansCJKsc-Regular.otf"
"""The one file that is used of mplfonts (extra ``fonts``): Chinese, Japanese and Korean; SIL Open Font License."""
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


@dataclass(frozen=True)
class Font:
    """A font file, and the signs of a text that are drawn with it."""

    family: str
    path: str
    signs: frozenset[str]


@contextmanager
def paper_look(text: str = "") -> Iterator[tuple[list[str], str]]:
    """Draw inside the block in the look of a paper; one drawing at a time, as matplotlib's settings are global.

    Args:
        text: All that will be drawn, where it may need more than the usual font.

    Yields:
        Names of fonts, in the order in which they are tried for a sign; and the signs that no font has.
    """
    matplotlib = need("matplotlib", FEATURE)
    with _DRAWING, _lent(text) as (families, missing), matplotlib.rc_context({**_LOOK, "font.family": families}):
        yield families, missing


@contextmanager
def _lent(text: str) -> Iterator[tuple[list[str], str]]:
    """The fonts of a text by name; of those that matplotlib embeds badly it is lent the signs that are needed."""
    known = need("matplotlib.font_manager", FEATURE)
    fonts, missing = fonts_for(text)
    own, families = list(known.fontManager.ttflist), [BASE]
    try:
        with TemporaryDirectory(prefix="workbench-fonts-") as folder:
            for font in fonts:
                if is_cubic(font.path):
                    file = Path(folder) / f"{len(families)}.ttf"
                    as_truetype(font.path, font.signs, file)
                    families.append(str(file))  # its own: matplotlib keeps in mind which file a name stands for
                    known.fontManager.ttflist.append(known.FontEntry(fname=str(file), name=str(file), weight=400))
                else:
                    families.append(font.family)
            yield families, missing
    finally:
        known.fontManager.ttflist[:] = own


def fonts_for(text: str) -> tuple[list[Font], str]:
    """The fonts that hold the signs of a text that the usual one lacks; few, so that a word is written in one hand.

    Args:
        text: All that will be drawn.

    Returns:
        The fonts; and the signs that none has.
    """
    manager = need("matplotlib.font_manager", FEATURE).fontManager
    left = frozenset(sign for sign in text if sign.isprintable() and not sign.isspace())
    left -= _signs(manager.findfont(BASE))
    candidates, found = _others(manager) if left else [], list[Font]()
    while left and candidates:
        family, path = max(candidates, key=lambda one: len(left & _signs(one[1])))
        if not (held := left & _signs(path)):
            break
        found.append(Font(family, path, held))
        left -= held
    return found, "".join(sorted(left))


def _others(manager: Any) -> list[tuple[str, str]]:
    """Name and file of the upright fonts of this machine, regular ones first; the packed one stands last."""
    upright = [one for one in manager.ttflist if one.style == "normal" and not one.name.startswith("Last Resort")]
    ordered = sorted(upright, key=lambda one: (abs(_weight(one.weight) - 400), one.name))
    packed = packed_font()
    return [*((one.name, one.fname) for one in ordered), *([(PACKED, packed)] if packed else [])]


def packed_font() -> str | None:
    """The file of the extra ``fonts``, found without an import; None where it is not installed."""
    found = find_spec("mplfonts")
    file = Path(found.origin).parent / "fonts" / PACKED if found and found.origin else None
    return str(file) if file and file.is_file() else None


def about_missing(signs: str) -> str:
    """What to tell where no font holds some signs; empty where there are none."""
    if not signs:
        return ""
    shown = " ".join(signs[:8]) + (" …" if len(signs) > 8 else "")
    return (
        f"No font on this machine has {shown}, so a box stands for each. Install one that has, e.g. for Chinese, "
        "Japanese and Korean: pip install 'textvr-workbench[fonts]' (or the system's fonts-noto-cjk), and start again."
    )


@lru_cache(maxsize=1024)
def _signs(path: str) -> frozenset[str]:
    """What a font file can draw."""
    font = need("matplotlib.ft2font", FEATURE).FT2Font(path)
    return frozenset(map(chr, font.get_charmap()))


def _weight(weight: Any) -> int:
    return int(weight) if str(weight).isdigit() else 400
