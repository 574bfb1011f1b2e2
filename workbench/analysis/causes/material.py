"""What causes are told from, beside the scores: texts, the wording of captions, related runs, thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from workbench.analysis.causes.related import Related, related_to
from workbench.analysis.causes.thresholds import Thresholds
from workbench.analysis.causes.wording import Wording, stem
from workbench.analysis.reading.run_texts import Readings, readings_of
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run
from workbench.ocr.matching import caption_words

TRAIN = "train"
NO_VERBS = frozenset("building ceiling clothing evening king morning nothing ring something spring string thing wedding"
                     " wing red bed".split())  # fmt: skip
"""Words that look like forms of a verb and are none."""


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
    def reads_only(self) -> bool:
        """Whether the model is known to see no frames."""
        return self.readings.reads is True and self.run.inputs is not None and self.readings.sampled is None

    @cached_property
    def learned(self) -> list[str] | None:
        """The captions that could be learned from; None where the corpus has no train split, or is not at hand."""
        corpus = self.readings.corpus
        if corpus is None or TRAIN not in corpus.splits or self.run.split == TRAIN:
            return None
        return corpus.with_split(TRAIN).captions["text"].to_list()

    @cached_property
    def videos(self) -> np.ndarray:
        """Ids of the gallery."""
        return self.run.gallery["video_id"].to_numpy(dtype=object)

    @cached_property
    def wording(self) -> Wording:
        """What the captions of the run say; words are rare where captions of the run seldom have them."""
        return Wording(self.run.queries["text"].to_numpy(dtype=object).tolist())

    @cached_property
    def doing(self) -> set[str]:
        """Stems of what some caption has in the form of a verb in -ing."""
        every = {word for words in self.wording.words for word in words if word.endswith("ing")}
        return {stem(word) for word in every - NO_VERBS}

    @cached_property
    def said_of(self) -> sp.csr_array:
        """What all right captions of each video say together, CSR [videos, stems], more than 0 where they do."""
        return sp.csr_array(self._relevant.astype(np.float32) @ self.wording.said)

    def stems_of(self, column: int) -> set[str]:
        """Stems of all words that the right captions of a video say, function words too."""
        said = self._relevant
        rows = said.indices[said.indptr[column] : said.indptr[column + 1]]
        texts = self.run.queries["text"].iloc[rows]
        return {stem(word) for text in texts if text for word in caption_words(text)}

    @cached_property
    def _relevant(self) -> sp.csr_array:
        return sp.csr_array((self.run.relevance_matrix > 0).T)


def material_of(run: Run, corpus: Corpus | None, others: Sequence[Run] | None, thresholds: Thresholds) -> Material:
    """Gather it.

    Raises:
        DataError: The corpus, or another run, does not belong to the run.
    """
    return Material(run, readings_of(run, corpus), related_to(run, others), thresholds)
