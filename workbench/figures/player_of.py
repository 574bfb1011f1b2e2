"""A video of a corpus with the text that an engine read in it, as data of the player: for page, notebook, report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.lookup import nearest
from workbench.corpus import Corpus, engines
from workbench.corpus.media import file_of, frame_times, rendition_row
from workbench.figures.player import STAMP, player_data

FIRST, TRUTH = engines.READ_ENGINES, engines.TRUTH
LIGHT = 800_000
"""Bits per second up to which an original is played at once: a proxy would save nothing worth the wait."""
PLAYED = ("h264", "vp8", "vp9", "av1")
"""Codecs that browsers play."""


def engine_of(corpus: Corpus, video_id: str, engine: str | None = None) -> str | None:
    """The engine whose texts of a video are shown; None = nobody read it.

    Args:
        corpus: The corpus.
        video_id: The video.
        engine: The one asked for; None = by the rule of ``corpus.engines``, of those that looked at the video.

    Raises:
        UnknownNameError: The corpus has nothing of that engine.
    """
    coverage, texts = corpus.of_video("text_coverage", video_id), corpus.of_video("texts", video_id)
    looked_at = {*coverage["engine"][coverage["state"].isin(["read", "empty"])], *texts["engine"]}
    if engine is None:
        return engines.first_engine(looked_at)
    if engine not in looked_at:
        known = {*corpus.texts["engine"].unique(), *corpus.text_coverage["engine"].unique()}
        if engine not in known:
            raise UnknownNameError(f"{corpus.name} has no text of the engine {engine!r}.", nearest(engine, known))
    return engine


def video_player(
    corpus: Corpus,
    video_id: str,
    address: Callable[[str], str],
    *,
    matched: Collection[str] = (),
    ticks: Sequence[int] = (),
    engine: str | None = None,
    read: tuple[pd.DataFrame, pd.DataFrame] | None = None,
    own_times: Mapping[str, Sequence[float] | np.ndarray] | None = None,
    renditions: Sequence[str] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """What the player shows of one video: its files, its frames, and the words and boxes of one engine.

    Args:
        corpus: The corpus.
        video_id: The video.
        address: Address of a rendition.
        matched: ``text_id`` of the texts that the query names; shown whatever engine they are of.
        ticks: Frames of the original to mark.
        engine: Whose texts; None = rapidocr, kwai or another, never ``truth``.
        read: Rows of ``texts`` and ``boxes``, on frames of the original, to show in place of an engine's.
        own_times: Seconds of the frames of renditions that have others than the original.
        renditions: Files that the player tries in turn; None = ``files_of``.
        **options: Of ``player_data``: ``key``, ``title``, ``sub``, ``start``, ``compact``, ...

    Raises:
        UnknownNameError: The corpus has no such video or engine.
        StateError: The video has no file here, or it was not probed.
        DataError: Its file is broken, has changed, or lies outside the recorded folder.
    """
    _must_play(corpus, video_id)
    times = frame_times(corpus, video_id)
    row = rendition_row(corpus, video_id)
    if pd.isna(row["width"]) or pd.isna(row["height"]):
        raise StateError(f"The size of {video_id} is not known yet.", f"Run: workbench video probe {corpus.name}")
    chosen = engine_of(corpus, video_id, engine)
    texts, boxes = _read_by(corpus, video_id, chosen, times, matched) if read is None else read
    own, files = own_times or {}, files_of(corpus, video_id) if renditions is None else renditions
    return player_data(
        sources=[{"src": address(name), "rendition": name, "times": own.get(name, times)} for name in files],
        width=row["width"], height=row["height"], frame_times=times.tolist(), texts=texts, boxes=boxes,
        matched=matched, ticks=ticks, **{"key": f"{corpus.name}/{video_id}", **options},
    )  # fmt: skip


def files_of(corpus: Corpus, video_id: str) -> tuple[str, str]:
    """The small file first, unless the original is small itself and of a kind that browsers play."""
    row = rendition_row(corpus, video_id)
    seconds = float(corpus.of_video("videos", video_id)["duration_s"].iloc[0])
    rate = row["n_bytes"] * 8 / seconds if pd.notna(row["n_bytes"]) and seconds > 0 else np.inf
    light = rate <= LIGHT and row["codec"] in PLAYED
    return ("original", "proxy") if light else ("proxy", "original")


def _read_by(
    corpus: Corpus, video_id: str, engine: str | None, times: np.ndarray, also: Collection[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Texts and boxes of an engine, and the texts ``also``, on the frames of the original."""
    texts = corpus.of_video("texts", video_id)
    texts = texts[(texts["engine"] == engine) | texts["text_id"].isin(list(also))]
    boxes = corpus.boxes(video_id)
    if engine is not None and _frames_of_another(corpus, video_id, engine):
        return on_frames(texts, boxes, times)
    return texts, boxes


def _must_play(corpus: Corpus, video_id: str) -> None:
    """Refuse with the reason where there is nothing to play."""
    videos = corpus.of_video("videos", video_id)
    if videos.empty:
        raise UnknownNameError(f"{corpus.name} has no video {video_id!r}.", "Look at the page Data.")
    video = videos.iloc[0]
    reason = "" if pd.isna(video["reason"]) else f": {str(video['reason']).rstrip('.')}"
    if video["status"] == "broken":
        raise DataError(f"{video_id} cannot be played{reason}.", "Replace its file and probe again.")
    if video["status"] in ("missing", "not_kept"):
        kept = {"missing": "is not on this machine", "not_kept": "is not kept"}[video["status"]]
        raise StateError(
            f"{video_id} {kept}{reason}.",
            f"Add its folder: workbench data prepare {corpus.name} ... --root FOLDER --overwrite",
        )
    file_of(corpus, video_id)


def _frames_of_another(corpus: Corpus, video_id: str, engine: str) -> bool:
    """Whether an engine counted the frames of another file than the original."""
    rows = corpus.of_video("text_coverage", video_id)
    read = rows["rendition"][rows["engine"] == engine]
    return bool(read.isin(["small", "proxy"]).any())


def on_frames(texts: pd.DataFrame, boxes: pd.DataFrame, times: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same texts and boxes on the frames of the original, by their seconds.

    Args:
        texts: Rows of ``texts`` that count the frames of another file.
        boxes: Rows of ``boxes`` that do.
        times: Seconds of every frame of the original.
    """

    def frames(seconds: pd.Series) -> np.ndarray:
        return np.maximum(0, np.searchsorted(times, seconds.to_numpy("float64") + STAMP, side="right") - 1)

    counted = {}
    for column, seconds in (("first_frame", texts["start_s"]), ("last_frame", texts["end_s"])):
        counted[column] = pd.Series(frames(seconds), texts.index).astype("Int64").where(seconds.notna())
    return texts.assign(**counted), boxes.assign(frame=frames(boxes["time_s"]))
