"""The part of the page Training that shows what a training learned when, on the split that chooses checkpoints."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from workbench import analysis, figures
from workbench.analysis import Trajectories
from workbench.analysis.narrowing import Sieve
from workbench.analysis.trajectories import KINDS
from workbench.app import loading
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import show_chart, show_table
from workbench.app.parts.sieve import choose_sieve
from workbench.app.text import plain, short
from workbench.core.errors import UnknownNameError, WorkbenchError
from workbench.core.words import counted
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation.runs.run import Run, list_runs, open_run


def say_without_ranks(runs: Sequence[Run]) -> None:
    """Which of some trainings keep no ranks of the select split, and why."""
    soon = [run.name for run in runs if run.state == "running"]
    never = [run.name for run in runs if run.state != "running"]
    if soon:
        st.caption(plain(f"Ranks come with the first checkpoint: {', '.join(soon)}."))
    if never:
        st.caption(plain(f"Ranks were not kept by: {', '.join(never)}. Trainings of this version keep them."))


def sieve_of(training: Run) -> Sieve:
    """Widgets that filter validation queries; everything passes where this workspace does not hold their corpus."""
    try:
        return choose_sieve(loading.corpus_named(training.corpus_name))
    except UnknownNameError:
        return Sieve()


def passing(table: pd.DataFrame, sieve: Sieve) -> pd.DataFrame:
    """The rows whose query (``id``) has the words of a filter."""
    return table[sieve.passes(table["id"])].reset_index(drop=True)


def show_ranks(name: str, direction: str, k: int, kind: str, sieve: Sieve) -> None:
    """What a training learned when: the share of its queries per checkpoint, and the queries themselves.

    Args:
        name: The run.
        direction: ``t2v`` or ``v2t``.
        k: A query is right where its rank is ``k`` or better.
        kind: One of ``KINDS``, or ``all``.
        sieve: Words that a query must have to be listed.
    """
    try:
        run = open_run(name)
        found, chosen = analysis.trajectories(run, direction), analysis.chosen_step(run)
    except WorkbenchError as error:  # perhaps a file that is being replaced: the next look says
        st.warning(plain(error), icon=":material/warning:")
        return
    _shares(run, found, k, chosen)
    _queries(run, found, k, chosen, kind, sieve)


def _shares(run: Run, found: Trajectories, k: int, chosen: int | None) -> None:
    st.markdown(f"**{plain(_said_last(found, analysis.kind_shares(found, k)))}**")
    show_kinds(run, found, k, chosen)
    st.caption(
        f"Right means rank {k} or better. Each bar judges by its own checkpoint and those before it, on the "
        "validation split."
    )


def _said_last(found: Trajectories, shares: pd.DataFrame) -> str:
    """What became of the queries by the last checkpoint."""
    now = shares[shares["step"] == found.steps[-1]]
    said = ", ".join(f"{n} {label}" for n, label in zip(now["n"], now["label"], strict=True))
    return f"Of {counted(len(found.ids), 'query')}, at step {found.steps[-1]:,}: {said}."


def show_kinds(run: Run, found: Trajectories, k: int, chosen: int | None) -> None:
    """The share of a training's validation queries that is right, again, lost or never right, by checkpoint.

    Args:
        run: The training.
        found: Its trajectories.
        k: A query is right where its rank is ``k`` or better.
        chosen: Step of the chosen checkpoint.
    """
    shares = analysis.kind_shares(found, k)
    call = f'analysis.kind_shares(analysis.trajectories(run, "{found.direction}"), {k})'
    show_chart(
        figures.kind_bars(shares, chosen), f"learned {run.name}", key=f"kinds {run.name}",
        alt=f"{run.name}: {_said_last(found, shares)}", code=f"figures.kind_bars({call}, analysis.chosen_step(run))",
        table=shares, runs={"run": run.name},
    )  # fmt: skip


def _queries(run: Run, found: Trajectories, k: int, chosen: int | None, kind: str, sieve: Sieve) -> None:
    table = analysis.query_kinds(found, k, chosen)
    table = passing(table if kind == "all" else table[table["kind"] == kind], sieve)
    texts = texts_of(run) if found.direction == "t2v" else {}
    shown = pd.DataFrame({
        "Caption" if found.direction == "t2v" else "Video": [short(texts.get(one, one)) for one in table["id"]],
        "Became": table["kind"].map(KINDS),
        "1 / rank": table["reciprocal"],
        "First right at": table["first_right"],
        "Rank, chosen": table["rank_chosen"],
        "Rank, last": table["rank_last"],
    })  # fmt: skip
    event = show_table(
        shown, f"queries {run.name}", whole=table, key=f"queries {kind}", height=440, on_select="rerun",
        selection_mode="single-row",
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
    st.caption(f"{counted(len(table), 'query')}: lost ones first, then those never learned, worst rank first.")
    open_selected([run], event, table["id"].to_list(), found.direction)


def texts_of(run: Run) -> dict[str, str]:
    """Text of every caption of a training's corpus by id; empty where this workspace does not hold it."""
    try:
        captions = open_corpus(run.corpus_name).captions
    except UnknownNameError:
        st.caption(plain(f"The corpus {run.corpus_name} is not in this workspace: captions are shown by their ids."))
        return {}
    return dict(zip(captions["caption_id"], captions["text"], strict=True))


