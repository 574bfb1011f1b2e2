"""QB-Norm: divide what a video gets by what it gets from a bank of other queries (Bogolin et al., "Cross Modal
Retrieval with Querybank Normalisation", CVPR 2022); the inverted softmax is Smith et al., ICLR 2017.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.ranks.blocks import check_similarity, on_all_cores, query_block, row_ranges
from workbench.evaluation.ranks.kernels import top_items
from workbench.evaluation.rescoring.protocol import ONE_WAY, Rescored, ScoringProtocol
from workbench.evaluation.rescoring.walks import Bounds, checked, column_log_sums, new_matrix, rewrite

COMPARED = 256  # columns of an even sample by which a row of the bank is known among the queries
STEEP = 200.0  # spread of the scores times beta beyond which a sum of exponentials is its largest term


def querybank_norm(
    similarity: Any,
    bank: Any,
    *,
    beta: float = 20.0,
    k: int = 1,
    dynamic: bool = True,
    direction: str = "t2v",
    bank_of: str = "train queries",
    out: np.ndarray | None = None,
) -> Rescored:
    """Take from every item the score that a bank of queries gives it, as a softmax over the bank.

    With scores S, bank B [bank queries b, items j] and L_j = log sum_b exp(beta * B_bj), query i gets ::

        S_ij - (L_j - mean L) / beta

    which ranks a query's items as the published exp(beta * S_ij) / sum_b exp(beta * B_bj) does, in the scores' unit.
    ``dynamic``: only queries whose best item stands among the first ``k`` of a bank query (equal scores: the first
    item) are changed, the others keep their scores. Those of both kinds are then not comparable with each other, as in
    the published method; one direction at a time is meant. An empty bank changes nothing.

    Args:
        similarity: [captions, videos]; -inf = not scored. Never changed.
        bank: t2v: [captions of the bank, the same videos]. v2t: [the same captions, videos of the bank].
        beta: Inverse temperature; 20 is published for cosines.
        k: Length of the bank's lists that make the activation set.
        dynamic: False = the plain inverted softmax, for all queries.
        direction: ``t2v`` (queries are captions) or ``v2t`` (queries are videos).
        bank_of: ``train queries`` or ``test queries``. A bank most of whose rows stand in the similarity is labelled
            ``test queries`` whatever is said here.
        out: Where to write; None = a new array.

    Raises:
        DataError: NaN, +inf, a bank of another shape or without scores for an item, beta or k that make no sense.
        UnknownNameError: Unknown direction.
    """
    pick(ONE_WAY, direction, "direction")
    if not (np.isfinite(beta) and beta > 0) or k < 1:
        raise DataError(f"beta is {beta}, k is {k}.", "beta must be above 0 and k at least 1; 20 and 1 are published.")
    matrix, bounds = checked(similarity)
    queries, width = (0, 1) if direction == "t2v" else (1, 0)
    given = _oriented(bank, matrix.shape, width, direction)
    target = new_matrix(out, matrix, beside=() if given is None else (given,))
    active, shift = np.zeros(matrix.shape[queries], bool), np.zeros(matrix.shape[width])
    if given is not None:
        shift = _shift(given, bounds, beta, direction)
        active[:] = True
        if dynamic:
            first = top_of(matrix, direction, 1)[:, 0]
            popular = np.zeros(matrix.shape[width], bool)
            in_bank = top_of(given, "t2v", min(k, given.shape[1]))
            popular[in_bank[in_bank >= 0]] = True
            active = popular[first] & (first >= 0)

    def work(block: np.ndarray, rows: tuple[int, int]) -> None:
        if direction == "t2v":
            block[active[slice(*rows)]] -= shift
        else:
            block[:, active] -= shift[slice(*rows), None]

    rewrite(matrix, target, work)
    sees, warnings = _seen(matrix, given, bounds, beta, direction, bank_of)
    n_bank = 0 if given is None else len(given)
    parameters = {"beta": beta, "k": k, "dynamic": dynamic, "bank_queries": n_bank, "changed": int(active.sum())}
    name = "QB-Norm" if dynamic else "inverted softmax"
    return Rescored(target, ScoringProtocol(name, sees, direction, parameters, warnings))


def top_of(matrix: np.ndarray, direction: str, size: int) -> np.ndarray:
    """int32 [queries, size]: the best items of every query, equal scores by item number, -1 where fewer are scored."""
    n_queries, n_items = matrix.shape if direction == "t2v" else matrix.shape[::-1]

    def work(rows: tuple[int, int]) -> np.ndarray:
        return top_items(query_block(matrix, direction, np.arange(*rows)), size)[0]

    return np.concatenate(on_all_cores(work, row_ranges(n_queries, n_items)))


def _oriented(bank: Any, shape: tuple[int, ...], width: int, direction: str) -> np.ndarray | None:
    """The bank as [bank queries, items], a view; None for an empty one."""
    array = np.asarray(bank)
    axis = 1 if direction == "t2v" else 0
    if array.ndim != 2 or array.shape[axis] != shape[width]:
        expected = f"[bank captions, {shape[1]}]" if direction == "t2v" else f"[{shape[0]}, bank videos]"
        turned = array.ndim == 2 and array.shape[1 - axis] == shape[width]
        raise DataError(
            f"The bank is {array.shape}; for {direction} it must be {expected}.",
            "It looks transposed." if turned else "Score the bank's queries against the same gallery.",
        )
    if array.shape[1 - axis] == 0:
        return None
    array = check_similarity(array)
    return array if direction == "t2v" else array.T


def _shift(bank: np.ndarray, bounds: Bounds, beta: float, direction: str) -> np.ndarray:
    """What is taken from every item: (L_j - mean L) / beta; 0 for items that are not scored at all."""
    _, of_bank = checked(bank, "bank")
    sums = column_log_sums(bank, beta, of_bank.columns)
    wanted = np.isfinite(bounds.columns if direction == "t2v" else bounds.rows)
    missing = wanted & ~np.isfinite(sums)
    if missing.any():
        raise DataError(
            f"The bank holds no score for {int(missing.sum())} items, the first is number {int(missing.argmax())}.",
            "Score the bank's queries against the whole gallery.",
        )
    return np.where(wanted, sums - sums[wanted].mean(), 0.0) / beta


def _seen(
    matrix: np.ndarray, bank: np.ndarray | None, bounds: Bounds, beta: float, direction: str, bank_of: str
) -> tuple[str, tuple[str, ...]]:
    """What the scores have seen, and the warnings."""
    warnings = []
    spread = beta * (bounds.high - bounds.low)
    if spread > STEEP:
        warnings.append(
            f"Scores spread over {spread:.0f} / beta: the sum over the bank is its largest term. beta 20 is meant for "
            f"cosines; these scores would take about {20 * beta / spread:.2g}."
        )
    if bank is None:
        return "nothing", ("The bank is empty: no score was changed.",)
    shared = shared_rows(matrix if direction == "t2v" else matrix.T, bank)
    if 2 * shared > len(bank) and bank_of != "test queries":
        warnings.append(f"{shared} of {len(bank)} queries of the bank stand in the test split: it is no train bank.")
        return "test queries", tuple(warnings)
    return bank_of, tuple(warnings)


def shared_rows(matrix: np.ndarray, bank: np.ndarray) -> int:
    """How many rows of the bank equal a row of the matrix, on an even sample of columns; constant rows tell nothing."""
    columns = np.unique(np.linspace(0, matrix.shape[1] - 1, min(matrix.shape[1], COMPARED)).astype(np.int64))
    mine, theirs = (np.ascontiguousarray(one[:, columns], np.float32) for one in (matrix, bank))
    known = {row.tobytes() for row in mine}
    varied = theirs.min(axis=1) < theirs.max(axis=1)
    return sum(row.tobytes() in known for row in theirs[varied])
