"""Layer 6: tidy tables in; plotly figures and matrix tiles out. Functions are named after what they show."""

from workbench.figures.charts import (
    cause_bars,
    confusion_heatmap,
    difference_bars,
    domain_bars,
    domain_heatmap,
    leaderboard_intervals,
    rank_against_rank,
)
from workbench.figures.curves import kind_bars, run_looks, training_curves
from workbench.figures.matrix_tiles import MatrixView
from workbench.figures.sweeps import sweep_curves

__all__ = [
    "MatrixView",
    "cause_bars",
    "confusion_heatmap",
    "difference_bars",
    "domain_bars",
    "domain_heatmap",
    "kind_bars",
    "leaderboard_intervals",
    "rank_against_rank",
    "run_looks",
    "sweep_curves",
    "training_curves",
]
