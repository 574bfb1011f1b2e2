"""Where and when a recognised text stands, as the numbers that models are told of each of its words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from workbench.core.errors import StateError
from workbench.core.lookup import pick
from workbench.corpus import Corpus

X, Y = ([f"{axis}{i}" for i in range(1, 5)] for axis in "xy")
SIZE = ["width", "height", "n_frames"]
BOX = ["x", "y", "width", "height", "share", "score"]
TRACK = [
    "first", "last", "boxes", "x", "y", "width", "height", "shift_x", "shift_y", "width_ratio", "height_ratio", "score",
]  # fmt: skip
TINY = 1e-6  # pixels; of the published ratios


def places_of(corpus: Corpus, texts: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Numbers of every text's place.

    Args:
        corpus: With their boxes.
        texts: Rows of ``texts``, of one engine.
        kind: A name of ``PLACES``.

    Returns:
        One row per text, in the order of ``texts``, indexed by text_id; all zeros where a text has no box.

    Raises:
        UnknownNameError: No such kind.
        StateError: A text has boxes in a video whose size or number of frames is not known, and the kind asks for them.
    """
    function = pick(PLACES, kind, "kind of places")
    boxes = corpus.of_videos("boxes", texts["video_id"].unique())
    boxes = boxes[boxes["text_id"].isin(texts["text_id"])]
    return function(corpus, texts, boxes).reindex(texts["text_id"], fill_value=0.0)


def _box(corpus: Corpus, texts: pd.DataFrame, boxes: pd.DataFrame) -> pd.DataFrame:
    """Mean centre, width and height in shares of the frame, share of the text's time in that of all, confidence."""
    x, y = boxes[X].to_numpy(float), boxes[Y].to_numpy(float)
    sizes = pd.DataFrame({"x": x.mean(1), "y": y.mean(1), "width": np.ptp(x, axis=1), "height": np.ptp(y, axis=1)})
    means = sizes.groupby(boxes["text_id"].to_numpy()).mean()
    by_video = texts.groupby("video_id")
    length = by_video["end_s"].transform("max") - by_video["start_s"].transform("min")
    share = (texts["end_s"] - texts["start_s"]) / length.where(length > 0, 1.0)
    told = pd.DataFrame({"share": share, "score": texts["score"]}).fillna(0.0).set_axis(texts["text_id"])
    return means.join(told, how="inner")[BOX]


def _track(corpus: Corpus, texts: pd.DataFrame, boxes: pd.DataFrame, *, published: bool) -> pd.DataFrame:
    """The twelve numbers of StarVR.

    Frames of first and last box and number of boxes over the frames of the video; mean centre, extent of the mean
    box, and displacement in shares of the frame; last over first extent; confidence. What is published as displacement
    is none (D9): the mean corner of the last box minus its own first corner, so that it tells half of its extent.

    Source: spec/textvr.md, sections 3.3 and 8.
    """
    boxes = boxes.sort_values(["text_id", "frame"], kind="stable")
    one = boxes.groupby("text_id")
    mean, first, last = one[[*X, *Y]].mean(), one[[*X, *Y]].first(), one[[*X, *Y]].last()
    told = texts.set_index("text_id").loc[mean.index]
    size = _sizes(corpus, texts, told["video_id"]).set_axis(mean.index)
    start_x, start_y = (last["x1"], last["y1"]) if published else (first[X].mean(axis=1), first[Y].mean(axis=1))
    values = {
        "first": one["frame"].first() / size["n_frames"], "last": one["frame"].last() / size["n_frames"],
        "boxes": one.size() / size["n_frames"], "x": mean[X].mean(axis=1), "y": mean[Y].mean(axis=1),
        "width": _extent(mean[X]), "height": _extent(mean[Y]),
        "shift_x": last[X].mean(axis=1) - start_x, "shift_y": last[Y].mean(axis=1) - start_y,
        "width_ratio": _ratio(last[X], first[X], size["width"]),
        "height_ratio": _ratio(last[Y], first[Y], size["height"]), "score": told["score"].fillna(0.0),
    }  # fmt: skip
    return pd.DataFrame(values, index=mean.index, columns=TRACK).astype(float)


def _extent(corners: pd.DataFrame) -> pd.Series:
    return corners.max(axis=1) - corners.min(axis=1)


def _ratio(last: pd.DataFrame, first: pd.DataFrame, pixels: pd.Series) -> pd.Series:
    return _extent(last) * pixels / (_extent(first) * pixels + TINY)


def _sizes(corpus: Corpus, texts: pd.DataFrame, videos: pd.Series) -> pd.DataFrame:
    """Width, height and frames of what the engine read, for every entry of ``videos``; else of the original file."""
    engines = texts["engine"].unique()
    read = corpus.text_coverage[corpus.text_coverage["engine"].isin(engines)].set_index("video_id")[SIZE]
    files = corpus.renditions[corpus.renditions["rendition"] == "original"].set_index("video_id")[SIZE]
    found = read.astype("Float64").combine_first(files.astype("Float64")).reindex(videos)
    if (lacking := found.isna().any(axis=1)).any():
        video = found.index[lacking.to_numpy(bool)][0]
        raise StateError(
            f"The size or the number of frames of {video} is not known.", f"Run: workbench video probe {corpus.name}"
        )
    return found.astype(float)


Numbers = Callable[[Corpus, pd.DataFrame, pd.DataFrame], pd.DataFrame]
PLACES: dict[str, Numbers] = {
    "box": _box,
    "textvr": partial(_track, published=True),
    "track": partial(_track, published=False),
}
"""``box``: 6 numbers of mean box and time. ``textvr``: the 12 of StarVR as published; ``track``: with the displacement
from the first to the last box instead of what is published as one."""
