"""What can be had without training: BM25 over read words, read text and frames by one dual encoder, ranks fused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.evaluation.rescoring.protocol import ScoringProtocol
from workbench.evaluation.rescoring.rank_fusion import reciprocal_rank_fusion
from workbench.index.lexical import LexicalIndex
from workbench.models.bm25_ocr import Bm25Ocr
from workbench.models.gallery import Gallery
from workbench.models.towers import dual

PARTS = ("vision", "ocr", "bm25")
PUBLISHED_K = 60.0


@dataclass(frozen=True)
class Encoded:
    """Videos in the forms of both retrievers.

    Attributes:
        dense: Of the dual encoder.
        words: An index over the read words.
        silent: bool [videos]: no text was read.
        absent: bool [videos]: an input is missing; they take no rank from others.
    """

    dense: list[dict[str, Any]]
    words: LexicalIndex
    silent: np.ndarray
    absent: np.ndarray


class ZeroshotOcr:
    """A ``RetrievalModel`` and ``FusesParts``: three rankings of the videos of each caption, fused by their ranks.

    ``vision``: cosine with the mean of the frames. ``ocr``: cosine with the nearest read sentence; a video without
    text is not scored there, so it gets nothing from it. ``bm25``: read words; videos that share none with the caption
    are tied.
    """

    def __init__(self, encoder: dual.DualEncoder, k: float) -> None:
        self.encoder, self.k = encoder, k
        self.needs, self.reads = encoder.needs, encoder.reads
        self._bm25 = Bm25Ocr()
        self.encodes_features, self.frozen_frames = encoder.encodes_features, encoder.frozen_frames
        self.network, self.options = encoder.network, encoder.options

    @property
    def protocol(self) -> ScoringProtocol:
        """Reciprocal rank fusion of the videos of each caption; it has seen nothing else."""
        return ScoringProtocol("RRF", "nothing", "t2v", {"k": self.k, "of": list(PARTS)})

    def frame_features(self, frames: np.ndarray) -> np.ndarray:
        """Those of the dual encoder, float32 [videos, frames, dimensions]."""
        return self.encoder.frame_features(frames)

    def stated(self) -> dict[str, Any]:
        """The options, and what tells the encoder's weights from others."""
        return {**self.encoder.stated(), "k": self.k}

    def encode(self, gallery: Gallery) -> Encoded:
        """Frames, read sentences and read words, each once."""
        dense = self.encoder.encode(gallery)
        silent = np.concatenate([(tile["place"] < 0).all(1).cpu().numpy() for tile in dense])
        absent = np.asarray([video in gallery.missing for video in gallery.video_ids], bool)
        return Encoded(dense, self._bm25.encode(gallery), silent, absent)

    def parts(self, captions: Sequence[str], encoded: Encoded) -> dict[str, np.ndarray]:
        """The three similarities, float32 [captions, videos]; -inf where a video is not scored."""
        found = self.encoder.parts(captions, encoded.dense)
        found["ocr"][:, encoded.silent] = -np.inf
        found["bm25"] = self._bm25.similarity(captions, encoded.words)
        for matrix in found.values():
            matrix[:, encoded.absent] = -np.inf
        return {name: found[name] for name in PARTS}

    def fuse(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        """Reciprocal rank fusion, float32 [captions, videos]; a list that scores no video at all adds nothing."""
        lists = {name: one for name, one in parts.items() if np.isfinite(one).any()}
        return np.asarray(reciprocal_rank_fusion(lists, k=self.k, direction="t2v").similarity, np.float32)

    def similarity(self, captions: Sequence[str], encoded: Encoded) -> np.ndarray:
        """The fused score, float32 [captions, videos]; between 0 and 3 / (k + 1)."""
        return self.fuse(self.parts(captions, encoded))


def option_names(preset: str | None = None) -> set[str]:
    """The options that ``build`` takes: those of the dual encoder, which always looks and reads here, and ``k``."""
    return dual.option_names(preset) | {"k"}


def build(preset: str | None = None, k: float = PUBLISHED_K, **options: Any) -> ZeroshotOcr:
    """The baseline without training.

    Args:
        preset: As for the dual encoder: ``squash`` or ``letterbox``.
        k: Damping of the first ranks; 60 is published (Cormack et al. 2009).
        **options: Of the dual encoder: weights, n_frames, ocr_text, max_words, ...

    Raises:
        DataError: An option that there is not, or weights that cannot be read.
        StateError: The weights are not on this machine.
        MissingExtraError: torch or transformers is not installed.
    """
    if not isinstance(k, int | float):
        raise DataError(f"k is {k!r}.", "Give a number; 60 is published.")
    return ZeroshotOcr(dual.build(preset, **{**options, "modality": "fusion"}), float(k))
