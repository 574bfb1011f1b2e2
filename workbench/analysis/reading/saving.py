"""What would keep a word that is lost on its way from the picture to the score: a sentence and the commands."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from workbench.analysis.comparison.ablation_sources import MOST_NAME, OCR, cannot_refuse, model_name, weights_commands
from workbench.analysis.reading.funnel import FATES
from workbench.analysis.reading.word_effects import word_effects_command
from workbench.core.lookup import pick
from workbench.evaluation.runs.run import Run

UNREAD = ("not_detected", "missed", "misread")


class Remedy(NamedTuple):
    """What would keep a word.

    Attributes:
        sentence: What to do.
        command: Commands, one a line; "" = there is none.
    """

    sentence: str
    command: str


def remedy_of(run: Run, fate: str) -> Remedy:
    """What would keep a word of this fate, or tell the rest of its way; empty for a word that is used.

    Args:
        run: The run.
        fate: Of ``FATES``.

    Raises:
        UnknownNameError: No such fate.
    """
    pick(FATES, fate, "fate of a word")
    if fate == "used":
        return Remedy("", "")
    if fate == "recognised":
        return _listing(run)
    if fate == "kept":
        return _effects(run)
    if fate == "not_sampled":
        return _read_again(run, "Read more frames", "dense", "--fps 12 --stride 1")
    if fate in UNREAD:
        return _read_again(run, "Read every frame, enlarged", "small", "--preset small-text --stride 1")
    if fate == "not_seen" and (model := model_name(run)):
        return Remedy("Give the model more frames:", f"workbench sweep-frames {model} {_place(run)} --n-frames 8,16,32")
    if fate == "cut" and (longer := _longer(run)):
        return Remedy("Train a model that reads more words:", longer)
    if fate == "ignored" and OCR in run.modalities and not cannot_refuse(run):
        return Remedy("Choose the weight of the OCR on a validation run:", weights_commands(run))
    name = run.name[:MOST_NAME]
    bm25 = f"workbench score bm25_ocr {_place(run)} --name {name}-bm25"
    fused = f"workbench rescore {run.name} --method rrf --with {name}-bm25 --name {name}-rrf"
    return Remedy("Fuse it with BM25 over the words read:", f"{bm25}\n{fused}")


def _place(run: Run) -> str:
    return f"--corpus {run.corpus_name} --split {run.split}"


def _listing(run: Run) -> Remedy:
    """A run of the same scores that lists the words that its model had."""
    if model := model_name(run):
        again = f"workbench score {model} {_place(run)} --name {run.name[:MOST_NAME]}-again"
        return Remedy("Score it again, so that the words that its model had are listed:", again)
    call = f'wb.import_run(FILE, corpus="{run.corpus_name}", split="{run.split}", name="{run.name}", overwrite=True, '
    return Remedy(
        "Import it again with the words that its model had, a table of video_id, words (a list) and engine:",
        f"{call}inputs=TABLE)",
    )


def _effects(run: Run) -> Remedy:
    """What each word does to the score."""
    if command := word_effects_command(run):
        return Remedy("Have the effect of each word computed:", command)
    if model_name(run) is not None:  # an ablation, or re-scored
        return Remedy(f"Look at the run that it was made of, {run.info.get('parent')}, for what each word does.", "")
    return Remedy(
        "Score it in your own code without each word, and keep caption_id, video_id, word, score, score_without and "
        f"rank_without as {run.path / 'word_effects.parquet'}.", "",
    )  # fmt: skip


def _read_again(run: Run, sentence: str, suffix: str, options: str) -> Remedy:
    """Read the videos under another name, and score the model with those words."""
    engine, model = f"rapidocr-{suffix}", model_name(run)
    read = f"workbench ocr run {run.corpus_name} {options} --as {engine}"
    if model is None:
        return Remedy(f"{sentence}, then score your model with the words of {engine} and import it:", read)
    score = f"workbench score {model} {_place(run)} --ocr {engine} --name {run.name[:MOST_NAME]}-{suffix}"
    return Remedy(f"{sentence}:", f"{read}\n{score}")


def _longer(run: Run) -> str:
    """The training of the run again with twice as many words; "" = it was not trained by a command."""
    made, most = list(run.info.get("command") or []), (run.info.get("input_rules") or {}).get("max_words")
    if made[1:2] != ["train"] or not most:
        return ""
    named = [at for at, one in enumerate(made) if one in ("--name", "--group", "--seeds")]
    kept = [one for at, one in enumerate(made[2:], 2) if not {at, at - 1} & {*named}]
    more = [f"options.max_words={2 * int(most)}", "--name", f"{run.name[:MOST_NAME]}-words"]
    return shlex.join(["workbench", "train", *kept, *more])
