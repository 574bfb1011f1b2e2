"""What the captions of a run say, of every caption and of every video."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from workbench.analysis.causes.wording import Wording, stem
from workbench.analysis.kept import kept
from workbench.evaluation.runs.run import Run
from workbench.ocr.matching import caption_words

NO_VERBS = frozenset("building ceiling clothing evening king morning nothing ring something spring string thing wedding"
                     " wing red bed".split())  # fmt: skip
"""Words that look like forms of a verb and are none."""


class Said:
    """The captions of a run by what they say.

    Args:
        texts: Captions; None = no text.
        relevance: Grades [captions, videos].
    """

    def __init__(self, texts: Sequence[str | None], relevance: sp.csr_array) -> None:
        self.texts = texts
        self._of_video = sp.csr_array((relevance > 0).T)

    @cached_property
    def wording(self) -> Wording:
        """Their words; words are rare where captions of the run seldom have them."""
        return Wording(self.texts)

    @cached_property
    def doing(self) -> set[str]:
        """Stems of what some caption has in the form of a verb in -ing."""
        every = {word for words in self.wording.words for word in words if word.endswith("ing")}
        return {stem(word) for word in every - NO_VERBS}

    @cached_property
    def of_videos(self) -> sp.csr_array:
        """What all right captions of each video say together, CSR [videos, stems], more than 0 where they do."""
        return sp.csr_array(self._of_video.astype(np.float32) @ self.wording.said)

    @cached_property
    def information(self) -> np.ndarray:
        """How much every caption says, float64 [captions]."""
        return self.wording.information()

    def stems_of(self, column: int) -> set[str]:
        """Stems of all words that the right captions of a video say, function words too."""
        said = self._of_video
        rows = said.indices[said.indptr[column] : said.indptr[column + 1]]
        return {stem(word) for row in rows if (text := self.texts[row]) for word in caption_words(text)}


def said_in(run: Run) -> Said:
    """What the captions of a run say; worked out once."""
    return kept(run, "said", lambda: Said(run.queries["text"].to_numpy(dtype=object).tolist(), run.relevance_matrix))
