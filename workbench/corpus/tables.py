"""The tables of a corpus: their columns, and the check that names table, row and column of what breaks a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.core.lookup import nearest


@dataclass(frozen=True)
class Column:
    """One column: its kind (text, number, whole, list), whether it may be null, and what it may hold."""

    kind: str = "text"
    null: bool = True
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Table:
    """One table: its columns, the columns that together are unique, and the columns that name rows of other tables."""

    columns: Mapping[str, Column]
    unique: tuple[str, ...] = ()
    names: Mapping[str, str] | None = None
    """column -> "table.column" that must hold its value."""
    required: bool = False


KEY, TEXT, SECONDS = Column(null=False), Column(), Column("number", low=0.0)
WHOLE, SHARE = Column("whole", low=0), Column("number", low=0.0, high=1.0)
CORNERS = {f"{axis}{i}": Column("number", null=False) for i in range(1, 5) for axis in ("x", "y")}

TABLES: dict[str, Table] = {
    "videos": Table(
        {
            "video_id": KEY, "domain": TEXT, "collection": TEXT, "source_id": TEXT, "split": KEY, "duration_s": SECONDS,
            "status": Column(null=False, values=("ok", "missing", "broken", "not_kept")), "reason": TEXT,
        },
        unique=("video_id",), required=True,
    ),
    "captions": Table(
        {
            "caption_id": KEY, "video_id": KEY, "text": KEY, "language": TEXT,
            "role": Column(null=False, values=("original", "translation", "back_translation")), "pair_id": TEXT,
            "split": KEY, "query_type": TEXT,
        },
        unique=("caption_id",), names={"video_id": "videos.video_id"}, required=True,
    ),
    "relevance": Table(
        {
            "caption_id": KEY, "video_id": KEY, "start_s": SECONDS, "end_s": SECONDS,
            "grade": Column("whole", null=False, low=0, high=127), "annotator": TEXT,
        },
        names={"video_id": "videos.video_id", "caption_id": "captions.caption_id"}, required=True,
    ),
    "renditions": Table(
        {
            "video_id": KEY, "rendition": Column(null=False, values=("original", "small", "proxy")), "path": KEY,
            "start_s": SECONDS, "end_s": SECONDS, "width": WHOLE, "height": WHOLE,
            "rotation": Column("whole"), "fps": Column("number", low=0.0), "n_frames": WHOLE, "codec": TEXT,
            "n_bytes": WHOLE, "mtime": Column("number"), "sha256": TEXT,
        },
        unique=("video_id", "rendition"), names={"video_id": "videos.video_id"},
    ),
    "texts": Table(
        {
            "text_id": KEY, "video_id": KEY, "kind": Column(null=False, values=("ocr", "subtitle", "asr")),
            "engine": KEY, "text": KEY, "language": TEXT, "score": SHARE, "start_s": SECONDS, "end_s": SECONDS,
            "first_frame": WHOLE,
            "last_frame": WHOLE, "n_boxes": WHOLE,
        },
        unique=("text_id",), names={"video_id": "videos.video_id"},
    ),
    "text_coverage": Table(
        {
            "video_id": KEY, "engine": KEY, "state": Column(null=False, values=("read", "empty", "failed", "absent")),
            "reason": TEXT, "rendition": TEXT, "width": WHOLE, "height": WHOLE, "n_frames": WHOLE,
            "fps": Column("number", low=0.0), "frames_read": Column("list"), "engine_version": TEXT,
            "settings_hash": TEXT,
        },
        unique=("video_id", "engine"), names={"video_id": "videos.video_id"},
    ),
    "boxes": Table(
        {
            "text_id": KEY, "frame": Column("whole", null=False, low=0), "time_s": Column("number", null=False),
            **CORNERS,
        },
        unique=("text_id", "frame"),
    ),
}  # fmt: skip

DTYPES = {"text": "str", "number": "float64", "whole": "Int64", "list": "object"}


def empty(name: str) -> pd.DataFrame:
    """A table without rows, with the right columns and types."""
    return _empty(name).copy()


@lru_cache
def _empty(name: str) -> pd.DataFrame:
    """``empty``, made once: thousands of videos may have no boxes."""
    return pd.DataFrame({column: pd.Series(dtype=DTYPES[rule.kind]) for column, rule in TABLES[name].columns.items()})


def complete(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The table with all columns in their order and types; optional columns that are absent become null.

    Raises:
        DataError: An unknown column, a required one that is absent, or values of another kind.
    """
    rules = TABLES[name].columns
    unknown = [column for column in frame.columns if column not in rules]
    if unknown:
        raise DataError(f"Table {name} has an unknown column {unknown[0]!r}.", nearest(str(unknown[0]), rules))
    absent = [column for column, rule in rules.items() if column not in frame.columns and not rule.null]
    if absent:
        raise DataError(f"Table {name} lacks the column {absent[0]!r}.", "Add it; it may not be empty.")
    columns = {}
    for column, rule in rules.items():
        values = frame[column] if column in frame.columns else pd.Series([None] * len(frame), dtype=object)
        columns[column] = _typed(name, column, rule, values.reset_index(drop=True))
    return pd.DataFrame(columns)


