"""What of a run and of a corpus is read, so that its change on disk is noticed, whoever made it."""

from __future__ import annotations

import os
from pathlib import Path

OF_RUN = (
    "run.json", "similarity.npy", "per_query.parquet", "metrics.json", "queries.parquet", "gallery.parquet",
    "relevance.parquet", "inputs.parquet", "word_effects.parquet", "modalities", "interactions",
)  # fmt: skip
OF_CORPUS = (
    "corpus.json", "videos.parquet", "captions.parquet", "relevance.parquet", "renditions.parquet", "texts.parquet",
    "text_coverage.parquet",
)  # fmt: skip


def stamp_of(path: Path, names: tuple[str, ...]) -> int:
    """A number that changes when a file of a folder is written again, replaced or taken away.

    Args:
        path: The folder.
        names: ``OF_RUN`` or ``OF_CORPUS``.
    """
    found: list[int] = []
    for name in names:
        try:
            file = os.stat(path / name)
        except FileNotFoundError:
            found.append(0)
        else:
            found += [file.st_size, file.st_mtime_ns, file.st_ino]
    return hash(tuple(found))
