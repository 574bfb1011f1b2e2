"""All runs on one split in one table, and the sentence that says which is better and whether beyond noise."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from workbench.evaluation.rescoring.protocol import seen_level
from workbench.evaluation.runs import Run
from workbench.evaluation.statistics import PairedTest, paired_test, verdict

METRICS = {"r1": "R@1", "r5": "R@5", "r10": "R@10", "median_rank": "MdR", "mean_rank": "MnR"}
ORDER_BADGES = {
    "ids": "order by ids",
    "checked": "order checked",
    "declared": "order declared",
    "unverified": "order not verifiable",
    "contradicted": "order unknown: totals only",
}
MANY_TIES = 0.001


def leaderboard(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per finished run: those that have seen nothing first, then train, then test queries; best t2v R@1 first.

    Returns:
        run, t2v_r1 ... v2t_mean_rank, t2v_r1_low, t2v_r1_high, v2t_r1_low, v2t_r1_high (95 %, null = one source only),
        clustered, n_queries, n_tied, scoring, sees, scoring_label, order, order_label, totals_only, warning.
    """
    rows = [_row(run) for run in runs if run.state == "finished"]
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    best = table.sort_values("t2v_r1", ascending=False, kind="stable")
    return best.sort_values("sees", key=lambda sees: sees.map(seen_level), kind="stable", ignore_index=True)


def scoring_label(run: Run) -> str:
    """How scores were made and what that has seen: ``raw``, ``DSL, saw test queries``, ``RRF, t2v only``."""
    protocol = run.protocol
    saw = "" if protocol["sees"] == "nothing" else f", saw {protocol['sees']}"
    direction = protocol.get("direction", "both")
    return f"{protocol['scoring']}{'' if direction == 'both' else f', {direction} only'}{saw}"


def _seen(run: Run) -> int:
    return seen_level(run.protocol["sees"])


def _row(run: Run) -> dict[str, object]:
    row: dict[str, object] = {"run": run.name}
    for direction in ("t2v", "v2t"):
        metrics = run.metrics[direction]
        row |= {f"{direction}_{name}": metrics[name] for name in METRICS}
        low, high = metrics["interval"]["r1"] or (None, None)
        row |= {f"{direction}_r1_low": low, f"{direction}_r1_high": high}
    t2v = run.metrics["t2v"]
    row |= {
        "clustered": t2v["interval"]["clustered"], "n_queries": t2v["n_queries"], "n_tied": t2v["n_tied"],
        "scoring": run.protocol["scoring"], "sees": run.protocol["sees"],
        "scoring_label": scoring_label(run), "order": run.order["how"],
        "order_label": ORDER_BADGES[run.order["how"]], "totals_only": run.totals_only, "warning": _warning(run),
    }  # fmt: skip
    return row


def _warning(run: Run) -> str:
    t2v = run.metrics["t2v"]
    said = []
    if run.totals_only:
        said.append("its rows cannot be tied to captions: totals only")
    if t2v["n_tied"] > MANY_TIES * t2v["n_queries"]:
        said.append(f"{t2v['n_tied']} of {t2v['n_queries']} queries tie at the right video")
    if t2v["n_missed_unscored"]:
        said.append(f"{t2v['n_missed_unscored']} queries have no scored right video and count as misses")
    if run.order["how"] == "unverified":
        said.append("its order could not be checked")
    return "; ".join([*said, *(one.rstrip(".") for one in run.protocol.get("warnings", []))])


def leaderboard_verdict(runs: Sequence[Run]) -> str:
    """Which run is best at t2v R@1 and whether beyond noise, against every other run that can be compared.

    Only runs that have seen the same (nothing, train queries, test queries) are put side by side: those that have seen
    the least of all that are there. p-values are Holm corrected over the comparisons made.
    """
    able = [run for run in runs if run.state == "finished" and not run.totals_only]
    if not able:
        return "No run here can be compared query by query."
    least = min(map(_seen, able))
    best = max((run for run in able if _seen(run) == least), key=lambda run: run.metrics["t2v"]["r1"])
    rivals = [
        r for r in able if r is not best and r.protocol["sees"] == best.protocol["sees"] and r.split == best.split
    ]
    left_out = len([run for run in runs if run.state == "finished"]) - len(rivals) - 1
    rest = f" {left_out} more cannot be compared query by query with it." if left_out else ""
    if not rivals:
        r1 = best.metrics["t2v"]["r1"]
        return f"{best.name} is the only run that can be compared here (t2v R@1 {r1:.1f}).{rest}"
    second = max(rivals, key=lambda run: run.metrics["t2v"]["r1"])
    family = {run.name: paired_test(run, best) for run in rivals}
    return f"{verdict(family[second.name], second.name, best.name)}{_holm(family)}{rest}"


def _holm(family: dict[str, PairedTest]) -> str:
    """How many of the comparisons hold after Holm's correction (Holm 1979); empty for a single one."""
    tests = sorted((test.p, name) for name, test in family.items())
    if len(tests) < 2:
        return ""
    held = 0
    for i, (p, _) in enumerate(tests):
        if p * (len(tests) - i) >= 0.05:
            break
        held += 1
    return f" After Holm's correction it beats {held} of {len(tests)} other runs."
