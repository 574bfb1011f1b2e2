"""Layer 2: ranks, metrics, statistics, order checks and runs. NumPy, pandas and numba only."""

from workbench.evaluation.compatible import CompatibleMetrics, compatible_metrics
from workbench.evaluation.families import holm
from workbench.evaluation.groups import SeedGroup, SeedSummary, seed_groups, seed_summary
from workbench.evaluation.metrics import RetrievalMetrics, retrieval_metrics
from workbench.evaluation.moment_table import save_moments
from workbench.evaluation.moments import MomentMetrics, moment_metrics
from workbench.evaluation.order import OrderCheck, check_order
from workbench.evaluation.ranks import RankCounts, rank_bounds
from workbench.evaluation.rescoring import (
    Rescored,
    ScoringProtocol,
    WeightSweep,
    csls,
    dual_softmax,
    fuse_scores,
    querybank_norm,
    reciprocal_rank_fusion,
    sinkhorn,
    sweep_weights,
    weighted_rank_fusion,
)
from workbench.evaluation.runs import Run, list_runs, open_run
from workbench.evaluation.saving import save_run
from workbench.evaluation.statistics import PairedTest, paired_test, verdict
from workbench.evaluation.streaming import stream_metrics, stream_ranks

__all__ = [
    "CompatibleMetrics",
    "MomentMetrics",
    "OrderCheck",
    "PairedTest",
    "RankCounts",
    "Rescored",
    "RetrievalMetrics",
    "Run",
    "ScoringProtocol",
    "SeedGroup",
    "SeedSummary",
    "WeightSweep",
    "check_order",
    "compatible_metrics",
    "csls",
    "dual_softmax",
    "fuse_scores",
    "holm",
    "list_runs",
    "moment_metrics",
    "open_run",
    "paired_test",
    "querybank_norm",
    "rank_bounds",
    "reciprocal_rank_fusion",
    "retrieval_metrics",
    "save_moments",
    "save_run",
    "seed_groups",
    "seed_summary",
    "sinkhorn",
    "stream_metrics",
    "stream_ranks",
    "sweep_weights",
    "verdict",
    "weighted_rank_fusion",
]
