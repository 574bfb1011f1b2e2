"""The matrix page in a real browser, and its pyramid, against a page that shows the matrix as one plotly heat map."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Browser
from playwright.sync_api import TimeoutError as NotInTime

from benchmarks.pages import Visit, chromium, streamlit
from benchmarks.rank_files import anonymous_mb
from benchmarks.rank_peers import read_once
from benchmarks.ranks import seconds
from benchmarks.report import Report
from workbench.core.seeds import generator
from workbench.core.workspace import elsewhere, workspace
from workbench.corpus import Corpus, save_corpus
from workbench.evaluation import Run, save_run
from workbench.figures import MatrixView

SIZES = {"2,727 x 2,727": (2_727, 2_727), "42,200 x 10,500": (42_200, 10_500)}
NAIVE_SIDES = (500, 2_727)
N_DOMAINS, VECTOR, PANS, FARTHEST, PAUSE_MS = 8, 64, 60, 300, 150
MOST_S = 150.0
MOST_MESSAGE, MOST_HEAP_MB, MOST_VIEW_BYTES, MOST_GROWTH_MB, MOST_READS = 2_000_000, 256.0, 3_000_000, 300.0, 60.0
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


def made_corpus(name: str, n_captions: int, n_videos: int) -> tuple[Corpus, np.ndarray]:
    """A split with domains and sources of two clips; and the source of every video."""
    draw = generator(0, "bench, matrix view")
    source = draw.permutation(n_videos) // 2
    owner = np.arange(n_captions) % n_videos
    videos = [f"{i}.mp4" for i in range(n_videos)]
    tables = {
        "videos": pd.DataFrame({
            "video_id": videos, "domain": [f"domain {i % N_DOMAINS}" for i in source], "source_id": source.astype(str),
            "split": "test", "status": "not_kept",
        }),
        "captions": pd.DataFrame({
            "caption_id": [f"{i}#{at}" for i, at in enumerate(owner)], "video_id": [videos[i] for i in owner],
            "text": [f"caption {i} of a street" for i in range(n_captions)], "role": "original", "split": "test",
        }),
    }  # fmt: skip
    return save_corpus(name, tables).with_split("test"), source


def made_runs(name: str, shape: tuple[int, int]) -> list[Run]:
    """Two runs whose scores know domains, sources and right pairs, one better than the other."""
    corpus, source = made_corpus(name, *shape)
    draw = generator(1, "bench, matrix view")
    of_domain, of_source = (draw.normal(size=(n, VECTOR)) for n in (N_DOMAINS, source.max() + 1))
    own = draw.normal(size=(shape[1], VECTOR))
    video = (0.5 * of_domain[source % N_DOMAINS] + 0.6 * of_source[source] + own).astype(np.float32)
    video /= np.linalg.norm(video, axis=1, keepdims=True)
    runs = []
    for at, noise in enumerate((0.15, 0.3)):
        caption = video[np.arange(shape[0]) % shape[1]] + noise * draw.normal(size=(shape[0], VECTOR))
        runs.append(save_run(caption.astype(np.float32) @ video.T, corpus=corpus, name=f"{name}-{'ab'[at]}"))
    return runs


def matrix_view(report: Report) -> None:
    """Measure pyramid, page and pan at both sizes, then the naive page, and append the tables."""
    report.say("## The matrix view")
    with tempfile.TemporaryDirectory() as folder, elsewhere(Path(folder)), chromium() as browser:
        names = {title: f"m{shape[0]}" for title, shape in SIZES.items()}
        runs = {title: made_runs(names[title], shape) for title, shape in SIZES.items()}
        pyramids(report, runs)
        pages(report, browser, names)
        naive(report, browser, Path(folder), np.asarray(runs["2,727 x 2,727"][0].similarity))


def pyramids(report: Report, runs: dict[str, list[Run]]) -> None:
    """Time of making the pooled levels, against one read of the matrix by all cores."""
    report.say("", "Pooled levels (max and mean), made once per matrix; floor: one read of the matrix by all cores.")
    report.header("matrix", "of", "floor, s", "made in, s", "times the floor", "file, MB", "largest tile, bytes")
    ratios = []
    for title, (run, other) in runs.items():
        for what, minus in (("a run", None), ("a difference", other)):
            view = MatrixView(run, minus, workspace().cache)
            matrices = [source.matrix for source in view.pyramid.sources]
            [read_once(matrix) for matrix in matrices]
            floor = seconds(lambda matrices=matrices: [read_once(matrix) for matrix in matrices])
            took = seconds(view.build)
            largest = max(view.tile(level, 0, 0).nbytes for level in range(view.n_levels))
            ratios.append(took / floor)
            report.row(title, what, f"{floor:.3f}", f"{took:.2f}", f"{ratios[-1]:.0f}",
                       f"{view.pyramid.n_bytes / 1e6:.1f}", f"{largest:,}")  # fmt: skip
    report.floor(f"levels are made in at most {MOST_READS:.0f} reads of the matrix", max(ratios) <= MOST_READS)


def pages(report: Report, browser: Browser, names: dict[str, str]) -> None:
    """The page at every size: until it is drawn, pans from afar and of single cells, bytes, memory."""
    report.say(
        "",
        f"The page in Chromium, warm; {PANS} pans of up to {FARTHEST} pixels along each axis, "
        f"{PAUSE_MS} ms apart, until every tile is drawn; single cells are as near as makes them one pixel or more.",
    )
    report.header("matrix", "drawn, s", "first view, kB", "pan from afar, ms (p50, p95)", "pan of cells, ms (p50, p95)",
                  "largest message, kB", "heap, MB", "server grows, MB")  # fmt: skip
    found = []
    with streamlit(Path(__file__).parents[1] / "app.py") as (base, process):
        for title, name in names.items():
            path = f"matrix?corpus={name}/test&run={name}-a&minus={name}-b"
            Visit(browser, base).open(path, DRAWN, MOST_S)
            visit = Visit(browser, base, "/matrix/")
            drawn = visit.open(path, DRAWN, MOST_S)
            first, before = visit.fetched, anonymous_mb(process)
            afar = pans(visit)
            come_near(visit)
            near = pans(visit)
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


def pans(visit: Visit) -> np.ndarray:
    """Milliseconds from the end of each of some drags until all is drawn."""
    draw = generator(0, "bench, pans")
    steps = draw.integers(-FARTHEST, FARTHEST + 1, (PANS, 2))
    found = []
    for step in steps:
        visit.page.wait_for_timeout(PAUSE_MS)
        found.append(visit.page.evaluate(PAN, step.tolist()))
    return np.array(found)


def spread(values: np.ndarray) -> str:
    """Median and 95th percentile."""
    return f"{np.quantile(values, 0.5):.0f}, {np.quantile(values, 0.95):.0f}"


def naive(report: Report, browser: Browser, folder: Path, matrix: np.ndarray) -> None:
    """The same matrix as one plotly heat map."""
    report.say("", f"The naive page: `st.plotly_chart` of one heat map; given {MOST_S:.0f} s to be drawn.")
    report.header("matrix", "drawn, s", "pan, ms (p50, p95)", "largest message, kB", "heap, MB")
    for side in NAIVE_SIDES:
        np.save(folder / "naive.npy", matrix[:side, :side])
        script = folder / f"naive_{side}.py"
        script.write_text(NAIVE.format(path=str(folder / "naive.npy")), encoding="utf-8")
        with streamlit(script) as (base, _):
            visit = Visit(browser, base)
            try:
                drawn = visit.open("", PLOTTED, MOST_S)
            except NotInTime:
                report.row(f"{side:,} x {side:,}", f"not within {MOST_S:.0f}", "", f"{visit.largest / 1e3:,.0f}", "")
            else:
                moved = spread(np.array([plotly_pan(visit) for _ in range(5)]))
                report.row(f"{side:,} x {side:,}", f"{drawn:.1f}", moved, f"{visit.largest / 1e3:,.0f}",
                           f"{visit.heap_mb():.0f}")  # fmt: skip
            visit.page.close()


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
