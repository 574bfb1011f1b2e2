"""The scene-text half of a comparison: the same paired test on the queries that ask for something written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.evaluation.metrics.scene_text import V1, WITH, slices
from workbench.evaluation.statistics.paired import PairedTest, paired_test
from workbench.evaluation.statistics.sides import directions_of, members


def tests_on_text(
    pairs: Sequence[tuple[Any, Any]], metric: str = "r1", direction: str = "t2v"
) -> list[PairedTest | None]:
    """``paired_test`` of each pair on ``scene-text-query v1`` alone, by the captions of its first run.

    Args:
        pairs: Runs, or groups of seeds; differences are the second minus the first.
        metric: A name of ``METRICS``.
        direction: ``t2v``, ``v2t``, or ``both`` for ``sum_recall``.

    Returns:
        One per pair; None where the definition does not divide the queries, or the pair shares none of them.

    Raises:
        DataError: As for ``paired_test``.
        UnknownNameError: Unknown metric or direction.
    """
    wanted = directions_of(metric, direction)
    known: dict[int, dict[str, list[str]]] = {}
    found = []
    for a, b in pairs:
        first = members(a)[0]
        if id(first) not in known:
            known[id(first)] = _on_text(first)
        only = {one: known[id(first)].get(one, []) for one in wanted}
        runs = [*members(a), *members(b)]
        able = all(set(ids).intersection(*(run.per(one)["id"] for run in runs)) for one, ids in only.items())
        found.append(paired_test(a, b, metric, direction=direction, only=only) if able else None)
    return found


def _on_text(run: Any) -> dict[str, list[str]]:
    """Ids of the scene-text queries of a run by direction; one that has none, or nothing else, is absent."""
    parts = {direction: own[V1] for direction, own in slices(run).items() if V1 in own}
    return {direction: part.index[part == WITH].to_list() for direction, part in parts.items()}
