"""What is said where an error ends a page or a part of it: the sentence of a known one, else where its log stands."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import streamlit as st

from workbench.app.text import plain, short
from workbench.core.errors import DataError, WorkbenchError
from workbench.core.workspace import workspace

LOG = "app.log"
MOST = 5
"""Damaged files that are named on a page."""
LARGEST = 1 << 20
"""Bytes of the log above which it is begun anew; the one before is kept beside it."""


def say_error(error: WorkbenchError) -> None:
    """A red box: what is wrong, and what to do."""
    st.error(f"{plain(error.message)}  \n{plain(error.remedy)}", icon=":material/error:")


def warn_damaged(errors: Sequence[DataError]) -> None:
    """A warning for each file that a list leaves out because it cannot be read."""
    for error in errors[:MOST]:
        st.warning(plain(error), icon=":material/broken_image:")
    if len(errors) > MOST:
        st.caption(f"And {len(errors) - MOST:,} more that cannot be read.")


def ended(error: Exception) -> bool:
    """Say in the page what no page has caught; for ``st.App``, which asks wherever a script or a fragment ends so.

    Returns:
        True: Streamlit need not say anything.
    """
    if isinstance(error, WorkbenchError):
        say_error(error)
        return True
    kind = f"{type(error).__name__}: {error}".rstrip(": ")
    st.error(
        plain(f"This failed, and should not have: {short(kind)}. All other pages work, and so may other choices here. ")
        + plain(_kept(error)),
        icon=":material/error:",
    )
    return True


def _kept(error: Exception) -> str:
    """Where the log stands, a sentence; the error is written there."""
    path = workspace().home / LOG
    try:
        _write(path, error)
    except OSError:
        return "Where it failed stands in the terminal in which the app was started."
    return f"Where it failed stands at the end of {path}: send that to whoever looks after the workbench."


def _write(path: Path, error: Exception) -> None:
    if path.exists() and path.stat().st_size > LARGEST:
        path.replace(path.with_suffix(".old.log"))
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    with path.open("a", encoding="utf-8", errors="replace") as file:
        file.write(f"{now}\n{''.join(traceback.format_exception(error))}\n")
