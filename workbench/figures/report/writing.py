"""A report on the disk: the HTML file and its lock file beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.analysis.reports.data import report_data
from workbench.analysis.reports.lock import lock_of
from workbench.core.files import atomic, write_json
from workbench.evaluation.runs.run import Run
from workbench.figures.export import save_figure
from workbench.figures.paper import PAGE
from workbench.figures.qualitative import qualitative
from workbench.figures.report import report_html


@dataclass(frozen=True)
class Report:
    """A report that was made.

    Attributes:
        verdict: Its first sentence.
        html: The file.
        lock: Its lock, as JSON.
    """

    verdict: str
    html: str
    lock: dict[str, Any]

    @property
    def n_bytes(self) -> int:
        return len(self.html.encode())


def make_report(run: Run, other: Run | None = None, *, direction: str = "t2v", k: int = 1,
                cases: Sequence[str] | None = None, **thresholds: Any) -> Report:  # fmt: skip
    """Make a report; the arguments are those of ``analysis.report_data``.

    Args:
        run: The run that is reported.
        other: One that it is compared with.
        direction: ``t2v`` or ``v2t``.
        k: A query fails when its rank is greater.
        cases: Queries to show; None = those that changed most.
        **thresholds: Of ``failures``.

    Raises:
        DataError: As for ``report_data``; or it is too large to be mailed.
    """
    data = report_data(run, other, direction=direction, k=k, cases=cases, **thresholds)
    lock = lock_of(data)
    html = report_html(data, lock)
    return Report(data.verdict, html, {**lock, "page": hashlib.sha256(html.encode()).hexdigest()})


def write_report(run: Run, other: Run | None, out: Path, **options: Any) -> Report:
    """Write a report and its lock file; files that exist are replaced.

    Args:
        run: The run that is reported.
        other: One that it is compared with.
        out: The HTML file.
        **options: Of ``make_report``.
    """
    made = make_report(run, other, **options)
    with atomic(out) as temporary:
        temporary.write_text(made.html, encoding="utf-8")
    write_json(lock_path(out), made.lock)
    return made


def write_figures(run: Run, other: Run | None, out: Path, cases: Sequence[str]) -> list[Path]:
    """Write the cases of a report as figures of a paper, ``report.case1.pdf`` and so on; files are replaced.

    Args:
        run: The run that is reported.
        other: One that it is compared with.
        out: The HTML file.
        cases: Captions.

    Raises:
        StateError: The corpus is not at hand.
    """
    paths = [out.with_name(f"{out.stem}.case{number}.pdf") for number in range(1, len(cases) + 1)]
    for path, query in zip(paths, cases, strict=True):
        save_figure(qualitative(run, other, query), path, width=PAGE)
    return paths


def lock_path(out: Path) -> Path:
    """Where the lock of a report lies: ``report.lock.json`` beside ``report.html``."""
    return out.with_suffix(".lock.json")
