"""Human tags: blind samples, agreement of two raters, and relevance corrected by what people found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd

from workbench.analysis.causes.catalogue import CAUSES, TEXT
from workbench.core.errors import DataError
from workbench.core.seeds import generator
from workbench.corpus import relevance_csr
from workbench.evaluation.metrics.retrieval import retrieval_metrics
from workbench.evaluation.runs.run import Run, similarity_of


@dataclass(frozen=True)
class Label:
    """What a person can say of a failed query: its name on screens and what it means."""

    label: str
    sentence: str


LABELS = {
    "false_negative": Label("False negative", "The video that the model put first is right as well."),
    "ambiguous": Label("Ambiguous", "The caption fits several videos, so that nobody could tell which one is meant."),
    "label_wrong": Label("Label wrong", "The caption does not fit the video that counts as right."),
    "confirmed": Label("Cause confirmed", "The computed cause is why the query fails."),
    "scene_text": Label("Scene text", "Text in a video decides this query, and the model got it wrong."),
    "other": Label("Other cause", "The query is fair and fails for another reason."),
}
OPEN = ("false_negative", "ambiguous", "label_wrong", "confirmed", "other")
"""Offered where the computed cause is shown."""
BLIND = ("false_negative", "ambiguous", "label_wrong", "scene_text", "other")
"""Offered in a blind sample; the computed causes fall into the same five."""
_OF_CAUSE = {
    "false_negative": "false_negative", "label_suspect": "label_wrong", "duplicate_caption": "ambiguous",
    "underspecified": "ambiguous", "same_source": "ambiguous", "near_duplicate_video": "ambiguous",
}  # fmt: skip
ITEM_COLUMNS = ["query_id", "domain", "text", "caption_id", "right_video_id", "video_id", "cause", "evidence"]
CUTS = (1, 5, 10)
Z = 1.959963984540054  # two-sided 95 %


def as_label(cause: str) -> str:
    """The label of ``BLIND`` that a computed cause stands for."""
    return _OF_CAUSE.get(cause, "scene_text" if CAUSES[cause].family == TEXT else "other")


def tag_pairs(failed: pd.DataFrame) -> pd.DataFrame:
    """The wrong pair of every failed query: caption_id and video_id that a run put together, index as in ``failed``.

    Args:
        failed: From ``analysis.failures``, of either direction.
    """
    back = failed["top_caption_id"].notna()
    video = failed["top_video_id"].where(~back, failed["right_video_id"])
    return pd.DataFrame({"caption_id": failed["top_caption_id"].where(back, failed["caption_id"]), "video_id": video})


def draw_sample(failed: pd.DataFrame, n: int, seed: int) -> pd.DataFrame:
    """Draw failed queries so that every domain has its share, in a random order.

    Args:
        failed: From ``analysis.failures``.
        n: How many; all of them where there are fewer.
        seed: The same seed draws the same queries.

    Returns:
        query_id, domain, text, caption_id and video_id (the wrong pair), right_video_id, cause, evidence.

    Raises:
        DataError: ``n`` below 1, or no query fails.
    """
    if n < 1 or failed.empty:
        raise DataError(f"{n} of {len(failed)} failures cannot be drawn.", "Ask for one or more of a run that fails.")
    draw = generator(seed, "sample of failures")
    table = failed.assign(**tag_pairs(failed), place=np.arange(len(failed)))
    table["domain"] = table["domain"].fillna("")
    table = table.sort_values("query_id", kind="stable")
    sizes = table["domain"].value_counts().sort_index()
    taken = _shares(sizes.to_numpy(), min(n, len(table)))
    parts = [
        draw.choice(np.flatnonzero((table["domain"] == domain).to_numpy()), size=many, replace=False)
        for domain, many in zip(sizes.index, taken, strict=True)
    ]
    return table.iloc[draw.permutation(np.concatenate(parts))][ITEM_COLUMNS].reset_index(drop=True)


def _shares(sizes: np.ndarray, n: int) -> np.ndarray:
    """``n`` divided by size, by largest remainders; every part has one where there are enough."""
    least = np.minimum(sizes, 1) if n >= len(sizes) else np.zeros_like(sizes)
    exact = (n - least.sum()) * (sizes - least) / max(1, (sizes - least).sum())
    found = np.floor(exact).astype(int)
    rest = n - least.sum() - found.sum()
    found[np.argsort(found - exact, kind="stable")[:rest]] += 1
    return found + least


@dataclass(frozen=True)
class Agreement:
    """How far two raters agree.

    Attributes:
        kappa: Cohen's kappa, -1..1; NaN where both always say one and the same label.
        low: Lower end of its 95 % interval.
        high: Upper end.
        observed: Share of equal labels, 0..1.
        n: Items that both labelled.
        table: Counts, rows = first rater, columns = second.
    """

    kappa: float
    low: float
    high: float
    observed: float
    n: int
    table: pd.DataFrame


def agreement(first: pd.Series, second: pd.Series) -> Agreement:
    """Cohen's kappa of two raters with its interval, over the items (index) that both labelled.

    Args:
        first: Label by item.
        second: Label by item.

    Raises:
        DataError: They share no item.

    Source: Cohen (1960), A Coefficient of Agreement for Nominal Scales; standard error: Fleiss, Cohen and Everitt
    (1969), Large Sample Standard Errors of Kappa and Weighted Kappa, formula 13.
    """
    shared = first.index.intersection(second.index)
    if shared.empty:
        raise DataError("The two raters share no item.", "Let both label the same sample.")
    a, b = first[shared], second[shared]
    names = [one for one in LABELS if one in {*a, *b}]
    counts = pd.crosstab(a.to_numpy(), b.to_numpy()).reindex(index=names, columns=names, fill_value=0)
    p = counts.to_numpy(float) / len(shared)
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, chance = float(np.trace(p)), float(rows @ columns)
    if chance > 1 - 1e-12:
        return Agreement(np.nan, np.nan, np.nan, observed, len(shared), counts)
    kappa = (observed - chance) / (1 - chance)
    same = np.diag(p) @ (1 - (rows + columns) * (1 - kappa)) ** 2
    apart = (1 - kappa) ** 2 * ((p - np.diag(np.diag(p))) * (columns[:, None] + rows[None, :]) ** 2).sum()
    variance = (same + apart - (kappa - chance * (1 - kappa)) ** 2) / (len(shared) * (1 - chance) ** 2)
    half = Z * sqrt(max(0.0, variance))
    return Agreement(kappa, max(-1.0, kappa - half), min(1.0, kappa + half), observed, len(shared), counts)


def false_negatives(tags: pd.DataFrame) -> pd.DataFrame:
    """Pairs that more people call a false negative than not: caption_id, video_id, annotators (joined by commas).

    Args:
        tags: From ``evaluation.runs.notes.read_tags``.
    """
    latest = tags.drop_duplicates(["annotator", "caption_id", "video_id"], keep="last")
    said = latest.assign(yes=latest["label"] == "false_negative")
    share = said.groupby(["caption_id", "video_id"], sort=False)["yes"].mean().rename("share")
    names = said[said["yes"]].groupby(["caption_id", "video_id"], sort=False)["annotator"].agg(", ".join)
    found = pd.concat([share, names.rename("annotators")], axis=1).reset_index()
    return found.loc[found["share"] > 0.5, ["caption_id", "video_id", "annotators"]].reset_index(drop=True)


def corrected(run: Run, tags: pd.DataFrame) -> pd.DataFrame:
    """The relevance of a run in which false negatives count as right; official pairs all stay.

    Args:
        run: The run.
        tags: From ``evaluation.runs.notes.read_tags``.

    Returns:
        Columns of ``run.relevance``, the new pairs below (grade 1, annotator = who said so).
    """
    official = run.relevance
    found = false_negatives(tags)
    mine = found["caption_id"].isin(run.queries["caption_id"]) & found["video_id"].isin(run.gallery["video_id"])
    known = pd.MultiIndex.from_frame(official[["caption_id", "video_id"]])
    fresh = mine.to_numpy(bool) & ~pd.MultiIndex.from_frame(found[["caption_id", "video_id"]]).isin(known)
    if not fresh.any():
        return official
    more = found[fresh].rename(columns={"annotators": "annotator"}).assign(grade=1)
    more = more.reindex(columns=official.columns).astype(official.dtypes.to_dict())
    return pd.concat([official, more], ignore_index=True)


def corrected_metrics(run: Run, tags: pd.DataFrame, cuts: Sequence[int] = CUTS) -> pd.DataFrame:
    """R@K by official and by corrected relevance, side by side.

    Args:
        run: A run that keeps its similarity.
        tags: From ``evaluation.runs.notes.read_tags``.
        cuts: The K.

    Returns:
        relevance (``official`` or ``corrected by tags``), n_added (pairs), and for each direction and K a column such
        as ``t2v_r1``, percent.

    Raises:
        StateError: The run keeps no similarity.
    """
    scores, level = similarity_of(run), run.info.get("v2t_level") or "auto"
    tables = {"official": run.relevance, "corrected by tags": corrected(run, tags)}
    rows = []
    for name, table in tables.items():
        right = relevance_csr(table, run.queries["caption_id"], run.gallery["video_id"])
        both = retrieval_metrics(scores, right, direction="both", v2t=level)
        numbers = {f"{way}_r{k}": one.recall(k) for way, one in both.items() for k in cuts}
        rows.append({"relevance": name, "n_added": len(table) - len(run.relevance), **numbers})
    return pd.DataFrame(rows)
