"""Every failed query with its causes: what triggered each, and which one comes first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis.artefacts import duplicate_caption, near_duplicate_video, same_source, tied
from workbench.analysis.causes import CAUSES
from workbench.analysis.content import cross_domain, visual_in_domain
from workbench.analysis.failed import Failed, Found, failed_queries
from workbench.analysis.hubs import anti_hub, hub
from workbench.analysis.run_texts import readings_of
from workbench.analysis.scene_text import cues_of, losses_of, text_causes, untold
from workbench.core.errors import DataError, StateError
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run
from workbench.evaluation.runs.tables import query_groups

COLUMNS = [
    "query_id", "caption_id", "text", "domain", "source_id", "rank", "right_video_id", "top_video_id", "top_caption_id",
    "top_domain", "margin", "cause", "causes", "evidence",
]  # fmt: skip


def failures(
    run: Run,
    *,
    k: int = 1,
    direction: str = "t2v",
    hub_sd: float = 3.0,
    hub_share: float = 2.0,
    near_duplicate: float = 0.95,
    near: float = 0.67,
    shared: float = 0.5,
    corpus: Corpus | None = None,
) -> pd.DataFrame:
    """Queries whose expected rank is greater than ``k``, with computed causes.

    Args:
        run: A run with its similarity.
        k: A query fails when its rank is greater.
        direction: ``t2v`` (queries are captions) or ``v2t`` (videos).
        hub_sd: An item is a hub when its 10-occurrence exceeds mean + ``hub_sd`` standard deviations ...
        hub_share: ... and ``hub_share`` times 10.
        near_duplicate: Two videos are near duplicates when their columns of scores correlate at least so much.
        near: A read word is a misreading of a caption's word when they are at least so similar, above 0 and up to 1.
        shared: A word that the model had was ignored when a smaller share of the wrong items above has it too.
        corpus: The run's corpus, for its texts; None = find it. Causes that it cannot tell about are left out, and
            ``not_computed`` names them.

    Returns:
        query_id, caption_id, text, domain, source_id, rank, right_video_id, top_video_id (best wrong), top_caption_id
        (v2t: the best wrong caption, else null), top_domain, margin (score of the right item minus that of the best
        wrong one), cause (primary), causes (all, in the order of ``CAUSES``), evidence (a sentence); worst rank first.

    Raises:
        StateError: The run holds totals only.
        DataError: ``k`` below 1, ``near`` or ``shared`` out of its range, or a corpus that the run was not made on.

    Source of the taxonomy: ``docs/design.md`` 4.3; hubs by k-occurrence: Radovanovic et al., JMLR 2010.
    """
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids to see its failures.")
    if k < 1:
        raise DataError(f"k is {k}; ranks start at 1.", "Give k = 1 or more.")
    for name, value in (("near", near), ("shared", shared)):
        if not 0 < value <= 1:
            raise DataError(f"{name} is {value}.", "Give a number above 0 and up to 1.")
    failed, readings = failed_queries(run, direction, k), readings_of(run, corpus)
    cues = cues_of(failed, readings)
    losses = losses_of(failed, readings, cues, near, shared)
    of_data = {"duplicate_caption": duplicate_caption(failed), "same_source": same_source(failed)}
    of_scores = {
        "near_duplicate_video": near_duplicate_video(failed, near_duplicate),
        "tied": tied(failed),
        **text_causes(losses, readings, direction),
        "hub": hub(failed, hub_sd, hub_share),
        "anti_hub": anti_hub(failed),
        "cross_domain": cross_domain(failed),
        "visual_in_domain": visual_in_domain(failed, readings, cues, losses),
    }
    of_scores = {cause: (holds & failed.scored, why) for cause, (holds, why) in of_scores.items()}
    return _assemble(failed, {**of_data, **of_scores})


def not_computed(run: Run, corpus: Corpus | None = None) -> dict[str, str]:
    """The causes that ``failures`` cannot look for in a run, each with the reason as a sentence.

    Args:
        run: The run.
        corpus: Its corpus; None = find it.

    Raises:
        DataError: The given corpus is not the one that the run was made on.
    """
    said = {name: "Not part of this version." for name, cause in CAUSES.items() if not cause.computed}
    if run.gallery["source_id"].isna().all():
        said["same_source"] = "The corpus does not state which videos share a source."
    if run.similarity is None:
        said["near_duplicate_video"] = f"Run {run.name} keeps no similarity matrix."
    if run.gallery["domain"].isna().all():
        said |= dict.fromkeys(("cross_domain", "visual_in_domain"), "The corpus states no domains.")
    said |= untold(readings_of(run, corpus), run.name)
    return {cause: said[cause] for cause in CAUSES if cause in said}


def not_computed_by_reason(run: Run, corpus: Corpus | None = None) -> dict[str, list[str]]:
    """``not_computed`` the other way round: the causes that each reason stands for."""
    said: dict[str, list[str]] = {}
    for cause, reason in not_computed(run, corpus).items():
        said.setdefault(reason, []).append(cause)
    return said


def _assemble(failed: Failed, found: dict[str, Found]) -> pd.DataFrame:
    ordered = [(cause, *found[cause]) for cause in CAUSES if cause in found]
    causes, evidence = [], []
    for i in range(len(failed.table)):
        held = [(cause, why) for cause, holds, why in ordered if holds[i]]
        causes.append([cause for cause, _ in held] or ["unexplained"])
        sentences = [why(i) for _, why in held] or [_unexplained(failed, i)]
        evidence.append(_upper("; ".join(sentences)))
    table = failed.table
    groups = query_groups(failed.run, failed.direction, table["id"].to_numpy())
    best_wrong = _best_wrong_score(failed)
    return pd.DataFrame({
        "query_id": table["id"], "caption_id": failed.captions("caption_id", failed.right_caption),
        "text": failed.captions("text", failed.right_caption), "domain": groups["domain"],
        "source_id": groups["source_id"], "rank": table["rank"],
        "right_video_id": failed.videos("video_id", failed.right_video),
        "top_video_id": failed.videos("video_id", failed.top_video),
        "top_caption_id": failed.captions("caption_id", failed.top_caption),
        "top_domain": failed.videos("domain", failed.top_video), "margin": table["score_right"] - best_wrong,
        "cause": pd.Series([one[0] for one in causes], dtype="str"), "causes": causes,
        "evidence": pd.Series(evidence, dtype="str"),
    }, columns=COLUMNS)  # fmt: skip


def _unexplained(failed: Failed, i: int) -> str:
    if failed.scored[i]:
        return "none of the causes that can be computed here holds"
    reason = failed.videos("reason", failed.right_video[i : i + 1])[0]
    return "the right video was not scored" + ("" if pd.isna(reason) else f": {str(reason).rstrip('.')}")


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _best_wrong_score(failed: Failed) -> np.ndarray:
    wanted = failed.top_video if failed.direction == "t2v" else failed.top_caption
    pairs = zip(failed.table["top_columns"], failed.table["top_scores"], wanted, strict=True)
    return np.asarray(
        [next((s for c, s in zip(cs, ss, strict=True) if c == w), np.nan) for cs, ss, w in pairs], dtype=float
    )
