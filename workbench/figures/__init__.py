"""Layer 6: tidy tables in; plotly figures and matrix tiles out. Functions are named after what they show."""

from workbench.figures.calibration import reliability_diagram, risk_coverage
from workbench.figures.charts import (
    cause_bars,
    confusion_heatmap,
    difference_bars,
    domain_bars,
    domain_heatmap,
    leaderboard_intervals,
)
from workbench.figures.comparing import (
    ablation_differences,
    ablation_heatmap,
    cause_change_bars,
    rank_against_rank,
    upset,
)
from workbench.figures.curves import kind_bars, run_looks, training_curves
from workbench.figures.export import export_figure, save_figure
from workbench.figures.funnel import funnel_bars, funnel_domain_bars
from workbench.figures.hubs import occurrence_bars
from workbench.figures.matrix_picture import matrix_picture
from workbench.figures.matrix_tiles import MatrixView
from workbench.figures.oracle import oracle_bars, oracle_domain_bars
from workbench.figures.paper import COLUMN, PAGE
from workbench.figures.qualitative import qualitative
from workbench.figures.sweeps import frame_sweep_curves, sweep_curves
from workbench.figures.token_map import words_on_frames

__all__ = [
    "COLUMN",
    "PAGE",
    "MatrixView",
    "ablation_differences",
    "ablation_heatmap",
    "cause_bars",
    "cause_change_bars",
    "confusion_heatmap",
    "difference_bars",
    "domain_bars",
    "domain_heatmap",
    "export_figure",
    "frame_sweep_curves",
    "funnel_bars",
    "funnel_domain_bars",
    "kind_bars",
    "leaderboard_intervals",
    "matrix_picture",
    "occurrence_bars",
    "oracle_bars",
    "oracle_domain_bars",
    "qualitative",
    "rank_against_rank",
    "reliability_diagram",
    "risk_coverage",
    "run_looks",
    "save_figure",
    "sweep_curves",
    "training_curves",
    "upset",
    "words_on_frames",
]
