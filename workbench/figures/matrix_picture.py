"""A whole similarity matrix as a figure of a paper: the level that fits on it, with the borders of the domains."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.optional import need
from workbench.figures.drawn import LETTER, NARROW
from workbench.figures.glyphs import FEATURE
from workbench.figures.matrix_pyramid import FACTOR
from workbench.figures.matrix_tiles import MatrixView
from workbench.figures.paper import PAGE, paper_look
from workbench.figures.theme import DIVERGING, GRID, INK, MUTED

ONE = ["#ffffff", "#dbe9f6", "#7fb2d9", "#2563a8", "#0b1f3a"]
SIDE = (0.6, 1.5)
"""Least and greatest height of the matrix, in shares of its width."""


def matrix_picture(view: MatrixView, pool: str = "max", width: float = PAGE) -> Any:
    """Every pair of caption (row) and video (column) of a run, or of the difference of two.

    Args:
        view: The matrix.
        pool: ``max`` or ``mean`` of the cells that fall together.
        width: Inches.

    Returns:
        A figure of matplotlib, for ``save_figure`` or the last line of a notebook's cell.
    """
    level = view.level_from_afar()
    values, domains = view.from_afar(pool), view.axes.domains
    limit, (rows, columns) = view.limit(pool), view.shape
    two = view.other is not None
    colors = need("matplotlib.colors", FEATURE).LinearSegmentedColormap.from_list("matrix", DIVERGING if two else ONE)
    colors = colors.with_extremes(bad=GRID)
    with paper_look():
        from workbench.figures.cell_figure import CellFigure  # here, as matplotlib comes with an extra

        height = width * float(np.clip(rows / columns, *SIDE)) * 0.75 + LETTER * 14
        paper = CellFigure(figsize=(width, height), layout="constrained")
        axes = paper.add_subplot()
        cells = FACTOR**level
        picture = axes.imshow(
            values, cmap=colors, vmin=-limit if two else 0.0, vmax=limit, aspect="auto", interpolation="none",
            extent=(0, values.shape[1] * cells, values.shape[0] * cells, 0), rasterized=True,
        )  # fmt: skip
        axes.set_xlim(0, columns)
        axes.set_ylim(rows, 0)
        for own, draw, of in ((axes.xaxis, axes.axvline, "columns"), (axes.yaxis, axes.axhline, "rows")):
            if domains:
                own.set_ticks([sum(one[of]) / 2 for one in domains], [one["label"] for one in domains], fontsize=7)
            for one in domains[1:]:
                draw(one[of][0], color=MUTED, linewidth=0.5)
        axes.tick_params(axis="x", rotation=90 if domains else 0, length=0)
        axes.set_xlabel(f"videos ({columns:,})")
        axes.set_ylabel(f"captions ({rows:,})")
        name = f"{view.run.name} − {view.other.name}" if view.other else view.run.name
        paper.suptitle(name, fontsize=8, color=INK)
        above = {"location": "top", "shrink": 0.7} if width < NARROW else {"location": "right"}
        scale = paper.colorbar(picture, ax=axes, fraction=0.05, pad=0.02, **above)
        scale.set_label("sd")
        scale.outline.set_visible(False)
        return paper
