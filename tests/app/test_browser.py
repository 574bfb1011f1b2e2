"""Every page in a real browser, on a made corpus and on real matrices: it fills, stays local, its links work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import ConsoleMessage, Page, Response

import workbench as wb
from tests.captioned import captioned_corpus, captioned_runs
from tests.made import made_corpus, made_runs
from tests.ports import own_port
from workbench.core.workspace import elsewhere
from workbench.pipelines.datasets import prepare

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("default")]
WAIT = 90_000  # milliseconds until something must stand on a page; two busy cores take their time
PAGES = {
    "Leaderboard": "",
    "Domains": "domains",
    "Compare": "compare",
    "Matrix": "matrix",
    "Failures": "failures",
    "Query": "query",
    "Search": "search",
    "Training": "training",
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
        self.page.wait_for_selector("h1", timeout=WAIT)
        seconds = time.perf_counter() - start
        self.settle()
        return seconds

    def settle(self) -> None:
        """Wait until Streamlit has nothing running and no skeleton is left."""
        self.page.wait_for_timeout(300)
        busy = "[data-testid=stStatusWidget],[data-testid=stSkeleton]"
        self.page.wait_for_function(f"!document.querySelector('{busy}')", timeout=WAIT)

    def text(self) -> str:
        return self.page.inner_text("[data-testid=stMain]")


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """A running app on a workspace; gives its address."""
    port = own_port()
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
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(20)


def visited(base: str, browser, shots: Path) -> Iterator[Site]:
    """A new page, with cookies and a session of its own, at a running app."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    site = Site(base, page)
    page.on("pageerror", lambda error: site.complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complained(message) and site.complaints.append(f"{message.text} {message.location.get('url')}"),
    )
    page.on("response", lambda answer: refused(answer) and site.complaints.append(f"{answer.status} {answer.url}"))
    page.on("request", lambda request: outside(request.url) and site.complaints.append(f"asked {request.url}"))
    yield site
    page.screenshot(path=shots / "last.png")
    page.close()


def served(home: Path, browser, shots: Path) -> Iterator[Site]:
    """A page at an app of its own."""
    with serving(home) as base:
        yield from visited(base, browser, shots)


def complained(message: ConsoleMessage) -> bool:
    """Whether a line of the console is an error; an answer that refuses is told by ``refused``, with its address."""
    return message.type == "error" and "the server responded with a status of" not in message.text


def refused(answer: Response) -> bool:
    """Whether an answer is no success; Streamlit asks for its own routes below every deep link in vain."""
    return answer.status >= 400 and "/_stcore/" not in answer.url


def outside(url: str) -> bool:
    return not url.startswith(("http://localhost:", "ws://localhost:", "data:", "blob:"))


