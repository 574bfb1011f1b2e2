"""What cannot be told apart, or was seen before: equal and nearly equal captions, splits that share, one source."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis.structure.listed import listed_items
from workbench.core.errors import StateError
from workbench.corpus import Corpus
from workbench.corpus.text import normalise_caption
from workbench.evaluation.metrics.duplicates import answers, duplicates, near_duplicates, text_numbers
from workbench.evaluation.runs.run import Run, open_run
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.paired import design_effect, wilson

ACROSS = {
    "caption": "the same caption",
    "file": "the same video file",
    "source": "a video of the same source",
}


def equal_captions(run: Run | str, *, direction: str = "t2v") -> pd.DataFrame:
    """Captions that stand more than once with other right videos: no model can tell them apart.

    Args:
        run: A run.
        direction: Whose rank is told: ``t2v`` the caption's, ``v2t`` that of its right video.

    Returns:
        group (from 1, largest first), n (captions of the group), caption_id, query_id (the caption; v2t: its video),
        text, video_id (its first right video), domain, rank.

    Raises:
        StateError: The run holds totals only.
    """
    run = open_run(run)
    texts, answer = _texts(run), answers(run.relevance_matrix)
    table = _rows(run, direction)[duplicates(texts, answer)]
    table = table.assign(number=text_numbers(texts)[table.index])
    table = table.assign(n=table.groupby("number")["number"].transform("size"))
    table = table.sort_values(["n", "number"], ascending=[False, True], kind="stable", ignore_index=True)
    group = pd.factorize(table["number"])[0] + 1
    return table.assign(group=group)[["group", "n", "caption_id", "query_id", "text", "video_id", "domain", "rank"]]


def near_captions(run: Run | str, *, direction: str = "t2v") -> pd.DataFrame:
    """Captions that differ from one with other right videos by punctuation or one word.

    Args:
        run: A run.
        direction: As for ``equal_captions``.

    Returns:
        caption_id, query_id (the caption; v2t: its video), text, video_id, rank, like_id, like_text, like_video_id;
        worst rank first.

    Raises:
        StateError: The run holds totals only.
    """
    run = open_run(run)
    near = near_duplicates(_texts(run), answers(run.relevance_matrix))
    rows = _rows(run, direction)
    mine = rows.iloc[list(near)].reset_index(drop=True)
    other = rows.iloc[list(near.values())].reset_index(drop=True)
    found = mine[["caption_id", "query_id", "text", "video_id", "rank"]].assign(
        like_id=other["caption_id"], like_text=other["text"], like_video_id=other["video_id"]
    )
    return found.sort_values("rank", ascending=False, kind="stable", ignore_index=True)


def across_splits(corpus: Corpus) -> pd.DataFrame:
    """What of a split stands in another split too: captions of equal text, equal files, videos of one source.

    Args:
        corpus: Restricted to one split; the others are looked at as well.

    Returns:
        kind (a key of ``ACROSS``), caption_id (null but for captions), video_id, text, other_split, other_id (the first
        one there), n_others.
    """
    whole = corpus.with_split(None)
    videos, captions = whole.videos, whole.captions
    split_of = videos.set_index("video_id")["split"]
    files = whole.renditions[(whole.renditions["rendition"] == "original") & whole.renditions["sha256"].notna()]
    text = pd.Series([normalise_caption(one) for one in captions["text"]], dtype="str")
    found = [
        _shared("caption", text, captions["split"], captions["caption_id"], captions["video_id"], captions["text"]),
        _shared("file", files["sha256"], files["video_id"].map(split_of), files["video_id"], files["video_id"], None),
        _shared("source", videos["source_id"], videos["split"], videos["video_id"], videos["video_id"],
                videos["source_id"]),
    ]  # fmt: skip
    table = pd.concat([one[one["split"] == corpus.split] for one in found], ignore_index=True)
    table = table.assign(caption_id=table["id"].where(table["kind"] == "caption", None))
    return table[["kind", "caption_id", "video_id", "text", "other_split", "other_id", "n_others"]]


def _shared(
    kind: str, key: pd.Series, split: pd.Series, ids: pd.Series, videos: pd.Series, text: pd.Series | None
) -> pd.DataFrame:
    """Everything whose key stands in another split too, with the first one there."""
    table = pd.DataFrame({
        "key": key.to_numpy(object), "split": split.to_numpy(object), "id": ids.to_numpy(object),
        "video_id": videos.to_numpy(object), "text": None if text is None else text.to_numpy(object),
    }).dropna(subset=["key", "split"])  # fmt: skip
    table = table[table.groupby("key")["split"].transform("nunique") > 1]
    first = table.drop_duplicates(["key", "split"])[["key", "split", "id"]]
    pairs = table.merge(first.rename(columns={"split": "other_split", "id": "other_id"}), on="key")
    pairs = pairs[pairs["split"] != pairs["other_split"]].drop_duplicates(["id", "split"])
    held = table.groupby(["key", "split"]).size()
    n = [held[key, split] for key, split in zip(pairs["key"], pairs["other_split"], strict=True)]
    return pairs.assign(kind=kind, n_others=np.asarray(n, np.int64))


def same_source(run: Run | str, *, direction: str = "t2v") -> pd.DataFrame:
    """Sources that several videos of the gallery were cut from, and how often a model confuses these.

    Args:
        run: A run.
        direction: ``t2v``: captions whose top-1 is a sibling of their video; ``v2t``: videos whose top-1 is a caption
            of a sibling.

    Returns:
        source_id, domain, n_videos, n_queries, n_confused (queries whose top-1 is wrong and of their own source; equal
        scores stand by position), videos (list), queries (list of the confused ones); most confused first, then
        largest.

    Raises:
        StateError: The corpus states no sources, or the run holds totals only.
        UnknownNameError: Unknown direction.
    """
    run = open_run(run)
    _texts(run)
    gallery = run.gallery[["video_id", "domain", "source_id"]]
    if gallery["source_id"].isna().all():
        raise StateError("The corpus does not state which videos share a source.", "Add source ids to its annotations.")
    listed = listed_items(run, direction)
    ids = listed.queries["id"]
    source = query_groups(run, direction, ids.to_numpy())["source_id"].to_numpy(object)
    top = listed.items["source_id"].to_numpy(object)[listed.first]
    own = pd.DataFrame({"source_id": source, "id": ids, "confused": (top == source) & listed.first_is_wrong})
    wide = gallery[gallery["source_id"].notna()].groupby("source_id", sort=False)
    found = wide.agg(domain=("domain", "first"), n_videos=("video_id", "size"), videos=("video_id", list))
    confused = own[own["confused"]].groupby("source_id")["id"].agg(list)
    found = found.assign(
        n_queries=own.groupby("source_id").size().reindex(found.index, fill_value=0),
        queries=pd.Series([confused.get(one, []) for one in found.index], found.index, dtype=object),
    )
    found = found.assign(n_confused=found["queries"].map(len))[found["n_videos"] > 1].reset_index()
    found = found.sort_values(["n_confused", "n_videos"], ascending=False, kind="stable", ignore_index=True)
    return found[["source_id", "domain", "n_videos", "n_queries", "n_confused", "videos", "queries"]]


def sibling_share(found: pd.DataFrame) -> tuple[float, float, float]:
    """Share of the queries that have siblings whose top-1 is one, with its Wilson interval, clustered by source; 0..1.

    Args:
        found: From ``same_source``.
    """
    n, confused = found["n_queries"].to_numpy(int), found["n_confused"].to_numpy(int)
    hits = np.concatenate([[], *(np.arange(size) < many for size, many in zip(n, confused, strict=True))])
    if not len(hits):
        return (0.0, 0.0, 1.0)
    deff = design_effect(hits, np.repeat(np.arange(len(n)), n))
    return (float(hits.mean()), *wilson(float(hits.sum()), len(hits), deff))


def _texts(run: Run) -> list[str]:
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids to see its captions.")
    return run.queries["text"].fillna("").to_list()


def _rows(run: Run, direction: str) -> pd.DataFrame:
    """One row per caption of a run, in its order: caption_id, query_id, text, video_id, domain, rank of the query."""
    relevance = run.relevance_matrix
    first = np.asarray([relevance.indices[a] if b > a else -1 for a, b in _spans(relevance.indptr)], np.int64)
    ranks = pd.Series(run.rank(direction), run.per(direction)["id"].to_numpy())
    held = run.gallery[["video_id", "domain"]].reindex(first)  # -1 = no right video
    captions, videos = run.queries["caption_id"].to_numpy(object), held["video_id"].to_numpy()
    queries = captions if direction == "t2v" else videos
    return pd.DataFrame({
        "caption_id": captions, "query_id": queries, "text": run.queries["text"].to_numpy(object),
        "video_id": videos, "domain": held["domain"].to_numpy(), "rank": ranks.reindex(queries).to_numpy(),
    })  # fmt: skip


def _spans(ends: np.ndarray) -> zip:
    return zip(ends[:-1], ends[1:], strict=True)
