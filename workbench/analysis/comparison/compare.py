"""Two runs on the same queries: which is better, by how much, whether beyond noise, and on which queries."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.corpus import domain_label
from workbench.evaluation.metrics.draws import hit_values
from workbench.evaluation.metrics.measures import METRICS, metric_value, query_values, tie_bounds
from workbench.evaluation.runs.run import Run
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.families import holm
from workbench.evaluation.statistics.paired import PairedTest, paired_test, paired_test_values, verdict
from workbench.evaluation.statistics.sides import query_table

CUTS = (1, 5, 10, 50, 100)
OUTCOMES = {
    "win": "only B right", "loss": "only A right", "both": "both right", "neither": "neither right",
    "tied": "tied in A or B: right by chance",
}  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Run B against run A.

    Attributes:
        table: id, text, domain, rank_a, rank_b, tied_a, tied_b (whether the right item shares the first place with a
            wrong one, so that it is right by chance), outcome at rank 1 (a key of ``OUTCOMES``: win = only B right;
            tied = tied in A or B, neither won nor lost).
        test: The paired test; its difference is B minus A.
        by_domain: domain, label, n_queries, n_sources, a, b, difference, low, high (of each domain by itself), p_holm
            (corrected over the domains); empty without domains.
        agreement: k (1, 5, 10, 50, 100 as far as the gallery goes), shared (mean share, 0..1, of the items in the first
            k of either run that stand in both), phi (correlation of hits at k; nan where a run has all or none).
        verdict: One sentence.
        note: What a reader should know: queries left out, tied ones, another corpus; may be empty.
    """

    table: pd.DataFrame
    test: PairedTest
    by_domain: pd.DataFrame
    agreement: pd.DataFrame
    verdict: str
    note: str

    @property
    def overlap(self) -> dict[str, float]:
        """top10 (mean share of common items in the first ten, or fewer), phi (correlation of hits at 1)."""
        first, ten = self.agreement.iloc[0], self.agreement[self.agreement["k"] <= 10].iloc[-1]
        return {"top10": float(ten["shared"]), "phi": float(first["phi"])}

    def _repr_html_(self) -> str:
        """The verdict, what changed at rank 1, and the domains as tables of a notebook."""
        counts = self.table["outcome"].value_counts()
        outcomes = pd.DataFrame({
            "at rank 1": list(OUTCOMES.values()), "queries": [int(counts.get(one, 0)) for one in OUTCOMES],
        })  # fmt: skip
        domains = self.by_domain[["label", "n_queries", "a", "b", "difference", "low", "high", "p_holm"]]
        digits = METRICS[self.test.metric].digits
        shown = [outcomes.to_html(index=False)]
        if len(domains):
            formats = {name: f"{{:.{digits}f}}".format for name in ("a", "b", "difference", "low", "high")}
            shown += [domains.to_html(index=False, formatters={**formats, "p_holm": "{:.2g}".format}, na_rep="")]
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        return f"<p><b>{escape(self.verdict)}</b></p>{note}{''.join(shown)}"


def compare_runs(
    run_a: Run, run_b: Run, *, metric: str = "r1", direction: str = "t2v", allow_other_corpus: bool = False
) -> Comparison:
    """Compare two runs on the queries that both have.

    Args:
        run_a: The run to compare with.
        run_b: The run whose gain is asked.
        metric: A name of ``METRICS``.
        direction: ``t2v`` or ``v2t``.
        allow_other_corpus: Compare although the fingerprints differ.

    Raises:
        DataError: Other fingerprint, no shared query, or totals only.
    """
    note = check_same_corpus(run_a, run_b, allow_other_corpus)
    test = paired_test(run_a, run_b, metric, direction=direction)
    tables = [
        query_table(run, direction, metric).assign(rank=run.rank(direction)).set_index("id") for run in (run_a, run_b)
    ]
    shared = tables[0].index[tables[0].index.isin(tables[1].index)]
    if test.n_unshared:
        note += f" {len(shared)} shared queries are compared; {test.n_unshared} stand in one run only."
    a, b = (table.loc[shared] for table in tables)
    groups = query_groups(run_a, direction, shared.to_numpy())
    texts = run_a.queries.drop_duplicates("caption_id").set_index("caption_id")["text"]
    text = texts.reindex(shared).to_numpy() if direction == "t2v" else shared.to_numpy()
    table = pd.DataFrame({
        "id": shared, "text": text, "domain": groups["domain"].to_numpy(),
        "rank_a": a["rank"].to_numpy(), "rank_b": b["rank"].to_numpy(), **_outcomes(a, b),
    })  # fmt: skip
    note += _said_ties(table, run_a.name, run_b.name)
    return Comparison(
        table, test, _by_domain(a, b, groups, metric), _agreement(run_a, run_b, a, b),
        verdict(test, run_a.name, run_b.name), note.strip(),
    )  # fmt: skip


