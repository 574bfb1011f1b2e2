"""Matrices out of foreign pickles (QB-Norm, CLIP4Clip and their kin) without ever running code that a file brings.

The unpickler knows five names, all of them NumPy's ways to store an array or a number, and answers each with a stand-in
of this file; every other name stops it. NumPy's own ``__setstate__`` is never reached.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from workbench.core.errors import DataError

KINDS = "biufSU"  # booleans, numbers, bytes and text: nothing that holds Python objects
REMEDY = "Save the matrix alone: numpy.save(path, matrix)."


class _ForbiddenNameError(pickle.UnpicklingError):
    """A pickle asks for something that is neither an array nor a number."""


class _Type:
    """Stand-in for ``numpy.dtype``: the code comes first, the byte order with the state."""

    def __init__(self, code: str, align: object = None, copy: object = None) -> None:
        self.dtype = np.dtype(code)
        if self.dtype.kind not in KINDS:
            raise _ForbiddenNameError(f"an array of {self.dtype}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stand-in for ``numpy.ndarray``: its values come with the state (version, shape, type, Fortran order, bytes)."""

    values: np.ndarray

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, content = state
        self.values = _from_bytes(content, kind, shape, "F" if fortran else "C")


def _from_bytes(content: Any, kind: _Type, shape: tuple[int, ...], order: str = "C") -> np.ndarray:
    raw = content.encode("latin1") if isinstance(content, str) else bytes(content)
    if len(raw) != math.prod(shape) * kind.dtype.itemsize:
        raise ValueError(f"{len(raw)} bytes for an array of shape {tuple(shape)}")
    return np.frombuffer(raw, kind.dtype).reshape(shape, order="F" if order == "F" else "C")


def _from_buffer(content: Any, kind: _Type, shape: tuple[int, ...], order: str) -> _Array:
    array = _Array()
    array.values = _from_bytes(content, kind, shape, order)
    return array


def _number(kind: _Type, content: Any) -> Any:
    return _from_bytes(content, kind, ())[()]


def _bytes(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise _ForbiddenNameError(f"text in the encoding {encoding!r}")
    return text.encode("latin1")


def _allowed() -> dict[tuple[str, str], Callable[..., Any]]:
    names: dict[tuple[str, str], Callable[..., Any]] = {
        ("numpy", "dtype"): _Type,
        ("numpy", "ndarray"): _Array,
        ("_codecs", "encode"): _bytes,
    }
    for core in ("numpy.core", "numpy._core"):  # NumPy 1 and NumPy 2
        names[f"{core}.multiarray", "_reconstruct"] = lambda *_: _Array()
        names[f"{core}.multiarray", "scalar"] = _number
        names[f"{core}.numeric", "_frombuffer"] = _from_buffer
    return names


ALLOWED = _allowed()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise _ForbiddenNameError(f"{module}.{name}")
        return ALLOWED[module, name]

    def persistent_load(self, pid: Any) -> NoReturn:
        raise _ForbiddenNameError(f"an object stored elsewhere ({pid!r})")


def read_pickle(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a pickle by name; a bare array, or a list of rows of numbers, has the name ``""``.

    Args:
        path: A pickle of any protocol, of Python 2 or 3, holding arrays, lists, dicts, texts and numbers only.

    Raises:
        DataError: It holds anything else (the sentence names what), is damaged, or has no array in it.
    """
    try:
        with open(path, "rb") as stream:
            value = _Unpickler(io.BytesIO(stream.read()), encoding="latin1").load()
    except _ForbiddenNameError as error:
        raise DataError(f"{path} holds {error} besides arrays, which could run foreign code.", REMEDY) from error
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist.", "Check the path.") from error
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError,
            OverflowError, MemoryError, ImportError) as error:  # fmt: skip
        raise DataError(f"{path} cannot be read as a pickle: {error}.", "Save or download it again.") from error
    items = value if isinstance(value, dict) else {"": value}
    arrays = {str(key): array for key, item in items.items() if (array := _as_array(item)) is not None}
    if not arrays:
        raise DataError(f"{path} holds no array of numbers.", REMEDY)
    return arrays


def _as_array(item: Any) -> np.ndarray | None:
    """An array, or equally long lists of plain values as one; None for anything else."""
    if isinstance(item, _Array):
        return getattr(item, "values", None)
    if not isinstance(item, list | tuple) or not item:
        return None
    rows = [_as_array(row) if isinstance(row, _Array | list | tuple) else row for row in item]
    if not all(isinstance(row, np.ndarray | np.generic | int | float | str) for row in rows):
        return None
    if len({getattr(row, "shape", ()) for row in rows}) > 1:
        return None
    array = np.asarray(rows)
    return array if array.dtype.kind in KINDS else None
