"""What ranks are measured against: one read of the matrix by all cores, and the methods of the field, from their specs.

Every peer returns 1-based ranks of the diagonal, (t2v, v2t), so that its answers can be compared too.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytrec_eval
import torch
from numba import njit

from workbench.evaluation.ranks.blocks import n_threads, on_all_cores, row_ranges

Ranks = tuple[np.ndarray, np.ndarray]


@njit(nogil=True, fastmath=True)
def _sum(scores: np.ndarray) -> np.float32:
    total = np.float32(0)
    for i in range(scores.size):
        total += scores[i]
    return total


def read_once(matrix: np.ndarray) -> float:
    """The floor: every score is loaded once, in order, by all cores, and added."""
    flat, n_columns = matrix.reshape(-1), matrix.shape[1]
    parts = [flat[start * n_columns : stop * n_columns] for start, stop in row_ranges(*matrix.shape)]
    return float(sum(on_all_cores(_sum, parts)))


def sort_and_find(matrix: np.ndarray) -> Ranks:
    """CLIP4Clip: sort every row, subtract the right score, look for zeros (ties add entries)."""

    def one(scores: np.ndarray) -> np.ndarray:
        falling = np.sort(-scores, axis=1)
        return np.where(falling - np.diag(-scores)[:, None] == 0)[1] + 1

    return one(matrix), one(matrix.T)


def full_argsort(matrix: np.ndarray) -> Ranks:
    """Sort the numbers of all items of every row, look for the right one."""

    def one(scores: np.ndarray) -> np.ndarray:
        order = np.argsort(-scores, axis=1)
        return np.where(order == np.arange(len(scores))[:, None])[1] + 1

    return one(matrix), one(matrix.T)


def sorted_lists(matrix: np.ndarray) -> Ranks:
    """The method of ranx: sort every query's list, queries shared out over all cores."""

    def one(scores: np.ndarray) -> np.ndarray:
        def row(query: int) -> int:
            return int(np.where(np.argsort(-scores[query]) == query)[0][0]) + 1

        with ThreadPoolExecutor(n_threads()) as pool:
            return np.array(list(pool.map(row, range(len(scores)), chunksize=64)))

    return one(matrix), one(matrix.T)


def flat_predictions(matrix: np.ndarray) -> Ranks:
    """The method of torchmetrics: flat tensors of query number, score and target; split by query, each sorted."""

    def one(scores: np.ndarray) -> np.ndarray:
        n = len(scores)
        queries = torch.arange(n).repeat_interleave(n)
        predictions, targets = torch.from_numpy(scores.copy()).reshape(-1), torch.eye(n, dtype=torch.bool).reshape(-1)
        order = torch.argsort(queries, stable=True)
        sizes = torch.bincount(queries).tolist()
        parts = zip(predictions[order].split(sizes), targets[order].split(sizes), strict=True)
        found = [int(target[torch.argsort(score, descending=True)].nonzero()[0]) + 1 for score, target in parts]
        return np.array(found)

    return one(matrix), one(np.ascontiguousarray(matrix.T))


def trec_dictionaries(matrix: np.ndarray) -> Ranks:
    """pytrec_eval: a dictionary of scores per query (made here: it takes nothing else), reciprocal rank of each."""

    def one(scores: np.ndarray) -> np.ndarray:
        names = [str(item) for item in range(len(scores))]
        judged = {name: {name: 1} for name in names}
        answered = {name: dict(zip(names, row.tolist(), strict=True)) for name, row in zip(names, scores, strict=True)}
        found = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"}).evaluate(answered)
        return np.array([round(1 / found[name]["recip_rank"]) for name in names])

    return one(matrix), one(matrix.T)
