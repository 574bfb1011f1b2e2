"""Every failed query with its causes: what triggered each, and which one comes first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis.causes import CAUSES
from workbench.analysis.structure import column_correlations
from workbench.core.errors import DataError, StateError
from workbench.corpus import domain_label, normalise_caption
from workbench.evaluation.runs import Run
from workbench.evaluation.saving import query_groups
from workbench.evaluation.statistics import k_occurrence

COLUMNS = [
    "query_id", "caption_id", "text", "domain", "source_id", "rank", "right_video_id", "top_video_id", "top_caption_id",
    "top_domain", "margin", "cause", "causes", "evidence",
]  # fmt: skip


@dataclass(frozen=True)
class _Case:
    """Columns of one direction, one entry per failed query; indices are positions in gallery and queries."""

    run: Run
    table: pd.DataFrame
    right_video: np.ndarray
    top_video: np.ndarray
    right_caption: np.ndarray
    top_caption: np.ndarray
    top_lists: pd.Series
    direction: str


def failures(
    run: Run,
    *,
    k: int = 1,
    direction: str = "t2v",
    hub_sd: float = 3.0,
    hub_share: float = 2.0,
    near_duplicate: float = 0.95,
) -> pd.DataFrame:
    """Queries whose expected rank is greater than ``k``, with computed causes.

    Args:
        run: A run with its similarity.
        k: A query fails when its rank is greater.
        direction: ``t2v`` (queries are captions) or ``v2t`` (videos).
        hub_sd: An item is a hub when its 10-occurrence exceeds mean + ``hub_sd`` standard deviations ...
        hub_share: ... and ``hub_share`` times 10.
        near_duplicate: Two videos are near duplicates when their columns of scores correlate at least so much.

    Returns:
        query_id, caption_id, text, domain, source_id, rank, right_video_id, top_video_id (best wrong), top_caption_id
        (v2t: the best wrong caption, else null), top_domain, margin (score of the right item minus that of the best
        wrong one), cause (primary), causes (all, in the order of ``CAUSES``), evidence (a sentence); worst rank first.

    Raises:
        StateError: The run holds totals only.
        DataError: ``k`` below 1.

    Source of the taxonomy: ``docs/design.md`` 4.3; hubs by k-occurrence: Radovanovic et al., JMLR 2010.
    """
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids to see its failures.")
    if k < 1:
        raise DataError(f"k is {k}; ranks start at 1.", "Give k = 1 or more.")
    case = _case(run, direction, k)
    found = {
        "duplicate_caption": _duplicate_caption(case),
        "same_source": _same_source(case),
        "near_duplicate_video": _near_duplicate(case, near_duplicate),
        "tied": _tied(case),
        "hub": _hub(case, hub_sd, hub_share),
        "anti_hub": _anti_hub(case),
        "cross_domain": _cross_domain(case),
    }
    return _assemble(case, found)


Found = tuple[np.ndarray, Callable[[int], str]]
"""Whether a cause holds for each failed query, and its evidence for the i-th."""


def _case(run: Run, direction: str, k: int) -> _Case:
    table = run.per(direction)
    rank = run.rank(direction)
    failed = np.flatnonzero(rank > k)
    failed = failed[np.argsort(-rank[failed], kind="stable")]
    relevance = run.relevance_matrix
    queries = pd.Series(np.arange(len(run.queries)), index=run.queries["caption_id"])
    videos = pd.Series(np.arange(len(run.gallery)), index=run.gallery["video_id"])
    chosen = table.iloc[failed].reset_index(drop=True).assign(rank=rank[failed])
    item = (queries if direction == "t2v" else videos).reindex(chosen["id"]).to_numpy(int)
    right_of = (relevance if direction == "t2v" else relevance.T.tocsr())[item]
    spans = zip(right_of.indptr, right_of.indptr[1:], strict=False)
    right = np.asarray([right_of.indices[a:b].min() if b > a else -1 for a, b in spans], dtype=int)
    top = np.full(len(chosen), -1)
    for i, columns in enumerate(chosen["top_columns"]):
        rights = set(right_of.indices[right_of.indptr[i] : right_of.indptr[i + 1]].tolist())
        top[i] = next((column for column in columns if column not in rights), -1)
    owner = videos.reindex(_first_video(run)).to_numpy(dtype=float, na_value=-1).astype(int)
    if direction == "t2v":
        return _Case(run, chosen, right, top, item, np.full(len(top), -1), table["top_columns"], direction)
    top_video = np.where(top >= 0, owner[top], -1)
    return _Case(run, chosen, item, top_video, right, top, table["top_columns"], direction)


def _first_video(run: Run) -> np.ndarray:
    right = run.relevance[run.relevance["grade"] > 0].drop_duplicates("caption_id").set_index("caption_id")["video_id"]
    return right.reindex(run.queries["caption_id"]).to_numpy()


def _column(case: _Case, name: str, positions: np.ndarray) -> np.ndarray:
    values = case.run.gallery[name].to_numpy(dtype=object)
    return np.where(positions >= 0, values[positions], np.array(None, object))


def _duplicate_caption(case: _Case) -> Found:
    texts = case.run.queries["text"].map(normalise_caption)
    video = _first_video(case.run)
    distinct = pd.Series(video).groupby(texts.to_numpy()).transform("nunique").to_numpy()
    times = texts.groupby(texts).transform("size").to_numpy()
    holds = (distinct > 1)[case.right_caption] & (case.right_caption >= 0)
    return holds, lambda i: f"its words stand in {times[case.right_caption[i]]} captions with different right videos"


def _same_source(case: _Case) -> Found:
    right, top = (_column(case, "source_id", at) for at in (case.right_video, case.top_video))
    known = pd.notna(right) & pd.notna(top) & (case.right_video != case.top_video)
    return known & (right == top), lambda i: f"right video and top-1 come from the recording {right[i]}"


def _near_duplicate(case: _Case, threshold: float) -> Found:
    known = (case.right_video >= 0) & (case.top_video >= 0) & (case.right_video != case.top_video)
    value = np.full(len(known), np.nan)
    if case.run.similarity is not None and known.any():
        value[known] = column_correlations(case.run.similarity, case.right_video[known], case.top_video[known])
    return np.nan_to_num(
        value, nan=-1
    ) >= threshold, lambda i: f"all queries score the top-1 and the right video alike (correlation {value[i]:.3f})"


def _tied(case: _Case) -> Found:
    tied = case.table["n_tied"].to_numpy()
    return tied > 0, lambda i: f"{tied[i]} wrong items have exactly the score of the right one"


def _hub(case: _Case, hub_sd: float, hub_share: float) -> Found:
    counts = k_occurrence(case.top_lists.to_list(), _n_items(case))
    limit = max(counts.mean() + hub_sd * counts.std(), hub_share * 10)
    top = case.top_video if case.direction == "t2v" else case.top_caption
    times = np.where(top >= 0, counts[top], 0)
    return (
        times > limit,
        lambda i: f"the top-1 stands among the first 10 of {times[i]} queries (mean {counts.mean():.1f})",
    )


def _anti_hub(case: _Case) -> Found:
    counts = k_occurrence(case.top_lists.to_list(), _n_items(case))
    right = case.right_video if case.direction == "t2v" else case.right_caption
    none = (right >= 0) & (counts[right] == 0)
    return none, lambda i: "the right item stands among the first 10 of no query"


def _n_items(case: _Case) -> int:
    return len(case.run.gallery if case.direction == "t2v" else case.run.queries)


def _cross_domain(case: _Case) -> Found:
    right, top = (_column(case, "domain", at) for at in (case.right_video, case.top_video))
    other = pd.notna(right) & pd.notna(top) & (right != top)
    return other, lambda i: f"the right video is {domain_label(str(right[i]))}, the top-1 {domain_label(str(top[i]))}"


def _assemble(case: _Case, found: dict[str, Found]) -> pd.DataFrame:
    ordered = [(cause, *found[cause]) for cause in CAUSES if cause in found]
    causes, evidence = [], []
    for i in range(len(case.table)):
        held = [(cause, why) for cause, holds, why in ordered if holds[i]]
        causes.append([cause for cause, _ in held] or ["unexplained"])
        sentences = [why(i) for _, why in held] or ["none of the causes that can be computed here holds"]
        evidence.append("; ".join(sentences).capitalize() if not held else _upper("; ".join(sentences)))
    run, table = case.run, case.table
    queries = run.queries
    groups = query_groups(run, case.direction, table["id"].to_numpy())

    def caption(column: str, at: np.ndarray) -> np.ndarray:
        return np.where(at >= 0, queries[column].to_numpy(dtype=object)[at], np.array(None, object))

    best_wrong = _best_wrong_score(case)
    return pd.DataFrame({
        "query_id": table["id"], "caption_id": caption("caption_id", case.right_caption),
        "text": caption("text", case.right_caption), "domain": groups["domain"], "source_id": groups["source_id"],
        "rank": table["rank"], "right_video_id": _column(case, "video_id", case.right_video),
        "top_video_id": _column(case, "video_id", case.top_video),
        "top_caption_id": caption("caption_id", case.top_caption),
        "top_domain": _column(case, "domain", case.top_video), "margin": table["score_right"] - best_wrong,
        "cause": pd.Series([one[0] for one in causes], dtype="str"), "causes": causes,
        "evidence": pd.Series(evidence, dtype="str"),
    }, columns=COLUMNS)  # fmt: skip


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _best_wrong_score(case: _Case) -> np.ndarray:
    wanted = case.top_video if case.direction == "t2v" else case.top_caption
    pairs = zip(case.table["top_columns"], case.table["top_scores"], wanted, strict=True)
    return np.asarray(
        [next((s for c, s in zip(cs, ss, strict=True) if c == w), np.nan) for cs, ss, w in pairs], dtype=float
    )
