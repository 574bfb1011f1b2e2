"""Indexes over the videos of a corpus, stored in the workspace: BM25 over words, or faiss over vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError, StateError
from workbench.core.files import building, check_format, read_json, write_json
from workbench.core.listing import Readable, readable
from workbench.core.lookup import nearest, pick
from workbench.core.workspace import workspace
from workbench.corpus import Corpus, open_corpus
from workbench.index import DenseIndex, LexicalIndex
from workbench.ocr.cleaning import PRESETS, clean, words_of
from workbench.pipelines.inputs import InputRules, engine_of
from workbench.pipelines.matrices import read_matrix

FORMAT_VERSION = 1
SOURCES = {"ocr": "words read in the frames", "captions": "captions of the videos", "all": "both"}


def build_index(
    corpus: Corpus | str,
    *,
    kind: str = "lexical",
    of: str = "ocr",
    vectors: np.ndarray | Path | None = None,
    name: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Make an index over the videos of a corpus and store it in the workspace.

    Args:
        corpus: A corpus or its name; with or without captions.
        kind: ``lexical`` (BM25) or ``dense`` (faiss).
        of: What a lexical index holds: ``ocr``, ``captions`` or ``all``.
        vectors: For a dense index: one vector per video in the corpus' order, [videos, dimensions], or a file of them.
        name: The index' name; None = corpus and what it is of.
        overwrite: Replace an index of that name.

    Returns:
        Its folder, ``cache/indexes/NAME``.

    Raises:
        StateError: The corpus lacks the texts.
        DataError: Vectors are missing or do not fit.
        UnknownNameError: An unknown kind or source.
        ExistsError: An index of that name exists.
    """
    opened = open_corpus(corpus) if isinstance(corpus, str) else corpus
    whole = opened if opened.split else opened.with_split(None)
    ids = whole.videos["video_id"].tolist()
    pick({"lexical": 1, "dense": 1}, kind, "kind of index")
    index: LexicalIndex | DenseIndex
    if kind == "lexical":
        pick(SOURCES, of, "source of words")
        index = LexicalIndex(documents(whole, of), ids)
    elif vectors is None:
        raise DataError("A dense index needs one vector per video.", "Give them with --vectors FILE.npy.")
    else:
        matrix = vectors if isinstance(vectors, np.ndarray) else read_matrix(Path(vectors)).values
        of, index = "vectors", DenseIndex(matrix, ids)
    folder = workspace().cache / "indexes" / (name or f"{whole.name}-{of}")
    with building(folder, overwrite=overwrite, trash=workspace().cache / ".trash") as temporary:
        index.save(temporary)
        described = {
            "format_version": FORMAT_VERSION,
            "kind": kind,
            "of": of,
            "corpus": whole.name,
            "split": whole.split,
        }
        write_json(temporary / "index.json", described)
    return folder


def open_index(name: str) -> tuple[LexicalIndex | DenseIndex, dict[str, Any]]:
    """An index of the workspace and its description.

    Raises:
        StateError: There is none of that name.
    """
    folder = workspace().cache / "indexes" / name
    if not (folder / "index.json").is_file():
        raise StateError(f"No index is called {name!r}.", nearest(name, list_indexes()))
    info = described_index(name)
    return (LexicalIndex if info["kind"] == "lexical" else DenseIndex).load(folder), info


def described_index(name: str) -> dict[str, Any]:
    """The description of an index, without its content."""
    path = workspace().cache / "indexes" / name / "index.json"
    info = read_json(path, f"the description of index {name}")
    if not isinstance(info, dict) or not {"corpus", "kind"} <= info.keys():
        raise DataError(f"{path} describes no index.", f"Delete the folder {path.parent} and make the index again.")
    check_format(info.get("format_version"), FORMAT_VERSION, f"Index {name}")
    return info


def list_indexes(corpus: str | None = None) -> list[str]:
    """Names of the indexes of the workspace, or of those over one corpus; without damaged ones."""
    return [name for name, info in _listed().found if corpus is None or info["corpus"] == corpus]


def damaged_indexes() -> list[DataError]:
    """Why some cannot be read."""
    return _listed().damaged


def _listed() -> Readable[tuple[str, dict[str, Any]]]:
    """Name and description of each."""
    names = sorted(path.parent.name for path in (workspace().cache / "indexes").glob("*/index.json"))
    return readable(names, lambda name: (name, described_index(name)))


def documents(corpus: Corpus, of: str) -> list[str]:
    """The words of every video, in the corpus' order, of a name of ``SOURCES``."""
    parts: list[list[str]] = []
    if of in ("ocr", "all"):
        parts.append(_words_read(corpus))
    if of in ("captions", "all"):
        joined = corpus.captions.groupby("video_id")["text"].agg(" ".join)
        parts.append([str(joined.get(video, "")) for video in corpus.videos["video_id"]])
    return [" ".join(words) for words in zip(*parts, strict=True)]


def _words_read(corpus: Corpus) -> list[str]:
    """The words read in every video after the filters that models use, all videos at once."""
    texts = corpus.texts[(corpus.texts["engine"] == engine_of(corpus)) & (corpus.texts["kind"] == "ocr")]
    kept = clean(words_of(texts), PRESETS[InputRules.filters]).words
    joined = kept.groupby("video_id")["text"].agg(" ".join).to_dict()
    return [joined.get(video, "") for video in corpus.videos["video_id"]]
