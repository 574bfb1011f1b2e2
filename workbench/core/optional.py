"""The one door through which packages of an extra come in."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from workbench.core.errors import MissingExtraError

EXTRA_OF = {
    "streamlit": "app",
    "plotly": "app",
    "PIL": "app",
    "faiss": "search",
    "bm25s": "search",
    "matplotlib": "app",
    "torch": "train",
    "transformers": "train",
    "accelerate": "train",
    "safetensors": "train",
    "peft": "lora",
    "tensorboard": "train",
    "av": "video",
    "decord": "video",
    "rapidocr": "ocr",
    "onnxruntime": "ocr",
    "ray": "scale",
    "jupyterlab": "notebooks",
    "playwright": "dev",
}


def need(package: str, feature: str) -> ModuleType:
    """Import an optional package, or say which extra brings it.

    Args:
        package: Import name of the package, e.g. ``"faiss"`` or ``"torch"``.
        feature: What the user asked for, as the subject of the sentence ("Reading a .pt file").

    Raises:
        MissingExtraError: The package is not installed. A package that is installed but broken raises its own error.
    """
    top = package.partition(".")[0]
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != top:
            raise
        extra = EXTRA_OF.get(top)
        remedy = f"Install it with: pip install 'textvr-workbench[{extra}]'" if extra else f"Install it: {top}"
        raise MissingExtraError(f"{feature} needs the package '{top}', which is not installed.", remedy) from error


def has(package: str) -> bool:
    """Whether a package can be found, without importing it."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ModuleNotFoundError, ValueError):
        return False
