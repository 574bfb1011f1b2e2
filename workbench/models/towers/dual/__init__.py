"""Image-text dual encoders (CLIP, SigLIP, SigLIP 2) out of a local folder: captions against frames and read text."""

from __future__ import annotations

from workbench.models.towers.dual.model import FITS, PRESETS, DualEncoder, Options, build, option_names
from workbench.models.towers.dual.weights import KNOWN, find_weights

__all__ = ["FITS", "KNOWN", "PRESETS", "DualEncoder", "Options", "build", "find_weights", "option_names"]
