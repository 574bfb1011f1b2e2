"""The matrix page in a real browser, and its pyramid, against a page that shows the matrix as one plotly heat map."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
from playwright.sync_api import BrowserContext
from playwright.sync_api import TimeoutError as NotInTime

from benchmarks.made_matrices import FULL, Amount, Made, made
from benchmarks.pages import Visit, app, chromium, streamlit
from benchmarks.rank_files import anonymous_mb
from benchmarks.rank_peers import read_once
from benchmarks.ranks import seconds
from benchmarks.report import Report
from workbench.analysis import domain_means
from workbench.core.seeds import generator
from workbench.evaluation import Run
from workbench.figures import MatrixView

NAIVE_SIDES = (500, 2_727)
FARTHEST, PAUSE_MS = 300, 150
MOST_S = 150.0
MOST_MESSAGE, MOST_HEAP_MB, MOST_VIEW_BYTES, MOST_GROWTH_MB = 2_000_000, 256.0, 3_000_000, 300.0
MOST_READS, MOST_MEANS_READS, LARGE = 60.0, 20.0, 1 << 22
"""Reads of the matrix that levels and domain means may take; asked of matrices of so many scores, not of tiny ones."""
FRAME = "[...document.querySelectorAll('*')].map(n => n.shadowRoot?.querySelector('.frame')).find(Boolean)"
DRAWN = f"{FRAME}?.dataset.ready === 'true'"
PLOTTED = "document.querySelector('.js-plotly-plot .heatmaplayer image')"
PAN = f"""async ([dx, dy]) => {{
  const frame = {FRAME}, canvas = frame.querySelector('canvas');
  const box = canvas.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const send = (type, dx, dy) =>
    canvas.dispatchEvent(new PointerEvent(type, {{pointerId: 7, clientX: x + dx, clientY: y + dy}}));
  canvas.setPointerCapture = () => {{}};
  frame.dataset.ready = 'asked';
  const start = performance.now();
  send('pointerdown', 0, 0); send('pointermove', dx, dy); send('pointerup', dx, dy);
  while (frame.dataset.ready !== 'true') await new Promise(requestAnimationFrame);
  return performance.now() - start;
}}"""
PLOTLY_PAN = """() => new Promise(done => {
  const plot = document.querySelector('.js-plotly-plot');
  document.addEventListener('mouseup', () => {
    const start = performance.now();
    plot.once('plotly_afterplot', () => done(performance.now() - start));
  }, {once: true, capture: true});
  window.dragged = true;
})"""
NAIVE = """
import numpy as np, plotly.graph_objects as go, streamlit as st
figure = go.Figure(go.Heatmap(z=np.load({path!r})))
st.plotly_chart(figure.update_layout(dragmode="pan", height=700))
"""


def matrix_view(report: Report, amount: Amount = FULL) -> None:
    """Measure pyramid, domain means, page and pan at every size, then the naive page, and append the tables."""
    report.say("## The matrix view")
    runs = made(amount.sizes)
    pyramids(report, runs)
    means(report, runs)
    with chromium() as browser:
        with app(runs.home) as (base, process):
            pages(report, browser, base, process, runs, amount.pans)
        naive(report, browser, np.asarray(next(iter(runs.runs.values()))[0].similarity))


def shown(runs: Made) -> list[tuple[str, str, list[Run]]]:
    """Size, what is shown, and the one run or the two of it."""
    return [
        (title, what, list(pair)) for title, (run, other) in runs.runs.items()
        for what, pair in (("a run", (run,)), ("a difference", (run, other)))
    ]  # fmt: skip


def floor_of(runs: list[Run]) -> float:
    """Seconds of one read of their matrices by all cores."""
    matrices = [np.asarray(run.similarity) for run in runs]
    [read_once(matrix) for matrix in matrices]
    return seconds(lambda: [read_once(matrix) for matrix in matrices])


def pyramids(report: Report, runs: Made) -> None:
    """Time of making the pooled levels, against one read of the matrix by all cores."""
    report.say("", "Pooled levels (max and mean), made once per matrix; floor: one read of the matrix by all cores.")
    report.header("matrix", "of", "floor, s", "made in, s", "times the floor", "file, MB", "largest tile, bytes")
    ratios = [0.0]
    with TemporaryDirectory() as warm:
        MatrixView(*shown(runs)[0][2], None, Path(warm)).build()  # loads the compiled code
    with TemporaryDirectory() as folder:
        for title, what, pair in shown(runs):
            view = MatrixView(pair[0], pair[1] if len(pair) > 1 else None, Path(folder))
            floor, took = floor_of(pair), seconds(view.build)
            largest = max(view.tile(level, 0, 0).nbytes for level in range(view.n_levels))
            ratios += [took / floor] if np.prod(view.shape) >= LARGE else []
            report.row(title, what, f"{floor:.3f}", f"{took:.2f}", f"{took / floor:.0f}",
                       f"{view.pyramid.n_bytes / 1e6:.1f}", f"{largest:,}")  # fmt: skip
    report.floor(f"levels are made in at most {MOST_READS:.0f} reads of the matrix", max(ratios) <= MOST_READS)


def means(report: Report, runs: Made) -> None:
    """Time of domain by domain means with their intervals, against one read of the matrix by all cores."""
    report.say("", "Domain by domain means with clustered intervals, kept beside the levels; floor as above.")
    report.header("matrix", "of", "floor, s", "made in, s", "times the floor")
    ratios = [0.0]
    for title, what, pair in shown(runs):
        domain_means(*pair)  # loads the compiled code and the tables
        floor, took = floor_of(pair), seconds(lambda pair=pair: domain_means(*pair))
        ratios += [took / floor] if np.prod(np.shape(pair[0].similarity)) >= 20 * LARGE else []
        report.row(title, what, f"{floor:.3f}", f"{took:.2f}", f"{took / floor:.1f}")
    report.floor(
        f"means of the larger matrix are made in at most {MOST_MEANS_READS:.0f} reads of it",
        max(ratios) <= MOST_MEANS_READS,
    )


def pages(report: Report, browser: BrowserContext, base: str, process: psutil.Process, runs: Made, n_pans: int) -> None:
    """The page at every size: until it is drawn, pans from afar and of single cells, bytes, memory."""
    report.say(
        "",
        f"The page in Chromium, opened for the second time; {n_pans} pans of up to {FARTHEST} pixels along each axis, "
        f"{PAUSE_MS} ms apart, until every tile is drawn; single cells are as near as makes them one pixel or more.",
    )
    report.header("matrix", "drawn, s", "first view, kB", "pan from afar, ms (p50, p95)", "pan of cells, ms (p50, p95)",
                  "largest message, kB", "heap, MB", "server grows, MB")  # fmt: skip
    found = []
    for title, name in runs.names.items():
        path = f"matrix?corpus={name}/test&run={name}-a&minus={name}-b"
        before_it = Visit(browser, base)
        before_it.open(path, DRAWN, MOST_S)
        before_it.page.close()
        visit = Visit(browser, base, "/matrix/")
        drawn = visit.open(path, DRAWN, MOST_S)
        first, before = visit.fetched, anonymous_mb(process)
        afar = pans(visit, n_pans)
        come_near(visit)
        near = pans(visit, n_pans)
        growth, heap = anonymous_mb(process) - before, visit.heap_mb()
        found.append((first, visit.largest, heap, growth))
        report.row(title, f"{drawn:.1f}", f"{first / 1e3:.0f}", spread(afar), spread(near),
                   f"{visit.largest / 1e3:.0f}", f"{heap:.0f}", f"{growth:.0f}")  # fmt: skip
        visit.page.close()
    first, largest, heap, growth = (max(values) for values in zip(*found, strict=True))
    report.floor(f"no websocket message over {MOST_MESSAGE / 1e6:.0f} MB", largest <= MOST_MESSAGE)
    report.floor(f"a first view of at most {MOST_VIEW_BYTES / 1e6:.0f} MB", first <= MOST_VIEW_BYTES)
    report.floor(f"a browser heap of at most {MOST_HEAP_MB:.0f} MB", heap <= MOST_HEAP_MB)
    report.floor(f"a server that grows by at most {MOST_GROWTH_MB:.0f} MB", growth <= MOST_GROWTH_MB)


def come_near(visit: Visit) -> None:
    """Zoom until single cells are drawn."""
    visit.page.locator("canvas.canvas").focus()
    while visit.page.evaluate(f"{FRAME}.dataset.level") != "0":
        visit.page.keyboard.press("+")
        visit.page.wait_for_function(DRAWN, timeout=1000 * MOST_S)


def pans(visit: Visit, number: int) -> np.ndarray:
    """Milliseconds from the end of each of some drags until all is drawn."""
    draw = generator(0, "bench, pans")
    steps = draw.integers(-FARTHEST, FARTHEST + 1, (number, 2))
    found = []
    for step in steps:
        visit.page.wait_for_timeout(PAUSE_MS)
        found.append(visit.page.evaluate(PAN, step.tolist()))
    return np.array(found)


def spread(values: np.ndarray) -> str:
    """Median and 95th percentile."""
    return f"{np.quantile(values, 0.5):.0f}, {np.quantile(values, 0.95):.0f}"


def naive(report: Report, browser: BrowserContext, matrix: np.ndarray) -> None:
    """The same matrix as one plotly heat map."""
    report.say("", f"The naive page: `st.plotly_chart` of one heat map; given {MOST_S:.0f} s to be drawn.")
    report.header("matrix", "drawn, s", "pan, ms (p50, p95)", "largest message, kB", "heap, MB")
    with TemporaryDirectory() as folder:
        for side in [one for one in NAIVE_SIDES if one <= min(matrix.shape)]:
            np.save(f"{folder}/naive.npy", matrix[:side, :side])
            script = Path(folder) / f"naive_{side}.py"
            script.write_text(NAIVE.format(path=f"{folder}/naive.npy"), encoding="utf-8")
            with streamlit(script) as (base, _):
                visit = Visit(browser, base)
                report.row(f"{side:,} x {side:,}", *_drawn(visit))
                visit.page.close()


def _drawn(visit: Visit) -> list[str]:
    try:
        drawn = visit.open("", PLOTTED, MOST_S)
    except NotInTime:
        return [f"not within {MOST_S:.0f}", "", f"{visit.largest / 1e3:,.0f}", ""]
    moved = spread(np.array([plotly_pan(visit) for _ in range(5)]))
    return [f"{drawn:.1f}", moved, f"{visit.largest / 1e3:,.0f}", f"{visit.heap_mb():.0f}"]


def plotly_pan(visit: Visit) -> float:
    """Milliseconds from the end of a drag until plotly has drawn."""
    box = visit.page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    if box is None:
        raise NotInTime("The heat map cannot be dragged.")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visit.page.evaluate(f"() => {{ window.panned = ({PLOTLY_PAN})(); }}")
    visit.page.mouse.move(x, y)
    visit.page.mouse.down()
    visit.page.mouse.move(x - 60, y - 40, steps=3)
    visit.page.mouse.up()
    return float(visit.page.evaluate("() => window.panned"))
