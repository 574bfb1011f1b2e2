"""Human tags: what can be said of a failed query, blind samples, and relevance corrected by what people found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from workbench.analysis.causes.catalogue import CAUSES, TEXT
from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.core.seeds import generator
from workbench.corpus import relevance_csr
from workbench.evaluation.metrics.draws import hit_values
from workbench.evaluation.ranks.bounds import count_both
from workbench.evaluation.ranks.relevance import check_relevance
from workbench.evaluation.runs.notes import CONFIRMED
from workbench.evaluation.runs.run import Run, similarity_of


@dataclass(frozen=True)
class Label:
    """What a person can say of a failed query.

    Attributes:
        label: Its name on screens.
        sentence: What it means where the query is a caption (t2v).
        back: What it means where the query is a video (v2t); empty = the same.
    """

    label: str
    sentence: str
    back: str = ""

    def said(self, direction: str) -> str:
        """What it means in a direction."""
        return self.back if direction == "v2t" and self.back else self.sentence


LABELS = {
    "false_negative": Label(
        "False negative",
        "The video that the model put first is right as well.",
        "The caption that the model put first fits the video as well.",
    ),
    "ambiguous": Label(
        "Ambiguous",
        "The caption fits several videos, so that nobody could tell which one is meant.",
        "Nobody could tell which caption is meant: the right one fits other videos too.",
    ),
    "label_wrong": Label(
        "Label wrong",
        "The caption does not fit the video that counts as right.",
        "The caption that counts as right does not fit the video.",
    ),
    "confirmed": Label("Cause confirmed", "The computed cause is why the query fails."),
    "scene_text": Label("Scene text", "Text in a video decides this query, and the model got it wrong."),
    "other": Label("Other cause", "The query is fair and fails for another reason."),
}
OPEN = ("false_negative", "ambiguous", "label_wrong", "confirmed", "other")
"""Offered where the computed cause is shown."""
BLIND = ("false_negative", "ambiguous", "label_wrong", "scene_text", "other")
"""Offered in a blind sample; the computed causes fall into the same five."""
OTHER = "other"
"""The label of who says something else in their own words."""
NAMED = tuple(one for one in CAUSES if one != "unexplained")
"""The causes that a person can name."""
_OF_CAUSE = {
    "false_negative": "false_negative", "label_suspect": "label_wrong", "duplicate_caption": "ambiguous",
    "underspecified": "ambiguous", "same_source": "ambiguous", "near_duplicate_video": "ambiguous",
}  # fmt: skip
ITEM_COLUMNS = [
    "query_id", "domain", "text", "other_text", "caption_id", "right_video_id", "video_id", "cause", "evidence"
]  # fmt: skip
CUTS = (1, 5, 10)
STANDING = {
    "fits": "corpus and run are as they were",
    "corpus changed": "captions or videos of its split are others now: it counts nowhere until it is given again",
    "run made again": "another run of that name stands there now: its computed cause may be another one",
    "run is gone": "its run is no longer here: its computed cause stays as it was",
    "not stated": "given in an earlier version, which did not keep what it was made with",
}
"""What a tag still fits (``standing``), and what follows."""


def as_label(cause: str) -> str:
    """The label of ``BLIND`` that a computed cause stands for."""
    return _OF_CAUSE.get(cause, "scene_text" if CAUSES[cause].family == TEXT else "other")


def label_for(named: str, computed: str, offered: Sequence[str]) -> str:
    """The label that naming a cause gives: ``confirmed`` for the computed one, else what that cause stands for.

    Args:
        named: The cause that a person names.
        computed: The computed one; empty where it is not shown.
        offered: The labels of ``OPEN`` or ``BLIND``.

    Raises:
        UnknownNameError: No cause is called so.
    """
    pick(CAUSES, named, "cause")
    if named == computed and CONFIRMED in offered:
        return CONFIRMED
    label = as_label(named)
    return label if label in offered else "other"


def tag_pairs(failed: pd.DataFrame) -> pd.DataFrame:
    """The wrong pair of every failed query: caption_id and video_id that a run put together, index as in ``failed``.

    A query that was not scored has no wrong pair; its right one stands there.

    Args:
        failed: From ``analysis.failures``, of either direction.
    """
    back = failed["top_caption_id"].notna()
    video = failed["top_video_id"].where(~back, failed["right_video_id"]).fillna(failed["right_video_id"])
    return pd.DataFrame({"caption_id": failed["top_caption_id"].where(back, failed["caption_id"]), "video_id": video})


def fitting(tags: pd.DataFrame, fingerprints: Mapping[str, str]) -> pd.Series:
    """Whether each tag was given on the captions and videos as they are now; tags that do not say so count as fitting.

    Args:
        tags: From ``evaluation.runs.notes.read_tags``.
        fingerprints: Of every split, as in ``corpus.meta``.
    """
    now = tags["split"].map(lambda split: fingerprints.get(split, "gone"))
    return (tags["fingerprint"] == "") | (tags["fingerprint"] == now)


def standing(tags: pd.DataFrame, fingerprints: Mapping[str, str], created: Mapping[str, str]) -> pd.Series:
    """What each tag fits, in words: ``STANDING``.

    Args:
        tags: From ``evaluation.runs.notes.read_tags``.
        fingerprints: Of every split.
        created: When each run of the workspace was made, by name.
    """
    run = tags["run"].map(lambda name: created.get(name, ""))
    cases = [tags["fingerprint"] == "", ~fitting(tags, fingerprints), run == "", run != tags["run_created"]]
    return pd.Series(np.select(cases, ["not stated", "corpus changed", "run is gone", "run made again"], "fits"),
                     tags.index, dtype="str")  # fmt: skip


def draw_sample(failed: pd.DataFrame, n: int, seed: int, texts: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Draw failed queries so that every domain has its share, in a random order.

    Args:
        failed: From ``analysis.failures``.
        n: How many; all of them where there are fewer.
        seed: The same seed draws the same queries.
        texts: Text by caption_id, for the wrong captions of v2t.

    Returns:
        query_id, domain, text (the query; v2t: its best right caption), other_text (v2t: the wrong caption; else null),
        caption_id and video_id (the wrong pair), right_video_id, cause, evidence.

    Raises:
        DataError: ``n`` below 1, or no query fails.
    """
    if n < 1 or failed.empty:
        raise DataError(f"{n} of {len(failed)} failures cannot be drawn.", "Ask for one or more of a run that fails.")
    draw = generator(seed, "sample of failures")
    table = failed.assign(**tag_pairs(failed), place=np.arange(len(failed)))
    table["domain"] = table["domain"].fillna("")
    table["other_text"] = [None if pd.isna(one) else (texts or {}).get(one) for one in table["top_caption_id"]]
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


