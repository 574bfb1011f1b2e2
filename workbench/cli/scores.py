"""Commands that turn scores into numbers: import, evaluate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from workbench.cli import moments
from workbench.cli.common import AsJson, Builder, ModelOptions, Overwrite, key_values, say, show_json, show_table
from workbench.core.errors import DataError, StateError
from workbench.evaluation import list_runs, open_run
from workbench.evaluation.metrics.compatible import MODES
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.runs.run import DIRECTIONS, Run


def import_scores(
    source: Annotated[
        Path,
        typer.Argument(
            help="Similarity (npy, npz, pt, pkl, csv, tsv, run, parquet, json, zip), text embeddings, or weights (pth)."
        ),
    ],
    video: Annotated[Path | None, typer.Argument(help="Video embeddings, when SOURCE holds text embeddings.")] = None,
    corpus: Annotated[str | None, typer.Option(help="Corpus the scores were made on; weights have none.")] = None,
    name: Annotated[str, typer.Option(help="Name of the run, or of the model.")] = ...,  # type: ignore[assignment]  # required
    split: Annotated[str | None, typer.Option(help="Split; none = the default of the corpus.")] = None,
    format: Annotated[
        str | None,
        typer.Option(help="matrix, trec, parquet, pickle, codalab, tvr; none = by the suffix. starvr: weights."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Weights: their config.json; none = published sizes.")] = None,
    tokenizer: Annotated[Path | None, typer.Option(help="Weights: folder of the vocabulary.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Weights: key=value of the model, e.g. modality=vision; may be repeated.")
    ] = None,
    row_ids: Annotated[Path | None, typer.Option(help="Caption ids of the rows, one a line.")] = None,
    col_ids: Annotated[Path | None, typer.Option(help="Video ids of the columns, one a line.")] = None,
    missing: Annotated[Path | None, typer.Option(help="Videos that were not scored: id, tab, reason.")] = None,
    masks: Annotated[
        Path | None, typer.Option(help="Which rows hold a caption (QB-Norm's query masks): npy, npz, pt, pkl.")
    ] = None,
    transpose: Annotated[bool, typer.Option("--transpose", help="The file has videos as rows.")] = False,
    totals_only: Annotated[
        bool, typer.Option("--totals-only", help="Order unknown: keep metrics over all queries.")
    ] = False,
    scoring: Annotated[str, typer.Option(help="How scores were made: raw, DSL, QB-Norm, ...")] = "raw",
    sees: Annotated[str, typer.Option(help="What scoring has seen: nothing, train queries, test queries.")] = "nothing",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Make a run of a similarity matrix or two embedding files; its order is checked against the captions.

    With --format starvr a model of released weights, which score and evaluate take by its name.
    """
    from workbench.pipelines.imports import import_run
    from workbench.pipelines.model_imports import MODEL_FORMATS

    if format in MODEL_FORMATS:
        given = {"config": config, "tokenizer": tokenizer, **_model_options(option)}
        return _import_weights(source, name, format=format, overwrite=overwrite, **given)
    if corpus is None:
        raise DataError("Scores belong to a corpus.", "Add --corpus NAME; weights need --format starvr.")
    run = import_run(
        source if video is None else (source, video),
        corpus=corpus, name=name, split=split, format=format, row_ids=row_ids, col_ids=col_ids, missing=missing,
        masks=masks, transpose=transpose, totals_only=totals_only, overwrite=overwrite,
        protocol={"scoring": scoring, "sees": sees},
    )  # fmt: skip
    if not as_json:
        say(f"Order {run.order['how']}: {run.order['evidence']}")
    show_metrics(run.metrics, run, as_json)
    if run.moments is not None and not as_json:
        say(f"It holds moments too: workbench evaluate {run.name}")


def _model_options(option: list[str] | None) -> dict[str, Any]:
    """Options of a model as arguments of ``import_model``, which knows the modality by itself."""
    found = key_values(option or [], "modality=vision")
    return {**({"modality": found.pop("modality")} if "modality" in found else {}), "options": found}


