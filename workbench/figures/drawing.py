"""The second renderer of the charts: the record that plotly shows on the screen, drawn by matplotlib for a paper.

What a chart may consist of is listed in ``traces.DRAWERS``; anything else is refused, so that no file lacks what the
screen shows.
"""

from __future__ import annotations

from textwrap import fill
from typing import Any

import plotly.graph_objects as go

from workbench.core.errors import DataError
from workbench.core.optional import need
from workbench.figures.drawn import DASHES, LETTER, NARROW, Drawing, colour, words
from workbench.figures.glyphs import FEATURE
from workbench.figures.paper import PIXELS, POINT
from workbench.figures.theme import INK
from workbench.figures.traces import DRAWERS

SMALL = {"fontsize": 7.5, "linespacing": 0.95}
"""How names to the left of the axes are written, as two lines of them must find room in a row."""
MOST_ROWS = 3
"""Rows of a legend that the height of the screen has room for."""


def draw(chart: go.Figure, width: float) -> Any:
    """Draw a chart with matplotlib; call it inside ``paper_look``.

    Args:
        chart: A figure of ``workbench.figures``.
        width: Inches.

    Returns:
        Matplotlib's figure.

    Raises:
        DataError: The chart holds something that has no drawer.
    """
    for trace in chart.data:
        if trace.type not in DRAWERS or (trace.xaxis or "x") != "x" or (trace.yaxis or "y") != "y":
            raise DataError(
                f"This figure holds a {trace.type} that cannot be drawn into a file.", "Save a picture of the page."
            )
    height = (chart.layout.height or 340) / PIXELS
    paper = need("matplotlib.figure", FEATURE).Figure(figsize=(width, height), layout="constrained")
    drawing = Drawing(chart, paper.add_subplot(), width, {axis: _categories(chart, axis) for axis in "xy"})
    paper.set_figheight(height + _more_height(drawing))
    for trace in chart.data:
        DRAWERS[trace.type](drawing, trace)
    for shape in chart.layout.shapes:
        _shape(drawing, shape)
    for note in chart.layout.annotations:
        _note(drawing, note)
    for axis in "xy":
        _axis(drawing, axis)
    _legend(drawing, paper)
    return paper


def _categories(chart: go.Figure, axis: str) -> list[str]:
    """Names on an axis in the order in which they first come; none where it holds numbers."""
    values = [one for trace in chart.data for one in (trace[axis] if trace[axis] is not None else [])]
    named = chart.layout[f"{axis}axis"].type == "category" or any(isinstance(one, str) for one in values)
    return list(dict.fromkeys(map(str, values))) if named else []


def _place(drawing: Drawing, axis: str, reference: str | None, value: Any) -> tuple[float, bool]:
    """A coordinate, and whether it counts in shares of the axes instead of its values."""
    if reference and ("domain" in reference or reference == "paper"):
        return float(value), True
    return drawing.at(axis, value), False


def _transform(drawing: Drawing, shared_x: bool, shared_y: bool) -> Any:
    axes = drawing.axes
    blended = need("matplotlib.transforms", FEATURE).blended_transform_factory
    return blended(axes.transAxes if shared_x else axes.transData, axes.transAxes if shared_y else axes.transData)


def _shape(drawing: Drawing, shape: Any) -> None:
    """A straight line or a box."""
    (x0, by_x), (x1, _) = (_place(drawing, "x", shape.xref, one) for one in (shape.x0, shape.x1))
    (y0, by_y), (y1, _) = (_place(drawing, "y", shape.yref, one) for one in (shape.y0, shape.y1))
    look = {"color": colour(shape.line.color or INK), "linewidth": (shape.line.width or 2) * POINT}
    look |= {"linestyle": DASHES.get(shape.line.dash or "solid", "-"), "transform": _transform(drawing, by_x, by_y)}
    if shape.type == "rect":
        box = [x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0]
        if shape.fillcolor:
            opacity = 1.0 if shape.opacity is None else shape.opacity
            drawing.axes.fill(*box, color=colour(shape.fillcolor), alpha=opacity, lw=0, transform=look["transform"])
        if shape.line.width != 0:
            drawing.axes.plot(*box, **look)
        return
    drawing.axes.plot([x0, x1], [y0, y1], scalex=False, scaley=False, **look)


