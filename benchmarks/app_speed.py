"""The app in a real browser at two sizes, against the naive page: plotly heat map, st.video, st.dataframe of all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
from playwright.sync_api import BrowserContext
from playwright.sync_api import TimeoutError as NotInTime

from benchmarks.made_matrices import FULL, Amount, Made, made
from benchmarks.matrix_view import (
    DRAWN,
    LARGE,
    MOST_GROWTH_MB,
    MOST_HEAP_MB,
    MOST_MESSAGE,
    MOST_S,
    PLOTTED,
    come_near,
    pans,
    plotly_pan,
    spread,
)
from benchmarks.pages import Visit, app, chromium, streamlit
from benchmarks.rank_files import anonymous_mb
from benchmarks.report import Report
from workbench.evaluation import Run

FIRST = {  # page: what of its text is its first number
    "leaderboard": r"R@1 \(95", "domains": r"R@1 [\d.]+", "compare": r"R@1 \(95", "failures": r"[\d,]+ queries",
    "query": r"Query [\d,]+ of", "hubs": r"\d", "data": r"\d",
}  # fmt: skip
SAYS = "document.querySelector('h1') && /{0}/.test(document.querySelector('[data-testid=stMain]').innerText)"
STANDS = "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
NEXT = """async (label) => {
  const said = () => document.querySelector('[data-testid=stMain]').innerText.match(/Query ([0-9,]+) of/)?.[1];
  const button = () => [...document.querySelectorAll('a, button')].find(one => one.innerText.trim().endsWith(label));
  const stands = () => STANDS;
  while (!said() || !button() || !stands()) await new Promise(requestAnimationFrame);
  const before = said(), start = performance.now();
  button().click();
  while (!said() || said() === before) {
    await new Promise(requestAnimationFrame);
    if (performance.now() - start > 30_000) throw new Error(`Nothing came of a click on ${label}.`);
  }
  return performance.now() - start;
}""".replace("STANDS", STANDS)
FLAT_MB, VIDEO_BYTES, LEAST_TIMES = 30.0, 64_000_000, 50
"""Growth in a second round of clicks; of the naive page's video; how many times its largest message must be ours."""
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


@dataclass(frozen=True)
class Found:
    """What was held and sent, the most of all sizes.

    Attributes:
        message: Bytes of the largest websocket message.
        heap: MB of the browser's tab.
        growth: MB that the server grew by in the first round of clicks.
        more: MB in the second round.
    """

    message: int
    heap: float
    growth: float
    more: float


def app_speed(report: Report, amount: Amount = FULL) -> None:
    """Measure pages, clicks, pans, messages and memory at every size, then the naive page, and append the tables."""
    report.say("## The app, page by page")
    runs = made(amount.sizes)
    with chromium() as browser:
        with app(runs.home) as (base, process):
            first_numbers(report, browser, base, runs)
            found = interactions(report, browser, base, process, runs, amount)
        naive(report, browser, next(iter(runs.runs.values()))[0], amount, found)


def link(page: str, name: str) -> str:
    """The address of a page that shows the two runs of a corpus."""
    return f"{page}?v=1&corpus={name}/test&run={name}-a&other={name}-b"


def first_numbers(report: Report, browser: BrowserContext, base: str, runs: Made) -> None:
    """Seconds from a link to the first number of every page, the first time that it is opened and the second."""
    report.say(
        "",
        "Seconds from following a link to the page's first number, in a new tab each: the first time that the server "
        "shows it, and once more.",
    )
    report.header("page", *[f"{title}, first" for title in runs.names], *[f"{title}, warm" for title in runs.names])
    for page, number in FIRST.items():
        took: list[list[float]] = [[], []]
        for times in took:
            for name in runs.names.values():
                visit = Visit(browser, base)
                times.append(visit.open(link(page, name), SAYS.format(number), MOST_S))
                visit.page.close()
        report.row(page, *[f"{one:.1f}" for one in [*took[0], *took[1]]])


