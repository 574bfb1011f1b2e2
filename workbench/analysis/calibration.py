"""How far the scores of a run say by themselves whether its first item is right: calibration, risk over coverage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.analysis.cells import Cell, Content
from workbench.core.errors import StateError
from workbench.core.seeds import generator
from workbench.evaluation.metrics.draws import hit_values
from workbench.evaluation.ranks.blocks import BLOCK_ITEMS, query_block
from workbench.evaluation.runs.run import Run, open_run, similarity_of
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.intervals import cluster_numbers, design_effect, wilson

TEMPERATURES = np.geomspace(0.01, 3.0, 25)
"""That are tried, in standard deviations of a query's scores."""
FOLDS, BINS, MOST_FITTED = 5, 10, 1_000


@dataclass(frozen=True, repr=False)
class Calibration(Cell):
    """What the scores of a run tell of its own hits at 1.

    Attributes:
        run: Its name.
        direction: ``t2v`` or ``v2t``.
        queries: id, confidence (softmax probability of the first item, 0..1), margin (score of the first item minus
            that of the second, in standard deviations of the query's scores), hit (0..1, expected under ties).
        reliability: Ten bins of equally many queries: n, confidence, hit (means), low, high (95 % Wilson interval of
            the hits on the effective sample, clustered by source).
        risk: Queries by falling margin: coverage (0..1, share that is answered), risk (share of wrong answers there).
        error: Expected calibration error: mean distance of confidence and hits over the bins, 0..1.
        risk_area: Mean risk over all coverages, 0..1; with a margin that says nothing it is the risk of all queries.
        temperatures: Temperature of each fold, in standard deviations of a query's scores.
    """

    run: str
    direction: str
    queries: pd.DataFrame
    reliability: pd.DataFrame
    risk: pd.DataFrame
    error: float
    risk_area: float
    temperatures: tuple[float, ...]

    def _shown(self) -> Content:
        """How far confidence is off, and the bins."""
        said = f"{self.run}, {self.direction}: confidence is off by {100 * self.error:.1f} points on average"
        return Content(f"{said}; mean risk {100 * self.risk_area:.1f} %", (self.reliability,), digits=2)


def calibration(run: Run | str, direction: str = "t2v", *, seed: int = 0) -> Calibration:
    """Confidence softmax(S / T) of the first item against how often it is right, with T fitted on other queries.

    Queries are dealt into five folds, whole sources together; the temperature of a fold has the least negative log
    likelihood of the right items on the other folds (at most 1,000 queries of all). Scores are divided by their
    standard deviation over the items of the query, so that runs can be compared.

    Args:
        run: A run with its similarity, or its name.
        direction: ``t2v`` or ``v2t``.
        seed: Of the folds.

    Raises:
        StateError: The run holds totals only or keeps no similarity, or all queries come from one source.
        UnknownNameError: Unknown run or direction.

    Source: Guo et al., On calibration of modern neural networks, ICML 2017 (temperature, ECE); Geifman and El-Yaniv,
    Selective classification for deep neural networks, NeurIPS 2017 (risk over coverage). Predictors of a query's
    performance carry over to other collections badly (arXiv 2504.01101, 2402.12997): read them for this split only.
    """
    run = open_run(run)
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids.")
    table = run.per(direction)
    sources = query_groups(run, direction, table["id"].to_numpy())["source_id"]
    clusters = cluster_numbers(sources, len(table))
    fold = generator(seed, "folds").permutation(int(clusters.max()) + 1)[clusters] % FOLDS
    if len(np.unique(fold)) < 2:
        raise StateError(
            f"All queries of run {run.name} come from one source: there are no others to fit a temperature on.",
            "Choose a run on a split of several sources.",
        )
    scores = _Scores(run, direction)
    temperatures, confidence = _fitted(scores, fold, seed)
    queries = pd.DataFrame({
        "id": table["id"].to_numpy(), "confidence": confidence, "margin": scores.margins(), "hit": hit_values(table, 1),
    })  # fmt: skip
    reliability, risk = _reliability(queries, clusters), _risk(queries)
    error = float(np.average((reliability["confidence"] - reliability["hit"]).abs(), weights=reliability["n"]))
    return Calibration(
        run.name, direction, queries, reliability, risk, error, float(risk["risk"].mean()), temperatures
    )  # fmt: skip


