"""What became of the words that captions of failed queries claim to stand in the video."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache

from workbench.analysis.causes.dropping import dropped_by, sentence_of
from workbench.analysis.causes.failed import Failed
from workbench.analysis.causes.material import Material
from workbench.analysis.reading.following import Follower, Loss
from workbench.analysis.reading.run_texts import Readings
from workbench.ocr.cues import cue_words, marked_words, spellings, written_words
from workbench.ocr.matching import caption_words


@lru_cache(maxsize=1 << 16)
def quoted_in(text: str) -> tuple[str, ...]:
    """``cue_words`` of a caption, which several causes ask for."""
    return tuple(cue_words(text))


@lru_cache(maxsize=1 << 16)
def _marked_in(text: str) -> frozenset[str]:
    return frozenset(marked_words(text))


def cues_in(text: str, video: str, readings: Readings) -> Sequence[str]:
    """The words of a caption that claim to stand in its right video, normalised.

    Where it is known what is written in the video, those that stand there (``written_words``); elsewhere ``claims_in``.
    """
    known = video in readings.written
    return written_words(text, readings.written_words[video]) if known else claims_in(text, video, readings)


def named_in(text: str, video: str, readings: Readings) -> Sequence[str]:
    """As ``cues_in``, but counts and names too, whether or not anybody read them."""
    return written_words(text, readings.written_words[video]) if video in readings.written else quoted_in(text)


def claims_in(text: str, video: str, readings: Readings) -> list[str]:
    """The ``cue_words`` of a caption that claim more than a count or a name: ``marked_words``, and of the others those
    that were read in the video itself, and names that were read in any video of the corpus.
    """  # fmt: skip
    marked = _marked_in(text)
    return [word for word in quoted_in(text) if word in marked or _was_read(word, video, readings)]


def _was_read(word: str, video: str, readings: Readings) -> bool:
    if video in readings.read and word in readings.read_words[video]:
        return True
    return not any(c.isdigit() for c in word) and word in readings.vocabulary


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
      (their videos' words; v2t: their captions' words), so that it would have told the right one apart. Where effects
      of words are stored, its effect must be 0 or less; where they are not and there is a run without OCR, the rank
      must be the same in it.

    Nothing is lost where the engine did not look at the video, the video was not scored, or the run reads no text.
    Similarity: ``ocr.matching.match_words``, where short words and numbers are equal or different.
    """
    losses = _Losses(failed, material, cues)
    found = [list(losses.of(i, own)) for i, own in enumerate(cues)]
    return _with_filters(found, failed, material)


class _Losses:
    def __init__(self, failed: Failed, material: Material, cues: Sequence[Sequence[str]]) -> None:
        self.failed, self.material, self.readings = failed, material, material.readings
        self.shared = material.thresholds.shared
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
        used, how = self._used(i, fate.cue) if n_share < self.shared * len(above) else (True, "")
        if not used:
            yield fate._replace(cause="ocr_ignored", detail=how, n_share=n_share, n_above=len(above))

    def _used(self, i: int, cue: str) -> tuple[bool, str]:
        """Whether the model used a word as far as a counterfactual tells, and what tells it; "" = nothing does."""
        effects = self.material.word_effects or {}
        found = [effects[key] for one in self.failed.captions_of(i) if (key := (one, self.videos[i], cue)) in effects]
        if found:
            return max(found) > 0, f"without it the score changes by {0.0 - max(found):+.3f}"
        if self._ranks is None:
            return False, ""
        now, then = float(self.failed.table["rank"].iloc[i]), self._ranks[i]
        return now != then, "without OCR the rank is the same"

    @cached_property
    def _ranks(self) -> Sequence[float] | None:
        """Ranks of the failed queries without OCR; None where no such run is there."""
        other = self.material.related.without_ocr
        return None if other is None else self.failed.ranks_in(other).tolist()

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
