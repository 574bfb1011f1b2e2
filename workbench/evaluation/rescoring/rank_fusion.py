"""Fusion of rankings, where scores of several models have nothing in common but their order (Cormack, Clarke and
Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.ranks.blocks import on_all_cores, query_block
from workbench.evaluation.rescoring.kernels import add_reciprocal_ranks
from workbench.evaluation.rescoring.protocol import ONE_WAY, Rescored, ScoringProtocol
from workbench.evaluation.rescoring.walks import checked, new_matrix, same_shapes, small_ranges

Lists = Mapping[str, Any] | Sequence[Any]


def reciprocal_rank_fusion(
    similarities: Lists, *, k: float = 60.0, direction: str = "t2v", out: np.ndarray | None = None
) -> Rescored:
    """The sum of ``1 / (k + rank)`` over the rankings of one query, ranks from 1.

    Tied items share the mean of their ranks. An item that a ranking has not scored gets nothing from it; one that none
    has scored stays -inf. A query's own scores are all that is seen.

    Args:
        similarities: Matrices [captions, videos] of one shape, or a mapping of them by name. Never changed.
        k: Damping of the first ranks; 60 is published.
        direction: ``t2v`` ranks the videos of each caption, ``v2t`` the captions of each video.
        out: Where to write; None = a new array.

    Raises:
        DataError: No matrix, other shapes, NaN, +inf, k below 0.
        UnknownNameError: Unknown direction.
    """
    named = _named(similarities)
    return _fuse(named, dict.fromkeys(named, 1.0), "RRF", k, direction, out)


def weighted_rank_fusion(
    similarities: Lists,
    weights: Mapping[str, float] | Sequence[float],
    *,
    k: float = 60.0,
    direction: str = "t2v",
    out: np.ndarray | None = None,
) -> Rescored:
    """The sum of ``weight / (k + rank)``; see ``reciprocal_rank_fusion``.

    Args:
        similarities: As there.
        weights: One per matrix, by name or in their order; at least 0, not all 0.
        k: As there.
        direction: As there.
        out: As there.

    Raises:
        DataError: As there, or weights that do not fit.
    """
    named = _named(similarities)
    return _fuse(named, check_weights(weights, list(named)), "weighted RRF", k, direction, out)


def _named(similarities: Lists) -> dict[str, Any]:
    if isinstance(similarities, Mapping):
        return {str(name): matrix for name, matrix in similarities.items()}
    return {str(number): matrix for number, matrix in enumerate(similarities, start=1)}


def check_weights(weights: Mapping[str, float] | Sequence[float], names: Sequence[str]) -> dict[str, float]:
    """Weights by name.

    Raises:
        DataError: Other names or another number than there are matrices, negative, not finite, or all 0.
    """
    given = dict(weights) if isinstance(weights, Mapping) else dict(zip(names, weights, strict=False))
    if set(given) != set(names) or len(weights) != len(names):
        raise DataError(
            f"There are weights for {', '.join(map(str, weights if isinstance(weights, Mapping) else given))}; "
            f"the scores are {', '.join(names)}.",
            "Give one weight for each.",
        )
    values = np.array([given[name] for name in names], float)
    if not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise DataError(f"The weights are {values.tolist()}.", "Give numbers of at least 0, not all 0.")
    return dict(zip(names, values.tolist(), strict=True))


def _fuse(
    named: Mapping[str, Any], weights: Mapping[str, float], method: str, k: float, direction: str,
    out: np.ndarray | None,
) -> Rescored:  # fmt: skip
    pick(ONE_WAY, direction, "direction")
    if not (np.isfinite(k) and k >= 0):
        raise DataError(f"k is {k}; it damps the first ranks and is at least 0.", "Use 60, as published.")
    matrices = {name: checked(matrix, name if len(named) > 1 else "similarity")[0] for name, matrix in named.items()}
    same_shapes(list(matrices.items()))
    target = new_matrix(out, *matrices.values())
    n_queries, n_items = target.shape if direction == "t2v" else target.shape[::-1]

    def work(queries: tuple[int, int]) -> None:
        total = np.zeros((queries[1] - queries[0], n_items))
        some = np.zeros(total.shape, bool)
        for name, matrix in matrices.items():
            block = query_block(matrix, direction, np.arange(*queries))
            add_reciprocal_ranks(block, np.argsort(-block, axis=1), float(weights[name]), float(k), total)
            some |= block > -np.inf
        total[~some] = -np.inf
        if direction == "t2v":
            target[slice(*queries)] = total
        else:
            target[:, slice(*queries)] = total.T

    on_all_cores(work, small_ranges(n_queries, n_items))
    parameters: dict[str, Any] = {"k": k, "of": list(named)}
    if method != "RRF":
        parameters["weights"] = dict(weights)
    return Rescored(target, ScoringProtocol(method, "nothing", direction, parameters))
