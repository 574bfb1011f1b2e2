"""Two runs on the same queries: which is better, by how much, whether beyond noise, and on which queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from workbench.core.errors import DataError
from workbench.corpus import domain_label
from workbench.evaluation.metrics.measures import metric_value, query_values
from workbench.evaluation.runs.run import Run
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.families import holm, paired_tests
from workbench.evaluation.statistics.groups import SeedGroup
from workbench.evaluation.statistics.paired import PairedTest, paired_test, paired_test_values, verdict
from workbench.evaluation.statistics.sides import members, query_table


@dataclass(frozen=True)
class Comparison:
    """Run B against run A.

    Attributes:
        table: id, text, domain, rank_a, rank_b, outcome at rank 1 (win = B is better, loss, both, neither).
        test: The paired test; its difference is B minus A.
        by_domain: domain, label, n_queries, n_sources, a, b, difference, low, high (of each domain by itself), p_holm
            (corrected over the domains); empty without domains.
        overlap: top10 (mean share of common videos in the first ten), phi (correlation of hits at 1).
        verdict: One sentence.
        note: What a reader should know: queries left out, another corpus; may be empty.
    """

    table: pd.DataFrame
    test: PairedTest
    by_domain: pd.DataFrame
    overlap: dict[str, float]
    verdict: str
    note: str


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
    note = _same_corpus(run_a, run_b, allow_other_corpus)
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
    hit_a, hit_b = (query_values(table, "r1") for table in (a, b))
    outcome = np.select([hit_b > hit_a, hit_a > hit_b, hit_a > 0], ["win", "loss", "both"], "neither")
    table = pd.DataFrame({
        "id": shared, "text": text, "domain": groups["domain"].to_numpy(),
        "rank_a": a["rank"].to_numpy(), "rank_b": b["rank"].to_numpy(), "outcome": outcome,
    })  # fmt: skip
    return Comparison(
        table, test, _by_domain(a, b, groups, metric), _overlap(run_a, run_b, a, b, hit_a, hit_b),
        verdict(test, run_a.name, run_b.name), note.strip(),
    )  # fmt: skip


def compare_many(
    run: Run | SeedGroup,
    others: Sequence[Run | SeedGroup],
    *,
    metric: str = "r1",
    direction: str = "t2v",
    allow_other_corpus: bool = False,
) -> tuple[pd.DataFrame, list[str]]:
    """Several runs, or groups of seeds, against the same one, as one family of tests.

    Args:
        run: What the others are compared with.
        others: The runs whose gains are asked.
        metric: A name of ``METRICS``.
        direction: ``t2v`` or ``v2t``; for ``sum_recall`` also ``both``.
        allow_other_corpus: Compare although the fingerprints differ.

    Returns:
        A table run, difference (to ``run``, in the metric's unit), low, high, p, p_holm (Holm's correction over all
        rows), wins, losses, minimum_detectable, verdict (``better``, ``worse``, ``not distinguishable``: by the
        interval and the corrected p); and for each row the sentence of the test by itself.

    Raises:
        DataError: Other fingerprint, no shared query, or totals only.
        UnknownNameError: Unknown metric or direction.
    """
    for other in others:
        for a, b in product(members(run), members(other)):
            _same_corpus(a, b, allow_other_corpus)
    family = paired_tests([(run, other) for other in others], metric, direction)
    rows = [
        (one.name_b, one.test.difference, *one.test.interval, one.test.p, one.p_holm, one.test.wins, one.test.losses,
         one.test.minimum_detectable, one.verdict) for one in family
    ]  # fmt: skip
    columns = ["run", "difference", "low", "high", "p", "p_holm", "wins", "losses", "minimum_detectable", "verdict"]
    return pd.DataFrame(rows, columns=columns), [verdict(one.test, one.name_a, one.name_b) for one in family]


def _same_corpus(a: Run, b: Run, allow: bool) -> str:
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


def _overlap(
    run_a: Run, run_b: Run, a: pd.DataFrame, b: pd.DataFrame, hit_a: np.ndarray, hit_b: np.ndarray
) -> dict[str, float]:
    def names(run: Run, table: pd.DataFrame) -> list[set[str]]:
        axis = run.gallery["video_id"] if (table["direction"] == "t2v").all() else run.queries["caption_id"]
        ids = axis.to_numpy()
        return [set(ids[columns[:10]]) for columns in table["top_columns"]]

    shares = [len(x & y) / max(1, len(x | y)) for x, y in zip(names(run_a, a), names(run_b, b), strict=True)]
    spread = hit_a.std() * hit_b.std()
    phi = float(((hit_a * hit_b).mean() - hit_a.mean() * hit_b.mean()) / spread) if spread > 0 else float("nan")
    return {"top10": float(np.mean(shares)), "phi": phi}
