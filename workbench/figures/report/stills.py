"""Frames of videos inside a report: a small picture with the boxes of what was read, drawn by the browser."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np

from workbench.core.optional import need
from workbench.figures.qualitative import Still
from workbench.figures.theme import NEUTRAL, B

QUALITY = 78
FEATURE = "A frame as a picture"


def still_html(still: Still, label: str, *, right: bool = False) -> str:
    """A frame with its boxes; or the reason why there is none.

    Args:
        still: The frame.
        label: Below it, and what a screen reader says.
        right: The video is a right one: framed.
    """
    said = f'<figcaption class="text">{escape(label)}</figcaption>'
    frame = "still right" if right else "still"
    if still.pixels is None:
        return f'<figure class="{frame}"><div class="none">{escape(still.why)}</div>{said}</figure>'
    high, wide = still.pixels.shape[:2]
    quads = "".join(_quad(corners, hit, wide, high) for corners, hit in still.boxes if np.isfinite(corners).all())
    picture = f'<image href="data:image/jpeg;base64,{_jpeg(still.pixels)}" width="{wide}" height="{high}"/>'
    return (
        f'<figure class="{frame}"><svg viewBox="0 0 {wide} {high}" role="img" aria-label="{escape(label)}">'
        f"{picture}{quads}</svg>{said}</figure>"
    )


def still_png(still: Still) -> bytes:
    """A frame with its boxes as a picture; empty where there is no frame.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    if still.pixels is None:
        return b""
    picture = need("PIL.Image", FEATURE).fromarray(still.pixels)
    pen = need("PIL.ImageDraw", FEATURE).Draw(picture)
    for corners, hit in still.boxes:
        if np.isfinite(corners).all():
            quad = corners.reshape(4, 2) * (picture.width, picture.height)
            pen.polygon(list(map(tuple, quad)), outline=B if hit else NEUTRAL, width=3 if hit else 2)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _quad(corners: np.ndarray, hit: bool, wide: int, high: int) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners.reshape(4, 2) * (wide, high))
    look = f'stroke="{B}" stroke-width="3"' if hit else f'stroke="{NEUTRAL}" stroke-width="1.5" stroke-dasharray="4 3"'
    return f'<polygon points="{points}" fill="none" {look}/>'


def _jpeg(pixels: np.ndarray) -> str:
    out = io.BytesIO()
    need("PIL.Image", FEATURE).fromarray(pixels).save(out, "JPEG", quality=QUALITY, optimize=True)
    return base64.b64encode(out.getvalue()).decode("ascii")
