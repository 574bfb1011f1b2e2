"""What notebooks show in a cell: a video with the words that were read in it, or what is absent."""

from __future__ import annotations

import base64
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from workbench.core.errors import DataError, MissingExtraError, StateError
from workbench.corpus import Corpus
from workbench.figures.player import player_html
from workbench.figures.player_of import video_player
from workbench.figures.qualitative import stills_of
from workbench.figures.report.stills import still_png
from workbench.pipelines.videos import proxy

MOST_BYTES = 64 * 2**20
"""Of a proxy inside a notebook: more makes the notebook too heavy to open."""


@dataclass(frozen=True, repr=False)
class Shown:
    """A player for a notebook cell; everything that it needs is inside, so the saved notebook still plays.

    Attributes:
        video_id: The video.
        html: The player; where no script may run the still stands in it.
        still: A frame with its boxes (PNG), for what shows pictures only; empty where it cannot be made.
        said: What a terminal shows.
    """

    video_id: str
    html: str
    still: bytes
    said: str

    def _repr_html_(self) -> str:
        return self.html

    def _repr_png_(self) -> bytes | None:
        return self.still or None

    def __repr__(self) -> str:
        return self.said


def show(
    corpus: Corpus, video_id: str, *, title: str = "", engine: str | None = None, matched: Collection[str] = (),
    height: int = 480,
) -> Shown:  # fmt: skip
    """A video with its text in a notebook cell, as a small H.264 copy inside the notebook.

    Args:
        corpus: The corpus.
        video_id: The video, e.g. ``"Cooking/abc_1.mp4"``.
        title: Shown above the picture, e.g. a caption.
        engine: Whose texts; None = rapidocr, kwai or another, ``"truth"`` only when asked for.
        matched: ``text_id`` of texts to bring out.
        height: Pixels for picture and controls together, at most.

    Raises:
        UnknownNameError: The corpus has no such video or engine.
        StateError: The video has no file here, or it was not probed.
        DataError: Its file is broken or has changed, or its copy is too large for a notebook.
    """
    pending = video_player(corpus, video_id, str, engine=engine, matched=matched, title=title, renditions=())
    made = proxy(corpus, video_id)
    size = made.path.stat().st_size
    if size > MOST_BYTES:
        raise DataError(
            f"The copy of {video_id} has {size / 2**20:.0f} MiB, too much for a notebook cell.",
            "Look at it in the app: workbench app",
        )
    inside = "data:video/mp4;base64," + base64.b64encode(made.path.read_bytes()).decode("ascii")
    source = {"src": inside, "rendition": "proxy", "times": [round(float(time), 6) for time in made.times]}
    words = {track["text"] for track in pending["tracks"]}
    read = "1 text" if len(words) == 1 else f"{len(words) or 'no'} texts"
    long = pending["frame_times"][-1] - pending["frame_times"][0]
    said = f"{video_id}: {long:.1f} s, {read} read in it. A notebook plays it, and so does the app: workbench app"
    (frame,) = stills_of(corpus, video_id, title, engine, 1, matched)
    try:
        still = still_png(frame)
    except MissingExtraError as error:
        still, said = b"", f"{said}. {error}"
    return Shown(video_id, player_html({**pending, "sources": [source]}, height, still), still, said)


@contextmanager
def going_on() -> Iterator[None]:
    """Go on with the next cell where the block needs what is absent (``StateError``): say what, and what to do."""
    try:
        yield
    except StateError as error:
        sys.stdout.write(f"{error}\n")
