"""Layer 5: runs and corpora in, tidy tables out: why queries fail, where, and which run is better."""

from workbench.analysis.breakdown import by_domain, by_slice, slice_columns
from workbench.analysis.calibration import Calibration, calibration
from workbench.analysis.causes.catalogue import CAUSES
from workbench.analysis.causes.failures import failures, not_computed, not_computed_by_reason
from workbench.analysis.causes.oracle import biggest_gains, coverage, oracle_gain
from workbench.analysis.causes.seen import evidence_boxes
from workbench.analysis.causes.thresholds import THRESHOLDS, Threshold, Thresholds
from workbench.analysis.comparison.ablations import Ablations, ablations, reweighted
from workbench.analysis.comparison.cause_changes import cause_changes, change_lists
from workbench.analysis.comparison.compare import Comparison, compare_runs
from workbench.analysis.comparison.learned import learned_by, learned_table
from workbench.analysis.comparison.many import Solved, compare_many, metric_table, seed_spread, solved_sets
from workbench.analysis.leaderboard import leaderboard, leaderboard_verdict
from workbench.analysis.reading.funnel import Funnel, ocr_funnel
from workbench.analysis.reading.saving import Remedy, remedy_of
from workbench.analysis.reading.word_effects import word_effects_command, word_effects_of
from workbench.analysis.structure.alike import near_duplicates
from workbench.analysis.structure.confusion import ceiling_of, domain_confusion
from workbench.analysis.structure.corrections import Correction, hub_correction
from workbench.analysis.structure.domain_blocks import domain_means
from workbench.analysis.structure.hubness import Hubness, hubness, taken_queries
from workbench.analysis.structure.twins import across_splits, equal_captions, near_captions, same_source
from workbench.analysis.trainings import chosen_step, curves, is_training, names_of, not_finite, trainings
from workbench.analysis.trajectories import Trajectories, kind_shares, query_kinds, trajectories

__all__ = [
    "CAUSES", "THRESHOLDS", "Ablations", "Calibration", "Comparison", "Correction", "Funnel", "Hubness", "Remedy",
    "Solved", "Threshold", "Thresholds", "Trajectories", "ablations", "across_splits", "biggest_gains", "by_domain",
    "by_slice", "calibration", "cause_changes", "ceiling_of", "change_lists", "chosen_step", "compare_many",
    "compare_runs", "coverage", "curves", "domain_confusion", "domain_means", "equal_captions", "evidence_boxes",
    "failures", "hub_correction", "hubness", "is_training", "kind_shares", "leaderboard", "leaderboard_verdict",
    "learned_by", "learned_table", "metric_table", "names_of", "near_captions", "near_duplicates", "not_computed",
    "not_computed_by_reason", "not_finite", "ocr_funnel", "oracle_gain", "query_kinds", "remedy_of", "reweighted",
    "same_source", "seed_spread", "slice_columns", "solved_sets", "taken_queries", "trainings", "trajectories",
    "word_effects_command", "word_effects_of",
]  # fmt: skip