def wait_for_server(port: int) -> None:
    for _ in range(WAIT // 100):
        try:
            with urlopen(f"http://localhost:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"the app did not start on port {port}")


@pytest.fixture(scope="module")
def made_app(tmp_path_factory):
    """The app on a made corpus with domains and sources; tests only read."""
    with elsewhere(tmp_path_factory.mktemp("made")) as home:
        made_runs(made_corpus(160))
    with serving(home) as base:
        yield base


@pytest.fixture(scope="module")
def cinema_app(tmp_path_factory):
    """The app on a small corpus of real videos with read words, two runs and hostile text; tests only read."""
    with elsewhere(tmp_path_factory.mktemp("cinema")) as home:
        captioned_runs(captioned_corpus(tmp_path_factory.mktemp("films")))
    with serving(home) as base:
        yield base


@pytest.fixture
def site(made_app, browser, tmp_path):
    yield from visited(made_app, browser, tmp_path)


@pytest.fixture
def cinema(cinema_app, browser, tmp_path):
    yield from visited(cinema_app, browser, tmp_path)


def shows(site: Site, *texts: str) -> None:
    """Wait until all of these texts stand on the page."""
    said = "texts => texts.every(one => document.body.innerText.includes(one))"
    site.page.wait_for_function(said, arg=list(texts), timeout=WAIT)


def players(site: Site, n: int) -> list[str]:
    """Wait until ``n`` players present their frame and one of them draws boxes; gives the files they play."""
    drawn = """n => {
      const roots = [...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.wbp')).filter(Boolean);
      const boxed = root => {
        const canvas = root.querySelector('canvas.wbp-canvas');
        const {width, height} = canvas;
        return width && canvas.getContext('2d').getImageData(0, 0, width, height).data.some(Boolean);
      };
      return roots.length === n && roots.every(one => one.dataset.ready === 'true') && roots.some(boxed)
        && roots.map(one => one.querySelector('video').currentSrc);
    }"""
    return site.page.wait_for_function(drawn, arg=n, timeout=WAIT).json_value()


def test_a_query_plays_two_videos_and_a_picture_chooses_another(cinema):
    cinema.open("query?run=wrong&other=right&q=one.mp4%230")
    assert len(set(players(cinema, 2))) == 2
    assert cinema.page.locator("mark").inner_text() == "MIRA"
    cinema.page.locator("a.tile.right").first.click()
    cinema.page.wait_for_function("location.search.includes('video=one.mp4')", timeout=WAIT)
    cinema.page.wait_for_selector(".wbp-title:has-text('of wrong, right')", timeout=WAIT)
    assert len(set(players(cinema, 2))) == 1 and cinema.complaints == []


def test_a_domain_opens_and_its_video_plays_with_hostile_text_as_text(cinema):
    cinema.open("domains?run=wrong")
    hostile = "<script>alert(1)</script> [a](javascript:alert(1)) $x$"
    shows(cinema, hostile)
    cinema.page.locator("a.tile[href*='domain=%3Cscript']").last.click()
    cinema.page.wait_for_function("location.search.includes('domain=%3Cscript')", timeout=WAIT)
    cinema.page.wait_for_selector(".wbp", timeout=WAIT)
    assert len(players(cinema, 1)) == 1 and "Rank" in cinema.text() and cinema.complaints == []
    assert cinema.page.locator("[data-testid=stMain] script, [data-testid=stMain] a[href^=javascript]").count() == 0


def test_search_finds_a_video_by_a_word_and_marks_it(cinema):
    cinema.open("search")
    cinema.page.get_by_label("Words", exact=True).fill("mira")
    cinema.page.keyboard.press("Enter")
    cinema.page.wait_for_selector("a.tile .word:has-text('mira')", timeout=WAIT)
    assert cinema.page.locator("a.tile").count() == 2 and "q=mira" in cinema.page.url
    assert len(players(cinema, 1)) == 1
    assert "★ MIRA" in cinema.page.locator(".wbp-now").inner_text() and cinema.complaints == []
    pictures = (
        "() => [...document.querySelectorAll('*')].flatMap(e => [...(e.shadowRoot?.querySelectorAll('img') ?? [])])"
    )
    assert cinema.page.wait_for_function(f"({pictures})().every(one => one.naturalWidth > 0)", timeout=WAIT)


def all_pages_fill(site: Site) -> None:
    for title, path in PAGES.items():
        seconds = site.open(path)
        assert site.page.inner_text("h1") == title
        assert site.page.query_selector("[data-testid=stException]") is None
        assert site.page.query_selector("[data-testid=stAlertContentError]") is None
        assert seconds < 30, f"{title} took {seconds:.1f} s"
    assert site.complaints == []


def test_every_page_fills_and_stays_local(site):
    all_pages_fill(site)


def test_the_demo_fills_every_page_and_plays(demo, browser, tmp_path):
    for site in served(demo, browser, tmp_path):
        all_pages_fill(site)
        site.open("query?run=demo-fusion&other=demo-ocr&q=Street_View_Outdoor/test_00.mp4%230")
        assert len(set(players(site, 2))) == 2
        shows(site, "demo-fusion", "demo-ocr")
        site.open("domains?run=demo-fusion")
        shows(site, "TV Show", "Street View (outdoor)", "Sports", "Cooking")
        assert site.complaints == []


def test_markup_in_captions_is_shown_as_text(site):
    site.open("query")
    shows(site, "<b>no</b>", "*0*")


def test_next_and_the_address_of_a_query(site):
    site.open("query?v=1&run=poor&other=good&q=Sports%2Fclip_0150.mp4%230")
    shows(site, "Query 151 of 160", "poor")
    site.page.get_by_role("link", name="Next").click()
    site.page.wait_for_function("document.body.innerText.includes('Query 152 of 160')", timeout=WAIT)
    assert "q=Sports" in site.page.url


def test_matrix_draws_and_a_click_opens_the_query(site):
    site.open("matrix")
    shadow = "[...document.querySelectorAll('*')].some(n => n.shadowRoot?.querySelector"
    site.page.wait_for_function(f"{shadow}('.frame')?.dataset.ready === 'true')", timeout=WAIT)
    canvas = site.page.locator("canvas.canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box and box["height"] > 300
    side = min(box["width"], box["height"])
    left = box["x"] + (box["width"] - side) / 2
    site.page.mouse.move(left + 0.5 * side, box["y"] + 0.5 * side)
    site.page.wait_for_function(f"{shadow}('.tip')?.textContent.includes('sd'))", timeout=10_000)
    site.page.mouse.click(left + 0.5 * side, box["y"] + 0.5 * side)
    site.page.wait_for_selector("h1:has-text('Query')", timeout=WAIT)
    site.settle()
    shows(site, "of 160")
    assert site.complaints == []


def test_a_row_of_the_failures_opens_beside_the_list_and_then_as_a_query(site):
    site.open("failures?run=poor")
    site.page.wait_for_selector("[data-testid=stDataFrame] canvas", timeout=WAIT)
    table = site.page.locator("[data-testid=stDataFrame]").last
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box
    site.page.mouse.click(box["x"] + 18, box["y"] + 52)
    site.page.wait_for_function("new URLSearchParams(location.search).has('q')", timeout=WAIT)
    site.page.get_by_text("All of this query").click()
    site.page.wait_for_selector("h1:has-text('Query')", timeout=WAIT)


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
        shows(site, "What do you have?")
        assert site.complaints == []


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
        shows(site, "internvideo2 is better, beyond noise", "its rows cannot be tied to captions")
        assert site.complaints == []
