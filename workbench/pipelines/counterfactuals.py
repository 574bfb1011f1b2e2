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

    def apply(self, inputs: Inputs, n_frames: int | None = None) -> Inputs:
        """The changed inputs; what was given stays as it is.

        Args:
            inputs: Of some videos.
            n_frames: Frames per video where ``inputs`` holds none, as they are read later (``turned``).
        """
        gallery, table = inputs.gallery, inputs.table
        if self.without == "ocr":
            silent = None if gallery.sentences is None else tuple(("",) * len(of) for of in gallery.sentences)
            gallery = replace(gallery, words=tuple(Words() for _ in gallery.words), sentences=silent)
            nothing: pd.Series = pd.Series([[] for _ in range(len(table))], index=table.index, dtype=object)
            table = table.assign(words=nothing, n_words_dropped=table["n_words_read"])
        held = [one for one in (gallery.frames, gallery.features) if one is not None]
        n_frames = held[0].shape[1] if held else n_frames
        if self.frames == "shuffled" and n_frames:
            gallery = replace(
                gallery, frames=self._all_turned(gallery, gallery.frames),
                features=self._all_turned(gallery, gallery.features),
            )  # fmt: skip
            for column in ("frames", "times_s"):
                turned = [
                    [of[at] for at in self.order(video, n_frames) if at < len(of)]
                    for video, of in zip(table["video_id"], table[column], strict=True)
                ]
                table = table.assign(**{column: pd.Series(turned, index=table.index, dtype=object)})
        return Inputs(gallery, table)

    def order(self, video_id: str, n_frames: int) -> list[int]:
        """The order in which a video's frames are shown."""
        if self.frames is None:
            return list(range(n_frames))
        return generator(self.seed, "frames", video_id).permutation(n_frames).tolist()

    def turned(self, video_id: str, frames: np.ndarray) -> np.ndarray:
        """The frames of one video, or their vectors, [n, ...], in the order in which they are shown."""
        return frames if self.frames is None else frames[self.order(video_id, len(frames))]

    def _all_turned(self, gallery: Gallery, values: np.ndarray | None) -> np.ndarray | None:
        """``turned`` of every video, [videos, n, ...]."""
        if values is None:
            return None
        return np.stack([self.turned(video, own) for video, own in zip(gallery.video_ids, values, strict=True)])
