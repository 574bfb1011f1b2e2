"""Foreign scores into a run: read, put into the corpus' order, check it against the captions, store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError, OrderError
from workbench.corpus import Corpus
from workbench.evaluation.moments.table import save_moments
from workbench.evaluation.order.check import OrderCheck, check_order
from workbench.evaluation.order.named import named_orders
from workbench.evaluation.runs.run import Run
from workbench.evaluation.runs.saving import open_split, save_run
from workbench.pipelines.exchange import Imported, find_importer
from workbench.pipelines.ids import positions_of
from workbench.pipelines.matrices import (
    Matrix,
    read_ids,
    read_masks,
    read_matrix,
    read_reasons,
    without_padding,
)

TWO_WAYS = (
    "Say the order with --row-ids FILE and --col-ids FILE (one id a line), or keep totals only with --totals-only "
    "(metrics over all queries, no per-caption page)."
)


@dataclass(frozen=True)
class _Ordered:
    """A matrix in the corpus' order, with how that is known."""

    values: np.ndarray
    how: str
    evidence: str


def import_run(
    source: Any,
    *,
    corpus: Corpus | str,
    name: str,
    split: str | None = None,
    row_ids: Sequence[str] | str | Path | None = None,
    col_ids: Sequence[str] | str | Path | None = None,
    missing: Mapping[str, str] | str | Path | None = None,
    masks: np.ndarray | str | Path | None = None,
    transpose: bool = False,
    totals_only: bool = False,
    format: str | None = None,
    overwrite: bool = False,
    protocol: Mapping[str, Any] | None = None,
    **info: Any,
) -> Run:
    """Make a run of somebody's scores, after checking that its rows and columns are the captions and videos they claim.

    Ids come first: those given, those in the file, or TextVR's ``ids_<split>.csv`` beside ``txt_embeds_<split>.npy``
    and ``vid_embeds_<split>.npy``. Then the order is checked against the captions (``check_order``, no ground truth
    used); where that contradicts, the corpus' named orders (aligned, scrambled, by path, by name) are tried.

    Args:
        source: A path (npy, npz, pt, pkl, csv, tsv, also gzipped; a TREC run, a long Parquet table, TVR predictions, a
            CodaLab submission), array, tensor, or a pair (text, video) of embeddings.
        corpus: An open corpus or its name.
        name: The run's name.
        split: The split; None = the corpus' own or default one.
        row_ids: Ids of the rows: caption ids, or video ids where every video has one caption; a list or a file.
        col_ids: Ids of the columns: video ids, or unique file names of them; a list or a file.
        missing: Videos that were not scored: reason by video id, or a file of ``video_id[TAB reason]`` lines.
        masks: Which rows hold a caption, [videos, rows of a video] of 0 and 1 or such a file, where every video has the
            same number of rows (Collaborative Experts, QB-Norm); None = those in the file (``query_masks``), or all.
        transpose: The file has videos as rows.
        totals_only: Keep the totals of a square matrix whose diagonal is right but whose order is unknown.
        format: A name of ``exchange.IMPORTERS``; None = by the suffix of the file.
        overwrite: Move an existing run of that name to the trash.
        protocol: What differs from raw scoring; see ``design.md`` 4.2.
        **info: More entries of run.json (notes, model, group, ...).

    Returns:
        The stored run.

    Raises:
        OrderError: The order contradicts the captions and no named order fits.
        DataError: Unreadable file, wrong shape, unknown or repeated ids, NaN or +inf.
    """
    corpus = open_split(corpus, split)
    found = _read(source, corpus, format)
    if masks is not None:
        given = read_masks(Path(masks)) if isinstance(masks, str | Path) else np.asarray(masks)
        found = replace(found, matrix=replace(found.matrix, masks=given))
    matrix = _upright(found.matrix, corpus, transpose)
    reasons = read_reasons(Path(missing)) if isinstance(missing, str | Path) else dict(missing or {})
    rows, columns = (_id_list(given) for given in (row_ids, col_ids))
    arguments = {
        "missing": reasons,
        "protocol": {"candidates": found.candidates, **(protocol or {})},
        "overwrite": overwrite,
        "source": matrix.origin,
        **info,
    }
    if totals_only:
        ordered = _totals(matrix, corpus)
    else:
        ordered = _in_corpus_order(matrix, corpus, rows or matrix.row_ids, columns or matrix.column_ids, reasons)
    order = {"how": ordered.how, "evidence": ordered.evidence}
    run = save_run(ordered.values, corpus=corpus, name=name, order=order, totals_only=totals_only, **arguments)
    if found.moments is not None:
        save_moments(run, found.moments)
    return run


def _read(source: Any, corpus: Corpus, format: str | None) -> Imported:
    """Read the source: a file by its format, anything else as a matrix."""
    if isinstance(source, str | Path):
        return find_importer(Path(source), format)(Path(source), corpus)
    if format is not None:
        raise DataError("A format is said of an array or of two files.", "It names the format of one file.")
    return Imported(_matrix(source))


