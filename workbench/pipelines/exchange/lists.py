"""Ranked lists: the best videos of every caption with their scores, from a similarity and back into one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.corpus import Corpus
from workbench.evaluation.ranks.blocks import row_ranges
from workbench.evaluation.runs.run import Run, similarity_of
from workbench.pipelines.ids import positions_of
from workbench.pipelines.matrices import Matrix

COLUMNS = ("caption_id", "video_id", "score", "rank")


@dataclass(frozen=True)
class Imported:
    """What a file of scores holds.

    Attributes:
        matrix: The scores, with ids where the file states them; -inf where it lists none.
        candidates: Videos listed per caption at most, where not all are; else None.
        moments: Predicted moments, where it holds some.
    """

    matrix: Matrix
    candidates: int | None = None
    moments: pd.DataFrame | None = None


def ranked_lists(run: Run, top: int = 0) -> pd.DataFrame:
    """The best videos of every caption, best first; equal scores in the order of the gallery, -inf left out.

    Args:
        run: A run that keeps its similarity and whose rows are tied to captions.
        top: Videos per caption; 0 = all.

    Returns:
        caption_id, video_id, score (float32), rank (from 1).

    Raises:
        DataError: The run holds totals only.
        StateError: It keeps no similarity.
    """
    if run.totals_only:
        raise DataError(
            f"Run {run.name} holds totals only: its rows cannot be tied to captions.", "Import it with --row-ids."
        )
    similarity = similarity_of(run)
    parts = []
    for start, stop in row_ranges(*similarity.shape):
        block = np.asarray(similarity[start:stop], np.float32)
        order = np.argsort(-block, axis=1, kind="stable")[:, : top or block.shape[1]]
        scores = np.take_along_axis(block, order, axis=1)
        row, place = np.nonzero(scores > -np.inf)
        parts.append((row + start, order[row, place], scores[row, place], place + 1))
    rows, columns, scores, ranks = (np.concatenate(part) for part in zip(*parts, strict=True))
    return pd.DataFrame({
        "caption_id": run.queries["caption_id"].take(rows).array,
        "video_id": run.gallery["video_id"].take(columns).array, "score": scores, "rank": ranks.astype(np.int32),
    })  # fmt: skip


def spread(lists: pd.DataFrame, corpus: Corpus, origin: str) -> Imported:
    """Ranked lists as a similarity in the corpus' order, -inf for pairs that are not listed.

    Args:
        lists: caption_id, video_id, score.
        corpus: Restricted to the split that the lists are about.
        origin: Where they came from, for sentences.

    Raises:
        DataError: An unknown id, a pair that stands twice, a score that is not finite, or nothing listed.
    """
    if lists.empty:
        raise DataError(f"{origin} lists nothing.", "Save it again.")
    captions, videos = corpus.captions["caption_id"].to_list(), corpus.videos["video_id"].to_list()
    found = []
    for column, known, what in (("caption_id", captions, "caption"), ("video_id", videos, "video")):
        codes, names = pd.factorize(lists[column])
        found.append(positions_of(list(map(str, names)), known, what)[codes])
    score = pd.to_numeric(lists["score"], errors="coerce").to_numpy(np.float32, na_value=np.nan)
    bad = ~np.isfinite(score)
    pair = found[0] * len(videos) + found[1]
    twice = pd.Series(pair).duplicated().to_numpy()
    for wrong, rule in ((bad, "has no finite score"), (twice, "stands twice")):
        if wrong.any():
            row = lists.iloc[int(wrong.argmax())]
            raise DataError(f"{origin}: caption {row.caption_id!r}, video {row.video_id!r} {rule}.", "Correct it.")
    values = np.full((len(captions), len(videos)), -np.inf, np.float32)
    values[found[0], found[1]] = score
    longest = int(np.bincount(found[0]).max())
    return Imported(Matrix(values, captions, videos, origin), longest if longest < len(videos) else None)
