"""Captions of equal text with other right videos, and what a query reaches once their answers are taken as right."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.analysis.kept import kept
from workbench.evaluation.metrics.duplicates import answers, duplicates, shared_relevance, text_numbers
from workbench.evaluation.runs.run import Run


class Equal(NamedTuple):
    """Captions that no model can tell apart.

    Attributes:
        twin: Whether another caption has the same text and other right videos, bool [captions].
        times: How many captions have this text, int64 [captions].
        shared: Grades [captions, videos] in which equal texts share their right videos.
    """

    twin: np.ndarray
    times: np.ndarray
    shared: sp.csr_array


def equal_in(run: Run) -> Equal:
    """The equal captions of a run; worked out once. Captions without text are equal to none."""
    return kept(run, "equal", partial(_equal, run.queries["text"], run.relevance_matrix))


def _equal(captions: pd.Series, relevance: sp.csr_array) -> Equal:
    texts = captions.fillna("").to_list()
    number = text_numbers(texts)
    twin = duplicates(texts, answers(relevance)) & np.asarray([bool(text.strip()) for text in texts], bool)
    shared = shared_relevance(relevance, texts) if twin.any() else relevance
    return Equal(twin, np.bincount(number)[number], shared)
