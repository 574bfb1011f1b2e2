"""How unevenly items are retrieved, videos or captions: hubs stand in many lists, anti-hubs in none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis.cells import Cell, Content
from workbench.analysis.structure.listed import Listed, listed_items
from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.core.words import counted
from workbench.evaluation.ranks.tops import TOP
from workbench.evaluation.runs.run import Run, open_run

HUB_SIZE, HUB_SD = 2.0, 3.0
"""A hub stands in so many times the mean number of lists, or in more than so many standard deviations above it."""
SHARES = {
    "skewness": "skewness of N_k", "hub_share": "hubs, of all that is ranked", "hub_places": "places that hubs hold",
    "anti_hub_share": "anti-hubs: in no list", "robin_hood": "Robin Hood index",
}  # fmt: skip
"""Numbers of ``Hubness`` that say how uneven the lists are, with what each is; the lower, the more even."""


@dataclass(frozen=True, repr=False)
class Hubness(Cell):
    """How unevenly items are retrieved: videos by captions (t2v), or captions by videos (v2t; ``Listed``).

    Items that were not scored are left out of every share.

    Attributes:
        counts: int64 [items]: in how many queries' first k each item stands; 0 for those not scored.
        scored: bool [items]: whether the run scored the item.
        skewness: Of the counts of scored items; near 0 where all are retrieved alike, above 1 hubs are strong.
        hub_share: Share of items that are hubs (``hubs_of``), 0..1.
        hub_places: Share of all places that hubs hold, 0..1.
        anti_hub_share: Share of items that stand in no list, 0..1.
        robin_hood: Share of all places that would have to move for an even spread, 0..1.
        top: item_id, video_id, domain, text (null for videos), count, n_wrong (queries in whose list it stands though
            it is wrong), n_taken (queries that have it at rank 1 though it is wrong), times_its_share (count over the
            mean), is_hub; most frequent first.
        k: Length of the lists.
        direction: ``t2v`` or ``v2t``.
        unit: What an item is: a key of ``structure.listed.UNITS``.
        n_cut_in_ties: Queries whose list ends between equal scores, so that only position says what stands in it.
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
    direction: str
    unit: str
    n_cut_in_ties: int

    def _shown(self) -> Content:
        """How uneven the lists are, and the first hubs."""
        numbers = pd.DataFrame({"": list(SHARES.values()), "value": [getattr(self, name) for name in SHARES]})
        hubs = self.top[["item_id", "count", "n_wrong", "n_taken", "times_its_share", "is_hub"]].head()
        ends = counted(self.n_cut_in_ties, "list ends", "lists end")
        cut = f"{ends} between equal scores." if self.n_cut_in_ties else ""
        held = f"{100 * self.hub_share:.1f} % of all that is ranked, with {100 * self.hub_places:.1f} % of the places"
        said = f"Hubs in the first {self.k} of each list, {self.direction}: {held}"
        return Content(said, (numbers, hubs), (cut,), digits=2)


def hubness(run: Run | str, k: int = 10, n_top: int = 20, *, direction: str = "t2v") -> Hubness:
    """Hubs of a run: k-occurrence with its skewness, hubs, anti-hubs and the Robin Hood index.

    Equal scores stand in the lists by position. Sources: k-occurrence and its skewness, Radovanovic,
    Nanopoulos and Ivanovic, JMLR 2010; Robin Hood index, Feldbauer et al., ICBK 2018; hub size, Feldbauer, Rattei and
    Flexer, JOSS 2020.

    Args:
        run: A run.
        k: Length of the lists, 1 to 100 (so many are kept).
        n_top: Rows of the table of hubs.
        direction: ``t2v``: videos in the lists of captions; ``v2t``: captions in the lists of videos, or the captions
            of each video as one item, as the run's v2t ranks were counted.

    Raises:
        DataError: k below 1 or above what a run keeps.
        UnknownNameError: Unknown direction.
    """
    run = open_run(run)
    check_k(k)
    listed = listed_items(run, direction)
    counts, scored = listed.counts(k), listed.scored
    hub, mean = hubs_of(counts, scored), counts[scored].mean()
    wrong, taken = counts - listed.right_counts(k), listed.counts(1) - listed.right_counts(1)
    table = listed.items[["item_id", "video_id", "domain", "text"]].assign(
        count=counts, n_wrong=wrong, n_taken=taken, times_its_share=counts / (mean or 1.0), is_hub=hub
    )
    top = table.iloc[np.argsort(-counts, kind="stable")[:n_top]].reset_index(drop=True)
    numbers = unevenness(counts, scored)
    cut = sum(len(own) > k and own[k - 1] == own[k] for own in run.per(direction)["top_scores"])
    return Hubness(
        counts=counts, scored=scored, top=top, k=k, direction=direction, unit=listed.unit, n_cut_in_ties=cut, **numbers
    )


