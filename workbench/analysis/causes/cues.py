"""What several causes ask of the failed queries, worked out when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.analysis.causes.failed import Failed
from workbench.analysis.causes.losses import cues_of, losses_of
from workbench.analysis.causes.material import Material
from workbench.analysis.causes.wording import stem
from workbench.analysis.reading.following import Loss
from workbench.ocr.matching import caption_words


@dataclass(frozen=True)
class Cues:
    """What the captions of the failed queries say, against the best wrong item.

    Attributes:
        failed: The failed queries.
        material: What is known.
    """

    failed: Failed
    material: Material

    @cached_property
    def words(self) -> list[list[str]]:
        """The words of each that claim to stand in the video (``losses.cues_in``)."""
        return cues_of(self.failed, self.material.readings)

    @cached_property
    def losses(self) -> list[list[Loss]]:
        """What became of them."""
        return losses_of(self.failed, self.material, self.words)

    @cached_property
    def said(self) -> np.ndarray:
        """How much of each caption the captions of the best wrong video say together, by weight, float64 0..1."""
        failed, said = self.failed, self.material.said
        share = np.zeros(len(failed.table))
        there = np.flatnonzero((failed.right_caption >= 0) & (failed.top_video >= 0))
        others = said.of_videos[failed.top_video[there]]
        share[there] = said.wording.share_said(failed.right_caption[there], others)
        return share

    @cached_property
    def near(self) -> np.ndarray:
        """Whether they say much the same (``alike``), bool."""
        return (self.said >= self.material.thresholds.alike) & (self.failed.right_video != self.failed.top_video)

    @cached_property
    def differ(self) -> list[list[str]]:
        """Of those that say much the same, the words, function words too, whose stem no caption of the best wrong
        video has.
        """  # fmt: skip
        return [self._differing(i) if near else [] for i, near in enumerate(self.near.tolist())]

    def _differing(self, i: int) -> list[str]:
        text = self.failed.captions("text", self.failed.right_caption[i : i + 1])[0]
        said = self.material.said.stems_of(int(self.failed.top_video[i]))
        return [word for word in dict.fromkeys(caption_words(text)) if stem(word) not in said]
