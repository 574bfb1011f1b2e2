"""Do rows and columns of a similarity matrix follow these captions? Asked of the text alone, never of the ground truth.

Captions that share rare words get similar rows from any model that reads them, and their videos mostly get similar
columns from any model that sees. Rows that are in another order do not. Word-identical captions get equal rows; when
it is the columns that are equal, the matrix is transposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from workbench.core.errors import DataError
from workbench.evaluation.order.axes import Axis, compare_axes, look_at_axis, similar_pairs
from workbench.evaluation.ranks.blocks import check_similarity

FOLLOWS_AUC, FOLLOWS_Z = (
    0.58,
    4.0,
)  # similar captions stand out: at least this much, beyond this many standard errors
REACH = 0.70  # an axis in order reaches this AUC with any model worth importing (published ones: 0.80 to 0.98)
MARGIN_Z = 4.0  # contradicted: this many standard errors below REACH
TURNED_AUC, TURNED_Z = 0.05, 5.0  # columns follow the text better than rows do: transposed
SOLID_AUC = 0.80
ORIENTED_Z = 3.0  # rows follow the text better than columns do: not transposed


@dataclass(frozen=True)
class OrderCheck:
    """What the order check found.

    Attributes:
        how: ``checked`` (rows and columns follow the captions), ``unverified`` (too little evidence either way), or
            ``contradicted``.
        sentence: What was found and on what evidence.
        evidence: The numbers: per axis n_pairs, auc, error, z, n_identical, n_identical_equal; and ``wrong``: the axes
            in another order, ``transposed`` or nothing.
    """

    how: Literal["checked", "unverified", "contradicted"]
    sentence: str
    evidence: dict[str, Any] = field(default_factory=dict)


def check_order(
    similarity: Any, captions: Sequence[str], *, column_captions: Sequence[str] | None = None, seed: int = 0
) -> OrderCheck:
    """Check order and orientation of a similarity matrix against captions, without ground truth.

    Args:
        similarity: [captions, videos]; array or memory map, -inf where not scored.
        captions: Text of every row.
        column_captions: Text of every column, for example all captions of the video joined; None = ``captions`` where
            there are as many columns as captions, else columns are not checked.
        seed: Seed of the permutations.

    Raises:
        DataError: Not one caption per row, or per column. A matrix of other shape that fits when turned says so.
    """
    matrix = check_similarity(similarity)
    if len(captions) != matrix.shape[0]:
        turned = len(captions) == matrix.shape[1]
        raise DataError(
            f"The similarity has {matrix.shape[0]} rows for {len(captions)} captions.",
            "It looks transposed: rows must be captions." if turned else "Give one caption per row.",
        )
    if column_captions is None and matrix.shape[0] == matrix.shape[1]:
        column_captions = captions
    if column_captions is not None and len(column_captions) != matrix.shape[1]:
        raise DataError(
            f"The similarity has {matrix.shape[1]} columns for {len(column_captions)} column captions.",
            "Give one text per column.",
        )
    row_pairs = similar_pairs(captions)
    rows = look_at_axis(matrix, row_pairs, seed)
    columns, turned_z = None, 0.0
    square = matrix.shape[0] == matrix.shape[1]
    if column_captions is not None:
        same = list(column_captions) == list(captions)
        columns = look_at_axis(matrix.T, row_pairs if same else similar_pairs(column_captions), seed)
        turned_z = compare_axes(columns, rows) if same else 0.0
    return _conclude(rows, columns, turned_z, square)


def _follows(axis: Axis) -> bool:
    """Whether similar captions stand out on this axis beyond chance."""
    if axis.equal_identical:
        return True
    return axis.n_pairs > 0 and axis.auc >= FOLLOWS_AUC and axis.z >= FOLLOWS_Z


def _strays(axis: Axis) -> bool:
    """Whether this axis shows clearly no more than chance where order would have shown."""
    enough = axis.n_pairs > 0 and axis.structured and not axis.equal_identical and axis.best > REACH
    return enough and axis.auc + MARGIN_Z * axis.error < REACH and axis.z < FOLLOWS_Z


def _turned(rows: Axis, columns: Axis, turned_z: float) -> bool:
    """Whether the columns behave as captions do and the rows as videos do."""
    if rows.equal_identical:
        return False
    if columns.equal_identical:
        return True
    better = turned_z >= TURNED_Z and columns.auc - rows.auc >= TURNED_AUC
    return better and columns.auc >= SOLID_AUC and _follows(rows)


def _conclude(rows: Axis, columns: Axis | None, turned_z: float, square: bool) -> OrderCheck:
    evidence: dict[str, Any] = {"rows": rows.numbers(), "wrong": []}
    said = f"rows {rows.describe()}"
    if columns is not None:
        evidence |= {"columns": columns.numbers(), "columns_above_rows_z": round(turned_z, 2)}
        said += f"; columns {columns.describe()}"
    if columns is not None and square and _turned(rows, columns, turned_z):
        also = [] if _follows(rows) or not _strays(rows) else ["rows"]
        other = ", and its rows are in another order" if also else ""
        return OrderCheck(
            "contradicted",
            f"The matrix looks transposed: columns behave as captions do and rows as videos do{other} ({said}).",
            evidence | {"wrong": ["transposed", *also]},
        )
    stray = [name for name, axis in (("rows", rows), ("columns", columns)) if axis is not None and _strays(axis)]
    if stray:
        which = {1: f"The {stray[0]} are", 2: "Rows and columns are both"}[len(stray)]
        return OrderCheck(
            "contradicted",
            f"{which} in another order than these captions ({said}).",
            evidence | {"wrong": stray},
        )
    if _follows(rows) and columns is not None and _follows(columns):
        if rows.equal_identical or turned_z <= -ORIENTED_Z or not square:
            return OrderCheck("checked", f"Rows and columns follow these captions ({said}).", evidence)
        return OrderCheck(
            "unverified",
            f"Rows and columns follow these captions, but too few tell which of the two are the captions ({said}).",
            evidence,
        )
    open_axes = [name for name, axis in (("rows", rows), ("columns", columns)) if axis is None or not _follows(axis)]
    what = " and ".join(open_axes)
    if columns is None:
        said += "; no text per column to compare with"
    return OrderCheck("unverified", f"The order of the {what} could not be verified ({said}).", evidence)
