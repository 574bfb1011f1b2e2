"""Scores changed after the model made them, each with what it has seen: nothing, train queries or test queries."""

from workbench.evaluation.rescoring.fusion import fuse_scores
from workbench.evaluation.rescoring.gate import Gate, fit_gate, gated_fusion
from workbench.evaluation.rescoring.neighbours import csls
from workbench.evaluation.rescoring.protocol import Rescored, ScoringProtocol, carry_on
from workbench.evaluation.rescoring.querybank import querybank_norm
from workbench.evaluation.rescoring.rank_fusion import reciprocal_rank_fusion, weighted_rank_fusion
from workbench.evaluation.rescoring.softmax import dual_softmax
from workbench.evaluation.rescoring.sweep import STEPS, WeightSweep, sweep_weights
from workbench.evaluation.rescoring.transport import sinkhorn

__all__ = [
    "STEPS", "Gate", "Rescored", "ScoringProtocol", "WeightSweep", "carry_on", "csls", "dual_softmax", "fit_gate",
    "fuse_scores", "gated_fusion", "querybank_norm", "reciprocal_rank_fusion", "sinkhorn", "sweep_weights",
    "weighted_rank_fusion",
]  # fmt: skip