def interactions(
    report: Report, browser: BrowserContext, base: str, process: psutil.Process, runs: Made, amount: Amount
) -> Found:
    """Clicks that need Python, pans, the largest message, and memory of browser and server."""
    report.say(
        "",
        f"`Next` on the page of a query, {amount.clicks} times and as many again, from click to changed text; then the "
        "matrix, near enough for single cells, panned. Heap: of the tab, after a collection. Growth: of the server "
        "beyond mapped files, since the page stood.",
    )
    report.header("matrix", "click, ms (p50, p95)", "pan, ms (p50, p95)", "largest message, kB", "heap, MB",
                  f"server grows in {amount.clicks} clicks, MB", "in as many more, MB")  # fmt: skip
    every = []
    for title, name in runs.names.items():
        visit = Visit(browser, base)
        visit.open(link("query", name), SAYS.format(FIRST["query"]), MOST_S)
        visit.page.wait_for_function(STANDS, timeout=1000 * MOST_S)
        took, held = [], [anonymous_mb(process)]
        for _ in range(2):
            took += [visit.page.evaluate(NEXT, "Next") for _ in range(amount.clicks)]
            held.append(anonymous_mb(process))
        heap = visit.heap_mb()
        visit.open(link("matrix", name), DRAWN, MOST_S)
        come_near(visit)
        moved = pans(visit, amount.pans)
        found = Found(visit.largest, max(heap, visit.heap_mb()), held[1] - held[0], held[2] - held[1])
        every.append(found)
        report.row(title, spread(np.array(took)), spread(moved), f"{found.message / 1e3:,.0f}", f"{found.heap:.0f}",
                   f"{found.growth:.0f}", f"{found.more:.0f}")  # fmt: skip
        visit.page.close()
    most = Found(*(max(getattr(one, name) for one in every) for name in Found.__annotations__))
    report.floor(f"no websocket message over {MOST_MESSAGE / 1e6:.0f} MB", most.message <= MOST_MESSAGE)
    report.floor(f"a browser heap of at most {MOST_HEAP_MB:.0f} MB", most.heap <= MOST_HEAP_MB)
    report.floor(f"a server that grows by at most {MOST_GROWTH_MB:.0f} MB", most.growth <= MOST_GROWTH_MB)
    report.floor(f"and by at most {FLAT_MB:.0f} MB in as many clicks after that", most.more <= FLAT_MB)
    return most


def naive(report: Report, browser: BrowserContext, run: Run, amount: Amount, ours: Found) -> None:
    """The same of one page that hands everything to Streamlit; the larger matrix is over its limit of a message."""
    report.say(
        "",
        f"The naive page in the same run: `st.plotly_chart` of one heat map, `st.video` of {VIDEO_BYTES / 1e6:.0f} MB, "
        f"`st.dataframe` of every query; {amount.naive} clicks; given {MOST_S:.0f} s to be drawn. "
        "42,200 x 10,500 does not fit into a message of Streamlit's.",
    )
    report.header("matrix", "warm page drawn, s", "click, ms (p50, p95)", "pan, ms (p50, p95)", "largest message, kB",
                  "heap, MB", "server grows, MB")  # fmt: skip
    shape = np.shape(run.similarity)
    with TemporaryDirectory() as folder, streamlit(naive_script(Path(folder), run)) as (base, process):
        before, visit = anonymous_mb(process), Visit(browser, base)
        try:
            visit.open("", PLOTTED, MOST_S)
            drawn = visit.open("", PLOTTED, MOST_S)
            took = np.array([visit.page.evaluate(NEXT, "Next") for _ in range(amount.naive)])
            moved = np.array([plotly_pan(visit) for _ in range(min(5, amount.naive))])
            cells = [f"{drawn:.1f}", spread(took), spread(moved), f"{visit.largest / 1e3:,.0f}",
                     f"{visit.heap_mb():.0f}", f"{anonymous_mb(process) - before:.0f}"]  # fmt: skip
        except NotInTime:
            cells = [f"not within {MOST_S:.0f}", "", "", f"{visit.largest / 1e3:,.0f}", "", ""]
        visit.page.close()
    report.row(f"{shape[0]:,} x {shape[1]:,}", *cells)
    if np.prod(shape) >= LARGE:
        report.floor(
            f"the naive page's largest message is at least {LEAST_TIMES} times ours",
            visit.largest >= LEAST_TIMES * ours.message,
        )


def naive_script(folder: Path, run: Run) -> Path:
    """The naive page of a run, and its video."""
    video, script = folder / "naive.mp4", folder / "naive.py"
    video.write_bytes(bytes(VIDEO_BYTES))
    parts = {"matrix": run.path / "similarity.npy", "video": video, "table": run.path / "per_query.parquet"}
    script.write_text(NAIVE.format(**{name: str(path) for name, path in parts.items()}), encoding="utf-8")
    return script