def _typed(table: str, column: str, rule: Column, values: pd.Series) -> pd.Series:
    if rule.kind == "list":
        return values.astype(object)
    if rule.kind == "text":
        wrong = values.notna() & ~np.asarray([isinstance(value, str) for value in values], bool)
        if wrong.any():
            raise _error(table, column, int(np.flatnonzero(wrong)[0]), values[wrong].iloc[0], "it must be text")
        return values.astype("str")
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = values.notna() & numbers.isna()
    if wrong.any():
        raise _error(table, column, int(np.flatnonzero(wrong)[0]), values[wrong].iloc[0], "it must be a number")
    if rule.kind == "whole":
        wrong = numbers.notna() & (numbers.astype(float) % 1 != 0)
        if wrong.any():
            raise _error(table, column, int(np.flatnonzero(wrong)[0]), values[wrong].iloc[0], "it must be whole")
        return numbers.astype("Int64")
    return numbers.astype("float64")


def _error(table: str, column: str, row: int, value: object, rule: str) -> DataError:
    value = value.item() if isinstance(value, np.generic) else value
    return DataError(f"Table {table}, row {row}, column {column}: {value!r}; {rule}.", "Correct it and prepare again.")


def validate(name: str, frame: pd.DataFrame, others: Mapping[str, pd.DataFrame] | None = None) -> pd.DataFrame:
    """Check a table against its rules and return it completed.

    Args:
        name: The table's name, e.g. ``"captions"``.
        frame: Its rows.
        others: The tables that its ids name.

    Raises:
        DataError: The first rule that is broken, with table, row, column and value.
        UnknownNameError: No table has that name.
    """
    from workbench.core.lookup import pick

    table = pick(TABLES, name, "table")
    frame = complete(name, frame)
    for column, rule in table.columns.items():
        _check_column(name, column, rule, frame[column])
    if table.unique and (repeated := frame.duplicated(list(table.unique))).any():
        row = int(np.flatnonzero(repeated)[0])
        value = ", ".join(str(frame[column].iloc[row]) for column in table.unique)
        raise _error(name, " + ".join(table.unique), row, value, "it stands twice, and must be unique")
    for column, target in (table.names or {}).items():
        other, key = target.split(".")
        if others and other in others and (lost := ~frame[column].isin(others[other][key])).any():
            row = int(np.flatnonzero(lost)[0])
            raise _error(name, column, row, frame[column].iloc[row], f"no row of {other} has this {key}")
    return frame


def _check_column(table: str, column: str, rule: Column, values: pd.Series) -> None:
    wrong: pd.Series | np.ndarray = np.zeros(len(values), bool)
    why = ""
    if not rule.null and (values.isna() | (values.eq("") if rule.kind == "text" else False)).any():
        wrong, why = values.isna() | (values.eq("") if rule.kind == "text" else False), "it may not be empty"
    elif rule.values and (bad := values.notna() & ~values.isin(rule.values)).any():
        wrong, why = bad, f"it must be one of {', '.join(rule.values)}"
    elif rule.kind in ("number", "whole"):
        numbers = values.astype("float64")
        if np.isinf(numbers).any():
            wrong, why = np.isinf(numbers), "it must be finite"
        elif rule.low is not None and (numbers < rule.low).any():
            wrong, why = numbers < rule.low, f"it must be at least {rule.low:g}"
        elif rule.high is not None and (numbers > rule.high).any():
            wrong, why = numbers > rule.high, f"it must be at most {rule.high:g}"
    if why:
        row = int(np.flatnonzero(wrong)[0])
        raise _error(table, column, row, values.iloc[row], why)
