"""Commands that turn scores into numbers: import, evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from workbench.cli.common import AsJson, say, show_json, show_table
from workbench.evaluation import open_run
from workbench.evaluation.compatible import MODES
from workbench.evaluation.runs import Run

METRICS = {"r1": "R@1", "r5": "R@5", "r10": "R@10", "median_rank": "MdR", "mean_rank": "MnR"}


def import_scores(
    source: Annotated[
        Path,
        typer.Argument(help="Similarity (npy, npz, pt, pkl, csv, tsv, run, parquet, json, zip), or text embeddings."),
    ],
    video: Annotated[Path | None, typer.Argument(help="Video embeddings, when SOURCE holds text embeddings.")] = None,
    corpus: Annotated[str, typer.Option(help="Corpus the scores were made on.")] = ...,  # type: ignore[assignment]  # required
    name: Annotated[str, typer.Option(help="Name of the run.")] = ...,  # type: ignore[assignment]  # required
    split: Annotated[str | None, typer.Option(help="Split; none = the default of the corpus.")] = None,
    format: Annotated[
        str | None, typer.Option(help="matrix, trec, parquet, pickle, codalab, tvr; none = by the suffix.")
    ] = None,
    row_ids: Annotated[Path | None, typer.Option(help="Caption ids of the rows, one a line.")] = None,
    col_ids: Annotated[Path | None, typer.Option(help="Video ids of the columns, one a line.")] = None,
    missing: Annotated[Path | None, typer.Option(help="Videos that were not scored: id, tab, reason.")] = None,
    transpose: Annotated[bool, typer.Option("--transpose", help="The file has videos as rows.")] = False,
    totals_only: Annotated[
        bool, typer.Option("--totals-only", help="Order unknown: keep metrics over all queries.")
    ] = False,
    scoring: Annotated[str, typer.Option(help="How scores were made: raw, DSL, QB-Norm, ...")] = "raw",
    sees: Annotated[str, typer.Option(help="What scoring has seen: nothing, train queries, test queries.")] = "nothing",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Move a run of that name to the trash.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a run of a similarity matrix or two embedding files; its order is checked against the captions."""
    from workbench.pipelines.imports import import_run

    run = import_run(
        source if video is None else (source, video),
        corpus=corpus, name=name, split=split, format=format, row_ids=row_ids, col_ids=col_ids, missing=missing,
        transpose=transpose, totals_only=totals_only, protocol={"scoring": scoring, "sees": sees}, overwrite=overwrite,
    )  # fmt: skip
    if not as_json:
        say(f"Order {run.order['how']}: {run.order['evidence']}")
    show_metrics(run.metrics, run, as_json)


def evaluate(
    run: Annotated[str, typer.Argument(help="A run.")],
    ties: Annotated[str, typer.Option(help="Tie rule: expected, optimistic or pessimistic.")] = "expected",
    v2t: Annotated[str, typer.Option(help="v2t level: auto, caption or video.")] = "auto",
    qrels: Annotated[Path | None, typer.Option(help="Judge by this TREC file instead of the run's own pairs.")] = None,
    compat: Annotated[
        str | None, typer.Option(help=f"Numbers as another project prints them: {', '.join(MODES)}.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Metrics again from a stored similarity: other ties, v2t level or judgements; nothing is changed."""
    from workbench.evaluation import retrieval_metrics
    from workbench.evaluation.runs import similarity_of

    opened = open_run(run)
    relevance = opened.relevance_matrix
    if qrels is not None:
        from workbench.pipelines.exchange.trec import judged

        relevance = judged(opened, qrels)
    if compat is not None:
        return show_compatible(opened, relevance, compat, as_json)
    both = retrieval_metrics(similarity_of(opened), relevance, direction="both", v2t=v2t, ties=ties)
    show_metrics({direction: metrics.to_dict() for direction, metrics in both.items()}, opened, as_json)


def show_compatible(run: Run, relevance: Any, mode: str, as_json: bool) -> None:
    """What another project's code would print for a run, and what is wrong about it."""
    from workbench.evaluation import compatible_metrics
    from workbench.evaluation.runs import similarity_of

    found = compatible_metrics(similarity_of(run), relevance, mode=mode)
    card = MODES[mode]
    if as_json:
        show_json({"run": run.name, "order": run.order, "compat": mode, "source": card.source, "wrong": card.wrong,
                   **{direction: vars(one) for direction, one in found.items()}})  # fmt: skip
        return
    rows = [
        {"run": run.name, "direction": direction, **one.values, "queries": one.n_queries, "divided by": one.n_entries}
        for direction, one in found.items()
    ]
    show_table(pd.DataFrame(rows), digits=4)
    say(f"As {card.label} prints it, for matching old tables only. {card.wrong}")


def show_metrics(metrics: dict, run: Run, as_json: bool) -> None:
    if as_json:
        show_json({"run": run.name, "order": run.order, **metrics})
        return
    rows = [
        {"run": run.name, "direction": direction, **{label: values[key] for key, label in METRICS.items()},
         "MRR": values["mrr"], "queries": values["n_queries"], "tied": values["n_tied"]}
        for direction, values in metrics.items() if direction in ("t2v", "v2t")
    ]  # fmt: skip
    show_table(pd.DataFrame(rows))
