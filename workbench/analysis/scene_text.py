"""Causes in scene text: what became of the words that a caption claims to stand in the video."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.analysis.failed import Failed, Found
from workbench.analysis.run_texts import Readings, Texts
from workbench.ocr.cues import cue_words, spellings, written_words
from workbench.ocr.matching import caption_words, match_words

TEXT_CAUSES = ("ocr_missed", "ocr_misread", "ocr_filtered", "ocr_ignored")
OF_THE_MODEL = TEXT_CAUSES[2:]
"""Those that need to know which words the model had."""
N_SHOWN, LONGEST = 3, 40
"""Words that a sentence shows, and characters of each."""


@dataclass(frozen=True)
class Loss:
    """A cue word that the model did not get or did not use.

    Attributes:
        cause: ``ocr_missed``, ``ocr_misread``, ``ocr_filtered`` or ``ocr_ignored``.
        word: As the caption spells it.
        read: As the engine spelt it; "" = not at all.
        n_share: Of ``ocr_ignored``: wrong items ranked above that have the word too.
        n_above: Of ``ocr_ignored``: wrong items that are listed above the right one.
    """

    cause: str
    word: str
    read: str = ""
    n_share: int = 0
    n_above: int = 0


class _Words(dict[str, Mapping[str, str]]):
    """Normalised words with their spellings, by video; split when first asked for."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts

    def __missing__(self, video: str) -> Mapping[str, str]:
        self[video] = spellings(self._texts.get(video, ""))
        return self[video]


def cues_of(failed: Failed, readings: Readings) -> list[list[str]]:
    """The cue words of every failed query, normalised: words of its caption that claim to stand in the right video.

    Where it is known what is written in the video, those that stand there (``written_words``); elsewhere those that the
    caption marks as written (``cue_words``). A video as a query (v2t) has those of all its captions.
    """
    written = _Words(readings.written)

    def cues(text: str, video: str) -> list[str]:
        return written_words(text, written[video]) if video in readings.written else cue_words(text)

    videos = failed.videos("video_id", failed.right_video)
    pairs = zip(failed.texts, videos, strict=True)
    return [list(dict.fromkeys(word for text in texts for word in cues(text, video))) for texts, video in pairs]


def losses_of(
    failed: Failed, readings: Readings, cues: Sequence[Sequence[str]], near: float, shared: float
) -> list[list[Loss]]:
    """What became of the cue words of every failed query; words that were used are left out.

    With the words that the engine read in the right video, a cue word is

    - missed: no read word has a similarity of ``near`` or more;
    - misread: one has, but none is equal;
    - filtered: an equal one was read, but is not among the words that the model had;
    - ignored: the model had it, and fewer than ``shared`` of the wrong items listed above the right one have it too
      (their videos' words; v2t: their captions' words), so that it would have told the right one apart.

    Nothing is lost where the engine did not look at the video, the video was not scored, or the run reads no text.
    Similarity: ``ocr.matching.match_words``, where short words and numbers are equal or different.
    """
    follow = _Follower(failed, readings, near, shared)
    return [list(follow.words(i, own)) for i, own in enumerate(cues)]


