"""Layer 2: ranks, metrics, statistics, order checks and runs. NumPy, pandas and numba only."""

from workbench.evaluation.metrics import RetrievalMetrics, retrieval_metrics
from workbench.evaluation.order import OrderCheck, check_order
from workbench.evaluation.ranks import RankCounts, rank_bounds
from workbench.evaluation.runs import Run, list_runs, open_run
from workbench.evaluation.saving import save_run
from workbench.evaluation.statistics import PairedTest, paired_test, verdict

__all__ = [
    "OrderCheck",
    "PairedTest",
    "RankCounts",
    "RetrievalMetrics",
    "Run",
    "check_order",
    "list_runs",
    "open_run",
    "paired_test",
    "rank_bounds",
    "retrieval_metrics",
    "save_run",
    "verdict",
]
