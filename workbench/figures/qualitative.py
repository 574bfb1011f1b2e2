"""The qualitative figure of a paper: one query, its right video with what was read in it, and what each run found."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.case import Case, open_case
from workbench.core.errors import DataError, StateError, UnknownNameError, WorkbenchError
from workbench.corpus import Corpus, domain_label
from workbench.corpus.media import file_of
from workbench.evaluation.runs.corpora import corpus_of_run
from workbench.evaluation.runs.run import Run
from workbench.figures.paper import PAGE, paper_look
from workbench.figures.player import STAMP
from workbench.figures.player_of import engine_of
from workbench.figures.theme import GOOD, GRID, INK, MUTED, NEUTRAL, B
from workbench.ocr.matched import matched_texts
from workbench.video.probe import probe
from workbench.video.readers import read_frames

SHORT_SIDE = 240
"""Pixels of the shorter side of a picture: 2 inches at 300 dots per inch want no more than TextVR's clips have."""
MOST_LETTERS = 300
GAP = 0.08
"""Inches between two pictures of a row."""


@dataclass(frozen=True)
class Still:
    """A frame of a video with the boxes of what was read in it, or why there is none.

    Attributes:
        pixels: uint8 [height, width, 3], or None.
        time_s: Seconds of the frame.
        boxes: Corners [8] (x1 y1 ... x4 y4 in 0..1) of the texts, and whether each is matched by the query.
        why: Why there is no picture.
    """

    pixels: np.ndarray | None
    time_s: float
    boxes: list[tuple[np.ndarray, bool]]
    why: str = ""


def qualitative(
    run_a: Run, run_b: Run | None, caption_id: str, *, corpus: Corpus | None = None, engine: str | None = None,
    n_top: int = 3, width: float = PAGE,
) -> Any:  # fmt: skip
    """Query, right video with boxes, and the first videos of one or two runs with the rank of the right one.

    Boxes of words of the query are thick and orange, others thin and dotted. All text is drawn as it is.

    Args:
        run_a: A run.
        run_b: Another on the same captions; None = one run only.
        caption_id: The query.
        corpus: The runs' corpus; None = find it.
        engine: Whose readings; None = those that the player shows.
        n_top: How many of each list, 1 to 6.
        width: Inches.

    Returns:
        A figure of matplotlib, for ``save_figure`` or the last line of a notebook's cell.

    Raises:
        StateError: The corpus is not at hand, or a run holds totals only.
        UnknownNameError: A run has no such query.
        DataError: n_top out of range, or runs on different queries.
    """
    if not 1 <= n_top <= 6:
        raise DataError(f"n_top is {n_top}.", "Show the first 1 to 6 videos.")
    found, why = corpus_of_run(run_a, corpus)
    if found is None:
        raise StateError(why, "Prepare the corpus that the run was made on.")
    runs = [run_a] if run_b is None else [run_a, run_b]
    if len({run.fingerprint for run in runs}) > 1:
        raise DataError(f"{run_a.name} and {runs[-1].name} were not made on the same captions.", "Take runs of one.")
    cases = [open_case(run, caption_id, "t2v", n_top) for run in runs]
    if not cases[0].right_ids:
        raise UnknownNameError(f"The query {caption_id} has no right video.", "Choose another query.")
    text, right = cases[0].title, cases[0].right_ids[0]
    with paper_look():
        return _drawn(found, runs, cases, text, right, engine, n_top, width)


def _drawn(
    corpus: Corpus, runs: Sequence[Run], cases: Sequence[Case], text: str, right: str, engine: str | None, n_top: int,
    width: float,
) -> Any:  # fmt: skip
    from workbench.figures.cell_figure import CellFigure  # here, as matplotlib comes with an extra

    stills = stills_of(corpus, right, text, engine, n_top)
    rows: list[list[Still]] = [stills]
    rows += [[stills_of(corpus, video, text, engine, 1)[0] for video in case.listed_ids] for case in cases]
    side = width / n_top
    highs = [_row_height(row, width, side) for row in rows]
    letters = max(30, int(width * 15))
    head = textwrap.wrap(f"“{_line(text)}”", letters) + textwrap.wrap(_read(corpus, right, text, engine), letters)
    line = 0.15
    height = line * len(head) + 0.02 + sum(high + line + 0.23 for high in highs)
    paper = CellFigure(figsize=(width, height))
    y = height - line
    for i, words in enumerate(head):
        paper.text(0.01, y / height, words, fontsize=8, weight="bold" if words.startswith("“") or i == 0 else "normal")
        y -= line
    titles = [f"Right video ({_about(corpus, right)})"]
    titles += [f"{run.name}: right video at rank {case.rank:g}" for run, case in zip(runs, cases, strict=True)]
    for title, row, case, high in zip(titles, rows, [None, *cases], highs, strict=True):
        y -= 0.1
        paper.text(0.01, y / height, _line(title), fontsize=8, color=INK, weight="bold")
        bottom, left = y - 0.05 - high, 0.02
        for i, still in enumerate(row):
            place = (left, bottom, high * _aspect(still), high)
            left += place[2] + GAP
            axes = paper.add_axes((place[0] / width, place[1] / height, place[2] / width, place[3] / height))
            hit = case is not None and case.listed_ids[i] in case.right_ids
            _picture(axes, still, GOOD if hit else GRID)
            axes.set_xlabel(_label(still, case, i, hit), loc="left", fontsize=7, labelpad=2, color=GOOD if hit else INK)
        y = bottom - line - 0.08
    return paper


