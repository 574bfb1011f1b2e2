"""Every failed query with its causes: what triggered each, and which one comes first."""

from __future__ import annotations

import json
from collections.abc import Callable

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
from workbench.analysis.causes.content import cross_domain, fine_grained, negation_counting, temporal, visual_in_domain
from workbench.analysis.causes.cues import Cues
from workbench.analysis.causes.failed import Failed, Found, failed_queries
from workbench.analysis.causes.geometry import anti_hub, coin_flip, hub, tied
from workbench.analysis.causes.material import Material, material_of
from workbench.analysis.causes.misleading import number_swap, ocr_distractor, ocr_flood, script_mismatch
from workbench.analysis.causes.query_form import non_english, rare_words, truncated
from workbench.analysis.causes.related import Others
from workbench.analysis.causes.scene_text import LOSSES
from workbench.analysis.causes.seen import places_of
from workbench.analysis.causes.thresholds import thresholds_of
from workbench.analysis.causes.untold import untold
from workbench.analysis.reading.run_texts import Readings
from workbench.core.errors import DataError, StateError
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run, open_run
from workbench.evaluation.runs.tables import query_groups

COLUMNS = [
    "query_id", "caption_id", "text", "domain", "source_id", "rank", "right_video_id", "top_video_id", "top_caption_id",
    "top_domain", "margin", "cause", "causes", "evidence", "places",
]  # fmt: skip

OF_DATA = ("duplicate_caption", "same_source")
"""Causes that hold whether or not the right item was scored."""
IN_DOMAIN = "visual_in_domain"
Criterion = Callable[[Failed, Material, Cues], Found]
CRITERIA: dict[str, Criterion] = {
    "duplicate_caption": duplicate_caption, "same_source": same_source, "near_duplicate_video": near_duplicate_video,
    "false_negative": false_negative, "underspecified": underspecified, "label_suspect": label_suspect,
    **LOSSES,
    "ocr_distractor": ocr_distractor, "ocr_flood": ocr_flood, "number_swap": number_swap,
    "script_mismatch": script_mismatch,
    "negation_counting": negation_counting, "temporal": temporal, "fine_grained": fine_grained,
    "tied": tied, "hub": hub, "anti_hub": anti_hub, "coin_flip": coin_flip,
    "truncated": truncated, "non_english": non_english, "rare_words": rare_words,
    "cross_domain": cross_domain, IN_DOMAIN: visual_in_domain,
}  # fmt: skip
"""What each cause is told by; ``unexplained`` is what is left."""


def failures(
    run: Run | str,
    *,
    k: int = 1,
    direction: str = "t2v",
    corpus: Corpus | str | None = None,
    others: Others = None,
    **thresholds: float,
) -> pd.DataFrame:
    """Queries whose expected rank is greater than ``k``, with computed causes.

    Args:
        run: A run with its similarity, or its name; so with the corpus and the other runs.
        k: A query fails when its rank is greater.
        direction: ``t2v`` (queries are captions) or ``v2t`` (videos).
        corpus: The run's corpus, for its texts; None = find it. Causes that cannot be told are left out, and
            ``not_computed`` names them.
        others: Other models on the same split, and seeds or counterfactuals from elsewhere, beside the seeds and
            counterfactuals that this workspace holds; None = these alone, () = not even these; a ``Related`` =
            exactly its runs.
        **thresholds: Any of ``THRESHOLDS``.

    Returns:
        query_id, caption_id, text, domain, source_id, rank, right_video_id, top_video_id (best wrong), top_caption_id
        (v2t: the best wrong caption, else null), top_domain, margin (score of the right item minus that of the best
        wrong one), cause (primary), causes (all: those that may be primary in the order of ``CAUSES``, or
        ``unexplained``; then the others), evidence (a sentence), places (where the
        words of the evidence stand, as JSON: a list of cause, word, video_id, text_id, frame, time_s, the first ones of
        each word; ``evidence_boxes`` adds their boxes); worst rank first.

    Raises:
        StateError: The run holds totals only.
        DataError: ``k`` below 1, a threshold out of its range, or a corpus or run that does not belong to this one.
        UnknownNameError: No threshold is called so.

    Source of the taxonomy: ``docs/design.md`` 4.3; criteria: ``docs/failures.md``.
    """
    run = open_run(run)
    _check(run, k)
    material = material_of(run, corpus, others, thresholds_of(thresholds))
    failed = failed_queries(run, direction, k)
    return _assemble(failed, found_causes(failed, material), material.readings)