def _matrix(source: Any) -> Matrix:
    """A matrix that is not one file; for TextVR's embedding files take the ids that lie beside them."""
    matrix = read_matrix(source)
    if isinstance(source, Sequence) and not isinstance(source, str) and all(isinstance(p, str | Path) for p in source):
        text, video = map(Path, source)
        ids = video.with_name(f"ids_{video.stem.rpartition('_')[2]}.csv")
        if "embeds" in text.stem and "embeds" in video.stem and ids.is_file() and matrix.row_ids is None:
            names = read_ids(ids)
            return Matrix(matrix.values, names, names, f"{matrix.origin}, ids from {ids.name}")
    return matrix


def _upright(matrix: Matrix, corpus: Corpus, transpose: bool) -> Matrix:
    """The matrix with captions as rows, without those that hold none; transposed when asked."""
    if transpose and matrix.values.ndim == 2:
        said = f"{matrix.origin}, transposed"
        matrix = Matrix(matrix.values.T, matrix.column_ids, matrix.row_ids, said, matrix.masks)
    if matrix.values.ndim == 2 and matrix.masks is None:
        return matrix
    videos = corpus.videos["video_id"]
    sizes = corpus.captions.groupby("video_id").size().reindex(videos, fill_value=0)
    grouped = corpus.captions["video_id"].map(dict(zip(videos, range(len(sizes)), strict=True)))
    if not grouped.is_monotonic_increasing:
        raise DataError(
            f"The captions of {corpus.name} are not grouped by video, so padded rows have no stated order.",
            "Import the rows that hold a caption, with --row-ids FILE.",
        )
    return without_padding(matrix, sizes.to_list())


def _id_list(given: Sequence[str] | str | Path | None) -> list[str] | None:
    if given is None:
        return None
    return read_ids(Path(given)) if isinstance(given, str | Path) else list(map(str, given))


def _totals(matrix: Matrix, corpus: Corpus) -> _Ordered:
    shape = matrix.values.shape
    if shape[0] != shape[1] or shape != (len(corpus.captions), len(corpus.videos)):
        raise DataError(
            f"Totals only need a square matrix of {len(corpus.captions)} captions; this one is {shape}.",
            "Import it with --row-ids and --col-ids.",
        )
    check = check_order(matrix.values, corpus.captions["text"].to_list())
    return _Ordered(matrix.values, check.how, f"{check.sentence} Totals only: the diagonal is taken as right.")


def _in_corpus_order(
    matrix: Matrix,
    corpus: Corpus,
    rows: list[str] | None,
    columns: list[str] | None,
    missing: Mapping[str, str],
) -> _Ordered:
    """Put rows and columns into the corpus' order by ids, else as they are, and check against the captions."""
    values = matrix.values
    scored = corpus.videos[~corpus.videos["video_id"].isin(list(missing))] if missing else corpus.videos
    if columns is not None:
        scored = corpus.videos if len(columns) == len(corpus.videos) else scored
        values = _take(values, 1, _positions(columns, scored["video_id"].to_list(), "column"))
    if rows is not None:
        values = _take(values, 0, _positions(rows, _caption_keys(rows, corpus), "row"))
    if values.shape != (len(corpus.captions), len(scored)):
        return _Ordered(values, "unverified", "shape differs")  # save_run names the shapes and the way out
    how = "ids" if rows is not None or columns is not None else "checked"
    check = _check(values, corpus, scored)
    if check.how == "checked":
        return _Ordered(values, how, check.sentence)
    if check.how == "unverified":
        return _Ordered(values, "ids" if how == "ids" else "unverified", check.sentence)
    if how == "checked":
        for order in named_orders(corpus) if len(scored) == len(corpus.videos) else []:
            reordered = order.to_corpus(values)
            if (again := _check(reordered, corpus, scored)).how == "checked":
                return _Ordered(reordered, "checked", f"In the corpus' order {order.name!r}: {again.sentence}")
    raise OrderError(f"{matrix.origin} does not follow the captions of {corpus.name}: {check.sentence}", TWO_WAYS)


def _check(values: np.ndarray, corpus: Corpus, scored: Any) -> OrderCheck:
    texts = corpus.captions.drop_duplicates("video_id").set_index("video_id")["text"]
    of_columns = texts.reindex(scored["video_id"]).fillna("").to_list()
    return check_order(values, corpus.captions["text"].to_list(), column_captions=of_columns)


def _take(values: np.ndarray, axis: int, positions: np.ndarray) -> np.ndarray:
    if values.shape[axis] != len(positions):
        what = "rows" if axis == 0 else "columns"
        raise DataError(
            f"There are {len(positions)} ids for {values.shape[axis]} {what}.",
            "Give one id per row or column, in their order.",
        )
    return np.take(values, np.argsort(positions, kind="stable"), axis=axis)


def _caption_keys(given: list[str], corpus: Corpus) -> list[str]:
    """What row ids may name: caption ids, or the caption's video where every video has one caption."""
    ids, videos = corpus.captions["caption_id"].to_list(), corpus.captions["video_id"].to_list()
    if given[0] not in set(ids) and len(set(videos)) == len(videos):
        return videos
    return ids


def _positions(given: list[str], known: list[str], what: str) -> np.ndarray:
    """Position of each given id among the known ones, each once.

    Raises:
        DataError: An id is unknown or repeated.
    """
    positions = positions_of(given, known, what)
    if len(np.unique(positions)) != len(positions):
        repeated = next(value for value in given if given.count(value) > 1)
        raise DataError(f"{what.capitalize()} id {repeated!r} stands twice.", "Every row and column has its own id.")
    return positions
