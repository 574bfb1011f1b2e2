"""Metrics of parts of the queries, with intervals that know how few independent sources a part has."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.lookup import pick
from workbench.core.words import counted
from workbench.corpus import Corpus, domain_label, open_corpus
from workbench.corpus.text import with_unstated
from workbench.evaluation.metrics.measures import METRICS, metric_value, query_values
from workbench.evaluation.metrics.scene_text import (
    OCR_V1,
    SLICES,
    labels,
    scene_text_queries,
    scene_text_queries_ocr,
    scene_text_videos,
)
from workbench.evaluation.runs.corpora import corpus_of_run
from workbench.evaluation.runs.run import Run, open_run
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.paired import clustered_interval, design_effect, wilson
from workbench.evaluation.statistics.sides import query_table

FEW_SOURCES = 20
MOST_SLICES = 12
NO_SLICES = ("caption_id", "video_id", "text", "pair_id", "split")
COLUMNS = ["slice", "label", "n_queries", "n_sources", "value", "low", "high", "note"]


def by_domain(run: Run | str, metric: str = "r1", direction: str = "t2v") -> pd.DataFrame:
    """One metric per domain.

    Recalls have Wilson intervals on the effective sample (clustered by source video), other metrics the clustered
    bootstrap; a domain of fewer than 20 sources says so.

    Args:
        run: The run.
        metric: ``r1``, ``r5``, ``r10``, ``mrr``, ``mean_rank``, ...; recalls in percent.
        direction: ``t2v`` or ``v2t``.

    Returns:
        domain (``NONE_STATED`` = of videos that state none), label, n_queries, n_sources (null = not stated), value,
        low, high, note; largest domain first.

    Raises:
        StateError: The run's corpus states no domains, or the run holds totals only.
        UnknownNameError: Unknown metric or direction.
    """
    run = open_run(run)
    table, groups = _queries(run, direction, metric)
    if groups["domain"].isna().all():
        raise StateError(
            f"The corpus of run {run.name} states no domains.",
            "Prepare it from annotations that have a domain or category column.",
        )
    found = _parts(table, groups, _masks(with_unstated(groups["domain"])), metric).rename(columns={"slice": "domain"})
    found["label"] = found["domain"].map(domain_label)
    return _largest_first(found)


def by_slice(
    run: Run | str,
    slices: Mapping[str, np.ndarray] | str,
    metric: str = "r1",
    direction: str = "t2v",
    corpus: Corpus | str | None = None,
) -> pd.DataFrame:
    """One metric per named part of the queries.

    Args:
        run: The run.
        slices: bool [queries] by name, in the order of ``run.per(direction)``, parts may overlap; or a column of the
            corpus' captions, such as ``query_type``, whose values are the parts (t2v only); or ``scene_text_query`` or
            ``scene_text_query_ocr``, the definitions of ``evaluation.metrics.scene_text``.
        metric: As for ``by_domain``.
        direction: ``t2v`` or ``v2t``.
        corpus: The run's corpus, for a column; None = find it.

    Returns:
        As ``by_domain``, with ``slice`` for ``domain``; the parts of a column are sorted by size, those of masks are in
        their order.

    Raises:
        DataError: A mask of another length, or a corpus that the run was not made on.
        StateError: The corpus is not at hand or states nothing in that column, a column for v2t, or no text was read.
        UnknownNameError: Its captions have no such column.
    """
    run = open_run(run)
    table, groups = _queries(run, direction, metric)
    if isinstance(slices, str):
        values = slice_values(run, slices, direction, corpus).reindex(table["id"])
        return _largest_first(_parts(table, groups, _masks(values), metric))
    for name, mask in slices.items():
        if np.shape(mask) != (len(table),) or np.asarray(mask).dtype != bool:
            raise DataError(f"Slice {name!r} is no yes/no per query ({len(table)}).", "Give one bool per query.")
    return _parts(table, groups, {name: np.asarray(mask) for name, mask in slices.items()}, metric)


def slice_columns(corpus: Corpus | str) -> list[str]:
    """What divides the captions into a few parts (2 to 12), for ``by_slice``: columns, and scene-text queries.

    Scene-text queries by definition stand in where the corpus itself states no ``query_type``.
    """
    corpus = open_corpus(corpus)
    names = [name for name in corpus.captions.columns if name not in NO_SLICES]
    found = [name for name in names if 2 <= corpus.captions[name].nunique() <= MOST_SLICES]
    if corpus.captions["query_type"].isna().all() and scene_text_queries(corpus.captions).nunique() == 2:
        found.append("scene_text_query")
    return found


def slice_values(run: Run, name: str, direction: str, corpus: Corpus | str | None = None) -> pd.Series:
    """The part of every query by its id: a column of the corpus' captions, or what scene-text queries are.

    Args:
        run: The run.
        name: Of the column, or ``scene_text_query`` or ``scene_text_query_ocr``.
        direction: ``t2v``; ``v2t`` for scene-text queries only.
        corpus: The run's corpus; None = find it.

    Raises:
        DataError: A corpus that the run was not made on.
        StateError: The corpus is not at hand or states nothing there, a column for v2t, or no text was read.
        UnknownNameError: Its captions have no such column.
    """
    if name in SLICES:
        queries = _scene_text(run, SLICES[name], corpus)
        return labels(queries if direction == "t2v" else scene_text_videos(queries, run.relevance))
    if direction != "t2v":
        raise StateError(
            f"The queries of {direction} are videos; {name} is said of captions.", "Ask for the direction t2v."
        )
    found = _corpus(run, corpus)
    captions = found.captions.set_index("caption_id")
    pick({one: one for one in [*captions.columns, *SLICES]}, name, "column of captions")
    if captions[name].isna().all():
        raise StateError(f"The captions of {found.name} state no {name}.", "Prepare it from annotations that do.")
    return captions[name]


def _scene_text(run: Run, definition: str, corpus: Corpus | str | None) -> pd.Series:
    if definition == OCR_V1:
        return scene_text_queries_ocr(_corpus(run, corpus))
    return scene_text_queries(run.queries)


def _corpus(run: Run, corpus: Corpus | str | None) -> Corpus:
    found, why = corpus_of_run(run, corpus)
    if found is None:
        raise StateError(why, "Prepare the corpus that the run was made on.")
    return found


def _masks(values: pd.Series) -> dict[str, np.ndarray]:
    """A mask for each value that occurs."""
    return {str(value): (values == value).fillna(False).to_numpy(bool) for value in values.dropna().unique()}


def _largest_first(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values("n_queries", ascending=False, kind="stable").reset_index(drop=True)


def _queries(run: Run, direction: str, metric: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids to look at its parts.")
    table = query_table(run, direction, metric)
    return table, query_groups(run, direction, table["id"].to_numpy())


def _parts(table: pd.DataFrame, groups: pd.DataFrame, masks: Mapping[str, np.ndarray], metric: str) -> pd.DataFrame:
    values = query_values(table, metric)
    rows = [_part(name, values[mask], groups["source_id"][mask], metric) for name, mask in masks.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _part(name: str, values: np.ndarray, sources: pd.Series, metric: str) -> dict[str, object]:
    scale = METRICS[metric].scale
    known = len(sources) > 0 and bool(sources.notna().all())
    n_sources = int(sources.nunique()) if known else None
    note = "" if known else "sources unknown: not clustered"
    if n_sources is not None and n_sources < FEW_SOURCES:
        note = f"only {counted(n_sources, 'source')}: do not rank models on it"
    row = {"slice": name, "label": name, "n_queries": len(values), "n_sources": n_sources, "note": note}
    if not len(values):
        return {**row, "value": np.nan, "low": np.nan, "high": np.nan, "note": "no query"}
    clusters = sources.to_numpy() if known else np.arange(len(values))
    if metric.startswith("r") and metric[1:].isdigit():
        low, high = wilson(float(values.sum()), len(values), design_effect(values, clusters))
    else:
        low, high = clustered_interval(values, clusters, METRICS[metric].statistic)
    return {**row, "value": metric_value(values, metric), "low": scale * low, "high": scale * high}
