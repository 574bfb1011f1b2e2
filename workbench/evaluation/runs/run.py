"""Runs: what one model answered on one split of one corpus, read from a folder that is complete without its corpus."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import scipy.sparse as sp

from workbench.core.errors import DataError, StateError
from workbench.core.files import check_format, read_json, read_table
from workbench.core.lookup import pick
from workbench.core.workspace import workspace
from workbench.corpus import relevance_csr
from workbench.evaluation.metrics.retrieval import RetrievalMetrics, retrieval_metrics
from workbench.evaluation.runs.interactions import FOLDER, Interactions, PairInteraction

FORMAT_VERSION = 1
DIRECTIONS = ("t2v", "v2t")


class Run:
    """One stored run; tables and the similarity are read when first asked for.

    Attributes:
        path: The run's folder.
        info: ``run.json`` as a dict.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.info: dict[str, Any] = read_json(self.path / "run.json", f"the description of run {self.path.name}")
        check_format(self.info.get("format_version"), FORMAT_VERSION, f"Run {self.path.name}")

    def __repr__(self) -> str:
        return f"Run({self.name!r}, corpus={self.corpus_name!r}, split={self.split!r}, state={self.state!r})"

    @property
    def name(self) -> str:
        return self.info["name"]

    @property
    def corpus_name(self) -> str:
        return self.info["corpus"]["name"]

    @property
    def fingerprint(self) -> str:
        return self.info["corpus"]["fingerprint"]

    @property
    def split(self) -> str:
        return self.info["corpus"]["split"]

    @property
    def protocol(self) -> dict[str, Any]:
        return self.info["protocol"]

    @property
    def order(self) -> dict[str, Any]:
        return self.info["order"]

    @property
    def totals_only(self) -> bool:
        """Whether rows and columns cannot be tied to captions: metrics over all queries hold, no single query does."""
        return bool(self.info.get("totals_only"))

    @property
    def state(self) -> str:
        """``finished``, ``failed``, ``running``, or ``dead`` for a run whose process is gone."""
        state = self.info["state"]
        return "dead" if state == "running" and not _alive(self.info) else state

    @property
    def last_sign(self) -> str:
        """When anything in the folder was last written, local time."""
        newest = self.path.stat().st_mtime
        for path in self.path.iterdir():
            with suppress(FileNotFoundError):  # a training replaces its files meanwhile
                newest = max(newest, path.stat().st_mtime)
        return datetime.fromtimestamp(newest).isoformat(" ", "seconds")

    @cached_property
    def similarity(self) -> np.ndarray | None:
        """float32 [captions, videos], memory-mapped and read-only, higher is better; None where it is not stored."""
        path = self.path / "similarity.npy"
        return _mapped(path) if path.exists() else None

    @cached_property
    def modalities(self) -> dict[str, np.ndarray]:
        """The similarities that were fused, by modality; same shape as ``similarity``."""
        folder = self.path / "modalities"
        return {path.stem: _mapped(path) for path in sorted(folder.glob("*.npy"))}

    @cached_property
    def inputs(self) -> pd.DataFrame | None:
        """What the model saw per video: frames, words kept after filter and cut; None where it was not stored."""
        return read_table(path) if (path := self.path / "inputs.parquet").exists() else None

    @cached_property
    def history(self) -> pd.DataFrame | None:
        """Training curve, long: step, epoch, name, value; None where the run was not trained here."""
        return read_table(path) if (path := self.path / "history.parquet").exists() else None

    @cached_property
    def word_effects(self) -> pd.DataFrame | None:
        """What each read word does (``pipelines.word_effects``); None where it was not asked for when scoring."""
        return read_table(path) if (path := self.path / "word_effects.parquet").exists() else None

    def interactions(self, caption_id: str) -> list[PairInteraction] | None:
        """A caption with its right videos and the best five, word by word; None where scoring was not asked for it.

        Raises:
            DataError: They are incomplete.
        """
        return None if self._interactions is None else self._interactions.of(caption_id)

    @cached_property
    def _interactions(self) -> Interactions | None:
        return Interactions(path) if (path := self.path / FOLDER).is_dir() else None

    @cached_property
    def moments(self) -> pd.DataFrame | None:
        """Predicted moments, best first (``evaluation.moment_table``); None where it holds none."""
        return read_table(path) if (path := self.path / "moments.parquet").exists() else None

    @cached_property
    def queries(self) -> pd.DataFrame:
        return self._table("queries")

    @cached_property
    def gallery(self) -> pd.DataFrame:
        return self._table("gallery")

    @cached_property
    def relevance(self) -> pd.DataFrame:
        return self._table("relevance")

    @cached_property
    def per_query(self) -> pd.DataFrame:
        return self._table("per_query")

    @cached_property
    def metrics(self) -> dict[str, Any]:
        return read_json(self.path / "metrics.json", f"the metrics of run {self.name}")

    @cached_property
    def relevance_matrix(self) -> sp.csr_array:
        """int8 grades [captions, videos] of these rows and columns; > 0 is right."""
        return relevance_csr(self.relevance, self.queries["caption_id"], self.gallery["video_id"])

    def per(self, direction: str = "t2v", modality: str = "") -> pd.DataFrame:
        """``per_query`` of one direction, rows in the order of queries (t2v) or of videos with captions (v2t).

        Args:
            direction: ``t2v`` or ``v2t``.
            modality: One of those that were fused, by itself; ``""`` = the run. Runs of older versions hold none.
        """
        pick({name: name for name in DIRECTIONS}, direction, "direction")
        return self._parts.get((direction, modality), self.per_query.iloc[:0]).copy(deep=False)

    @cached_property
    def _parts(self) -> dict[tuple[str, str], pd.DataFrame]:
        """``per_query`` by direction and modality."""
        parts = self.per_query.groupby(["direction", "modality"], sort=False)
        return {(str(direction), str(modality)): part.reset_index(drop=True) for (direction, modality), part in parts}

    def rank(self, direction: str = "t2v") -> np.ndarray:
        """Expected rank of every query, from 1: ``1 + n_above + n_tied / (n_tied_right + 1)``."""
        table = self.per(direction)
        above, tied, right = (table[name].to_numpy(float) for name in ("n_above", "n_tied", "n_tied_right"))
        return 1 + above + tied / (right + 1)

    def from_matrix(self, direction: str = "t2v") -> pd.DataFrame:
        """``RetrievalMetrics.values`` of the stored similarity, rows as in ``per``: for runs of older versions.

        Raises:
            StateError: The run keeps no matrix.
        """
        pick({name: name for name in DIRECTIONS}, direction, "direction")
        return self._from_matrix[direction].values.reset_index(drop=True)

    @cached_property
    def _from_matrix(self) -> dict[str, RetrievalMetrics]:
        level = self.info.get("v2t_level") or "auto"
        return retrieval_metrics(similarity_of(self), self.relevance_matrix, direction="both", v2t=level)

    def _table(self, name: str) -> pd.DataFrame:
        path = self.path / f"{name}.parquet"
        if not path.exists() and self.state != "finished":
            raise StateError(
                f"Run {self.name} is {self.state} and has no {name} yet (last sign of life {self.last_sign}).",
                "Wait until it is finished, or start it again.",
            )
        return read_table(path)


