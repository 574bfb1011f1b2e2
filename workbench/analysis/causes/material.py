"""What causes are told from, beside the scores: texts, the wording of captions, related runs, thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from workbench.analysis.causes.learned import Learned
from workbench.analysis.causes.related import Others, Related, related_to
from workbench.analysis.causes.said import Said, said_in
from workbench.analysis.causes.thresholds import Thresholds
from workbench.analysis.kept import kept
from workbench.analysis.reading.run_texts import Readings, readings_of, stamp_of
from workbench.analysis.reading.word_effects import effects_of
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run

TRAIN = "train"


@dataclass(frozen=True)
class Material:
    """Everything that is known of a run.

    Attributes:
        run: The run.
        readings: Its scene text.
        related: Other runs that tell more of it.
        thresholds: When a cause holds.
    """

    run: Run
    readings: Readings
    related: Related
    thresholds: Thresholds

    @property
    def vision(self) -> np.ndarray | None:
        """Similarity of what the model sees beside text: a stored part, or all of a run that reads none."""
        part = self.run.modalities.get("vision")
        sees_only = part is None and self.readings.reads is False and self.readings.sampled is not None
        return self.run.similarity if sees_only else part

    @property
    def caption_words(self) -> int:
        """Words of a caption that the model reads, as the threshold says, else the run; 0 = not known."""
        stated = (self.run.info.get("input_rules") or {}).get("caption_words") or 0
        return int(self.thresholds.caption_words or stated)

    @cached_property
    def word_effects(self) -> Mapping[tuple[str, str, str], float] | None:
        """What each read word does to a score (``reading.word_effects.effects_of``); None = no run tells."""
        return effects_of(self.related.words or self.run)

    @property
    def reads_only(self) -> bool:
        """Whether the model is known to see no frames."""
        return self.readings.reads is True and self.run.inputs is not None and self.readings.sampled is None

    @cached_property
    def learned(self) -> Learned | None:
        """The captions that could be learned from; None where the corpus has no train split, or is not at hand."""
        corpus = self.readings.corpus
        if corpus is None or TRAIN not in corpus.splits or self.run.split == TRAIN:
            return None
        make = partial(Learned, corpus.with_split(TRAIN), self.said.wording)
        return kept(self.run, "learned", make, stamp_of(corpus))

    @cached_property
    def videos(self) -> np.ndarray:
        """Ids of the gallery."""
        return self.run.gallery["video_id"].to_numpy(dtype=object)

    @cached_property
    def said(self) -> Said:
        """What the captions of the run say."""
        return said_in(self.run)


def material_of(run: Run, corpus: Corpus | str | None, others: Others, thresholds: Thresholds) -> Material:
    """Gather it.

    Raises:
        DataError: The corpus, or another run, does not belong to the run.
    """
    return Material(run, readings_of(run, corpus), related_to(run, others), thresholds)
