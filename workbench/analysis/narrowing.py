"""Lists of failures made shorter: by cause, domain, rank, scene text, and words or an expression; and put in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workbench.analysis.reading.run_texts import texts_of
from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.corpus import Corpus
from workbench.corpus.engines import first_engine
from workbench.evaluation.metrics.scene_text import scene_text_queries
from workbench.evaluation.runs.run import Run

BANDS = {"2-5": (1.0, 5.0), "6-10": (5.0, 10.0), "11-50": (10.0, 50.0), "51-": (50.0, np.inf)}
"""Ranks above the first number and up to the second."""
SCENE_TEXT = {"yes": True, "no": False}


def with_read(failed: pd.DataFrame, run: Run, corpus: Corpus | None, engine: str | None = None) -> pd.DataFrame:
    """Failures with two more columns: read (text read in the right video, "" = none) and scene_text (yes, no, null).

    Args:
        failed: From ``analysis.failures``.
        run: Its run.
        corpus: Its corpus; None = not at hand, nothing is read.
        engine: Whose words; None = by the rule of ``corpus.engines``.
    """
    read = _read(corpus, engine)
    kind = scene_text_queries(run.queries)
    return failed.assign(
        read=[str(read.get(video) or "") for video in failed["right_video_id"]],
        scene_text=kind.reindex(failed["caption_id"]).to_numpy(),
    )


def _read(corpus: Corpus | None, engine: str | None) -> Mapping[str, str]:
    """What an engine read in each video; nothing without a corpus or where nobody read."""
    if corpus is None:
        return {}
    chosen = engine or first_engine(corpus.texts["engine"])
    return {} if chosen is None else texts_of(corpus, chosen)


def spoken(captions: pd.DataFrame, corpus: Corpus | None, engine: str | None = None) -> dict[str, str]:
    """What the words of a filter are looked for in, by caption_id and by video_id.

    That is, for a caption its text and what was read in its right videos; for a video its captions and what was read
    in it. An id of both a caption and a video stands for both.

    Args:
        captions: caption_id, video_id (right), text.
        corpus: Their corpus; None = not at hand, nothing is read.
        engine: Whose words; None = by the rule of ``corpus.engines``.
    """
    read = _read(corpus, engine)
    said: dict[str, dict[str, None]] = {}
    ids = captions[["caption_id", "video_id"]].itertuples(index=False, name=None)
    for (caption, video), text in zip(ids, captions["text"].fillna(""), strict=True):
        for one in (caption, video):
            said.setdefault(one, {}).update({str(text): None, read.get(video, ""): None})
    for video in read.keys() - said.keys():
        said[video] = {read[video]: None}
    return {one: "\n".join(texts) for one, texts in said.items()}


@dataclass(frozen=True)
class Sieve:
    """Words, or one regular expression, for lists of captions and videos.

    Attributes:
        words: As of ``narrowed``; empty = everything passes.
        expression: ``words`` is an expression.
        texts: From ``spoken``.
    """

    words: str = ""
    expression: bool = False
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """The words to be marked where they were read; none of an expression."""
        return "" if self.expression else self.words

    def passes(self, ids: pd.Series) -> np.ndarray:
        """bool [ids]: whether the words stand in what is said of each.

        Args:
            ids: Of captions or videos; or lists of them, of which one must pass by itself.

        Raises:
            DataError: The expression cannot be read.
        """
        if not self.words or ids.empty:
            return np.ones(len(ids), bool)
        single = pd.Series(ids.to_numpy(dtype=object)).explode()
        held = said(single.map(lambda one: self.texts.get(one, str(one))), self.words, self.expression)
        return pd.Series(held, single.index).groupby(level=0).any().to_numpy(bool)


def narrowed(
    failed: pd.DataFrame,
    *,
    cause: str | None = None,
    domain: str | None = None,
    band: str | None = None,
    scene_text: str | None = None,
    words: str = "",
    expression: bool = False,
) -> pd.DataFrame:
    """Failures of which all that is asked for holds.

    Args:
        failed: From ``with_read``.
        cause: It holds, primary or not.
        domain: Of the query.
        band: Of ``BANDS``.
        scene_text: ``yes`` or ``no``: whether the caption speaks of text in the picture.
        words: All of them stand in the caption or in the read text, parts of words too.
        expression: ``words`` is one regular expression (RE2; case is ignored, ^ and $ stand at lines).

    Raises:
        UnknownNameError: Another band or kind.
        DataError: The expression cannot be read.
    """
    holds = np.ones(len(failed), bool)
    if cause is not None:
        holds &= [cause in held for held in failed["causes"]]
    if domain is not None:
        holds &= (failed["domain"] == domain).to_numpy(bool)
    if band is not None:
        low, high = pick(BANDS, band, "band of ranks")
        holds &= ((failed["rank"] > low) & (failed["rank"] <= high)).to_numpy(bool)
    if scene_text is not None:
        wanted = pick(SCENE_TEXT, scene_text, "kind of query")
        holds &= (failed["scene_text"] == wanted).fillna(False).to_numpy(bool)
    if words:
        holds &= said(failed["text"] + "\n" + failed["read"], words, expression)
    return failed if holds.all() else failed[holds]


def said(texts: pd.Series, words: str, expression: bool = False) -> np.ndarray:
    """bool [texts]: whether all words, or the expression, stand in each text; case is ignored.

    The expression runs in time linear in the text (RE2), so that none can hold up a server.

    Raises:
        DataError: The expression cannot be read.
    """
    column = pa.array(texts.fillna("").astype(object), type=pa.string())
    if not expression:
        found = [pc.match_substring(column, word, ignore_case=True).to_numpy(False) for word in words.split()]
        return np.logical_and.reduce([np.ones(len(texts), bool), *found])
    try:
        return pc.match_substring_regex(column, f"(?m){words}", ignore_case=True).to_numpy(False).astype(bool)
    except pa.ArrowInvalid as error:
        why = str(error).removeprefix("Invalid regular expression:").strip()
        raise DataError(
            f"The regular expression cannot be read ({why}).", "Correct it, or switch regular expressions off."
        ) from error


def by_gap(failed: pd.DataFrame, other: pd.Series) -> pd.DataFrame:
    """Failures with the rank in another run and the gap, those first that it ranks best beside this one.

    Args:
        failed: From ``analysis.failures``.
        other: Rank in the other run by query; queries that it has not stand last.

    Returns:
        The rows with rank_other and gap (rank minus rank_other).
    """
    theirs = other.reindex(failed["query_id"]).to_numpy(float)
    table = failed.assign(rank_other=theirs, gap=failed["rank"].to_numpy(float) - theirs)
    return table.sort_values(["gap", "rank"], ascending=False, kind="stable", na_position="last")


def tagged(failed: pd.DataFrame, queries: Collection[str], *, inside: bool = True) -> pd.DataFrame:
    """Failures whose query is, or is not, among these."""
    holds = failed["query_id"].isin(list(queries))
    return failed[holds if inside else ~holds]
