"""The lock of a report: what it was made of and every number in it, so that months later it can be checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from workbench.analysis.reports.data import ReportData, report_data
from workbench.core.errors import DataError, UnknownNameError, WorkbenchError
from workbench.core.files import check_format, read_json, sha256_file
from workbench.evaluation.runs.corpora import corpus_of_run
from workbench.evaluation.runs.info import package_versions
from workbench.evaluation.runs.run import Run, run_called

FORMAT_VERSION = 1
RUN_FILES = ("similarity.npy", "per_query.parquet", "queries.parquet", "gallery.parquet", "relevance.parquet",
             "metrics.json", "inputs.parquet", "word_effects.parquet")  # fmt: skip
CORPUS_FILES = ("texts.parquet", "text_coverage.parquet")
"""Files of a corpus outside its fingerprint that causes depend on."""
TOLERANCE = 1e-9
SOFTWARE = "software"


@dataclass(frozen=True)
class Difference:
    """Something that is not as it was when a report was made.

    Attributes:
        kind: ``run``, ``corpus``, ``number`` or ``software``.
        what: Its name.
        sentence: What was and what is.
    """

    kind: str
    what: str
    sentence: str


def lock_of(data: ReportData) -> dict[str, Any]:
    """The lock of a report, as JSON.

    Args:
        data: What the report shows.
    """
    return {
        "format_version": FORMAT_VERSION,
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
        "runs": {run.name: _of_run(run) for run in data.runs},
        "corpus": _of_corpus(data.runs[0]),
        "options": {"k": data.k, "cases": list(data.cases), "thresholds": data.given},
        "versions": package_versions(),
        "numbers": data.numbers(),
    }


def _of_run(run: Run) -> dict[str, Any]:
    files = {name: sha256_file(run.path / name) for name in RUN_FILES if (run.path / name).exists()}
    return {
        "corpus": run.corpus_name, "split": run.split, "fingerprint": run.fingerprint, "created": run.info["created"],
        "scoring": run.protocol["scoring"], "sees": run.protocol["sees"], "order": run.order["how"], "files": files,
    }  # fmt: skip


def _of_corpus(run: Run) -> dict[str, Any]:
    """The corpus of a run, if it is at hand: only then are causes those of its texts."""
    corpus, why = corpus_of_run(run)
    if corpus is None:
        return {"name": run.corpus_name, "state": why, "fingerprint": None, "files": {}}
    files = {name: sha256_file(corpus.path / name) for name in CORPUS_FILES if (corpus.path / name).exists()}
    return {"name": corpus.name, "state": "at hand", "fingerprint": corpus.fingerprint, "files": files}


def read_lock(path: Path) -> dict[str, Any]:
    """Read the lock of a report.

    Raises:
        DataError: It is no such file, or damaged.
        FormatVersionError: A newer workbench wrote it.
    """
    lock = read_json(path, "the lock of a report")
    if not isinstance(lock, dict) or not {"runs", "corpus", "options", "numbers", "versions"} <= lock.keys():
        raise DataError(f"{path.name} is no lock of a report.", "Give the .lock.json that lies beside a report.")
    check_format(lock.get("format_version"), FORMAT_VERSION, f"The lock {path.name}")
    if wrong := _misshapen(lock):
        raise DataError(f"The lock {path.name} is damaged: {wrong} is not as a report writes it.", "Take another copy.")
    return lock


def _misshapen(lock: Mapping[str, Any]) -> str:
    """The first part of a lock that has another shape than ``lock_of`` gives it; "" where all is well."""
    runs, corpus, options = lock["runs"], lock["corpus"], lock["options"]
    fine = {
        "runs": isinstance(runs, dict) and runs and all(_has_files(run) for run in runs.values()),
        "corpus": _has_files(corpus) and isinstance(corpus.get("name"), str),
        "options": isinstance(options, dict) and type(options.get("k")) is int and options["k"] > 0
        and isinstance(options.get("thresholds"), dict) and isinstance(options.get("cases"), list)
        and all(isinstance(case, str) for case in options["cases"]),
        "numbers": isinstance(lock["numbers"], dict),
        "versions": isinstance(lock["versions"], dict) and "files" not in lock["versions"],
    }  # fmt: skip
    return next((part for part, well in fine.items() if not well), "")


def _has_files(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("files"), dict)


def check_lock(lock: Mapping[str, Any]) -> list[Difference]:
    """Compute a report again and name everything that is not as it was.

    Other versions of software are named too; by themselves they change nothing that was reported.

    Args:
        lock: From ``read_lock``.
    """
    found: list[Difference] = []
    runs = []
    for name, was in lock["runs"].items():
        try:
            runs.append(run_called(name))
        except UnknownNameError:
            found.append(Difference("run", name, f"Run {name} is gone, so its numbers cannot be computed again."))
            continue
        found += _changes("run", f"run {name}", was, _of_run(runs[-1]))
    versions = _changes(SOFTWARE, "software", {"files": {}, **lock["versions"]}, {"files": {}, **package_versions()})
    if len(runs) < len(lock["runs"]):
        return found + versions
    found += _changes("corpus", f"corpus {lock['corpus']['name']}", lock["corpus"], _of_corpus(runs[0]))
    options = lock["options"]
    try:
        data = report_data(*runs, k=options["k"], cases=options["cases"], **options["thresholds"])
    except WorkbenchError as error:
        return [*found, Difference("number", "report", f"The report cannot be computed again: {error}"), *versions]
    return found + _numbers(lock["numbers"], data.numbers()) + versions


def _changes(kind: str, what: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Entries that differ, files by their names."""
    pairs = {name: (was.get(name), now.get(name)) for name in {**was, **now} if name != "files"}
    found = [
        Difference(kind, f"{what}: {name}", f"{name} of {what} was {_said(old)}, it is {_said(new)}.")
        for name, (old, new) in pairs.items() if old != new
    ]  # fmt: skip
    for name in {**was["files"], **now["files"]}:
        old, new = was["files"].get(name), now["files"].get(name)
        if old != new:
            verb = "is gone" if new is None else "is new" if old is None else "has changed"
            found.append(Difference(kind, f"{what}: {name}", f"{name} of {what} {verb}."))
    return found


def _numbers(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    return [
        Difference("number", place, f"{place} was {_said(was.get(place))}, it is {_said(now.get(place))}.")
        for place in {**was, **now} if not _same(was.get(place), now.get(place))
    ]  # fmt: skip


def _same(a: Any, b: Any) -> bool:
    """Whether two values are equal; numbers up to the last digits, in which other machines may differ."""
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (a, b))
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE) if numbers else a == b


def _said(value: Any) -> str:
    return "absent" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