def told_tags(tags: pd.DataFrame) -> dict[str, str]:
    """What was said of each query, by whom, in words."""
    columns = (tags[name] for name in ("label", "annotator", "cause", "named_cause"))
    said = [
        f"{LABELS[label].label}{f': {CAUSES[named].label}' if named in CAUSES and named != cause else ''} ({who})"
        for label, who, cause, named in zip(*columns, strict=True)
    ]
    told: dict[str, list[str]] = {}
    for query, one in zip(tags["query_id"], said, strict=True):
        told.setdefault(query, []).append(one)
    return {query: ", ".join(all_said) for query, all_said in told.items()}


def false_negatives(tags: pd.DataFrame) -> pd.DataFrame:
    """Pairs that more people call a false negative than not: caption_id, video_id, annotators (joined by commas).

    To name ``false_negative`` as the cause, or to confirm it, says the same as the label.

    Args:
        tags: From ``evaluation.runs.notes.read_tags``.
    """
    latest = tags.drop_duplicates(["annotator", "caption_id", "video_id"], keep="last")
    said = latest.assign(yes=(latest["label"] == "false_negative") | (latest["named_cause"] == "false_negative"))
    share = said.groupby(["caption_id", "video_id"], sort=False)["yes"].mean().rename("share")
    names = said[said["yes"]].groupby(["caption_id", "video_id"], sort=False)["annotator"].agg(", ".join)
    found = pd.concat([share, names.rename("annotators")], axis=1).reset_index()
    return found.loc[found["share"] > 0.5, ["caption_id", "video_id", "annotators"]].reset_index(drop=True)


def corrected(run: Run, tags: pd.DataFrame) -> pd.DataFrame:
    """The relevance of a run in which false negatives count as right; official pairs all stay.

    Args:
        run: The run.
        tags: From ``evaluation.runs.notes.read_tags``; those given on other captions or videos do not count.

    Returns:
        Columns of ``run.relevance``, the new pairs below (grade 1, annotator = who said so).
    """
    official = run.relevance
    found = false_negatives(tags[fitting(tags, {run.split: run.fingerprint})])
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

    Where the captions of a video are ranked as one group (v2t), the official pairs say which they are.

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
    official = check_relevance(run.relevance_matrix, (scores.shape[0], scores.shape[1]))
    for name, table in tables.items():
        right = relevance_csr(table, run.queries["caption_id"], run.gallery["video_id"])
        pairs = replace(check_relevance(right, official.shape), official=official)
        both = count_both(scores, pairs, official.level(level))
        numbers = {f"{way}_r{k}": 100 * float(hit_values(one, k).mean()) for way, one in both.items() for k in cuts}
        rows.append({"relevance": name, "n_added": len(table) - len(run.relevance), **numbers})
    return pd.DataFrame(rows)