def check_k(k: int) -> int:
    """The length of lists, if runs keep lists so long.

    Raises:
        DataError: It is below 1 or above what a run keeps.
    """
    if not 1 <= k <= TOP:
        raise DataError(f"k is {k}; runs keep the first {TOP} of each list.", f"Choose 1 to {TOP}.")
    return k


def hubs_of(counts: np.ndarray, scored: np.ndarray, *, size: float = HUB_SIZE, sd: float = HUB_SD) -> np.ndarray:
    """bool [items]: which of them are hubs, by their k-occurrence.

    A hub stands in ``size`` times the mean number of lists, or in more than the mean and ``sd`` standard deviations.
    """
    return scored & (counts >= hub_limit(counts[scored], size=size, sd=sd)) & (counts > 0)


def hub_limit(counts: np.ndarray, *, size: float = HUB_SIZE, sd: float = HUB_SD) -> float:
    """In how many lists an item must stand to be a hub, from the k-occurrence of all scored items (``hubs_of``)."""
    more_than = float(counts.mean() + sd * counts.std())
    return min(size * float(counts.mean()), np.floor(more_than) + 1)


def unevenness(counts: np.ndarray, scored: np.ndarray) -> dict[str, float]:
    """The numbers of ``SHARES`` of a k-occurrence."""
    from scipy import stats  # here, as loading it takes longer than most commands

    own, hub = counts[scored].astype(float), hubs_of(counts, scored)
    total = max(own.sum(), 1.0)
    return {
        "skewness": float(stats.skew(own)) if own.std() > 0 else 0.0,
        "hub_share": float(hub.sum() / scored.sum()),
        "hub_places": float(counts[hub].sum() / total),
        "anti_hub_share": float((own == 0).mean()),
        "robin_hood": float(np.abs(own - own.mean()).sum() / (2 * total)),
    }


def taken_queries(run: Run | str, item_id: str, k: int = 10, *, direction: str = "t2v") -> pd.DataFrame:
    """The queries in whose first k an item stands though it is wrong for them.

    Args:
        run: A run.
        item_id: ``item_id`` of ``Hubness.top``: a video (t2v), a caption, or a video for all of its captions (v2t).
        k: Length of the lists, 1 to 100.
        direction: ``t2v``: the captions that a video takes; ``v2t``: the videos that a caption takes.

    Returns:
        query_id, text (the caption; in v2t the video's id), place (of this item in the list, from 1), rank (of the
        right item), listed_text (v2t: the caption that stands there; else null); lowest place first.

    Raises:
        UnknownNameError: The run has no such item.
        DataError: k below 1 or above what a run keeps.
    """
    run = open_run(run)
    check_k(k)
    listed = listed_items(run, direction)
    ids = listed.items["item_id"]
    at = pick(dict(zip(ids, range(len(ids)), strict=True)), item_id, "caption" if listed.unit == "caption" else "video")
    place = _places_of(listed, at, k)
    right = np.asarray(listed.rights[:, [at]].toarray(), bool).ravel()
    held = np.flatnonzero((place > 0) & ~right)
    texts = run.queries["text"].to_numpy(object)
    rows = run.per(direction)["top_columns"]
    said = [None if direction == "t2v" else texts[rows[query][place[query] - 1]] for query in held]
    found = listed.queries.iloc[held].rename(columns={"id": "query_id"}).assign(
        place=place[held], rank=run.rank(direction)[held], listed_text=pd.Series(said, index=held, dtype=object)
    )  # fmt: skip
    return found.sort_values(["place", "rank"], kind="stable", ignore_index=True)


def _places_of(listed: Listed, item: int, k: int) -> np.ndarray:
    """int64 [queries]: place of an item in each list, from 1; 0 where it is not among the first ``k``."""
    rows, items = listed.places(k)
    at = np.flatnonzero(items == item)[::-1]  # so that the first place of a list is written last
    found = np.zeros(len(listed.lists), np.int64)
    found[rows[at]] = at - np.searchsorted(rows, rows[at]) + 1
    return found
