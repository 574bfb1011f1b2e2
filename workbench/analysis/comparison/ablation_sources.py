"""Where ablations of a run come from: counterfactual and re-scored runs beside it, and what its stored scores allow."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis.reading.run_texts import Readings
from workbench.core.errors import DataError, StateError
from workbench.core.workspace import workspace
from workbench.evaluation.rescoring import Rescored, fuse_scores, weighted_rank_fusion
from workbench.evaluation.runs.corpora import corpus_of_run
from workbench.evaluation.runs.run import Run, same_axes, similarity_of
from workbench.evaluation.runs.whole import trouble_of

MOST_CELLS = 1 << 26
"""Of a matrix that is re-scored while somebody waits: one more of it in memory, 256 MiB."""
OCR = "ocr"
WITHOUT_OCR, PERFECT_OCR, SHUFFLED = "without ocr", "ocr truth", "frames shuffled"
COUNTERFACTUALS = {WITHOUT_OCR: "Without OCR", PERFECT_OCR: "Perfect OCR", SHUFFLED: "Frames shuffled"}
"""Names on screens by what ``run.json`` says under ``ablation``."""
OPTIONS = {WITHOUT_OCR: ["--without", "ocr"], PERFECT_OCR: ["--ocr", "truth"], SHUFFLED: ["--frames", "shuffled"]}
SUMS, RANK_SUMS = ("sum", "weighted sum"), ("RRF", "weighted RRF")
FUSED = "other weights"
HUBS = "corrected for hubs"
SAMPLE = 16
VAL = "val"
MOST_NAME = 50
"""Letters of a run's name in the name of one made of it."""


@dataclass(frozen=True)
class Kin:
    """A run beside another one that differs from it in one thing.

    Attributes:
        id: What differs: ``run.json``'s ``ablation``, or how it was re-scored.
        label: Its name on screens.
        run: The run.
        how: How it was made, and on what its weights were chosen.
    """

    id: str
    label: str
    run: Run
    how: str


def kin_of(run: Run) -> Iterator[Kin]:
    """Finished runs of the workspace over the same captions and videos that differ in one thing, newest first."""
    found = [other for name, path in workspace().names("runs").items() if name != run.name and (other := _opened(path))]
    for other in sorted(found, key=lambda one: str(one.info.get("created", "")), reverse=True):
        told = (_counterfactual(run, other) or _rescored(run, other)) if _same_split(run, other) else None
        if told and not trouble_of(other) and same_axes(run, other):
            yield told


def same_scores(run: Run, file: str) -> Iterator[Run]:
    """Others of a run's very model on the same split that rank every caption's videos alike, and hold a file.

    Args:
        run: The run.
        file: A name in the folder of a run.
    """
    for name, path in workspace().names("runs").items():
        other = None if name == run.name or not (path / file).exists() else _opened(path)
        if other is None or not _same_split(run, other) or not _same_model(run, other):
            continue
        changed = other.info.get("ablation") != run.info.get("ablation")
        if changed or trouble_of(other):
            continue
        if same_axes(run, other) and np.array_equal(run.rank("t2v"), other.rank("t2v")):
            yield other


def _same_split(run: Run, other: Run) -> bool:
    return (other.fingerprint, other.split, other.state) == (run.fingerprint, run.split, "finished")


def _opened(path: Path) -> Run | None:
    try:
        return Run(path)
    except DataError:  # a folder that cannot be read is nobody's ablation; the leaderboard names it
        return None


def _steps(run: Run) -> list[Mapping[str, object]]:
    return list(run.protocol.get("steps", []))


def model_name(run: Run) -> str | None:
    """The checkpoint or model that ``workbench score`` would take to score this run again; None = not known."""
    if (run.path / "checkpoints").is_dir():
        return run.name
    return run.info.get("parent") or run.info.get("model")


def _same_model(run: Run, other: Run) -> bool:
    theirs = (model_name(other) or "").removesuffix("@best")
    if theirs == run.name:
        return True
    same_options = _options(run) == _options(other)
    return bool(theirs) and theirs == (model_name(run) or "").removesuffix("@best") and same_options


def _options(run: Run) -> Mapping[str, object]:
    return (run.info.get("recipe") or {}).get("options") or {}


def _counterfactual(run: Run, other: Run) -> Kin | None:
    name = other.info.get("ablation")
    if not name or run.info.get("ablation") or _steps(run) or _steps(other) or not _same_model(run, other):
        return None
    label = COUNTERFACTUALS.get(name, str(name)[:1].upper() + str(name)[1:])
    return Kin(str(name), label, other, f"run {other.name}")


def _rescored(run: Run, other: Run) -> Kin | None:
    before, after = _steps(run), _steps(other)
    if other.info.get("parent") != run.name or after[:-1] != before or not after:
        return None
    scoring, fusion = str(after[-1]["scoring"]), other.info.get("fusion")
    if other.info.get("ablation") != run.info.get("ablation"):
        return None
    if fusion is None:
        return Kin(scoring, hub_label(scoring), other, f"run {other.name}")
    if set(other.modalities) != set(run.modalities):  # fused with other runs: another model, no ablation
        return None
    chosen = other.protocol.get("weights_chosen_on")
    on = f"chosen on {chosen}" if chosen else "it is not stated on what they were chosen"
    weights = fusion.get("weights")
    said = said_weights(weights) if scoring in (*SUMS, *RANK_SUMS) and weights else "one for each caption"
    return Kin(f"{scoring}: {said}", f"Weights {said}", other, f"run {other.name}; weights: {on}")


def hub_label(scoring: str) -> str:
    """The name on screens of scores that were corrected for hubs."""
    return f"Hub-corrected ({scoring})"