def _import_weights(source: Path, name: str, **given: Any) -> None:
    """A model of released weights, and what was not taken over."""
    from workbench.pipelines.model_imports import import_model

    found = import_model(source, name, **given)
    config = found.told["config"] or {}
    say(f"Model {name} stands: {found.told['loaded']} weights. Score it: workbench score {name} --corpus C --name NAME")
    if config:
        _say_recipe(found.folder, config)


def _say_recipe(folder: Path, config: dict[str, Any]) -> None:
    """The recipe of a model that came with its config, and what the config says in vain."""
    from workbench.training.released import write_recipe

    path = write_recipe(folder, config)
    data = config["not_taken"].get("data_loader.args.dataset_name")
    said = f"As it was trained: workbench train {path}" if path else f"No recipe was made: {data} is no data set here."
    say(said)
    if config["unknown"]:
        say(f"Keys of the config that the release does not know: {', '.join(config['unknown'])}.")


def evaluate(
    run: Annotated[
        str,
        typer.Argument(
            help="A run; with --corpus what scores: a run trained here, RUN@STEP, a folder of weights, or a model "
            "without training."
        ),
    ],
    corpus: Annotated[str | None, typer.Option(help="Score this corpus first, into a new run.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the new run; none = corpus and model.")] = None,
    split: Annotated[str | None, typer.Option(help="Split to score; none = the default of the corpus.")] = None,
    option: ModelOptions = None,
    model: Builder = None,
    overwrite: Overwrite = False,
    ties: Annotated[str, typer.Option(help="Tie rule: expected, optimistic or pessimistic.")] = "expected",
    v2t: Annotated[str, typer.Option(help="v2t level: auto, caption or video.")] = "auto",
    qrels: Annotated[Path | None, typer.Option(help="Judge by this TREC file instead of the run's own pairs.")] = None,
    compat: Annotated[
        str | None, typer.Option(help=f"Numbers as another project prints them: {', '.join(MODES)}.")
    ] = None,
    nms: Annotated[
        float | None, typer.Option(help="Moments: suppress those that overlap a better one at this tIoU, e.g. 0.5.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Metrics again from a stored similarity, and of moments where it holds some; with --corpus score one first."""
    from workbench.evaluation.statistics.of_metrics import evaluated

    given = {"--name": name, "--split": split, "--option": option, "--model": model, "--overwrite": overwrite}
    if corpus is None:
        opened = _stored(run, given)
    else:
        scoring = {"split": split, "overwrite": overwrite, "options": key_values(option or []) or None}
        opened = _scored(run, corpus, name, builder=model, **scoring)
    relevance = opened.relevance_matrix
    if qrels is not None:
        from workbench.pipelines.exchange.trec import judged

        relevance = judged(opened, qrels)
    if compat is not None:
        return show_compatible(opened, relevance, compat, as_json)
    metrics = evaluated(opened, relevance, v2t=v2t, ties=ties)
    found = moments.moments_of(opened, nms)
    more = moments.as_json(found, nms) if found is not None and as_json else {}
    show_metrics({**metrics, **more}, opened, as_json)
    if found is not None and not as_json:
        moments.show_moments(found, nms)


def _stored(name: str, given: Mapping[str, Any]) -> Run:
    """A run that stands; models score a corpus first.

    Raises:
        DataError: A model or recipe without a corpus, or options that scoring alone knows.
    """
    from workbench.models import MODELS
    from workbench.training import RECIPES

    if name in {*MODELS, *RECIPES} and name not in set(list_runs()["name"]):
        what = "model" if name in MODELS else "recipe"
        raise DataError(f"{name} is a {what}; it needs videos to score.", "Add a corpus: --corpus NAME")
    if wrong := [flag for flag, value in given.items() if value]:
        raise DataError(f"{wrong[0]} is for scoring a corpus.", "Add --corpus NAME, or leave it out.")
    return open_run(name)


def _scored(checkpoint: str, corpus: str, name: str | None, **scoring: Any) -> Run:
    """A new run of a corpus by a model that exists.

    Raises:
        StateError: It is a recipe, which must be trained first.
    """
    from workbench.pipelines.checkpoints import score_checkpoint
    from workbench.training import RECIPES

    if checkpoint in RECIPES and checkpoint not in set(list_runs()["name"]):
        raise StateError(
            f"{checkpoint} is a recipe and must be trained first.",
            f"Run: workbench train {checkpoint} corpus={corpus} --name NAME",
        )
    name = name or re.sub(r"[^a-z0-9._-]+", "-", f"{corpus}-{Path(checkpoint).name}".lower())
    found = score_checkpoint(checkpoint, corpus, name=name, **scoring)
    if found is None:  # the first of several processes says it
        raise typer.Exit()
    return found


def show_compatible(run: Run, relevance: Any, mode: str, as_json: bool) -> None:
    """What another project's code would print for a run, and what is wrong about it."""
    from workbench.evaluation import compatible_metrics
    from workbench.evaluation.runs.run import similarity_of

    found = compatible_metrics(similarity_of(run), relevance, mode=mode)
    card = MODES[mode]
    if as_json:
        stated = {"run": run.name, "order": run.order, "protocol": run.protocol}
        about = {"compat": mode, "source": card.source, "wrong": card.wrong}
        show_json({**stated, **about, **{direction: vars(one) for direction, one in found.items()}})
        return
    rows = [
        {"run": run.name, "direction": direction, **one.values, "queries": one.n_queries, "divided by": one.n_entries}
        for direction, one in found.items()
    ]
    say(stated_protocol(run))
    show_table(pd.DataFrame(rows), digits=4)
    say(f"As {card.label} prints it, for matching old tables only. {card.wrong}")


def show_metrics(metrics: dict, run: Run, as_json: bool) -> None:
    """All metrics of both directions with their intervals, how scores were made and what that has seen."""
    if as_json:
        show_json({"run": run.name, "order": run.order, **metrics})
        return
    say(stated_protocol(run))
    rows = [
        {"metric": metric.heading, **{one: _with_interval(metrics[one], name) for one in DIRECTIONS}}
        for name, metric in METRICS.items()
    ]
    rows += [
        {"metric": label, **{one: f"{metrics[one][name]:g}" for one in DIRECTIONS}}
        for name, label in (("n_queries", "queries"), ("n_tied", "of these tied"))
    ]
    show_table(pd.DataFrame(rows))
    if "both" in metrics:
        say(f"RSum t2v + v2t: {_with_interval(metrics['both'], 'sum_recall')}")
    stored = metrics["t2v"].get("interval", {})
    if not set(METRICS) <= set(stored):
        say(f"An older version stored few intervals. For all of them: workbench evaluate {run.name}")
    clustered = stored.get("clustered")
    if clustered is not None:
        unknown = "not clustered: the corpus does not state which videos share a source, so they may be too narrow"
        say(f"In brackets: 95 % intervals, {'clustered by source' if clustered else unknown}.")


def stated_protocol(run: Run) -> str:
    """One line: corpus, how scores were made, what that has seen, how the order is known."""
    protocol = run.protocol
    return (
        f"{run.name} on {run.corpus_name}/{run.split}. Scoring: {protocol['scoring']}; it has seen {protocol['sees']}. "
        f"Order: {run.order['how']}."
    )


def _with_interval(values: dict, name: str) -> str:
    digits = METRICS[name].digits
    spread = values.get("interval", {}).get(name)
    shown = f"{values[name]:.{digits}f}"
    return shown if spread is None else f"{shown} [{spread[0]:.{digits}f}, {spread[1]:.{digits}f}]"
