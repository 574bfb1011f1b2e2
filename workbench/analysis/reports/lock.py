"""The lock of a report: what it was made of and every number in it, so that months later it can be checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from workbench.analysis.causes.related import Related, related_to
from workbench.analysis.reports.data import WAYS, ReportData, report_data
from workbench.analysis.reports.sources import SINCE_2, is_related, of_corpus, of_related, of_run, related_of
from workbench.core.errors import DataError, UnknownNameError, WorkbenchError
from workbench.core.files import check_format, read_json, sha256_file
from workbench.evaluation.runs.info import package_versions
from workbench.evaluation.runs.run import Run, run_called, same_axes

FORMAT_VERSION = 2
TOLERANCE = 1e-9
SOFTWARE, NEW, SCOPE = "software", "new run", "scope"
ONLY_SAID = (SOFTWARE, NEW, SCOPE)
"""Differences that change nothing of what was reported."""


@dataclass(frozen=True)
class Difference:
    """Something that is not as it was when a report was made.

    Attributes:
        kind: ``run``, ``corpus``, ``number``, ``report`` (the HTML file); or one of ``ONLY_SAID``: ``software``,
            ``new run`` (made since, left out of the check), ``scope`` (what a lock of an older version leaves out).
        what: Its name.
        sentence: What was and what is.
    """

    kind: str
    what: str
    sentence: str

    @property
    def serious(self) -> bool:
        """Whether the report no longer holds."""
        return self.kind not in ONLY_SAID


def lock_of(data: ReportData) -> dict[str, Any]:
    """The lock of a report, as JSON.

    Args:
        data: What the report shows.
    """
    return {
        "format_version": FORMAT_VERSION,
        "made": datetime.now().astimezone().isoformat(timespec="seconds"),
        "runs": {run.name: of_run(run, FORMAT_VERSION) for run in data.runs},
        "related": {name: of_related(one) for name, one in data.related.items()},
        "beside": {run.name: of_run(run, FORMAT_VERSION) for one in data.related.values() for run in one.runs},
        "corpus": of_corpus(data.runs[0], FORMAT_VERSION),
        "options": {"direction": data.direction, "k": data.k, "cases": list(data.cases), "thresholds": data.given},
        "versions": package_versions(),
        "numbers": data.numbers(),
    }


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
        and direction_of(options) in [*WAYS]
        and isinstance(options.get("thresholds"), dict) and isinstance(options.get("cases"), list)
        and all(isinstance(case, str) for case in options["cases"]),
        "numbers": isinstance(lock["numbers"], dict),
        "versions": isinstance(lock["versions"], dict) and "files" not in lock["versions"],
        **(_beside_fits(lock) if lock["format_version"] > 1 else {}),
    }  # fmt: skip
    return next((part for part, well in fine.items() if not well), "")


def direction_of(options: Mapping[str, Any]) -> Any:
    """The direction among the options of a lock; locks that do not state it are of ``t2v``."""
    return options.get("direction", "t2v")


def _beside_fits(lock: Mapping[str, Any]) -> dict[str, bool]:
    beside, related = lock.get("beside"), lock.get("related")
    if not (isinstance(beside, dict) and all(_has_files(run) for run in beside.values())):
        return {"beside": False}
    roles = isinstance(related, dict) and set(related) == set(lock["runs"])
    return {"beside": True, "related": roles and all(is_related(one, beside) for one in dict(related or {}).values())}


def _has_files(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("files"), dict)


def check_lock(lock: Mapping[str, Any]) -> list[Difference]:
    """Compute a report again and name everything that is not as it was.

    Causes are told from the other runs that the lock names, and from no others. Other versions of software and runs
    that were made since are named too; by themselves they change nothing that was reported.

    Args:
        lock: From ``read_lock``.
    """
    version, options = lock["format_version"], lock["options"]
    every = {**lock["runs"], **lock.get("beside", {})}
    opened, found = _opened(every, version)
    said = _changes(SOFTWARE, "software", {"files": {}, **lock["versions"]}, {"files": {}, **package_versions()})
    if version < FORMAT_VERSION:
        said.append(Difference(SCOPE, "lock", f"This lock is of an earlier version and does not cover {SINCE_2}."))
    if len(opened) < len(every):
        return found + said
    runs = [opened[name] for name in lock["runs"]]
    try:
        now = of_corpus(runs[0], version)
    except WorkbenchError as error:
        what = f"corpus {lock['corpus']['name']}"
        return [*found, Difference("corpus", what, f"The {what} cannot be read any more: {error}"), *said]
    found += _changes("corpus", f"corpus {lock['corpus']['name']}", lock["corpus"], now)
    related = {name: related_of(names, opened) for name, names in lock.get("related", {}).items()}
    if moved := [one for run in runs if run.name in related for one in _misfits(run, related[run.name])]:
        return found + moved + said
    said += [one for run in runs if run.name in related for one in _made_since(run, related[run.name])]
    try:
        data = report_data(
            *runs, direction=direction_of(options), k=options["k"], cases=options["cases"], related=related or None,
            **options["thresholds"],
        )  # fmt: skip
    except WorkbenchError as error:
        return [*found, Difference("number", "report", f"The report cannot be computed again: {error}"), *said]
    return found + _numbers(lock["numbers"], data.numbers()) + said


def _opened(held: Mapping[str, Any], version: int) -> tuple[dict[str, Run], list[Difference]]:
    """The runs of a lock by name, without those that are gone; and what of them is not as it was."""
    opened, found = {}, []
    for name, was in held.items():
        try:
            opened[name] = run_called(name)
        except UnknownNameError:
            found.append(Difference("run", name, f"Run {name} is gone, so its numbers cannot be computed again."))
            continue
        found += _changes("run", f"run {name}", was, of_run(opened[name], version))
    return opened, found


def check_page(lock: Mapping[str, Any], page: Path) -> list[Difference]:
    """Whether the HTML file beside a lock is the one that was written with it; nothing where none lies there.

    Args:
        lock: From ``read_lock``; those of earlier versions do not say.
        page: The file.
    """
    if not page.is_file() or lock.get("page") in (None, sha256_file(page)):
        return []
    return [Difference("report", page.name, f"{page.name} is not the file that was written with this lock.")]


def _misfits(run: Run, related: Related) -> list[Difference]:
    """Runs that causes were told from and cannot be any more."""
    return [
        Difference("run", one.name, f"Run {one.name} no longer has the captions, videos and scores that causes of "
                                    f"{run.name} were told from, so they cannot be computed again.")
        for one in related.runs if not same_axes(run, one) or (one is not related.words and one.similarity is None)
    ]  # fmt: skip


def _made_since(run: Run, related: Related) -> list[Difference]:
    """Runs from which causes would be told now, and were not."""
    known = {one.name for one in related.runs}
    return [
        Difference(NEW, f"run {one.name}", f"Run {one.name} is there now, and causes of {run.name} would be told from "
                                           "it too. The report was made without it, and so is this check.")
        for one in related_to(run).runs if not run.totals_only and one.name not in known
    ]  # fmt: skip


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
