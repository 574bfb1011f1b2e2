"""Files and tables of a corpus that have changed since it was prepared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.core.files import sha256_file
from workbench.core.progress import track
from workbench.core.words import counted
from workbench.corpus import Corpus
from workbench.pipelines.audit.findings import Finding, finding
from workbench.pipelines.checks import check

SAME_TIME_S = 2.0
"""Some file systems keep times to two seconds only."""
STATES = {  # state: severity, what is said, what to do
    "changed": ("wrong", "no longer what was prepared", "Prepare the corpus again, and read its text again."),
    "gone": ("warning", "gone", "Put them back, or: workbench data relocate."),
    "touched": ("note", "newer, but byte for byte the same", "Prepare again to be rid of this note."),
    "unknown": ("warning", "newer, and their sums were never taken", "Prepare the corpus again."),
}


def audit_tables(corpus: Corpus) -> Finding:
    """Whether the tables keep their rules and the recorded fingerprint; all splits."""
    problems = check(corpus.with_split(None), "index").problems
    problems = problems[problems["id"] != "source_id"]  # what the data set never stated is no damage
    if problems.empty:
        return finding("tables", "ok", "The tables keep their rules and fit the recorded fingerprint.")
    return finding(
        "tables", "wrong", f"{problems['problem'].iloc[0][:1].upper()}{problems['problem'].iloc[0][1:]}.",
        rows=problems["id"].to_list(), fix="Prepare the corpus again: workbench data prepare NAME --overwrite",
    )  # fmt: skip


def audit_files(corpus: Corpus, *, hashes: bool = False) -> Iterator[Finding]:
    """Whether every recorded file has the size, the time and the content that were recorded.

    Where size and time are the recorded ones, the content is believed; where only the time is another, its sha256
    decides.

    Args:
        corpus: Restricted to a split.
        hashes: Compute the sha256 of every file; reads all of them.
    """
    rows = corpus.renditions.to_dict("records")
    if not rows:
        yield finding("files", "note", "No video file is recorded: annotations only.")
        return
    found: dict[str, list[str]] = {name: [] for name in STATES}
    for row in track(rows, "Looking at files", unit="files"):
        state = _state(corpus.roots, row, hashes)
        if state:
            found[state].append(row["video_id"])
    for state, videos in found.items():
        if videos:
            severity, said, fix = STATES[state]
            verb = counted(len(videos), "file is", "files are")
            yield finding("files", severity, f"{verb} {said}.", rows=videos, fix=fix, numbers={"state": state})
    if not any(found.values()):
        how = "content" if hashes else "size and time"
        yield finding("files", "ok", f"All {len(rows):,} files have the recorded {how}.")


def _state(roots: dict[str, str], row: dict[Any, Any], hashes: bool) -> str:
    """One of ``STATES``, or "" where the file is as recorded."""
    path = Path(roots.get(row["rendition"], ""), row["path"])
    if row["rendition"] not in roots or not path.is_file():
        return "gone"
    stat = path.stat()
    if pd.notna(row["n_bytes"]) and stat.st_size != row["n_bytes"]:
        return "changed"
    same_time = pd.isna(row["mtime"]) or abs(stat.st_mtime - row["mtime"]) < SAME_TIME_S
    if same_time and not hashes:
        return ""
    if pd.isna(row["sha256"]):
        return "" if same_time else "unknown"
    if sha256_file(path) != row["sha256"]:
        return "changed"
    return "" if same_time else "touched"
