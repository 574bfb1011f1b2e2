"""Causes in the geometry of the scores: hubs and anti-hubs (Radovanovic et al., JMLR 2010)."""

from __future__ import annotations

import numpy as np

from workbench.analysis.causes.failed import Failed, Found


def hub(failed: Failed, hub_sd: float, hub_share: float) -> Found:
    """The best wrong item stands among the first 10 of more than mean + sd and share times 10 queries."""
    counts, _, top = failed.counted
    limit = max(counts.mean() + hub_sd * counts.std(), hub_share * 10)
    times, mean = np.where(top >= 0, counts[top], 0), counts.mean()
    return Found(
        times > limit, lambda i: f"the top-1 stands among the first 10 of {times[i]} queries (mean {mean:.1f})"
    )


def anti_hub(failed: Failed) -> Found:
    """The right item stands among the first 10 of no query at all."""
    counts, right, _ = failed.counted
    none = (right >= 0) & (counts[right] == 0)
    return Found(none, lambda i: "the right item stands among the first 10 of no query")
