"""Everything that a report shows, as tables of numbers: from one run, or from two that are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import pandas as pd

from workbench.analysis.breakdown import by_domain
from workbench.analysis.case import open_case
from workbench.analysis.causes.catalogue import CAUSES
from workbench.analysis.causes.failures import failures
from workbench.analysis.causes.oracle import oracle_gain
from workbench.analysis.causes.related import Related, related_to
from workbench.analysis.causes.thresholds import THRESHOLDS, Thresholds, thresholds_of
from workbench.analysis.comparison.compare import Comparison, compare_runs
from workbench.analysis.leaderboard import leaderboard
from workbench.analysis.reading.funnel import FUNNEL_LIMITS, ocr_funnel
from workbench.analysis.structure.confusion import ceiling_of
from workbench.analysis.structure.hubness import SHARES, hubness
from workbench.analysis.tags import fitting
from workbench.core.errors import DataError, StateError
from workbench.core.lookup import pick
from workbench.core.words import counted
from workbench.evaluation.metrics.measures import SHOWN
from workbench.evaluation.runs.notes import read_tags
from workbench.evaluation.runs.run import DIRECTIONS, Run

N_CASES = 6
MOST_CASES = 24
TOP = 3
"""Items of each list that a case shows."""


class Way(NamedTuple):
    """A direction in words: its name, what a query is, what its right item is."""

    title: str
    query: str
    item: str


WAYS = {"t2v": Way("Text to video", "caption", "video"), "v2t": Way("Video to text", "video", "caption")}


@dataclass(frozen=True)
class ReportData:
    """What a report shows.

    Attributes:
        runs: The runs, the one that is reported first.
        direction: ``t2v`` or ``v2t``.
        k: A query fails when its rank is greater.
        cases: Ids of the queries that are shown: captions (t2v) or videos (v2t).
        given: Thresholds that differ from their defaults.
        verdict: One sentence.
        notes: Sentences that a reader must know, e.g. what could not be computed.
        tables: By name, each with an index that says what a row is: ``leaderboard`` (run), ``ceiling`` (direction),
            ``comparison`` (measure), ``differences`` (domain), ``domains`` (run, domain), ``causes`` (run, cause),
            ``funnel`` (run, stage), ``hubs`` (run), ``cases`` (query, run), ``thresholds`` (name). A table is absent
            where nothing can be said.
        tags: What people said of the queries of this direction (``read_tags``). They may say more later, so it is
            none of ``numbers``.
        related: By name of the run, the other runs that its causes were told from.
    """

    runs: tuple[Run, ...]
    direction: str
    k: int
    cases: tuple[str, ...]
    given: dict[str, float]
    verdict: str
    notes: list[str]
    tables: dict[str, pd.DataFrame]
    tags: pd.DataFrame
    related: dict[str, Related]

    def numbers(self) -> dict[str, Any]:
        """Every value of every table by its place ``table / row / column``, as plain JSON values."""
        found: dict[str, Any] = {"verdict": self.verdict}
        for name, table in self.tables.items():
            for row, values in zip(table.index, table.to_dict("records"), strict=True):
                place = " / ".join(map(str, row)) if isinstance(row, tuple) else str(row)
                found |= {f"{name} / {place} / {column}": _plain(value) for column, value in values.items()}
        return found


def report_data(
    run: Run, other: Run | None = None, *, direction: str = "t2v", k: int = 1, cases: Sequence[str] | None = None,
    related: Mapping[str, Related] | None = None, **thresholds: float,
) -> ReportData:  # fmt: skip
    """Compute what a report shows of one direction; leaderboard and ceiling hold both, the funnel has none.

    Args:
        run: The run that is reported.
        other: One that it is compared with, on the same captions.
        direction: ``t2v`` (queries are captions) or ``v2t`` (videos).
        k: A query fails when its rank is greater.
        cases: Queries to show; None = those that changed most between the runs, or the worst failures of the one.
        related: By name of the run, the other runs that its causes are told from; None = those of the workspace.
        **thresholds: Of ``failures``, where they shall not be the defaults.

    Raises:
        DataError: Runs that cannot be compared, too many cases, or a threshold out of range.
        StateError: A run is not finished.
        UnknownNameError: No such query, direction or threshold.
    """
    pick(WAYS, direction, "direction")
    runs = (run,) if other is None else (run, other)
    for one in runs:
        if one.state != "finished":
            raise StateError(f"Run {one.name} is {one.state}.", "Only finished runs can be reported.")
    if cases is not None and len(cases) > MOST_CASES:
        raise DataError(f"{len(cases)} cases make the report too heavy.", f"Show at most {MOST_CASES}.")
    limits = thresholds_of(thresholds)
    compared = None if other is None else compare_runs(run, other, direction=direction)
    asked: dict[str, Any] = {"k": k, "direction": direction, **thresholds}
    able = [one for one in runs if not one.totals_only]
    beside = {one.name: Related() for one in runs}
    beside |= {one.name: related_to(one, None if related is None else related[one.name]) for one in able}
    failed = {one.name: failures(one, others=beside[one.name], **asked) for one in able}
    chosen = tuple(_default_cases(run, direction, k, compared) if cases is None else dict.fromkeys(cases))
    parts: dict[str, Callable[[], pd.DataFrame]] = {
        "leaderboard": lambda: _leaderboard(runs),
        "ceiling": lambda: pd.DataFrame(ceiling_of(run)).T.rename_axis("direction"),
        "comparison": lambda: _comparison(compared),
        "differences": lambda: _differences(compared),
        "domains": lambda: _by_run(runs, lambda one: by_domain(one, direction=direction).set_index("domain")),
        "causes": lambda: _by_run(runs, lambda one: _causes(one, beside[one.name], asked)),
        "funnel": lambda: _by_run(runs, lambda one: _funnel(one, beside[one.name], thresholds)),
        "hubs": lambda: _by_run(runs, lambda one: _hubs(one, direction)).droplevel(1),
        "cases": lambda: _cases(runs, direction, chosen, failed),
        "thresholds": lambda: _thresholds(limits),
    }  # fmt: skip
    tables, notes = {}, []
    for name, make in parts.items():
        try:
            tables[name] = make()
        except StateError as error:
            notes.append(str(error))
    notes += [f"{name}: {warning}." for name, warning in tables["leaderboard"]["warning"].items() if warning]
    kept = {name: table for name, table in tables.items() if len(table)}
    verdict = stated(run, compared, direction)
    return ReportData(runs, direction, k, chosen, dict(thresholds), verdict, list(dict.fromkeys(notes)), kept,
                      _tags(runs, direction), beside)  # fmt: skip


def _tags(runs: Sequence[Run], direction: str) -> pd.DataFrame:
    """What people said of the wrong pairs of these runs, without blind samples."""
    table = read_tags(runs[0].corpus_name)
    here = (table["split"] == runs[0].split) & (table["direction"] == direction) & (table["sample"] == "")
    here &= fitting(table, {runs[0].split: runs[0].fingerprint})
    return table[here & table["run"].isin([run.name for run in runs])].reset_index(drop=True)


def stated(run: Run, compared: Comparison | None, direction: str) -> str:
    """The verdict: of two runs that of their comparison, of one its R@1 with the interval.

    Args:
        run: The run.
        compared: It and another one, in this direction; None = the run by itself.
        direction: ``t2v`` or ``v2t``.
    """
    way = WAYS[direction]
    if compared is not None:
        return compared.verdict if direction == "t2v" else f"{way.title}: {compared.verdict}"
    found = run.metrics[direction]
    low, high = found["interval"].get("r1") or (math.nan, math.nan)
    spread = "" if math.isnan(low) else f" (95 % CI {low:.1f}..{high:.1f})"
    queries = counted(found["n_queries"], way.query)
    right = f"{'the' if direction == 't2v' else 'a'} right {way.item}"
    return f"{run.name} finds {right} first for {found['r1']:.1f} % of {queries}{spread}."


def _leaderboard(runs: Sequence[Run]) -> pd.DataFrame:
    table = pd.concat([leaderboard([run]) for run in runs], ignore_index=True).set_index("run")
    ends = ("", "_low", "_high")
    numbers = [f"{direction}_{name}{end}" for direction in DIRECTIONS for name in SHOWN for end in ends]
    return table[[*numbers, "n_queries", "n_tied", "clustered", "scoring_label", "order_label", "warning"]]


def _by_run(runs: Sequence[Run], make: Callable[[Run], pd.DataFrame]) -> pd.DataFrame:
    """A table of every run, below each other; the run is the first part of the index."""
    return pd.concat({one.name: make(one) for one in runs}, names=["run"])


def _causes(run: Run, beside: Related, asked: Mapping[str, Any]) -> pd.DataFrame:
    table = oracle_gain(run, others=beside, **asked).set_index("cause")
    table = table[(table["n_queries"] > 0) | (table["gain"] > 0)]
    names = {"cause_label": "label", "n_queries": "n", "gain": "gain", "reached": "reached"}
    return table[list(names)].rename(columns=names)


def _funnel(run: Run, beside: Related, thresholds: Mapping[str, float]) -> pd.DataFrame:
    own: dict[str, Any] = {name: value for name, value in thresholds.items() if name in FUNNEL_LIMITS}
    return ocr_funnel(run, others=beside, **own).table().set_index("stage")


def _hubs(run: Run, direction: str) -> pd.DataFrame:
    found = hubness(run, direction=direction)
    return pd.DataFrame([{name: getattr(found, name) for name in SHARES}])


def _comparison(found: Comparison | None) -> pd.DataFrame:
    if found is None:
        return pd.DataFrame()
    test = found.test
    values = {
        "difference": test.difference, "low": test.interval[0], "high": test.interval[1], "p": test.p,
        "wins": test.wins, "losses": test.losses, "undecided": test.undecided,
        "minimum_detectable": test.minimum_detectable,
        "top10_common": float(found.agreement[found.agreement["k"] <= 10].iloc[-1]["common"]),
        "top10_shared": found.overlap["top10"], "phi": found.overlap["phi"],
    }  # fmt: skip
    return pd.DataFrame({"value": pd.Series(values, dtype=float)}).rename_axis("measure")


def _differences(found: Comparison | None) -> pd.DataFrame:
    return pd.DataFrame() if found is None else found.by_domain.set_index("domain")


def _thresholds(limits: Thresholds) -> pd.DataFrame:
    rows = [(getattr(limits, name), one.unit, one.sentence) for name, one in THRESHOLDS.items()]
    return pd.DataFrame(rows, pd.Index(THRESHOLDS, name="name"), columns=["value", "unit", "sentence"])


def _default_cases(run: Run, direction: str, k: int, compared: Comparison | None) -> list[str]:
    """The queries that changed most, wins first; of one run its worst failures."""
    if run.totals_only:
        return []
    if compared is None:
        ranks = pd.Series(run.rank(direction), run.per(direction)["id"])
        return ranks[ranks > k].sort_values(ascending=False, kind="stable").index[:N_CASES].to_list()
    table = compared.table.assign(gap=compared.table["rank_a"] / compared.table["rank_b"])
    table = table.sort_values("gap", kind="stable")
    won = table[table["outcome"] == "win"]["id"][::-1].head(N_CASES // 2)
    return [*won, *table[table["outcome"] == "loss"]["id"].head(N_CASES // 2)]


def _cases(
    runs: Sequence[Run], direction: str, queries: Sequence[str], failed: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """One row per query and run: text (v2t: the video), rank, right items, cause with its evidence, the first items."""
    rows = []
    why = {name: table.set_index("query_id") for name, table in failed.items()}
    for query, run in product(queries, runs):
        case = open_case(run, query, direction, TOP)
        own = why[run.name].loc[query] if query in why[run.name].index else None
        rows.append({
            "text": case.title, "rank": case.rank, "right": ", ".join(case.right_ids),
            "cause": None if own is None else CAUSES[str(own["cause"])].label,
            "evidence": None if own is None else own["evidence"], "first": ", ".join(case.listed_ids),
        })  # fmt: skip
    order = pd.MultiIndex.from_product([queries, [run.name for run in runs]], names=["query", "run"])
    return pd.DataFrame(rows, order)


def _plain(value: Any) -> Any:
    """A value of a table as JSON holds it."""
    if hasattr(value, "item"):
        value = value.item()
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value
