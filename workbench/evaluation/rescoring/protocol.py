"""What a re-scored similarity states about itself: how it was made, what that has seen, where not to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from workbench.core.lookup import pick
from workbench.evaluation.ranks.relevance import check_relevance

SEES = {"nothing": 0, "train queries": 1, "test queries": 2}  # the more, the less a number says about new queries
DIRECTIONS = {name: name for name in ("t2v", "v2t", "both")}
ONE_WAY = {name: name for name in ("t2v", "v2t")}


def seen_level(sees: str) -> int:
    """0 for ``nothing``, 1 for ``train queries``, 2 for ``test queries``, 3 for a label of somebody's own."""
    return SEES.get(sees, len(SEES))


@dataclass(frozen=True)
class ScoringProtocol:
    """How scores were changed after the model had made them.

    Attributes:
        scoring: Short name of the method, as in tables: ``DSL``, ``QB-Norm``, ...
        sees: ``nothing`` (a query and its gallery alone), ``train queries`` or ``test queries`` (all of the split).
        direction: The direction(s) the scores are meant for: ``t2v``, ``v2t`` or ``both``.
        parameters: Every parameter, those chosen for the user included.
        warnings: Sentences on what is wrong with using the method here.
    """

    scoring: str
    sees: str
    direction: str = "both"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        pick(SEES, self.sees, "label of what scoring has seen")
        pick(DIRECTIONS, self.direction, "direction")

    def to_dict(self) -> dict[str, Any]:
        """The entries of ``protocol`` in ``run.json``."""
        other = {"t2v": "v2t", "v2t": "t2v"}.get(self.direction)
        one_way = [f"Scores were made for {self.direction}: the {other} numbers are no {self.scoring} result."]
        return {
            "scoring": self.scoring, "sees": self.sees, "direction": self.direction,
            "parameters": dict(self.parameters), "warnings": [*self.warnings, *(one_way if other else [])],
        }  # fmt: skip


class Rescored(NamedTuple):
    """A new similarity and how it was made.

    Attributes:
        similarity: [captions, videos], float32 (float64 for input of more than 32 bits); -inf where the input has it.
        protocol: Method, parameters, what it has seen, warnings.
    """

    similarity: np.ndarray
    protocol: ScoringProtocol


def carry_on(parent: Mapping[str, Any], made: ScoringProtocol) -> dict[str, Any]:
    """The protocol of scores that were made of others: the names of both, the larger of what each has seen.

    Args:
        parent: ``protocol`` of the run that was re-scored.
        made: What was done to it.
    """
    entries = made.to_dict()
    before = str(parent.get("scoring", "raw"))
    seen = max((str(parent.get("sees", "nothing")), made.sees), key=seen_level)
    steps = [dict(one) for one in parent.get("steps", [])]
    return {
        **parent, **entries,
        "scoring": made.scoring if before == "raw" else f"{before} + {made.scoring}",
        "sees": seen,
        "warnings": list(dict.fromkeys([*parent.get("warnings", []), *entries["warnings"]])),
        "steps": [*steps, {key: entries[key] for key in ("scoring", "sees", "direction", "parameters")}],
    }  # fmt: skip


def one_to_one_warnings(relevance: Any, shape: tuple[int, int], method: str) -> tuple[str, ...]:
    """A sentence where videos do not share the captions equally, which the method takes for granted; else nothing.

    Args:
        relevance: Grades [captions, videos], or None: then only the shape can tell.
        shape: (captions, videos).
        method: Name of the method, for the sentence.
    """
    assumes = f"{method} assumes that every caption has one video and that all videos have equally many captions"
    if relevance is None:
        return () if shape[0] == shape[1] else (f"{assumes}; here {shape[0]} captions meet {shape[1]} videos.",)
    pairs = check_relevance(relevance, shape)
    per_video, per_caption = pairs.captions_of.sizes, pairs.videos_of.sizes
    none, several = int((per_video == 0).sum()), int((per_caption != 1).sum())
    said = [f"{none} of {shape[1]} videos have no caption"] if none else []
    held = per_video[per_video > 0]
    if held.min() != held.max():
        said.append(f"videos have {held.min()} to {held.max()} captions")
    if several:
        said.append(f"{several} of {shape[0]} captions have not exactly one right video")
    return (f"{assumes}; here {_listed(said)}.",) if said else ()


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
