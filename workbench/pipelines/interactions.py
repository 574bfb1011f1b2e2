"""Every query with its right videos and with the five best ones, word by word and frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import DataError, StateError
from workbench.core.progress import track
from workbench.corpus import Corpus
from workbench.evaluation import Run
from workbench.evaluation.runs.interactions import PairInteraction
from workbench.evaluation.runs.run import similarity_of
from workbench.models.encoding import VIDEOS, in_tiles, kept_of
from workbench.models.interactions import ExplainsPairs
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.features import Kept, Part

TOP = 5


def check_explains_pairs(model: Any) -> None:
    """Raise where a model has no interactions.

    Raises:
        StateError: Its score is not made of tokens.
    """
    if kept_of(model) != VIDEOS or not isinstance(model, ExplainsPairs):
        raise StateError(
            "This model compares whole captions with whole videos, so no word meets a frame.",
            "Choose a model of tokens, e.g. one trained by textvr_fusion_demo.",
        )


def pair_interactions(
    model: Any, corpus: Corpus, part: Part, run: Run, change: Change | None = None
) -> Iterator[PairInteraction]:
    """The pairs of every caption: its right videos, then the best five, a right one once.

    Args:
        model: One of tokens (``check_explains_pairs``).
        corpus: Restricted to the run's split.
        part: Its videos as the model has encoded them.
        run: Its scores.
        change: What was done to the inputs first.

    Raises:
        StateError: The run keeps no matrix.
    """
    scores, right = similarity_of(run), (run.relevance_matrix > 0).tocsr()
    captions = list(zip(corpus.captions["caption_id"], corpus.captions["text"], strict=True))
    for row, (caption_id, text) in enumerate(track(captions, "Explaining pairs", unit="captions")):
        rights = right.indices[right.indptr[row] : right.indptr[row + 1]].tolist()
        columns = _chosen(np.asarray(scores[row]), rights)
        if columns:
            (found,) = model.interactions([text], in_tiles(model, [_kept(part, one).tensors for one in columns]))
            for place, column in enumerate(columns):
                role, score = "right" if column in rights else "top", float(scores[row, column])
                yield PairInteraction(
                    caption_id, part.video_ids[column], role, score, found.tokens, found.weights,
                    *_frames(part, column, found.frame[place], change or Change()),
                    *_words(part, column, found.word[place]),
                )  # fmt: skip


def _chosen(scores: np.ndarray, rights: Sequence[int]) -> list[int]:
    """Columns of right videos and of the best ones; those that were scored, right ones first, each by falling score."""
    order = np.argsort(-scores, kind="stable")
    best = [int(column) for column in order if np.isfinite(scores[column])]
    return [one for one in best if one in rights] + [one for one in best[:TOP] if one not in rights]


def _kept(part: Part, column: int) -> Kept:
    kept = part.kept[column]
    if kept is None:
        raise DataError(f"{part.video_ids[column]} has a score and was not encoded.", "Score the run again.")
    return kept


def _frames(part: Part, column: int, fits: np.ndarray, change: Change) -> tuple[tuple[float, ...], np.ndarray]:
    """Times of the frames as they were shown, and what fits them; a frame that only filled up is left out."""
    times_s = _kept(part, column).times_s
    order = change.order(part.video_ids[column], fits.shape[1])
    shown = [place for place, at in enumerate(order) if at < len(times_s)]
    return tuple(float(times_s[order[place]]) for place in shown), fits[:, shown]


def _words(part: Part, column: int, fits: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """The read words that the model has looked at, and what fits them."""
    words = part.inputs.gallery.words[column].text[: fits.shape[1]]
    return words, fits[:, : len(words)]
