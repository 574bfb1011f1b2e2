"""A chart on its way to paper: what of plotly's record means what for matplotlib."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import numpy as np
import plotly.graph_objects as go

DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-.", "longdash": (0, (8, 3))}
RGBA = re.compile(r"rgba?\(([^)]+)\)")
LETTER = 0.068
"""Inches of a letter, on average."""


FEATURE = "A figure as PDF or SVG"


def words(text: object) -> str:
    """A text of a chart as it is read: escaped signs back, line breaks as such."""
    return unescape(re.sub(r"<br\s*/?>", "\n", re.sub(r"</?(b|i|em|strong|sup|sub)>", "", str(text or ""))))


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
        scale = 0.75 if any(trace.type == "heatmap" for trace in self.chart.data) else 0.1
        return max(1.0, self.width - scale - LETTER * max(map(len, self.names["y"]), default=6))

    @property
    def shows_legend(self) -> bool:
        asked = self.chart.layout.showlegend
        return len(self.chart.data) > 1 if asked is None else bool(asked)

    def label(self, trace: Any) -> str | None:
        named = trace.name and trace.showlegend is not False and self.shows_legend
        return words(trace.name) if named else None
