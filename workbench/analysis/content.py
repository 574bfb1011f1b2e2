"""Causes in what is seen: the best wrong video is of another domain, or of the same one and looks alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.analysis.failed import Failed, Found
from workbench.analysis.run_texts import Readings
from workbench.analysis.scene_text import Loss, quoted_words
from workbench.corpus import domain_label
from workbench.ocr.cues import spellings


def cross_domain(failed: Failed) -> Found:
    """The best wrong video is of another domain."""
    right, top = (failed.videos("domain", at) for at in (failed.right_video, failed.top_video))
    other = pd.notna(right) & pd.notna(top) & (right != top)
    return other, lambda i: f"the right video is {domain_label(str(right[i]))}, the top-1 {domain_label(str(top[i]))}"


def visual_in_domain(
    failed: Failed, readings: Readings, cues: Sequence[Sequence[str]], losses: Sequence[Sequence[Loss]]
) -> Found:
    """The best wrong video is of the same domain and no cause in scene text holds.

    Where the run keeps the similarity of its vision part, that must also prefer the wrong one.
    """
    right, top = (failed.videos("domain", at) for at in (failed.right_video, failed.top_video))
    other = failed.right_video != failed.top_video
    same = pd.notna(right) & pd.notna(top) & (right == top) & other & ~np.asarray([bool(one) for one in losses], bool)
    scores = _vision_scores(failed)
    if scores is not None:
        same &= scores[1] > scores[0]

    def why(i: int) -> str:
        said = []
        if readings.reads is False and cues[i]:
            spelt = spellings("\n".join(failed.texts[i]))
            said.append(
                f"the caption names {quoted_words([spelt[cue] for cue in cues[i]])}, and this run reads no text"
            )
        said.append(f"right video and top-1 are both {domain_label(str(right[i]))}")
        if scores is not None:
            said.append(f"the vision part scores the top-1 {scores[1][i]:.3f} and the right video {scores[0][i]:.3f}")
        return ", ".join(said)

    return same, why


def _vision_scores(failed: Failed) -> np.ndarray | None:
    """Scores of the vision part for the right item and the best wrong one, float [2, failed]; None = not kept."""
    matrix = failed.run.modalities.get("vision")
    if matrix is None:
        return None
    rows, columns = (failed.right_caption, failed.right_caption), (failed.right_video, failed.top_video)
    if failed.direction == "v2t":
        rows, columns = (failed.right_caption, failed.top_caption), (failed.right_video, failed.right_video)
    pairs = zip(rows, columns, strict=True)
    return np.stack([np.where((r >= 0) & (c >= 0), matrix[r, c], np.nan) for r, c in pairs])
