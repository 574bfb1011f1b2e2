"""Figures as files for a paper: PDF or SVG at column width, every letter inside, without a browser."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from workbench.core.errors import DataError
from workbench.core.files import atomic
from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.figures.drawing import draw
from workbench.figures.glyphs import FEATURE
from workbench.figures.paper import COLUMN, about_missing, fonts_for, paper_look

FORMATS = {"pdf": "application/pdf", "svg": "image/svg+xml"}
WHERE = 'A notebook shows it; figures.save_figure(figure, "figure.pdf") writes it.'
"""What a terminal says of a figure."""
STAMPS: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}


@dataclass(frozen=True)
class Exported:
    """A figure as a file.

    Attributes:
        data: The file's bytes; the same figure gives the same bytes.
        note: What a reader must know, e.g. signs that no font has; empty = nothing.
    """

    data: bytes
    note: str


def export_figure(figure: Any, format: str = "pdf", *, width: float = COLUMN) -> Exported:
    """A figure as the bytes of a PDF or SVG file.

    Fonts are embedded (PDF: TrueType, so that text can be searched and edited; SVG: as outlines). Signs that the usual
    font lacks are taken from any font of this machine that has them.

    Args:
        figure: A chart of ``workbench.figures``, or a figure of matplotlib, which keeps its own size.
        format: ``pdf`` or ``svg``.
        width: Inches of a chart: ``COLUMN`` (3.3) or ``PAGE`` (6.9); its height is that of the screen.

    Raises:
        UnknownNameError: Another format.
        DataError: A width out of range, or a chart that holds what cannot be drawn.
        MissingExtraError: Matplotlib is not installed.
    """
    pick(FORMATS, format, "format of figures")
    if not 1 <= width <= 20:
        raise DataError(f"The width is {width} inches.", "Choose 1 to 20; a column has 3.3, a page 6.9.")
    with paper_look():
        paper = draw(figure, width) if isinstance(figure, go.Figure) else figure
    return write_paper(paper, format)


def write_paper(paper: Any, format: str, *, dpi: int = 300) -> Exported:
    """A figure of matplotlib as the bytes of a file, its letters from fonts that have them.

    Args:
        paper: The figure.
        format: A key of ``STAMPS``.
        dpi: Dots per inch of what is made of dots.
    """
    with paper_look():  # looking for texts makes those of the axes
        texts = _texts(paper)
    out = io.BytesIO()
    with paper_look("".join(one.get_text() for one in texts)) as (families, missing), warnings.catch_warnings():
        for one in texts:
            one.set_fontfamily(families)
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)  # is in the note
        paper.savefig(out, format=format, metadata=STAMPS[format], dpi=dpi)
    return Exported(out.getvalue(), about_missing(missing))


def unknown_signs(figure: go.Figure | str) -> str:
    """What to tell before a figure is written: signs that no font has; empty = none.

    Args:
        figure: A chart of ``workbench.figures``, which is drawn but not laid out; or the text of another figure.
    """
    if isinstance(figure, go.Figure):
        with paper_look():
            figure = "".join(one.get_text() for one in _texts(draw(figure, COLUMN)))
    return about_missing(fonts_for(figure)[1])


def _texts(paper: Any) -> list[Any]:
    return paper.findobj(need("matplotlib.text", FEATURE).Text)


def save_figure(figure: Any, path: str | Path, *, width: float = COLUMN) -> str:
    """Write a figure as PDF or SVG, by the suffix of the file.

    Args:
        figure: As for ``export_figure``.
        path: The file; one that exists is replaced.
        width: Inches.

    Returns:
        What a reader must know about the file; empty = nothing.

    Raises:
        UnknownNameError: Another suffix.
        DataError: As for ``export_figure``.
    """
    path = Path(path)
    made = export_figure(figure, path.suffix.lower().lstrip("."), width=width)
    with atomic(path) as temporary:
        temporary.write_bytes(made.data)
    return made.note
