"""Commands that look into runs: compare, failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pandas as pd
import typer

from workbench.cli.common import AsJson, key_values, say, show_json, show_table
from workbench.core.words import number
from workbench.evaluation import Run, open_run
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.statistics.groups import open_side


def compare(
    run_a: Annotated[str, typer.Argument(help="A run, or a group of seeds: what the others are compared with.")],
    others: Annotated[list[str], typer.Argument(help="One or several more.")],
    metric: Annotated[str, typer.Option(help=f"{', '.join(METRICS)}.")] = "r1",
    direction: Annotated[str, typer.Option(help="t2v, v2t, or both (for sum_recall).")] = "t2v",
    allow_other_corpus: Annotated[
        bool, typer.Option("--allow-other-corpus", help="Compare across fingerprints.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Which run is better, by how much, and whether beyond noise; of two runs also the difference per domain."""
    from workbench.analysis import compare_many, compare_runs

    first, rest = open_side(run_a), [open_side(name) for name in others]
    options: Any = {"metric": metric, "direction": direction, "allow_other_corpus": allow_other_corpus}
    if len(rest) > 1 or direction == "both" or not (isinstance(first, Run) and isinstance(rest[0], Run)):
        return show_family(*compare_many(first, rest, **options), as_json)
    result = compare_runs(first, rest[0], **options)
    if as_json:
        domains = result.by_domain.to_dict("records")
        show_json(
            {
                "verdict": result.verdict,
                "test": vars(result.test),
                "overlap": result.overlap,
                "effects": result.effects,
                "parts": result.parts.to_dict("records"),
                "by_domain": domains,
            }
        )
        return
    say(result.verdict)
    if result.note:
        say(result.note)
    say(said_effects(result.effects))
    show_table(result.parts.drop(columns="kind"), digits=3)
    show_table(result.by_domain, empty="The corpus states no domains.")


def said_effects(effects: Mapping[str, float]) -> str:
    """``Comparison.effects`` in one line."""
    return (
        f"Effect: wins per loss (odds ratio) {number(effects['odds_ratio'], '.2f')}; Cliff's delta of ranks "
        f"{effects['cliffs_delta']:+.3f}. Same lists? Rank-biased overlap {effects['rbo']:.3f}, Kendall's tau "
        f"{effects['tau']:.3f}; 1 = the same order."
    )


def show_family(table: pd.DataFrame, sentences: list[str], as_json: bool) -> None:
    """Several runs against one: the sentence of each test, and the table with Holm's correction."""
    if as_json:
        show_json({"family": table.to_dict("records"), "verdicts": sentences})
        return
    for sentence in sentences:
        say(sentence)
    if len(table) > 1:
        show_table(table.drop(columns=["minimum_detectable", "odds_ratio"]), digits=3)
        say(f"Sentences and verdicts hold after Holm's correction over these {len(table)} tests (p_holm).")


def failures(
    run: Annotated[str, typer.Argument(help="A run.")],
    k: Annotated[int, typer.Option(help="A query fails when its rank is greater than K.")] = 1,
    direction: Annotated[str, typer.Option(help="t2v or v2t.")] = "t2v",
    domain: Annotated[str | None, typer.Option(help="Only this domain.")] = None,
    cause: Annotated[str | None, typer.Option(help="Only this cause.")] = None,
    other: Annotated[
        list[str] | None, typer.Option(help="Another run on the split that tells more of it; may be repeated.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Threshold of a cause, e.g. near=0.8; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Rows to print; 0 = all.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Every failed query with its computed cause and the evidence for it."""
    from workbench.analysis import CAUSES, coverage, not_computed_by_reason
    from workbench.analysis import failures as find_failures
    from workbench.analysis.causes.thresholds import thresholds_of
    from workbench.core.lookup import pick

    if cause is not None:
        pick(CAUSES, cause, "cause")
    opened = open_run(run)
    changed = key_values(set_ or [], "near=0.8")
    thresholds_of(changed)
    options: Any = {"others": other, **changed}
    table = find_failures(opened, k=k, direction=direction, **options)
    told = coverage(table)
    for column, wanted in (("domain", domain), ("cause", cause)):
        if wanted is not None:
            table = table[table[column] == wanted]
    shown = table if limit == 0 else table.head(limit)
    if as_json:
        show_json(shown.to_dict("records"))
    else:
        columns = ["query_id", "rank", "text", "top_video_id", "cause", "evidence"]
        named = shown[columns].assign(cause=[CAUSES[one].label for one in shown["cause"]])
        show_table(named, empty="No failed query.")
        why = f" The causes of {100 * told:.0f} % of all of them say why." if told == told else ""
        say(f"{len(shown)} of {len(table)} failed queries shown.{why}")
        for reason, unknown in not_computed_by_reason(opened, **options).items():
            say(f"Not looked for: {', '.join(CAUSES[one].label for one in unknown)}. {reason}")
