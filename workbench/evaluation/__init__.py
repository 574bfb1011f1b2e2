"""Layer 2: ranks, metrics, statistics, order checks and runs. NumPy, pandas and numba only."""

from workbench.evaluation.metrics.compatible import CompatibleMetrics, compatible_metrics
from workbench.evaluation.metrics.retrieval import RetrievalMetrics, retrieval_metrics
from workbench.evaluation.moments.metrics import MomentMetrics, moment_metrics
from workbench.evaluation.moments.table import save_moments
from workbench.evaluation.order.check import OrderCheck, check_order
from workbench.evaluation.ranks.bounds import RankCounts, rank_bounds
from workbench.evaluation.ranks.streaming import stream_metrics, stream_ranks
from workbench.evaluation.rescoring import (
    Gate,
    Rescored,
    ScoringProtocol,
    WeightSweep,
    csls,
    dual_softmax,
    fit_gate,
    fuse_scores,
    gated_fusion,
    querybank_norm,
    reciprocal_rank_fusion,
    sinkhorn,
    sweep_weights,
    weighted_rank_fusion,
)
from workbench.evaluation.runs.run import Run, list_runs, open_run
from workbench.evaluation.runs.saving import save_run
from workbench.evaluation.statistics.families import holm
from workbench.evaluation.statistics.groups import SeedGroup, SeedSummary, seed_groups, seed_summary
from workbench.evaluation.statistics.paired import PairedTest, paired_test
from workbench.evaluation.statistics.verdicts import verdict

__all__ = [
    "CompatibleMetrics",
    "Gate",
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
    "fit_gate",
    "fuse_scores",
    "gated_fusion",
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
