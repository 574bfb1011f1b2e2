"""The domains of a corpus in one table: how large each is, how much a run gets wrong in it and why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.corpus import Corpus, domain_label
from workbench.corpus.text import NONE_STATED
from workbench.evaluation.metrics.scene_text import scene_text_queries

ALL = NONE_STATED
"""The one domain of a corpus that states fewer than two, and of videos that state none."""
WITH_TEXT = ("text", "both")
"""Types of queries that need scene text."""


def domains_of(corpus: Corpus) -> pd.Series:
    """The domain of every video; all are ``ALL`` where fewer than two domains are stated."""
    stated = corpus.videos["domain"].fillna(ALL).astype(str)
    return stated if stated.nunique() > 1 else pd.Series(ALL, index=stated.index, dtype="str")


def domain_overview(corpus: Corpus, failed: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per domain, most failed queries first.

    Args:
        corpus: The corpus, whole or one split; with or without captions.
        failed: From ``analysis.failures`` of a run on it; None = there is no run.

    Returns:
        domain, label, n_videos, n_captions, n_sources (null = not stated), scene_text (share 0..1 of captions that
        need scene text: by ``query_type`` where the corpus states it, else by ``scene-text-query v1``; NaN = not
        defined), n_failed, cause (most frequent primary one, or null).
    """
    domains = domains_of(corpus)
    of_caption = _domain_of(corpus, domains, corpus.captions["video_id"])
    needs = _needs_text(corpus.captions)
    videos = corpus.videos.groupby(domains.to_numpy(), sort=True)
    table = pd.DataFrame({"n_videos": videos.size()})
    stated = corpus.videos["source_id"].notna().any()
    alone = corpus.videos["source_id"].fillna(corpus.videos["video_id"])  # a video without one is its own source
    table["n_sources"] = alone.groupby(domains.to_numpy(), sort=True).nunique() if stated else np.nan
    table["n_captions"] = pd.Series(of_caption).value_counts().reindex(table.index, fill_value=0)
    table["scene_text"] = needs.groupby(of_caption).mean().reindex(table.index)
    table["n_failed"], table["cause"] = 0, None
    if failed is not None:
        of_failed = failed["domain"].fillna(ALL).to_numpy(dtype=object) if len(table) > 1 else np.full(len(failed), ALL)
        causes = failed["cause"].groupby(of_failed)
        table["n_failed"] = causes.size().reindex(table.index, fill_value=0)
        table["cause"] = causes.agg(lambda one: one.value_counts().index[0]).reindex(table.index)
    table = table.rename_axis("domain").reset_index()
    table["label"] = [domain_label(one) for one in table["domain"]] if len(table) > 1 else "All videos"
    return table.sort_values(["n_failed", "label"], ascending=[False, True], kind="stable").reset_index(drop=True)


def _needs_text(captions: pd.DataFrame) -> pd.Series:
    """1 or 0 per caption: whether its right video is found by its text; NaN = undefined."""
    kinds = captions["query_type"]
    if kinds.notna().any():
        return kinds.isin(WITH_TEXT).astype(float).where(kinds.notna())
    return scene_text_queries(captions).astype("Float64").astype(float).reset_index(drop=True)


def _domain_of(corpus: Corpus, domains: pd.Series, videos: pd.Series) -> np.ndarray:
    of_video = pd.Series(domains.to_numpy(dtype=object), index=corpus.videos["video_id"])
    return of_video.reindex(videos).fillna(ALL).to_numpy(dtype=object)
