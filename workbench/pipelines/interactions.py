"""Every query with its right videos and with the five best ones, token by token and frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from workbench.core.errors import DataError, StateError
from workbench.core.progress import meter, track
from workbench.corpus import Corpus
from workbench.evaluation import Run
from workbench.evaluation.runs.interactions import PairInteraction
from workbench.evaluation.runs.run import similarity_of
from workbench.models.encoding import VECTORS, VIDEOS, in_tiles, kept_of, one_thread_each
from workbench.models.gallery import Gallery
from workbench.models.interactions import Apart, ExplainsPairs, Interaction, TakesApart, whole_interaction
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.features import Kept, Part, part_of, stacked
from workbench.pipelines.frames import seen_of_some
from workbench.pipelines.inputs import gallery_of
from workbench.pipelines.rules import InputRules

TOP = 5
VIDEOS_AT_ONCE = 16


@dataclass
class Videos:
    """The videos of a run, ready to be compared with captions.

    Attributes:
        ask: Gives what a caption meets in the videos of some columns.
        ids: Their ids.
        places: By column, the frames that are told, as columns of ``Interaction.frame``; those that only filled up are
            left out.
        times_s: By column, their times.
        texts: By column, what was read.
    """

    ask: Callable[[str, Sequence[int]], Interaction]
    ids: Sequence[str]
    places: list[list[int]] = field(default_factory=list)
    times_s: list[list[float]] = field(default_factory=list)
    texts: list[tuple[str, ...]] = field(default_factory=list)

    def tell(self, times_s: Sequence[float], order: Sequence[int], texts: tuple[str, ...]) -> None:
        """Add what is told of the next video: the times of its frames, the order in which they are shown, its texts."""
        shown = [place for place, at in enumerate(order) if at < len(times_s)]
        self.places.append(shown)
        self.times_s.append([float(times_s[order[place]]) for place in shown])
        self.texts.append(texts)


def check_explains_pairs(model: Any) -> None:
    """Raise where a model has no interactions.

    Raises:
        StateError: It says neither what its tokens find, nor what one frame or text alone would give.
    """
    if not _of_tokens(model) and not isinstance(model, TakesApart):
        raise StateError(
            "This model does not say how well a caption fits one frame or one read word.",
            "Choose a network, e.g. one trained by textvr_fusion_demo.",
        )


def pair_interactions(
    model: Any, corpus: Corpus, rules: InputRules, run: Run, change: Change | None = None
) -> Iterator[PairInteraction]:
    """The pairs of every caption: its right videos, then the best five, a right one once.

    Args:
        model: One that has interactions (``check_explains_pairs``).
        corpus: Restricted to the run's split.
        rules: How inputs were made.
        run: Its scores.
        change: What was done to the inputs first.

    Raises:
        StateError: The run keeps no matrix.
    """
    scores, right = similarity_of(run), (run.relevance_matrix > 0).tocsr()
    videos = (_by_tokens if _of_tokens(model) else _apart)(model, corpus, rules, change or Change())
    captions = list(zip(corpus.captions["caption_id"], corpus.captions["text"], strict=True))
    for row, (caption_id, text) in enumerate(track(captions, "Explaining pairs", unit="captions")):
        rights = right.indices[right.indptr[row] : right.indptr[row + 1]].tolist()
        columns = _chosen(np.asarray(scores[row]), rights)
        if columns:
            found = videos.ask(text, columns)
            for place, column in enumerate(columns):
                role, score = "right" if column in rights else "top", float(scores[row, column])
                texts = videos.texts[column][: found.word.shape[2]]  # those that the model has looked at
                told = videos.places[column] if found.frame.shape[2] else []
                yield PairInteraction(
                    caption_id, videos.ids[column], role, score, found.tokens, found.weights,
                    tuple(videos.times_s[column]) if told else (), found.frame[place][:, told],
                    texts, found.word[place][:, : len(texts)],
                )  # fmt: skip


def _of_tokens(model: Any) -> bool:
    return kept_of(model) == VIDEOS and isinstance(model, ExplainsPairs)


def _chosen(scores: np.ndarray, rights: Sequence[int]) -> list[int]:
    """Columns of right videos and of the best ones; those that were scored, right ones first, each by falling score."""
    order = np.argsort(-scores, kind="stable")
    best = [int(column) for column in order if np.isfinite(scores[column])]
    return [one for one in best if one in rights] + [one for one in best[:TOP] if one not in rights]


def _by_tokens(model: Any, corpus: Corpus, rules: InputRules, change: Change) -> Videos:
    """Videos for a model of tokens, as it has encoded them."""
    part = part_of(model, corpus, rules, change=change)

    def ask(text: str, columns: Sequence[int]) -> Interaction:
        (found,) = model.interactions([text], in_tiles(model, [_kept(part, one).tensors for one in columns]))
        return found

    videos = Videos(ask, part.video_ids)
    for column, video in enumerate(part.video_ids):
        kept, words = part.kept[column], part.inputs.gallery.words[column].text
        videos.tell([] if kept is None else kept.times_s, change.order(video, rules.sampler.n), words)
    return videos


def _kept(part: Part, column: int) -> Kept:
    kept = part.kept[column]
    if kept is None:
        raise DataError(f"{part.video_ids[column]} has a score and was not encoded.", "Score the run again.")
    return kept


def _apart(model: Any, corpus: Corpus, rules: InputRules, change: Change) -> Videos:
    """Videos for a model that compares wholes, each taken apart."""
    ids = corpus.videos["video_id"].tolist()
    every: list[Apart] = []
    videos = Videos(lambda text, columns: whole_interaction(model, text, [every[one] for one in columns]), ids)
    tiles = (_of_vectors if kept_of(model) == VECTORS else _of_frames)(model, corpus, rules, change)
    with meter("Taking videos apart", len(ids), "videos") as bar, one_thread_each(model):
        for gallery, times_s, orders in tiles:
            found: list[Apart] = model.apart(gallery)
            every += found
            for one, own_s, order in zip(found, times_s, orders, strict=True):
                videos.tell(own_s, order, one.texts)
            bar.advance(len(found))
    return videos


Tile = tuple[Gallery, list[list[float]], list[list[int]]]
"""Some videos; by video the times of its frames as they follow each other, and the order in which they are shown."""


def _spans(count: int) -> Iterator[range]:
    return (range(at, min(at + VIDEOS_AT_ONCE, count)) for at in range(0, count, VIDEOS_AT_ONCE))


def _of_vectors(model: Any, corpus: Corpus, rules: InputRules, change: Change) -> Iterator[Tile]:
    """Out of the cache, which holds vectors of frames as they follow each other."""
    part = part_of(model, corpus, rules, change=change)
    whole = replace(part.inputs.gallery, features=stacked(part, corpus))
    for span in _spans(len(part.kept)):
        kept = [part.kept[at] for at in span]
        times_s = [[] if one is None else list(one.times_s) for one in kept]
        yield whole.take(span), times_s, [list(range(rules.sampler.n))] * len(kept)


def _of_frames(model: Any, corpus: Corpus, rules: InputRules, change: Change) -> Iterator[Tile]:
    """Out of frames, as they are shown."""
    every = corpus.videos["video_id"].tolist()
    for span in _spans(len(every)):
        ids = [every[at] for at in span]
        seen = seen_of_some(corpus, ids, rules) if "frames" in model.needs else None
        gallery = change.apply(gallery_of(corpus, model.needs, rules, videos=ids, seen=seen)).gallery
        times_s = [[] if seen is None else seen.shown.get(video, ([], []))[1] for video in ids]
        yield gallery, times_s, [change.order(video, rules.sampler.n) for video in ids]
