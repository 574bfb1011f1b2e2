"""Several runs on one split as one table of numbers: what a paper's table and a spreadsheet need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.files import atomic
from workbench.evaluation.metrics.measures import SHOWN
from workbench.evaluation.runs.run import DIRECTIONS, Run
from workbench.evaluation.statistics.families import paired_tests


def summary(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per run: its numbers, the interval of R@1, and the test against the best run that has seen the same.

    Returns:
        run, corpus, split, scoring, sees, order, n_queries; for t2v and v2t ``<direction>_r1`` ... ``_mean_rank``,
        ``_r1_low`` and ``_r1_high`` (95 %; NaN where there is one source only), and ``_r1_p``: two-sided p of R@1
        against the best R@1 among the runs that have seen the same, Holm's correction (1979) over the runs of that
        group; NaN for the best itself and for totals only.

    Raises:
        DataError: Runs of another corpus or split, or one run twice.
        StateError: A run is not finished.
    """
    _check(runs)
    table = pd.DataFrame([_row(run) for run in runs])
    for direction in DIRECTIONS:
        table[f"{direction}_r1_p"] = np.nan
        for sees in table["sees"].unique():
            group = [(i, run) for i, run in enumerate(runs) if run.protocol["sees"] == sees and not run.totals_only]
            for i, p in _against_best(group, direction).items():
                table.loc[i, f"{direction}_r1_p"] = p
    return table


def _check(runs: Sequence[Run]) -> None:
    for run in runs:
        if run.state != "finished":
            raise StateError(f"Run {run.name} is {run.state}.", "Only finished runs have numbers.")
        if (run.fingerprint, run.split) != (runs[0].fingerprint, runs[0].split):
            raise DataError(
                f"Run {run.name} is on {run.corpus_name}/{run.split}, {runs[0].name} on {runs[0].corpus_name}/"
                f"{runs[0].split}, or their captions differ.",
                "Put runs of one corpus and split into one table.",
            )
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        raise DataError("A run stands twice.", "Name every run once.")


def _row(run: Run) -> dict[str, object]:
    row: dict[str, object] = {
        "run": run.name, "corpus": run.corpus_name, "split": run.split, "scoring": run.protocol["scoring"],
        "sees": run.protocol["sees"], "order": run.order["how"], "n_queries": run.metrics["t2v"]["n_queries"],
    }  # fmt: skip
    for direction in DIRECTIONS:
        metrics = run.metrics[direction]
        low, high = metrics["interval"]["r1"] or (np.nan, np.nan)
        row |= {f"{direction}_{name}": metrics[name] for name in SHOWN}
        row |= {f"{direction}_r1_low": low, f"{direction}_r1_high": high}
    return row


def _against_best(group: list[tuple[int, Run]], direction: str) -> dict[int, float]:
    """Holm-corrected p of every run's R@1 against the best one's, by the run's place."""
    if len(group) < 2:
        return {}
    at, best = max(group, key=lambda one: one[1].metrics[direction]["r1"])
    rivals = {i: run for i, run in group if i != at}
    tests = paired_tests([(run, best) for run in rivals.values()], direction=direction)
    return {i: one.p_holm for i, one in zip(rivals, tests, strict=True)}


def write_csv(runs: Sequence[Run], path: Path) -> str:
    """Write the table with all digits."""
    table = summary(runs)
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    return f"{len(table)} runs"