def said_weights(weights: Mapping[str, float]) -> str:
    """Weights in words: ``vision 0.3, ocr 0.7``."""
    return ", ".join(f"{name} {weights[name]:g}" for name in sorted(weights, reverse=True))


# Re-fusing ---------------------------------------------------------------------------------------------------------


def cannot_refuse(run: Run) -> str:
    """Why other weights of a run's modalities would not be scores of its model; empty = they are.

    Only ``fusion`` in ``run.json`` says that the score is a function of the modalities; where it is a sum, some rows
    are checked against the stored scores.
    """
    fusion = run.info.get("fusion")
    if len(run.modalities) < 2:
        return "It keeps no two modalities."
    if not fusion:
        return "It keeps modalities, but does not state that its score is a function of them."
    if fusion["method"] not in (*SUMS, *RANK_SUMS):
        return f"Its modalities were fused by {fusion['method']}, which has no weights to change."
    if run.similarity is None or run.similarity.size > MOST_CELLS:
        return "Its matrix is not stored, or too large to be fused again here."
    if fusion["method"] in SUMS and not _reproduced(run):
        return "Its stored modalities do not add up to its scores."
    return ""


def refused(run: Run, weights: Mapping[str, float], direction: str = "t2v") -> Rescored:
    """The run's modalities fused with other weights, in the way that ``run.json`` states.

    Args:
        run: The run.
        weights: By modality; at least 0, not all 0.
        direction: ``t2v`` or ``v2t``: whose ranks are fused, where ranks are.

    Raises:
        StateError: The score is no function of the stored modalities.
        DataError: Weights that do not fit.
    """
    if why := cannot_refuse(run):
        raise StateError(f"{run.name} cannot be fused with other weights. {why}", "Choose a run that states how.")
    parameters = _parameters(run)
    if run.info["fusion"]["method"] in SUMS:
        return fuse_scores(run.modalities, weights, scale=str(parameters.get("scale", "none")), direction=direction)
    return weighted_rank_fusion(run.modalities, weights, k=float(parameters.get("k", 60.0)), direction=direction)


def used_weights(run: Run) -> dict[str, float]:
    """The weights that a run states, by modality; 1 for each where it states none."""
    stated = (run.info.get("fusion") or {}).get("weights") or {}
    return {name: float(stated.get(name, 1.0)) for name in run.modalities}


def _parameters(run: Run) -> Mapping[str, Any]:
    return dict(run.protocol.get("parameters") or {})


def _reproduced(run: Run) -> bool:
    """Whether some stored rows are the stated sum; per-query scales are applied, as a row needs itself only."""
    scale = str(_parameters(run).get("scale", "none"))
    if scale != "none" and run.protocol.get("direction") == "v2t":
        return True  # scaled over columns: rows alone cannot tell
    stored = similarity_of(run)
    rows = np.unique(np.linspace(0, len(stored) - 1, min(SAMPLE, len(stored))).astype(int))
    parts = {name: np.ascontiguousarray(matrix[rows]) for name, matrix in run.modalities.items()}
    made = fuse_scores(parts, used_weights(run), scale=scale).similarity
    return bool(np.allclose(made, stored[rows], rtol=1e-4, atol=1e-4))


# Commands ----------------------------------------------------------------------------------------------------------


def why_absent(run: Run, name: str, readings: Readings) -> tuple[str, str]:
    """Why a run has no counterfactual of this name, and the command that makes it; an empty command = none can."""
    if run.info.get("ablation"):
        return f"{run.name} is itself an ablation of {run.info.get('parent')}.", ""
    if _steps(run):
        return f"{run.name} was re-scored; ablations stand beside the run that was scored.", ""
    if why := _not_possible(run, name, readings):
        return why, ""
    checkpoint = model_name(run)
    made = f"{run.name[:MOST_NAME]}-{name.replace(' ', '-')}"
    if checkpoint is None:
        call = f'wb.save_run(SIMILARITY, corpus="{run.corpus_name}", split="{run.split}", name="{made}", '
        return "Its model is not known here: score it in your own code, and keep it so.", (
            f'{call}model="{run.info.get("model") or "mine"}", parent="{run.name}", ablation="{name}")'
        )
    words = ["workbench", "score", checkpoint, "--corpus", run.corpus_name, "--split", run.split]
    return "No such run is here.", shlex.join([*words, *OPTIONS[name], "--name", made])


def weights_commands(run: Run) -> str:
    """The commands that choose other fusion weights where they may be chosen, one a line: on a validation run.

    A model that is not known here must be scored on the validation split in one's own code; that line is left out.
    """
    checkpoint, validation = model_name(run), f"{run.name[:MOST_NAME]}-val"
    fuse = ["rescore", run.name, "--method", "fusion", "--validation", validation, "--name"]
    lines = [[*fuse, f"{run.name[:MOST_NAME]}-fused"]]
    if checkpoint is not None:
        lines.insert(0, ["score", checkpoint, "--corpus", run.corpus_name, "--split", VAL, "--name", validation])
    corpus, _ = corpus_of_run(run)
    if corpus is not None and VAL not in corpus.splits:
        lines.insert(0, ["data", "split", run.corpus_name])
    return "\n".join(shlex.join(["workbench", *line]) for line in lines)


def _not_possible(run: Run, name: str, readings: Readings) -> str:
    known, frames = run.inputs is not None, readings.sampled is not None
    if name in (WITHOUT_OCR, PERFECT_OCR) and readings.reads is False:
        return "The model reads no words."
    if name == WITHOUT_OCR and known and not frames:
        return "The model looks at nothing but words."
    if name == SHUFFLED and known and not frames:
        return "The model looks at no frames."
    if name == PERFECT_OCR and readings.corpus is not None and not readings.written:
        return f"Nobody wrote down what stands in the videos of {run.corpus_name} (engine truth)."
    return ""
