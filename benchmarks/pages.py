"""A page in a real browser: how long until it is drawn, what it sends, what it holds in the browser and the server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import psutil
from playwright.sync_api import BrowserContext, Page, Response, WebSocket, sync_playwright

from benchmarks.report import NoDataError
from tests.browser import MESSAGE, find_browser
from workbench.core.workspace import elsewhere

FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
STARTS_WITHIN = 120
SCREEN = {"width": 1440, "height": 1300}


class Visit:
    """A tab of a browser, and what went over the wire to it.

    Tabs of one context share its cache, as a user's do: what a page needs of Streamlit is fetched once.

    Attributes:
        page: Playwright's page.
        largest: Bytes of the largest websocket message.
        fetched: Bytes of all answers whose address holds ``counted``, as sent.
    """

    def __init__(self, browser: BrowserContext, base: str, counted: str = "/") -> None:
        self.base, self.largest, self.fetched = base, 0, 0
        self.page: Page = browser.new_page()
        self._counted = counted
        self.page.on("websocket", self._listen)
        self.page.on("response", self._count)

    def _listen(self, one: WebSocket) -> None:
        one.on("framereceived", self._message)

    def _message(self, data: str | bytes) -> None:
        self.largest = max(self.largest, len(data))

    def _count(self, answer: Response) -> None:
        if self._counted in answer.url:
            self.fetched += int(answer.headers.get("content-length", 0))

    def open(self, path: str, drawn: str, most_s: float) -> float:
        """Go to a page; seconds until the JavaScript expression ``drawn`` holds."""
        start = time.perf_counter()
        self.page.goto(f"{self.base}/{path}")
        self.page.wait_for_function(drawn, timeout=1000 * most_s)
        return time.perf_counter() - start

    def heap_mb(self) -> float:
        """MB that JavaScript holds after a collection."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"] / 1e6


@contextmanager
def chromium() -> Iterator[BrowserContext]:
    """A browser without a window, with an empty cache.

    Raises:
        NoDataError: There is none on this machine.
    """
    path = find_browser()
    if path is None:
        raise NoDataError(MESSAGE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser.new_context(viewport=SCREEN)
        browser.close()


@contextmanager
def streamlit(script: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A Streamlit server for a script: its address and its process."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    options = ["--server.port", str(port), "--server.headless", "true", "--browser.gatherUsageStats", "false"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options]
    folder = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    ) as process:
        try:
            base = f"http://localhost:{port}"
            _wait_for(f"{base}/_stcore/health")
            yield base, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def app(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The app's server for a workspace: its address and its process."""
    with elsewhere(home), streamlit(Path(__file__).parents[1] / "app.py") as running:
        yield running


def _wait_for(address: str) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        try:
            with urlopen(address, timeout=2):
                return
        except OSError:  # not there yet, or busy
            time.sleep(0.1)
    raise TimeoutError(f"The server did not start within {STARTS_WITHIN} s.")
