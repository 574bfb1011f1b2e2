"""What is re-scored: a run, those it is fused with, a bank of queries, a run to choose weights on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError, StateError
from workbench.evaluation.rescoring import Rescored
from workbench.evaluation.rescoring.protocol import seen_level
from workbench.evaluation.runs.run import Run, open_run, same_axes, similarity_of
from workbench.pipelines.ids import positions_of
from workbench.pipelines.matrices import read_matrix, unmasked

ORDERS = ("ids", "checked", "declared", "unverified", "contradicted")  # the further right, the less is known


def opened_run(run: Run | str) -> Run:
    """The run, opened where a name is given."""
    return run if isinstance(run, Run) else open_run(run)


def no_modalities(run: Run) -> StateError:
    """The error for a run that cannot be fused on its own."""
    held = ", ".join(run.modalities) or "none"
    return StateError(f"Run {run.name} keeps no two modalities ({held}).", "Name runs to fuse it with (--with RUN).")


@dataclass(frozen=True)
class Sources:
    """The run and those that are fused with it."""

    run: Run
    others: Sequence[Run]

    def __post_init__(self) -> None:
        for other in self.others:
            if not same_axes(self.run, other):
                raise DataError(
                    f"{self.run.name} and {other.name} have other captions or videos, or hold totals only.",
                    "Fuse runs of the same split of one corpus.",
                )

    def matrices(self) -> dict[str, np.ndarray]:
        """What is fused, by name: the runs, or the modalities of the one."""
        if self.others:
            return {one.name: similarity_of(one) for one in (self.run, *self.others)}
        if len(self.run.modalities) < 2:
            raise no_modalities(self.run)
        return dict(self.run.modalities)

    def most_seen(self, own: str) -> str:
        """The larger of what the method and the other runs have seen."""
        return max([own, *(other.protocol["sees"] for other in self.others)], key=seen_level)

    def order(self) -> dict[str, Any]:
        """The order of the run of which the least is known."""
        runs = (self.run, *self.others)
        return dict(max((one.order for one in runs), key=lambda order: ORDERS.index(order["how"])))

    def describe(self, made: Rescored, *, fused: bool) -> tuple[dict[str, Any], dict[str, np.ndarray] | None]:
        """Entries of ``run.json``, and the matrices that were fused."""
        info = {key: self.run.info.get(key) for key in ("model", "recipe", "seed", "ablation")}
        info |= {"parent": self.run.name, "notes": f"{made.protocol.scoring} of {self.run.name}"}
        if not fused:
            return info, None
        matrices = self.matrices()
        weights = made.protocol.parameters.get("weights", dict.fromkeys(matrices, 1.0))  # None: one for each caption
        return {**info, "fusion": {"method": made.protocol.scoring, "weights": weights}}, matrices


def validation_for(validation: Run | str, run: Run) -> Run:
    """The run on which weights are chosen.

    Raises:
        DataError: It is on the split that is reported, or holds other modalities.
    """
    opened = opened_run(validation)
    if opened.split == run.split:
        raise DataError(
            f"{opened.name} and {run.name} are both on {run.split}: what chose the weight cannot test it.",
            "Give a run on the validation split.",
        )
    if set(opened.modalities) != set(run.modalities):
        raise DataError(
            f"{opened.name} keeps the modalities {', '.join(opened.modalities) or 'none'}; {run.name} keeps "
            f"{', '.join(run.modalities) or 'none'}.",
            "Score both splits with one model.",
        )
    return opened


def bank_for(bank: Any, run: Run, direction: str) -> tuple[np.ndarray, str]:
    """The bank in the order of the run's items, and whose queries it holds."""
    axis, what = (1, "video") if direction == "t2v" else (0, "caption")
    items = (run.gallery["video_id"] if axis else run.queries["caption_id"]).to_list()
    if isinstance(bank, str | Path) and not Path(bank).is_file():
        bank = open_run(bank)
    if not isinstance(bank, Run):
        matrix = unmasked(read_matrix(bank))
        ids = matrix.column_ids if axis else matrix.row_ids
        return matrix.values if ids is None else _ordered(matrix.values, axis, items, ids, what), "train queries"
    stored = similarity_of(bank)
    ids = (bank.gallery["video_id"] if axis else bank.queries["caption_id"]).to_list()
    others, own = (
        (one.queries["caption_id"] if axis else one.gallery["video_id"]).to_list() for one in (bank, run)
    )  # fmt: skip
    same = bank.corpus_name == run.corpus_name and not set(others).isdisjoint(own)
    return _ordered(stored, axis, items, ids, what), "test queries" if same else "train queries"


def _ordered(values: np.ndarray, axis: int, items: list[str], ids: list[str], what: str) -> np.ndarray:
    """Rows or columns of a bank in the order of ``items``; the bank itself where they are."""
    if ids == items:
        return values
    try:
        places = positions_of(items, ids, what)
    except DataError as error:
        raise DataError(
            f"The bank does not hold every {what} of the run.", "Score its queries against the same gallery."
        ) from error
    return np.take(values, places, axis=axis)
