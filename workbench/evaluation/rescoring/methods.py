"""The ways to re-score by name: the one list that pipelines, the command line and the documents read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from workbench.evaluation.rescoring.fusion import fuse_scores
from workbench.evaluation.rescoring.gate import gated_fusion
from workbench.evaluation.rescoring.neighbours import csls
from workbench.evaluation.rescoring.protocol import Rescored
from workbench.evaluation.rescoring.querybank import querybank_norm
from workbench.evaluation.rescoring.rank_fusion import reciprocal_rank_fusion, weighted_rank_fusion
from workbench.evaluation.rescoring.softmax import dual_softmax
from workbench.evaluation.rescoring.transport import sinkhorn


@dataclass(frozen=True)
class Method:
    """A way to re-score.

    Attributes:
        function: What does it.
        sentence: What it does and what it sees.
        needs: ``scores`` (one matrix), ``prior`` (one, and the right pairs to check its prior), ``bank``, ``list`` (of
            several matrices), ``weights`` (a list with weights) or ``gate`` (two modalities, and a run to fit it on).
    """

    function: Callable[..., Rescored]
    sentence: str
    needs: str

    @property
    def options(self) -> set[str]:
        """Names of its own options."""
        known = inspect.signature(self.function).parameters.values()
        return {one.name for one in known if one.kind is one.KEYWORD_ONLY} - {"out", "bank_of", "dynamic"}


METHODS: dict[str, Method] = {
    "dsl": Method(dual_softmax, "Dual softmax; sees all test queries.", "prior"),
    "qb-norm": Method(querybank_norm, "QB-Norm with a bank of train queries.", "bank"),
    "inverted-softmax": Method(partial(querybank_norm, dynamic=False), "QB-Norm for every query.", "bank"),
    "csls": Method(csls, "Distance to neighbours taken off; sees all test queries.", "scores"),
    "sinkhorn": Method(sinkhorn, "Every video the same weight; sees all test queries.", "prior"),
    "rrf": Method(reciprocal_rank_fusion, "Sum of reciprocal ranks; sees nothing.", "list"),
    "weighted-rrf": Method(weighted_rank_fusion, "Weighted sum of reciprocal ranks; sees nothing.", "weights"),
    "fusion": Method(fuse_scores, "Weighted sum of modalities or runs; sees nothing.", "weights"),
    "gate": Method(gated_fusion, "Two modalities, weighted for each caption as learned on --validation.", "gate"),
}
