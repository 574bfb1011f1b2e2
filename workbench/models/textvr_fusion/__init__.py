"""The small trainable model: caption words against frames (vision), words in frames (ocr), or both (fusion)."""

from workbench.models.textvr_fusion.model import PRESETS, Options, TextvrFusion, build, load

__all__ = ["PRESETS", "Options", "TextvrFusion", "build", "load"]
