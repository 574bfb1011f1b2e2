"""What a paired test says, as a sentence."""

from __future__ import annotations

import math

from workbench.core.words import counted
from workbench.evaluation.metrics.measures import METRICS
from workbench.evaluation.statistics.paired import EQUIVALENT, PairedTest


def verdict(
    test: PairedTest,
    name_a: str,
    name_b: str,
    p_holm: float | None = None,
    n_family: int = 1,
    *,
    on_text: PairedTest | None = None,
) -> str:
    """Difference, interval, p, wins, losses, smallest detectable difference, and what follows, in a sentence.

    Args:
        test: The test.
        name_a: The first side.
        name_b: The second side.
        p_holm: The corrected p, where the test is one of a family: it is shown, and decides.
        n_family: Tests of that family.
        on_text: The same test on scene-text queries alone, for a second sentence.
    """
    metric = METRICS[test.metric]
    label = metric.label + (" t2v + v2t" if test.direction == "both" else "")
    if test.wins + test.losses + test.undecided == 0:
        return f"{name_a} and {name_b} have the same {label} on every one of {test.n_queries} queries."
    digits = metric.digits
    kind = "clustered by source" if test.clustered else "not clustered"
    spread = f"{100 * test.level:g} % CI {_range(test)}, {kind}"
    if math.isnan(test.interval[0]):
        spread = "no interval: all queries come from one source"
    counts = f"{counted(test.wins, 'win')} / {counted(test.losses, 'loss', 'losses')}" + (
        f", {test.undecided} decided only by the order of tied scores" if test.undecided else ""
    )
    facts = (
        f"{name_b}{_seeds(test.seeds_b, digits)} - {name_a}{_seeds(test.seeds_a, digits)} = "
        f"{test.difference:+.{digits}f} {label} ({spread}; {_said_p(test.p, p_holm, n_family)}; {counts}; "
        f"smallest detectable difference {test.minimum_detectable:.{digits}f})"
    )
    said = f"{facts}: {_decided(test, name_a, name_b, test.p if p_holm is None else p_holm)}."
    if on_text is None:
        return said
    found = f"{on_text.difference:+.{digits}f}" + ("" if math.isnan(on_text.interval[0]) else f" ({_range(on_text)})")
    return f"{said} On the {counted(on_text.n_queries, 'scene-text query')} {found}."


def _decided(test: PairedTest, name_a: str, name_b: str, p: float) -> str:
    metric = METRICS[test.metric]
    small = f"{metric.scale * EQUIVALENT:g} {'point' if metric.scale > 1 else metric.label}"
    if not test.holds(p):
        return f"not distinguishable{f', equal within {small}' if test.equivalent else ''}"
    gain = test.difference if metric.higher_is_better else -test.difference
    better = f"{name_b if gain > 0 else name_a} is better, beyond noise"
    if test.seeds_overlap:
        return f"{better} of the queries, but the seeds overlap"
    return f"{better}, but by less than {small}" if test.equivalent else better


def _said_p(p: float, p_holm: float | None, n_family: int) -> str:
    family = "" if p_holm is None or n_family < 2 else f" (Holm, {n_family} tests)"
    shown = p if p_holm is None else p_holm
    return (f"p {shown:.2g}" if shown >= 0.001 else "p < 0.001") + family


def _range(test: PairedTest) -> str:
    digits = METRICS[test.metric].digits
    return "..".join(f"{end:+.{digits}f}" for end in test.interval)


def _seeds(values: tuple[float, ...], digits: int) -> str:
    if len(values) < 2:
        return ""
    return f" ({len(values)} seeds, {min(values):.{digits}f} to {max(values):.{digits}f})"
