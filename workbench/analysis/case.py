"""One query of one run: what was asked, what is right, and the first ten that came back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.core.errors import StateError
from workbench.core.lookup import pick
from workbench.corpus import domain_label
from workbench.evaluation.runs.run import Run

CAPTIONS_SHOWN = 3


@dataclass(frozen=True)
class Case:
    """One query.

    Attributes:
        title: The caption (t2v), or the video (v2t).
        right: The right video(s), or the right captions.
        place: Domain and source, where stated.
        rank: Expected rank of the best right item, from 1.
        score: Its score; None = not scored.
        margin: Its score minus that of the best wrong item; None where one of them was not scored.
        top: The first ten: Rank, right mark, Video with its captions (t2v) or Caption (v2t), Domain, Score.
        right_ids: Ids of all right items: videos (t2v) or captions (v2t).
        listed_ids: Ids of the first ten, in their order.
    """

    title: str
    right: str
    place: str
    rank: float
    score: float | None
    margin: float | None
    top: pd.DataFrame
    right_ids: list[str]
    listed_ids: list[str]

    @property
    def best_wrong(self) -> int | None:
        """Place of the first wrong item among the first ten, from 0; None where all of them are right."""
        rights = set(self.right_ids)
        return next((at for at, item in enumerate(self.listed_ids) if item not in rights), None)


def open_case(run: Run, query_id: str, direction: str = "t2v", n_top: int = 10) -> Case:
    """Put together what is known of one query.

    Args:
        run: The run.
        query_id: A caption id (t2v) or a video id (v2t).
        direction: ``t2v`` or ``v2t``.
        n_top: How many of the list.

    Raises:
        StateError: The run holds totals only.
        UnknownNameError: The run has no such query.
    """
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids to see single queries.")
    table = run.per(direction)
    found = np.flatnonzero(table["id"] == query_id)
    position = int(found[0]) if len(found) else pick(dict.fromkeys(table["id"], 0), query_id, "query")
    row = table.iloc[position]
    relevance = run.relevance_matrix if direction == "t2v" else run.relevance_matrix.T.tocsr()
    axis = run.queries["caption_id"] if direction == "t2v" else run.gallery["video_id"]
    index = int(np.flatnonzero((axis == query_id).to_numpy())[0])
    rights = relevance.indices[relevance.indptr[index] : relevance.indptr[index + 1]]
    columns, scores = row["top_columns"][:n_top], row["top_scores"][:n_top]
    wrong = [score for column, score in zip(row["top_columns"], row["top_scores"], strict=True) if column not in rights]
    score = float(row["score_right"]) if np.isfinite(row["score_right"]) else None
    margin = score - float(wrong[0]) if score is not None and wrong else None
    marks = ["✔" if column in rights else "" for column in columns]
    places = range(1, len(columns) + 1)
    top = pd.DataFrame({"#": places, "Right": marks, **_items(run, direction, columns), "Score": scores})
    video = run.gallery.iloc[
        int(rights[0]) if direction == "t2v" and len(rights) else index if direction == "v2t" else 0
    ]
    texts = run.queries["text"]
    title = str(texts.iloc[index]).strip() if direction == "t2v" else str(query_id)
    names = run.gallery["video_id"] if direction == "t2v" else texts
    right = "; ".join(str(names.iloc[int(one)]).strip() for one in rights[:CAPTIONS_SHOWN]) or "nothing"
    items = run.gallery["video_id"] if direction == "t2v" else run.queries["caption_id"]
    return Case(
        title, right, _place(video), float(run.rank(direction)[position]), score, margin, top,
        [str(one) for one in items.iloc[rights]], [str(one) for one in items.iloc[columns]],
    )  # fmt: skip


def query_near(run: Run, item: str, direction: str) -> str | None:
    """The query of this direction that an id names: the id itself, or the right item of that caption or video.

    Args:
        run: The run.
        item: A caption id or a video id.
        direction: ``t2v`` or ``v2t``.
    """
    queries = run.per(direction)["id"]
    if (queries == item).any():
        return item
    mine, theirs = ("caption_id", "video_id") if direction == "t2v" else ("video_id", "caption_id")
    right = run.relevance.loc[(run.relevance[theirs] == item) & (run.relevance["grade"] > 0), mine]
    return next(iter(right[right.isin(queries)].astype("str")), None)


def _place(video: pd.Series) -> str:
    parts = [] if pd.isna(video["domain"]) else [domain_label(str(video["domain"]))]
    return "  ·  ".join(parts if pd.isna(video["source_id"]) else [*parts, f"source {video['source_id']}"])


def _items(run: Run, direction: str, columns: np.ndarray) -> dict[str, list[str]]:
    """What the listed items are: videos by their captions, or captions."""
    if direction == "v2t":
        return {"Caption": [str(text).strip() for text in run.queries["text"].iloc[columns]]}
    right = run.relevance_matrix.tocsc()
    rows = [right.indices[right.indptr[c] : right.indptr[c + 1]][:CAPTIONS_SHOWN] for c in map(int, columns)]
    texts = iter(run.queries["text"].iloc[np.concatenate(rows)] if rows else ())
    captions = [" / ".join(str(next(texts)).strip() for _ in own) for own in rows]
    videos = run.gallery.iloc[columns]
    found = {"Captions": captions, "Video": [str(one) for one in videos["video_id"]]}
    if run.gallery["domain"].notna().any():
        found["Domain"] = [domain_label(one) for one in videos["domain"]]
    return found
