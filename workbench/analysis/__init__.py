"""Layer 5: runs and corpora in, tidy tables out: why queries fail, where, and which run is better."""

from workbench.analysis.breakdown import by_domain, by_slice, slice_columns
from workbench.analysis.causes import CAUSES
from workbench.analysis.compare import Comparison, compare_many, compare_runs
from workbench.analysis.failures import failures, not_computed, not_computed_by_reason
from workbench.analysis.hubness import Hubness, hubness
from workbench.analysis.leaderboard import leaderboard, leaderboard_verdict
from workbench.analysis.structure import ceiling_of, domain_confusion, domain_means, near_duplicates
from workbench.analysis.trainings import chosen_step, curves, is_training, names_of, not_finite, trainings
from workbench.analysis.trajectories import Trajectories, kind_shares, query_kinds, trajectories

__all__ = [
    "CAUSES", "Comparison", "Hubness", "Trajectories", "by_domain", "by_slice", "ceiling_of", "chosen_step",
    "compare_many", "compare_runs", "curves", "domain_confusion", "domain_means", "failures", "hubness", "is_training",
    "kind_shares", "leaderboard", "leaderboard_verdict", "names_of", "near_duplicates", "not_computed",
    "not_computed_by_reason", "not_finite", "query_kinds", "slice_columns", "trainings", "trajectories",
]  # fmt: skip
