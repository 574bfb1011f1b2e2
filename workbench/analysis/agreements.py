"""How far people agree with each other, and with the computed causes: Cohen's kappa."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np
import pandas as pd

from workbench.analysis.causes.catalogue import CAUSES
from workbench.analysis.tags import LABELS, as_label
from workbench.core.errors import DataError
from workbench.evaluation.runs.notes import CONFIRMED

COMPUTED = "computed cause"
Compared = tuple[str, str, str, str, pd.Series, pd.Series]
JUDGED = ["direction", "query_id", "caption_id", "video_id"]
PAIR = ["sample", "of", "first", "second"]
TABLE = [*PAIR, "n", "equal", "kappa", "low", "high"]
BY_CLASS = [*PAIR, "class", "label", "n_first", "n_second", "n_both", "kappa", "low", "high"]
Z = 1.959963984540054  # two-sided 95 %


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
        first: Label (or cause) by item.
        second: The same of the other.

    Raises:
        DataError: They share no item.

    Source: Cohen (1960), A Coefficient of Agreement for Nominal Scales; standard error: Fleiss, Cohen and Everitt
    (1969), Large Sample Standard Errors of Kappa and Weighted Kappa, formula 13.
    """
    shared = first.index.intersection(second.index)
    if shared.empty:
        raise DataError("The two raters share no item.", "Let both label the same sample.")
    a, b = first[shared], second[shared]
    held = {*a, *b}
    names = [one for one in dict.fromkeys([*LABELS, *CAUSES]) if one in held]
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


def agreement_table(tags: pd.DataFrame) -> pd.DataFrame:
    """Kappa of every two raters, and of each with the computed causes, sample by sample.

    Labels are compared where they were given blind (in a sample); causes wherever a person named one.

    Args:
        tags: From ``evaluation.runs.notes.read_tags``.

    Returns:
        sample (empty = tags outside of samples, whose raters saw the computed cause), of (``label`` or ``cause``),
        first, second (an annotator, or ``COMPUTED``), n, equal (percent), kappa, low, high (95 %); kappa is null where
        both only ever say one thing.
    """
    rows = []
    for *pair, a, b in _compared(tags):
        found = agreement(a, b)
        rows.append((*pair, found.n, 100 * found.observed, found.kappa, found.low, found.high))
    return pd.DataFrame(rows, columns=TABLE)


def class_agreement(tags: pd.DataFrame) -> pd.DataFrame:
    """Kappa of every class by itself, each against all others, for the pairs of raters of ``agreement_table``.

    Args:
        tags: From ``evaluation.runs.notes.read_tags``.

    Returns:
        sample, of, first, second (as there), class (a label or a cause), label (its name), n_first, n_second, n_both
        (items that the first, the second and both say it of), kappa, low, high (95 %); classes in the order of
        ``LABELS`` and ``CAUSES``, those that neither says left out.
    """
    rows = []
    for sample, of, first, second, a, b in _compared(tags):
        names = {one: held.label for one, held in (LABELS if of == "label" else CAUSES).items()}
        for one in [one for one in names if one in {*a, *b}]:
            mine, theirs = a == one, b == one
            found = agreement(*(said.map({True: CONFIRMED, False: "other"}) for said in (mine, theirs)))
            counts = int(mine.sum()), int(theirs.sum()), int((mine & theirs).sum())
            rows.append((sample, of, first, second, one, names[one], *counts, found.kappa, found.low, found.high))
    return pd.DataFrame(rows, columns=BY_CLASS)


def _compared(tags: pd.DataFrame) -> Iterator[Compared]:
    """sample, of, first, second, and what these two say of the items that both judged."""
    for sample, part in tags.groupby("sample", sort=False):
        if sample:
            computed = part["cause"].map(as_label)
            yield from ((str(sample), "label", *one) for one in _pairs(part, "label", computed))
        named = part[part["named_cause"] != ""]
        yield from ((str(sample), "cause", *one) for one in _pairs(named, "named_cause", named["cause"]))


def _pairs(tags: pd.DataFrame, said: str, computed: pd.Series) -> Iterator[tuple[str, str, pd.Series, pd.Series]]:
    """Every two who judged the same items, and what they said of these; people first, then each and the computation."""
    items = pd.MultiIndex.from_frame(tags[JUDGED])
    given = pd.Series(tags[said].to_numpy(object), items)
    machine = pd.Series(computed.to_numpy(object), items)
    mine = {who: (tags["annotator"] == who).to_numpy() for who in tags["annotator"].unique()}
    pairs = [(first, second, given[mine[first]], given[mine[second]]) for first, second in combinations(mine, 2)]
    told = (computed != "").to_numpy()  # a query that the run finds has no computed cause
    pairs += [(who, COMPUTED, given[own & told], machine[own & told]) for who, own in mine.items()]
    for first, second, a, b in pairs:
        shared = a.index.intersection(b.index)
        if len(shared):
            yield first, second, a[shared], b[shared]