def _outcomes(a: pd.DataFrame, b: pd.DataFrame) -> dict[str, np.ndarray]:
    """Who is right at rank 1 however ties are broken: tied_a, tied_b and outcome of ``Comparison.table``."""
    (sure_a, may_a), (sure_b, may_b) = (tie_bounds(table, "r1") > 0 for table in (a, b))
    tied_a, tied_b = may_a & ~sure_a, may_b & ~sure_b
    held = [tied_a | tied_b, sure_b & ~sure_a, sure_a & ~sure_b, sure_a]
    return {"tied_a": tied_a, "tied_b": tied_b, "outcome": np.select(held, ["tied", "win", "loss", "both"], "neither")}


def _said_ties(table: pd.DataFrame, name_a: str, name_b: str) -> str:
    n_tied = int((table["outcome"] == "tied").sum())
    if not n_tied:
        return ""
    of = ", ".join(f"{int(table[side].sum())} in {name}" for side, name in (("tied_a", name_a), ("tied_b", name_b)))
    return (
        f" {n_tied} of {len(table)} queries are tied for the first place ({of}): right by chance, so neither won nor "
        "lost; R@1 counts them by that chance."
    )


def check_same_corpus(a: Run, b: Run, allow: bool) -> str:
    """What a reader must know of two runs that are compared; empty = nothing.

    Raises:
        DataError: Other fingerprints, and that is not allowed.
    """
    if a.fingerprint == b.fingerprint:
        differ = "" if a.protocol["sees"] == b.protocol["sees"] else (
            f" Protocols differ: {a.name} has seen {a.protocol['sees']}, {b.name} {b.protocol['sees']}."
        )  # fmt: skip
        return differ.strip()
    if not allow:
        raise DataError(
            f"{a.name} is a run on {a.corpus_name}/{a.split}, {b.name} on another corpus or version "
            f"({b.corpus_name}/{b.split}): the fingerprints differ.",
            "Compare runs of one corpus, or add --allow-other-corpus.",
        )
    return f"The corpora differ ({a.corpus_name}/{a.split} and {b.corpus_name}/{b.split})."


def _by_domain(a: pd.DataFrame, b: pd.DataFrame, groups: pd.DataFrame, metric: str) -> pd.DataFrame:
    columns = ["domain", "label", "n_queries", "n_sources", "a", "b", "difference", "low", "high", "p_holm"]
    value_a, value_b = query_values(a, metric), query_values(b, metric)
    rows = []
    for domain in groups["domain"].dropna().unique():
        mine = (groups["domain"] == domain).to_numpy()
        sources = groups["source_id"][mine]
        known = bool(sources.notna().all())
        own_a, own_b = value_a[mine], value_b[mine]
        test = paired_test_values(own_a, own_b, sources.to_numpy() if known else None, metric=metric)
        rows.append((
            domain, domain_label(domain), int(mine.sum()), int(sources.nunique()) if known else None,
            metric_value(own_a, metric), metric_value(own_b, metric), test.difference, *test.interval, test.p,
        ))  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(p_holm=holm(table["p_holm"])).sort_values("n_queries", ascending=False, ignore_index=True)


def _agreement(run_a: Run, run_b: Run, a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    lists = _lists(run_a, run_b, a, b)
    rows = []
    for k in [k for k in CUTS if k == 1 or k <= min(one.shape[1] for one in lists)]:
        hit_a, hit_b = hit_values(a, k), hit_values(b, k)
        spread = hit_a.std() * hit_b.std()
        phi = ((hit_a * hit_b).mean() - hit_a.mean() * hit_b.mean()) / spread if spread > 0 else np.nan
        rows.append((k, _shared(*(one[:, :k] for one in lists)), float(phi)))
    return pd.DataFrame(rows, columns=["k", "shared", "phi"])


def _lists(run_a: Run, run_b: Run, a: pd.DataFrame, b: pd.DataFrame) -> list[np.ndarray]:
    """The best items of each query in both runs, int64 [queries, length]; equal numbers are equal items, -1 = none."""
    of_videos = bool((a["direction"] == "t2v").all())
    axes = [run.gallery["video_id"] if of_videos else run.queries["caption_id"] for run in (run_a, run_b)]
    places = pd.Index(axes[0]).append(pd.Index(axes[1])).unique()
    found = []
    for axis, table in zip(axes, (a, b), strict=True):
        numbers = np.append(places.get_indexer(axis), -1)
        longest = max(1, max(map(len, table["top_columns"])))
        lists = np.full((len(table), longest), len(axis))
        for row, columns in zip(lists, table["top_columns"], strict=True):
            row[: len(columns)] = columns
        found.append(numbers[lists])
    return found


def _shared(a: np.ndarray, b: np.ndarray) -> float:
    """Mean over queries of the items in both lists over those in either."""
    every = np.sort(np.concatenate([a, b], axis=1), axis=1)  # an item stands in each list once
    both = ((every[:, 1:] == every[:, :-1]) & (every[:, 1:] >= 0)).sum(1)
    either = (a >= 0).sum(1) + (b >= 0).sum(1) - both
    return float(np.mean(both / np.maximum(1, either)))