class _Follower:
    def __init__(self, failed: Failed, readings: Readings, near: float, shared: float) -> None:
        self.failed, self.readings, self.near, self.shared = failed, readings, near, shared
        self.read, self.given = _Words(readings.read), _Words(readings.given or {})
        self.videos = failed.videos("video_id", failed.right_video)
        self.gallery = failed.run.gallery["video_id"].to_numpy(dtype=object)
        self.item_words: dict[int, frozenset[str]] = {}

    def words(self, i: int, cues: Sequence[str]) -> Iterator[Loss]:
        video = self.videos[i]
        if not cues or self.readings.reads is False or video not in self.readings.read or not self.failed.scored[i]:
            return
        read, spelt = self.read[video], spellings("\n".join(self.failed.texts[i]))
        matches = {match.word: match for match in match_words(cues, list(read), threshold=100 * self.near)}
        for cue in cues:
            match = matches.get(cue)
            if match is None:
                yield Loss("ocr_missed", spelt[cue])
            elif match.kind == "fuzzy":
                yield Loss("ocr_misread", spelt[cue], read[match.ocr_word])
            elif self.readings.given is not None and cue not in self.given[video]:
                yield Loss("ocr_filtered", spelt[cue], read[cue])
            elif self.readings.given is not None:
                yield from self._ignored(i, cue, spelt[cue], read[cue])

    def _ignored(self, i: int, cue: str, word: str, read: str) -> Iterator[Loss]:
        above = self._above(i)
        n_share = sum(cue in self._words_of(item) for item in above)
        if n_share < self.shared * len(above):
            yield Loss("ocr_ignored", word, read, n_share, len(above))

    def _above(self, i: int) -> list[int]:
        """Wrong items of the list that score as high as the right one, or higher."""
        items, scores, right = (
            self.failed.table[name].iloc[i] for name in ("top_columns", "top_scores", "score_right")
        )
        rights = self.failed.rights_of(i)
        return [item for item in np.asarray(items)[np.asarray(scores) >= right].tolist() if item not in rights]

    def _words_of(self, item: int) -> frozenset[str]:
        """Words of a ranked item: those that the model had of a video, or those of a caption."""
        if item not in self.item_words:
            if self.failed.direction == "t2v":
                words = frozenset(self.given[self.gallery[item]])
            else:
                words = frozenset(caption_words(str(self.failed.run.queries["text"].iloc[item])))
            self.item_words[item] = words
        return self.item_words[item]


def untold(readings: Readings, name: str) -> dict[str, str]:
    """The causes in scene text that cannot be told in the run of this name, and why."""
    if readings.reads is False:
        return dict.fromkeys(TEXT_CAUSES, f"Run {name} reads no text.")
    if readings.missing:
        return dict.fromkeys(TEXT_CAUSES, readings.missing)
    if readings.given is None:
        return dict.fromkeys(OF_THE_MODEL, f"Run {name} does not list the words that its model had.")
    return {}


def text_causes(losses: Sequence[Sequence[Loss]], readings: Readings, direction: str) -> dict[str, Found]:
    """The causes in scene text that can be told, with the words as evidence."""
    items, reader = "videos" if direction == "t2v" else "captions", f"the OCR ({readings.engine})"
    sentences: dict[str, Callable[[Sequence[Loss]], str]] = {
        "ocr_missed": lambda lost: f"{reader} read no word like {_words(lost)} in the right video",
        "ocr_misread": lambda lost: f"{reader} read {_pairs(lost)}",
        "ocr_filtered": lambda lost: f"{reader} read {_words(lost)}, but the model was not given it",
        "ocr_ignored": lambda lost: f"the model had {_shares(lost, items)}",
    }
    told = {cause: sentence for cause, sentence in sentences.items() if cause not in untold(readings, "")}
    return {cause: _found(losses, cause, sentence) for cause, sentence in told.items()}


def _found(losses: Sequence[Sequence[Loss]], cause: str, sentence: Callable[[Sequence[Loss]], str]) -> Found:
    mine = [[loss for loss in lost if loss.cause == cause] for lost in losses]
    return np.asarray([bool(lost) for lost in mine], bool), lambda i: sentence(mine[i])


def quoted_words(words: Sequence[str]) -> str:
    """The first words in quotes, and how many more there are."""
    shown = ", ".join(map(_quoted, words[:N_SHOWN]))
    return shown if len(words) <= N_SHOWN else f"{shown} and {len(words) - N_SHOWN} more"


def _quoted(word: str) -> str:
    return f'"{word if len(word) <= LONGEST else word[: LONGEST - 1] + "…"}"'


def _pairs(lost: Sequence[Loss]) -> str:
    return ", ".join(f"{_quoted(loss.read)} for {_quoted(loss.word)}" for loss in lost[:N_SHOWN])


def _shares(lost: Sequence[Loss], items: str) -> str:
    return ", ".join(
        f"{_quoted(loss.word)} ({loss.n_share} of the {loss.n_above} wrong {items} above have it too)"
        for loss in lost[:N_SHOWN]
    )


def _words(lost: Sequence[Loss]) -> str:
    return quoted_words([loss.word for loss in lost])
