"""Marks, lines, bars and cells of a chart, drawn by matplotlib."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.optional import need
from workbench.figures.drawn import DASHES, LETTER, NARROW, Drawing, colour, words
from workbench.figures.glyphs import FEATURE
from workbench.figures.paper import PIXELS, POINT
from workbench.figures.theme import INK, A

MARKERS = {
    "circle": "o", "circle-open": "o", "square": "s", "diamond": "D", "triangle-up": "^", "triangle-down": "v",
    "cross": "P", "x": "X", "pentagon": "p", "hexagon": "h", "star": "*", "line-ns": "|", "line-ew": "_",
}  # fmt: skip
STROKES = ("|", "_")  # markers without an inside
HATCHES = {"": "", ".": "..", "/": "////", "\\": "\\\\\\\\", "x": "xxx", "-": "---", "|": "|||", "+": "+++"}
PLACES = {"top": "bottom", "middle": "center", "bottom": "top"}
TEMPLATE = re.compile(r"%\{(\w+)(?::([^}]+))?\}")
LEAST = 5.0
"""Points of the smallest letters that are read on paper."""
MOST_POINTS = 4000
"""More points than these are drawn as a picture inside the file, which stays small."""


def _points(drawing: Drawing, trace: Any) -> None:
    """A line, marks, or both, with their errors and words."""
    x, y = drawing.along("x", trace.x), drawing.along("y", trace.y)
    modes = (trace.mode or "lines").split("+")
    opacity, label = trace.opacity or 1.0, drawing.label(trace)
    axes, look = drawing.axes, trace.marker
    _errors(drawing, trace, x, y)
    if "lines" in modes:
        line = trace.line
        axes.plot(
            x, y, color=colour(line.color or A), linewidth=(line.width or 2) * POINT, alpha=opacity,
            linestyle=DASHES.get(line.dash or "solid", "-"), label=None if "markers" in modes else label,
        )  # fmt: skip
        if trace.fill in ("tozeroy", "tonexty", "toself"):
            axes.fill_between(x, y, 0, color=colour(trace.fillcolor or line.color or A), alpha=0.2, linewidth=0)
    if "markers" in modes:
        shape = str(look.symbol or "circle")
        mark = MARKERS.get(shape, "o")
        own = look.line.color if mark in STROKES else look.color
        ink = _colours(trace.line.color if own is None else own)
        full, edge = ("none", ink) if shape.endswith("-open") else (ink, None if mark in STROKES else "none")
        axes.scatter(
            x, y, s=(np.asarray(look.size or 6, float) * POINT) ** 2, marker=mark, label=label,
            facecolors=full, edgecolors=edge,
            alpha=opacity * (look.opacity or 1.0), rasterized=len(x) > MOST_POINTS, zorder=3,
            linewidths=(look.line.width or 1.3) * POINT if mark in STROKES else 0.8,
        )  # fmt: skip
    if "text" in modes:
        for a, b, text in zip(x, y, _each(trace.text, len(x)), strict=True):
            up = PLACES[str(trace.textposition or "middle center").split()[0]]
            axes.annotate(words(text), (a, b), (0, {"bottom": 4, "top": -4}.get(up, 0)), textcoords="offset points",
                          ha="center", va=up, annotation_clip=False)  # fmt: skip


def _bars(drawing: Drawing, trace: Any) -> None:
    """Bars side by side, or one on the other."""
    level = trace.orientation == "h"
    along, value = ("y", "x") if level else ("x", "y")
    place = drawing.along(along, trace[along])
    size = np.asarray(trace[value], float)
    bars = [one for one in drawing.chart.data if one.type == "bar"]
    mode, gap = drawing.chart.layout.barmode or "group", drawing.chart.layout.bargap
    room = 1 - (0.2 if gap is None else gap)
    base = np.zeros(len(place)) if trace.base is None else np.asarray(trace.base, float)
    if mode in ("stack", "relative"):
        base = np.asarray([drawing.stacked.get(one, 0.0) for one in place])
        drawing.stacked |= dict(zip(place, base + size, strict=True))
    elif mode == "group":
        room /= len(bars)
        place = place + (next(i for i, one in enumerate(bars) if one is trace) - (len(bars) - 1) / 2) * room
    pattern = str(trace.marker.pattern.shape or "") if isinstance(trace.marker.pattern.shape, str | None) else ""
    look = {"color": _colours(trace.marker.color), "label": drawing.label(trace), "alpha": trace.opacity}
    look |= {"hatch": HATCHES.get(pattern, ""), "edgecolor": "white", "linewidth": 0}
    axes, ends = drawing.axes, base + size
    if level:
        axes.barh(place, size, room, left=base, **look)
        _errors(drawing, trace, ends, place)
    else:
        axes.bar(place, size, room, bottom=base, **look)
        _errors(drawing, trace, place, ends)
    if trace.text is not None and trace.textposition != "none":
        said = [words(text) for text in _each(trace.text, len(place))]
        inside = mode in ("stack", "relative") and trace.textposition != "outside"
        _at_ends(drawing, level, place, list(zip(base, ends, strict=True)), said, inside)


def _at_ends(
    drawing: Drawing, level: bool, place: np.ndarray, spans: list[tuple[float, float]], said: list[str], inside: bool
) -> None:
    """Words at the ends of bars: beyond them, on the side to which a bar goes, or inside; upright where it is narrow.

    Args:
        drawing: The chart.
        level: Bars lie.
        place: Of the bars.
        spans: Where each begins and ends.
        said: The words.
        inside: Words lie inside the bars, as other bars go on where they end.
    """
    wide = max(map(len, said), default=0) * LETTER > drawing.inner / max(1, len(place))
    for at, (start, end), text in zip(place, spans, said, strict=True):
        side = (1 if end >= start else -1) * (-1 if inside else 1)
        sides = ("left", "right") if level else ("bottom", "top")
        look = {"ha": sides[side < 0], "va": "center"} if level else {"ha": "center", "va": sides[side < 0]}
        drawing.axes.annotate(
            text, (end, at) if level else (at, end), (3 * side, 0) if level else (0, 3 * side), **look,
            textcoords="offset points", annotation_clip=False, rotation=90 if wide and not level else 0,
            bbox=None if inside else {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.6}, zorder=4,
        )  # fmt: skip


def _cells(drawing: Drawing, trace: Any) -> None:
    """A heat map with its words and its scale."""
    colors = need("matplotlib.colors", FEATURE)
    z = np.asarray(trace.z, float)
    stops = [(float(at), colour(value)) for at, value in trace.colorscale]
    palette = colors.LinearSegmentedColormap.from_list("chart", stops)
    low = np.nanmin(z) if trace.zmin is None else trace.zmin
    high = np.nanmax(z) if trace.zmax is None else trace.zmax
    norm = colors.Normalize(low, high if high > low else low + 1)
    picture = drawing.axes.imshow(
        z, cmap=palette, norm=norm, aspect="auto", origin="lower", interpolation="none",
        extent=(-0.5, z.shape[1] - 0.5, -0.5, z.shape[0] - 0.5),
    )  # fmt: skip
    if trace.texttemplate:
        for row, column in zip(*np.nonzero(np.isfinite(z)), strict=True):
            said = _filled(trace, row, column)
            red, green, blue, _ = palette(norm(z[row, column]))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
            size, turn = _fitting(drawing, z.shape, len(said))
            drawing.axes.text(column, row, said, ha="center", va="center", color="white" if dark else INK,
                              fontsize=size, rotation=turn)  # fmt: skip
    if trace.showscale is not False:
        above = {"location": "top", "shrink": 0.7} if drawing.width < NARROW else {"location": "right"}
        scale = drawing.axes.figure.colorbar(picture, ax=drawing.axes, fraction=0.05, pad=0.02, **above)
        scale.set_label(words(trace.colorbar.title.text))
        scale.outline.set_visible(False)


def _fitting(drawing: Drawing, shape: tuple[int, ...], letters: int) -> tuple[float, int]:
    """Points and degrees of the words in a cell: upright where they would be too small to read otherwise."""
    height = 0.75 * (drawing.chart.layout.height or 340) / PIXELS
    level, upright = (72 * room / (0.65 * max(1, letters)) for room in (drawing.inner / shape[1], height / shape[0]))
    return (min(8.0, upright), 90) if level < LEAST < upright else (min(8.0, level), 0)


DRAWERS: dict[str, Callable[[Drawing, Any], None]] = {
    "scatter": _points,
    "scattergl": _points,
    "bar": _bars,
    "heatmap": _cells,
}


def _filled(trace: Any, row: int, column: int) -> str:
    """The words in a cell, as its template says."""
    held = {"z": trace.z[row][column], "x": trace.x[column], "y": trace.y[row]}
    held["text"] = "" if trace.text is None else trace.text[row][column]
    return words(TEMPLATE.sub(lambda one: format(held[one[1]], one[2] or ""), trace.texttemplate))


def _errors(drawing: Drawing, trace: Any, x: np.ndarray, y: np.ndarray) -> None:
    spread = {}
    for axis in "xy":
        error = trace[f"error_{axis}"]
        if error.array is not None:
            high = np.asarray(error.array, float)
            low = high if error.arrayminus is None else np.asarray(error.arrayminus, float)
            spread[f"{axis}err"] = np.maximum(0, np.nan_to_num(np.stack([low, high])))
    if spread:
        drawing.axes.errorbar(x, y, fmt="none", ecolor=INK, elinewidth=0.8, capsize=2, capthick=0.8, **spread)


def _colours(value: Any) -> Any:
    """One colour, or one for each; the first run's where none is said."""
    return (
        colour(A if value is None else value) if value is None or isinstance(value, str) else list(map(colour, value))
    )


def _each(value: Any, n: int) -> Sequence[Any]:
    return [value or ""] * n if value is None or isinstance(value, str) else list(value)
