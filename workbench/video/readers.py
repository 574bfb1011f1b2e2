"""Readers: exactly the frames that were asked for, as uint8 RGB, displayed upright; and which reader gave them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError, StateError
from workbench.core.lookup import pick
from workbench.core.optional import has, need
from workbench.video.probe import UnreadableVideo, VideoInfo, decoded, failures_named, opened, probe, probed
from workbench.video.sampling import Sampler, sample_frames, sampler_named

Picture = tuple[int, np.ndarray]
"""A frame's index, and its pixels uint8 [height, width, 3], RGB."""
Source = tuple[Any, Any]
"""The container and stream of a file that the probe left open; saves opening it again."""


@dataclass(frozen=True)
class Frames:
    """Decoded frames of one video.

    Attributes:
        pixels: uint8 [n, height, width, 3], RGB, displayed upright.
        indices: int64 [n], positions in presentation order, ascending.
        times: Seconds [n], presentation times.
        info: The video.
        reader: Who decoded it: ``pyav`` or ``decord``, with its version.
        note: What a user should know, e.g. why decord may be wrong here.
    """

    pixels: np.ndarray
    indices: np.ndarray
    times: np.ndarray
    info: VideoInfo
    reader: str
    note: str = ""


def read_frames(
    video: Path | VideoInfo,
    frames: Sequence[int] | np.ndarray | Sampler | str | Callable[[np.ndarray], np.ndarray] = "uniform-12",
    *,
    reader: str = "pyav",
    short_side: int | None = None,
    rng: np.random.Generator | None = None,
) -> Frames:
    """Decode the chosen frames of a video, and as little else as can be.

    Args:
        video: A file, or its probe.
        frames: Indices, a ``Sampler``, the name of a preset, or a function from the times of all frames (s) to indices;
            chosen before anything is decoded.
        reader: ``pyav`` (the reference), ``decord`` (to repeat old papers), or ``auto``: decord for speed where the
            probe says it is safe, else PyAV.
        short_side: Scale so that the shorter side has so many pixels; None = full size.
        rng: For random sampling.

    Raises:
        UnreadableVideo: It cannot be decoded; never replaced by anything else.
        DataError: An index outside the video.
        UnknownNameError: An unknown reader or preset.
        MissingExtraError: The reader's package is not installed.
    """
    with nullcontext((video, None)) if isinstance(video, VideoInfo) else probed(video) as (info, source):
        return _read(info, source, frames, chosen_reader(reader, info), short_side, rng)


def _read(
    info: VideoInfo, source: Source | None, frames: Any, name: str, short_side: int | None,
    rng: np.random.Generator | None,
) -> Frames:  # fmt: skip
    for attempt in (info, None):
        if attempt is None:  # a packet that gives no picture: count what can be decoded
            info, source = probe(info.path, exact=True), None
        indices = _indices(frames, info, rng)
        try:
            pictures = dict(READERS[name](info, indices, short_side, source))
        except UnreadableVideo:
            if info.index == "decoded":
                raise
            continue
        if len(pictures) == len(set(indices.tolist())):
            pixels = np.stack([pictures[int(i)] for i in indices]) if len(indices) else _none(info, short_side)
            note = info.decord_unsafe if name == "decord" else ""
            note = f"decord may return other frames: {note}" if note else info.damage
            return Frames(pixels, indices, info.times[indices], info, reader_version(name), note)
    raise UnreadableVideo(f"{info.path.name}: chosen frames cannot be decoded.", "Replace the file, or leave it out.")


def chosen_reader(reader: str, info: VideoInfo) -> str:
    """The reader to use: ``auto`` takes decord only where it is installed and the probe calls it safe."""
    if reader == "auto":
        return "decord" if not info.decord_unsafe and has("decord") else "pyav"
    pick(READERS, reader, "reader")
    return reader


def check_reader(reader: str) -> None:
    """Refuse a name that is no reader and not ``auto``.

    Raises:
        UnknownNameError: It is one.
    """
    pick({**READERS, "auto": None}, reader, "reader")


def reader_version(name: str) -> str:
    """Name and version of a reader as it is stored with caches, OCR and runs."""
    from importlib.metadata import version

    return f"{name} {version({'pyav': 'av', 'decord': 'decord'}[name])}"


def walk(
    info: VideoInfo, indices: np.ndarray, reader: str = "pyav", short_side: int | None = None
) -> Iterator[Picture]:
    """The frames of ``indices`` one after the other, for work that should not hold them all."""
    yield from READERS[chosen_reader(reader, info)](info, np.unique(np.asarray(indices, np.int64)), short_side, None)


def size_for(info: VideoInfo, short_side: int | None, multiple: int = 1) -> tuple[int, int]:
    """(width, height) in pixels after scaling the shorter side, sides rounded to a multiple."""
    scale = 1.0 if short_side is None else short_side / min(info.width, info.height)
    width, height = (max(multiple, multiple * round(side * scale / multiple)) for side in (info.width, info.height))
    return width, height


