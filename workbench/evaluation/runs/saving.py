"""Write a run: its similarity, the tables that make it complete without its corpus, its metrics."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, ExistsError
from workbench.core.files import building, read_json, write_json, write_table
from workbench.core.locks import lock
from workbench.core.workspace import check_name, workspace
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation.metrics.retrieval import RetrievalMetrics, retrieval_metrics
from workbench.evaluation.runs.info import OWN, check_info, describe
from workbench.evaluation.runs.run import Run
from workbench.evaluation.runs.tables import metrics_with_intervals, per_query_table, run_axes

ROWS_PER_BLOCK = 1024


def save_run(
    similarity: np.ndarray | Mapping[str, RetrievalMetrics],
    *,
    corpus: Corpus | str,
    name: str,
    split: str | None = None,
    modalities: Mapping[str, np.ndarray] | None = None,
    inputs: pd.DataFrame | None = None,
    missing: Mapping[str, str] | None = None,
    protocol: Mapping[str, Any] | None = None,
    order: Mapping[str, Any] | None = None,
    totals_only: bool = False,
    overwrite: bool = False,
    **info: Any,
) -> Run:
    """Store a similarity matrix as a run: at the end of one's own loop, or from ``import_run``.

    Rows must be the captions and columns the videos of the corpus' split, in the corpus' order; the caller vouches
    for it (``order``), ``import_run`` checks it.

    Args:
        similarity: [captions, videos], any float type, higher is better; stored as float32 with its sign and scale.
            Or the metrics of both directions, as ``stream_metrics`` gives them, of a matrix too large to be held: the
            run then keeps no ``similarity.npy``.
        corpus: An open corpus or its name.
        name: The run's name.
        split: The split; None = the one the corpus was opened with, else its default split.
        modalities: The similarities that were fused into it, same shape, by modality.
        inputs: What the model saw per video (``inputs.parquet`` of the design).
        missing: Reason by video id for videos that were not scored; their columns must be all -inf, or absent.
        protocol: What differs from raw scoring; see ``design.md`` 4.2.
        order: ``{"how", "evidence"}``; None = declared by the caller.
        totals_only: Rows and columns cannot be tied to captions: only totals are stored, ids are made up.
        overwrite: Move an existing run of that name to ``runs/.trash/``.
        **info: More entries of ``run.json``: notes, group, model, recipe, seed, parent, ablation, fusion, ...

    Returns:
        The stored run, with its metrics.

    Raises:
        DataError: Wrong shape, NaN or +inf, a name that cannot be used, an entry that the run itself writes.
        ExistsError: A run of that name exists.
        BusyError: Another process writes it.
    """
    check_info(info)
    space = workspace()
    folder = space.runs / check_name(name, "run")
    corpus = open_split(corpus, split)
    if folder.exists() and not overwrite:
        raise ExistsError(f"A run called {name!r} exists already.", "Choose another name, or add --overwrite.")
    content = _Content(similarity, corpus, modalities or {}, inputs, missing or {}, protocol, order, totals_only)
    with lock(space.runs / f".{name}.lock", f"Run {name}"):
        with building(folder, overwrite=overwrite, trash=space.runs / ".trash") as temporary:
            _write(temporary, name, content, info)
    return Run(folder)


def start_run(name: str, corpus: Corpus, *, overwrite: bool = False, **info: Any) -> Path:
    """Make the folder of a run that is being made: listed as running until ``complete_run`` or ``fail_run``.

    Args:
        name: The run's name.
        corpus: Restricted to the split that will be reported.
        overwrite: Move an existing run of that name to the trash.
        **info: Entries of ``run.json`` that are known already; the finished run keeps them.

    Raises:
        DataError: An entry that the run itself writes.
        ExistsError: A run of that name exists.
    """
    check_info(info)
    space = workspace()
    folder = space.runs / check_name(name, "run")
    with building(folder, overwrite=overwrite, trash=space.runs / ".trash") as temporary:
        described = describe(name, corpus, None, None, False, "caption", info)
        write_json(temporary / "run.json", {**described, "state": "running"})
    return folder


def fail_run(folder: Path, reason: str) -> None:
    """Say that a running run will not be finished, and why."""
    info = read_json(folder / "run.json", f"the description of run {folder.name}")
    write_json(folder / "run.json", {**info, "state": "failed", "notes": reason})


def complete_run(
    folder: Path,
    similarity: np.ndarray | Mapping[str, RetrievalMetrics],
    *,
    corpus: Corpus,
    modalities: Mapping[str, np.ndarray] | None = None,
    inputs: pd.DataFrame | None = None,
    missing: Mapping[str, str] | None = None,
    protocol: Mapping[str, Any] | None = None,
    order: Mapping[str, Any] | None = None,
    **info: Any,
) -> Run:
    """Finish a run that ``start_run`` began: its description is written last, so that finished means whole.

    Entries of ``run.json`` that stand there already are kept; ``info`` adds more, and replaces them.

    Raises:
        DataError: As for ``save_run``.
    """
    check_info(info)
    known = read_json(folder / "run.json", f"the description of run {folder.name}")
    kept = {key: value for key, value in known.items() if key not in OWN}
    content = _Content(similarity, corpus, modalities or {}, inputs, missing or {}, protocol, order, False)
    _write(folder, known["name"], content, {**kept, **info, "began": known["created"]})
    return Run(folder)


@dataclass(frozen=True)
class _Content:
    similarity: np.ndarray | Mapping[str, RetrievalMetrics]
    corpus: Corpus
    modalities: Mapping[str, np.ndarray]
    inputs: pd.DataFrame | None
    missing: Mapping[str, str]
    protocol: Mapping[str, Any] | None
    order: Mapping[str, Any] | None
    totals_only: bool


def _write(folder: Path, name: str, content: _Content, info: Mapping[str, Any]) -> None:
    corpus, totals_only = content.corpus, content.totals_only
    both = _counted(content) if isinstance(content.similarity, Mapping) else _with_matrix(folder, content)
    axes = run_axes(corpus, content.missing, totals_only)
    for table, frame in vars(axes).items():
        write_table(folder / f"{table}.parquet", frame)
    if content.inputs is not None:
        write_table(folder / "inputs.parquet", content.inputs)
    write_table(folder / "per_query.parquet", per_query_table(both, axes, _of_modalities(content)))
    write_json(folder / "metrics.json", metrics_with_intervals(both, axes, totals_only))
    described = describe(name, corpus, content.protocol, content.order, totals_only, both["v2t"].v2t_level, info)
    write_json(folder / "run.json", described)


def _with_matrix(folder: Path, content: _Content) -> Mapping[str, RetrievalMetrics]:
    """Write the matrix and those of its modalities; returns the metrics of both directions."""
    corpus = content.corpus
    similarity = _with_missing_columns(np.asarray(content.similarity), corpus, content.missing)
    _check_shape(similarity.shape, corpus)
    if similarity.dtype.itemsize > 4:
        similarity = similarity.astype(np.float32)  # counted as it is stored
    relevance = None if content.totals_only else corpus.relevance_matrix()
    both = retrieval_metrics(similarity, relevance, direction="both")
    _write_matrix(folder / "similarity.npy", similarity)
    for modality, matrix in content.modalities.items():
        if np.shape(matrix) != similarity.shape:
            raise DataError(
                f"Modality {modality!r} is {np.shape(matrix)}, the similarity is {similarity.shape}.",
                "Give every modality the shape of the similarity.",
            )
        (folder / "modalities").mkdir(exist_ok=True)
        _write_matrix(folder / "modalities" / f"{check_name(modality, 'modality')}.npy", np.asarray(matrix))
    return both


def _of_modalities(content: _Content) -> Mapping[str, Mapping[str, RetrievalMetrics]]:
    """Metrics of every modality as it is stored, by direction."""
    relevance = None if content.totals_only else content.corpus.relevance_matrix()
    found = {}
    for modality, matrix in content.modalities.items():
        try:
            found[modality] = retrieval_metrics(np.asarray(matrix, np.float32), relevance, direction="both")
        except DataError as error:
            raise DataError(f"Modality {modality!r}: {error.message}", error.remedy) from error
    return found


def _counted(content: _Content) -> Mapping[str, RetrievalMetrics]:
    """The metrics of scores that were counted and not kept."""
    both = content.similarity
    if not isinstance(both, Mapping) or set(both) != {"t2v", "v2t"}:
        raise DataError("Metrics of one direction make no run.", "Give those of t2v and v2t, as stream_metrics does.")
    if content.modalities:
        raise DataError("Modalities need the matrix they add up to.", "Give the similarity, or no modalities.")
    _check_shape((both["t2v"].n_queries, both["t2v"].n_items), content.corpus)
    return both


def open_split(corpus: Corpus | str, split: str | None = None) -> Corpus:
    """The corpus restricted to one split: the asked one, else the one it was opened with, else its default."""
    if isinstance(corpus, str | os.PathLike):
        corpus = open_corpus(corpus)
    wanted = split or corpus.split or corpus.meta.get("default_split") or corpus.splits[-1]
    return corpus if corpus.split == wanted else corpus.with_split(wanted)


def _check_shape(shape: tuple[int, ...], corpus: Corpus) -> None:
    expected = (len(corpus.captions), len(corpus.videos))
    if shape == expected:
        return
    found = " x ".join(map(str, shape))
    hint = ""
    if shape == expected[::-1]:
        hint = "It looks transposed: rows must be captions (add --transpose)."
    raise DataError(
        f"The matrix is {found}; {corpus.name}/{corpus.split} has {expected[0]} captions x {expected[1]} videos.",
        hint or "Choose the split it was made on (--split), or say which videos are missing (--missing FILE).",
    )


def _with_missing_columns(similarity: np.ndarray, corpus: Corpus, missing: Mapping[str, str]) -> np.ndarray:
    """The matrix with a column of -inf for each missing video, when it was made without those columns."""
    if not missing:
        return similarity
    ids = corpus.videos["video_id"]
    unknown = sorted(set(missing) - set(ids))
    if unknown:
        raise DataError(
            f"{len(unknown)} missing videos are not in {corpus.name}/{corpus.split}, the first is {unknown[0]!r}.",
            "List video ids of this split, one a line.",
        )
    absent = ids.isin(list(missing)).to_numpy()
    if similarity.ndim == 2 and similarity.shape[1] == int((~absent).sum()):
        full = np.full((len(similarity), len(ids)), -np.inf, np.float32)
        full[:, ~absent] = similarity
        return full
    if similarity.ndim == 2 and similarity.shape[1] == len(ids):
        full = np.array(similarity, np.float32)
        full[:, absent] = -np.inf
        return full
    return similarity


def _write_matrix(path: Path, matrix: np.ndarray) -> None:
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=matrix.shape)
    for start in range(0, len(matrix), ROWS_PER_BLOCK):
        out[start : start + ROWS_PER_BLOCK] = matrix[start : start + ROWS_PER_BLOCK]
    out.flush()
