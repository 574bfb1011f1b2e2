"""CLIP or SigLIP with a sentence of read text for every frame: the mean of three similarities.

Source: the recipe of TCD (AAAI 2026, doi 10.1609/aaai.v40i16.38335) as far as it is published: 12 frames, 12 windows of
read text, the mean of text-video, text-OCR and text-fusion. What it does not say (the blocks, their depth, their start)
is ours.
"""

from __future__ import annotations

from workbench.models.clip_ocr_window.model import PRESETS, ClipOcrWindow, build, option_names
from workbench.models.clip_ocr_window.options import ClipOcrWindowOptions

__all__ = ["PRESETS", "ClipOcrWindow", "ClipOcrWindowOptions", "build", "option_names"]
