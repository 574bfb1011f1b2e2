"""Every page in a real browser, on a made corpus and on real matrices: it fills, stays local, its links work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, sync_playwright

import workbench as wb
from tests.browser import MESSAGE, find_browser
from tests.made import made_corpus, made_runs
from workbench.cli.serve import free_port
from workbench.pipelines.datasets import prepare

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PAGES = {
    "Leaderboard": "",
    "Compare": "compare",
    "Matrix": "matrix",
    "Failures": "failures",
    "Query": "query",
    "Data": "data",
}
ROOT = Path(__file__).parents[2]


@dataclass
class Site:
    """A running app and what the browser complained about."""

    base: str
    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> float:
        """Go to a page and wait until it has filled; returns seconds until its title stands."""
        start = time.perf_counter()
        self.page.goto(f"{self.base}/{path}")
        self.page.wait_for_selector("h1", timeout=30_000)
        seconds = time.perf_counter() - start
        self.settle()
        return seconds

    def settle(self) -> None:
        """Wait until Streamlit has nothing running and no skeleton is left."""
        self.page.wait_for_timeout(300)
        busy = "[data-testid=stStatusWidget],[data-testid=stSkeleton]"
        self.page.wait_for_function(f"!document.querySelector('{busy}')", timeout=30_000)

    def text(self) -> str:
        return self.page.inner_text("[data-testid=stMain]")


@pytest.fixture(scope="module")
def browser():
    path = find_browser()
    if path is None:
        pytest.fail(MESSAGE)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


def served(home: Path, browser, shots: Path) -> Iterator[Site]:
    port = free_port("localhost", None)
    environment = {**os.environ, "WORKBENCH_HOME": str(home)}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.port",
        str(port),
        "--server.headless",
        "true",
    ]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    ) as process:
        try:
            wait_for_server(port)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            site = Site(f"http://localhost:{port}", page)
            page.on("pageerror", lambda error: site.complaints.append(str(error)))
            page.on("request", lambda request: outside(request.url) and site.complaints.append(f"asked {request.url}"))
            yield site
            page.screenshot(path=shots / "last.png")
            page.close()
        finally:
            process.terminate()
            process.wait(20)


def outside(url: str) -> bool:
    return not url.startswith(("http://localhost:", "ws://localhost:", "data:", "blob:"))


def wait_for_server(port: int) -> None:
    for _ in range(200):
        try:
            with urlopen(f"http://localhost:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"the app did not start on port {port}")


@pytest.fixture
def site(home, browser, tmp_path):
    """The app on a made corpus with domains and sources."""
    made_runs(made_corpus(160))
    yield from served(home, browser, tmp_path)


def test_every_page_fills_and_stays_local(site):
    for title, path in PAGES.items():
        seconds = site.open(path)
        assert site.page.inner_text("h1") == title
        assert site.page.query_selector("[data-testid=stException]") is None
        assert site.page.query_selector("[data-testid=stAlertContentError]") is None
        assert seconds < 30, f"{title} took {seconds:.1f} s"
    assert site.complaints == []


def test_markup_in_captions_is_shown_as_text(site):
    site.open("query")
    assert "<b>no</b>" in site.text() and "*0*" in site.text()


def test_next_and_the_address_of_a_query(site):
    site.open("query?v=1&run=poor&other=good&q=Sports%2Fclip_0150.mp4%230")
    assert "Query 151 of 160" in site.text()
    assert "poor" in site.page.inner_text("[data-testid=stMain]")
    site.page.get_by_role("link", name="Next").click()
    site.page.wait_for_function("document.body.innerText.includes('Query 152 of 160')", timeout=20_000)
    assert "q=Sports" in site.page.url


def test_matrix_draws_and_a_click_opens_the_query(site):
    site.open("matrix")
    shadow = "[...document.querySelectorAll('*')].some(n => n.shadowRoot?.querySelector"
    site.page.wait_for_function(f"{shadow}('.frame')?.dataset.ready === 'true')", timeout=20_000)
    canvas = site.page.locator("canvas.canvas")
    box = canvas.bounding_box()
    assert box and box["height"] > 300
    side = min(box["width"], box["height"])
    left = box["x"] + (box["width"] - side) / 2
    site.page.mouse.move(left + 0.5 * side, box["y"] + 0.5 * side)
    site.page.wait_for_function(f"{shadow}('.tip')?.textContent.includes('score'))", timeout=10_000)
    site.page.mouse.click(left + 0.5 * side, box["y"] + 0.5 * side)
    site.page.wait_for_selector("h1:has-text('Query')", timeout=20_000)
    site.settle()
    assert "of 160" in site.text() and site.complaints == []


def test_a_row_of_the_failures_opens_its_query(site):
    site.open("failures?run=poor")
    site.page.wait_for_selector("[data-testid=stDataFrame] canvas", timeout=20_000)
    box = site.page.locator("[data-testid=stDataFrame]").first.bounding_box()
    assert box
    site.page.mouse.click(box["x"] + 18, box["y"] + 52)
    site.page.wait_for_selector("h1:has-text('Query')", timeout=20_000)


def test_routes_take_names_only(site):
    site.open("")
    for path in (
        "matrix/tile/nope/0/0/0",
        "matrix/tile/..%2F..%2Fetc/0/0/0",
        "matrix/cell/good/999/0",
        "matrix/tile/good/7/0/0",
    ):
        answer = site.page.request.get(f"{site.base}/{path}")
        assert answer.status in (400, 404), path


def test_an_empty_workspace_starts(home, browser, tmp_path):
    for site in served(home, browser, tmp_path):
        site.open("")
        assert "What do you have?" in site.text() and site.complaints == []


def test_real_matrices(home, browser, tmp_path, real_data):
    prepare("msrvtt-1ka", annotations=[real_data / "annotations" / "msrvtt" / "MSRVTT_JSFUSION_test.csv"])
    for name in ("clip4clip", "InternVideo2"):
        wb.import_run(real_data / "sim" / f"{name}_msrvtt.npy", corpus="msrvtt-1ka", name=name.lower())
    source = real_data / "sim" / "GRAM_msrvtt.npy"
    wb.import_run(source, corpus="msrvtt-1ka", name="gram", totals_only=True)
    for site in served(home, browser, tmp_path):
        for title, path in PAGES.items():
            site.open(path)
            assert site.page.inner_text("h1") == title
            assert site.page.query_selector("[data-testid=stException]") is None
            assert site.page.query_selector("[data-testid=stAlertContentError]") is None
        site.open("")
        assert "internvideo2 is better, beyond noise" in site.text()
        assert "its rows cannot be tied to captions" in site.text()
        assert site.complaints == []
