"""Search any corpus by words: an index over what is read or said in its videos, or a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.files import building, check_format, read_json, write_json
from workbench.core.lookup import nearest, pick
from workbench.core.workspace import workspace
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation import Run, open_run
from workbench.index import DenseIndex, LexicalIndex
from workbench.models import MODELS, RetrievalModel, build_model
from workbench.models.checkpoints import load_model
from workbench.ocr.cleaning import PRESETS, clean, words_of
from workbench.ocr.matching import STOP_WORDS, caption_words, match_words
from workbench.pipelines.inputs import InputRules, engine_of, gallery_of
from workbench.pipelines.matrices import read_matrix
from workbench.pipelines.scoring import score

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
        index = LexicalIndex(_documents(whole, of), ids)
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
    info = _described(name)
    return (LexicalIndex if info["kind"] == "lexical" else DenseIndex).load(folder), info


def _described(name: str) -> dict[str, Any]:
    """The description of an index, without its content."""
    info = read_json(workspace().cache / "indexes" / name / "index.json", f"the description of index {name}")
    check_format(info.get("format_version"), FORMAT_VERSION, f"Index {name}")
    return info


def list_indexes(corpus: str | None = None) -> list[str]:
    """Names of the indexes of the workspace, or of those over one corpus."""
    folder = workspace().cache / "indexes"
    found = sorted(path.parent.name for path in folder.glob("*/index.json")) if folder.is_dir() else []
    return [name for name in found if corpus is None or _described(name)["corpus"] == corpus]


def _documents(corpus: Corpus, of: str) -> list[str]:
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


@dataclass(frozen=True)
class Found:
    """What a search gave.

    Attributes:
        videos: video_id, score, matched (read words that match one of the query), text_ids (their texts); best first.
        query: The query.
        scored_by: The index or run.
    """

    videos: pd.DataFrame
    query: str
    scored_by: str


class Searcher:
    """A corpus and something that can score its videos for a text; encoded once, asked many times.

    Args:
        corpus: The corpus, whole or one split.
        by: ``bm25`` (over the words read in it), the name of an index, or of a run whose checkpoint can encode.

    Raises:
        StateError: No such index or run, or the run has no checkpoint that can encode.
    """

    def __init__(self, corpus: Corpus, by: str = "bm25") -> None:
        self.corpus, self.by = corpus, by
        self._scores = self._scorer()

    def search(self, query: str, k: int = 12) -> Found:
        """The best videos for a query, with the read words that match it.

        Raises:
            DataError: An empty query, or k below 1.
        """
        if not query.strip():
            raise DataError("The query is empty.", "Type some words.")
        if k < 1:
            raise DataError(f"k is {k}.", "Give 1 or more.")
        found = self._scores(query, k)
        texts = self.corpus.texts
        own = dict(tuple(texts[texts["video_id"].isin([video for video, _ in found])].groupby("video_id")))
        rows = [
            {"video_id": video, "score": score, **_matched(own.get(video, texts.iloc[:0]), query)}
            for video, score in found
        ]
        return Found(pd.DataFrame(rows, columns=["video_id", "score", "matched", "text_ids"]), query, self.by)

    def _scorer(self) -> Any:
        ids = self.corpus.videos["video_id"].tolist()
        if self.by == "bm25":
            index = LexicalIndex(_documents(self.corpus, "ocr"), ids)
            return index.search
        if self.by in list_indexes(self.corpus.name):
            opened, info = open_index(self.by)
            if isinstance(opened, DenseIndex):
                raise StateError(
                    f"The index {self.by} holds vectors; words need its encoder.",
                    "Search by a run, or a lexical index.",
                )
            allowed = set(ids)
            return lambda query, k: [pair for pair in opened.search(query, len(opened.ids)) if pair[0] in allowed][:k]
        run = open_run(self.by)
        model, rules = model_of(run)
        inputs = gallery_of(self.corpus, model.needs, rules)
        encoded = model.encode(inputs.gallery)

        def by_model(query: str, k: int) -> list[tuple[str, float]]:
            scores = model.similarity([query], encoded)[0]
            scores[[at for at, video in enumerate(ids) if video in inputs.gallery.missing]] = -np.inf
            best = np.argsort(-scores, kind="stable")[:k]
            return [(ids[at], float(scores[at])) for at in best if np.isfinite(scores[at])]

        return by_model


def model_of(run: Run) -> tuple[RetrievalModel, InputRules]:
    """The model of a run, loaded, and the rules of its inputs.

    Raises:
        StateError: The run was imported, or keeps no checkpoint.
    """
    rules = InputRules.from_dict(run.info.get("input_rules") or {})
    if run.info.get("model") == "bm25_ocr":
        return build_model("bm25_ocr"), rules
    if not (run.path / "checkpoints").is_dir():
        raise StateError(
            f"Run {run.name} keeps no checkpoint, so it cannot encode a new query.", "Choose a run trained here."
        )
    return load_model(run.path), rules


def can_encode(run: Run) -> bool:
    """Whether a new query can be put to this run's model."""
    return run.info.get("model") == "bm25_ocr" or (run.path / "checkpoints" / "best").is_file()


