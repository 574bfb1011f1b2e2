"""Every failed query with its causes: what triggered each, and which one comes first."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from workbench.analysis.causes.artefacts import (
    duplicate_caption,
    false_negative,
    label_suspect,
    near_duplicate_video,
    same_source,
    underspecified,
)  # fmt: skip
from workbench.analysis.causes.catalogue import ARTEFACT, CAUSES, TEXT
from workbench.analysis.causes.content import Details, cross_domain, said_of_top, visual_in_domain
from workbench.analysis.causes.failed import Failed, Found, failed_queries
from workbench.analysis.causes.geometry import coin_flip, hub_that_costs, tied
from workbench.analysis.causes.hubs import anti_hub
from workbench.analysis.causes.material import Material, material_of
from workbench.analysis.causes.misleading import number_swap, ocr_distractor, ocr_flood, script_mismatch
from workbench.analysis.causes.query_form import non_english, rare_words, truncated
from workbench.analysis.causes.scene_text import cues_of, loss_causes, losses_of
from workbench.analysis.causes.seen import places_of
from workbench.analysis.causes.thresholds import thresholds_of
from workbench.analysis.causes.untold import untold
from workbench.analysis.reading.run_texts import Readings
from workbench.core.errors import DataError, StateError
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run
from workbench.evaluation.runs.tables import query_groups

COLUMNS = [
    "query_id", "caption_id", "text", "domain", "source_id", "rank", "right_video_id", "top_video_id", "top_caption_id",
    "top_domain", "margin", "cause", "causes", "evidence", "places",
]  # fmt: skip

OF_DATA = ("duplicate_caption", "same_source")
"""Causes that hold whether or not the right item was scored."""


def failures(
    run: Run,
    *,
    k: int = 1,
    direction: str = "t2v",
    corpus: Corpus | None = None,
    others: Sequence[Run] | None = None,
    **thresholds: float,
) -> pd.DataFrame:
    """Queries whose expected rank is greater than ``k``, with computed causes.

    Args:
        run: A run with its similarity.
        k: A query fails when its rank is greater.
        direction: ``t2v`` (queries are captions) or ``v2t`` (videos).
        corpus: The run's corpus, for its texts; None = find it. Causes that cannot be told are left out, and
            ``not_computed`` names them.
        others: Other runs on the same split: other models, other seeds of its group, its run with shuffled frames.
            None = the seeds and the shuffled run that this workspace holds.
        **thresholds: Any of ``THRESHOLDS``.

    Returns:
        query_id, caption_id, text, domain, source_id, rank, right_video_id, top_video_id (best wrong), top_caption_id
        (v2t: the best wrong caption, else null), top_domain, margin (score of the right item minus that of the best
        wrong one), cause (primary), causes (all, in the order of ``CAUSES``), evidence (a sentence), places (where the
        words of the evidence stand, as JSON: a list of cause, word, video_id, text_id, frame, time_s, the first ones of
        each word; ``evidence_boxes`` adds their boxes); worst rank first.

    Raises:
        StateError: The run holds totals only.
        DataError: ``k`` below 1, a threshold out of its range, or a corpus or run that does not belong to this one.
        UnknownNameError: No threshold is called so.

    Source of the taxonomy: ``docs/design.md`` 4.3; criteria: ``docs/failures.md``.
    """
    _check(run, k)
    material = material_of(run, corpus, others, thresholds_of(thresholds))
    failed = failed_queries(run, direction, k)
    return _assemble(failed, found_causes(failed, material), material.readings)


def found_causes(failed: Failed, material: Material) -> dict[str, Found]:
    """All causes that can be told, by name."""
    limits, readings, unknown = material.thresholds, material.readings, untold(material)
    cues = cues_of(failed, readings)
    losses = losses_of(failed, material, cues)
    said = said_of_top(failed, material)
    details = Details(failed, material, said)
    lost = loss_causes(losses, failed, readings)
    ways: dict[str, Callable[[], Found]] = {
        "duplicate_caption": lambda: duplicate_caption(failed),
        "same_source": lambda: same_source(failed),
        "near_duplicate_video": lambda: near_duplicate_video(failed, material),
        "false_negative": lambda: false_negative(failed, material, cues, said),
        "underspecified": lambda: underspecified(failed, material),
        "label_suspect": lambda: label_suspect(failed, material),
        **{cause: partial(lost.__getitem__, cause) for cause in lost},
        "ocr_distractor": lambda: ocr_distractor(failed, material),
        "ocr_flood": lambda: ocr_flood(failed, material, cues),
        "number_swap": lambda: number_swap(failed, material, cues),
        "script_mismatch": lambda: script_mismatch(failed, material, losses),
        "tied": lambda: tied(failed),
        "hub": lambda: hub_that_costs(failed, limits.hub_sd, limits.hub_share),
        "anti_hub": lambda: anti_hub(failed),
        "coin_flip": lambda: coin_flip(failed, material.related, limits.coin_flip),
        "negation_counting": details.negation_counting,
        "temporal": details.temporal,
        "fine_grained": details.fine_grained,
        "truncated": lambda: truncated(failed, limits.caption_words),
        "non_english": lambda: non_english(failed, limits.foreign),
        "rare_words": lambda: rare_words(failed, material),
        "cross_domain": lambda: cross_domain(failed),
    }
    found = {cause: way() for cause, way in ways.items() if cause not in unknown}
    if "visual_in_domain" not in unknown:
        other = [one.holds for cause, one in found.items() if CAUSES[cause].family in (ARTEFACT, TEXT)]
        found["visual_in_domain"] = visual_in_domain(failed, material, cues, np.any(other, axis=0))
    return {cause: one if cause in OF_DATA else one._replace(holds=one.holds & failed.scored)
            for cause, one in found.items()}  # fmt: skip


def not_computed(
    run: Run, corpus: Corpus | None = None, others: Sequence[Run] | None = None, **thresholds: float
) -> dict[str, str]:
    """The causes that ``failures`` cannot look for in a run, each with the reason as a sentence.

    Args:
        run: The run.
        corpus: Its corpus; None = find it.
        others: As for ``failures``.
        **thresholds: As for ``failures``.

    Raises:
        DataError: The given corpus is not the one that the run was made on.
    """
    said = untold(material_of(run, corpus, others, thresholds_of(thresholds)))
    return {cause: said[cause] for cause in CAUSES if cause in said}


def not_computed_by_reason(run: Run, corpus: Corpus | None = None, **thresholds: float) -> dict[str, list[str]]:
    """``not_computed`` the other way round: the causes that each reason stands for."""
    said: dict[str, list[str]] = {}
    for cause, reason in not_computed(run, corpus, None, **thresholds).items():
        said.setdefault(reason, []).append(cause)
    return said


def _check(run: Run, k: int) -> None:
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids to see its failures.")
    if k < 1:
        raise DataError(f"k is {k}; ranks start at 1.", "Give k = 1 or more.")


def _assemble(failed: Failed, found: dict[str, Found], readings: Readings) -> pd.DataFrame:
    ordered = [(cause, found[cause]) for cause in CAUSES if cause in found]
    held: list[list[tuple[str, Found]]] = [[] for _ in range(len(failed.table))]
    for cause, one in ordered:
        for i in np.flatnonzero(one.holds).tolist():
            held[i].append((cause, one))
    causes, evidence, places = [], [], []
    for i, own in enumerate(held):
        causes.append([cause for cause, _ in own] or ["unexplained"])
        sentences = [one.why(i) for _, one in own] or [_unexplained(failed, i)]
        evidence.append(_upper("; ".join(sentences)))
        found_places = [place for cause, one in own for place in places_of(cause, one.seen(i), readings)]
        places.append(json.dumps(found_places, ensure_ascii=False) if found_places else "[]")
    table = failed.table
    groups = query_groups(failed.run, failed.direction, table["id"].to_numpy())
    _, best_wrong = failed.listed.best_wrong(len(table))
    return pd.DataFrame({
        "query_id": table["id"], "caption_id": failed.captions("caption_id", failed.right_caption),
        "text": failed.captions("text", failed.right_caption), "domain": groups["domain"],
        "source_id": groups["source_id"], "rank": table["rank"],
        "right_video_id": failed.videos("video_id", failed.right_video),
        "top_video_id": failed.videos("video_id", failed.top_video),
        "top_caption_id": failed.captions("caption_id", failed.top_caption),
        "top_domain": failed.videos("domain", failed.top_video), "margin": table["score_right"] - best_wrong,
        "cause": pd.Series([one[0] for one in causes], dtype="str"), "causes": causes,
        "evidence": pd.Series(evidence, dtype="str"), "places": pd.Series(places, dtype="str"),
    }, columns=COLUMNS)  # fmt: skip


def _unexplained(failed: Failed, i: int) -> str:
    if failed.scored[i]:
        return "none of the causes that can be computed here holds"
    reason = failed.videos("reason", failed.right_video[i : i + 1])[0]
    return "the right video was not scored" + ("" if pd.isna(reason) else f": {str(reason).rstrip('.')}")


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
