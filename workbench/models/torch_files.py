"""Arrays out of torch files and tensors, without ever running code that a file brings."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.optional import need


def read_torch_file(path: Path, *, wrapped: Sequence[str] = (), remedy: str | None = None) -> dict[str, np.ndarray]:
    """The tensors of a torch file, and its lists of texts, by name; a bare tensor has the name ``""``.

    bfloat16 becomes float32.

    Args:
        path: The file.
        wrapped: Names of mappings, the first of which is read in place of what lies around it.
        remedy: Said where it holds no tensor, or other things beside; None = that of a similarity matrix.

    Raises:
        MissingExtraError: torch is not installed.
        DataError: The file is damaged, holds other things than tensors, or would need unpickling of foreign code.
    """
    torch = need("torch", "Reading a .pt file")
    try:
        value = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{path} holds Python objects besides tensors, which could run foreign code.",
            remedy or "Save the matrix alone: numpy.save(path, similarity.float().cpu().numpy()).",
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a torch file: {error}.", "Save or download it again.") from error
    items = _unwrapped(value, wrapped) if isinstance(value, Mapping) else {"": value}
    arrays = {str(key): as_array(item) for key, item in items.items() if is_tensor(item)}
    if not arrays:
        said = remedy or "Save the similarity matrix with torch.save(similarity, path)."
        raise DataError(f"{path} holds no tensor.", said)
    return arrays | {str(key): np.asarray(item) for key, item in items.items() if _is_texts(item)}


def _unwrapped(value: Mapping[Any, Any], names: Sequence[str]) -> Mapping[Any, Any]:
    """A mapping, or the one that it holds under the first of some names."""
    for name in names:
        if isinstance(value.get(name), Mapping):
            return _unwrapped(value[name], names)
    return value


def write_torch_file(path: Path, similarity: np.ndarray, **ids: list[str]) -> None:
    """Write a similarity (under that name) and lists of ids as a torch file, which ``read_torch_file`` reads.

    Raises:
        MissingExtraError: torch is not installed.
    """
    torch = need("torch", "Writing a .pt file")
    with open(path, "wb") as stream:
        torch.save({"similarity": torch.tensor(similarity), **ids}, stream)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(item, str) for item in value)


def is_tensor(value: Any) -> bool:
    """Whether a value is a torch tensor (by its interface, so that torch need not be installed)."""
    return hasattr(value, "detach") and hasattr(value, "cpu") and hasattr(value, "dtype")


def as_array(tensor: Any) -> np.ndarray:
    """A tensor's values as a NumPy array on the CPU; bfloat16, which NumPy lacks, becomes float32."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if "bfloat16" in str(tensor.dtype) else tensor).numpy()
