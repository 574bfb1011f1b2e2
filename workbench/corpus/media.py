"""Files of a corpus: the path of a rendition after the checks that serving it needs, and the times of its frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.files import read_small_table, write_table
from workbench.core.lookup import nearest
from workbench.corpus.corpus import Corpus, video_key


def video_of_key(corpus: Corpus, key: str) -> str:
    """The video with this key (first 16 hex digits of sha256 of its id).

    Raises:
        DataError: The corpus has no such video.
    """
    if key not in corpus.video_of_key:
        raise DataError(f"Corpus {corpus.name} has no video with the key {key[:32]!r}.", "Keys are 16 hex digits.")
    return corpus.video_of_key[key]


def rendition_row(corpus: Corpus, video_id: str, rendition: str = "original") -> pd.Series:
    """The row of ``renditions`` of one file.

    Raises:
        StateError: The video has no such file here.
    """
    place = corpus.rendition_places.get((video_id, rendition))
    if place is None:
        raise StateError(
            f"{corpus.name} has no {rendition} file of {video_id}.",
            f"Add its folder: workbench data prepare {corpus.name} ... --root FOLDER --overwrite",
        )
    return corpus.renditions.iloc[place]


def file_of(corpus: Corpus, video_id: str, rendition: str = "original") -> Path:
    """The file of a video, if it may be read: named by a row, below the recorded folder, unchanged since.

    Raises:
        StateError: No such file is recorded, or it is gone.
        DataError: It lies outside the recorded folder, or has changed its size or time.
    """
    row = rendition_row(corpus, video_id, rendition)
    root = Path(corpus.roots.get(rendition, ""))
    if rendition not in corpus.roots or not root.is_dir():
        raise StateError(
            f"The folder of {rendition} videos of {corpus.name} is gone.",
            f"Say where it is: workbench data relocate {corpus.name} {rendition} FOLDER",
        )
    path = (root / row["path"]).resolve()
    if not path.is_relative_to(root.resolve()):
        raise DataError(f"{row['path']} leads out of the folder of {corpus.name}.", "Prepare the corpus again.")
    if not path.is_file():
        raise StateError(f"{row['path']} is gone.", "Put it back, or prepare again.")
    stat = path.stat()
    same_time = pd.isna(row["mtime"]) or abs(stat.st_mtime - row["mtime"]) < 2
    if (pd.notna(row["n_bytes"]) and stat.st_size != row["n_bytes"]) or not same_time:
        raise DataError(f"{row['path']} has changed since the corpus was prepared.", "Prepare the corpus again.")
    return path


def _times_path(corpus: Corpus, video_id: str, rendition: str) -> Path:
    return corpus.path / "frames" / rendition / f"{video_key(video_id)}.parquet"


def write_frame_times(corpus: Corpus, video_id: str, rendition: str, times: np.ndarray, keys: np.ndarray) -> None:
    """Store the presentation time of every frame of a file, and at which of them decoding can start."""
    table = pd.DataFrame({"time_s": times, "key": keys})
    write_table(_times_path(corpus, video_id, rendition), table)


def forget_frame_times(corpus: Corpus, video_id: str, rendition: str) -> None:
    """Remove the stored times of a file that has become unreadable."""
    _times_path(corpus, video_id, rendition).unlink(missing_ok=True)


def frame_times(corpus: Corpus, video_id: str, rendition: str = "original") -> np.ndarray:
    """Seconds of every frame of a file, float64 [n_frames], as its container states them.

    Raises:
        StateError: The file was not probed.
    """
    path = _times_path(corpus, video_id, rendition)
    if not path.exists():
        known = corpus.renditions.loc[corpus.renditions["video_id"] == video_id, "rendition"].tolist()
        raise StateError(
            f"The frames of {video_id} ({rendition}) are not known yet. {nearest(rendition, known) if known else ''}",
            f"Run: workbench video probe {corpus.name}",
        )
    return read_small_table(path)["time_s"].to_numpy()
