"""What cannot be told of a run, and why: every cause that needs what the run, its corpus or this workspace lacks."""

from __future__ import annotations

from workbench.analysis.causes.catalogue import CAUSES, TEXT
from workbench.analysis.causes.material import Material
from workbench.analysis.causes.reading_times import ReadingTimes
from workbench.analysis.reading.following import OF_THE_MODEL, SAMPLED

TEXT_CAUSES = tuple(name for name, cause in CAUSES.items() if cause.family == TEXT)
OF_WORDS_HAD = (*OF_THE_MODEL, "ocr_flood")
"""Those that need to know which words the model had."""


def untold(material: Material) -> dict[str, str]:
    """The causes that cannot be looked for, each with the reason as a sentence."""
    run = material.run
    said = _of_text(material)
    if run.gallery["source_id"].isna().all():
        said["same_source"] = "The corpus does not state which videos share a source."
    if run.similarity is None:
        reason = f"Run {run.name} keeps no similarity matrix."
        said |= dict.fromkeys(("near_duplicate_video", "coin_flip"), reason)
    elif not material.related.seeds:
        said["coin_flip"] = (
            "There is no other seed of this run: workbench train RECIPE --seeds 0,1,2 makes a group of them."
        )
    if run.similarity is not None and material.reads_only and not material.related.models:
        said["near_duplicate_video"] = f"Run {run.name} sees no frames: videos of equal text are all alike to it."
    if run.gallery["domain"].isna().all():
        said |= dict.fromkeys(("cross_domain", "visual_in_domain"), "The corpus states no domains.")
    elif material.vision is None:
        said["visual_in_domain"] = f"Run {run.name} keeps no scores of a vision part."
    if not material.caption_words:
        said["truncated"] = f"Run {run.name} does not say how many words its model reads; set caption_words to say it."
    if material.learned is None:
        said["rare_words"] = "The corpus holds no training captions."
    return said


def _of_text(material: Material) -> dict[str, str]:
    """Causes in scene text, and the suspect label, which needs the words that were read."""
    run, readings = material.run, material.readings
    if readings.missing:
        return dict.fromkeys((*TEXT_CAUSES, "label_suspect"), f"{readings.missing} {readings.remedy}")
    if readings.reads is False:
        return dict.fromkeys(TEXT_CAUSES, f"Run {run.name} reads no text.")
    said = {}
    if readings.reads is None:
        said["ocr_distractor"] = f"Run {run.name} does not say whether its model reads text."
    if readings.given is None:
        said |= dict.fromkeys(OF_WORDS_HAD, f"Run {run.name} does not list the words that its model had.")
    if not (times := ReadingTimes(run, readings, 0.0)).told:
        unknown = (
            "has its words from a list, whatever frames it sees" if times.by_list
            else "does not list the frames that its model saw"
        )  # fmt: skip
        said[SAMPLED] = f"Run {run.name} {unknown}, and nobody wrote down what stands in which frame (engine truth)."
    return said
