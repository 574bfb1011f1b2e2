"""The OCR engine: offline, its models come with the package; one frame in, lines of text with their quads out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.ocr.recall import Recall


@dataclass(frozen=True)
class Preset:
    """How frames are prepared for the engine.

    Attributes:
        min_side: Frames whose shorter side is smaller are enlarged to it, which is what finds small text; None = the
            frame is read at its own size.
        min_score: Lines recognised with less confidence are dropped.
        sentence: What it is for.
    """

    min_side: int | None
    min_score: float
    sentence: str


PRESETS = {
    "small-text": Preset(736, 0.5, "real videos: small frames are enlarged, so that small text is found"),
    "fast": Preset(None, 0.5, "native size: rendered or large text, several times faster"),
}


@dataclass(frozen=True)
class Settings:
    """Everything that a result depends on beside the file; its hash is part of the cache key.

    Attributes:
        preset: A name of ``PRESETS``.
        fps: Frames per second that are looked at.
        n_frames: So many frames of the whole video instead (segment mid-points); None = by ``fps``.
        stride: Between frames so many sampled ones apart none is read while the picture moves or its texts stay;
            1 = read all.
        threads: Engine threads per process; scores may differ between thread counts.
        reader: Who decodes.
    """

    preset: str = "small-text"
    fps: float = 3.0
    n_frames: int | None = None
    stride: int = 5
    threads: int = 1
    reader: str = "pyav"

    def __post_init__(self) -> None:
        """Raise DataError or UnknownNameError where a setting makes no sense."""
        pick(PRESETS, self.preset, "preset")
        for name in ("fps", "n_frames", "stride", "threads"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise DataError(f"OCR: {name} is {value}.", "It must be greater than 0.")

    def versions(self) -> dict[str, str]:
        """Packages whose version may change a result."""
        names = ["rapidocr", "onnxruntime", "opencv-python-headless", {"pyav": "av"}.get(self.reader, self.reader)]
        return {name: _version(name) for name in names}

    def key(self) -> str:
        """16 hex digits over all settings and versions."""
        described = {**asdict(self), "versions": self.versions(), "algorithm": ALGORITHM}
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # e.g. another build of OpenCV
        return "none"


ALGORITHM = 4
"""Raised when reading or tracking changes, so that old cache entries are not taken for new results."""


@dataclass(frozen=True)
class Line:
    """One line of text in one frame.

    Attributes:
        text: As recognised.
        score: Confidence 0..1.
        quad: float64 [4, 2], corners x, y in 0..1 of the frame, clockwise from the text's top left.
    """

    text: str
    score: float
    quad: np.ndarray


class Engine:
    """RapidOCR with its bundled PP-OCR models; lines that look as they did a moment ago are not recognised again.

    Source: RapidOCR 3 (github.com/RapidAI/RapidOCR), PP-OCRv6 small detection and recognition.

    Raises:
        MissingExtraError: rapidocr or onnxruntime is not installed.
        UnknownNameError: An unknown preset.
        DataError: Fewer than one thread.
    """

    name = "rapidocr"

    def __init__(self, preset: str = "small-text", threads: int = 1) -> None:
        self.preset = pick(PRESETS, preset, "OCR preset")
        if threads < 1:
            raise DataError(f"{threads} threads cannot read.", "Give 1 or more.")
        need("onnxruntime", "Reading text in frames")
        module = need("rapidocr", "Reading text in frames")
        size = {"Det.limit_type": "min", "Det.limit_side_len": self.preset.min_side}
        if self.preset.min_side is None:
            size = {"Det.limit_type": "max", "Det.limit_side_len": 2000}
        runtime = "EngineConfig.onnxruntime."
        self._run = module.RapidOCR(
            params={
                "Global.use_cls": False, "Global.log_level": "critical", "Global.text_score": self.preset.min_score,
                runtime + "intra_op_num_threads": threads, runtime + "inter_op_num_threads": 1, **size,
            }
        )  # fmt: skip
        self.recall = Recall(self._run.recognize_txt)
        self._run.recognize_txt = self.recall

    def forget(self) -> None:
        """Begin another video: lines of the last one are not remembered."""
        self.recall.forget()

    def read(self, frame: np.ndarray) -> list[Line]:
        """The lines of a frame, uint8 RGB [height, width, 3]; an empty list where there is no text.

        Raises:
            DataError: Not such an array.
        """
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise DataError(
                f"A frame is uint8 [height, width, 3], found {frame.dtype} {frame.shape}.", "Decode to RGB."
            )
        height, width = frame.shape[:2]
        return self.read_part(frame, (0, 0, width, height))

    def read_part(self, frame: np.ndarray, box: tuple[int, int, int, int]) -> list[Line]:
        """The lines in a part of a frame, enlarged as the whole frame would be; quads in 0..1 of the whole frame.

        Args:
            frame: uint8 RGB [height, width, 3].
            box: left, top, right, bottom in pixels; right and bottom excluded.
        """
        (height, width), (left, top, right, bottom) = frame.shape[:2], box
        if min(right - left, bottom - top) < 8:
            return []  # nothing is legible, and the engine divides by the size of what is left after rounding
        if self.preset.min_side is not None:
            enlarged = max(1.0, self.preset.min_side / min(height, width))
            self._detector().limit_side_len = round(enlarged * min(right - left, bottom - top))
        found = self._run(np.ascontiguousarray(frame[top:bottom, left:right, ::-1]))
        if found is None or found.boxes is None or found.txts is None:
            return []
        boxes = np.asarray(found.boxes, float) + (left, top)
        return list(self._lines(zip(found.txts, found.scores, boxes, strict=True), width, height))

    def _detector(self) -> Any:
        """RapidOCR's detector, which it loads when it is first used."""
        if self._run.text_det is None:
            self._run(np.zeros((32, 32, 3), np.uint8))
        return self._run.text_det

    def _lines(self, found: Iterable[tuple[str, float, Any]], width: int, height: int) -> Iterable[Line]:
        for text, score, box in found:
            quad = np.clip(np.asarray(box, float) / (width, height), 0.0, 1.0)
            if text.strip():
                yield Line(" ".join(text.split()), float(np.clip(score, 0, 1)), quad)
