"""Trainable models of caption against frames (vision), words read in them (ocr), or both (fusion).

Two families behind one builder: the demo's small one, and StarVR (presets ``starvr``), the published baseline.
"""

from workbench.models.base import NetworkModel
from workbench.models.textvr_fusion.families import PRESETS, build, option_names
from workbench.models.textvr_fusion.model import Options, TextvrFusion
from workbench.models.textvr_fusion.starvr import Starvr, StarvrOptions

__all__ = ["PRESETS", "NetworkModel", "Options", "Starvr", "StarvrOptions", "TextvrFusion", "build", "option_names"]
