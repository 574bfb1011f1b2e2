"""What of a run and of a corpus is read, so that its change on disk is noticed, whoever made it."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISDIR

OF_RUN = (
    "run.json", "similarity.npy", "per_query.parquet", "metrics.json", "queries.parquet", "gallery.parquet",
    "relevance.parquet", "inputs.parquet", "word_effects.parquet", "modalities", "interactions",
)  # fmt: skip
OF_CORPUS = (
    "corpus.json", "videos.parquet", "captions.parquet", "relevance.parquet", "renditions.parquet", "texts.parquet",
    "text_coverage.parquet",
)  # fmt: skip


def stamp_of(path: Path, names: tuple[str, ...]) -> int:
    """A number that changes when a file of a folder, or of a named folder in it, is written again, replaced or gone.

    Args:
        path: The folder.
        names: ``OF_RUN`` or ``OF_CORPUS``.
    """
    found: list[int] = []
    for name in names:
        try:
            file = os.stat(f"{path}/{name}")
        except FileNotFoundError:
            found.append(0)
        else:
            found += [file.st_size, file.st_mtime_ns, file.st_ino]
            if S_ISDIR(file.st_mode):
                found += [stamp_of(path / name, tuple(sorted(os.listdir(path / name))))]
    return hash(tuple(found))
