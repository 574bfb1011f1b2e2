"""All runs on one split in one table, and the sentence that says which is better and whether beyond noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.beside import beside
from workbench.core.lookup import pick
from workbench.core.words import counted
from workbench.evaluation.metrics.measures import METRICS, SHOWN
from workbench.evaluation.rescoring.protocol import seen_level
from workbench.evaluation.runs.run import DIRECTIONS, Run, open_run
from workbench.evaluation.statistics.families import paired_tests
from workbench.evaluation.statistics.groups import SeedGroup, seed_groups, seed_summary
from workbench.evaluation.statistics.sides import members, without_source
from workbench.evaluation.statistics.text_half import tests_on_text

ORDER_BADGES = {
    "ids": "order by ids",
    "checked": "order checked",
    "declared": "order declared",
    "unverified": "order not verifiable",
    "contradicted": "order unknown: totals only",
}
MANY_TIES = 0.001


def leaderboard(runs: Sequence[Run | str], metrics: Sequence[str] = SHOWN, *, seeds: bool = False) -> pd.DataFrame:
    """One row per finished run or group of seeds: those that have seen nothing first, then train, then test queries.

    Within those the best t2v R@1 comes first. Counterfactuals (``ablation``) do not compete and come last.

    Args:
        runs: Runs on one split, or their names.
        metrics: Names of ``METRICS``; R@1 is always there.
        seeds: Show the single runs of every group beneath it.

    Returns:
        run; t2v_r1 ... for each metric and direction, with ``_low`` and ``_high`` (95 % interval over queries; null =
        one source only, or not stored by an older version), for groups ``_min``, ``_max`` and ``_sd`` over seeds;
        both_sum_recall with the same; t2v_r1_macro, t2v_r1_text, ... with ``_low`` and ``_high`` (``beside.BESIDE``:
        each domain counts alike; queries of ``scene-text-query v1`` alone; null = no domains are stated, or these are
        all queries or none); n_seeds, group (of a run shown beneath), ablation (of a counterfactual; else empty),
        clustered, n_queries, n_tied, scoring, sees, scoring_label, order, order_label, totals_only, warning.

    Raises:
        UnknownNameError: Unknown metric.
    """
    names = list(dict.fromkeys(["r1", *(name for name in metrics if pick(METRICS, name, "metric"))]))
    rows, sides = [], []
    for one in seed_groups([run for run in map(open_run, runs) if run.state == "finished"]):
        beneath = one.runs if seeds and isinstance(one, SeedGroup) else ()
        rows.append([_row(one, names), *({**_row(run, names), "group": one.name} for run in beneath)])
        sides += [members(one), *((run,) for run in beneath)]
    for row, more in zip([row for own in rows for row in own], beside(sides), strict=True):
        row.update(more)
    rows.sort(key=lambda own: (own[0]["ablation"] != "", seen_level(own[0]["sees"]), -own[0]["t2v_r1"]))
    return pd.DataFrame([row for own in rows for row in own])


def scoring_label(run: Any) -> str:
    """How scores were made and what that has seen: ``raw``, ``DSL, saw test queries``, ``RRF, t2v only``."""
    protocol = run.protocol
    saw = "" if protocol["sees"] == "nothing" else f", saw {protocol['sees']}"
    direction = protocol.get("direction", "both")
    return f"{protocol['scoring']}{'' if direction == 'both' else f', {direction} only'}{saw}"


def ablation_of(one: Run | SeedGroup) -> str:
    """What was changed on purpose in a counterfactual, which therefore competes with nothing; "" = nothing was.

    Text that another engine has read is an input like any other, and competes; perfect text does not.
    """
    parts = str(members(one)[0].info.get("ablation") or "").split(", ")
    return ", ".join(part for part in parts if part == "ocr truth" or not part.startswith("ocr "))


def _row(one: Run | SeedGroup, names: Sequence[str]) -> dict[str, Any]:
    runs = one.runs if isinstance(one, SeedGroup) else (one,)
    first = runs[0]
    row: dict[str, Any] = {"run": one.name, "n_seeds": len(runs), "group": "", "ablation": ablation_of(one)}
    wanted = [(direction, name) for direction in DIRECTIONS for name in names] + [("both", "sum_recall")]
    for direction, name in wanted:
        numbers = _of_group(one, name, direction) if isinstance(one, SeedGroup) else _of_run(one, name, direction)
        row |= {f"{direction}_{name}{end}": value for end, value in numbers.items()}
    orders = {run.order["how"] for run in runs}
    order = next(how for how in reversed(ORDER_BADGES) if how in orders)
    row |= {
        "clustered": first.metrics["t2v"]["interval"]["clustered"], "n_queries": first.metrics["t2v"]["n_queries"],
        "n_tied": max(run.metrics["t2v"]["n_tied"] for run in runs), "scoring": one.protocol["scoring"],
        "sees": one.protocol["sees"], "scoring_label": scoring_label(one), "order": order,
        "order_label": ORDER_BADGES[order], "totals_only": first.totals_only,
        "warning": "; ".join(dict.fromkeys([*_differing(one), *(said for run in runs for said in _warnings(run))])),
    }  # fmt: skip
    return row


def _of_run(run: Run, name: str, direction: str) -> dict[str, float]:
    """A stored metric and its interval; runs of older versions store few intervals, and no RSum of both."""
    stored = run.metrics.get(direction, {})
    value = stored.get(name, np.nan)
    if direction == "both" and not stored:
        value = sum(run.metrics[one]["sum_recall"] for one in DIRECTIONS)
    low, high = stored.get("interval", {}).get(name) or (np.nan, np.nan)
    return {"": value, "_low": low, "_high": high, "_min": np.nan, "_max": np.nan, "_sd": np.nan}


def _of_group(group: SeedGroup, name: str, direction: str) -> dict[str, float]:
    found = seed_summary(group, name, direction)
    low, high = found.interval
    return {"": found.mean, "_low": low, "_high": high, "_min": found.low, "_max": found.high, "_sd": found.sd}


def _differing(one: Run | SeedGroup) -> list[str]:
    differ = one.differ if isinstance(one, SeedGroup) else []
    return [f"its runs differ in more than the seed: {', '.join(differ)}"] if differ else []


def _warnings(run: Run) -> list[str]:
    t2v = run.metrics["t2v"]
    said = []
    if run.totals_only:
        said.append("its rows cannot be tied to captions: totals only")
    if t2v["n_tied"] > MANY_TIES * t2v["n_queries"]:
        verb = "ties" if t2v["n_tied"] == 1 else "tie"
        said.append(f"{t2v['n_tied']} of {counted(t2v['n_queries'], 'query')} {verb} at the right video")
    if t2v["n_missed_unscored"]:
        one = t2v["n_missed_unscored"] == 1
        has, counts = ("has", "counts as a miss") if one else ("have", "count as misses")
        of = f"{t2v['n_missed_unscored']} of {counted(t2v['n_queries'], 'query')}"
        said.append(f"{of} {has} no scored right video and {counts}")
    if alone := without_source(run):
        verb, own = ("states", "it counts as one") if alone == 1 else ("state", "each counts as one")
        said.append(f"{counted(alone, 'video')} {verb} no source; {own} of its own in intervals and tests")
    if run.order["how"] == "unverified":
        said.append("its order could not be checked")
    return [*said, *(one.rstrip(".") for one in run.protocol.get("warnings", []))]


def leaderboard_verdict(runs: Sequence[Run | str], metric: str = "r1", direction: str = "t2v") -> str:
    """Which run or group of seeds is best and whether beyond noise, against every other that can be compared.

    Only runs that have seen the same (nothing, train queries, test queries) are put side by side: those that have seen
    the least of all that are there. Counterfactuals (``ablation``) do not compete. p-values are Holm corrected over the
    comparisons made; the corrected one is shown and decides.

    Args:
        runs: Runs on one split, or their names.
        metric: A name of ``METRICS`` that decides.
        direction: ``t2v``, ``v2t``, or ``both`` for ``sum_recall``.

    Raises:
        DataError: Another metric over both directions.
        UnknownNameError: Unknown metric or direction.
    """
    chosen = pick(METRICS, metric, "metric")
    every = seed_groups([run for run in map(open_run, runs) if run.state == "finished"])
    finished = [one for one in every if not ablation_of(one)]
    if every and not finished:
        return "No run here competes: all are counterfactuals."
    changed = len(every) - len(finished)
    verb = "does not compete" if changed == 1 else "do not compete"
    apart = f" {counted(changed, 'counterfactual')} {verb}." if changed else ""
    able = [one for one in finished if isinstance(one, SeedGroup) or not one.totals_only]
    if not able:
        return "No run here can be compared query by query."
    least = min(seen_level(one.protocol["sees"]) for one in able)
    sign = 1 if chosen.higher_is_better else -1
    worth = [sign * _value(one, metric, direction) for one in able]
    at = max((i for i, one in enumerate(able) if seen_level(one.protocol["sees"]) == least), key=lambda i: worth[i])
    best = able[at]
    alike = [one.protocol["sees"] == best.protocol["sees"] and one.split == best.split for one in able]
    rivals = [i for i, same in enumerate(alike) if same and i != at]
    left_out = len(finished) - len(rivals) - 1
    rest = f" {left_out} more cannot be compared query by query with it." if left_out else ""
    rest += apart
    if not rivals:
        stated = f"{direction} {chosen.label} {abs(worth[at]):.{chosen.digits}f}"
        return f"{best.name} is the only run that can be compared here ({stated}).{rest}"
    family = paired_tests([(able[i], best) for i in rivals], metric, direction)
    at_second = max(range(len(rivals)), key=lambda i: worth[rivals[i]])
    on_text = tests_on_text([(able[rivals[at_second]], best)], metric, direction)[0]
    held = sum(one.verdict == "better" for one in family)
    beaten = f" After Holm's correction it beats {held} of {len(family)} other runs." if len(family) > 1 else ""
    return f"{family[at_second].sentence(on_text)}{beaten}{rest}"


def _value(one: Run | SeedGroup, metric: str, direction: str) -> float:
    runs = one.runs if isinstance(one, SeedGroup) else (one,)
    return float(np.mean([_of_run(run, metric, direction)[""] for run in runs]))
