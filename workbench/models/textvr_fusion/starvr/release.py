"""The release's files of weights, which also pickle objects of its own code: their tensors, and nothing is ever run."""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError
from workbench.core.optional import need
from workbench.models.torch_files import is_tensor

PREFIX = "module."
"""What DataParallel puts before every name."""
REBUILD = ("_rebuild_tensor_v2", "_rebuild_tensor", "_rebuild_parameter")
"""Functions of ``torch._utils`` that make tensors out of bytes and do nothing else."""


class _Nothing:
    """Stands for every object that is no tensor: takes what a pickle gives it, keeps nothing."""

    def __new__(cls, *_: object, **__: object) -> _Nothing:
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None: ...

    def __call__(self, *_: object, **__: object) -> _Nothing:
        return self

    def __setstate__(self, state: object) -> None: ...

    def __setitem__(self, key: object, value: object) -> None: ...

    def append(self, item: object) -> None: ...

    def extend(self, items: object) -> None: ...

    def add(self, item: object) -> None: ...


class _Unpickler(pickle.Unpickler):
    """Knows ordered dictionaries and how tensors are made; everything else becomes ``_Nothing``."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch", "Size"):
            return tuple
        if module == "torch._utils" and name in REBUILD:
            return getattr(need("torch._utils", "Reading weights"), name)
        return _Nothing


class _Pickles:
    """What ``torch.load`` asks of a pickle module."""

    Unpickler = _Unpickler

    @staticmethod
    def load(stream: Any, **options: Any) -> Any:
        return _Unpickler(stream, **options).load()


def read_release(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tensors of a checkpoint by name, without DataParallel's prefix, and the plain values beside them.

    Args:
        path: ``textvr.pth``, or any torch file of ``state_dict`` or of tensors by name.

    Raises:
        DataError: It is absent or damaged, or holds no tensors by name.
        MissingExtraError: torch is not installed.
    """
    torch = need("torch", "Reading a checkpoint")
    if not Path(path).is_file():
        raise DataError(f"There is no file {path}.", "Give the release's textvr.pth.")
    if _is_program(path):
        raise DataError(f"{path} is a TorchScript program, which would be run.", "Give a file of weights.")
    try:
        whole = torch.load(path, map_location="cpu", weights_only=False, pickle_module=_Pickles)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, TypeError, AttributeError, KeyError,
            IndexError, OverflowError, ImportError, AssertionError, MemoryError) as error:  # fmt: skip
        raise DataError(f"{path} cannot be read as a torch file: {error}.", "Download it again.") from error
    state = whole.get("state_dict", whole) if isinstance(whole, Mapping) else None
    if not isinstance(state, Mapping) or not state or not all(is_tensor(value) for value in state.values()):
        raise DataError(f"{path} holds no weights by name.", "Give the release's textvr.pth.")
    named = {str(name): value for name, value in state.items()}
    if all(name.startswith(PREFIX) for name in named):
        named = {name.removeprefix(PREFIX): value for name, value in named.items()}
    told = {} if state is whole else {str(k): v for k, v in whole.items() if isinstance(v, str | int | float)}
    return named, told


def _is_program(path: Path) -> bool:
    """Whether torch would take a file for TorchScript, which it runs past any unpickler."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(Path(name).name == "constants.pkl" for name in archive.namelist())
    except zipfile.BadZipFile:
        return False
