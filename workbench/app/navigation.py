"""The pages in their order, and the header that every page has."""

from __future__ import annotations

import socket
from pathlib import Path

import streamlit as st

from workbench.app.components.keeper import keep_address
from workbench.app.components.work import running_work
from workbench.app.limits import keep_limits
from workbench.app.links import keep_version
from workbench.app.looks import take
from workbench.app.text import plain
from workbench.core.workspace import workspace

SCRIPT = str(Path(__file__).with_name("entry") / "script.py")
PAGES = Path(__file__).with_name("pages")
LOOK = (
    "[data-testid=stMainBlockContainer]{padding-top:3.6rem}"  # less empty space on top than Streamlit leaves
    ".st-key-address{position:absolute}"  # the keeper of the address has nothing to show
    # The accent is too dark for letters on dark.
    "button[data-selected=true],[data-testid=stPopoverButton]{color:inherit!important}"
)
TITLES = {
    "leaderboard": ("Leaderboard", ":material/leaderboard:"),
    "domains": ("Domains", ":material/grid_view:"),
    "compare": ("Compare", ":material/compare_arrows:"),
    "matrix": ("Matrix", ":material/grid_on:"),
    "failures": ("Failures", ":material/error:"),
    "query": ("Query", ":material/manage_search:"),
    "hubs": ("Hubs & duplicates", ":material/hub:"),
    "search": ("Search", ":material/search:"),
    "training": ("Training", ":material/model_training:"),
    "data": ("Data", ":material/database:"),
    "report": ("Report", ":material/description:"),
}
UNLISTED = {
    "thresholds": ("Thresholds", ":material/tune:"),
    "tags": ("Human tags", ":material/label:"),
    "calibration": ("Calibration", ":material/center_focus_strong:"),
}
"""Pages that others lead to."""

WITHOUT_RUNS = ("domains", "search", "data")
"""Pages that show corpora as they are, before any model answered."""


def page(name: str, *, visible: bool = True) -> st.Page:
    """A page by its name; the same name is the same page in links and in the navigation.

    The start page is the one without a name in its address: Streamlit knows its default page by no other.
    """
    title, icon = {**TITLES, **UNLISTED}.get(name, ("Start", ":material/home:"))
    return st.Page(
        PAGES / f"{name}.py", title=title, icon=icon, url_path=name, default=name == "start",
        visibility="visible" if visible else "hidden",
    )  # fmt: skip


def pages() -> list[st.Page]:
    """The pages to offer: an empty workspace shows how to start, one without runs its corpora, any other all.

    Where there are runs, the start page stays, unseen, and leads on to the leaderboard.
    """
    space = workspace()
    if not space.names("runs"):
        shown = WITHOUT_RUNS if space.names("corpora") else ("data",)
        return [page("start"), *map(page, shown), page("calibration", visible=False)]
    return [page("start", visible=False), *map(page, TITLES), *(page(one, visible=False) for one in UNLISTED)]


def header(opened: str) -> None:
    """Host and workspace, small, on top of every page.

    Args:
        opened: The page's name in addresses.
    """
    st.html(f"<style>{LOOK}</style>")
    where = f"{socket.gethostname()}  ·  workspace {workspace().home}"
    st.caption(plain(where))
    running_work()
    keep_version(opened)
    keep_limits()
    keep_address(take)
