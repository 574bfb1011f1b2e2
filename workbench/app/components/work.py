"""What is being made right now: a line per running job on every page, which is drawn again when something is ready."""

from __future__ import annotations

import streamlit as st

from workbench.app.text import plain
from workbench.core.errors import WorkbenchError
from workbench.core.jobs import Job, list_jobs
from workbench.core.workspace import workspace

EVERY_S = 2.0
TAIL = 3
"""Lines of the log that are shown of a job that failed."""


def job_named(name: str) -> Job | None:
    """The job of that name, running or ended, or None."""
    return next((job for job in list_jobs() if job.name == name), None)


def show_job(job: Job) -> None:
    """One job as a bar, or as the reason why it ended."""
    state = job.state
    if state == "running":
        done = job.progress
        if not done:
            st.progress(0.0, text=plain(f"{job.name}: starting"))
            return
        total = done["total"] or 0
        share = min(1.0, done["done"] / total) if total else 0.0
        counted = (
            f"{done['done']:,.0f} of {total:,.0f} {done['unit']}" if total else f"{done['done']:,.0f} {done['unit']}"
        )
        st.progress(share, text=plain(f"{job.name}: {done['label']}, {counted}"))
    elif state in ("failed", "stopped"):
        st.error(plain(f"The job {job.name} {'failed' if state == 'failed' else 'was stopped'}."))
        st.code(job.tail(TAIL) or "Its log is empty.", language=None)


def running_work() -> None:
    """A bar for each running job; nothing where none runs.

    The page is drawn again as soon as a corpus or run appears or is finished, or a job ends.
    """
    if any(job.state == "running" for job in list_jobs()):
        st.session_state["work seen"] = _ready()
        _strip()


@st.fragment(run_every=EVERY_S)
def _strip() -> None:
    try:
        jobs = [job for job in list_jobs() if job.state == "running"]
        ready = _ready()
    except WorkbenchError:  # a file that is being written: look again
        return
    for job in jobs:
        show_job(job)
    if ready != st.session_state.get("work seen"):
        st.session_state["work seen"] = ready
        st.rerun(scope="app")


def _ready() -> tuple[object, ...]:
    """Names and times of all descriptions, and which jobs run: it changes when something was made."""
    space = workspace()
    files = [
        folder / name
        for kind, name in (("corpora", "corpus.json"), ("runs", "run.json"))
        for folder in space.names(kind).values()
    ]
    stamps = [(str(file), file.stat().st_mtime_ns) for file in files if file.exists()]
    return (*stamps, *(job.name for job in list_jobs() if job.state == "running"))