def matched(corpus: Corpus, video_id: str, query: str, engine: str | None = None) -> dict[str, list[str]]:
    """Read words of a video that match words of a query, and the texts that hold them.

    Args:
        corpus: The corpus.
        video_id: The video.
        query: A caption or query; function words ("the", "of") count only where it has no others.
        engine: Whose texts; None = all but the truth.

    Returns:
        ``matched``: words as read, ``text_ids``: their texts, ``words``: the words of the query that they match.
    """
    return _matched(corpus.texts[corpus.texts["video_id"] == video_id], query, engine)


def _matched(texts: pd.DataFrame, query: str, engine: str | None = None) -> dict[str, list[str]]:
    """``matched`` over the texts of one video."""
    texts = texts[texts["engine"] == engine if engine else texts["engine"] != "truth"]
    read = {text_id: set(caption_words(text)) for text_id, text in zip(texts["text_id"], texts["text"], strict=True)}
    asked = caption_words(query)
    telling = [word for word in asked if word not in STOP_WORDS] or asked
    pairs = match_words(telling, sorted(set().union(*read.values())))
    found = dict.fromkeys(pair.ocr_word for pair in pairs)
    ids = [text_id for text_id, words in read.items() if words & found.keys()]
    return {"matched": list(found), "text_ids": ids, "words": list(dict.fromkeys(pair.word for pair in pairs))}


def searchers_of(corpus: str, runs: Sequence[str]) -> list[str]:
    """What can answer words over a corpus: BM25, its lexical indexes, and the runs of a list that can encode."""
    indexes = [name for name in list_indexes(corpus) if _described(name)["kind"] == "lexical"]
    return ["bm25", *indexes, *(name for name in runs if can_encode(open_run(name)))]


def score_checkpoint(
    checkpoint: str, corpus: Corpus | str, *, name: str, split: str | None = None, engine: str | None = None,
    reader: str | None = None, keep_matrix: bool | None = None, overwrite: bool = False,
) -> Run:  # fmt: skip
    """Score a corpus with a model that exists.

    Args:
        checkpoint: A run trained here, ``RUN@STEP``, or a model that needs no training (``bm25_ocr``).
        corpus: The corpus or its name.
        name: The new run's name.
        split: Its split.
        engine: Whose texts the model reads; ``truth`` is perfect OCR where the corpus has it (an ablation).
        reader: Who decodes; None = as the model was trained.
        keep_matrix: Whether to store the similarity; None = where it is not too large.
        overwrite: Move a run of that name to the trash.

    Raises:
        UnknownNameError: No such run or model.
        StateError: The run keeps no checkpoint, or the corpus lacks an input.
    """
    model, rules, info = open_model(checkpoint)
    if engine is not None:
        rules = replace(rules, engine=engine)
        info["ablation"] = f"ocr {engine}"
    if reader is not None:
        rules = replace(rules, reader=reader)
    return score(
        model, corpus, name=name, split=split, rules=rules, keep_matrix=keep_matrix, overwrite=overwrite, **info
    )


def open_model(checkpoint: str) -> tuple[RetrievalModel, InputRules, dict[str, Any]]:
    """The model that a name stands for, how its inputs are made, and what ``run.json`` says of it.

    Args:
        checkpoint: A run trained here, ``RUN@STEP``, or a model that needs no training (``bm25_ocr``).

    Raises:
        UnknownNameError: No such run or model.
        StateError: The run keeps no such checkpoint.
    """
    if checkpoint in MODELS and not MODELS[checkpoint].trains:
        return build_model(checkpoint), InputRules(), {"model": checkpoint}
    parent, _, step = checkpoint.partition("@")
    run = open_run(parent)
    model, rules = model_of(run)
    if step:
        model = load_model(run.path, step)
    return model, rules, {key: run.info.get(key) for key in ("model", "recipe", "seed")} | {"parent": checkpoint}
