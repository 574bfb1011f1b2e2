"""Two runs on the same queries: which is better, by how much, whether beyond noise, and on which queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis.breakdown import slice_columns, slice_values
from workbench.analysis.cells import Cell, Content
from workbench.analysis.comparison.agreement import agreement_of
from workbench.analysis.comparison.parts import MICRO, compared_domains, compared_parts
from workbench.core.errors import DataError
from workbench.core.words import counted
from workbench.evaluation.metrics.measures import METRICS, tie_bounds
from workbench.evaluation.metrics.scene_text import SLICES, V1, WITH, slices
from workbench.evaluation.runs.corpora import corpus_of_run
from workbench.evaluation.runs.run import Run, open_run
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.effects import cliffs_delta
from workbench.evaluation.statistics.paired import PairedTest, paired_test
from workbench.evaluation.statistics.sides import query_table, shared_ids
from workbench.evaluation.statistics.text_half import tests_on_text
from workbench.evaluation.statistics.verdicts import verdict

OUTCOMES = {
    "win": "only B right", "loss": "only A right", "both": "both right", "neither": "neither right",
    "tied": "tied in A or B: right by chance",
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Comparison(Cell):
    """Run B against run A.

    Attributes:
        table: id, text, domain, rank_a, rank_b, tied_a, tied_b (whether the right item shares the first place with a
            wrong one, so that it is right by chance), outcome at rank 1 (a key of ``OUTCOMES``: win = only B right;
            tied = tied in A or B, neither won nor lost).
        test: The paired test; its difference is B minus A.
        by_domain: domain, label, n_queries, n_sources, a, b, difference, low, high (of each domain by itself), p_holm
            (corrected over the domains); empty without domains.
        parts: part, kind (``all queries``: each counts alike, micro; ``mean over domains``: macro; ``slice``),
            n_queries, n_sources, a, b, difference, low, high, p (by itself), p_bh (of slices, which nobody planned to
            test: Benjamini and Hochberg's over them). Slices are scene-text queries by definition and, for t2v, columns
            of the corpus' captions.
        agreement: k (1, 5, 10, 50, 100 as far as the gallery goes), common (mean number of items in both lists of the
            first k), shared (Jaccard: mean share, 0..1, of the items in the first k of either run that stand in both),
            phi (correlation of hits at k; nan where a run has all or none).
        effects: odds_ratio (wins per loss), cliffs_delta (of the ranks, -1..1; above 0 = B ranks higher), rbo (mean
            rank-biased overlap of the lists, 0..1) and tau (mean Kendall's tau of the order of what both list, -1..1).
            The last two are 1 for two runs of one model.
        verdict: One sentence, and one on scene-text queries.
        note: What a reader should know: queries left out, tied ones, another corpus; may be empty.
    """

    table: pd.DataFrame
    test: PairedTest
    by_domain: pd.DataFrame
    parts: pd.DataFrame
    agreement: pd.DataFrame
    effects: dict[str, float]
    verdict: str
    note: str

    @property
    def overlap(self) -> dict[str, float]:
        """top10 (Jaccard share of common items in the first ten, or fewer), phi (correlation of hits at 1)."""
        first, ten = self.agreement.iloc[0], self.agreement[self.agreement["k"] <= 10].iloc[-1]
        return {"top10": float(ten["shared"]), "phi": float(first["phi"])}

    def _shown(self) -> Content:
        """The verdict, what changed at rank 1, and the domains."""
        counts = self.table["outcome"].value_counts()
        outcomes = pd.DataFrame({
            "at rank 1": list(OUTCOMES.values()), "queries": [int(counts.get(one, 0)) for one in OUTCOMES],
        })  # fmt: skip
        domains = self.by_domain[["label", "n_queries", "a", "b", "difference", "low", "high", "p_holm"]]
        digits = METRICS[self.test.metric].digits
        return Content(self.verdict, (outcomes, domains), (self.note,), digits)


def compare_runs(
    run_a: Run | str,
    run_b: Run | str,
    *,
    metric: str = "r1",
    direction: str = "t2v",
    allow_other_corpus: bool = False,
) -> Comparison:
    """Compare two runs on the queries that both have.

    Args:
        run_a: The run to compare with, or its name.
        run_b: The run whose gain is asked, or its name.
        metric: A name of ``METRICS``.
        direction: ``t2v`` or ``v2t``.
        allow_other_corpus: Compare although the fingerprints differ.

    Raises:
        DataError: Other fingerprint, no shared query, or totals only.
        UnknownNameError: No run is called so; unknown metric or direction.
    """
    run_a, run_b = open_run(run_a), open_run(run_b)
    note = check_same_corpus(run_a, run_b, allow_other_corpus)
    test = paired_test(run_a, run_b, metric, direction=direction)
    on_text = tests_on_text([(run_a, run_b)], metric, direction)[0]
    tables = [
        query_table(run, direction, metric).assign(rank=run.rank(direction)).set_index("id") for run in (run_a, run_b)
    ]
    shared = shared_ids(tables[0].index, tables[1].index)
    if test.n_unshared:
        note += f" {counted(len(shared), 'shared query is', 'shared queries are')} compared; "
        note += f"{counted(test.n_unshared, 'stands', 'stand')} in one run only."
    a, b = (table.loc[shared] for table in tables)
    groups = query_groups(run_a, direction, shared.to_numpy())
    texts = run_a.queries.drop_duplicates("caption_id").set_index("caption_id")["text"]
    text = texts.reindex(shared).to_numpy() if direction == "t2v" else shared.to_numpy()
    table = pd.DataFrame({
        "id": shared, "text": text, "domain": groups["domain"].to_numpy(),
        "rank_a": a["rank"].to_numpy(), "rank_b": b["rank"].to_numpy(), **_outcomes(a, b),
    })  # fmt: skip
    note += _said_ties(table, run_a.name, run_b.name)
    agreement, order = agreement_of(run_a, run_b, a, b)
    effects = {
        "odds_ratio": test.odds_ratio,
        "cliffs_delta": cliffs_delta(table["rank_a"].to_numpy(), table["rank_b"].to_numpy()),
        **order,
    }
    known = {MICRO: test} | ({} if on_text is None else {WITH: on_text})
    return Comparison(
        table, test, compared_domains(a, b, groups, metric),
        compared_parts(a, b, groups, _slices(run_a, direction), metric, known), agreement, effects,
        verdict(test, run_a.name, run_b.name, on_text=on_text), note.strip(),
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
    are, them = ("is", "it") if n_tied == 1 else ("are", "them")
    return (
        f" {n_tied} of {counted(len(table), 'query')} {are} tied for the first place ({of}): right by "
        f"chance, so neither won nor lost; R@1 counts {them} by that chance."
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


def _slices(run: Run, direction: str) -> dict[str, pd.Series]:
    """The part of each query by what divides them: scene-text queries, and columns of the captions where at hand."""
    by_text = slices(run)[direction].get(V1)
    found = {} if by_text is None else {"": by_text}
    corpus = corpus_of_run(run)[0] if direction == "t2v" else None
    names = [] if corpus is None else [name for name in slice_columns(corpus) if name not in SLICES]
    return found | {name: slice_values(run, name, direction, corpus) for name in names}
