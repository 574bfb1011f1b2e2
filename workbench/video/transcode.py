"""Other renditions of a video: proxies that every browser plays, and the small one that training reads."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.files import atomic
from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.video.probe import VideoInfo, decoded, opened, probe
from workbench.video.readers import read_frames, size_for, upright
from workbench.video.sampling import thinned


@dataclass(frozen=True)
class Encoding:
    """How a rendition is encoded, always H.264 4:2:0 in MP4, pictures upright, without sound.

    Attributes:
        short_side: Pixels of the shorter side; smaller videos are never enlarged.
        gop: Frames from key frame to key frame.
        crf: x264's constant rate factor; higher is smaller and worse.
        max_rate: Bits per second at most; None = no limit.
        fps: Keep so many frames per second; None = every frame with its own presentation time.
    """

    short_side: int
    gop: int
    crf: int
    max_rate: int | None = None
    fps: float | None = None


ENCODINGS = {
    "proxy": Encoding(short_side=240, gop=12, crf=27, max_rate=320_000),  # about 0.4 MB per 10 s at most
    "small": Encoding(short_side=224, gop=1, crf=23, fps=3.0),
}


def transcode(video: Path | VideoInfo, target: Path, encoding: Encoding | str = "proxy") -> VideoInfo:
    """Write another rendition of a video; it appears whole or not at all.

    Presentation times are kept (start offset included); a container that cannot hold them exactly shows it in the
    returned table, which belongs to the new file.

    Args:
        video: A file, or its probe.
        target: The new ``.mp4``.
        encoding: ``proxy``, ``small``, or an ``Encoding``.

    Returns:
        The probe of the new file.

    Raises:
        UnreadableVideo: It cannot be decoded.
        StateError: The disk is full or the folder cannot be written.
    """
    av = need("av", "Encoding videos")
    how = pick(ENCODINGS, encoding, "encoding") if isinstance(encoding, str) else encoding
    info = video if isinstance(video, VideoInfo) else probe(video)
    chosen = None if how.fps is None else set(info.ticks[thinned(info.times, how.fps)].tolist())
    short = min(how.short_side, min(info.width, info.height))
    width, height = (max(16, side) for side in size_for(info, short, multiple=2))
    with atomic(target) as temporary, opened(info.path) as (source, stream):
        base = stream.time_base or Fraction(1, 1000)
        with av.open(str(temporary), "w", format="mp4", options=_mp4(base)) as out:
            sink = _h264(out, base, width, height, how)
            last = None
            for frames, _ in decoded(source, stream):
                for frame in frames:
                    pts = 0 if frame.pts is None else frame.pts
                    if (last is None or pts > last) and (chosen is None or pts in chosen):
                        last = pts
                        out.mux(sink.encode(_picture(frame, info, width, height, pts, base)))
            out.mux(sink.encode(None))
    return probe(target)


def _mp4(base: Fraction) -> dict[str, str]:
    """Options of the container; its clock is fine enough for the start offset, which stands in an edit list."""
    return {"movflags": "+faststart", "movie_timescale": str(min(max(1000, base.denominator), 1_000_000))}


def _h264(out: Any, base: Fraction, width: int, height: int, how: Encoding) -> Any:
    options = {"crf": str(how.crf), "preset": "veryfast", "bf": "0", "sc_threshold": "0"}
    if how.max_rate:
        options |= {"maxrate": str(how.max_rate), "bufsize": str(2 * how.max_rate)}
    sink = out.add_stream("libx264", rate=30, options=options)
    sink.width, sink.height, sink.pix_fmt = width, height, "yuv420p"
    sink.codec_context.time_base = base
    sink.time_base = base
    sink.codec_context.gop_size = how.gop
    sink.codec_context.thread_count = 1
    return sink


def _picture(frame: Any, info: VideoInfo, width: int, height: int, pts: int, base: Fraction) -> Any:
    av = need("av", "Encoding videos")
    if info.rotation:
        frame = av.VideoFrame.from_ndarray(upright(frame, info, None), format="rgb24")
    fresh = frame.reformat(width=width, height=height, format="yuv420p")
    fresh.pts, fresh.time_base, fresh.pict_type = pts, base, 0
    return fresh


def thumbnail(video: Path | VideoInfo, *, time_s: float | None = None, height: int = 180) -> bytes:
    """A small JPEG of the frame on screen at a time; None = of the middle frame.

    Raises:
        UnreadableVideo: It cannot be decoded.
        MissingExtraError: Pillow is not installed.
    """
    image = need("PIL.Image", "Making thumbnails")
    info = video if isinstance(video, VideoInfo) else probe(video)
    index = info.n_frames // 2
    if time_s is not None:
        index = max(0, int(np.searchsorted(info.times, time_s + 1e-6, side="right")) - 1)
    picture = image.fromarray(read_frames(info, [index]).pixels[0])
    picture.thumbnail((4 * height, height))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82)
    return out.getvalue()
