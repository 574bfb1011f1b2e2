"""The tables and metrics of a run: what its rows and columns are, counts per query, numbers with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench.corpus import Corpus
from workbench.evaluation.metrics.measures import query_values
from workbench.evaluation.metrics.retrieval import RetrievalMetrics
from workbench.evaluation.metrics.scene_text import slices
from workbench.evaluation.statistics.of_metrics import query_ids, with_intervals
from workbench.evaluation.statistics.sides import RunAxes, query_clusters


def run_axes(corpus: Corpus, missing: Mapping[str, str], totals_only: bool) -> RunAxes:
    captions, videos = corpus.captions, corpus.videos
    queries = pd.DataFrame({
        "row": np.arange(len(captions), dtype=np.int32), "query_id": captions["caption_id"], "kind": "caption",
        "caption_id": captions["caption_id"], "text": captions["text"], "language": captions["language"],
    })  # fmt: skip
    scored = ~videos["video_id"].isin(list(missing))
    gallery = pd.DataFrame({
        "column": np.arange(len(videos), dtype=np.int32), "video_id": videos["video_id"], "domain": videos["domain"],
        "source_id": videos["source_id"], "state": np.where(scored, "scored", "not_scored"),
        "reason": videos["video_id"].map(dict(missing)),
    })  # fmt: skip
    if not totals_only:
        return RunAxes(queries, gallery, corpus.relevance)
    numbers = pd.Series(np.arange(1, len(captions) + 1).astype(str), index=queries.index)
    queries[["query_id", "caption_id"]] = np.repeat(("row " + numbers).to_numpy()[:, None], 2, axis=1)
    queries[["text", "language"]] = None
    gallery["video_id"] = "column " + numbers
    gallery[["domain", "source_id"]] = None
    relevance = pd.DataFrame({
        "caption_id": queries["caption_id"], "video_id": gallery["video_id"], "start_s": np.nan, "end_s": np.nan,
        "grade": np.int8(1), "annotator": None,
    })  # fmt: skip
    return RunAxes(queries, gallery, relevance)


def per_query_table(
    both: Mapping[str, RetrievalMetrics],
    axes: RunAxes,
    modalities: Mapping[str, Mapping[str, RetrievalMetrics]] | None = None,
) -> pd.DataFrame:
    """``per_query.parquet``: the rows of the run itself (modality ``""``), then those of each of its modalities.

    Args:
        both: Metrics of the run by direction.
        axes: What its rows and columns are.
        modalities: Metrics of each of its modalities, by direction.
    """
    parts = []
    for modality, found in {"": both, **(modalities or {})}.items():
        for direction, metrics in found.items():
            part = metrics.per_query.drop(columns=["row", "rank"])
            part.insert(0, "modality", modality)
            part.insert(1, "direction", direction)
            part.insert(2, "id", query_ids(axes, direction, metrics))
            parts.append(part.assign(ap=metrics.values["ap"], ndcg10=metrics.values["ndcg10"]))
    return pd.concat(parts, ignore_index=True)


def query_groups(axes: Any, direction: str, ids: np.ndarray) -> pd.DataFrame:
    """Domain and source of each query's right video; of the first in the gallery where a caption has several.

    Args:
        axes: A run, or anything with ``gallery`` and ``relevance`` tables.
        direction: ``t2v`` (ids are caption ids) or ``v2t`` (ids are video ids).
        ids: The queries, in the order wanted.

    Returns:
        A table with ``domain`` and ``source_id``, one row per query; null where the corpus states none.
    """
    labels = {column: query_clusters(axes, pd.Index(ids), direction, column) for column in ("domain", "source_id")}
    empty = np.full(len(ids), None, object)
    return pd.DataFrame({column: empty if label is None else label for column, label in labels.items()})


def metrics_with_intervals(both: Mapping[str, RetrievalMetrics], axes: RunAxes, totals_only: bool) -> dict[str, Any]:
    """``metrics.json``: every metric of both directions with its interval, R@K of domains and slices, RSum of both."""
    result, parts = with_intervals(both, axes), slices(axes)
    for direction, metrics in both.items():
        ids = query_ids(axes, direction, metrics)
        domains = query_groups(axes, direction, ids)["domain"]
        hits = {name: 100 * query_values(metrics.values, name) for name in ("r1", "r5", "r10")}
        result[direction]["by"] = {
            "domain": {} if totals_only else _by_part(domains, hits),
            "slice": {name: _by_part(label.reindex(ids), hits) for name, label in parts[direction].items()},
        }
    return result


def _by_part(parts: pd.Series, hits: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    grouped = pd.DataFrame(hits).groupby(parts.to_numpy())
    means, sizes = grouped.mean(), grouped.size()
    return {
        str(part): {**{str(name): float(value) for name, value in row.items()}, "n_queries": int(size)}
        for part, row, size in zip(means.index, means.to_dict("records"), sizes, strict=True)
    }
