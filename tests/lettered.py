"""Frames and clips with rendered words, for the real OCR engine."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

WIDTH, HEIGHT = 320, 240


def lettered(words: dict[str, tuple[int, int]], size: int = 30, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> np.ndarray:
    """uint8 [height, width, 3]: black words on grey, each with its top left corner at (x, y) pixels."""
    image = pytest.importorskip("PIL.Image", reason="needs Pillow, which make setup installs")
    draw = pytest.importorskip("PIL.ImageDraw", reason="needs Pillow, which make setup installs")
    fonts = pytest.importorskip("PIL.ImageFont", reason="needs Pillow, which make setup installs")
    folder = pytest.importorskip("matplotlib", reason="needs matplotlib's fonts").get_data_path()
    font = fonts.truetype(str(Path(folder, "fonts/ttf/DejaVuSans.ttf")), size)
    picture = image.new("RGB", shape[::-1], (200, 200, 200))
    for word, place in words.items():
        draw.Draw(picture).text(place, word, fill=(0, 0, 0), font=font, anchor="lt")
    return np.asarray(picture)


def write_lettered(path: Path, shown: list[dict[str, tuple[int, int]]], hold: int = 6, rate: int = 12) -> None:
    """A clip whose n-th stretch of ``hold`` frames shows the n-th words."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        for index in range(len(shown) * hold):
            frame = av.VideoFrame.from_ndarray(lettered(shown[index // hold]), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
