"""The player: tables become plain JSON that cannot break out, and in a browser boxes stand on the presented frame."""

from __future__ import annotations

import json
import random
import re
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from workbench.core.errors import UnknownNameError
from workbench.corpus.tables import CORNERS, complete
from workbench.figures.player import assets, player_data, player_html

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


def test_tables_become_plain_json():
    times = np.asarray(CONSTANT) / 600
    texts, boxes = made_tables()
    boxes.loc[0, "x1"] = np.nan
    data = player_data(
        key="k", sources=[{"src": "/v", "rendition": "original", "times": times}], width=np.int64(160), height=120,
        frame_times=times, texts=texts, boxes=boxes, matched=["a"], ticks=np.array([1, 2]), start=0.5,
    )  # fmt: skip
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    sign, hostile, speech, unknown = data["tracks"]
    assert [box[0] for box in sign["boxes"]] == [0, 15, 30]  # sorted; the one with a broken corner is gone
    assert sign["boxes"][0][1:] == [0.0625, 0.7, 0.4375, 0.7, 0.4375, 0.867, 0.0625, 0.867]
    assert (sign["matched"], hostile["matched"]) == (True, False)
    assert hostile["text"] == HOSTILE and hostile["score"] == 0.31
    assert (speech["boxes"], speech["span"], speech["score"]) == ([], [12, 24], None)
    assert unknown["span"] is None
    assert data["start"] == 0.5 and data["loop"] is True and data["ticks"][1]["frame"] == 2


def test_empty_tables_and_unknown_options():
    texts, boxes = made_tables()
    none = dict(key="k", sources=[], width=1, height=1, frame_times=[], texts=texts[:0], boxes=boxes[:0])
    assert player_data(**none)["tracks"] == []
    with pytest.raises(UnknownNameError, match="autoplay"):
        player_data(**none, autoplya=True)


def test_hostile_text_cannot_leave_its_script():
    page = player_html(made_data([], [0.0]))
    assert "</script><img" not in page and "<img" not in page
    assert page.count("</script>") == 2
    found = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S)
    assert found and json.loads(found[1])["tracks"][1]["text"] == HOSTILE
    assert player_html(made_data([], [0.0])).split('"')[1] != page.split('"')[1]  # another id each time


def test_module_is_safe_inline():
    js, css = assets()
    assert "innerHTML" not in js and "</script" not in js and "<!--" not in js and "</style" not in css
    assert "http://" not in js.replace("http://www.w3.org/2000/svg", "") and "url(" not in css


# ---- in a browser ------------------------------------------------------------------------------------------------


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


TWO = """() => [...document.querySelectorAll(".wbp")].map((one) => [
  Number(one.dataset.frame), readBarcode(one.querySelector("video")), one.dataset.playing === "true"])"""


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


@pytest.mark.browser
@pytest.mark.parametrize("ticks", [CONSTANT, VARIABLE], ids=["constant", "variable"])
def test_seeks_present_and_draw_the_frame_that_was_asked_for(shown, ticks):
    times = write_video(shown.folder / "video.mp4", ticks)
    shown.open(made_data(shown.sources("video.mp4", times=times), times))
    right = 0
    asked = random.Random(7).sample(range(FRAMES), 20)
    for frame in asked:
        shown.scrub(frame)
        right += shown.barcode() == int(shown.state()["frame"]) == frame
    sys.stdout.write(f"seeks: {right} of {len(asked)} exact\n")
    assert right == len(asked)


@pytest.mark.browser
@pytest.mark.parametrize("ticks", [CONSTANT, VARIABLE], ids=["constant", "variable"])
def test_boxes_follow_the_presented_frame_while_it_plays(shown, ticks):
    times = write_video(shown.folder / "video.mp4", ticks)
    shown.open(made_data(shown.sources("video.mp4", times=times), times, autoplay=True))
    # Other redraws (resize, seeked) repeat a frame: only changes of the presented one count. A reading counts when it
    # was over 16 ms after the browser told of the frame: half of the shortest time until it may present the next one.
    shown.page.wait_for_function("window.seen.length >= 75", timeout=60_000)
    assert shown.state()["playing"] == "true"
    seen = shown.page.evaluate("window.seen")
    presented = [now for before, now in zip([None, *seen], seen, strict=False) if before is None or now[2] != before[2]]
    assert len(presented) >= 60
    off = [abs(drawn - read) for drawn, read, _ in presented]
    off = [min(distance, FRAMES - distance) for distance in off]  # the loop starts again
    sys.stdout.write(f"playing: {off.count(0)} of {len(off)} exact, most {max(off)} off\n")
    assert off.count(0) >= 0.95 * len(off) and max(off) <= 1


