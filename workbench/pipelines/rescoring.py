"""Re-score a stored run into a new run that names its parent and says how it was made and what that has seen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError, ExistsError, StateError
from workbench.core.lookup import pick
from workbench.core.workspace import check_name, workspace
from workbench.corpus import Corpus
from workbench.evaluation.rescoring import STEPS, Gate, Rescored, WeightSweep, carry_on, fit_gate, sweep_weights
from workbench.evaluation.rescoring.methods import METHODS, Method
from workbench.evaluation.runs.run import Run, similarity_of
from workbench.evaluation.runs.saving import open_split, save_run
from workbench.evaluation.runs.tables import query_groups
from workbench.pipelines.rescoring_sources import Sources, bank_for, opened_run, validation_for

IN_MEMORY = 1 << 29  # bytes; a larger new similarity is written to disk block by block


def rescore(
    run: Run | str,
    method: str,
    *,
    name: str,
    bank: Run | np.ndarray | str | Path | None = None,
    others: Sequence[Run | str] = (),
    weights: Mapping[str, float] | None = None,
    validation: Run | str | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Run:
    """Make a new run of the scores of one run, or of several on the same captions and videos.

    Args:
        run: The run, or its name; it is not changed.
        method: A name of ``METHODS``.
        name: Name of the new run.
        bank: For the query bank: a run or a file whose columns are the run's videos (``direction="v2t"``: whose rows
            are its captions). Those of a run, or of a file that states ids, are put into the run's order.
        others: Runs to fuse with it, by their names; none = the run's own modalities.
        weights: By modality or run, for ``fusion`` and ``weighted-rrf``.
        validation: Instead of weights, for ``fusion`` of two modalities, and for ``gate``: a run of the same model on a
            split that is not reported, where the weight is swept or the gate is fitted.
        overwrite: Move an existing run of that name to the trash.
        **options: The method's own: temperature, beta, k, direction, iterations, tolerance, scale.

    Raises:
        UnknownNameError: No such run or method.
        DataError: An option that the method lacks, or input it cannot use.
        StateError: A run without scores or modalities, or whose corpus has changed.
        ExistsError: A run of that name exists.
    """
    chosen = pick(METHODS, method, "way to re-score")
    opened = opened_run(run)
    _check_options(method, chosen, options, bank=bank, others=others, weights=weights, validation=validation)
    if (workspace().runs / check_name(name, "run")).exists() and not overwrite:
        raise ExistsError(f"A run called {name!r} exists already.", "Choose another name, or add --overwrite.")
    corpus = _corpus_of(opened)
    sources = Sources(opened, [opened_run(other) for other in others])
    selected_on = gate = None
    if validation is not None:
        chosen_on = validation_for(validation, opened)
        selected_on = chosen_on.split
        if chosen.needs == "gate":
            gate = fit_gate(Sources(chosen_on, []).matrices(), chosen_on.relevance_matrix, chosen_on.queries)
        else:
            swept = {key: options[key] for key in ("scale", "direction") if key in options}
            weights = sweep_run(chosen_on, **swept).weights
    with _room(similarity_of(opened)) as out:
        made = _apply(chosen, sources, bank, weights, gate, {**options, "out": out})
        described, modalities = sources.describe(made, fused=chosen.needs in ("list", "weights", "gate"))
        protocol = carry_on(opened.protocol, replace(made.protocol, sees=sources.most_seen(made.protocol.sees)))
        if selected_on:
            protocol = {**protocol, "selected_on": selected_on, "weights_chosen_on": selected_on}
        return save_run(
            made.similarity, corpus=corpus, name=name, modalities=modalities, inputs=opened.inputs,
            missing=_missing(opened), order=sources.order(), totals_only=opened.totals_only, overwrite=overwrite,
            protocol=protocol, **described,
        )  # fmt: skip


def sweep_run(
    run: Run | str, *, others: Sequence[Run | str] = (), metric: str = "r1", direction: str = "t2v", steps: int = STEPS,
    scale: str = "none",
) -> WeightSweep:  # fmt: skip
    """The curve of two modalities over their weight, for all queries and per domain; see ``sweep_weights``.

    Args:
        run: A run of two modalities, or the first of two runs.
        others: The second run, on the same captions and videos; none = the run's own modalities.
        metric: As for ``sweep_weights``.
        direction: ``t2v`` or ``v2t``.
        steps: Weights tried, 0 and 1 included.
        scale: ``none``, or ``query``: z-scores of each query.

    Raises:
        StateError: The run keeps no modalities.
        DataError: Not two of them, or runs that do not fit.
    """
    opened = opened_run(run)
    ids = opened.queries["caption_id"] if direction == "t2v" else opened.gallery["video_id"]
    domains = query_groups(opened, direction, ids.to_numpy())["domain"]
    return sweep_weights(
        Sources(opened, [opened_run(other) for other in others]).matrices(), opened.relevance_matrix, metric=metric,
        direction=direction, steps=steps, scale=scale, domains=domains.to_numpy() if domains.notna().any() else None,
    )  # fmt: skip


def _apply(
    method: Method, sources: Sources, bank: Any, weights: Mapping[str, float] | None, gate: Gate | None,
    options: Mapping[str, Any],
) -> Rescored:  # fmt: skip
    run, similarity = sources.run, similarity_of(sources.run)
    if method.needs == "prior":
        return method.function(similarity, run.relevance_matrix, **options)
    if method.needs == "bank":
        held, bank_of = bank_for(bank, run, options.get("direction", "t2v"))
        return method.function(similarity, held, bank_of=bank_of, **options)
    if method.needs == "list":
        return method.function(sources.matrices(), **options)
    if method.needs == "gate":
        return method.function(sources.matrices(), gate, run.queries, **options)
    if method.needs == "weights":
        if weights is None:
            raise DataError(
                f"There are no weights for {' and '.join(sources.matrices())}.",
                "Give one for each (--weight NAME=0.5), or a run on another split to choose on (--validation RUN).",
            )
        return method.function(sources.matrices(), weights, **options)
    return method.function(similarity, **options)


def _check_options(
    name: str, method: Method, options: Mapping[str, Any], *, bank: Any, others: Any, weights: Any, validation: Any
) -> None:
    allowed = method.options | {
        "bank": {"bank"}, "list": {"with"}, "weights": {"with", "weight", "validation"}, "gate": {"validation"},
    }.get(method.needs, set())  # fmt: skip
    if name == "weighted-rrf":
        allowed -= {"validation"}
    given = {"bank": bank is not None, "with": others, "weight": weights is not None, "validation": validation}
    asked = [*options, *(key for key, value in given.items() if value)]
    if wrong := [key for key in asked if key not in allowed]:
        raise DataError(f"{name} takes no {wrong[0]}.", f"It takes {', '.join(sorted(allowed)) or 'no option'}.")
    if method.needs == "bank" and bank is None:
        raise DataError(f"{name} needs a bank.", "Give scores of train queries against the same videos (--bank).")
    if method.needs == "gate" and not validation:
        raise DataError(f"{name} must be learned.", "Give a run of the same model on another split (--validation RUN).")
    if validation and (weights is not None or others):
        raise DataError("A run to choose weights on is given beside weights or other runs.", "Give one of the two.")


def _corpus_of(run: Run) -> Corpus:
    corpus = open_split(run.corpus_name, run.split)
    if corpus.fingerprint != run.fingerprint:
        raise StateError(
            f"The corpus {run.corpus_name} has changed since run {run.name} was made.",
            "Score it again on the corpus as it is.",
        )
    return corpus


def _missing(run: Run) -> dict[str, str]:
    """Reason by video id for videos that were not scored."""
    if run.totals_only:
        return {}
    absent = run.gallery[run.gallery["state"] == "not_scored"]
    return dict(zip(absent["video_id"], absent["reason"].fillna("not given"), strict=True))


@contextmanager
def _room(similarity: np.ndarray) -> Iterator[np.ndarray | None]:
    """Where a large new similarity is written: a file beside the runs that is removed; None = in memory."""
    if similarity.size * 4 <= IN_MEMORY:
        yield None
        return
    workspace().runs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workspace().runs, prefix=".rescore-") as folder:
        yield np.lib.format.open_memmap(
            Path(folder) / "similarity.npy", mode="w+", dtype=np.float32, shape=similarity.shape
        )
