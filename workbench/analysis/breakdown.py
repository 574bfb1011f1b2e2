"""Metrics of parts of the queries, with intervals that know how few independent sources a part has."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.corpus import domain_label
from workbench.evaluation.measures import METRICS, query_values
from workbench.evaluation.runs import Run
from workbench.evaluation.saving import query_groups
from workbench.evaluation.statistics import clustered_interval, design_effect, wilson

FEW_SOURCES = 20
COLUMNS = ["slice", "label", "n_queries", "n_sources", "value", "low", "high", "note"]


def by_domain(run: Run, metric: str = "r1", direction: str = "t2v") -> pd.DataFrame:
    """One metric per domain.

    Recalls have Wilson intervals on the effective sample (clustered by source video), other metrics the clustered
    bootstrap; a domain of fewer than 20 sources says so.

    Args:
        run: The run.
        metric: ``r1``, ``r5``, ``r10``, ``mrr``, ``mean_rank``, ...; recalls in percent.
        direction: ``t2v`` or ``v2t``.

    Returns:
        domain, label, n_queries, n_sources (null = not stated), value, low, high, note; largest domain first.

    Raises:
        StateError: The run's corpus states no domains, or the run holds totals only.
        UnknownNameError: Unknown metric or direction.
    """
    table, groups = _queries(run, direction)
    if groups["domain"].isna().all():
        raise StateError(
            f"The corpus of run {run.name} states no domains.",
            "Prepare it from annotations that have a domain or category column.",
        )
    masks = {str(domain): (groups["domain"] == domain).to_numpy() for domain in groups["domain"].dropna().unique()}
    found = _parts(table, groups, masks, metric).rename(columns={"slice": "domain"})
    found["label"] = found["domain"].map(domain_label)
    return found.sort_values("n_queries", ascending=False, kind="stable").reset_index(drop=True)


def by_slice(run: Run, slices: Mapping[str, np.ndarray], metric: str = "r1", direction: str = "t2v") -> pd.DataFrame:
    """One metric per named part of the queries.

    Args:
        run: The run.
        slices: bool [queries] by name, in the order of ``run.per(direction)``; parts may overlap.
        metric: As for ``by_domain``.
        direction: ``t2v`` or ``v2t``.

    Returns:
        As ``by_domain``, with ``slice`` for ``domain``.

    Raises:
        DataError: A mask of another length.
    """
    table, groups = _queries(run, direction)
    for name, mask in slices.items():
        if np.shape(mask) != (len(table),) or np.asarray(mask).dtype != bool:
            raise DataError(f"Slice {name!r} is no yes/no per query ({len(table)}).", "Give one bool per query.")
    return _parts(table, groups, {name: np.asarray(mask) for name, mask in slices.items()}, metric)


def _queries(run: Run, direction: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids to look at its parts.")
    table = run.per(direction)
    return table, query_groups(run, direction, table["id"].to_numpy())


def _parts(table: pd.DataFrame, groups: pd.DataFrame, masks: Mapping[str, np.ndarray], metric: str) -> pd.DataFrame:
    values = query_values(table, metric)
    rows = [_part(name, values[mask], groups["source_id"][mask], metric) for name, mask in masks.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _part(name: str, values: np.ndarray, sources: pd.Series, metric: str) -> dict[str, object]:
    scale = METRICS[metric].scale
    known = len(sources) > 0 and bool(sources.notna().all())
    n_sources = int(sources.nunique()) if known else None
    note = "" if known else "sources unknown: not clustered"
    if n_sources is not None and n_sources < FEW_SOURCES:
        note = f"only {n_sources} sources: do not rank models on it"
    row = {"slice": name, "label": name, "n_queries": len(values), "n_sources": n_sources, "note": note}
    if not len(values):
        return {**row, "value": np.nan, "low": np.nan, "high": np.nan, "note": "no query"}
    clusters = sources.to_numpy() if known else np.arange(len(values))
    if metric.startswith("r") and metric[1:].isdigit():
        low, high = wilson(float(values.sum()), len(values), design_effect(values, clusters))
    else:
        low, high = clustered_interval(values, clusters)
    return {**row, "value": scale * float(values.mean()), "low": scale * low, "high": scale * high}