@pytest.mark.browser
def test_a_source_that_does_not_play_gives_way_to_the_next(shown):
    (shown.folder / "broken.mp4").write_bytes(b"no video at all " * 200)
    times = write_video(shown.folder / "video.mp4", CONSTANT)
    shown.open(made_data(shown.sources("broken.mp4", "video.mp4", times=times), times))
    assert shown.state()["rendition"] == "proxy"
    assert "original" in shown.page.inner_text(".wbp-note")
    shown.scrub(33)
    assert shown.barcode() == int(shown.state()["frame"]) == 33


@pytest.mark.browser
def test_no_source_that_plays_ends_in_a_sentence(shown):
    (shown.folder / "broken.mp4").write_bytes(b"no video at all " * 200)
    html = player_html(made_data(shown.sources("broken.mp4", "missing.mp4", times=[0.0]), [0.0]))
    (shown.folder / "page.html").write_text(f"<!doctype html><body>{html}</body>", encoding="utf-8")
    shown.page.goto(f"{shown.base}/page.html")
    shown.page.wait_for_selector(".wbp[data-failed=true]")
    assert "This browser cannot play the video: " in shown.page.inner_text(".wbp-failure")


@pytest.mark.browser
def test_a_proxy_with_other_frames_draws_those_of_the_original(shown):
    times = write_video(shown.folder / "whole.mp4", CONSTANT)
    # The proxy keeps every third frame, on its own clock; its frame 5 shows what the original shows in frame 15.
    proxy = write_video(shown.folder / "proxy.mp4", CONSTANT[::3])
    (shown.folder / "broken.mp4").write_bytes(b"no")
    sources = shown.sources("broken.mp4", "proxy.mp4", times=times)
    sources[1]["times"] = [round(time, 3) for time in proxy]
    shown.open(made_data(sources, times))
    for asked, own in ((15, 5), (16, 5), (17, 5), (18, 6), (59, 19), (0, 0)):
        shown.scrub(asked)
        assert (shown.barcode(), int(shown.state()["frame"])) == (own, 3 * own)
    shown.page.focus(".wbp")
    shown.page.keyboard.press("ArrowRight")
    shown.settle()
    assert int(shown.state()["frame"]) == 3


@pytest.mark.browser
def test_keys_chips_and_ticks_move_by_frames(shown):
    times = write_video(shown.folder / "video.mp4", VARIABLE)
    shown.open(made_data(shown.sources("video.mp4", times=times), times, start=times[7] + 0.001))
    shown.settle()
    page = shown.page
    assert int(shown.state()["frame"]) == shown.barcode() == 7
    page.focus(".wbp")
    for key, frame in (("ArrowRight", 8), ("ArrowRight", 9), ("ArrowLeft", 8), ("End", FRAMES - 1), ("Home", 0)):
        page.keyboard.press(key)
        shown.settle()
        assert int(shown.state()["frame"]) == shown.barcode() == frame
    for _ in range(5):  # faster than seeks end: no press is lost
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(".wbp[data-frame='5']")
    shown.settle()
    assert shown.barcode() == 5
    page.keyboard.press("Space")
    page.wait_for_selector(".wbp[data-playing=true]")
    page.click("button[aria-label='One frame forward']")
    page.wait_for_selector(".wbp[data-playing=false]")
    page.keyboard.press("b")
    assert page.get_attribute("button[aria-label^=Boxes]", "aria-pressed") == "false"
    page.click(".wbp-all summary")
    page.click(".wbp-words button:has-text('onerror')")
    shown.settle()
    assert int(shown.state()["frame"]) == shown.barcode() == 3
    assert "MIRA CAFE" in page.inner_text(".wbp-now") and "★" in page.inner_text(".wbp-now")
    page.click(".wbp-tick >> nth=2")
    shown.settle()
    assert int(shown.state()["frame"]) == shown.barcode() == 41
    assert HOSTILE in page.inner_text(".wbp-title") and page.locator(".wbp img").count() == 0


@pytest.mark.browser
def test_a_rerun_with_the_same_data_keeps_the_video_playing(shown):
    times = write_video(shown.folder / "video.mp4", CONSTANT)
    data = made_data(shown.sources("video.mp4", times=times), times, autoplay=True)
    js, css = assets()
    module = js.replace("export default function (component)", "window.component = function (component)")
    page = f"<!doctype html><div id=host></div><style>{css}</style><script type=module>{module}</script>"
    (shown.folder / "page.html").write_text(page, encoding="utf-8")
    shown.page.goto(f"{shown.base}/page.html")
    run = """(data) => {
      component({ data, parentElement: document.getElementById("host"), setTriggerValue() {} });
      window.first ??= document.querySelector("video");
    }"""
    shown.page.evaluate(run, data)
    shown.page.wait_for_selector(".wbp[data-playing=true][data-ready=true]")
    shown.page.wait_for_function("first.currentTime > 0.3")
    shown.page.evaluate(run, data)
    shown.page.evaluate(run, {**data, "title": "another title"})
    assert shown.page.evaluate("document.querySelectorAll('video').length") == 1
    assert shown.page.evaluate("first.isConnected && !first.paused && first.currentTime > 0.3")
    assert shown.page.inner_text(".wbp-title") == "another title"


