"""The cache of the workspace: its parts and their sizes, and making room; what is removed is made again when needed."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from workbench.core.errors import StateError

WHOLE = "indexes"
"""The part whose folders make sense as a whole only; it is left alone where single files go."""

WRITTEN_S = 3600.0
"""A temporary file is being written; after so long without a change its writer was killed."""


def cache_parts(folder: Path) -> dict[str, int]:
    """Bytes of every part of a cache, by name."""
    return {part.name: bytes_of(part) for part in sorted(folder.iterdir())} if folder.is_dir() else {}


def bytes_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; what vanishes meanwhile counts nothing."""
    return sum(size for _, size, _ in _files(path))


def prune_cache(folder: Path, part: str | None = None, max_bytes: int = 0) -> int:
    """Remove cached files, those first that were not used for longest.

    Args:
        folder: The cache.
        part: One part of it; None = all.
        max_bytes: What may stay, indexes aside; 0 removes everything.

    Returns:
        Bytes freed.

    Raises:
        StateError: The cache has no such part.
    """
    if part is not None and not (folder / part).exists():
        raise StateError(f"The cache has no part {part!r}.", "See: workbench cache size")
    chosen = folder if part is None else folder / part
    if max_bytes == 0:
        freed = bytes_of(chosen)
        for one in chosen.iterdir() if part is None and chosen.is_dir() else [chosen]:
            shutil.rmtree(one) if one.is_dir() else one.unlink(missing_ok=True)
        return freed
    files = sorted(one for one in _files(chosen) if folder / WHOLE not in one[2].parents)
    left, freed = sum(size for _, size, _ in files), 0
    for _, size, path in files:
        if left - freed <= max_bytes:
            break
        path.unlink(missing_ok=True)
        freed += size
    return freed


def _files(path: Path) -> list[tuple[float, int, Path]]:
    """Last use, bytes and path of the files below a path; locks and what is being written are left out."""
    found = []
    for file in path.rglob("*") if path.is_dir() else [path]:
        try:
            stat = file.stat()
        except FileNotFoundError:
            continue
        written = file.suffix == ".tmp" and time.time() - stat.st_mtime < WRITTEN_S
        if file.is_file() and not written and not file.name.endswith((".lock", ".lock.holder")):
            found.append((max(stat.st_atime, stat.st_mtime), stat.st_size, file))
    return found
