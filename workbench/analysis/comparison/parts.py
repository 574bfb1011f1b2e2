"""Two runs side by side: on all queries, on the mean over domains, in each slice and each domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench.corpus import domain_label
from workbench.corpus.text import with_unstated
from workbench.evaluation.metrics.measures import METRICS, metric_value, query_values
from workbench.evaluation.statistics.families import benjamini_hochberg, holm
from workbench.evaluation.statistics.paired import PairedTest, paired_test_values

MICRO, MACRO, SLICE = "all queries", "mean over domains", "slice"
NUMBERS = ["n_queries", "n_sources", "a", "b", "difference", "low", "high", "p"]
Row = tuple[int, int | None, float, float, float, float, float, float]


def compared_domains(a: pd.DataFrame, b: pd.DataFrame, groups: pd.DataFrame, metric: str) -> pd.DataFrame:
    """``Comparison.by_domain``.

    Args:
        a: ``run.per`` of the shared queries of the first run, index = their ids.
        b: The same of the second, in the same order.
        groups: Their ``domain`` and ``source_id``.
        metric: A name of ``METRICS``.
    """
    values, domains = (query_values(a, metric), query_values(b, metric)), with_unstated(groups["domain"])
    rows = [
        (domain, domain_label(domain), *_row(*values, groups, (domains == domain).to_numpy(), metric))
        for domain in domains.dropna().unique()
    ]
    table = pd.DataFrame(rows, columns=["domain", "label", *NUMBERS]).rename(columns={"p": "p_holm"})
    return table.assign(p_holm=holm(table["p_holm"])).sort_values("n_queries", ascending=False, ignore_index=True)


def compared_parts(
    a: pd.DataFrame, b: pd.DataFrame, groups: pd.DataFrame, slices: Mapping[str, pd.Series], metric: str,
    known: Mapping[str, PairedTest],
) -> pd.DataFrame:  # fmt: skip
    """``Comparison.parts``: micro and macro always side by side, then the slices.

    Args:
        a: ``run.per`` of the shared queries of the first run, index = their ids.
        b: The same of the second, in the same order.
        groups: Their ``domain`` and ``source_id``.
        slices: Which part each query is in, index = its id, by the name of what divides them.
        metric: A name of ``METRICS``.
        known: Tests that were made before, by part; ``MICRO`` is one of them.
    """
    values = query_values(a, metric), query_values(b, metric)
    every = np.ones(len(a), bool)
    rows: list[tuple[Any, ...]] = [(MICRO, MICRO, *_row(*values, groups, every, metric, known[MICRO]))]
    if groups["domain"].nunique() > 1:
        rows.append((MACRO, MACRO, *_macro(*values, groups, metric)))
    for name, labels in slices.items():
        of_query = labels.reindex(a.index)
        for label in of_query.dropna().unique():
            mine = (of_query == label).to_numpy(bool)
            said = str(label) if name == "" else f"{name.replace('_', ' ')}: {label}"
            rows.append((said, SLICE, *_row(*values, groups, mine, metric, known.get(said))))
    table = pd.DataFrame(rows, columns=["part", "kind", *NUMBERS])
    sliced = table["kind"] == SLICE
    table.loc[sliced, "p_bh"] = benjamini_hochberg(table.loc[sliced, "p"])
    return table.astype({"p_bh": float})


def _row(
    a: np.ndarray, b: np.ndarray, groups: pd.DataFrame, mine: np.ndarray, metric: str, test: PairedTest | None = None
) -> Row:
    sources = groups["source_id"][mine]
    known = bool(sources.notna().all())
    if test is None:
        test = paired_test_values(a[mine], b[mine], sources.to_numpy() if known else None, metric=metric)
    return (
        int(mine.sum()), int(sources.nunique()) if known else None, metric_value(a[mine], metric),
        metric_value(b[mine], metric), test.difference, *test.interval, test.p,
    )  # fmt: skip


def _macro(a: np.ndarray, b: np.ndarray, groups: pd.DataFrame, metric: str) -> Row:
    """Every domain counts alike. For means a weighted mean over queries, tested as such; else numbers alone."""
    domains = groups["domain"].to_numpy(dtype=object)
    told = pd.notna(domains)
    number, names = pd.factorize(domains[told])
    weights = told.sum() / (len(names) * np.bincount(number))[number]
    if METRICS[metric].statistic == "mean":
        return _row(a[told] * weights, b[told] * weights, groups[told], np.ones(len(weights), bool), metric)
    mean_a, mean_b = (
        float(np.mean([metric_value(one[told][number == at], metric) for at in range(len(names))])) for one in (a, b)
    )
    sources = groups["source_id"][told]
    n_sources = int(sources.nunique()) if sources.notna().all() else None
    return len(weights), n_sources, mean_a, mean_b, mean_b - mean_a, np.nan, np.nan, np.nan