def _note(drawing: Drawing, note: Any) -> None:
    """Words at a place; plotly's anchors say which of their sides lies there."""
    (x, by_x), (y, by_y) = (_place(drawing, a, note[f"{a}ref"], note[a]) for a in "xy")
    across = {"left": "left", "right": "right"}.get(str(note.xanchor), "center")
    up = {"top": "top", "bottom": "bottom"}.get(str(note.yanchor), "center")
    drawing.axes.annotate(
        words(note.text), (x, y), ((note.xshift or 0) * POINT, (note.yshift or 0) * POINT), ha=across, va=up,
        xycoords=_transform(drawing, by_x, by_y), textcoords="offset points", color=colour(note.font.color or INK),
        annotation_clip=False,
    )  # fmt: skip


def _axis(drawing: Drawing, axis: str) -> None:
    """Title, names, range, direction and grid of an axis."""
    asked, axes, names = drawing.chart.layout[f"{axis}axis"], drawing.axes, drawing.names[axis]
    ticks = need("matplotlib.ticker", FEATURE)
    own = axes.xaxis if axis == "x" else axes.yaxis
    room = drawing.inner if axis == "x" else axes.figure.get_figheight() - 0.5
    own.set_label_text(fill(words(asked.title.text), max(12, int(room / LETTER))))
    if asked.type == "log":
        (axes.set_xscale if axis == "x" else axes.set_yscale)("log")
        own.set_major_formatter(ticks.FuncFormatter(lambda value, _: f"{value:g}"))
        own.set_minor_formatter(ticks.NullFormatter())
    limits = axes.set_xlim if axis == "x" else axes.set_ylim
    if asked.range is not None:
        limits(*(10.0**end if asked.type == "log" else end for end in asked.range))
    if asked.autorange == "reversed":
        limits(*reversed(axes.get_xlim() if axis == "x" else axes.get_ylim()))
    if names:
        said, look = (drawing.beside(), SMALL) if axis == "y" else _below(drawing)
        shown = list(range(0, len(names), max(1, len(names) // 40)))
        own.set_ticks(shown, [said[i] for i in shown], **look)
    elif asked.tickvals is not None:
        own.set_ticks(list(asked.tickvals), [words(one) for one in asked.ticktext or asked.tickvals])
        own.set_tick_params(rotation=abs(asked.tickangle or 0))
    own.grid(not names and asked.showgrid is not False)


def _below(drawing: Drawing) -> tuple[list[str], dict[str, Any]]:
    """Names below the axes and how they lie: level where they have room, else slanted, else upright."""
    names = [words(one) for one in drawing.names["x"]]
    widest = max((len(line) for name in names for line in name.split("\n")), default=0)
    if len(names) * (widest + 1) * LETTER < drawing.inner:
        return names, {}
    slanted = drawing.inner / len(names) > 0.24
    look = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if slanted else {"rotation": 90}
    return [name.replace("\n", " ") for name in names], look


def _more_height(drawing: Drawing) -> float:
    """Inches that a paper needs more than the screen: for names that do not lie level, and a scale above."""
    names, look = _below(drawing)
    share = {40: 0.64, 90: 1.0}.get(look.get("rotation", 0), 0.0)
    turned = max(0.0, share * LETTER * max(map(len, names), default=0) - 0.2)
    return min(1.5, turned) + (0.5 if drawing.has_scale and drawing.width < NARROW else 0.0)


def _legend(drawing: Drawing, paper: Any) -> None:
    handles, labels = drawing.axes.get_legend_handles_labels()
    held = dict(zip(labels, handles, strict=True))
    if held:
        fit = max(1, min(len(held), int(drawing.width / (0.33 + 0.054 * max(map(len, held))))))
        paper.set_figheight(paper.get_figheight() + 0.14 * max(0, len(held) // fit - MOST_ROWS))
        paper.legend(
            held.values(), held.keys(), loc="outside upper center", ncols=fit, fontsize=7,
            columnspacing=1.0, handletextpad=0.4, markerscale=0.7,
        )  # fmt: skip
