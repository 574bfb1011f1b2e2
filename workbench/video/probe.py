"""What a video file holds: size as displayed, codec, and the presentation time of every frame, without decoding it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.optional import need

PACKET_INDEX = {"mov", "mp4", "matroska", "webm", "avi"}
"""Containers whose packets are the frames, one by one; others (MPEG-TS, MPEG-PS) are decoded to be counted."""


class UnreadableVideo(DataError):
    """A file of which no picture can be decoded; the message is its reason."""


@dataclass(frozen=True)
class VideoInfo:
    """One video stream: the first of its file.

    Attributes:
        path: The file.
        container: Its format as FFmpeg names it.
        codec: E.g. ``h264``, ``vp9``.
        pixel_format: E.g. ``yuv420p``.
        width: Pixels of the displayed frame, after rotation.
        height: Pixels of the displayed frame, after rotation.
        rotation: Degrees clockwise by which a stored frame is turned to be displayed: 0, 90, 180 or 270.
        fps: Mean rate: frames per second of presentation; 0 for a single frame.
        times: Seconds, float64 [n_frames]: presentation time of every frame as the container states it, start offset
            included, ascending. Frame index = position in it.
        keys: Bool [n_frames]: frames at which decoding can start.
        ticks: int64 [n_frames]: the same times in units of the stream's time base.
        n_video_streams: How many the file has.
        index: ``packets`` (read from the container) or ``decoded`` (every frame was decoded to be counted).
        cut: Whether an edit list hides pictures that the file stores.
        open_gop: Whether pictures after a key frame are shown before it, so that they need the pictures before it too.
        damage: What could not be decoded, or "".
    """

    path: Path
    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    rotation: int
    fps: float
    times: np.ndarray
    keys: np.ndarray
    ticks: np.ndarray
    n_video_streams: int
    index: str
    cut: bool
    open_gop: bool = False
    damage: str = ""

    @property
    def n_frames(self) -> int:
        return len(self.times)

    @property
    def duration_s(self) -> float:
        """From the first frame's time to the end of the last one, which is taken to last as long as the mean frame."""
        return float(self.times[-1] - self.times[0] + (1 / self.fps if self.fps else 0.0))

    @property
    def decord_unsafe(self) -> str:
        """Why decord may return other frames than asked for, without an error; "" where it was always exact.

        Source: measured in ``shared/dependencies.md`` 2g, and again in ``tests/video``.
        """
        reasons = [
            (self.codec != "h264", f"codec {self.codec}"),
            (self.pixel_format not in ("yuv420p", "yuvj420p"), f"pixel format {self.pixel_format}"),
            (bool(self.width % 2 or self.height % 2), f"odd size {self.width}x{self.height}"),
            (min(self.width, self.height) < 32, f"tiny size {self.width}x{self.height}"),
            (self.n_video_streams > 1, f"{self.n_video_streams} video streams"),
            ("mpegts" in self.container, "MPEG-TS"),
            (self.cut, "an edit list that cuts"),
            (self.open_gop, "open groups of pictures"),
            (self.index != "packets", "packets that are no frames"),
        ]
        return next((reason for holds, reason in reasons if holds), "")


