"""Commands that make a run of another run's scores (dual softmax, query bank, fusion, ...) or look for weights."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from workbench.cli.common import AsJson, Overwrite, say, show_json, show_table
from workbench.cli.scores import show_metrics
from workbench.core.errors import DataError, UnknownNameError
from workbench.corpus import domain_label, open_corpus
from workbench.evaluation import WeightSweep, open_run
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.rescoring.methods import METHODS

ABOUT = " ".join(f"{name}: {one.sentence}" for name, one in METHODS.items())


def rescore(
    run: Annotated[str, typer.Argument(help="A run; it is not changed.")],
    method: Annotated[str, typer.Option(help=ABOUT)],
    name: Annotated[str, typer.Option(help="Name of the new run.")],
    bank: Annotated[
        str | None, typer.Option(help="qb-norm: train queries against the same videos, a run or a file.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="dsl, sinkhorn: in units of the scores; none = 0.01 for cosines, else 1.")
    ] = None,
    beta: Annotated[float | None, typer.Option(help="qb-norm: inverse temperature; none = 20.")] = None,
    k: Annotated[int | None, typer.Option(help="qb-norm: 1, csls: 10, rrf: 60.")] = None,
    direction: Annotated[str | None, typer.Option(help="t2v, v2t or, for dsl, both.")] = None,
    scale: Annotated[str | None, typer.Option(help="fusion: none, or query (z-scores of each query).")] = None,
    with_: Annotated[list[str] | None, typer.Option("--with", help="Another run to fuse with; repeat.")] = None,
    weight: Annotated[list[str] | None, typer.Option(help="NAME=0.5 of a modality or run; repeat.")] = None,
    validation: Annotated[
        str | None, typer.Option(help="fusion, gate: a run on the validation split, to choose or learn the weights on.")
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Change scores after the fact; the new run says how, and what that has seen."""
    from workbench.pipelines.rescoring import rescore as make

    asked: dict[str, Any] = {"temperature": temperature, "beta": beta, "k": k, "direction": direction, "scale": scale}
    made = make(
        run, method, name=name, bank=bank, others=with_ or (), weights=_weights(weight) if weight else None,
        validation=validation, overwrite=overwrite,
        **{option: value for option, value in asked.items() if value is not None},
    )  # fmt: skip
    if not as_json:
        say(f"Scoring: {made.protocol['scoring']}. It has seen {made.protocol['sees']}.")
        for sentence in made.protocol["warnings"]:
            say(f"Note: {sentence}")
    show_metrics({**made.metrics, **({"protocol": made.protocol} if as_json else {})}, made, as_json)


def sweep(
    run: Annotated[str, typer.Argument(help="A run of two modalities, on the validation split.")],
    with_: Annotated[
        str | None, typer.Option("--with", help="Fuse with this run, instead of the run's own modalities.")
    ] = None,
    metric: Annotated[str, typer.Option(help="r1, r5, r10, sum_recall, median_rank, mean_rank, mrr, ...")] = "r1",
    direction: Annotated[str, typer.Option(help="t2v or v2t.")] = "t2v",
    steps: Annotated[int, typer.Option(help="Weights tried, 0 and 1 included.")] = 21,
    scale: Annotated[str, typer.Option(help="none, or query (z-scores of each query).")] = "none",
    as_json: AsJson = False,
) -> None:
    """What every weight of two modalities gives, over all queries and per domain; nothing is changed."""
    from workbench.pipelines.rescoring import sweep_run

    opened = open_run(run)
    found = sweep_run(
        opened, others=[with_] if with_ else [], metric=metric, direction=direction, steps=steps, scale=scale
    )
    if as_json:
        show_json({"run": run, "split": opened.split, **vars(found), "curve": found.curve.to_dict("records")})
        return
    _show_sweep(found)
    first, second = found.weights
    said = f"{first} {found.weights[first]:g}, {second} {found.weights[second]:g}: {METRICS[metric].label}"
    say(f"Best over all queries of {opened.split}: {said} {found.value:.2f}.")
    if opened.split == _reported(opened.corpus_name):
        say(f"Only to look at: a weight chosen on {opened.split} cannot be tested on it.")
    elif not with_:
        say(f"Use it: workbench rescore RUN --method fusion --validation {run} --name NAME")


def _show_sweep(found: WeightSweep) -> None:
    """A row per weight; columns are all queries and the domains, largest first."""
    second = list(found.weights)[1]
    curve = found.curve.assign(domain=found.curve["domain"].fillna("all"))
    order = curve.groupby("domain")["n_queries"].first().sort_values(ascending=False, kind="stable").index
    table = curve.pivot(index="weight", columns="domain", values="value")[list(order)]
    best = {"all": found.weights[second], **found.best_of_domain}
    shown = pd.DataFrame({f"weight of {second}": [f"{weight:.2f}" for weight in table.index]})
    for name in order:
        marks = np.where(table.index == best[name], " *", "")
        shown[domain_label(str(name))] = [f"{value:.2f}{mark}" for value, mark in zip(table[name], marks, strict=True)]
    show_table(shown)
    say("* the best of its column; of several equally good ones, the middle.")


def _reported(corpus: str) -> str | None:
    """The split that numbers of a corpus are reported on; None where the corpus is not here."""
    try:
        return open_corpus(corpus).meta.get("default_split")
    except UnknownNameError:
        return None


def _weights(pairs: list[str]) -> dict[str, float]:
    found = {}
    for pair in pairs:
        name, _, value = pair.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError as error:
            example = "Write e.g. --weight ocr=0.4 --weight vision=0.6"
            raise DataError(f"{pair!r} is no NAME=NUMBER.", example) from error
    return found