def found_causes(failed: Failed, material: Material) -> dict[str, Found]:
    """All causes that can be told, by name."""
    cues, unknown = Cues(failed, material), untold(material)
    found = {cause: one(failed, material, cues) for cause, one in CRITERIA.items() if cause not in unknown}
    found = {cause: one if cause in OF_DATA else one._replace(holds=one.holds & failed.scored)
             for cause, one in found.items()}  # fmt: skip
    if seen := found.get(IN_DOMAIN):
        why = [_leading(one) for cause, one in found.items() if CAUSES[cause].family in (ARTEFACT, TEXT)]
        found[IN_DOMAIN] = seen._replace(holds=seen.holds & ~np.any(why, axis=0))
    return found


def _leading(found: Found) -> np.ndarray:
    """Where a cause holds and may be primary, bool [failed]."""
    return found.holds if found.leads is None else found.holds & found.leads


def not_computed(
    run: Run | str,
    corpus: Corpus | str | None = None,
    others: Others = None,
    **thresholds: float,
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
    said = untold(material_of(open_run(run), corpus, others, thresholds_of(thresholds)))
    return {cause: said[cause] for cause in CAUSES if cause in said}


def not_computed_by_reason(
    run: Run | str,
    corpus: Corpus | str | None = None,
    others: Others = None,
    **thresholds: float,
) -> dict[str, list[str]]:
    """``not_computed`` the other way round: the causes that each reason stands for."""
    said: dict[str, list[str]] = {}
    for cause, reason in not_computed(run, corpus, others, **thresholds).items():
        said.setdefault(reason, []).append(cause)
    return said


def _check(run: Run, k: int) -> None:
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids to see its failures.")
    if not isinstance(k, int | np.integer) or k < 1:
        raise DataError(f"k is {k}; ranks start at 1.", "Give a whole number of 1 or more.")


def _assemble(failed: Failed, found: dict[str, Found], readings: Readings) -> pd.DataFrame:
    causes, evidence, places = [], [], []
    noted = [(one.holds, one.note) for one in found.values() if one.note is not None]
    for i, (own, leads) in enumerate(_held(failed, found)):
        causes.append(["unexplained"] * (not leads) + [cause for cause, _ in own])
        sentences = ([] if leads else [_unexplained(failed, i)]) + [one.why(i) for _, one in own]
        sentences += [said for holds, note in noted if not holds[i] and (said := note(i))]
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


def _held(failed: Failed, found: dict[str, Found]) -> list[tuple[list[tuple[str, Found]], bool]]:
    """The causes of each failed query, those that may be primary first, and whether there is one."""
    first: list[list[tuple[str, Found]]] = [[] for _ in range(len(failed.table))]
    rest: list[list[tuple[str, Found]]] = [[] for _ in range(len(failed.table))]
    for cause, one in ((cause, found[cause]) for cause in CAUSES if cause in found):
        leading = _leading(one)
        for i in np.flatnonzero(one.holds).tolist():
            (first if leading[i] else rest)[i].append((cause, one))
    return [(leads + others, bool(leads)) for leads, others in zip(first, rest, strict=True)]


def _unexplained(failed: Failed, i: int) -> str:
    if failed.scored[i]:
        return "none of the causes that can be computed here explains the rank"
    reason = failed.videos("reason", failed.right_video[i : i + 1])[0]
    return f"{failed.called.right} was not scored" + ("" if pd.isna(reason) else f": {str(reason).rstrip('.')}")


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
