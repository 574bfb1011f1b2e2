"""The app in a real browser at two sizes, against the naive page: plotly heat map, st.video, st.dataframe of all."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Browser
from playwright.sync_api import TimeoutError as NotInTime

from benchmarks.matrix_view import (
    DRAWN,
    MOST_GROWTH_MB,
    MOST_HEAP_MB,
    MOST_MESSAGE,
    MOST_S,
    PLOTTED,
    SIZES,
    come_near,
    made_runs,
    pans,
    plotly_pan,
    spread,
)
from benchmarks.pages import Visit, chromium, streamlit
from benchmarks.rank_files import anonymous_mb
from benchmarks.report import Report
from workbench.core.workspace import elsewhere

FIRST = {  # page: what of its text is its first number
    "leaderboard": r"R@1 \(95", "domains": r"R@1 [\d.]+", "compare": r"R@1 \(95", "failures": r"[\d,]+ queries",
    "query": r"Query [\d,]+ of", "hubs": r"\d", "data": r"\d",
}  # fmt: skip
SAYS = "document.querySelector('h1') && /{0}/.test(document.querySelector('[data-testid=stMain]').innerText)"
NEXT = """async (label) => {
  const said = () => document.querySelector('[data-testid=stMain]').innerText.match(/Query ([0-9,]+) of/)?.[1];
  const button = () => [...document.querySelectorAll('a, button')].find(one => one.innerText.trim().endsWith(label));
  const idle = () => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning';
  while (!said() || !button() || !idle()) await new Promise(requestAnimationFrame);
  const before = said(), start = performance.now();
  button().click();
  while (!said() || said() === before) {
    await new Promise(requestAnimationFrame);
    if (performance.now() - start > 30_000) throw new Error(`Nothing came of a click on ${label}.`);
  }
  return performance.now() - start;
}"""
CLICKS, AFTERWARDS, NAIVE_CLICKS = 200, 100, 20
FLAT_MB, VIDEO_BYTES = 30.0, 64_000_000
NAIVE = """
import numpy as np, pandas as pd, plotly.graph_objects as go, streamlit as st
st.title("Naive")
at = st.session_state.setdefault("at", 1)
st.write(f"Query {{at}} of everything")
st.button("Next", on_click=lambda: st.session_state.update(at=at + 1))
matrix = np.load({matrix!r})
st.plotly_chart(go.Figure(go.Heatmap(z=matrix)).update_layout(dragmode="pan", height=700))
st.video({video!r})
st.dataframe(pd.read_parquet({table!r}))
"""


def app_speed(report: Report, sizes: Mapping[str, tuple[int, int]] = SIZES, clicks: int = CLICKS) -> None:
    """Measure pages, clicks, pans, messages and memory at every size, then the naive page, and append the tables.

    Args:
        report: Where the tables go.
        sizes: Captions and videos, by title.
        clicks: Interactions after which the server's memory is looked at.
    """
    report.say("## The app, page by page")
    with tempfile.TemporaryDirectory() as folder, elsewhere(Path(folder)), chromium() as browser:
        names = {title: f"s{shape[0]}" for title, shape in sizes.items()}
        runs = {title: made_runs(names[title], shape) for title, shape in sizes.items()}
        with streamlit(Path(__file__).parents[1] / "app.py") as (base, process):
            first_numbers(report, browser, base, names)
            interactions(report, browser, base, process, names, clicks)
        title = next(iter(sizes))
        naive(report, browser, Path(folder), title, runs[title][0].path)


def link(page: str, name: str) -> str:
    """The address of a page that shows the two runs of a corpus."""
    return f"{page}?v=1&corpus={name}/test&run={name}-a&other={name}-b"


def first_numbers(report: Report, browser: Browser, base: str, names: Mapping[str, str]) -> None:
    """Seconds from a link to the first number of every page, the second time that it is opened."""
    report.say("", "Seconds from following a link to the page's first number, first and second time (a new tab each).")
    report.header("page", *[f"{title}, first" for title in names], *[f"{title}, warm" for title in names])
    for page, number in FIRST.items():
        took: list[list[float]] = [[], []]
        for times in took:
            for name in names.values():
                visit = Visit(browser, base)
                times.append(visit.open(link(page, name), SAYS.format(number), MOST_S))
                visit.page.close()
        report.row(page, *[f"{one:.1f}" for one in [*took[0], *took[1]]])


def interactions(
    report: Report, browser: Browser, base: str, process: psutil.Process, names: Mapping[str, str], clicks: int
) -> None:
    """Clicks that need Python, pans, the largest message, and memory of browser and server."""
    report.say(
        "",
        f"`Next` on the page of a query, {clicks} times and {AFTERWARDS} times more, from click to changed text; "
        "then the matrix, near enough for single cells, panned. Heap: of the tab, after a collection. "
        "Growth: of the server beyond mapped files.",
    )
    report.header("matrix", "click, ms (p50, p95)", "pan, ms (p50, p95)", "largest message, kB", "heap, MB",
                  f"server grows in {clicks} clicks, MB", f"in {AFTERWARDS} more, MB")  # fmt: skip
    found = []
    for title, name in names.items():
        visit = Visit(browser, base)
        visit.open(link("query", name), SAYS.format(FIRST["query"]), MOST_S)
        before = anonymous_mb(process)
        took = np.array([visit.page.evaluate(NEXT, "Next") for _ in range(clicks)])
        after = anonymous_mb(process)
        [visit.page.evaluate(NEXT, "Next") for _ in range(AFTERWARDS)]
        more, heap = anonymous_mb(process) - after, visit.heap_mb()
        visit.open(link("matrix", name), DRAWN, MOST_S)
        come_near(visit)
        moved = pans(visit)
        heap = max(heap, visit.heap_mb())
        found.append((visit.largest, heap, after - before, more))
        report.row(title, spread(took), spread(moved), f"{visit.largest / 1e3:,.0f}", f"{heap:.0f}",
                   f"{after - before:.0f}", f"{more:.0f}")  # fmt: skip
        visit.page.close()
    largest, heap, growth, more = (max(values) for values in zip(*found, strict=True))
    report.floor(f"no websocket message over {MOST_MESSAGE / 1e6:.0f} MB", largest <= MOST_MESSAGE)
    report.floor(f"a browser heap of at most {MOST_HEAP_MB:.0f} MB", heap <= MOST_HEAP_MB)
    report.floor(f"a server that grows by at most {MOST_GROWTH_MB:.0f} MB", growth <= MOST_GROWTH_MB)
    report.floor(f"and by at most {FLAT_MB:.0f} MB in {AFTERWARDS} clicks after that", more <= FLAT_MB)


def naive(report: Report, browser: Browser, folder: Path, title: str, run: Path) -> None:
    """The same of one page that hands everything to Streamlit; the larger matrix is over its limit of a message."""
    report.say(
        "",
        f"The naive page in the same run: `st.plotly_chart` of one heat map, `st.video` of {VIDEO_BYTES / 1e6:.0f} MB, "
        f"`st.dataframe` of every query; {NAIVE_CLICKS} clicks; given {MOST_S:.0f} s to be drawn. "
        "42,200 x 10,500 does not fit into a message of Streamlit's.",
    )
    report.header("matrix", "warm page drawn, s", "click, ms (p50, p95)", "pan, ms (p50, p95)", "largest message, kB",
                  "heap, MB", "server grows, MB")  # fmt: skip
    video, script = folder / "naive.mp4", folder / "naive.py"
    video.write_bytes(bytes(VIDEO_BYTES))
    parts = {"matrix": run / "similarity.npy", "video": video, "table": run / "per_query.parquet"}
    script.write_text(NAIVE.format(**{name: str(path) for name, path in parts.items()}), encoding="utf-8")
    with streamlit(script) as (base, process):
        before, visit = anonymous_mb(process), Visit(browser, base)
        try:
            visit.open("", PLOTTED, MOST_S)
            drawn = visit.open("", PLOTTED, MOST_S)
        except NotInTime:
            report.row(title, f"not within {MOST_S:.0f}", "", "", f"{visit.largest / 1e3:,.0f}", "", "")
            return
        took = np.array([visit.page.evaluate(NEXT, "Next") for _ in range(NAIVE_CLICKS)])
        moved = np.array([plotly_pan(visit) for _ in range(5)])
        report.row(title, f"{drawn:.1f}", spread(took), spread(moved), f"{visit.largest / 1e3:,.0f}",
                   f"{visit.heap_mb():.0f}", f"{anonymous_mb(process) - before:.0f}")  # fmt: skip
