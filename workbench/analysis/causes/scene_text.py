"""Causes in scene text: what became of the words that a caption claims to stand in the video."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

import numpy as np

from workbench.analysis.causes.dropping import dropped_by, sentence_of
from workbench.analysis.causes.failed import Failed, Found, Seen
from workbench.analysis.causes.material import Material
from workbench.analysis.reading.following import SAMPLED, Follower, Loss
from workbench.analysis.reading.run_texts import Readings
from workbench.ocr.cleaning import normalise_word
from workbench.ocr.cues import cue_words, spellings, written_words
from workbench.ocr.matching import caption_words

N_SHOWN, LONGEST = 3, 40
"""Words that a sentence shows, and characters of each."""


@lru_cache(maxsize=1 << 16)
def quoted_in(text: str) -> tuple[str, ...]:
    """``cue_words`` of a caption, which several causes ask for."""
    return tuple(cue_words(text))


def cues_in(text: str, video: str, readings: Readings) -> Sequence[str]:
    """The words of a caption that claim to stand in its right video, normalised.

    Where it is known what is written in the video, those that stand there (``written_words``); elsewhere those that the
    caption marks as written (``cue_words``).
    """
    return written_words(text, readings.written_words[video]) if video in readings.written else quoted_in(text)


def cues_of(failed: Failed, readings: Readings) -> list[list[str]]:
    """The cue words of every failed query (``cues_in``); a video as a query (v2t) has those of all its captions."""
    videos = failed.videos("video_id", failed.right_video)
    pairs = zip(failed.texts, videos, strict=True)
    return [list(dict.fromkeys(word for text in texts for word in cues_in(text, video, readings)))
            for texts, video in pairs]  # fmt: skip


def losses_of(failed: Failed, material: Material, cues: Sequence[Sequence[str]]) -> list[list[Loss]]:
    """What became of the cue words of every failed query; words that were used are left out.

    With the words that the engine read in the right video, a cue word is

    - missed: no read word has a similarity of ``near`` or more;
    - misread: one has, but none is equal;
    - filtered: an equal one was read, but is not among the words that the model had;
    - not sampled: it stands written in frames that the engine did not look at, or it was read, but further than
      ``sampled_within`` from every frame that the model saw, and the model did not have it;
    - ignored: the model had it, and fewer than ``shared`` of the wrong items listed above the right one have it too
      (their videos' words; v2t: their captions' words), so that it would have told the right one apart.

    Nothing is lost where the engine did not look at the video, the video was not scored, or the run reads no text.
    Similarity: ``ocr.matching.match_words``, where short words and numbers are equal or different.
    """
    losses = _Losses(failed, material, cues)
    found = [list(losses.of(i, own)) for i, own in enumerate(cues)]
    return _with_filters(found, failed, material)


class _Losses:
    def __init__(self, failed: Failed, material: Material, cues: Sequence[Sequence[str]]) -> None:
        self.failed, self.readings, self.shared = failed, material.readings, material.thresholds.shared
        self.follower = Follower(material)
        self.videos = failed.videos("video_id", failed.right_video)
        self.cues = cues

    def of(self, i: int, cues: Sequence[str]) -> Iterator[Loss]:
        if not cues or self.readings.reads is False or not self.failed.scored[i]:
            return
        spelt = spellings("\n".join(self.failed.texts[i]))
        for fate in self.follower.fates(self.videos[i], cues, spelt):
            if fate.cause:
                yield fate
            elif self.readings.given is not None:
                yield from self._ignored(i, fate)

    def _ignored(self, i: int, fate: Loss) -> Iterator[Loss]:
        above = self.failed.above(i)
        n_share = len(self.holders[fate.cue] & above)
        if n_share < self.shared * len(above):
            yield fate._replace(cause="ocr_ignored", n_share=n_share, n_above=len(above))

    @cached_property
    def holders(self) -> Mapping[str, set[int]]:
        """The ranked items that have each cue word: videos by the words that the model had, or captions by theirs."""
        found: dict[str, set[int]] = {cue: set() for own in self.cues for cue in own}
        run = self.failed.run
        words: Iterator[Mapping[str, str] | list[str]]
        if self.failed.direction == "t2v":
            words = (self.readings.had_words[video] for video in run.gallery["video_id"])
        else:
            words = (caption_words(text) if text else [] for text in run.queries["text"])
        for item, own in enumerate(words):
            for word in own:
                if word in found:
                    found[word].add(item)
        return found


def _with_filters(losses: list[list[Loss]], failed: Failed, material: Material) -> list[list[Loss]]:
    """The same, with the filter that dropped each word where the run states its filters."""
    videos = failed.videos("video_id", failed.right_video)
    asked = {video for video, lost in zip(videos, losses, strict=True) if any(o.cause == "ocr_filtered" for o in lost)}
    names = dropped_by(material.run, material.readings, asked)
    if not names:
        return losses
    return [
        [
            one._replace(detail=sentence_of(names[video, one.cue]))
            if one.cause == "ocr_filtered" and (video, one.cue) in names
            else one
            for one in lost
        ]
        for video, lost in zip(videos, losses, strict=True)
    ]


def loss_causes(losses: Sequence[Sequence[Loss]], failed: Failed, readings: Readings) -> dict[str, Found]:
    """The causes of lost words, with the words as evidence."""
    items, reader = "videos" if failed.direction == "t2v" else "captions", f"the OCR ({readings.engine})"
    sentences: dict[str, Callable[[Sequence[Loss]], str]] = {
        "ocr_missed": lambda lost: f"{reader} read no word like {_words(lost)} in the right video",
        "ocr_misread": lambda lost: f"{reader} read {_pairs(lost)}",
        "ocr_filtered": lambda lost: f"{reader} read {_words(lost)}, but the model was not given it{_why(lost)}",
        SAMPLED: lambda lost: ", ".join(f"{quoted(loss.word)} {loss.detail}" for loss in lost[:N_SHOWN]),
        "ocr_ignored": lambda lost: f"the model had {_shares(lost, items)}",
    }
    videos = failed.videos("video_id", failed.right_video)

    def found(cause: str, sentence: Callable[[Sequence[Loss]], str]) -> Found:
        mine = [[loss for loss in lost if loss.cause == cause] for lost in losses]
        return Found(
            np.asarray([bool(lost) for lost in mine], bool),
            lambda i: sentence(mine[i]),
            lambda i: places_of_lost(mine[i], videos[i], readings),
        )

    return {cause: found(cause, sentence) for cause, sentence in sentences.items()}


def places_of_lost(lost: Sequence[Loss], video: str, readings: Readings) -> list[Seen]:
    """Lost words in the right video: as they were read, else as they are written, where that is known."""
    read = [Seen(video, normalise_word(loss.read)) for loss in lost if loss.read]
    written = [Seen(video, loss.cue, True) for loss in lost if not loss.read and video in readings.written]
    return read + written


def quoted_words(words: Sequence[str]) -> str:
    """The first words in quotes, and how many more there are."""
    shown = ", ".join(map(quoted, words[:N_SHOWN]))
    return shown if len(words) <= N_SHOWN else f"{shown} and {len(words) - N_SHOWN} more"


def quoted(word: str) -> str:
    """A word in quotes, cut where it is very long."""
    return f'"{word if len(word) <= LONGEST else word[: LONGEST - 1] + "…"}"'


def _why(lost: Sequence[Loss]) -> str:
    reasons = list(dict.fromkeys(loss.detail for loss in lost if loss.detail))
    return f" ({'; '.join(reasons)})" if reasons else ""


def _pairs(lost: Sequence[Loss]) -> str:
    return ", ".join(f"{quoted(loss.read)} for {quoted(loss.word)}" for loss in lost[:N_SHOWN])


def _shares(lost: Sequence[Loss], items: str) -> str:
    return ", ".join(
        f"{quoted(loss.word)} ({loss.n_share} of the {loss.n_above} wrong {items} above have it too)"
        for loss in lost[:N_SHOWN]
    )


def _words(lost: Sequence[Loss]) -> str:
    return quoted_words([loss.word for loss in lost])
