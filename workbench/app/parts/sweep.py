"""The part of the page Compare that shows what other weights of a run's modalities would give."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.app import loading
from workbench.app.headings import heading
from workbench.app.parts.downloads import show_chart
from workbench.app.parts.widgets import choose_toggle
from workbench.app.text import extremes, plain
from workbench.evaluation.runs.run import Run
from workbench.figures import sweep_curves


def used_weight(run: Run) -> float | None:
    """The share of the second modality in the sum that a run is; None where it states none."""
    weights = (run.info.get("fusion") or {}).get("weights") or {}
    held = [float(weights[name]) for name in run.modalities if name in weights]
    return held[1] / sum(held) if len(held) == 2 and sum(held) > 0 else None


def show_sweeps(runs: Sequence[Run], direction: str) -> None:
    """For every run of two modalities: R@1 over their weight, overall and per domain; made when it is asked for."""
    able = [run for run in runs if len(run.modalities) == 2]
    if not able:
        return
    heading("Weights of the modalities")
    if not choose_toggle("Try 21 weights", "sweep", "Takes a few seconds for thousands of queries."):
        return
    for run, column in zip(able, st.columns(len(able)), strict=True):
        with column:
            sweep = loading.sweep(loading.key_of(run), direction)
            st.markdown(f"**{plain(run.name)}**")
            used, second = used_weight(run), list(run.modalities)[1]
            every = sweep.curve[sweep.curve["domain"].isna()]
            show_chart(
                sweep_curves(sweep, used), f"weights {run.name}", key=f"sweep {run.name}", table=sweep.curve,
                alt=extremes(f"R@1 of {run.name} by weight of {second}", every["weight"], every["value"]),
                runs={"run": run.name},
                code=f'figures.sweep_curves(sweep_run(run, direction="{direction}"), {used})',
            )  # fmt: skip
            st.caption(
                plain(
                    f"Star: best over all queries of {run.split}; circles: best of a domain. To look at only: choose "
                    "weights on a validation run (workbench rescore RUN --method fusion --validation RUN)."
                )
            )
