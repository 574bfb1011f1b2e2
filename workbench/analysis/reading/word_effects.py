"""What each read word does to one query: its score and rank with the word and without it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis.comparison.ablation_sources import model_name, same_scores
from workbench.evaluation.runs.run import Run, open_run
from workbench.ocr.matching import caption_words

FILE = "word_effects.parquet"
COLUMNS = ["video_id", "right", "word", "score", "score_without", "change", "rank", "rank_without", "run"]


def word_effects_of(run: Run | str, caption_id: str) -> pd.DataFrame:
    """The words read in a caption's best right video and in its best wrong one, and what each does.

    Args:
        run: The run. Where it keeps no word effects, those of another run of the same model on the same split, with
            nothing changed, are taken.
        caption_id: The caption.

    Returns:
        video_id, right (whether it is a right video), word, score, score_without (of the pair), change (score minus
        score without), rank, rank_without (of the right video; expected, from 1), run (whose effects). Largest effect
        first; empty where no run keeps them, or where neither video has a word.
    """
    run = open_run(run)
    found = holder_of(run) or run
    if found.word_effects is None:
        return pd.DataFrame(columns=COLUMNS)
    own = found.word_effects[found.word_effects["caption_id"] == caption_id]
    right = run.relevance[(run.relevance["caption_id"] == caption_id) & (run.relevance["grade"] > 0)]["video_id"]
    ranks = dict(zip(found.per("t2v")["id"], found.rank("t2v").tolist(), strict=True))
    table = own.assign(
        right=own["video_id"].isin(right), change=own["score"] - own["score_without"], run=found.name,
        rank=ranks.get(caption_id, np.nan),
    )[COLUMNS]  # fmt: skip
    order = np.lexsort((-table["change"].abs().to_numpy(), ~table["right"].to_numpy(bool)))
    return table.iloc[order].reset_index(drop=True)


def holder_of(run: Run) -> Run | None:
    """Another run of the same scores that holds the effects of words; None where there is none, or the run does."""
    return None if (run.path / FILE).exists() else next(same_scores(run, FILE), None)


def effects_of(run: Run) -> dict[tuple[str, str, str], float] | None:
    """How much lower a pair's score is without a word, by caption, video and normalised word; None = it does not say.

    Args:
        run: The one that holds the effects (``holder_of``).
    """
    table = run.word_effects
    if table is None:
        return None
    found: dict[tuple[str, str, str], float] = {}
    gain = table["score"].to_numpy(float) - table["score_without"].to_numpy(float)
    for caption, video, word, one in zip(table["caption_id"], table["video_id"], table["word"], gain, strict=True):
        for cue in caption_words(str(word)):
            found[caption, video, cue] = max(float(one), found.get((caption, video, cue), -np.inf))
    return found


def word_effects_command(run: Run | str) -> str:
    """The command that makes word effects of a run's model; empty where the model is not known here."""
    run = open_run(run)
    checkpoint = model_name(run)
    if checkpoint is None or run.info.get("ablation") or run.protocol.get("steps"):
        return ""
    return (
        f"workbench score {checkpoint} --corpus {run.corpus_name} --split {run.split} --explain words "
        f"--name {run.name[:50]}-words"
    )
