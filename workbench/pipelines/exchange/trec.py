"""TREC runs and judgements: lines of values between blanks, as ``trec_eval`` reads them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.core.errors import DataError
from workbench.core.files import atomic
from workbench.corpus import Corpus, relevance_csr
from workbench.evaluation.runs.run import Run
from workbench.pipelines.exchange.lists import Imported, ranked_lists, spread

UNFIT = re.compile(r"[\s\x00-\x1f\x7f]")
RUN, QRELS = ("query Q0 document rank score tag", 4), ("query iteration document grade", 3)


def write_trec(run: Run, path: Path, top: int = 1000) -> str:
    """Write the best videos of every caption: ``caption_id Q0 video_id rank score name``.

    Scores have nine digits, which give back the same float32. ``trec_eval`` breaks ties by id, not by our order.

    Raises:
        DataError: An id holds a blank, which the format has no way to write.
    """
    lists = ranked_lists(run, top)
    _refuse_blanks(lists["caption_id"].unique(), lists["video_id"].unique())
    columns = (lists[name].to_list() for name in ("caption_id", "video_id", "rank", "score"))
    lines = (f"{q} Q0 {d} {rank} {score:.9g} {run.name}\n" for q, d, rank, score in zip(*columns, strict=True))
    _write(path, lines)
    return f"{len(lists):,} lines, at most {top or len(run.gallery):,} videos of each caption"


def write_qrels(run: Run, path: Path) -> str:
    """Write what is right: ``caption_id 0 video_id grade``; spans of a pair count once, with their best grade."""
    pairs = run.relevance_matrix.tocoo()
    captions, videos = run.queries["caption_id"].to_list(), run.gallery["video_id"].to_list()
    _refuse_blanks(captions, videos)
    rows, columns = (axis.tolist() for axis in pairs.coords)
    _write(path, (f"{captions[i]} 0 {videos[j]} {g}\n" for i, j, g in zip(rows, columns, pairs.data, strict=True)))
    return f"{pairs.nnz:,} judged pairs"


def read_trec(path: Path, corpus: Corpus) -> Imported:
    """A TREC run as scores of the corpus' captions and videos; ranks are not looked at, as in ``trec_eval``.

    Raises:
        DataError: A line has not six values, a score is no number, an id is unknown, or a pair stands twice.
    """
    return spread(read_trec_lists(path), corpus, path.name)


def read_trec_lists(path: Path) -> pd.DataFrame:
    """The lines of a TREC run: caption_id, video_id, score.

    Raises:
        DataError: A line has not six values, or a score is no number.
    """
    captions, videos, scores = _read(path, 6, *RUN)
    return pd.DataFrame({"caption_id": captions, "video_id": videos, "score": scores})


def read_qrels(path: Path) -> pd.DataFrame:
    """Judgements: caption_id, video_id, grade (int8; those below 0, which some tracks use for junk, are 0).

    Raises:
        DataError: A line has not four values, a grade is not whole or above 127, or a pair stands twice.
    """
    captions, videos, grades = _read(path, 4, *QRELS)
    table = pd.DataFrame({"caption_id": captions, "video_id": videos, "grade": grades})
    whole = (grades % 1 == 0) & (grades <= 127)
    for wrong, rule in (
        (~whole, "has no whole grade up to 127"),
        (table.duplicated(["caption_id", "video_id"]), "stands twice"),
    ):
        if wrong.any():
            row = table.iloc[int(np.asarray(wrong).argmax())]
            raise DataError(f"{path}: {row.caption_id!r}, {row.video_id!r} {rule}.", "Correct it.")
    return table.assign(grade=np.maximum(grades, 0).astype(np.int8))


def judged(run: Run, path: Path) -> sp.csr_array:
    """int8 grades [captions, videos] of a run by a file of judgements; those of other ids are left out.

    Raises:
        DataError: No judgement is about a caption and a video of the run.
    """
    table = read_qrels(path)
    grades = relevance_csr(table, run.queries["caption_id"], run.gallery["video_id"])
    if not grades.nnz:
        theirs = f"{table['caption_id'].iloc[0]!r} and {table['video_id'].iloc[0]!r}"
        ours = f"{run.queries['caption_id'].iloc[0]!r} and {run.gallery['video_id'].iloc[0]!r}"
        raise DataError(
            f"{path} judges no caption and video of run {run.name}; its ids look like {theirs}.",
            f"The run's look like {ours}.",
        )
    return grades


def _read(path: Path, n_values: int, layout: str, place: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Queries, documents and the number at ``place`` of every line; names are kept once."""
    names: tuple[dict[bytes, int], dict[bytes, int]] = ({}, {})
    codes, numbers = (array("q"), array("q")), array("d")
    try:
        with open(path, "rb") as stream:
            for number, line in enumerate(stream, 1):
                cells = line.split()
                if not cells:
                    continue
                if len(cells) != n_values:
                    raise DataError(f"{path}, line {number}: {len(cells)} values.", f"A line is: {layout}.")
                for known, code, cell in zip(names, codes, (cells[0], cells[2]), strict=True):
                    code.append(known.setdefault(cell, len(known)))
                numbers.append(_number(cells[place], path, number))
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist.", "Check the path.") from error
    if not numbers:
        raise DataError(f"{path} is empty.", "Save it again.")
    found = [
        np.asarray(_decoded(known, path), object)[np.asarray(code)] for known, code in zip(names, codes, strict=True)
    ]
    return found[0], found[1], np.asarray(numbers)


def _number(cell: bytes, path: Path, line: int) -> float:
    try:
        return float(cell)
    except ValueError as error:
        text = cell.decode("utf-8", "replace")
        raise DataError(f"{path}, line {line}: {text!r} is not a number.", "Correct it.") from error


def _decoded(names: Iterable[bytes], path: Path) -> list[str]:
    try:
        return [name.decode("utf-8") for name in names]
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from error


def _refuse_blanks(*ids: Iterable[str]) -> None:
    unfit = next((name for names in ids for name in names if not name or UNFIT.search(name)), None)
    if unfit is not None:
        raise DataError(
            f"The id {unfit!r} holds a blank; TREC files separate by blanks.", "Use --format parquet or matrix."
        )


def _write(path: Path, lines: Iterable[str]) -> None:
    with atomic(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(lines)