def _aspect(still: Still) -> float:
    """Width of a picture for a height of 1; 4:3 where there is none."""
    return 4 / 3 if still.pixels is None else still.pixels.shape[1] / still.pixels.shape[0]


def _row_height(row: Sequence[Still], width: float, side: float) -> float:
    """Inches: pictures of a row stand side by side at one height; upright ones are no higher than one of 4:3."""
    free = width - 0.04 - GAP * (len(row) - 1)
    return min(side * 3 / 4, free / max(1e-9, sum(map(_aspect, row))))


def _label(still: Still, case: Case | None, place: int, hit: bool) -> str:
    if case is None:
        return f"{still.time_s:.1f} s" if still.pixels is not None else ""
    score = float(case.top["Score"].iloc[place])
    return f"{place + 1}{' ✔' if hit else ''}  {score:.3f}"


def _picture(axes: Any, still: Still, edge: str) -> None:
    """One frame with its boxes, framed; or a grey field with the reason why there is none."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=edge, linewidth=1.6 if edge == GOOD else 0.6)
    if still.pixels is None:
        axes.set_facecolor(GRID)
        axes.text(0.5, 0.5, "\n".join(textwrap.wrap(still.why, 26)), ha="center", va="center", fontsize=6, color=MUTED)
        return
    high, wide = still.pixels.shape[:2]
    axes.imshow(still.pixels, aspect="equal", interpolation="none")
    for corners, hit in still.boxes:
        quad = np.asarray(corners, float).reshape(4, 2) * (wide, high)
        axes.fill(*quad.T, fill=False, edgecolor=B if hit else NEUTRAL, linewidth=1.5 if hit else 0.6,
                  linestyle="-" if hit else ":")  # fmt: skip


def stills_of(
    corpus: Corpus, video_id: str, text: str, engine: str | None, n: int, matched: Collection[str] = ()
) -> list[Still]:
    """Frames of a video: first those where most words of the query stand, else most texts, else evenly spread.

    Args:
        corpus: The corpus.
        video_id: The video.
        text: The query.
        engine: Whose readings; None = those that the player shows.
        n: How many frames, in the order of time.
        matched: ``text_id`` of texts that count as words of the query too.
    """
    try:
        info = probe(file_of(corpus, video_id))
        chosen = engine_of(corpus, video_id, engine)
    except WorkbenchError as error:
        return [Still(None, 0.0, [], error.message)] * n
    texts = corpus.texts[(corpus.texts["video_id"] == video_id) & (corpus.texts["engine"] == chosen)]
    hits = set(matched).union(matched_texts(texts, text, chosen)["text_ids"] if chosen else ())
    boxes = corpus.boxes(video_id)
    boxes = boxes[boxes["text_id"].isin(texts["text_id"])]
    times = np.asarray(info.times)
    frames = np.clip(np.searchsorted(times, boxes["time_s"].to_numpy(float) + STAMP, side="right") - 1, 0, None)
    wanted = _frames_to_show(frames, boxes["text_id"].isin(hits).to_numpy(), info.n_frames, n)
    pixels = read_frames(info, wanted, short_side=min(SHORT_SIDE, info.width, info.height)).pixels
    corners = boxes[[f"{axis}{i}" for i in range(1, 5) for axis in "xy"]].to_numpy(float)
    held = boxes["text_id"].isin(hits).to_numpy()
    return [
        Still(picture, float(times[at]), [(corners[i], bool(held[i])) for i in np.flatnonzero(frames == at)])
        for at, picture in zip(wanted, pixels, strict=True)
    ]


def _frames_to_show(frames: np.ndarray, hits: np.ndarray, n_frames: int, n: int) -> list[int]:
    """The frames with most matched boxes, then most boxes, filled up evenly; ascending, as many as there are."""
    worth = pd.DataFrame({"frame": frames, "hit": hits, "box": 1}).groupby("frame")[["hit", "box"]].sum()
    best = worth.sort_values(["hit", "box"], ascending=False, kind="stable").index.to_list()
    even = [int(at) for at in np.linspace(0, n_frames - 1, n + 2)[1:-1].round()] if n > 1 else [n_frames // 2]
    return sorted(list(dict.fromkeys([*best, *even, *range(n_frames)]))[:n])


def _read(corpus: Corpus, video_id: str, text: str, engine: str | None) -> str:
    chosen = engine_of(corpus, video_id, engine)
    if chosen is None:
        return "Nobody has read the right video."
    words = matched_texts(corpus.texts[corpus.texts["video_id"] == video_id], text, chosen)["words"]
    return f"Read in the right video ({chosen}): {', '.join(words) if words else 'no word of the query'}."


def _about(corpus: Corpus, video_id: str) -> str:
    domain = corpus.videos.loc[corpus.videos["video_id"] == video_id, "domain"]
    known = domain.dropna()
    return video_id if known.empty else f"{domain_label(str(known.iloc[0]))}, {video_id}"


def _line(text: str) -> str:
    """A text on one line, cut."""
    line = " ".join(text.split())
    return line if len(line) <= MOST_LETTERS else f"{line[: MOST_LETTERS - 1]}…"
