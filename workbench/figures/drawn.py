"""A chart on its way to paper: what of plotly's record means what for matplotlib."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from textwrap import fill
from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.figures.paper import PIXELS

DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-.", "longdash": (0, (8, 3))}
RGBA = re.compile(r"rgba?\(([^)]+)\)")
LETTER = 0.068
"""Inches of a letter, on average."""
NARROW = 5.0
"""Inches below which a figure has little room across: a heat map has its scale above it, long names are wrapped."""
MOST_BESIDE = 0.36
"""Share of a narrow figure that the names to its left may take before they are wrapped."""
TWO_LINES = 18.0
"""Points that a name on two lines needs."""


def words(text: object) -> str:
    """A text of a chart as it is read: escaped signs back, line breaks as such."""
    return unescape(
        re.sub(r"<br\s*/?>", "\n", re.sub(r"</?(b|i|em|strong|sup|sub)>", "", "" if text is None else str(text)))
    )


def colour(value: Any) -> Any:
    """A colour of plotly as matplotlib takes it."""
    found = RGBA.fullmatch(str(value).replace(" ", ""))
    if not found:
        return value
    red, green, blue, *alpha = map(float, found.group(1).split(","))
    return (red / 255, green / 255, blue / 255, *(alpha or [1.0]))


@dataclass
class Drawing:
    """A chart on its way to paper.

    Attributes:
        chart: The record.
        axes: Matplotlib's axes.
        width: Inches.
        names: Categories of the axes ``x`` and ``y``, in their order; empty where an axis holds numbers.
        stacked: Where the next bar of a stack begins, by place.
    """

    chart: go.Figure
    axes: Any
    width: float
    names: dict[str, list[str]] = field(default_factory=dict)
    stacked: dict[float, float] = field(default_factory=dict)

    def along(self, axis: str, values: Any) -> np.ndarray:
        """Places of values on an axis: themselves, or the number of their category."""
        held = [] if values is None else list(values)
        if self.names[axis]:
            place = {name: i for i, name in enumerate(self.names[axis])}
            return np.asarray([place[str(one)] for one in held], float)
        return np.asarray(held, float)

    def at(self, axis: str, value: Any) -> float:
        """The place of one value."""
        return float(self.along(axis, [value])[0]) if str(value) in self.names[axis] else float(value)

    @property
    def inner(self) -> float:
        """About how many inches the axes have: what the names to their left and a scale to their right leave."""
        scale = 0.75 if self.has_scale and self.width >= NARROW else 0.1
        title = 0.2 if self.chart.layout.yaxis.title.text else 0.0
        lines = [line for name in self.beside() for line in name.split("\n")]
        return max(1.0, self.width - scale - title - LETTER * max(map(len, lines), default=6))

    @property
    def has_scale(self) -> bool:
        return any(trace.type == "heatmap" and trace.showscale is not False for trace in self.chart.data)

    def beside(self) -> list[str]:
        """Names to the left of the axes, on two lines where they would take too much of a narrow figure."""
        names, most = [words(one) for one in self.names["y"]], int(MOST_BESIDE * self.width / LETTER)
        room = 72 * (self.chart.layout.height or 340) / PIXELS / max(1, len(names))
        if self.width >= NARROW or room < TWO_LINES:
            return names
        return [fill(one, max(most, len(one) // 2 + 4)) if len(one) > most else one for one in names]

    @property
    def shows_legend(self) -> bool:
        asked = self.chart.layout.showlegend
        return len(self.chart.data) > 1 if asked is None else bool(asked)

    def label(self, trace: Any) -> str | None:
        named = trace.name and trace.showlegend is not False and self.shows_legend
        return words(trace.name) if named else None
