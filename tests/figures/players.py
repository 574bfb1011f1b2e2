"""Players for tests: videos whose frames show their numbers, tables of texts, and a served page in a browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from workbench.corpus.tables import CORNERS, complete
from workbench.figures.player import player_data, player_html

HOSTILE = "</script><img src=x onerror=alert(1)>"
WIDTH, HEIGHT, BLOCK, BITS = 160, 120, 16, 10
BASE = Fraction(1, 600)
FRAMES = 60
CONSTANT = [50 * i for i in range(FRAMES)]  # 12 per second
GAPS = [20 + 15 * (i * 7 % 9) for i in range(FRAMES)]
VARIABLE = [300 + sum(GAPS[:i]) for i in range(FRAMES)]  # from 0.5 s on, gaps of 33 to 233 ms

# Bits of the picture that the video presents now, white = 1; block 0 is the lowest bit.
READ = """
window.readBarcode = (video) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [160, 120];
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0, 160, 120);
  let index = 0;
  for (let bit = 0; bit < 10; bit++) index += (pen.getImageData(bit * 16 + 8, 30, 1, 1).data[0] > 128) << bit;
  return index;
};
window.told = -1e9; // when the browser told the player of a frame
const ask = HTMLVideoElement.prototype.requestVideoFrameCallback;
if (ask) HTMLVideoElement.prototype.requestVideoFrameCallback = function (answer) {
  return ask.call(this, (...told) => {
    window.told = performance.now();
    answer(...told);
  });
};
window.seen = [];
document.addEventListener("player:frame", (event) => {
  const video = event.target.querySelector("video");
  const read = window.readBarcode(video);
  const took = performance.now() - window.told;
  if (took < 16) window.seen.push([event.detail.frame, read, event.detail.mediaTime]);
});
"""


def barcode(index: int) -> np.ndarray:
    """A picture whose upper half shows the bits of its index, and whose lower half looks like a street sign."""
    pixels = np.full((HEIGHT, WIDTH, 3), (52, 74 + index % 60, 92), np.uint8)
    for bit in range(BITS):
        pixels[: HEIGHT // 2, bit * BLOCK : (bit + 1) * BLOCK] = 235 if index >> bit & 1 else 20
    left = 10 + index
    pixels[84:104, left : left + 60] = (200, 190, 160)
    return pixels


def write_video(path: Path, ticks: list[int]) -> list[float]:
    """Encode the barcodes at these times (1/600 s); returns seconds."""
    with av.open(str(path), "w", options={"movie_timescale": "600", "movflags": "+faststart"}) as out:
        stream = out.add_stream("libx264", rate=12, options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = BASE
        stream.codec_context.gop_size = 15
        for index, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(barcode(index), format="rgb24")
            frame.pts, frame.time_base = tick, BASE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return [float(tick * BASE) for tick in ticks]


def quad(left: float, top: float, right: float, bottom: float) -> dict[str, float]:
    """Corners of an upright rectangle as columns of the table ``boxes``."""
    return dict(zip(CORNERS, (left, top, right, top, right, bottom, left, bottom), strict=True))


def made_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three texts: one that moves and matches, a hostile weak one, and speech without boxes."""
    texts = [
        {"text_id": "a", "video_id": "v", "kind": "ocr", "engine": "rapidocr", "text": "MIRA CAFE", "score": 0.97},
        {"text_id": "b", "video_id": "v", "kind": "ocr", "engine": "rapidocr", "text": HOSTILE, "score": 0.31},
        {
            "text_id": "c",
            "video_id": "v",
            "kind": "asr",
            "engine": "whisper",
            "text": "hello",
            "start_s": 1.0,
            "end_s": 2.0,
        },
        {"text_id": "d", "video_id": "v", "kind": "asr", "engine": "whisper", "text": "somewhen"},
    ]
    boxes = [
        {
            "text_id": "a",
            "frame": frame,
            "time_s": frame / 12,
            **quad((10 + frame) / 160, 0.7, (70 + frame) / 160, 0.867),
        }
        for frame in (45, 0, 15, 30)
    ]
    boxes += [{"text_id": "b", "frame": 3, "time_s": 0.25, **quad(0.5, 0.53, 0.95, 0.62)}]
    boxes += [{"text_id": "b", "frame": 40, "time_s": 3.3, **quad(0.5, 0.53, 0.95, 0.62)}]
    return complete("texts", pd.DataFrame(texts)), complete("boxes", pd.DataFrame(boxes))


def made_data(sources: list[dict], times: list[float], **options) -> dict:
    texts, boxes = made_tables()
    return player_data(
        sources=sources, width=WIDTH, height=HEIGHT, frame_times=times, texts=texts, boxes=boxes,
        matched={"a"}, ticks=[3, 20, 41], title=f"a café at night {HOSTILE}", sub="demo / 0123",
        **{"key": "k", **options},
    )  # fmt: skip


class Files(BaseHTTPRequestHandler):
    """Files of one folder, with the answers to Range that seeking needs."""

    folder: Path

    def do_GET(self) -> None:
        path = self.folder / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        kind = "text/html; charset=utf-8" if path.suffix == ".html" else "video/mp4"
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(asked[1]) if asked else 0
        last = min(int(asked[2]) if asked and asked[2] else len(content) - 1, len(content) - 1)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        try:
            self.wfile.write(content[first : last + 1])
        except (BrokenPipeError, ConnectionResetError):
            pass  # the browser has enough

    def log_message(self, *_) -> None:
        """Quiet."""


class Shown:
    """A folder that is served, and a page in a browser that shows players from it."""

    def __init__(self, folder: Path, base: str, page) -> None:
        self.folder, self.base, self.page = folder, base, page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, *data: dict) -> None:
        """Show players and wait for their first drawn frames."""
        fragment = "".join(map(player_html, data))
        page = f"<!doctype html><body style='margin:24px'><script>{READ}</script>{fragment}</body>"
        (self.folder / "page.html").write_text(page, encoding="utf-8")
        self.page.goto(f"{self.base}/page.html")
        self.page.wait_for_function(
            "(count) => document.querySelectorAll('.wbp[data-ready=true]').length === count",
            arg=len(data),
            timeout=15_000,
        )

    def sources(self, *names: str, times: list[float]) -> list[dict]:
        kinds = ("original", "proxy")
        return [
            {"src": f"{self.base}/{n}", "rendition": kind, "times": times}
            for n, kind in zip(names, kinds, strict=False)
        ]

    def state(self) -> dict[str, str]:
        return self.page.evaluate("({...document.querySelector('.wbp').dataset})")

    def settle(self) -> None:
        """Wait until a seek is over and its frame was drawn and presented."""
        self.page.wait_for_function("!document.querySelector('video').seeking")
        self.page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60))))"
        )

    def barcode(self) -> int:
        return self.page.evaluate("readBarcode(document.querySelector('video'))")

    def scrub(self, frame: int) -> None:
        """Seek as a user does: by the scrub bar."""
        self.page.eval_on_selector(
            ".wbp-range", "(bar, frame) => { bar.value = frame; bar.dispatchEvent(new Event('input')); }", frame
        )
        self.settle()


@pytest.fixture
def shown(browser, tmp_path: Path) -> Iterator[Shown]:
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (Files,), {"folder": folder}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    page = browser.new_page(viewport={"width": 800, "height": 800})
    site = Shown(folder, f"http://localhost:{server.server_port}", page)
    try:
        yield site
        assert site.complaints == []
    finally:
        page.close()
        server.shutdown()
        server.server_close()
        thread.join(10)
