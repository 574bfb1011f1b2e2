"""How unevenly a gallery is retrieved: hubs stand in many lists, anti-hubs in none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.evaluation.ranks.tops import TOP
from workbench.evaluation.runs.run import Run
from workbench.evaluation.statistics.paired import k_occurrence

HUB_SIZE = 2.0  # a hub stands in so many times the mean number of lists
SHARES = {
    "skewness": "skewness of N_k", "hub_share": "hubs among the videos", "hub_places": "places that hubs hold",
    "anti_hub_share": "anti-hubs: in no list", "robin_hood": "Robin Hood index",
}  # fmt: skip
"""Numbers of ``Hubness`` that say how uneven a gallery is, with what each is; the lower, the more even."""


@dataclass(frozen=True)
class Hubness:
    """How unevenly the gallery is retrieved (t2v). Videos that were not scored are left out of every share.

    Attributes:
        counts: int64 [videos]: in how many queries' first k each video stands; 0 for those not scored.
        scored: bool [videos]: whether the run scored the video.
        skewness: Of the counts of scored videos; near 0 for a fair gallery, above 1 hubs are strong.
        hub_share: Share of videos that are hubs: in at least ``HUB_SIZE`` times the mean number of lists, 0..1.
        hub_places: Share of all places that hubs hold, 0..1.
        anti_hub_share: Share of videos that stand in no list, 0..1.
        robin_hood: Share of all places that would have to move for an even spread, 0..1.
        top: video_id, domain, count, n_wrong (queries in whose list it stands though it is wrong), n_taken (queries
            that have it at rank 1 though it is wrong), times_its_share (count over the mean), is_hub; most frequent
            first.
        k: Length of the lists.
    """

    counts: np.ndarray
    scored: np.ndarray
    skewness: float
    hub_share: float
    hub_places: float
    anti_hub_share: float
    robin_hood: float
    top: pd.DataFrame
    k: int


def hubness(run: Run, k: int = 10, n_top: int = 20) -> Hubness:
    """Hubs of a run: k-occurrence with its skewness, hubs, anti-hubs and the Robin Hood index.

    Equal scores stand in the lists by position in the gallery. Sources: k-occurrence and its skewness, Radovanovic,
    Nanopoulos and Ivanovic, JMLR 2010; Robin Hood index, Feldbauer et al., ICBK 2018; hub size, Feldbauer, Rattei and
    Flexer, JOSS 2020.

    Args:
        run: A run.
        k: Length of the lists, 1 to 100 (so many are kept).
        n_top: Rows of the table of hubs.

    Raises:
        DataError: k below 1 or above what a run keeps.
    """
    check_k(k)
    per_query = run.per("t2v")
    counts = k_occurrence(per_query["top_columns"].to_list(), len(run.gallery), k)
    scored = (run.gallery["state"] == "scored").to_numpy()
    hub, mean = hubs_of(counts, scored), counts[scored].mean()
    best = np.argsort(-counts, kind="stable")[:n_top]
    top = run.gallery.iloc[best][["video_id", "domain"]].reset_index(drop=True)
    taken = k_occurrence(per_query["top_columns"].to_list(), len(run.gallery), 1)[best]
    top = top.assign(
        count=counts[best], n_wrong=counts[best] - _right_counts(run, per_query, best, k),
        n_taken=taken - _right_counts(run, per_query, best, 1), times_its_share=counts[best] / (mean or 1.0),
        is_hub=hub[best],
    )  # fmt: skip
    return Hubness(counts=counts, scored=scored, top=top, k=k, **unevenness(counts, scored))


def check_k(k: int) -> int:
    """The length of lists, if runs keep lists so long.

    Raises:
        DataError: It is below 1 or above what a run keeps.
    """
    if not 1 <= k <= TOP:
        raise DataError(f"k is {k}; runs keep the first {TOP} of each list.", f"Choose 1 to {TOP}.")
    return k


def hubs_of(counts: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """bool [videos]: which of them are hubs, by their k-occurrence."""
    return scored & (counts >= HUB_SIZE * counts[scored].mean()) & (counts > 0)


def unevenness(counts: np.ndarray, scored: np.ndarray) -> dict[str, float]:
    """The numbers of ``SHARES`` of a k-occurrence."""
    own, hub = counts[scored].astype(float), hubs_of(counts, scored)
    total = max(own.sum(), 1.0)
    return {
        "skewness": float(stats.skew(own)) if own.std() > 0 else 0.0,
        "hub_share": float(hub.sum() / scored.sum()),
        "hub_places": float(counts[hub].sum() / total),
        "anti_hub_share": float((own == 0).mean()),
        "robin_hood": float(np.abs(own - own.mean()).sum() / (2 * total)),
    }


def taken_queries(run: Run, video_id: str, k: int = 10) -> pd.DataFrame:
    """The captions in whose first k a video stands though it is wrong for them.

    Args:
        run: A run.
        video_id: The video, e.g. a hub.
        k: Length of the lists, 1 to 100.

    Returns:
        query_id, text, place (of this video in the list, from 1), rank (of the right video); lowest place first.

    Raises:
        UnknownNameError: The run has no such video.
        DataError: k below 1 or above what a run keeps.
    """
    check_k(k)
    column = pick(dict(zip(run.gallery["video_id"], range(len(run.gallery)), strict=True)), video_id, "video")
    table = run.per("t2v")
    lists = [np.flatnonzero(one[:k] == column) for one in table["top_columns"]]
    place = np.asarray([own[0] + 1 if len(own) else 0 for own in lists])
    right = run.relevance.loc[(run.relevance["video_id"] == video_id) & (run.relevance["grade"] > 0), "caption_id"]
    held = (place > 0) & ~table["id"].isin(set(right)).to_numpy()
    texts = run.queries.drop_duplicates("caption_id").set_index("caption_id")["text"]
    found = pd.DataFrame({
        "query_id": table["id"][held], "text": texts.reindex(table["id"][held]).to_numpy(), "place": place[held],
        "rank": run.rank("t2v")[held],
    })  # fmt: skip
    return found.sort_values(["place", "rank"], kind="stable", ignore_index=True)


def _right_counts(run: Run, per_query: pd.DataFrame, columns: np.ndarray, k: int) -> np.ndarray:
    """int64: in how many lists of its own captions each of some videos stands."""
    list_of = dict(zip(per_query["id"], per_query["top_columns"], strict=True))
    captions = run.queries["caption_id"].to_numpy()
    relevance = (run.relevance_matrix > 0).tocsc()
    owners = [captions[relevance.indices[slice(*relevance.indptr[at : at + 2])]] for at in columns]
    held = [sum(at in list_of[one][:k] for one in own) for at, own in zip(columns, owners, strict=True)]
    return np.array(held, np.int64)
