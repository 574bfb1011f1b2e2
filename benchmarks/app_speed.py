"""The app in a real browser at two sizes, against the naive page: plotly heat map, st.video, st.dataframe of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
from playwright.sync_api import BrowserContext
from playwright.sync_api import TimeoutError as NotInTime

from benchmarks.app_clicks import KINDS, STANDS, all_clicked, clicked, counts
from benchmarks.app_pages import FIRST, link, number_on
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
from tests.captioned import captioned_runs
from tests.figures.players import READ, Seen, barcode_corpus
from workbench.core.workspace import elsewhere
from workbench.evaluation import Run

FLAT_MB, VIDEO_BYTES, EXACT = 30.0, 64_000_000, 0.99
"""Growth in a second round of clicks; of the naive page's video; least share of frames with their own boxes."""
LEAST_TIMES = {"largest message": 50, "heap": 3}
"""How many times ours what the naive page sends and holds must be."""
SEARCHED = "street"
"""A word that is searched for."""
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
    """Measure pages, clicks, pans, overlays, messages and memory at every size, then the naive page; append tables."""
    report.say("## The app, page by page")
    runs = made(amount.sizes, filmed=True)
    with elsewhere(runs.home):
        captioned_runs(barcode_corpus(runs.home / "clips" / "barcodes"), "barcodes-")
    with chromium() as browser:
        with app(runs.home) as (base, process):
            largest = first_numbers(report, browser, base, runs)
            found = interactions(report, browser, base, process, runs, amount)
            overlays(report, browser, base, amount.frames)
        found = replace(found, message=max(found.message, largest))
        held(report, found, amount)
        naive(report, browser, next(iter(runs.runs.values()))[0], amount, found)


def values_of(name: str) -> dict[str, str]:
    """What stands in addresses, of the two runs of a corpus."""
    corpus = {"corpus": f"{name}/test", "data_corpus": name}
    return {**corpus, "run": f"{name}-a", "other": f"{name}-b", "against": f"{name}-b", "words": SEARCHED}


def drawn(page: str) -> str:
    """JavaScript: whether the first number of a page stands there, or what it says where it has none."""
    numbers = [number_on(page)] + ([number_on(page, without=True)] if FIRST[page].without else [])
    return " || ".join(f"(({one}) !== null)" for one in numbers)


def first_numbers(report: Report, browser: BrowserContext, base: str, runs: Made) -> int:
    """Seconds from a link to the first number of every page, the first time that it is opened and the second.

    Returns:
        Bytes of the largest message.
    """
    report.say(
        "",
        "Every video has a file and read words. Seconds from following a link to the page's first number, in a new "
        "tab each: the first time that the server shows it, and once more. Nothing was trained here, as *Training* "
        "says.",
    )
    report.header("page", *[f"{title}, first" for title in runs.names], *[f"{title}, warm" for title in runs.names],
                  "largest message, kB")  # fmt: skip
    largest = 0
    for page in FIRST:
        took: list[list[float]] = [[], []]
        sent = 0
        for times in took:
            for name in runs.names.values():
                visit = Visit(browser, base)
                times.append(visit.open(link(page, **values_of(name)), drawn(page), MOST_S))
                visit.page.wait_for_function(STANDS, timeout=1000 * MOST_S)
                sent = max(sent, visit.largest)
                visit.page.close()
        report.row(page, *[f"{one:.1f}" for one in [*took[0], *took[1]]], f"{sent / 1e3:,.0f}")
        largest = max(largest, sent)
    return largest


def interactions(
    report: Report, browser: BrowserContext, base: str, process: psutil.Process, runs: Made, amount: Amount
) -> Found:
    """Clicks that need Python, pans, the largest message, and memory of browser and server."""
    took: dict[str, dict[str, np.ndarray]] = {}
    cells, every = [], []
    ready = {page: drawn(page) for page in FIRST}
    for title, name in runs.names.items():
        visit, memory, rounds = Visit(browser, base), [], []
        visit.open(link("query", **values_of(name)), drawn("query"), MOST_S)
        memory.append(anonymous_mb(process))
        for _ in range(2):
            rounds.append(all_clicked(visit, amount.clicks, values_of(name), ready, MOST_S))
            memory.append(anonymous_mb(process))
        took[title] = {kind: np.concatenate([one[kind] for one in rounds]) for kind in KINDS}
        heap = visit.heap_mb()
        visit.open(link("matrix", **values_of(name)), DRAWN, MOST_S)
        come_near(visit)
        moved = pans(visit, amount.pans)
        found = Found(visit.largest, max(heap, visit.heap_mb()), memory[1] - memory[0], memory[2] - memory[1])
        every.append(found)
        cells.append([title, spread(moved), f"{found.message / 1e3:,.0f}", f"{found.heap:.0f}", f"{found.growth:.0f}",
                      f"{found.more:.0f}"])  # fmt: skip
        visit.page.close()
    _say_clicks(report, took, sum(counts(amount.clicks).values()))
    _say_held(report, cells, amount)
    return Found(*(max(getattr(one, name) for one in every) for name in Found.__annotations__))


