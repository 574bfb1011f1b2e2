"""A figure of matplotlib that shows itself as the last line of a notebook's cell."""

from __future__ import annotations

from matplotlib.figure import Figure

from workbench.figures.export import WHERE, write_paper
from workbench.figures.paper import PIXELS

DENSITY = 2
"""Pixels of the picture in one of the screen, so that it is sharp on fine screens."""


class CellFigure(Figure):
    """As ``Figure``, with a picture for notebooks, whose letters have the size of those in charts, and a sentence."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """The picture, and its width on the screen."""
        picture = write_paper(self, "png", dpi=DENSITY * PIXELS).data
        return picture, {"width": round(self.get_figwidth() * PIXELS)}

    def __repr__(self) -> str:
        return f"Figure of {self.get_figwidth():.1f} x {self.get_figheight():.1f} inches. {WHERE}"
