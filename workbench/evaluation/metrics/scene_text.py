"""Scene-text queries: which captions ask for something written in the video, by named and versioned definitions.

``scene-text-query v1`` (captions alone). Let W(c) be the words of caption c that are quoted, marked, in capitals,
numbers or names, as ``workbench.ocr.cues.cue_words`` spells out; c is a scene-text query where W(c) is not empty. It is
defined for English captions and for those that state no language.

``scene-text-query-ocr v1`` (captions and what an engine read). Let C(c) be the words of c without function words and
single letters, R(v) the words that the engine read in video v (kind ``ocr``, never the truth unless asked), V the
videos of the split that it looked at, and d(w) the number of videos of V with w in R(v). c is a scene-text query where
a right video v in V and a word w in C(c) and R(v) have d(w) <= max(1, 0.05 |V|): a word of the caption was read in its
video, and is read in few others. It is not defined for captions none of whose right videos is in V.

A video as a query (v2t) is a scene-text query where at least half of its right captions are, of those for which the
definition holds; where it holds for none of them, it is not defined for the video.

Neither looks at a score of any model. The first asks what the caption claims, the second what can be found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pandas as pd

from workbench.core.errors import StateError
from workbench.corpus import Corpus
from workbench.corpus.engines import first_engine
from workbench.ocr.cues import cue_words, written_words
from workbench.ocr.matching import caption_words

V1 = "scene-text-query v1"
OCR_V1 = "scene-text-query-ocr v1"
SLICES = {"scene_text_query": V1, "scene_text_query_ocr": OCR_V1}
"""The definitions by the name of their slice, as ``analysis.by_slice`` takes it."""
WITH, WITHOUT = "scene-text query", "no scene-text query"
"""The parts of a slice."""
COMMON = 0.05
"""Words read in more than this share of the videos say nothing."""
TEXT_WORDS = (
    "banner billboard brand caption captions credits label letters logo logos name number poster reads say says sign"
    " signs subtitles text texts title titles word words written"
).split()
_TEXT_WORD = re.compile(rf"\b({'|'.join(TEXT_WORDS)})\b", re.IGNORECASE)


def scene_text_queries(captions: pd.DataFrame) -> pd.Series:
    """``scene-text-query v1`` of every caption.

    Args:
        captions: caption_id, text and, where known, language: a corpus' captions or a run's queries.

    Returns:
        Yes, no or null (another language than English), index caption_id.
    """
    languages = captions["language"] if "language" in captions.columns else pd.Series(None, captions.index, dtype="str")
    english = languages.isna() | languages.astype("str").str.casefold().str.startswith("en")
    found = [
        bool(cue_words(text)) if able else None for text, able in zip(captions["text"], english.to_list(), strict=True)
    ]
    return pd.Series(found, index=pd.Index(captions["caption_id"]), dtype="boolean", name=V1)


def scene_text_queries_ocr(corpus: Corpus, engine: str | None = None) -> pd.Series:
    """``scene-text-query-ocr v1`` of every caption of a corpus.

    Args:
        corpus: Restricted to the split.
        engine: Whose words; None = the corpus' own engine (``corpus.engines``), never the truth.

    Returns:
        Yes, no or null (the engine looked at none of its right videos), index caption_id.

    Raises:
        StateError: No text was read in the videos, or none by this engine.
    """
    read = _words_read(corpus, engine)
    spread = Counter(word for words in read.values() for word in words)
    few = max(1, int(COMMON * len(read)))
    telling = {video: {word for word in words if spread[word] <= few} for video, words in read.items()}
    pairs = corpus.relevance[(corpus.relevance["grade"] > 0) & corpus.relevance["video_id"].isin(list(telling))]
    rights = pairs.groupby("caption_id", sort=False)["video_id"].agg(list).to_dict()
    rows = zip(corpus.captions["caption_id"], corpus.captions["text"], strict=True)
    found = [
        any(written_words(text, telling[video]) for video in rights[caption]) if caption in rights else None
        for caption, text in rows
    ]
    return pd.Series(found, index=pd.Index(corpus.captions["caption_id"]), dtype="boolean", name=OCR_V1)


def _words_read(corpus: Corpus, engine: str | None) -> dict[str, set[str]]:
    """Normalised words by video, of every video that the engine looked at."""
    looked = corpus.text_coverage[corpus.text_coverage["state"].isin(["read", "empty"])]
    chosen = engine or first_engine(set(looked["engine"]))
    looked = looked[looked["engine"] == chosen]
    if looked.empty:
        by = f" by {engine}" if engine else ""
        raise StateError(
            f"No text was read in the videos of {corpus.name}{by}.", f"Run: workbench ocr run {corpus.name}"
        )
    words: dict[str, set[str]] = {video: set() for video in looked["video_id"]}
    texts = corpus.texts[(corpus.texts["engine"] == chosen) & (corpus.texts["kind"] == "ocr")]
    texts = texts.dropna(subset=["text"])
    for video, text in zip(texts["video_id"], texts["text"], strict=True):
        if video in words:
            words[video].update(caption_words(text))
    return words


def scene_text_videos(queries: pd.Series, relevance: pd.DataFrame) -> pd.Series:
    """Which videos are scene-text queries for v2t: those at least half of whose right captions are.

    Args:
        queries: A definition by caption_id, from ``scene_text_queries`` or ``scene_text_queries_ocr``.
        relevance: caption_id, video_id, grade.

    Returns:
        Yes, no or null, index video_id: every video that has a right caption.
    """
    right = relevance[relevance["grade"] > 0].drop_duplicates(["caption_id", "video_id"])
    share = right["caption_id"].map(queries.astype("Float64")).groupby(right["video_id"], sort=False).mean()
    found = (share >= 0.5).astype("boolean")
    found.name = queries.name
    return found


def slices(axes: Any) -> dict[str, dict[str, pd.Series]]:
    """Parts of a run's queries by definition that need no corpus, for ``metrics.json``.

    Args:
        axes: A run, or anything with ``queries`` and ``relevance`` tables.

    Returns:
        By direction and definition, the part of each query by its id (``labels``); a definition is left out where the
        queries have no texts or are all in one part.
    """
    texts = axes.queries["text"].notna().all()
    captions = scene_text_queries(axes.queries) if texts else pd.Series(dtype="boolean", name=V1)
    found = {"t2v": captions, "v2t": scene_text_videos(captions, axes.relevance)}
    return {direction: {V1: labels(queries)} if queries.nunique() == 2 else {} for direction, queries in found.items()}


def labels(queries: pd.Series) -> pd.Series:
    """The parts of a slice as text: ``WITH``, ``WITHOUT`` or null."""
    return queries.map({True: WITH, False: WITHOUT}).astype("object")


def _has_capitals(caption: str) -> bool:
    """A word of two or more letters, all of them capitals."""
    return any(sum(c.isalpha() for c in token) > 1 and token.isupper() for token in caption.split())


def _has_capital_inside(caption: str) -> bool:
    """A word that begins with a capital and not a sentence."""
    first = True
    for token in caption.split():
        core = re.sub(r"^\W+|\W+$", "", token)
        if core and not first and core[0].isupper():
            return True
        first = token[-1] in ".!?" if core else first
    return False


def _capitals_or_number(caption: str) -> bool:
    return _has_capitals(caption) or any(c.isdigit() or c in '"“”«»' for c in caption)


PROXIES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "capitals, quotes or digits": (
        "a word in capitals (two letters or more), a quotation mark or a digit", _capitals_or_number,
    ),
    "any cue": (
        "one of those, or a capital inside a sentence",
        lambda caption: _capitals_or_number(caption) or _has_capital_inside(caption),
    ),
    "text word or capitals": (
        f"a word in capitals, or one of: {', '.join(TEXT_WORDS)}",
        lambda caption: _has_capitals(caption) or bool(_TEXT_WORD.search(caption)),
    ),
}  # fmt: skip
"""Cheap rules that were in use before v1, with their sentence; kept to be compared, never to slice by."""


def scene_text_definitions(captions: pd.DataFrame, ocr: pd.Series | None = None) -> pd.DataFrame:
    """How many queries each definition and each older proxy would take, and how far they agree with v1.

    Args:
        captions: caption_id, text and, where known, language.
        ocr: From ``scene_text_queries_ocr``, to stand in the table too.

    Returns:
        definition, rule, n_queries (captions for which it is defined), n_scene_text, share (0..1), n_both (taken by v1
        too), n_only (not by v1), n_only_v1 (by v1 alone).
    """
    first = scene_text_queries(captions)
    columns = {V1: (first, "a quoted, marked or capitalised word, a number or a name")}
    if ocr is not None:
        columns[OCR_V1] = (ocr.reindex(first.index), "a rare word that an engine read in the right video")
    for name, (sentence, holds) in PROXIES.items():
        found = pd.Series([holds(text) for text in captions["text"]], index=first.index, dtype="boolean")
        columns[name] = (found, sentence)
    return pd.DataFrame([_counted(name, rule, taken, first) for name, (taken, rule) in columns.items()])


def _counted(name: str, rule: str, taken: pd.Series, first: pd.Series) -> dict[str, object]:
    mine, theirs = taken.fillna(False).to_numpy(bool), first.fillna(False).to_numpy(bool)
    n = int(taken.notna().sum())
    return {
        "definition": name, "rule": rule, "n_queries": n, "n_scene_text": int(mine.sum()),
        "share": float(mine.sum()) / n if n else float("nan"), "n_both": int((mine & theirs).sum()),
        "n_only": int((mine & ~theirs).sum()), "n_only_v1": int((theirs & ~mine).sum()),
    }  # fmt: skip