def _mapped(path: Path) -> np.ndarray:
    """A matrix as it lies on disk, read-only.

    Raises:
        DataError: The file was cut or is none of numpy's.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}.", "Make the run again with --overwrite.") from error


def similarity_of(run: Run) -> np.ndarray:
    """The stored similarity of a run.

    Raises:
        StateError: The run was too large to keep its matrix, or is not finished.
    """
    if run.similarity is None:
        raise StateError(
            f"Run {run.name} keeps no similarity matrix.", "Its ranks and top lists are in per_query.parquet."
        )
    return run.similarity


def same_axes(a: Run, b: Run) -> bool:
    """Whether two runs have the same captions as rows and the same videos as columns."""
    return (
        a.queries["caption_id"].equals(b.queries["caption_id"])
        and a.gallery["video_id"].equals(b.gallery["video_id"])
        and not a.totals_only
        and not b.totals_only
    )


def _alive(info: dict[str, Any]) -> bool:
    """Whether the process that writes a run still lives; another host's process counts as alive for ten minutes."""
    writer = info.get("writer", {})
    if writer.get("host") == socket.gethostname():
        return psutil.pid_exists(int(writer.get("pid", -1)))
    return time.time() - float(writer.get("seen", 0)) < 600


def open_run(name_or_path: str | os.PathLike[str] | Run) -> Run:
    """Open a run by name (workspace, then shared workspace) or by the path of its folder; an open one stays as it is.

    Raises:
        UnknownNameError: No run has that name; the sentence names the nearest ones.
        DataError: The folder is not a run, or is damaged.
        FormatVersionError: A newer workbench wrote it.
    """
    if isinstance(name_or_path, Run):
        return name_or_path
    if not isinstance(name_or_path, str | os.PathLike):
        raise DataError(f"A {type(name_or_path).__name__} is no run.", "Give a run, its name or its folder.")
    text = os.fspath(name_or_path)
    path = Path(text)
    if (path / "run.json").is_file() and (path.is_absolute() or os.sep in text):
        return Run(path)
    if path.is_absolute() or os.sep in text:
        raise DataError(
            f"{path} is not a run: it has no run.json.",
            "Give a run's name or the folder that holds its run.json.",
        )
    return run_called(text)


