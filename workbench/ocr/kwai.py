"""Reads the Kwai_VideoOCR files of TextVR, counts what is odd in them, and tells which video file they describe."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.ocr.jsonlines import box_table, text_table
from workbench.ocr.kwai_tracks import Track, read_tracks
from workbench.ocr.reference import Fit, Reference

Size = tuple[int, int, int]
"""Width and height in pixels, number of frames (0 = unknown)."""

EDGE = 0.01
"""Share of the picture by which a box may leave it and still counts as lying in it."""


@dataclass(frozen=True)
class KwaiFile:
    """What one file holds.

    Attributes:
        texts: Rows of the table ``texts``, one per track that has text.
        boxes: Rows of ``boxes``, corners in 0..1; empty where no rendition or no frame times are known.
        census: How often each form and each oddity occurs.
        rendition_guess: The smallest rendition that holds all boxes and frames, or None.
        evidence: One sentence on why.
        fits: All renditions that hold them, smallest first; empty also where the file has no boxes.
        fit: How many of its boxes lie in the picture in the frame of reference that was used.
    """

    texts: pd.DataFrame
    boxes: pd.DataFrame
    census: dict[str, int]
    rendition_guess: str | None
    evidence: str
    fits: tuple[str, ...] = ()
    fit: Fit = Fit()

    @property
    def boxes_read(self) -> bool:
        """Whether any box of the file could be read, with or without a known rendition."""
        return self.census.get("tracks", 0) > self.census.get("tracks without boxes", 0)


def read_kwai(
    content: object,
    *,
    video_id: str,
    engine: str = "kwai",
    frame_times: np.ndarray | None,
    sizes: Mapping[str, Size],
    reference: Reference | None = None,
) -> KwaiFile:
    """Read the decoded JSON of one clip; whatever is odd is counted and left out, never an error.

    Source: the field list of TextVR's loader (docs: spec 1.6); nobody who wrote this has seen a real file.

    Args:
        content: An object, track name -> {text, score, tracks: {frame index: 8 or 10 numbers}}.
        video_id: The clip.
        engine: Name in ``texts``.
        frame_times: Seconds of every frame, float [n_frames], of the rendition that the frame indices count.
        sizes: Rendition -> (width, height, n_frames) as displayed.
        reference: What its boxes refer to, e.g. the majority of ``guess_over_files``; None = the guess.

    Raises:
        DataError: ``content`` is no object, or ``sizes`` lacks the asked rendition.
    """
    if not isinstance(content, Mapping):
        raise DataError(
            f"The OCR of {video_id} is a JSON {type(content).__name__}, not an object of text tracks.",
            "Download the Kwai_VideoOCR file again.",
        )
    if reference is not None and reference.rendition not in sizes:
        raise DataError(
            f"The size of rendition {reference.rendition!r} of {video_id} is unknown.", "Probe the videos first."
        )
    census: Counter[str] = Counter(files=1)
    tracks = read_tracks(content, census)
    guess, fits, evidence = _guess(tracks, sizes)
    used = reference or (Reference(guess) if guess else None)
    if used and used.first:
        tracks = [replace(one, quads={frame - used.first: quad for frame, quad in one.quads.items()}) for one in tracks]
    scale = _scale(tracks, used.picture(*sizes[used.rendition][:2]), census) if used else None
    boxes, fit = _boxes(tracks, f"{video_id}#{engine}", used, scale, frame_times, census)
    texts = _texts(tracks, video_id, engine, frame_times, Counter(boxes["text_id"]))
    return KwaiFile(texts, boxes, {what: count for what, count in census.items() if count}, guess, evidence, fits, fit)


def _extent(tracks: Sequence[Track]) -> tuple[float, float, int] | None:
    """Largest x, largest y and largest frame index of all boxes; None where there is no box."""
    quads = [quad for track in tracks for quad in track.quads.values() if quad is not None]
    if not quads:
        return None
    right, bottom = np.concatenate(quads).max(axis=0)
    return float(right), float(bottom), max(max(track.quads) for track in tracks if track.quads)


def _guess(tracks: Sequence[Track], sizes: Mapping[str, Size]) -> tuple[str | None, tuple[str, ...], str]:
    extent = _extent(tracks)
    if extent is None:
        return None, (), "The file has no boxes, so nothing tells which rendition it describes."
    right, bottom, last = extent
    reach = f"boxes reach ({right:g}, {bottom:g}) and frame {last}"
    if not sizes:
        return None, (), f"No rendition is known: {reach}."
    ordered = sorted(sizes, key=lambda name: (sizes[name][0] * sizes[name][1], sizes[name][2], name))
    missing = {name: _missing(extent, sizes[name]) for name in ordered}
    fits = tuple(name for name in ordered if not missing[name])
    if not fits:
        lacks = "; ".join(f"{name} lacks {missing[name]}" for name in ordered)
        return None, (), f"No rendition fits: {reach}; {lacks}."
    width, height, n_frames = sizes[fits[0]]
    others = [f"{name} fits too" if name in fits else f"{name} lacks {missing[name]}" for name in ordered]
    others = [other for name, other in zip(ordered, others, strict=True) if name != fits[0]]
    chosen = f"{fits[0]} is the smallest that holds them ({width} x {height}, {n_frames or 'unknown'} frames)"
    return fits[0], fits, "; ".join([f"{reach[0].upper()}{reach[1:]}", chosen, *others]) + "."


def _missing(extent: tuple[float, float, int], size: Size) -> str:
    """By how much a rendition is too small, in words; empty where it fits."""
    right, bottom, last = extent
    width, height, n_frames = size
    lacks = [(right - width, "pixels of width"), (bottom - height, "pixels of height")]
    lacks.append((last + 1 - n_frames if n_frames else 0, "frames"))
    return ", ".join(f"{amount:g} {what}" for amount, what in lacks if amount > 0)


def _scale(tracks: Sequence[Track], size: tuple[float, float], census: Counter[str]) -> tuple[float, float]:
    """What the corners are divided by: width and height, or 1 where they are shares of the frame already."""
    extent = _extent(tracks)
    if extent and 0 < max(extent[:2]) <= 1:
        census["files whose corners are in 0..1 already"] += 1
        return 1.0, 1.0
    return size


def _boxes(
    tracks: Sequence[Track],
    prefix: str,
    reference: Reference | None,
    scale: tuple[float, float] | None,
    times: np.ndarray | None,
    census: Counter[str],
) -> tuple[pd.DataFrame, Fit]:
    places: list[tuple[str, int, float]] = []
    kept: list[np.ndarray] = []
    for track in tracks:
        for frame, quad in track.quads.items():
            time = _time(times, frame)
            if quad is None:
                continue
            if scale is None or time is None:
                census["boxes left out: no rendition fits" if scale is None else "boxes left out: no frame time"] += 1
                continue
            places.append((f"{prefix}#{track.name}", frame, time))
            kept.append(quad)
    shares = np.reshape(kept, (-1, 4, 2)) / (scale or (1.0, 1.0))
    shares = reference.upright(shares) if reference else shares
    census["boxes that leave the frame"] += int(((shares < 0) | (shares > 1)).any(axis=(1, 2)).sum())
    inside = int(((shares >= -EDGE) & (shares <= 1 + EDGE)).all(axis=(1, 2)).sum())
    fit = Fit(sum(quad is not None for track in tracks for quad in track.quads.values()), inside)
    corners = np.clip(shares, 0, 1).reshape(-1, 8).tolist()
    return box_table([[*place, *one] for place, one in zip(places, corners, strict=True)]), fit


def _time(times: np.ndarray | None, frame: int | None) -> float | None:
    if times is None or frame is None or not 0 <= frame < len(times) or not math.isfinite(times[frame]):
        return None
    return float(times[frame])


def _texts(
    tracks: Sequence[Track], video_id: str, engine: str, times: np.ndarray | None, n_boxes: Mapping[str, int]
) -> pd.DataFrame:
    rows = []
    for track in tracks:
        text_id = f"{video_id}#{engine}#{track.name}"
        first, last = (min(track.quads), max(track.quads)) if track.quads else (None, None)
        rows.append([
            text_id, video_id, "ocr", engine, track.text, None, track.score, _time(times, first), _time(times, last),
            first, last, n_boxes.get(text_id, 0),
        ])  # fmt: skip
    return text_table(rows)


def merge_census(files: Iterable[KwaiFile | Mapping[str, int]]) -> pd.DataFrame:
    """What occurs how often in many files, most frequent first.

    Returns:
        Columns what, count (occurrences in all files) and share (of the files in which it occurs, 0..1).
    """
    counts, holders, n = Counter[str](), Counter[str](), 0
    for file in files:
        census = file.census if isinstance(file, KwaiFile) else file
        n += 1
        counts.update(census)
        holders.update(what for what, count in census.items() if count)
    rows = [(what, count, holders[what] / n) for what, count in sorted(counts.items(), key=lambda x: (-x[1], x[0]))]
    return pd.DataFrame(rows, columns=["what", "count", "share"])


def guess_over_files(files: Iterable[KwaiFile]) -> tuple[str | None, str]:
    """The rendition that most files describe, and one sentence with the numbers.

    A file of the larger rendition whose texts are all small or early fits the smaller one too, never the other way
    round: a few files that fit only the larger one say more than many that fit both.
    """
    told = [file for file in files if file.boxes_read]
    votes = Counter(file.rendition_guess for file in told if file.rendition_guess)
    none = sum(not file.fits for file in told)
    if not votes:
        return None, f"No rendition: {none} of {len(told)} files with boxes fit none."
    name = max(votes, key=lambda one: (votes[one], sum(one in file.fits for file in told), one))
    only = sum(file.fits == (name,) for file in told)
    both = sum(name in file.fits and len(file.fits) > 1 for file in told)
    other = sum(bool(file.fits) and name not in file.fits for file in told)
    return name, (
        f"{name}: {only} of {len(told)} files with boxes fit only it, {both} fit it and another, "
        f"{other} fit only another, {none} fit none."
    )
