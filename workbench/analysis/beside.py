"""What stands beside R@1 on the leaderboard, with intervals: the mean over domains, and scene-text queries alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.evaluation.metrics.measures import query_values
from workbench.evaluation.metrics.scene_text import V1, WITH, slices
from workbench.evaluation.runs.run import DIRECTIONS, Run
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.intervals import cluster_numbers, quantiles
from workbench.evaluation.statistics.resampling import Sample, bootstrap
from workbench.evaluation.statistics.sides import query_table

BESIDE = {"macro": "mean over domains", "text": "scene-text queries"}
"""What stands beside R@1 over all queries, by the end of its column."""
N_RESAMPLES = 2_000
Row = dict[str, float]


def beside(sides: Sequence[Sequence[Run]]) -> list[Row]:
    """Mean over domains (each counts alike) and R@1 of ``scene-text-query v1`` alone, with 95 % intervals.

    Whole sources are drawn, alike for all runs of one split; of several seeds the values are means over seeds, as in
    ``seed_summary``. A domain none of whose sources was drawn counts nothing in that draw.

    Args:
        sides: Runs on one split: one, or the seeds of a group.

    Returns:
        For each side t2v_r1_macro, t2v_r1_macro_low, t2v_r1_macro_high, t2v_r1_text, ... v2t_..., in percent; nan where
        no domains are stated, where all or none of the queries are scene-text queries, or where rows cannot be tied to
        captions.
    """
    rows: list[Row] = [_stored(runs) for runs in sides]
    alike: dict[tuple[str, str], list[int]] = {}
    for at, runs in enumerate(sides):
        if not any(run.totals_only for run in runs):
            alike.setdefault((runs[0].fingerprint, runs[0].split), []).append(at)
    for places in alike.values():
        text = slices(sides[places[0]][0])
        for direction in DIRECTIONS:
            found = _intervals([sides[at] for at in places], direction, text[direction].get(V1))
            for at, own in zip(places, found, strict=True):
                rows[at] |= own
    return rows


def _stored(runs: Sequence[Run]) -> Row:
    """The numbers that the runs keep, without intervals."""
    row: Row = {}
    for direction in DIRECTIONS:
        parts = [run.metrics[direction].get("by") or {} for run in runs]
        values = {
            "macro": [_macro(own.get("domain", {})) for own in parts],
            "text": [own.get("slice", {}).get(V1, {}).get(WITH, {}).get("r1", np.nan) for own in parts],
        }
        for end in BESIDE:
            head = f"{direction}_r1_{end}"
            row |= {head: float(np.mean(values[end])), f"{head}_low": np.nan, f"{head}_high": np.nan}
    return row


def _macro(domains: dict[str, dict[str, float]]) -> float:
    """R@1, each domain counting alike; nan for fewer than two."""
    return float(np.mean([one["r1"] for one in domains.values()])) if len(domains) > 1 else float("nan")


def _intervals(sides: Sequence[Sequence[Run]], direction: str, text: pd.Series | None) -> list[Row]:
    """Intervals of sides that have the same queries."""
    tables = [[query_table(run, direction, "r1").set_index("id") for run in runs] for runs in sides]
    ids = tables[0][0].index
    groups = query_groups(sides[0][0], direction, ids.to_numpy())
    number = cluster_numbers(None if groups["source_id"].isna().any() else groups["source_id"], len(ids))
    if (n_clusters := int(number.max(initial=-1)) + 1) < 2:
        return [{} for _ in sides]
    masks = [(groups["domain"] == name).to_numpy(bool) for name in groups["domain"].dropna().unique()]
    masks = masks if len(masks) > 1 else []
    half = None if text is None else (text.reindex(ids) == WITH).to_numpy(bool)
    wanted = [*masks, *([] if half is None else [half])]
    if not wanted:
        return [{} for _ in sides]
    samples = []
    for own in tables:
        values = np.mean([query_values(table.reindex(ids), "r1") for table in own], axis=0)
        samples += [Sample(values[mask], number[mask]) for mask in wanted]
    drawn = 100 * bootstrap(samples, n_clusters, N_RESAMPLES).reshape(len(sides), len(wanted), -1)
    return [_row(direction, one[: len(masks)], one[-1] if half is not None else None) for one in drawn]


def _row(direction: str, domains: np.ndarray, text: np.ndarray | None) -> Row:
    row: Row = {}
    found = {"macro": np.nanmean(domains, axis=0) if len(domains) else None, "text": text}
    for end, values in found.items():
        if values is not None:
            row[f"{direction}_r1_{end}_low"], row[f"{direction}_r1_{end}_high"] = quantiles(values)
    return row
