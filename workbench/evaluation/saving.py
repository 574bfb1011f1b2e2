"""Write a run: its similarity, the tables that make it complete without its corpus, its metrics."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, ExistsError
from workbench.core.files import building, read_json, write_json, write_table
from workbench.core.locks import lock
from workbench.core.workspace import check_name, workspace
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation.metrics import RetrievalMetrics, hit_values, retrieval_metrics
from workbench.evaluation.runs import FORMAT_VERSION, Run
from workbench.evaluation.statistics import clustered_interval, query_clusters

RAW = {"scoring": "raw", "sees": "nothing", "rerank": None, "candidates": None, "selected_on": None}
ROWS_PER_BLOCK = 1024


@dataclass(frozen=True)
class _Axes:
    """The tables of a run that say what its rows and columns are."""

    queries: pd.DataFrame
    gallery: pd.DataFrame
    relevance: pd.DataFrame


def save_run(
    similarity: np.ndarray,
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
        DataError: Wrong shape, NaN or +inf, a name that cannot be used.
        ExistsError: A run of that name exists.
        BusyError: Another process writes it.
    """
    space = workspace()
    folder = space.runs / check_name(name, "run")
    corpus = open_split(corpus, split)
    if folder.exists() and not overwrite:
        raise ExistsError(f"A run called {name!r} exists already.", "Choose another name, or add --overwrite.")
    content = _Content(
        np.asarray(similarity), corpus, modalities or {}, inputs, missing or {}, protocol, order, totals_only
    )
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
        **info: Entries of ``run.json`` that are known already.

    Raises:
        ExistsError: A run of that name exists.
    """
    space = workspace()
    folder = space.runs / check_name(name, "run")
    with building(folder, overwrite=overwrite, trash=space.runs / ".trash") as temporary:
        described = _describe(name, corpus, None, None, False, "caption", info)
        write_json(temporary / "run.json", {**described, "state": "running"})
    return folder


def fail_run(folder: Path, reason: str) -> None:
    """Say that a running run will not be finished, and why."""
    info = read_json(folder / "run.json", f"the description of run {folder.name}")
    write_json(folder / "run.json", {**info, "state": "failed", "notes": reason})


def complete_run(
    folder: Path,
    similarity: np.ndarray,
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

    Raises:
        DataError: As for ``save_run``.
    """
    known = read_json(folder / "run.json", f"the description of run {folder.name}")
    kept = {key: known.get(key) for key in ("notes", "group", "model", "recipe", "seed", "parent", "ablation")}
    content = _Content(np.asarray(similarity), corpus, modalities or {}, inputs, missing or {}, protocol, order, False)
    _write(folder, known["name"], content, {**kept, **info, "began": known["created"]})
    return Run(folder)


@dataclass(frozen=True)
class _Content:
    similarity: np.ndarray
    corpus: Corpus
    modalities: Mapping[str, np.ndarray]
    inputs: pd.DataFrame | None
    missing: Mapping[str, str]
    protocol: Mapping[str, Any] | None
    order: Mapping[str, Any] | None
    totals_only: bool


def _write(folder: Path, name: str, content: _Content, info: Mapping[str, Any]) -> None:
    corpus, totals_only = content.corpus, content.totals_only
    similarity = _with_missing_columns(content.similarity, corpus, content.missing)
    _check_shape(similarity, corpus)
    axes = _axes(corpus, content.missing, totals_only)
    relevance = None if totals_only else corpus.relevance_matrix()
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
    for table, frame in vars(axes).items():
        write_table(folder / f"{table}.parquet", frame)
    if content.inputs is not None:
        write_table(folder / "inputs.parquet", content.inputs)
    write_table(folder / "per_query.parquet", _per_query(both, axes))
    write_json(folder / "metrics.json", _metrics(both, axes, totals_only))
    described = _describe(name, corpus, content.protocol, content.order, totals_only, both["v2t"].v2t_level, info)
    write_json(folder / "run.json", described)


def open_split(corpus: Corpus | str, split: str | None = None) -> Corpus:
    """The corpus restricted to one split: the asked one, else the one it was opened with, else its default."""
    if isinstance(corpus, str | os.PathLike):
        corpus = open_corpus(corpus)
    wanted = split or corpus.split or corpus.meta.get("default_split") or corpus.splits[-1]
    return corpus if corpus.split == wanted else corpus.with_split(wanted)


def _check_shape(similarity: np.ndarray, corpus: Corpus) -> None:
    expected = (len(corpus.captions), len(corpus.videos))
    if similarity.shape == expected:
        return
    found = " x ".join(map(str, similarity.shape))
    hint = ""
    if similarity.shape == expected[::-1]:
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


def _axes(corpus: Corpus, missing: Mapping[str, str], totals_only: bool) -> _Axes:
    captions, videos = corpus.captions, corpus.videos
    queries = pd.DataFrame({
        "row": np.arange(len(captions), dtype=np.int32), "query_id": captions["caption_id"], "kind": "caption",
        "caption_id": captions["caption_id"], "text": captions["text"], "language": captions["language"],
    })  # fmt: skip
    scored = ~videos["video_id"].isin(list(missing))
    gallery = pd.DataFrame({
        "column": np.arange(len(videos), dtype=np.int32), "video_id": videos["video_id"], "domain": videos["domain"],
        "source_id": videos["source_id"], "state": np.where(scored, "scored", "not_scored"),
        "reason": videos["video_id"].map(dict(missing)),
    })  # fmt: skip
    if not totals_only:
        return _Axes(queries, gallery, corpus.relevance)
    numbers = pd.Series(np.arange(1, len(captions) + 1).astype(str), index=queries.index)
    queries[["query_id", "caption_id"]] = np.repeat(("row " + numbers).to_numpy()[:, None], 2, axis=1)
    queries[["text", "language"]] = None
    gallery["video_id"] = "column " + numbers
    gallery[["domain", "source_id"]] = None
    relevance = pd.DataFrame({
        "caption_id": queries["caption_id"], "video_id": gallery["video_id"], "start_s": np.nan, "end_s": np.nan,
        "grade": np.int8(1), "annotator": None,
    })  # fmt: skip
    return _Axes(queries, gallery, relevance)


