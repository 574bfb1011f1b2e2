"""The part of the page Training that shows what a training learned when, on the split that chooses checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from workbench import analysis, figures
from workbench.analysis import Trajectories
from workbench.analysis.trajectories import KINDS
from workbench.app.text import plain, short
from workbench.core.errors import UnknownNameError, WorkbenchError
from workbench.corpus import open_corpus
from workbench.evaluation.runs.run import Run, open_run


def say_without_ranks(runs: Sequence[Run]) -> None:
    """Which of some trainings keep no ranks of the select split, and why."""
    soon = [run.name for run in runs if run.state == "running"]
    never = [run.name for run in runs if run.state != "running"]
    if soon:
        st.caption(plain(f"Ranks come with the first checkpoint: {', '.join(soon)}."))
    if never:
        st.caption(plain(f"Ranks were not kept by: {', '.join(never)}. Trainings of this version keep them."))


def show_ranks(name: str, direction: str, k: int, kind: str) -> None:
    """What a training learned when: the share of its queries per checkpoint, and the queries themselves.

    Args:
        name: The run.
        direction: ``t2v`` or ``v2t``.
        k: A query is right where its rank is ``k`` or better.
        kind: One of ``KINDS``, or ``all``.
    """
    try:
        run = open_run(name)
        found, chosen = analysis.trajectories(run, direction), analysis.chosen_step(run)
    except WorkbenchError as error:  # perhaps a file that is being replaced: the next look says
        st.warning(plain(error), icon=":material/warning:")
        return
    left, right = st.columns([2, 3])
    with left:
        _shares(found, k, chosen)
    with right:
        _queries(run, found, k, chosen, kind)


def _shares(found: Trajectories, k: int, chosen: int | None) -> None:
    shares = analysis.kind_shares(found, k)
    now = shares[shares["step"] == found.steps[-1]].set_index("kind")
    said = ", ".join(f"{n} {label}" for n, label in zip(now["n"], now["label"], strict=True))
    st.markdown(f"**Of {len(found.ids):,} queries, at step {found.steps[-1]:,}: {plain(said)}.**")
    st.plotly_chart(figures.kind_bars(shares, chosen), key="kinds")
    st.caption(
        f"Right means rank {k} or better. Each bar judges by its own checkpoint and those before it, on the "
        "validation split."
    )


def _queries(run: Run, found: Trajectories, k: int, chosen: int | None, kind: str) -> None:
    table = analysis.query_kinds(found, k, chosen)
    table = table if kind == "all" else table[table["kind"] == kind]
    texts = texts_of(run) if found.direction == "t2v" else {}
    shown = pd.DataFrame({
        "Caption" if found.direction == "t2v" else "Video": [short(texts.get(one, one)) for one in table["id"]],
        "Became": table["kind"].map(KINDS),
        "1 / rank": table["reciprocal"],
        "First right at": table["first_right"],
        "Rank, chosen": table["rank_chosen"],
        "Rank, last": table["rank_last"],
    })  # fmt: skip
    st.dataframe(
        shown, hide_index=True, key="queries", height=440,
        column_config={
            "Caption": st.column_config.TextColumn(width=215),
            "Video": st.column_config.TextColumn(width=215),
            "Became": st.column_config.TextColumn(width=150),
            "1 / rank": st.column_config.BarChartColumn(
                y_min=0, y_max=1, width=125, help="One bar per checkpoint; a full bar is rank 1."
            ),
            "First right at": st.column_config.NumberColumn(width=90, help="Step of the checkpoint."),
            "Rank, chosen": st.column_config.NumberColumn(format="%.1f", width=95, help="At the chosen checkpoint."),
            "Rank, last": st.column_config.NumberColumn(format="%.1f", width=75, help="At the last checkpoint."),
        },
    )  # fmt: skip
    st.caption(f"{len(table):,} queries: lost ones first, then those never learned, worst rank first.")


def texts_of(run: Run) -> dict[str, str]:
    """Text of every caption of a training's corpus by id; empty where this workspace does not hold it."""
    try:
        captions = open_corpus(run.corpus_name).captions
    except UnknownNameError:
        st.caption(plain(f"The corpus {run.corpus_name} is not in this workspace: captions are shown by their ids."))
        return {}
    return dict(zip(captions["caption_id"], captions["text"], strict=True))
