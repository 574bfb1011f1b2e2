"""The app as tests visit it: a server on a workspace, and a page of a browser that tells what it complains about."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

from playwright.sync_api import Browser, ConsoleMessage, Page, Response

from benchmarks.app_pages import SAID, link, number_on
from tests.browser import shots
from tests.ports import own_port

WAIT = 90_000  # milliseconds until something must stand on a page; two busy cores take their time
LOOK = 150  # milliseconds between looks: reading all that a page says, sixty times a second, would be most of the work
ROOT = Path(__file__).parents[1]
BUSY = "[data-testid=stStatusWidget], [data-testid=stSkeleton], [data-testid=stSpinner]"
RED = "[data-testid=stException], [data-testid=stAlertContentError]"
YELLOW = "[data-testid=stAlertContentWarning]"
IN_COMPONENTS = "[...document.querySelectorAll('*')].flatMap(e => [...(e.shadowRoot?.querySelectorAll('{0}') ?? [])])"
CANVASES = {"stPlotlyChart": ".main-svg", "stDataFrame": "canvas"}
DRAWN = f"""() => {{
  const stands = ([name, drawn]) => [...document.querySelectorAll(`[data-testid=${{name}}]`)]
    .every(one => !one.checkVisibility() || one.querySelector(drawn));
  return document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('{BUSY}') && Object.entries({CANVASES}).every(stands)
    && {IN_COMPONENTS.format(".wbp, .frame")}.every(one => [one.dataset.ready, one.dataset.failed].includes('true'))
    && {IN_COMPONENTS.format("img")}.every(one => one.loading === 'lazy' || one.complete);
}}"""
"""Nothing runs, and every chart, table, matrix, picture and player that is not folded away stands."""


@dataclass
class Site:
    """A running app and what the browser complained about.

    Attributes:
        base: Its address.
        page: Playwright's page.
        name: Of the screenshots.
        complaints: Errors of scripts, refused answers, requests to other hosts.
    """

    base: str
    page: Page
    name: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a page and wait until all of it is drawn."""
        self.page.goto(f"{self.base}/{path}")
        self.page.wait_for_selector("h1", timeout=WAIT)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing runs and everything on the page is drawn."""
        self.page.wait_for_timeout(300)
        self.page.wait_for_function(DRAWN, timeout=WAIT, polling=LOOK)

    def unfold(self) -> None:
        """Open every fold of the page whose content is made when it is opened."""
        folds = self.page.locator("[class*=st-key-fold] details:not([open]) > summary")
        while left := folds.count():
            folds.first.click()
            self.settle()
            assert folds.count() < left, "a fold does not open"

    def text(self) -> str:
        return self.page.inner_text("[data-testid=stMain]")

    def said(self) -> str:
        """All that the page says, in tables and components too."""
        return str(self.page.evaluate(SAID))

    def asked(self) -> dict[str, str]:
        """What the address says now."""
        return dict(parse_qsl(urlsplit(self.page.url).query))

    def number(self, page: str, *, without: bool = False) -> str:
        """Wait until a page shows its first number, or what it says without one, and all is drawn; gives it."""
        self.page.wait_for_function(number_on(page, without=without), timeout=WAIT, polling=LOOK)
        self.settle()
        return str(self.page.evaluate(number_on(page, without=without)))

    def begin(self, page: str, *, without: bool = False, **values: str) -> str:
        """Follow a link, as ``number``; its values must be kept, nothing may be refused; a screenshot is kept.

        Args:
            page: A page of the navigation.
            without: It has nothing to show.
            **values: For its address, as ``benchmarks.app_pages.link`` takes them.
        """
        wanted = link(page, **values)
        self.page.goto(f"{self.base}/{wanted}")
        found = self.number(page, without=without)
        self.shot(page)
        assert dict(parse_qsl(urlsplit(wanted).query)).items() <= self.asked().items(), self.page.url
        assert self.errors() == [], page
        return found

    def errors(self) -> list[str]:
        """Sentences of red boxes."""
        return self.page.locator(RED).all_inner_texts()

    def warnings(self) -> list[str]:
        """Sentences of yellow boxes."""
        return self.page.locator(YELLOW).all_inner_texts()

    def shot(self, what: str) -> None:
        """Keep a screenshot."""
        self.page.screenshot(path=shots() / f"{self.name}-{re.sub(r'[^a-z0-9]+', '-', what.lower())}.png")


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """A running app on a workspace; gives its address."""
    port = own_port()
    environment = {**os.environ, "WORKBENCH_HOME": str(home)}
    options = ["--server.port", str(port), "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    ) as process:
        try:
            wait_for_server(port)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(20)


def visited(base: str, browser: Browser, name: str) -> Iterator[Site]:
    """A new page, with cookies and a session of its own, at a running app; its last view is kept as a screenshot."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000}, reduced_motion="reduce")
    site = Site(base, page, name)
    page.on("pageerror", lambda error: site.complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complained(message) and site.complaints.append(f"{message.text} {message.location.get('url')}"),
    )
    page.on("response", lambda answer: refused(answer) and site.complaints.append(f"{answer.status} {answer.url}"))
    page.on("dialog", lambda one: site.complaints.append(f"dialog: {one.message}") or one.dismiss())
    page.on("request", lambda request: outside(request.url) and site.complaints.append(f"asked {request.url}"))
    page.on("websocket", lambda one: outside(one.url) and site.complaints.append(f"asked {one.url}"))
    yield site
    site.shot("last")
    page.close()


def served(home: Path, browser: Browser, name: str) -> Iterator[Site]:
    """A page at an app of its own."""
    with serving(home) as base:
        yield from visited(base, browser, name)


def complained(message: ConsoleMessage) -> bool:
    """Whether a line of the console is an error; an answer that refuses is told by ``refused``, with its address."""
    return message.type == "error" and "the server responded with a status of" not in message.text


def refused(answer: Response) -> bool:
    """Whether an answer is no success; Streamlit asks for its own routes below every deep link in vain."""
    return answer.status >= 400 and "/_stcore/" not in answer.url


def outside(url: str) -> bool:
    """Whether an address is another host's."""
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


def shows(site: Site, *texts: str) -> None:
    """Wait until all of these texts stand on the page."""
    said = "texts => texts.every(one => document.body.innerText.includes(one))"
    site.page.wait_for_function(said, arg=list(texts), timeout=WAIT)


def players(site: Site, n: int, *, boxed: bool = True) -> list[str]:
    """Wait until ``n`` players present their frame and one of them draws boxes; gives the files they play.

    Args:
        site: The app.
        n: How many.
        boxed: Whether one must draw boxes.
    """
    drawn = """([n, asked]) => {
      const roots = [...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.wbp')).filter(Boolean);
      const boxed = root => {
        const canvas = root.querySelector('canvas.wbp-canvas');
        const {width, height} = canvas;
        return width && canvas.getContext('2d').getImageData(0, 0, width, height).data.some(Boolean);
      };
      return roots.length === n && roots.every(one => one.dataset.ready === 'true') && (!asked || roots.some(boxed))
        && roots.map(one => one.querySelector('video').currentSrc);
    }"""
    return site.page.wait_for_function(drawn, arg=[n, boxed], timeout=WAIT).json_value()