def _write_matrix(path: Path, matrix: np.ndarray) -> None:
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=matrix.shape)
    for start in range(0, len(matrix), ROWS_PER_BLOCK):
        out[start : start + ROWS_PER_BLOCK] = matrix[start : start + ROWS_PER_BLOCK]
    out.flush()


def _per_query(both: Mapping[str, RetrievalMetrics], axes: _Axes) -> pd.DataFrame:
    ids = {"t2v": axes.queries["caption_id"].to_numpy(), "v2t": axes.gallery["video_id"].to_numpy()}
    parts = []
    for direction, metrics in both.items():
        part = metrics.per_query.copy()
        part.insert(0, "modality", "")
        part.insert(1, "direction", direction)
        part.insert(2, "id", ids[direction][part["row"].to_numpy()])
        parts.append(part.drop(columns=["row", "rank"]))
    return pd.concat(parts, ignore_index=True)


def query_groups(axes: Any, direction: str, ids: np.ndarray) -> pd.DataFrame:
    """Domain and source of each query's right video; of the first in the gallery where a caption has several.

    Args:
        axes: A run, or anything with ``gallery`` and ``relevance`` tables.
        direction: ``t2v`` (ids are caption ids) or ``v2t`` (ids are video ids).
        ids: The queries, in the order wanted.

    Returns:
        A table with ``domain`` and ``source_id``, one row per query; null where the corpus states none.
    """
    labels = {column: query_clusters(axes, pd.Index(ids), direction, column) for column in ("domain", "source_id")}
    empty = np.full(len(ids), None, object)
    return pd.DataFrame({column: empty if label is None else label for column, label in labels.items()})


def _metrics(both: Mapping[str, RetrievalMetrics], axes: _Axes, totals_only: bool) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for direction, metrics in both.items():
        table = metrics.per_query
        ids = (axes.queries["caption_id"] if direction == "t2v" else axes.gallery["video_id"]).to_numpy()
        groups = query_groups(axes, direction, ids[table["row"].to_numpy()])
        clustered = bool(groups["source_id"].notna().all())
        clusters = groups["source_id"].to_numpy() if clustered else np.arange(len(groups))
        hits = {f"r{k}": 100 * hit_values(table, k) for k in (1, 5, 10)}
        intervals: dict[str, Any] = {name: _interval(hit, clusters) for name, hit in hits.items()}
        entry = metrics.to_dict()
        entry["interval"] = {**intervals, "clustered": clustered}
        entry["by"] = {"domain": {} if totals_only else _by_domain(groups["domain"], hits), "slice": {}}
        result[direction] = entry
    return result


def _interval(values: np.ndarray, clusters: np.ndarray) -> list[float] | None:
    """A 95 % interval, or None where a single cluster shows no spread."""
    low, high = clustered_interval(values, clusters)
    return None if np.isnan(low) else [low, high]


def _by_domain(domains: pd.Series, hits: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    table = pd.DataFrame(hits).groupby(domains.to_numpy()).agg(["mean", "size"])
    return {
        str(domain): {
            **{name: float(row[(name, "mean")]) for name in hits},
            "n_queries": int(row[("r1", "size")]),
        }
        for domain, row in table.iterrows()
    }


def _describe(
    name: str,
    corpus: Corpus,
    protocol: Mapping[str, Any] | None,
    order: Mapping[str, Any] | None,
    totals_only: bool,
    v2t_level: str,
    info: Mapping[str, Any],
) -> dict[str, Any]:
    commit, dirty = git_state()
    return {
        "format_version": FORMAT_VERSION,
        "state": "finished",
        "name": name,
        "notes": "", "group": None, "model": None, "recipe": None, "seed": None, "parent": None, "ablation": None,
        "fusion": None,
        **info,
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **package_versions()},
        "threads": os.cpu_count(),
        "git": {"commit": commit, "dirty": dirty},
        "corpus": {"name": corpus.name, "fingerprint": corpus.fingerprint, "split": corpus.split},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "protocol": {**RAW, **(protocol or {})},
        "order": dict(order or {"how": "declared", "evidence": "saved in the corpus' order by the caller"}),
        "totals_only": totals_only,
        "v2t_level": v2t_level,
        "writer": {"pid": os.getpid(), "host": socket.gethostname(), "seen": time.time()},
    }  # fmt: skip


def package_versions() -> dict[str, str]:
    """Installed versions of the packages that numbers depend on."""
    found = {}
    for package in ("textvr-workbench", "numpy", "scipy", "pandas", "numba", "torch", "transformers", "av"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_state() -> tuple[str | None, bool | None]:
    """Commit of the current folder and whether it has uncommitted changes; (None, None) outside a checkout."""
    if shutil.which("git") is None:
        return None, None
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if head.returncode:
        return None, None
    status = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, check=False)
    return head.stdout.strip(), bool(status.stdout.strip())
