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
Compared = tuple[str, str, int, float, float, float, float]
JUDGED = ["direction", "query_id", "caption_id", "video_id"]
TABLE = ["sample", "of", "first", "second", "n", "equal", "kappa", "low", "high"]
BY_CAUSE = ["cause", "label", "n_computed", "n_named", "n_both", "kappa", "low", "high"]
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
    for sample, part in tags.groupby("sample", sort=False):
        if sample:
            rows += [(sample, "label", *one) for one in _pairs(part, "label", part["cause"].map(as_label))]
        named = part[part["named_cause"] != ""]
        rows += [(sample, "cause", *one) for one in _pairs(named, "named_cause", named["cause"])]
    return pd.DataFrame(rows, columns=TABLE)


def _pairs(tags: pd.DataFrame, said: str, computed: pd.Series) -> Iterator[Compared]:
    """first, second, n, equal, kappa and its ends of every two who said something of the same items."""
    items = pd.MultiIndex.from_frame(tags[JUDGED])
    given = pd.Series(tags[said].to_numpy(object), items)
    machine = pd.Series(computed.to_numpy(object), items)
    mine = {who: (tags["annotator"] == who).to_numpy() for who in tags["annotator"].unique()}
    pairs = [(first, second, given[mine[first]], given[mine[second]]) for first, second in combinations(mine, 2)]
    pairs += [(who, COMPUTED, given[own], machine[own]) for who, own in mine.items()]
    for first, second, a, b in pairs:
        if len(a.index.intersection(b.index)):
            found = agreement(a, b)
            yield first, second, found.n, 100 * found.observed, found.kappa, found.low, found.high


def cause_agreement(tags: pd.DataFrame) -> pd.DataFrame:
    """For each cause how far people and the computation agree that a query has it, or has another one.

    Args:
        tags: From ``evaluation.runs.notes.read_tags``; those with a named cause count, each by itself.

    Returns:
        cause, label, n_computed, n_named (queries that have it by computation, by people), n_both, kappa, low, high
        (95 %, this cause against all others), in the order of ``CAUSES``; causes that nobody says are left out.
    """
    named = tags[tags["named_cause"] != ""].reset_index(drop=True)
    rows = []
    for cause in [one for one in CAUSES if one in {*named["cause"], *named["named_cause"]}]:
        computed, said = named["cause"] == cause, named["named_cause"] == cause
        found = agreement(*(one.map({True: CONFIRMED, False: "other"}) for one in (said, computed)))
        rows.append((cause, CAUSES[cause].label, int(computed.sum()), int(said.sum()), int((computed & said).sum()),
                     found.kappa, found.low, found.high))  # fmt: skip
    return pd.DataFrame(rows, columns=BY_CAUSE)
