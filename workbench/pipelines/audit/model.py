"""Whether the score of a pair depends on that pair alone: the tests that catch leaks through batches and positions.

A model that was given the ground truth by position (captions and videos of one batch in one order), that normalises
over its batch, or that reads its padding, scores a pair by its company. Shuffled, rectangular and single queries, other
batch sizes and a long neighbour show each of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from workbench.core.errors import WorkbenchError
from workbench.core.seeds import generator
from workbench.models import Gallery, RetrievalModel
from workbench.pipelines.audit.findings import Finding, finding

TOLERANCE = 1e-3
"""Difference of two scores of one pair, in standard deviations of all scores, that rounding may cause."""
FAILURES = (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, AssertionError, AttributeError)
"""What foreign models raise when a shape does not suit them."""
BATCHES = (2, 3, 7)
LONG = "and then " * 40
ALONE = "Look for what it computes over a batch: normalisation, soft-max, drop-out, unmasked padding."


class _Pairs:
    """A model, captions and videos, and the scores that all others are compared with."""

    def __init__(self, model: RetrievalModel, captions: Sequence[str], gallery: Gallery) -> None:
        self.model, self.captions, self.gallery = model, list(captions), gallery
        self.encoded = model.encode(gallery)
        self.base = self.scores(self.captions)
        self.spread = float(self.base.std()) or float(np.abs(self.base).max()) or 1.0

    def scores(self, captions: Sequence[str], videos: np.ndarray | None = None) -> np.ndarray:
        """float64 [captions, videos], of all videos or of those encoded by themselves."""
        encoded = self.encoded if videos is None else self.model.encode(self.gallery.take(videos))
        return np.asarray(self.model.similarity(list(captions), encoded), float)

    def apart(self, found: np.ndarray, expected: np.ndarray) -> float:
        """Largest difference in standard deviations of the scores; infinite where the shape is another."""
        if found.shape != expected.shape:
            return float("inf")
        return float(np.abs(found - expected).max(initial=0.0)) / self.spread


def audit_model(
    model: RetrievalModel, captions: Sequence[str], gallery: Gallery, *, seed: int = 0
) -> Iterator[Finding]:
    """Shuffle test, rectangular test, single-query test, batch-size and padding invariance.

    Args:
        model: What is looked at.
        captions: Some captions, four or more.
        gallery: Some videos, four or more, with the inputs that the model needs.
        seed: Seed of the shuffles.
    """
    try:
        pairs = _Pairs(model, captions, gallery)
    except WorkbenchError:
        raise
    except FAILURES as error:
        yield finding("scores", "wrong", f"The model cannot score: {_said(error)}", fix="See its similarity().")
        return
    expected = (len(pairs.captions), len(gallery.video_ids))
    if pairs.base.shape != expected or not np.isfinite(pairs.base).all():
        yield finding(
            "scores", "wrong", f"The similarity of {expected[0]} captions and {expected[1]} videos is of shape "
            f"{pairs.base.shape}, finite: {bool(np.isfinite(pairs.base).all())}.",
            fix="Return one finite number per caption and video.",
        )  # fmt: skip
        return
    constant = float(pairs.base.std()) == 0
    yield finding("scores", "warning" if constant else "ok", "All pairs have one and the same score." if constant else
                  "It gives one finite number per caption and video.")  # fmt: skip
    draw = generator(seed, "audit", "model")
    rows, columns = draw.permutation(expected[0]), draw.permutation(expected[1])
    for check, test, said, fix in _TESTS:
        yield _result(check, partial(test, pairs, rows, columns), said, fix)
    yield _gallery(pairs, columns)


def _result(check: str, test: Callable[[], float], said: str, fix: str) -> Finding:
    try:
        apart = test()
    except FAILURES as error:
        return finding(check, "wrong", f"It fails: {_said(error)}", fix=fix)
    if apart > TOLERANCE:
        how = "has another shape" if np.isinf(apart) else f"moves by up to {apart:.2g} standard deviations"
        return finding(check, "wrong", f"The score of a pair {how} {said}.", fix=fix, numbers={"apart": apart})
    return finding(check, "ok", f"The score of a pair does not move {said}.", numbers={"apart": apart})


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'without a word'}."[:300]


def _repeat(pairs: _Pairs, rows: np.ndarray, columns: np.ndarray) -> float:
    return pairs.apart(pairs.scores(pairs.captions), pairs.base)


def _shuffle(pairs: _Pairs, rows: np.ndarray, columns: np.ndarray) -> float:
    found = pairs.scores([pairs.captions[row] for row in rows], columns)
    return pairs.apart(found, pairs.base[rows][:, columns])


def _rectangle(pairs: _Pairs, rows: np.ndarray, columns: np.ndarray) -> float:
    wide, half = pairs.captions[: max(1, len(rows) // 2)], columns[: max(1, len(columns) // 2)]
    pairs.scores(pairs.captions, half)  # its scores may depend on the gallery: see _gallery; it must not fail
    return pairs.apart(pairs.scores(wide), pairs.base[: len(wide)])


def _single(pairs: _Pairs, rows: np.ndarray, columns: np.ndarray) -> float:
    return max(pairs.apart(pairs.scores([pairs.captions[row]]), pairs.base[[row]]) for row in rows[:8])


def _batches(pairs: _Pairs, rows: np.ndarray, columns: np.ndarray) -> float:
    def in_batches(size: int) -> np.ndarray:
        starts = range(0, len(pairs.captions), size)
        return np.concatenate([pairs.scores(pairs.captions[start : start + size]) for start in starts])

    return max(pairs.apart(in_batches(size), pairs.base) for size in BATCHES)


def _padding(pairs: _Pairs, rows: np.ndarray, columns: np.ndarray) -> float:
    short = sorted(range(len(pairs.captions)), key=lambda row: len(pairs.captions[row]))[:4]
    found = pairs.scores([*(pairs.captions[row] for row in short), LONG + pairs.captions[short[-1]]])
    return pairs.apart(found[:-1], pairs.base[short])


_TESTS: tuple[tuple[str, Callable[[_Pairs, np.ndarray, np.ndarray], float], str, str], ...] = (
    ("repetition", _repeat, "when it is asked again", "Turn drop-out off and fix the seed."),
    ("shuffle test", _shuffle, "when captions and videos are shuffled",
     "Look for scores that are told by position: an index of the batch, a diagonal, files read in pairs."),
    ("rectangular test", _rectangle, "when there are fewer captions than videos",
     "Look for code that needs as many captions as videos."),
    ("single-query test", _single, "when its caption is asked alone", ALONE),
    ("batch size", _batches, f"in batches of {', '.join(map(str, BATCHES))} captions", ALONE),
    ("padding", _padding, "beside a very long caption", "Mask the padding in attention, means and maxima."),
)  # fmt: skip


def _gallery(pairs: _Pairs, columns: np.ndarray) -> Finding:
    """Whether a score depends on the other videos: wrong for an encoder, the nature of BM25."""
    check = "other videos"
    try:
        alone = max(
            pairs.apart(pairs.scores(pairs.captions, columns[[i]]), pairs.base[:, columns[[i]]]) for i in range(4)
        )
        half = columns[: max(1, len(columns) // 2)]
        apart = max(alone, pairs.apart(pairs.scores(pairs.captions, half), pairs.base[:, half]))
    except FAILURES as error:
        return finding(check, "wrong", f"It fails with fewer videos: {_said(error)}", fix=ALONE)
    if apart > TOLERANCE:
        return finding(
            check, "warning",
            "The score of a pair depends on which other videos are in the gallery.",
            fix="BM25 does so by its nature (rare words weigh more): compare such runs on the whole gallery only. "
            "In an encoder, look for unmasked padding or normalisation over the gallery.", numbers={"apart": apart},
        )  # fmt: skip
    return finding(check, "ok", "The score of a pair does not depend on the other videos.", numbers={"apart": apart})
