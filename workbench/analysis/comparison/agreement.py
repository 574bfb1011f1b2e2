"""How much two runs agree: on hits, on what they list, and in which order."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.evaluation.metrics.draws import hit_values
from workbench.evaluation.runs.run import Run
from workbench.evaluation.statistics.effects import list_tau, rank_biased_overlap

CUTS = (1, 5, 10, 50, 100)
DEPTH = 50
"""Items of a list whose order is compared."""


def agreement_of(run_a: Run, run_b: Run, a: pd.DataFrame, b: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, float]]:
    """Agreement of two runs on shared queries.

    Args:
        run_a: A run.
        run_b: Another one.
        a: ``run_a.per`` of the shared queries.
        b: The same of the other, in the same order.

    Returns:
        ``Comparison.agreement``; and rbo (mean rank-biased overlap of the first 50, 0..1) and tau (mean Kendall's tau
        of the items that both list there, -1..1; nan where there are not two): both 1 for two runs of one model.
    """
    lists = _lists(run_a, run_b, a, b)
    longest = min(one.shape[1] for one in lists)
    rows = []
    for k in [k for k in CUTS if k == 1 or k <= longest]:
        hit_a, hit_b = hit_values(a, k), hit_values(b, k)
        spread = hit_a.std() * hit_b.std()
        phi = ((hit_a * hit_b).mean() - hit_a.mean() * hit_b.mean()) / spread if spread > 0 else np.nan
        rows.append((k, *_shared(*(one[:, :k] for one in lists)), float(phi)))
    first_a, first_b = (one[:, : min(DEPTH, longest)] for one in lists)
    tau = list_tau(first_a, first_b)
    told = tau[~np.isnan(tau)]
    order = {
        "rbo": float(rank_biased_overlap(first_a, first_b).mean()),
        "tau": float(told.mean()) if len(told) else np.nan,
    }
    return pd.DataFrame(rows, columns=["k", "shared", "common", "phi"]), order


def _lists(run_a: Run, run_b: Run, a: pd.DataFrame, b: pd.DataFrame) -> list[np.ndarray]:
    """The best items of each query in both runs, int64 [queries, length]; equal numbers are equal items, -1 = none."""
    of_videos = bool((a["direction"] == "t2v").all())
    axes = [run.gallery["video_id"] if of_videos else run.queries["caption_id"] for run in (run_a, run_b)]
    places = pd.Index(axes[0]).append(pd.Index(axes[1])).unique()
    found = []
    for axis, table in zip(axes, (a, b), strict=True):
        numbers = np.append(places.get_indexer(axis), -1)
        longest = max(1, max(map(len, table["top_columns"])))
        lists = np.full((len(table), longest), len(axis))
        for row, columns in zip(lists, table["top_columns"], strict=True):
            row[: len(columns)] = columns
        found.append(numbers[lists])
    return found


def _shared(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Means over queries: of the items in both lists over those in either (Jaccard), and of their number."""
    every = np.sort(np.concatenate([a, b], axis=1), axis=1)  # an item stands in each list once
    both = ((every[:, 1:] == every[:, :-1]) & (every[:, 1:] >= 0)).sum(1)
    either = (a >= 0).sum(1) + (b >= 0).sum(1) - both
    return float(np.mean(both / np.maximum(1, either))), float(np.mean(both))
