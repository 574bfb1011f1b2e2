"""What a run can say beside its scores, written into its folder when it is scored."""

from __future__ import annotations

from typing import Any

from workbench.core.errors import StateError
from workbench.core.files import write_table
from workbench.core.lookup import pick
from workbench.corpus import Corpus
from workbench.evaluation import Run
from workbench.evaluation.runs.interactions import write_interactions
from workbench.models.encoding import one_thread_each
from workbench.models.registry import FusesParts
from workbench.pipelines.counterfactuals import Change
from workbench.pipelines.inputs import gallery_of
from workbench.pipelines.interactions import check_explains_pairs, pair_interactions
from workbench.pipelines.rules import InputRules
from workbench.pipelines.word_effects import check_explains_words, word_effects

EXPLANATIONS = {
    "words": "what each read word does to the rank (word_effects.parquet)",
    "pairs": "which word, or which caption, fits which frame and read text, of the right videos and the best five "
    "(interactions/)",
}


def check_explains(model: Any, kind: str, clips: int) -> None:
    """Raise where a model cannot explain itself in this way.

    Args:
        model: The model.
        kind: A name of ``EXPLANATIONS``.
        clips: Times each video is looked at.

    Raises:
        UnknownNameError: No such explanation.
        StateError: The model cannot give it, or there are several looks to explain.
    """
    pick(EXPLANATIONS, kind, "explanation")
    if isinstance(model, FusesParts):
        raise StateError(
            "This model scores by ranks among all videos, so one word has no effect of its own.",
            "Explain a model whose scores add up.",
        )
    if clips > 1:
        raise StateError("A mean over clips is not explained.", "Explain a run of one clip.")
    {"pairs": check_explains_pairs, "words": check_explains_words}[kind](model)


def explain(kind: str, model: Any, corpus: Corpus, rules: InputRules, change: Change, run: Run) -> None:
    """Write an explanation into a run.

    Args:
        kind: A name of ``EXPLANATIONS``.
        model: The model that scored it.
        corpus: Restricted to its split.
        rules: How inputs were made.
        change: What was done to them.
        run: With its matrix.
    """
    if kind == "pairs":
        with one_thread_each(model):
            return write_interactions(run.path, pair_interactions(model, corpus, rules, run, change))
    inputs = change.apply(gallery_of(corpus, model.needs, rules))
    return write_table(run.path / "word_effects.parquet", word_effects(model, corpus, inputs, run))
