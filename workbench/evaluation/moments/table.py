"""The table of moments that a run may hold: which spans of which videos answer a caption, best first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.files import touch, write_table
from workbench.core.lookup import nearest
from workbench.evaluation.runs.run import Run

TASKS = ("vcmr", "svmr", "vr")  # moment in the corpus, moment in the right video, video
COLUMNS = ("task", "caption_id", "rank", "video_id", "start_s", "end_s", "score")
FILE = "moments.parquet"


def check_moments(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its columns in order and type, sorted by task, caption (as first met in it) and rank.

    Args:
        table: One row per predicted moment: task (vcmr, svmr or vr), caption_id, rank (from 1), video_id, start_s and
            end_s in seconds (absent for vr), score (may be absent; higher is better). A span may be reversed, as some
            models answer so; it overlaps nothing.

    Raises:
        DataError: A column is missing or unknown, a value breaks its rule, or a rank stands twice.
    """
    unknown = [str(name) for name in table.columns if name not in COLUMNS]
    if unknown:
        raise DataError(f"Moments have an unknown column {unknown[0]!r}.", nearest(unknown[0], COLUMNS))
    for name in ("task", "caption_id", "rank", "video_id"):
        if name not in table.columns:
            raise DataError(f"Moments have no column {name!r}.", f"Give {', '.join(COLUMNS)}.")
        _refuse(table, table[name].isna(), name, "it may not be empty")
    _refuse(table, ~table["task"].isin(TASKS), "task", f"it must be one of {', '.join(TASKS)}")
    clean = {name: _text(table[name]) for name in ("task", "caption_id", "video_id")}
    numbers = {name: _numbers(table, name) for name in ("rank", "start_s", "end_s", "score")}
    rank = numbers["rank"]
    _refuse(table, ~((rank >= 1) & (rank % 1 == 0) & (rank < 2**31)), "rank", "ranks are whole and start at 1")
    spans = (clean["task"] != "vr").to_numpy()
    for name in ("start_s", "end_s"):
        _refuse(table, spans & ~np.isfinite(numbers[name]), name, "it must be a number of seconds")
        _refuse(table, ~spans & np.isinf(numbers[name]), name, "it must be finite")
    _refuse(table, np.isinf(numbers["score"]), "score", "it must be finite")
    result = pd.DataFrame({**clean, **numbers, "rank": rank.astype(np.int32)})[list(COLUMNS)]
    codes, tasks = pd.factorize(result["task"])
    task = np.asarray([TASKS.index(name) for name in tasks], np.int64)[codes]
    caption = pd.factorize(task * np.int64(len(result)) + pd.factorize(result["caption_id"])[0])[0]
    order = np.lexsort((rank, caption, task))
    same = np.diff(task[order]) == 0
    same &= (np.diff(caption[order]) == 0) & (np.diff(rank[order]) == 0)
    if same.any():
        row = int(order[int(same.argmax()) + 1])
        raise _error(table, row, "rank", "this rank of this caption stands twice")
    return result.iloc[order].reset_index(drop=True)


def _text(values: pd.Series) -> pd.Series:
    """As text; each distinct value is turned into it once."""
    codes, distinct = pd.factorize(values)
    return pd.Series([str(one) for one in distinct], dtype="str").take(codes).reset_index(drop=True)


def _numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    if name not in table.columns:
        return np.full(len(table), np.nan)
    numbers = pd.to_numeric(table[name], errors="coerce")
    _refuse(table, numbers.isna() & table[name].notna(), name, "it must be a number")
    return numbers.to_numpy(np.float64, na_value=np.nan)


def _refuse(table: pd.DataFrame, wrong: pd.Series | np.ndarray, column: str, rule: str) -> None:
    wrong = np.asarray(wrong, bool)
    if wrong.any():
        raise _error(table, int(wrong.argmax()), column, rule)


def _error(table: pd.DataFrame, row: int, column: str, rule: str) -> DataError:
    value = table[column].iloc[row]
    value = value.item() if isinstance(value, np.generic) else value
    return DataError(f"Moments, row {row}, column {column}: {value!r}; {rule}.", "Correct it.")


def save_moments(run: Run, moments: pd.DataFrame) -> None:
    """Store moments beside a run, after checking them; those stored before are replaced.

    Raises:
        DataError: A rule is broken, or a caption or video is not one of the run's.
    """
    checked = check_moments(moments)
    for column, known in (("caption_id", run.queries), ("video_id", run.gallery)):
        lost = ~checked[column].isin(known[column])
        if lost.any():
            name = checked[column].iloc[int(lost.argmax())]
            raise DataError(
                f"Moments name the {column.removesuffix('_id')} {name!r}, which is not in run {run.name}.",
                "Give moments of the same corpus and split.",
            )
    write_table(run.path / FILE, checked)
    vars(run).pop("moments", None)  # read it again
    touch(run.path)


def read_moments(run: Run) -> pd.DataFrame:
    """The moments of a run.

    Raises:
        StateError: It has none.
    """
    if run.moments is None:
        raise StateError(
            f"Run {run.name} holds no moments.",
            "Bring some with: workbench import predictions.json --format tvr --corpus NAME --name NAME",
        )
    return check_moments(run.moments)
