"""The rules by which a model's inputs are made out of videos and texts; stored with every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.video.sampling import Sampler


@dataclass(frozen=True)
class InputRules:
    """How inputs are made; stored with every run.

    Attributes:
        sampler: Which frames.
        height: Pixels.
        width: Pixels.
        fit: How the frame comes to them, a name of ``pipelines.fitting.FITS``.
        windows: Words of the sentence around each frame (``pipelines.ocr_windows``); 0 = no such sentences.
        reader: Who decodes.
        engine: Whose words; None = the corpus' reader.
        filters: Preset of ``ocr.cleaning``.
        max_words: Words per video, the most confident ones.
        places: What is told of a word's place, a name of ``pipelines.places.PLACES``.
        rendition: Which files of the videos are read.
        caption_words: Words of a caption that the model reads at most, the rest is cut; 0 = it does not say.
    """

    sampler: Sampler = Sampler("uniform", 4)  # noqa: RUF009  # frozen
    height: int = 48
    width: int = 64
    reader: str = "pyav"
    engine: str | None = None
    filters: str = "default"
    max_words: int = 24
    places: str = "box"
    fit: str = "squash"
    windows: int = 0
    rendition: str = "original"
    caption_words: int = 0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> InputRules:
        """The rules as ``run.json`` keeps them."""
        sampler = {"sampler": Sampler(**values["sampler"])} if "sampler" in values else {}
        return cls(**{**values, **sampler})
