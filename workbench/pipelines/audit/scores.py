"""The scores of a run as numbers: not finite, constant, tied, turned round, or too good to be true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.core.words import counted
from workbench.evaluation.metrics.draws import hit_values
from workbench.evaluation.metrics.duplicates import text_numbers
from workbench.evaluation.ranks.blocks import row_ranges
from workbench.evaluation.ranks.bounds import RankCounts
from workbench.evaluation.runs.run import Run, similarity_of
from workbench.pipelines.audit.findings import Finding, finding

MANY_TIES = 0.001
"""Share of tied queries from which R@K depends on the order of equal scores."""
LOW_PLACE, LOW_Z = 0.75, 5.0
"""Distances: the right item stands behind this share of the gallery, and the mean lies so many errors behind chance."""
NEARLY_ALL, ENOUGH = 99.5, 100
"""R@1 from which, over so many queries, a result is too good to be true."""
LEAK_Z = 4.0
"""Standard errors from which equal captions know whose they are."""


@dataclass(frozen=True)
class Extent:
    """What one pass over a matrix tells.

    Attributes:
        n_nan: Scores that are no numbers.
        n_infinite: Scores of plus infinity.
        bad_rows: int64, rows that hold any of these.
        n_unscored: Scores of minus infinity in columns that were scored.
        constant_rows: int64, rows all of whose finite scores are equal.
        constant_columns: int64, as above for columns.
        right_low: Lowest finite score of a right pair.
        wrong_high: Highest score of a wrong pair.
    """

    n_nan: int
    n_infinite: int
    bad_rows: np.ndarray
    n_unscored: int
    constant_rows: np.ndarray
    constant_columns: np.ndarray
    right_low: float
    wrong_high: float


def extent_of(run: Run) -> Extent:
    """One pass over the stored matrix of a run, in blocks."""
    similarity, relevance = similarity_of(run), run.relevance_matrix
    scored = (run.gallery["state"] == "scored").to_numpy()
    n_nan = n_infinite = n_unscored = 0
    bad, constant = [], []
    low, high = np.full(len(scored), np.inf), np.full(len(scored), -np.inf)
    right_low, wrong_high = np.inf, -np.inf
    for start, stop in row_ranges(*similarity.shape):
        block = np.asarray(similarity[start:stop])
        nan, plus = np.isnan(block), np.isposinf(block)
        n_nan, n_infinite = n_nan + int(nan.sum()), n_infinite + int(plus.sum())
        bad.append(start + np.flatnonzero((nan | plus).any(axis=1)))
        n_unscored += int(np.isneginf(block[:, scored]).sum())
        finite = np.isfinite(block)
        least, most = np.where(finite, block, np.inf), np.where(finite, block, -np.inf)
        constant.append(start + np.flatnonzero((least.min(1) >= most.max(1)) & (finite.sum(1) > 1)))
        low, high = np.minimum(low, least.min(0)), np.maximum(high, most.max(0))
        part = relevance[start:stop].tocoo()
        rows, columns = (axis[part.data > 0] for axis in part.coords)
        right_low = min(right_low, float(least[rows, columns].min(initial=np.inf)))
        most[rows, columns] = -np.inf
        wrong_high = max(wrong_high, float(most.max()))
    columns = np.flatnonzero((low == high) & (len(similarity) > 1))
    return Extent(
        n_nan, n_infinite, np.concatenate(bad), n_unscored, np.concatenate(constant), columns, right_low, wrong_high
    )


def audit_values(run: Run, extent: Extent) -> Iterator[Finding]:
    """Scores that are not finite, and rows and columns without any difference."""
    ids = run.queries["caption_id"].to_numpy(dtype=object)
    if len(extent.bad_rows):
        yield finding(
            "finite values", "wrong",
            f"{counted(extent.n_nan, 'score is', 'scores are')} not a number and "
            f"{counted(extent.n_infinite, 'is', 'are')} plus infinity.",
            rows=ids[extent.bad_rows], fix="Score again; videos that cannot be scored belong into --missing.",
        )  # fmt: skip
    elif extent.n_unscored and not run.protocol.get("rerank") and not run.protocol.get("candidates"):
        yield finding(
            "finite values", "warning",
            f"{counted(extent.n_unscored, 'pair has', 'pairs have')} no score (-inf), though their videos were scored "
            "and the run names no re-ranking.", fix="Say it in the protocol (candidates), or score them.",
        )  # fmt: skip
    else:
        yield finding("finite values", "ok", "Every score is a finite number, or of a video that was not scored.")
    videos = run.gallery["video_id"].to_numpy(dtype=object)
    for check, names, at in (("constant rows", ids, extent.constant_rows),
                             ("constant columns", videos, extent.constant_columns)):  # fmt: skip
        one, many, of = ("caption", "captions", "videos") if names is ids else ("video", "videos", "captions")
        if len(at):
            yield finding(
                check, "warning", f"{counted(len(at), f'{one} has', f'{many} have')} the same score for all {of}.",
                rows=names[at],
                fix="Words that stand in no video do this (BM25); else look for empty inputs or an overflow.",
            )  # fmt: skip
        else:
            yield finding(check, "ok", f"No {one} has the same score for all {of}.")


def audit_ties(run: Run, counts: dict[str, RankCounts]) -> Finding:
    """Queries whose right item has exactly the score of a wrong one."""
    own = counts["t2v"]
    tied = own.n_tied > 0
    low, high = (100 * float(hit_values(own, 1, rule).mean()) for rule in ("pessimistic", "optimistic"))
    n, of = int(tied.sum()), len(tied)
    numbers: dict[str, Any] = {"n_tied": n, "r1_pessimistic": low, "r1_optimistic": high}
    if n <= MANY_TIES * of:
        said = "No query ties" if n == 0 else f"{n:,} of {of:,} queries tie"
        return finding("ties", "ok", f"{said} with a wrong item.", numbers=numbers)
    ids = run.queries["caption_id"].to_numpy(dtype=object)
    between = f"is {low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"lies between {low:.2f} and {high:.2f}"
    return finding(
        "ties", "warning",
        f"{n:,} of {of:,} queries tie with a wrong item: t2v R@1 {between}, whoever breaks the ties.",
        rows=ids[own.queries[tied]],
        fix="Save scores as float32, unrounded; show the expected R@1 and the number of ties.", numbers=numbers,
    )  # fmt: skip


def audit_sense(run: Run, counts: RankCounts) -> Finding:
    """Whether the smallest score is the best: distances that were given as similarities."""
    places = (counts.expected - 1) / max(1, counts.n_items - 1)
    places = places[counts.scored]
    if not len(places) or counts.n_items < 2:
        return finding("higher is better", "note", "No right pair was scored, so the sense of the scores is unknown.")
    z = (float(places.mean()) - 0.5) / (np.sqrt(1 / 12) / np.sqrt(len(places)))
    middle = float(np.median(places))
    numbers = {"median_place": middle, "z": z}
    if z >= LOW_Z and middle >= LOW_PLACE:
        return finding(
            "higher is better", "wrong",
            f"Right videos have the lowest scores: the median one stands behind {100 * middle:.0f} % of the gallery.",
            fix="These are distances: import the negative of the matrix.", numbers=numbers,
        )  # fmt: skip
    return finding("higher is better", "ok", "Right videos have no lower scores than others.", numbers=numbers)


def audit_truth(run: Run, counts: RankCounts, extent: Extent, limit: float) -> Iterator[Finding]:
    """Right pairs that are too good to be true.

    Args:
        run: The run.
        counts: Its t2v counts.
        extent: From ``extent_of``.
        limit: Highest t2v R@1 where equal captions have equal rows, in percent.
    """
    check, r1 = "right pairs", 100 * float(hit_values(counts, 1).mean())
    n, numbers = len(counts.n_above), {"r1": r1, "ceiling": limit}
    fix = "Look for the ground truth in the scoring: an index, a batch or a file name that tells the pair."
    if r1 > limit + 1e-6:
        yield finding(
            check, "wrong", f"t2v R@1 is {r1:.2f}, though equal captions allow {limit:.2f} at most.", fix=fix,
            numbers=numbers,
        )  # fmt: skip
    elif n >= ENOUGH and extent.right_low > extent.wrong_high:
        yield finding(
            check, "warning", f"The lowest right score ({extent.right_low:.4g}) lies above every wrong one "
            f"({extent.wrong_high:.4g}): too good to be true.", fix=fix, numbers=numbers,
        )  # fmt: skip
    elif n >= ENOUGH and r1 >= NEARLY_ALL:
        yield finding(check, "warning", f"t2v R@1 is {r1:.2f}: too good to be true.", fix=fix, numbers=numbers)
    else:
        yield finding(check, "ok", f"t2v R@1 is {r1:.2f} of {limit:.2f} that equal captions allow.", numbers=numbers)
    if not run.totals_only:
        yield _equal_rows(run, fix)


def _equal_rows(run: Run, fix: str) -> Finding:
    """Whether rows of equal captions favour their own video, which nothing in their text can tell."""
    check = "rows of equal captions"
    pairs = _pairs_of_equals(run)
    if not pairs:
        return finding(check, "note", "No two captions of different videos are equal, so this cannot be looked at.")
    similarity, ids = similarity_of(run), run.queries["caption_id"].to_numpy(dtype=object)
    (a, b), (of_a, of_b) = np.asarray(pairs)[:, :2].T, np.asarray(pairs)[:, 2:].T
    cells = [np.asarray(similarity[row, column], float) for row, column in ((a, of_a), (a, of_b), (b, of_b), (b, of_a))]
    known = np.all(np.isfinite(cells), axis=0)
    own = (cells[0] - cells[1] + cells[2] - cells[3])[known]
    spread = float(np.std(np.asarray(cells)[:, known])) if known.any() else 0.0
    differ = np.abs(own) > 1e-4 * max(spread, 1e-6)
    n, wins = int(differ.sum()), int((own[differ] > 0).sum())
    z = (wins - n / 2) / (np.sqrt(n) / 2) if n else 0.0
    numbers: dict[str, Any] = {"n_pairs": len(own), "n_differ": n, "n_favour_own": wins, "z": z}
    if z >= LEAK_Z:
        return finding(
            check, "wrong", f"Of {n:,} pairs of equal captions, {wins:,} score their own video higher than the text "
            "allows: the scores know the pair.", rows=ids[a[known][differ]], fix=fix, numbers=numbers,
        )  # fmt: skip
    if 10 * n > len(own):
        return finding(
            check, "warning", f"{n:,} of {len(own):,} pairs of equal captions have different rows.",
            rows=ids[a[known][differ]],
            fix="Turn drop-out off, score again, and check the order of the rows.", numbers=numbers,
        )  # fmt: skip
    return finding(check, "ok", "Equal captions have equal scores.", numbers=numbers)


def _pairs_of_equals(run: Run) -> list[tuple[int, int, int, int]]:
    """(row, row, right column, right column) of neighbours among equal captions with one right video each."""
    relevance = run.relevance_matrix
    text = text_numbers(run.queries["text"].to_list())
    single = np.flatnonzero(np.diff(relevance.indptr) == 1)
    single = single[np.argsort(text[single], kind="stable")]
    column = relevance.indices[relevance.indptr[single]]
    found = []
    for at in range(len(single) - 1):
        if text[single[at]] == text[single[at + 1]] and column[at] != column[at + 1]:
            found.append((int(single[at]), int(single[at + 1]), int(column[at]), int(column[at + 1])))
    return found
