"""Layer 1: text in frames. The engine, which frames it reads, tracks; foreign formats, cleaning, matching of words."""

from workbench.ocr.changes import ChangeReader
from workbench.ocr.engine import PRESETS, Engine, Line, Settings
from workbench.ocr.reading import Reading, read_sampled

__all__ = ["PRESETS", "ChangeReader", "Engine", "Line", "Reading", "Settings", "read_sampled"]
