"""The command that makes a run of another run's scores: dual softmax, query bank, fusion, ..."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workbench.cli.common import AsJson, say
from workbench.cli.scores import show_metrics
from workbench.core.errors import DataError

METHODS = "dsl, qb-norm, inverted-softmax, csls, sinkhorn, rrf, weighted-rrf, fusion"


def rescore(
    run: Annotated[str, typer.Argument(help="A run; it is not changed.")],
    method: Annotated[str, typer.Option(help=f"{METHODS}.")],
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
        str | None, typer.Option(help="fusion: a run on the validation split, to choose the weight on.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Move a run of that name to the trash.")] = False,
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
