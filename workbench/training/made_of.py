"""What a training is made of beside its recipe: captions and pairs of its splits, the read text, the files."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench.core.errors import StateError
from workbench.corpus import Corpus
from workbench.corpus.engines import READ_ENGINES, TRUTH
from workbench.pipelines.clips import rendition_for
from workbench.pipelines.frames import frame_files, readers_of
from workbench.pipelines.inputs import engine_of
from workbench.pipelines.rules import InputRules
from workbench.training.recipes import Recipe

ANEW = "Train it anew."
SAID = "the recipe says so"


def made_of(recipe: Recipe, model: Any, splits: Mapping[str, Corpus]) -> dict[str, Any]:
    """Fingerprints of what goes into a run, as far as its model looks at it; ``data`` of ``run.json``.

    Args:
        recipe: Names the engine.
        model: Says what it needs.
        splits: ``train``, ``select`` and ``report``.

    Returns:
        By split its fingerprint; ``engine`` and ``texts`` (by split, sha256) where text is read, ``rendition`` and
        ``reader`` of the train videos where frames are.

    Raises:
        StateError: The corpus lacks the texts.
    """
    found: dict[str, Any] = {role: corpus.fingerprint for role, corpus in splits.items()}
    if "ocr" in model.needs:
        engine = engine_of(splits["train"], recipe.engine)
        found |= {"engine": engine, "texts": {role: _texts(corpus, engine) for role, corpus in splits.items()}}
    if "frames" in model.needs:
        found["rendition"] = rendition_for(splits["train"])[0]
        found["reader"] = _readers(splits["train"], recipe.reader, found["rendition"])
    return found


def _readers(train: Corpus, reader: str, rendition: str) -> str:
    """Who decodes the train videos, and of ``auto`` how many of them."""
    if reader != "auto":
        return reader
    rules = InputRules(reader=reader, rendition=rendition)
    files, _ = frame_files(train, train.videos["video_id"].tolist(), rules)
    counts = Counter(readers_of(files).values())
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def chosen(recipe: Recipe, train: Corpus, data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Value and reason of whose text is read and who decodes, as far as anybody does.

    Args:
        recipe: Says it, or leaves it open.
        train: The corpus restricted to the train split.
        data: From ``made_of``.
    """
    found = {}
    if "engine" in data:
        found["engine"] = {"value": data["engine"], "reason": _why_engine(recipe, train)}
    if "reader" in data:
        why = "auto: decord where a file is safe for it, else PyAV" if recipe.reader == "auto" else SAID
        found["reader"] = {"value": data["reader"], "reason": why}
    return found


def _texts(corpus: Corpus, engine: str) -> str:
    """sha256 of what an engine read in a split, and of which of its videos it read."""
    digest = hashlib.sha256()
    for table, key in ((corpus.texts, "text_id"), (corpus.text_coverage[["video_id", "engine", "state"]], "video_id")):
        own = table[table["engine"] == engine].sort_values(key)
        digest.update(pd.util.hash_pandas_object(own, index=False).to_numpy("<u8").tobytes())
    return digest.hexdigest()


def _why_engine(recipe: Recipe, corpus: Corpus) -> str:
    if recipe.engine is not None:
        return SAID
    found = set(corpus.with_split(None).text_coverage["engine"].dropna()) - {TRUTH}
    if len(found) == 1:
        return f"no other has read {corpus.name}"
    return f"of {', '.join(sorted(found))} the first by the order {', '.join(READ_ENGINES)}, others"


def check_same(before: Mapping[str, Any] | None, now: Mapping[str, Any], recipe: Recipe) -> None:
    """Refuse to go on where something has changed since the run was begun.

    Args:
        before: What the run states; older ones state less, and splits by their names.
        now: As ``made_of`` gives it.
        recipe: Names the splits.

    Raises:
        StateError: It has; the sentence says what.
    """
    if before is None:
        return
    told = {"engine": "text read by {}", "rendition": "{} videos", "reader": "frames by {}"}
    for key, words in told.items():
        if key in before and before[key] != now.get(key):
            was, is_now = words.format(before[key]), words.format(now.get(key))
            raise StateError(f"The run was begun on {was} of {recipe.corpus}, now it would take {is_now}.", ANEW)
    splits = {"train": recipe.train_split, "select": recipe.select_split, "report": recipe.report_split}
    for role, split in splits.items():
        if now[role] != before.get(role, before.get(split)):
            raise StateError(f"The split {split} of {recipe.corpus} changed since the run was begun.", ANEW)
        if "texts" in before and now["texts"][role] != before["texts"][role]:
            raise StateError(
                f"The text that {now['engine']} read in {recipe.corpus}/{split} changed since the run was begun.", ANEW
            )