# The way to one validation query ------------------------------------------------------------------------------------


def open_selected(trainings: Sequence[Run], event: Any, ids: Sequence[str], direction: str) -> None:
    """Say where a row of a list leads, and go there when one is selected.

    A validation query has a page where its training was scored on that split too; else its video is shown.

    Args:
        trainings: One, or the two that are compared.
        event: What ``show_table`` gave.
        ids: Query of each row.
        direction: ``t2v`` or ``v2t``.
    """
    if not ids:
        return
    try:
        corpus = open_corpus(trainings[0].corpus_name)
    except UnknownNameError:
        return  # its absence is told where the texts are missing
    rows = [row for row in event["selection"]["rows"] if row < len(ids)]
    query = ids[rows[0]] if rows else ids[0]
    video = _video_of(corpus, query, direction)
    if video is None:
        st.caption("The corpus has changed since: these queries are no longer in it.")
        return
    place = f"{corpus.name}/{video['split']}"
    scored = {run.name: _scored_on(run, video["split"]) for run in trainings}
    missing = [name for name, own in scored.items() if own is None]
    if missing:
        st.caption(plain(f"Select a row to see its video. Queries open where a training is scored on {place} too:"))
        st.code("\n".join(_command(name, corpus.name, video["split"]) for name in missing), language=None)
        target, of_runs = "domains", {"domain": video["domain"], "video": video["video_id"]}
    else:
        st.caption("Select a row to open its query.")
        runs = dict(zip(("run", "other"), filter(None, scored.values()), strict=False))
        target, of_runs = "query", {**runs, "q": query}
    if rows:
        st.switch_page(page(target), query_params=parameters(corpus=place, direction=direction, **of_runs))


def _command(training: str, corpus: str, split: str) -> str:
    return shlex.join(["workbench", "score", training, "--corpus", corpus, "--split", split,
                       "--name", f"{training[:50]}-{split}"])  # fmt: skip


def _video_of(corpus: Corpus, query: str, direction: str) -> dict[str, str] | None:
    """video_id, domain ("" = none stated) and split of a query's video."""
    captions, videos = corpus.captions, corpus.videos
    own = captions.loc[captions["caption_id"] == query, "video_id"] if direction == "t2v" else pd.Series([query])
    rows = videos[videos["video_id"].isin(own)]
    if rows.empty:
        return None
    one = rows.iloc[0]
    return {"video_id": str(one["video_id"]), "domain": "" if pd.isna(one["domain"]) else str(one["domain"]),
            "split": str(one["split"])}  # fmt: skip


def _scored_on(run: Run, split: str) -> str | None:
    """The newest run that a training's chosen checkpoint was scored into on a split of its corpus."""
    table = list_runs(run.corpus_name, split)
    of_best = table["parent"].isin([run.name, f"{run.name}@best"])
    own = table[of_best & table["ablation"].isna() & (table["state"] == "finished")]
    return None if own.empty else str(own["name"].iloc[0])