@pytest.mark.browser
def test_without_frame_callbacks_it_says_so_and_still_seeks(shown):
    times = write_video(shown.folder / "video.mp4", VARIABLE)
    shown.page.add_init_script("delete HTMLVideoElement.prototype.requestVideoFrameCallback")
    shown.open(made_data(shown.sources("video.mp4", times=times), times))
    assert "one frame off" in shown.page.inner_text(".wbp-note")
    for frame in (12, 40, 3):
        shown.scrub(frame)
        assert int(shown.state()["frame"]) == shown.barcode() == frame


@pytest.mark.browser
def test_two_videos_move_together_each_exact_to_its_own_frames(shown):
    """The second one is half as long: a share is half as many frames, a second is as many."""
    long = write_video(shown.folder / "long.mp4", CONSTANT)
    short = write_video(shown.folder / "short.mp4", CONSTANT[:31])
    shown.open(
        *(made_data(shown.sources(name, times=times), times, group="pair", key=name)
          for name, times in (("long.mp4", long), ("short.mp4", short)))
    )  # fmt: skip
    page = shown.page

    def stand(*frames: int) -> None:
        page.wait_for_function(f"({TWO})().every(([drawn, read], i) => drawn === {list(frames)}[i] && read === drawn)")

    first, second = page.locator(".wbp").all()
    shown.scrub(20)
    stand(20, 0)  # not yet together
    first.get_by_label("Move the videos together (t)").click()
    stand(20, 10)
    assert second.get_by_label("Move the videos together (t)").get_attribute("aria-pressed") == "true"
    shown.scrub(41)
    stand(41, 20)
    second.focus()
    page.keyboard.press("End")
    stand(59, 30)
    page.keyboard.press("ArrowLeft")
    stand(57, 29)  # the frame of the first that stands at 29/30 of its length
    first.get_by_label("together by seconds from the start").click()
    shown.scrub(25)
    stand(25, 25)
    shown.scrub(50)
    stand(50, 30)  # the second one holds its last frame
    second.get_by_label("0.25 times speed").click()
    assert page.evaluate("[...document.querySelectorAll('video')].every((one) => one.playbackRate === 0.25)")
    shown.scrub(2)
    stand(2, 2)
    second.focus()
    page.keyboard.press("Space")
    page.wait_for_function(f"({TWO})().every(([drawn, , playing]) => playing && drawn > 5)")
    page.keyboard.press("Space")
    page.wait_for_function(f"({TWO})().every(([, , playing]) => !playing)")
    alike = "(two) => two[0][0] === two[1][0] && two.every(([drawn, read]) => drawn === read)"
    page.wait_for_function(f"({alike})(({TWO})())")


@pytest.mark.browser
def test_another_file_goes_on_at_the_same_frame(shown):
    times = write_video(shown.folder / "whole.mp4", CONSTANT)
    proxy = write_video(shown.folder / "proxy.mp4", CONSTANT[::3])
    sources = shown.sources("whole.mp4", "proxy.mp4", times=times)
    sources[1]["times"] = proxy
    shown.open(made_data(sources, times))
    shown.scrub(31)
    for rendition, read, frame in (("proxy", 10, 30), ("original", 30, 30)):
        shown.page.get_by_role("button", name=rendition, exact=True).click()
        shown.page.wait_for_selector(f".wbp[data-rendition={rendition}][data-frame='{frame}']")
        shown.settle()
        assert shown.barcode() == read and shown.page.inner_text(".wbp-note") == ""


@pytest.mark.browser
def test_the_page_asks_a_player_for_a_second(shown):
    times = write_video(shown.folder / "video.mp4", VARIABLE)
    shown.open(made_data(shown.sources("video.mp4", times=times), times))
    for key, frame in (("k", 33), ("another", 33), ("k", 12)):
        detail = {"key": key, "seconds": times[33 if key == "another" else frame]}
        shown.page.evaluate("(detail) => document.dispatchEvent(new CustomEvent('workbench:seek', { detail }))", detail)
        shown.settle()
        assert int(shown.state()["frame"]) == shown.barcode() == frame
