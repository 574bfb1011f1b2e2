"""A chart that every kind of notebook shows: moving where plotly draws it, elsewhere as a picture or a sentence."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from workbench.core.errors import WorkbenchError
from workbench.figures.drawn import words
from workbench.figures.export import WHERE, export_figure
from workbench.figures.paper import PAGE

KINDS = {"bar": "bars", "heatmap": "cells", "scatter": "lines and points"}


class Chart(go.Figure):
    """As plotly's figure, with a picture beside it for pages that run no script, and a sentence for terminals.

    Plotly's own would open a browser from a terminal, and load its script from the network into a saved page. The
    picture is SVG: beside a PNG, JupyterLab's plotly shows that one until it is touched.
    """

    _ipython_display_ = None
    _repr_html_ = None

    def _repr_mimebundle_(self, *asked: Any, **options: Any) -> dict[str, Any]:
        """What plotly gives, the picture and the sentence; where there can be no picture it says why."""
        bundle = super()._repr_mimebundle_(*asked, **options)
        try:
            picture = export_figure(self, "svg", width=PAGE).data.decode("utf-8")
        except WorkbenchError as error:
            return {**bundle, "text/plain": f"{self!r} {error}"}
        return {**bundle, "image/svg+xml": picture, "text/plain": repr(self)}

    def __repr__(self) -> str:
        """What is drawn, on which axes, and where it can be seen."""
        kinds = " and ".join(dict.fromkeys(KINDS.get(one.type, one.type) for one in self.data))
        titles = {axis: words(self.layout[f"{axis}axis"].title.text) for axis in "yx"}
        axes = "; ".join(f"{axis}: {title}" for axis, title in titles.items() if title)
        return f"Chart of {kinds}{f' ({axes})' if axes else ''}. {WHERE}"
