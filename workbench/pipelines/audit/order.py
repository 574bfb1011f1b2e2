"""Whether the rows and columns of a run follow its captions, and whether its hits go with those of other runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbench.corpus import Corpus
from workbench.evaluation.metrics.measures import query_values
from workbench.evaluation.order.check import OrderCheck, check_order
from workbench.evaluation.order.named import named_orders
from workbench.evaluation.runs.run import Run, list_runs, open_run, similarity_of
from workbench.pipelines.audit.findings import Finding, finding

CHANCE_Z = 3.0
"""Standard errors within which a correlation counts as none."""
CLEAR = 0.3
"""A correlation of hits that models of any worth reach; below it, with its error, hits are independent."""
CUTS = (1, 5, 10, 50)
TELLING = 0.1
"""Both runs must hit at least this share of the queries and miss as many; else phi is near 0 by itself."""


def audit_order(run: Run, corpus: Corpus | None) -> Finding:
    """Order and orientation of the stored matrix; where they are wrong, which named order it follows.

    Args:
        run: A run whose scores are finite.
        corpus: Its corpus, for named orders; None = it is not at hand.
    """
    if run.totals_only:
        return finding(
            "order", "note", "The run holds totals only: its rows cannot be tied to captions.",
            fix="Import it again with --row-ids to look at single queries.",
        )  # fmt: skip
    similarity = similarity_of(run)
    found = _checked(run, similarity)
    severity = {"checked": "ok", "unverified": "note", "contradicted": "wrong"}[found.how]
    numbers: dict[str, Any] = {"stated": run.order["how"], **found.evidence}
    if found.how != "contradicted":
        known = found.how == "checked" or run.order["how"] == "ids"
        fix = "" if known else "State the order with --row-ids and --col-ids."
        return finding("order", severity, found.sentence, fix=fix, numbers=numbers)
    wrong = list(found.evidence["wrong"])
    if "transposed" in wrong:
        return finding(
            "order", severity, found.sentence, rows=wrong, fix="Import it again with --transpose.", numbers=numbers
        )
    for order in named_orders(corpus) if corpus is not None else []:
        fits = similarity.shape == (len(order.rows), len(order.columns))
        if fits and _checked(run, order.to_corpus(similarity)).how == "checked":
            sentence = f"{found.sentence} It is in the corpus' order {order.name!r}."
            fix = "Import it again: that brings it into the corpus' order (in a program: named_orders and to_corpus)."
            return finding("order", severity, sentence, rows=wrong, fix=fix, numbers={"order": order.name, **numbers})
    return finding(
        "order", severity, found.sentence, rows=wrong,
        fix="Import it again with --row-ids and --col-ids, or keep its totals with --totals-only.", numbers=numbers,
    )  # fmt: skip


def _checked(run: Run, similarity: np.ndarray) -> OrderCheck:
    pairs = run.relevance[run.relevance["grade"] > 0].drop_duplicates("video_id")
    text_of = run.queries.set_index("caption_id")["text"]
    of_video = pd.Series(text_of.reindex(pairs["caption_id"]).to_numpy(dtype=object), index=pairs["video_id"])
    columns = of_video.reindex(run.gallery["video_id"]).fillna("").to_list()
    return check_order(similarity, run.queries["text"].to_list(), column_captions=columns)


def other_runs(run: Run) -> list[Run]:
    """Every other finished run on the very same split whose single queries are known."""
    table = list_runs(run.corpus_name, run.split)
    names = table.loc[(table["state"] == "finished") & (table["name"] != run.name), "name"]
    others = [open_run(name) for name in names]
    return [one for one in others if one.fingerprint == run.fingerprint and not one.totals_only]


def audit_agreement(run: Run, others: Sequence[Run], *, in_order: bool) -> Finding:
    """Whether a run hits the queries that others hit (phi), as any two models do that read the same captions.

    Phi is the correlation of hits at the K (1, 5, 10, 50) where both runs hit about half of the queries. Independent
    hits are an alarm: one of the two is in another order. Models that look at other things (frames, text) may be
    independent too; where the order of the run is proved, independence is only said.

    Args:
        run: The run.
        others: From ``other_runs``.
        in_order: Whether ``check_order`` proved the order of the run.
    """
    check = "agreement with other runs"
    if run.totals_only or not others:
        return finding(check, "note", "There is no other run to compare its hits with.")
    phis = {other.name: _phi(run, other) for other in others}
    alone = [name for name, (phi, error) in phis.items() if phi < CHANCE_Z * error and phi + CHANCE_Z * error < CLEAR]
    close = [name for name, (phi, error) in phis.items() if phi >= CHANCE_Z * error]
    numbers: dict[str, Any] = {
        "phi": {name: round(phi, 4) for name, (phi, _) in phis.items()},
        "with": close,
        "independent": alone,
    }
    listed = ", ".join(f"{name} (phi {phis[name][0]:.2f})" for name in alone[:5])
    if alone and not in_order:
        few = f", but not of {', '.join(close[:5])}" if close else ""
        return finding(
            check, "warning", f"Its hits are independent of those of {listed}{few}: one side may be in another order.",
            rows=alone, fix="Check the order of rows and columns of both (see: order).", numbers=numbers,
        )  # fmt: skip
    if alone and not close:
        return finding(
            check, "note", f"Its hits are independent of those of {listed}, though its own order was proved.",
            rows=alone, fix="Audit those runs; models that look at other things may differ so.", numbers=numbers,
        )  # fmt: skip
    if close:
        return finding(check, "ok", f"Its hits go with those of {', '.join(close[:5])}.", numbers=numbers)
    return finding(
        check,
        "note",
        "Too few queries are hit by one run and missed by another to tell whether their hits go together.",
        numbers=numbers,
    )


def _phi(run: Run, other: Run) -> tuple[float, float]:
    """Correlation of the hits of two runs and its standard error under independence; (0, inf) where there is none."""
    mine, theirs = (one.per("t2v").set_index("id") for one in (run, other))
    shared = mine.index.intersection(theirs.index)
    hits = [[query_values(table.loc[shared], f"r{k}") for table in (mine, theirs)] for k in CUTS]
    a, b = max(hits, key=lambda pair: float(np.prod([np.var(one) for one in pair])))
    if len(shared) < 2 or min(min(one.mean(), 1 - one.mean()) for one in (a, b)) < TELLING:
        return 0.0, float("inf")
    return float(np.corrcoef(a, b)[0, 1]), float(1 / np.sqrt(len(shared)))
