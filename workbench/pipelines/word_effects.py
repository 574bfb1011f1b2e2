"""What each read word does: the score of a pair without it, and the rank of the right video then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from workbench.core.errors import StateError
from workbench.core.progress import meter
from workbench.corpus import Corpus
from workbench.evaluation import Run
from workbench.evaluation.runs.run import similarity_of
from workbench.models import Gallery, RetrievalModel, Words
from workbench.models.encoding import SeesFrameByFrame
from workbench.pipelines.inputs import Inputs

COLUMNS = ["caption_id", "video_id", "word", "score", "score_without", "rank_without"]


def check_explains_words(model: RetrievalModel) -> None:
    """Raise where a model has no word effects.

    Raises:
        StateError: It reads no words.
    """
    if "ocr" not in model.needs:
        raise StateError("The model reads no words.", "Choose an OCR or fusion model.")


def word_effects(model: RetrievalModel, corpus: Corpus, inputs: Inputs, run: Run) -> pd.DataFrame:
    """Take every read word out of a caption's best right video, and of the wrong video that scores highest.

    Args:
        model: Reads words.
        corpus: Restricted to the run's split.
        inputs: What the model was given of it.
        run: Its scores.

    Returns:
        caption_id, video_id, word, score, score_without (of the pair), rank_without (expected, of the caption's right
        video, when the word is not in ``video_id`` and all else is equal). Words that stand more than once are taken
        out one at a time; of a model that reads sentences, out of every sentence at once.

    Raises:
        StateError: The run keeps no matrix, or the model reads no words.
    """
    check_explains_words(model)
    scores, relevance = similarity_of(run), run.relevance_matrix.toarray() > 0
    captions, caption_ids = corpus.captions["text"].tolist(), corpus.captions["caption_id"].tolist()
    pairs = _pairs(scores, relevance)
    rows: list[tuple[str, str, str, float, float, float]] = []
    with meter("Explaining words", len(pairs), "videos") as bar:
        for column, asking in pairs.items():
            words = _words(inputs.gallery, column)
            if words:
                encoded = model.encode(_each_left_out(_looked_at(model, inputs.gallery.take([column])), words))
                without = model.similarity([captions[row] for row in asking], encoded)
                for row, changed in zip(asking, without, strict=True):
                    ranks = _ranks(scores[row], relevance[row], column, changed)
                    told = zip(words, changed.tolist(), ranks.tolist(), strict=True)
                    video, score = inputs.gallery.video_ids[column], float(scores[row, column])
                    rows += [(caption_ids[row], video, word, score, one, rank) for word, one, rank in told]
            bar.advance()
    return pd.DataFrame(rows, columns=COLUMNS)


def _pairs(scores: np.ndarray, relevance: np.ndarray) -> dict[int, list[int]]:
    """By video: the captions whose best right video it is, or whose best wrong one."""
    found: dict[int, list[int]] = {}
    for row in range(len(scores)):
        for there in (relevance[row], ~relevance[row]):
            own = np.where(there, scores[row], -np.inf)
            if np.isfinite(own).any():
                found.setdefault(int(own.argmax()), []).append(row)
    return dict(sorted(found.items()))


def _words(gallery: Gallery, column: int) -> tuple[str, ...]:
    """What can be taken out of a video: its words one by one, or the different ones of its sentences."""
    if gallery.sentences is None:
        return gallery.words[column].text
    return tuple(dict.fromkeys(word for one in gallery.sentences[column] for word in one.split()))


def _looked_at(model: RetrievalModel, gallery: Gallery) -> Gallery:
    """A video whose frames were looked at once where vectors may stand for them, as it is encoded many times."""
    if gallery.frames is None or not (isinstance(model, SeesFrameByFrame) and model.encodes_features):
        return gallery
    return replace(gallery, frames=None, features=model.frame_features(gallery.frames))


def _each_left_out(gallery: Gallery, words: Sequence[str]) -> Gallery:
    """One video as often as it has words, each time without one of them."""
    same = gallery.take([0] * len(words))
    if gallery.sentences is not None:
        own = gallery.sentences[0]
        return replace(same, sentences=tuple(tuple(_without(word, one) for one in own) for word in words))
    (read,), count = gallery.words, len(words)
    keep = [[at for at in range(count) if at != left_out] for left_out in range(count)]
    fewer = tuple(Words(tuple(read.text[at] for at in own), read.place[own]) for own in keep)
    return replace(same, words=fewer)


def _without(word: str, sentence: str) -> str:
    """A sentence without a word, wherever it stands in it."""
    return " ".join(one for one in sentence.split() if one != word)


def _ranks(row: np.ndarray, right: np.ndarray, column: int, changed: np.ndarray) -> np.ndarray:
    """Expected rank of the best right video, where one video's score is one of ``changed``: float64 [changed]."""
    other = np.arange(len(row)) != column
    rights, wrongs = row[right & other], row[~right & other]
    own = changed[:, None]
    rights = np.concatenate([np.broadcast_to(rights, (len(changed), len(rights))), own[:, : int(right[column])]], 1)
    wrongs = np.concatenate([np.broadcast_to(wrongs, (len(changed), len(wrongs))), own[:, : int(not right[column])]], 1)
    best = rights.max(1, keepdims=True)
    above, tied = (wrongs > best).sum(1), (wrongs == best).sum(1)
    return 1 + above + tied / ((rights == best).sum(1) + 1.0)