def _say_clicks(report: Report, took: Mapping[str, Mapping[str, np.ndarray]], number: int) -> None:
    report.say(
        "",
        f"{number} clicks that need Python and as many again, from the press to the changed text; milliseconds: p50, "
        "p95, longest. What a click alternates between was shown once before, but for the words of a filter. A row "
        "is opened by its button; a selection of it would be told 150 ms later, as Streamlit's table waits that long.",
    )
    report.header("click", *took)
    for kind in [*KINDS, "all"]:
        times = [np.concatenate([*of.values()]) if kind == "all" else of[kind] for of in took.values()]
        report.row(kind, *[f"{spread(one)}, {one.max():.0f}" for one in times])


def _say_held(report: Report, cells: list[list[str]], amount: Amount) -> None:
    report.say(
        "",
        "The matrix, near enough for single cells, panned; all in one tab. Heap: of the tab, after a collection. "
        "Growth: of the server beyond mapped files, since the first page stood.",
    )
    report.header("matrix", "pan, ms (p50, p95)", "largest message, kB", "heap, MB",
                  f"server grows in {amount.clicks} clicks, MB", "in as many more, MB")  # fmt: skip
    for row in cells:
        report.row(*row)


def overlays(report: Report, browser: BrowserContext, base: str, frames: int) -> None:
    """Share of presented frames with the boxes of that very frame, while two videos play on the page of a query."""
    report.say(
        "",
        f"Boxes on the page of a query while two videos of five and eight seconds play side by side, {frames} "
        "presented frames at least: frames whose number in the picture is that for which boxes were drawn, of those "
        "that could be read before the next was presented (`tests/figures/players.py`).",
    )
    report.header("rate", "frames read", "exact, %", "farthest, frames", "boxes at another place")
    visit = Visit(browser, base)
    visit.page.add_init_script(READ)
    values = {"corpus": "barcodes/test", "run": "barcodes-wrong", "other": "barcodes-right", "q": "constant.mp4#0"}
    visit.open(link("query", **values), drawn("query"), MOST_S)
    players = visit.page.locator(".wbp[data-ready=true]")  # looks into components too, which JavaScript does not
    for at in range(2):
        players.nth(at).get_by_label("Play", exact=True).click(timeout=1000 * MOST_S)
    least = 1.0
    for rate in ("constant", "variable"):
        enough = "([key, count]) => window.seen.filter(one => one.player.endsWith(key)).length >= count"
        visit.page.wait_for_function(enough, arg=[f"{rate}.mp4", frames], timeout=1000 * MOST_S, polling=500)
        found = Seen.of([one for one in visit.page.evaluate("window.seen") if one["player"].endswith(f"{rate}.mp4")])
        share = found.exact / max(1, found.counted)
        least = min(least, share)
        report.row(rate, found.counted, f"{100 * share:.1f}", found.farthest, len(found.misplaced))
    visit.page.close()
    report.floor(f"at least {100 * EXACT:.0f} % of the frames have their own boxes", least >= EXACT)


def held(report: Report, found: Found, amount: Amount) -> None:
    """The limits of what is sent and held."""
    report.floor(f"no websocket message over {MOST_MESSAGE / 1e6:.0f} MB", found.message <= MOST_MESSAGE)
    report.floor(f"a browser heap of at most {MOST_HEAP_MB:.0f} MB", found.heap <= MOST_HEAP_MB)
    report.floor(f"a server that grows by at most {MOST_GROWTH_MB:.0f} MB in {amount.clicks} clicks",
                 found.growth <= MOST_GROWTH_MB)  # fmt: skip
    report.floor(f"and by at most {FLAT_MB:.0f} MB in as many after that", found.more <= FLAT_MB)


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
            shown = visit.open("", PLOTTED, MOST_S)
            took = np.array([clicked(visit, KINDS["next query"], n, MOST_S) for n in range(amount.naive)])
            moved = np.array([plotly_pan(visit) for _ in range(min(5, amount.naive))])
            heap, growth = visit.heap_mb(), anonymous_mb(process) - before
            cells = [f"{shown:.1f}", spread(took), spread(moved), f"{visit.largest / 1e3:,.0f}", f"{heap:.0f}",
                     f"{growth:.0f}"]  # fmt: skip
        except NotInTime:
            heap = growth = np.inf
            cells = [f"not within {MOST_S:.0f}", "", "", f"{visit.largest / 1e3:,.0f}", "", ""]
        visit.page.close()
    report.row(f"{shape[0]:,} x {shape[1]:,}", *cells)
    if np.prod(shape) >= LARGE:
        times = {"largest message": visit.largest / ours.message, "heap": heap / ours.heap}
        for what, least in LEAST_TIMES.items():
            report.floor(f"the naive page's {what} is at least {least} times ours", times[what] >= least)
        report.floor("its server grows more than ours", growth > ours.growth)


def naive_script(folder: Path, run: Run) -> Path:
    """The naive page of a run, and its video."""
    video, script = folder / "naive.mp4", folder / "naive.py"
    video.write_bytes(bytes(VIDEO_BYTES))
    parts = {"matrix": run.path / "similarity.npy", "video": video, "table": run.path / "per_query.parquet"}
    script.write_text(NAIVE.format(**{name: str(path) for name, path in parts.items()}), encoding="utf-8")
    return script
