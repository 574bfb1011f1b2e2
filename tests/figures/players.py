"""Players for tests: videos whose frames show their numbers, tables of texts, and a served page in a browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from workbench.corpus import Corpus
from workbench.corpus.store import replace_texts
from workbench.corpus.tables import CORNERS, complete
from workbench.figures.player import player_data, player_html
from workbench.pipelines.datasets import prepare

HOSTILE = "</script><img src=x onerror=alert(1)>"
WIDTH, HEIGHT, BLOCK, BITS = 160, 120, 16, 10
BASE = Fraction(1, 600)
FRAMES = 60
CONSTANT = [50 * i for i in range(FRAMES)]  # 12 per second
GAPS = [20 + 15 * (i * 7 % 9) for i in range(FRAMES)]
VARIABLE = [300 + sum(GAPS[:i]) for i in range(FRAMES)]  # from 0.5 s on, gaps of 33 to 233 ms

MOVES = 45
"""The last frame on which the first text of ``made_tables`` stands; until there its box moves with every frame."""

# What a player shows. `readBarcode`: the number in the picture that the video presents now, white = 1, block 0 is the
# lowest bit. `readBox`: the number of the frame for which the first text's box stands, null where none does: its left
# edge is the leftmost painted pixel between its upper and its lower edge. `window.seen` has a line for every frame that
# the browser told a player of: what the player drew, what was read, when the reading ended, when the browser says that
# it presented the frame, and which frame of its count that is.
READ = """
const pens = [[160, 120], [2000, 80]].map(([width, height]) => {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  return canvas.getContext("2d", { willReadFrequently: true });
});
window.readBarcode = (video) => {
  const [pen] = pens;
  pen.drawImage(video, 0, 0, 160, 120);
  const row = pen.getImageData(0, 30, 160, 1).data;
  let index = 0;
  for (let bit = 0; bit < 10; bit++) index += (row[(bit * 16 + 8) * 4] > 128) << bit;
  return index;
};
window.readBox = (root) => {
  const [video, canvas] = [root.querySelector("video"), root.querySelector("canvas.wbp-canvas")];
  const scale = Math.min(canvas.width / video.videoWidth, canvas.height / video.videoHeight);
  const [wide, high] = [video.videoWidth * scale, video.videoHeight * scale];
  const [left, top] = [(canvas.width - wide) / 2, (canvas.height - high) / 2];
  const pen = pens[1];
  pen.clearRect(0, 0, 2000, 80);
  pen.drawImage(canvas, 0, top + 0.74 * high, canvas.width, 0.08 * high, 0, 0, canvas.width, 40);
  const { data, width } = pen.getImageData(0, 0, canvas.width, 40);
  for (let x = 0; x < width; x++) for (let y = 0; y < 40; y++)
    if (data[4 * (y * width + x) + 3] > 100) return Math.round((160 * (x + 3 - left)) / wide - 10);
  return null;
};
window.seen = [];
let told = null; // what the browser says of the frame of which it tells a player now
const ask = HTMLVideoElement.prototype.requestVideoFrameCallback;
if (ask) HTMLVideoElement.prototype.requestVideoFrameCallback = function (answer) {
  return ask.call(this, (now, meta) => {
    told = { meta, at: performance.now() };
    answer(now, meta);
    told = null;
  });
};
document.addEventListener("player:frame", (event) => {
  if (!told) return; // drawn again for another reason
  const root = event.composedPath()[0];
  const picture = window.readBarcode(root.querySelector("video"));
  const ended = performance.now();
  window.seen.push({
    player: event.detail.key, frame: event.detail.frame, picture, box: window.readBox(root), ended, told: told.at,
    presented: told.meta.presentationTime, number: told.meta.presentedFrames,
  });
});
"""


@dataclass(frozen=True)
class Seen:
    """What one player drew while it played, frame by frame, against what stood in the picture.

    Attributes:
        counted: Readings of the very frame that the browser told of: taken within 16 ms of its word (half of the
            shortest time for which a frame is presented) and before it presented another frame. What is read later is
            the next picture, whose boxes the player cannot know yet: this is the lag of browser and instrument.
        exact: Those of them in which the number in the picture is that of the frame for which boxes were drawn.
        farthest: Frames that any of them is off, the end of the loop being next to its start.
        prompt: Share of exact ones among all readings taken within 16 ms of the browser's word, some of which may be of
            the next frame already.
        misplaced: Frames whose first box stands where that of another frame belongs, whenever they were read.
    """

    counted: int
    exact: int
    farthest: int
    prompt: float
    misplaced: list[dict[str, float]]

    @classmethod
    def of(cls, readings: list[dict[str, float]]) -> Seen:
        """Of the lines of ``window.seen`` of one player, in their order."""
        prompt = [(one, after) for one, after in pairwise(readings) if one["ended"] - one["told"] < 16]
        own = [
            one for one, after in prompt if after["number"] == one["number"] + 1 and one["ended"] < after["presented"]
        ]
        off = [abs(one["frame"] - one["picture"]) for one in own]
        off = [min(distance, FRAMES - distance) for distance in off]
        exact = [one["frame"] == one["picture"] for one, _ in prompt]
        misplaced = [one for one in readings if one["box"] != (one["frame"] if one["frame"] <= MOVES else None)]
        return cls(len(own), off.count(0), max(off, default=FRAMES), float(np.mean(exact or [0])), misplaced)


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
        for frame in (MOVES, 0, 15, 30)
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


def barcode_corpus(folder: Path, name: str = "barcodes") -> Corpus:
    """Two videos of barcodes, one of constant and one of variable rate, whose first text moves with every frame."""
    folder.mkdir(parents=True, exist_ok=True)
    videos = {"constant.mp4": CONSTANT, "variable.mp4": VARIABLE}
    rows = [{"video": video, "caption": f"The sign of the MIRA CAFE in {video}."} for video in videos]
    table = folder.parent / f"{name}.jsonl"
    pd.DataFrame(rows).to_json(table, orient="records", lines=True)
    times = {video: write_video(folder / video, ticks) for video, ticks in videos.items()}
    corpus = prepare("folder", annotations=[table], roots={"original": folder}, rename=name, workers=1)
    texts, boxes = (part[part["text_id"] == "a"] for part in made_tables())
    every = {video: f"{video}#rapidocr#0" for video in videos}
    found = {
        video: boxes.assign(text_id=text_id, time_s=[times[video][frame] for frame in boxes["frame"]])
        for video, text_id in every.items()
    }
    read = [texts.assign(video_id=video, text_id=text_id, start_s=times[video][0]) for video, text_id in every.items()]
    coverage = [{"video_id": video, "engine": "rapidocr", "state": "read", "rendition": "original"} for video in videos]
    corpus = replace_texts(corpus, "rapidocr", pd.concat(read, ignore_index=True), pd.DataFrame(coverage), found)
    return corpus.with_split("test")


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

    def open(self, *data: dict, ready: bool = True) -> None:
        """Show players and wait for their first drawn frames."""
        fragment = "".join(map(player_html, data))
        page = f"<!doctype html><body style='margin:24px'><script>{READ}</script>{fragment}</body>"
        (self.folder / "page.html").write_text(page, encoding="utf-8")
        self.page.goto(f"{self.base}/page.html")
        if not ready:
            return
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

    def box(self) -> int | None:
        """The frame for which the first text's box stands."""
        return self.page.evaluate("readBox(document.querySelector('.wbp'))")

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
