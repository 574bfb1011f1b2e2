"""A corpus of eight tiny clips with read words, in splits, and recipes that are run on it for two steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.clips import write_clip
from tests.filmed import FAST, with_text
from workbench.corpus import Corpus
from workbench.evaluation import Run
from workbench.pipelines.datasets import prepare
from workbench.training import load_recipe, train
from workbench.training.recipes import Recipe

NAME = "clips"
COUNTS = {"train": 4, "val": 2, "test": 2}
FEW: dict[str, Any] = {
    "corpus": NAME, "steps": 2, "batch_videos": 2, "eval_every": 2, "warmup": 0, "threads": 1, "patience": None,
}  # fmt: skip
WORDS = "red bus sign taxi stop airport shop rain".split()


def split_corpus(folder: Path, name: str = NAME) -> Corpus:
    """Clips of six frames, one caption and two read words each."""
    folder.mkdir(parents=True)
    rows = [
        {"video": f"{split}{n}.mp4", "split": split, "source": f"{split}{n}"}
        for split, count in COUNTS.items()
        for n in range(count)
    ]
    for row, word in zip(rows, WORDS, strict=True):
        write_clip(folder / row["video"], 6, options=FAST)
        row["caption"] = f"a {word} that says {word.upper()}"
    table = folder.with_suffix(".jsonl")
    table.write_text("\n".join(map(json.dumps, rows)))
    corpus = prepare(name, format="table", annotations=[table], roots={"original": folder}, workers=1)
    for row, word in zip(rows, WORDS, strict=True):
        corpus = with_text(corpus, row["video"], "rapidocr", [word, "the"], frames=(1, 4))
    return corpus


def tiny_options(space: Path, recipe: Recipe) -> dict[str, Any]:
    """Options that make a recipe's model tiny and random."""
    if recipe.preset == "starvr":
        from tests.models.small_starvr import SIZES

        return {**SIZES, **dict.fromkeys(recipe.options), "tokenizer": str(space / "words")}
    if recipe.model == "clip_ocr_window":
        sizes = {"n_frames": 2, "words_per_sentence": 4, "fusion_depth": 1, "fusion_heads": 2}
        return {"weights": str(space / "clip"), **sizes}
    return {}


def trained(space: Path, recipe: str, name: str, **overrides: Any) -> Run:
    """A run of two steps of a recipe, its model as small as can be."""
    options = {**tiny_options(space, load_recipe(recipe)), **overrides.pop("options", {})}
    given = {"init": None, **FEW, **overrides, "options": options}
    return train(recipe, name=name, overwrite=True, **given)  # type: ignore[return-value]  # not in the background