def run_called(name: str) -> Run:
    """Open a run of the workspace or the shared one by its name only: what a browser or a file asks for is no path.

    Raises:
        UnknownNameError: No run has that name; the sentence names the nearest ones.
        DataError: The run is damaged.
        FormatVersionError: A newer workbench wrote it.
    """
    return Run(pick(workspace().names("runs"), name, "run"))


def list_runs(corpus: str | None = None, split: str | None = None) -> pd.DataFrame:
    """All runs of the workspace and the shared one, running and dead ones too, newest first.

    Args:
        corpus: Only runs on the corpus of this name.
        split: Only runs on this split.

    Returns:
        A table: name, state, corpus, split, model, t2v_r1, v2t_r1 (percent), scoring, order, n_queries, created,
        last_sign, group, parent, ablation, note, path. A damaged folder is a row of state ``unreadable`` whose note
        says why.
    """
    rows = [_summary(name, path) for name, path in workspace().names("runs").items()]
    table = pd.DataFrame(rows, columns=_SUMMARY_COLUMNS)
    for column, wanted in (("corpus", corpus), ("split", split)):
        if wanted is not None:
            table = table[table[column] == wanted]
    return table.sort_values("created", ascending=False, kind="stable").reset_index(drop=True)


_SUMMARY_COLUMNS = [
    "name", "state", "corpus", "split", "model", "t2v_r1", "v2t_r1", "scoring", "order", "n_queries",
    "created", "last_sign", "group", "parent", "ablation", "note", "path",
]  # fmt: skip


def _summary(name: str, path: Path) -> dict[str, Any]:
    try:
        run = Run(path)
        metrics = run.metrics if run.state == "finished" else {}
    except DataError as error:
        return {"name": name, "state": "unreadable", "created": "", "note": str(error), "path": str(path)}
    info = run.info
    return {
        "name": name, "state": run.state, "corpus": run.corpus_name, "split": run.split, "model": info.get("model"),
        "t2v_r1": metrics.get("t2v", {}).get("r1"), "v2t_r1": metrics.get("v2t", {}).get("r1"),
        "scoring": run.protocol["scoring"], "order": run.order["how"],
        "n_queries": metrics.get("t2v", {}).get("n_queries"), "created": info.get("created", ""),
        "last_sign": run.last_sign, "group": info.get("group"), "parent": info.get("parent"),
        "ablation": info.get("ablation"), "note": info.get("notes", ""), "path": str(path),
    }  # fmt: skip