@contextmanager
def failures_named(path: Path) -> Iterator[None]:
    """Any failure of FFmpeg is an UnreadableVideo that names the file."""
    av = need("av", "Reading videos")
    try:
        yield
    except FileNotFoundError as error:
        raise UnreadableVideo(f"{path} does not exist.", "Check the path.") from error
    except (av.error.FFmpegError, OSError) as error:
        said = getattr(error, "strerror", "") or str(error)
        raise UnreadableVideo(f"{path.name} cannot be read: {said}.", "Replace the file, or leave it out.") from error


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The container and its first video stream, decoding on one thread; any failure of FFmpeg is an UnreadableVideo.

    Raises:
        UnreadableVideo: The file is absent, empty, no video, or cannot be decoded.
    """
    av = need("av", "Reading videos")
    path = Path(path)
    with failures_named(path), av.open(str(path.absolute()), metadata_errors="ignore") as container:
        if not container.streams.video:
            raise UnreadableVideo(f"{path.name} has no video stream.", "Leave it out, or replace the file.")
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        yield container, stream


def probe(path: Path, *, exact: bool = False) -> VideoInfo:
    """Look at a video file.

    The packets of the container give the time of every frame; only the first frame is decoded. Where packets are not
    frames (MPEG-TS, missing time stamps) or with ``exact``, every frame is decoded instead.

    Args:
        path: A video file, or an image (a video of one frame).
        exact: Decode every frame; what cannot be decoded stands in ``damage``.

    Raises:
        UnreadableVideo: No picture can be decoded; the sentence says why.
        MissingExtraError: PyAV is not installed.
    """
    with probed(path, exact=exact) as (info, _):
        return info


@contextmanager
def probed(path: Path, *, exact: bool = False) -> Iterator[tuple[VideoInfo, tuple[Any, Any] | None]]:
    """What ``probe`` says, and the container and stream it was read from, for who goes on reading.

    They stand at the end, to be sought from; None where there is no index to seek by.
    """
    path = Path(path)
    with opened(path) as (container, stream):
        indexed = not exact and bool(PACKET_INDEX & set(container.format.name.split(",")))
        first, packets = _look(container, stream, to_end=indexed)
        if first is None:
            raise UnreadableVideo(f"{path.name} holds no picture.", "Replace the file, or leave it out.")
        turned = first.rotation % 180 != 0
        info = VideoInfo(
            path=path, container=container.format.name, codec=stream.codec.canonical_name or stream.codec.name,
            pixel_format=first.format.name, width=first.height if turned else first.width,
            height=first.width if turned else first.height, rotation=-first.rotation % 360, fps=0.0,
            times=np.zeros(0), keys=np.zeros(0, bool), ticks=np.zeros(0, np.int64),
            n_video_streams=len(container.streams.video), index="packets", cut=False,
        )  # fmt: skip
        complete = _by_packets(info, packets, stream.time_base) if indexed else None
        if complete is not None:
            yield complete, (container, stream) if complete.keys[0] else None
            return
    yield _by_decoding(info), None


_Stamp = tuple[int | None, bool, bool]
"""Of a packet: its presentation time, whether it is a key frame, whether an edit list hides it."""


def _look(container: Any, stream: Any, to_end: bool) -> tuple[Any, list[_Stamp]]:
    """The first picture (None if there is none), and the stamps of the packets that were read for it, or of all."""
    first, packets = None, []
    for packet in container.demux(stream):
        if packet.size:
            packets.append((packet.pts, packet.is_keyframe, packet.is_discard))
        if first is None:
            first = next(iter(packet.decode()), None)
        if first is not None and not to_end:
            break
    return first, packets


def _by_packets(info: VideoInfo, packets: list[_Stamp], base: Any) -> VideoInfo | None:
    """The index from the container's packets, or None where they do not state distinct times."""
    stamps = [(pts, key, hidden) for pts, key, hidden in packets if pts is not None]
    shown = sorted((pts, key) for pts, key, hidden in stamps if not hidden)
    ticks = np.asarray([pts for pts, _ in shown], np.int64)
    if not shown or len(stamps) < len(packets) or not (np.diff(ticks) > 0).all():
        return None
    keys = np.asarray([key for _, key in shown], bool)
    return _timed(
        info, ticks, keys, base, index="packets", cut=any(hidden for _, _, hidden in stamps),
        open_gop=_has_leading([(pts, key) for pts, key, _ in stamps]),
    )  # fmt: skip


def _has_leading(packets: list[tuple[int, bool]]) -> bool:
    """Whether a packet that is stored after a key frame is shown before it."""
    last_key = packets[0][0]
    for pts, key in packets:
        if pts < last_key:
            return True
        last_key = pts if key else last_key
    return False


def _by_decoding(info: VideoInfo) -> VideoInfo:
    """The index from decoding all of it, going on after errors."""
    ticks: list[int] = []
    keys: list[bool] = []
    failed = 0
    with opened(info.path) as (container, stream):
        for frames, fine in decoded(container, stream):
            failed += not fine
            for frame in frames:
                if frame.pts is None and len(ticks) == 0:
                    frame.pts = 0  # an image states no time
                if frame.pts is not None and (not ticks or frame.pts > ticks[-1]):
                    ticks.append(frame.pts)
                    keys.append(bool(frame.key_frame))
        if not ticks:
            raise UnreadableVideo(f"{info.path.name} holds no picture that can be decoded.", "Replace the file.")
        damage = f"{failed} of its packets cannot be decoded" if failed else ""
        base = stream.time_base or 1
        return replace(
            _timed(info, np.asarray(ticks, np.int64), np.asarray(keys), base, index="decoded"), damage=damage
        )


def decoded(container: Any, stream: Any) -> Iterator[tuple[list[Any], bool]]:
    """Frames of every packet in turn, and whether it could be decoded; a damaged packet gives none."""
    av = need("av", "Reading videos")
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.InvalidDataError:
            yield [], False  # the container itself ends here
            return
        if packet is None:
            return
        try:
            yield packet.decode(), True
        except av.error.InvalidDataError:
            yield [], False


def _timed(info: VideoInfo, ticks: np.ndarray, keys: np.ndarray, base: Any, **rest: Any) -> VideoInfo:
    times = ticks * float(base)
    span = float(times[-1] - times[0])
    return replace(info, ticks=ticks, times=times, keys=keys, fps=(len(times) - 1) / span if span > 0 else 0.0, **rest)
