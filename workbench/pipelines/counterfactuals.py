"""What if: the inputs of a model with one thing taken away or disturbed, all else equal."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.core.errors import StateError
from workbench.core.lookup import pick
from workbench.core.seeds import generator
from workbench.models import Gallery, Words
from workbench.pipelines.inputs import Inputs

WITHOUT = {"ocr": "no read words"}
FRAMES = {"shuffled": "every video's frames in a random order"}


@dataclass(frozen=True)
class Change:
    """A change of inputs.

    Attributes:
        without: A name of ``WITHOUT``; None = nothing is taken away.
        frames: A name of ``FRAMES``; None = as they are.
        seed: Of the order of frames, which also depends on the video.
    """

    without: str | None = None
    frames: str | None = None
    seed: int = 0

    @property
    def names(self) -> list[str]:
        """What ``run.json`` says of it under ``ablation``."""
        return [f"without {self.without}"] * bool(self.without) + [f"frames {self.frames}"] * bool(self.frames)

    def check(self, needs: Set[str]) -> None:
        """Raise where a model does not look at what is changed.

        Raises:
            UnknownNameError: A change that is not known.
            StateError: The model does not look at it, or at nothing else.
        """
        if self.without is not None:
            pick(WITHOUT, self.without, "input to take away")
            if needs != {"frames", "ocr"}:
                seen = " and ".join(sorted(needs)) or "no input"
                raise StateError(
                    f"The model looks at {seen}, so it cannot do without {self.without}.", "Choose a fusion model."
                )
        if self.frames is not None:
            pick(FRAMES, self.frames, "change of frames")
            if "frames" not in needs:
                raise StateError("The model looks at no frames.", "Choose a vision or fusion model.")

    def apply(self, inputs: Inputs) -> Inputs:
        """The changed inputs; what was given stays as it is."""
        gallery, table = inputs.gallery, inputs.table
        if self.without == "ocr":
            silent = None if gallery.sentences is None else tuple(("",) * len(of) for of in gallery.sentences)
            gallery = replace(gallery, words=tuple(Words() for _ in gallery.words), sentences=silent)
            nothing: pd.Series = pd.Series([[] for _ in range(len(table))], index=table.index, dtype=object)
            table = table.assign(words=nothing, n_words_dropped=table["n_words_read"])
        if self.frames == "shuffled" and gallery.frames is not None:
            order = np.stack([self._order(gallery, at) for at in range(len(gallery.video_ids))])
            gallery = replace(gallery, frames=np.take_along_axis(gallery.frames, order[:, :, None, None, None], 1))
            for column in ("frames", "times_s"):
                turned = [
                    [one[at] for at in own if at < len(one)] for one, own in zip(table[column], order, strict=True)
                ]
                table = table.assign(**{column: pd.Series(turned, index=table.index, dtype=object)})
        return Inputs(gallery, table)

    def _order(self, gallery: Gallery, at: int) -> np.ndarray:
        n_frames = 0 if gallery.frames is None else gallery.frames.shape[1]
        return generator(self.seed, "frames", gallery.video_ids[at]).permutation(n_frames)