def _indices(frames: Any, info: VideoInfo, rng: np.random.Generator | None) -> np.ndarray:
    if isinstance(frames, str):
        frames = sampler_named(frames)
    if isinstance(frames, Sampler):
        return sample_frames(frames, info.times, rng)
    indices = np.asarray(frames(info.times) if callable(frames) else frames, np.int64)
    outside = (indices < 0) | (indices >= info.n_frames)
    if outside.any():
        raise DataError(f"{info.path.name} has no frame {indices[outside][0]}.", f"It has 0 to {info.n_frames - 1}.")
    return indices


def _none(info: VideoInfo, short_side: int | None) -> np.ndarray:
    width, height = size_for(info, short_side)
    return np.zeros((0, height, width, 3), np.uint8)


def _pyav(info: VideoInfo, indices: np.ndarray, short_side: int | None, source: Source | None) -> Iterator[Picture]:
    """Frames by presentation time; from key frame to key frame where the container's packets are the frames.

    A picture that no other one needs (not a reference) is only decoded when it was asked for.
    """
    wanted = np.unique(indices)
    position = {int(info.ticks[i]): int(i) for i in wanted}
    seekable = info.index == "packets"
    reformatter = need("av", "Reading videos").video.reformatter.VideoReformatter()
    with failures_named(info.path), nullcontext(source) if source else opened(info.path) as (container, stream):
        groups = _by_key_frame(info, wanted) if seekable else [(0, wanted)]
        for number, (key, group) in enumerate(groups):
            left = {int(info.ticks[i]) for i in group}
            if seekable and (number or key or source):
                container.seek(int(info.ticks[key]), stream=stream, backward=True)
            for frame in _until_found(container, stream, left, seekable):
                if seekable and frame.is_corrupt:
                    break  # decoding in order conceals it from what came before
                if frame.pts in left or (frame.pts is None and not seekable):
                    left.discard(frame.pts)
                    yield position[frame.pts or 0], upright(frame, info, short_side, reformatter)
                if not left:
                    break
            if left:
                raise UnreadableVideo(
                    f"{info.path.name}: no picture at {float(min(left) * stream.time_base):.3f} s.",
                    "Its packets do not give the pictures they announce.",
                )


def _by_key_frame(info: VideoInfo, wanted: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Wanted frames by the key frame from which they are decoded."""
    keys = np.flatnonzero(info.keys)
    if len(keys) == 0 or keys[0] != 0:
        keys = np.concatenate([[0], keys])
    of = keys[np.searchsorted(keys, wanted, side="right") - 1]
    return [(int(key), wanted[of == key]) for key in np.unique(of)]


def _until_found(container: Any, stream: Any, left: set[int], skip: bool) -> Iterator[Any]:
    """Decoded frames until every wanted packet has gone in and come out."""
    context = stream.codec_context
    if not skip:
        for frames, _ in decoded(container, stream):
            yield from frames
        return
    to_feed = set(left)
    for packet in container.demux(stream):
        context.skip_frame = "DEFAULT" if packet.pts in left or packet.pts is None else "NONREF"
        yield from packet.decode()
        to_feed.discard(packet.pts)
        if not to_feed:
            break
    else:
        return
    context.skip_frame = "DEFAULT"
    yield from context.decode(None)


def upright(frame: Any, info: VideoInfo, short_side: int | None, reformatter: Any = None) -> np.ndarray:
    width, height = (frame.width, frame.height) if short_side is None else size_for(info, short_side)
    if short_side is not None and info.rotation % 180:
        width, height = height, width
    reformatter = reformatter or need("av", "Reading videos").video.reformatter.VideoReformatter()
    pixels = reformatter.reformat(frame, width, height, "rgb24", threads=1).to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, -info.rotation // 90)) if info.rotation else pixels


def _decord(info: VideoInfo, indices: np.ndarray, short_side: int | None, source: Source | None) -> Iterator[Picture]:
    decord = need("decord", "The reader decord")
    try:
        reader = decord.VideoReader(str(info.path.absolute()), num_threads=1)
        pixels = reader.get_batch(indices.tolist()).asnumpy()
    except (decord.DECORDError, RuntimeError, IndexError) as error:
        said = str(error).strip().splitlines()[-1][:120]
        raise StateError(f"decord cannot read {info.path.name}: {said}", "Use --reader pyav.") from error
    for index, picture in zip(indices, pixels, strict=True):
        yield int(index), picture if short_side is None else _scaled(picture, size_for(info, short_side))


def _scaled(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    av = need("av", "Scaling pictures")
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return frame.reformat(width=size[0], height=size[1]).to_ndarray(format="rgb24")


READERS: dict[str, Callable[[VideoInfo, np.ndarray, int | None, Source | None], Iterator[Picture]]] = {
    "pyav": _pyav,
    "decord": _decord,
}
