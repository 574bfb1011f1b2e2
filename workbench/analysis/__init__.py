"""Layer 5: runs and corpora in, tidy tables out: why queries fail, where, and which run is better."""

from workbench.analysis.breakdown import by_domain, by_slice, slice_columns
from workbench.analysis.causes import CAUSES
from workbench.analysis.compare import Comparison, compare_many, compare_runs
from workbench.analysis.failures import failures, not_computed, not_computed_by_reason
from workbench.analysis.hubness import Hubness, hubness
from workbench.analysis.leaderboard import leaderboard, leaderboard_verdict
from workbench.analysis.structure import ceiling_of, domain_confusion, domain_means, near_duplicates

__all__ = [
    "CAUSES", "Comparison", "Hubness", "by_domain", "by_slice", "ceiling_of", "compare_many", "compare_runs",
    "domain_confusion", "domain_means", "failures", "hubness", "leaderboard", "leaderboard_verdict", "near_duplicates",
    "not_computed", "not_computed_by_reason", "slice_columns",
]  # fmt: skip
