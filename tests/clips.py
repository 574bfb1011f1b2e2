"""Small videos whose frames carry their own index as a barcode, in the codecs and containers that give trouble."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS, BLOCK = 8, 20
WIDTH, HEIGHT = BITS * BLOCK, 96
BASE = Fraction(1, 600)


def barcode(index: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """uint8 [height, width, 3]: the bits of the index as white and black columns over a grey that also moves."""
    pixels = np.full((height, width, 3), 90 + index % 50, np.uint8)
    for bit in range(BITS):
        pixels[: height // 2, bit * BLOCK : (bit + 1) * BLOCK] = 235 if index >> bit & 1 else 20
    return pixels


def read_barcode(pixels: np.ndarray) -> int:
    """The index in a decoded frame of any size that shows the whole barcode."""
    height, width = pixels.shape[:2]
    block = width * BLOCK / WIDTH if abs(width - WIDTH) > 2 else BLOCK
    row = pixels[height // 8 : height // 3].mean(axis=(0, 2))
    return sum((row[int((bit + 0.5) * block)] > 128) << bit for bit in range(BITS))


def ticks_of(n: int, variable: bool, offset: int = 0) -> list[int]:
    """Presentation times in 1/600 s: 24 per second, or with gaps of 10 to 90 ticks."""
    steps = [10 + 80 * (i * 7 % 11) // 10 for i in range(n)] if variable else [25] * n
    return [offset + sum(steps[:i]) for i in range(n)]


def write_clip(
    path: Path, n: int = 48, codec: str = "libx264", *, size: tuple[int, int] = (WIDTH, HEIGHT),
    pixel_format: str = "yuv420p", variable: bool = False, offset: int = 0, options: dict[str, str] | None = None,
    gop: int = 12, rotation: int = 0,
) -> list[float]:  # fmt: skip
    """Encode a barcode video; returns its presentation times in seconds."""
    ticks = ticks_of(n, variable, offset)
    base = {
        ".webm": Fraction(1, 1000),
        ".mkv": Fraction(1, 1000),
        ".mpg": Fraction(1, 24),
        ".avi": Fraction(1, 24),
    }.get(path.suffix, BASE)
    scaled = [round(tick * BASE / base) for tick in ticks]
    fine = {"movie_timescale": "600"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=fine) as out:
        stream = out.add_stream(codec, rate=24, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.codec_context.time_base = base
        stream.codec_context.gop_size = gop
        for index, pts in enumerate(scaled):
            frame = av.VideoFrame.from_ndarray(barcode(index, *size), format="rgb24")
            frame.pts, frame.time_base = pts, base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return [float(pts * base) for pts in scaled]


def copy_cut(source: Path, target: Path, start_s: float) -> None:
    """Cut by stream copy, as `ffmpeg -ss START -c copy` does: from the key frame before, hidden by an edit list."""
    with av.open(str(source)) as inp, av.open(str(target), "w", options={"avoid_negative_ts": "disabled"}) as out:
        stream = inp.streams.video[0]
        copy = out.add_stream_from_template(stream)
        shift = round(start_s / stream.time_base)
        inp.seek(shift, stream=stream, backward=True)
        for packet in inp.demux(stream):
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                out.mux(packet)


X264 = {"preset": "medium", "crf": "18"}
CLIPS: dict[str, dict] = {  # name: how it is written
    "constant.mp4": {"options": {**X264, "bf": "0"}},
    "variable.mp4": {"variable": True, "options": X264},
    "b_frames.mp4": {"options": {**X264, "bf": "3", "b_strategy": "0"}, "gop": 24},
    "open_gop.mp4": {"options": {**X264, "bf": "3", "x264-params": "open-gop=1:keyint=12:scenecut=0"}},
    "long_gop.mkv": {"options": {**X264, "bf": "3"}, "gop": 250, "n": 120},
    "offset.mp4": {"offset": 320, "options": X264},
    "hevc.mp4": {"codec": "libx265", "options": {"preset": "fast", "x265-params": "log-level=none:keyint=12"}},
    "hevc_open.mkv": {"codec": "libx265", "variable": True,
                      "options": {"preset": "fast", "x265-params": "log-level=none:keyint=12:open-gop=1"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "vp9_variable_odd.webm": {"codec": "libvpx-vp9", "variable": True, "size": (WIDTH + 1, HEIGHT + 1),
                              "options": {"deadline": "realtime", "cpu-used": "8", "auto-alt-ref": "1"}},
    "vp8.webm": {"codec": "libvpx", "options": {"deadline": "good", "cpu-used": "4", "auto-alt-ref": "1",
                                                "lag-in-frames": "10"}},
    "av1.mkv": {"codec": "libsvtav1", "options": {"preset": "12", "svtav1-params": "keyint=12"}},
    "odd.mp4": {"size": (WIDTH + 1, HEIGHT + 1), "pixel_format": "yuv444p", "options": X264},
    "ten_bit.mp4": {"pixel_format": "yuv420p10le", "options": X264},
    "one_frame.mp4": {"n": 1, "options": X264},
    "two_frames.mp4": {"n": 2, "options": X264},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"b": "2M"}},
    "mpeg1.mpg": {"codec": "mpeg1video", "options": {"b": "2M"}},
    "stream.ts": {"offset": 600, "options": {**X264, "bf": "2"}},
}  # fmt: skip
