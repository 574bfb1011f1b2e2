"""What a user does that needs Python: each kind of click on a page, and the milliseconds until its answer stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from playwright.sync_api import Page

from benchmarks.app_pages import link
from benchmarks.pages import Visit

STANDS = "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
MAIN = "(document.querySelector('[data-testid=stMain]')?.innerText ?? '')"
FAILED = r"[\d,]+ of [\d,]+ (queries|videos) fail"
ALL = "[...document.querySelectorAll"
HEADINGS = f"{ALL}('[data-testid=stMain] :is(h2, h3)')].map(one => one.innerText).join() || null"
OPENED = f"{ALL}('[data-testid=stMain] a[href*=\"query?\"]')].at(-1)?.href ?? null"
WATCH = """(says) => {
  const said = () => { try { return (0, eval)(says); } catch { return null; } };
  const before = said();
  window.begun = window.ended = null;
  if (!window.watched) for (const kind of ["pointerdown", "keydown"])
    document.addEventListener(kind, () => { window.begun = performance.now(); }, true);
  window.watched = true;
  const look = () => {
    const now = window.begun === null ? before : said();
    if (now !== null && now !== before) window.ended = performance.now();
    else requestAnimationFrame(look);
  };
  look();
}"""
"""Begins with the last press of a mouse button or key, and ends in the frame in which ``says`` gives something else."""
ROW, HEAD, OPEN, ROWS = 35, 36, 64, 7
"""Pixels of a row of a table, of its head, and to the button that opens a row; rows that are opened in turn, without
the first, which is open."""


@dataclass(frozen=True)
class Kind:
    """One kind of click.

    Attributes:
        page: Where it is made, a key of ``app_pages.FIRST``.
        says: JavaScript whose value changes with the answer; null = not there yet.
        do: Makes the n-th one.
    """

    page: str
    says: str
    do: Callable[[Page, int], None]


def found(pattern: str) -> str:
    """JavaScript: what a pattern finds first in the page's text."""
    return f"{MAIN}.match(/{pattern}/)?.[0] ?? null"


def press(*labels: str) -> Callable[[Page, int], None]:
    """Click on one of some buttons in turn, by what it says."""

    def do(page: Page, n: int) -> None:
        page.get_by_test_id("stMain").get_by_text(labels[n % len(labels)], exact=True).first.click()

    return do


def fill(label: str, of: Callable[[int], str]) -> Callable[[Page, int], None]:
    """Type into a field, and Enter."""

    def do(page: Page, n: int) -> None:
        field = page.get_by_label(label, exact=True)
        field.fill(of(n))
        field.press("Enter")

    return do


def choose(page: Page, n: int) -> None:
    """Open another row of the last table, the one of what is listed."""
    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    left, top = table.evaluate("one => { const { left, top } = one.getBoundingClientRect(); return [left, top]; }")
    page.mouse.click(left + OPEN, top + HEAD + ROW * (1 + n % ROWS) + ROW // 2)


def filtered(n: int) -> str:
    """Words to be found, and none, in turn."""
    return "" if n % 2 else f"caption {n // 2 + 1}"


KINDS: Mapping[str, Kind] = {
    "next query": Kind("query", found(r"Query [\d,]+ of"), press("Next")),
    "direction": Kind("failures", found(FAILED), press("video → text", "text → video")),
    "fails when rank >": Kind("failures", found(FAILED), fill("Fails when rank >", lambda n: "51"[n % 2])),
    "filter by words": Kind("failures", found(r"[\d,]+ of [\d,]+ failed"), fill("Filter", filtered)),
    "row of a table": Kind("failures", OPENED, choose),
    "part of a page": Kind("compare", HEADINGS, press("Causes", "Queries")),
}  # fmt: skip
SHARES = {"next query": 0.4}
"""Of all clicks; the other kinds have the same share of the rest each."""


def counts(clicks: int) -> dict[str, int]:
    """How many clicks of each kind are made."""
    rest = (1 - sum(SHARES.values())) / (len(KINDS) - len(SHARES))
    return {name: max(2, round(clicks * SHARES.get(name, rest))) for name in KINDS}


def clicked(visit: Visit, kind: Kind, n: int, most_s: float) -> float:
    """Milliseconds from the n-th click of a kind until what it changes has changed."""
    visit.page.wait_for_function(STANDS, timeout=1000 * most_s)
    visit.page.evaluate(WATCH, kind.says)
    kind.do(visit.page, n)
    visit.page.wait_for_function("window.ended !== null", timeout=1000 * most_s)
    return float(visit.page.evaluate("window.ended - window.begun"))


def all_clicked(
    visit: Visit, clicks: int, values: Mapping[str, str], ready: Mapping[str, str], most_s: float
) -> dict[str, np.ndarray]:
    """Milliseconds of every click, by kind; one of each state that kinds alternate between was made before.

    Args:
        visit: A tab.
        clicks: About how many.
        values: Of the addresses, as of ``app_pages.link``.
        ready: JavaScript by page, true when it can be clicked on.
        most_s: Seconds after which a click counts as lost.
    """
    took: dict[str, np.ndarray] = {}
    for name, count in counts(clicks).items():
        kind = KINDS[name]
        visit.open(link(kind.page, **values), ready[kind.page], most_s)
        for n in range(2):
            clicked(visit, kind, n, most_s)
        took[name] = np.array([clicked(visit, kind, n, most_s) for n in range(2, count + 2)])
    return took
