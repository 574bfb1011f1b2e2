"""Causes in what is seen and said: the best wrong video is much alike, told apart by a detail, or of another domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from workbench.analysis.causes.failed import Failed, Found
from workbench.analysis.causes.material import Material
from workbench.analysis.causes.said import NO_VERBS
from workbench.analysis.causes.scene_text import quoted_words
from workbench.analysis.causes.wording import stem
from workbench.corpus import domain_label
from workbench.ocr.cues import spellings
from workbench.ocr.matching import caption_words

ORDER_WORDS = frozenset("after afterwards before finally first last later next previously subsequently then".split())
NEGATIONS = frozenset("cannot never no nobody none nor not nothing nowhere without".split())
COUNTS = frozenset("two three four five six seven eight nine ten eleven twelve several dozen pair both twice".split())
COLOURS = frozenset("black white red green blue yellow orange pink purple brown grey gray golden silver".split())
ATTRIBUTES = COLOURS | frozenset(
    "big small large little tall short long old young new left right top bottom front back fast slow wet dry full empty"
    " open closed dark bright wooden metal plastic male female".split()
)


def cross_domain(failed: Failed) -> Found:
    """The best wrong video is of another domain."""
    right, top = (failed.videos("domain", at) for at in (failed.right_video, failed.top_video))
    other = pd.notna(right) & pd.notna(top) & (right != top)
    return Found(
        other, lambda i: f"the right video is {domain_label(str(right[i]))}, the top-1 {domain_label(str(top[i]))}"
    )


def visual_in_domain(
    failed: Failed, material: Material, cues: Sequence[Sequence[str]], explained: np.ndarray
) -> Found:  # fmt: skip
    """The best wrong video is of the same domain, and neither an artefact nor a cause in scene text holds.

    Where the run keeps the similarity of its vision part, that must also prefer the wrong one.

    Args:
        failed: The failed queries.
        material: What is known.
        cues: Their cue words.
        explained: bool [failed], whether an artefact or a cause in scene text holds.
    """
    right, top = (failed.videos("domain", at) for at in (failed.right_video, failed.top_video))
    other = failed.right_video != failed.top_video
    same = pd.notna(right) & pd.notna(top) & (right == top) & other & ~explained
    vision = material.run.modalities.get("vision")
    scores = None if vision is None else failed.pair_scores(vision)
    if scores is not None:
        same &= scores[1] > scores[0]

    def why(i: int) -> str:
        said = []
        if material.readings.reads is False and cues[i]:
            spelt = spellings("\n".join(failed.texts[i]))
            said.append(
                f"the caption names {quoted_words([spelt[cue] for cue in cues[i]])}, and this run reads no text"
            )
        said.append(f"right video and top-1 are both {domain_label(str(right[i]))}")
        if scores is not None:
            said.append(f"the vision part scores the top-1 {scores[1][i]:.3f} and the right video {scores[0][i]:.3f}")
        return ", ".join(said)

    return Found(same, why)


def said_of_top(failed: Failed, material: Material) -> np.ndarray:
    """How much of each caption the captions of the best wrong video say together, by weight, 0..1."""
    share = np.zeros(len(failed.table))
    there = np.flatnonzero((failed.right_caption >= 0) & (failed.top_video >= 0))
    others = material.said.of_videos[failed.top_video[there]]
    share[there] = material.said.wording.share_said(failed.right_caption[there], others)
    return share


class Details:
    """What a caption says that the captions of the best wrong video, which say much the same, do not.

    Args:
        failed: The failed queries.
        material: What is known.
        said: From ``said_of_top``.
    """

    def __init__(self, failed: Failed, material: Material, said: np.ndarray) -> None:
        self.failed, self.material = failed, material
        self.near = (said >= material.thresholds.alike) & (failed.right_video != failed.top_video)
        self.differ: list[list[str]] = [self._differing(i) if self.near[i] else [] for i in range(len(said))]

    def _differing(self, i: int) -> list[str]:
        """Words of the caption, function words too, whose stem no caption of the best wrong video has."""
        text = self.failed.captions("text", self.failed.right_caption[i : i + 1])[0]
        said = self.material.said.stems_of(int(self.failed.top_video[i]))
        return [word for word in dict.fromkeys(caption_words(text)) if stem(word) not in said]

    def fine_grained(self) -> Found:
        """They differ in a verb, an attribute or a number."""
        found = [[one for one in own if self._is_detail(one)] for own in self.differ]
        holds = np.asarray([bool(one) for one in found], bool)
        return Found(holds, lambda i: f"captions of the top-1 say much the same, but not {quoted_words(found[i])}")

    def _is_detail(self, word: str) -> bool:
        return word in ATTRIBUTES or word in COUNTS or any(c.isdigit() for c in word) or self._is_verb(word)

    def _is_verb(self, word: str) -> bool:
        """A word in one of the forms of a verb, or of which some caption has the form in -ing."""
        if word in NO_VERBS or not word.isalpha():
            return False
        return word.endswith(("ing", "ed")) or stem(word) in self.material.said.doing

    def negation_counting(self) -> Found:
        """They differ in a negation or a count."""
        found = [[one for one in own if one in NEGATIONS or one in COUNTS or one.endswith("n't")]
                 for own in self.differ]  # fmt: skip
        holds = np.asarray([bool(one) for one in found], bool)
        return Found(holds, lambda i: f"the caption says {quoted_words(found[i])}, captions of the top-1 do not")

    def temporal(self) -> Found:
        """The caption says what comes first, and the model ignores order.

        Where there is a run with shuffled frames, that shows it: the rank moves by no more than ``order_noise``.
        Elsewhere the captions of the best wrong video say much the same, so that little but the order tells.
        """
        rows = self.failed.right_caption
        words = [[w for w in caption_words(text) if w in ORDER_WORDS] if text else []
                 for text in self.failed.captions("text", rows)]  # fmt: skip
        cued = np.asarray([bool(one) for one in words], bool)
        other = self.material.related.shuffled
        if other is None:
            return Found(
                cued & self.near,
                lambda i: f"the caption says {quoted_words(words[i])}, and captions of the top-1 say much the same",
            )
        ranks = pd.Series(other.rank(self.failed.direction), index=other.per(self.failed.direction)["id"])
        then, now = ranks.reindex(self.failed.table["id"]).to_numpy(float), self.failed.table["rank"].to_numpy(float)
        still = np.abs(then - now) <= self.material.thresholds.order_noise * now
        return Found(cued & still, _order_ignored(words, now, then))


def _order_ignored(words: Sequence[Sequence[str]], now: np.ndarray, then: np.ndarray) -> Callable[[int], str]:
    return lambda i: (
        f"the caption says {quoted_words(words[i])}, but with shuffled frames the rank is {then[i]:g} instead of"
        f" {now[i]:g}"
    )