class _Scores:
    """The similarity of a run as standard scores of each query, block by block."""

    def __init__(self, run: Run, direction: str) -> None:
        self.matrix, self.direction = similarity_of(run), direction
        axis = run.queries["caption_id"] if direction == "t2v" else run.gallery["video_id"]
        self.rows = pd.Index(axis).get_indexer(pd.Index(run.per(direction)["id"]))
        relevance = run.relevance_matrix.tocsr() > 0
        self.right = (relevance if direction == "t2v" else relevance.T.tocsr())[self.rows]
        self.groups = None
        if direction == "v2t" and run.info.get("v2t_level") == "video":
            owner = np.asarray(relevance.argmax(axis=1)).ravel()  # captions of a video stand once, by their best one
            number = np.unique(owner, return_inverse=True)[1]
            self.groups = np.argsort(number, kind="stable"), np.searchsorted(np.sort(number), np.unique(number))
            member = sp.csr_array((np.ones(len(number)), (np.arange(len(number)), number)))
            self.right = (self.right.astype(float) @ member) > 0

    def blocks(self, wanted: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Positions of queries, and float64 [queries, items] of their scores: 0 = the best, in standard deviations."""
        step = max(1, BLOCK_ITEMS // self.matrix.shape[self.direction == "t2v"])
        for start in range(0, len(wanted), step):
            mine = wanted[start : start + step]
            block = np.array(query_block(self.matrix, self.direction, self.rows[mine]), float)
            if self.groups is not None:
                block = np.maximum.reduceat(block[:, self.groups[0]], self.groups[1], axis=1)
            told = np.isfinite(block)
            n = np.maximum(1, told.sum(axis=1, keepdims=True))
            known = np.where(told, block, 0.0)
            rest = np.where(told, known - known.sum(axis=1, keepdims=True) / n, 0.0)
            spread = np.sqrt((rest**2).sum(axis=1, keepdims=True) / n)
            best = np.where(told, block, -np.inf).max(axis=1, keepdims=True)
            scaled = (known - np.where(np.isfinite(best), best, 0.0)) / np.where(spread > 0, spread, 1.0)
            yield mine, np.where(told, scaled, -np.inf)

    def margins(self) -> np.ndarray:
        """The second-best standard score below the best of every query; 0 where there is none."""
        found = np.zeros(self.right.shape[0])
        for mine, block in self.blocks(np.arange(len(found))):
            if block.shape[1] > 1:
                second = -np.partition(-block, 1, axis=1)[:, 1]
                found[mine] = np.where(np.isfinite(second), -second, 0.0)
        return found


def _fitted(scores: _Scores, fold: np.ndarray, seed: int) -> tuple[tuple[float, ...], np.ndarray]:
    """The temperature of every fold, fitted on the others, and the confidence of each query at that of its own."""
    chosen = generator(seed, "fitted").permutation(len(fold))[:MOST_FITTED]
    losses = np.full((len(fold), len(TEMPERATURES)), np.nan)
    for mine, block in scores.blocks(np.sort(chosen)):
        right = scores.right[mine].toarray() & np.isfinite(block)
        able = right.any(axis=1)
        for at, temperature in enumerate(TEMPERATURES):
            weights = np.exp(block[able] / temperature)
            share = (weights * right[able]).sum(axis=1) / weights.sum(axis=1)
            losses[mine[able], at] = -np.log(np.maximum(share, np.finfo(float).tiny))
    numbers = np.unique(fold)
    best = {one: float(TEMPERATURES[np.nanmean(losses[fold != one], axis=0).argmin()]) for one in numbers}
    confidence = np.zeros(len(fold))
    for mine, block in scores.blocks(np.arange(len(fold))):
        temperature = np.asarray([best[one] for one in fold[mine]])[:, None]
        confidence[mine] = 1 / np.maximum(1, np.exp(block / temperature).sum(axis=1))
    return tuple(best[one] for one in numbers), confidence


def _reliability(queries: pd.DataFrame, clusters: np.ndarray) -> pd.DataFrame:
    order = np.argsort(queries["confidence"].to_numpy(), kind="stable")
    rows = []
    for part in np.array_split(order, min(BINS, len(order))):
        hits = queries["hit"].to_numpy()[part]
        low, high = wilson(float(hits.sum()), len(hits), design_effect(hits, clusters[part]))
        rows.append((len(part), float(queries["confidence"].to_numpy()[part].mean()), float(hits.mean()), low, high))
    return pd.DataFrame(rows, columns=["n", "confidence", "hit", "low", "high"])


def _risk(queries: pd.DataFrame) -> pd.DataFrame:
    """Equal margins are answered together: the share of hits among them counts for each."""
    hits = queries.groupby("margin")["hit"].transform("mean")
    ordered = hits.to_numpy()[np.argsort(-queries["margin"].to_numpy(), kind="stable")]
    answered = np.arange(1, len(ordered) + 1)
    return pd.DataFrame({"coverage": answered / len(ordered), "risk": 1 - np.cumsum(ordered) / answered})
