"""What the numbers of a report are made of, as names and hashes: runs, their corpus, other runs that causes look at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workbench.analysis.causes.related import Related
from workbench.core.files import sha256_file
from workbench.corpus import Corpus, video_key
from workbench.evaluation.runs.corpora import corpus_of_run
from workbench.evaluation.runs.run import Run

RUN_FILES = ("similarity.npy", "per_query.parquet", "queries.parquet", "gallery.parquet", "relevance.parquet",
             "metrics.json", "inputs.parquet", "word_effects.parquet")  # fmt: skip
CORPUS_FILES = ("texts.parquet", "text_coverage.parquet")
"""Files of a corpus outside its fingerprint that causes depend on."""
SETTINGS = ("model", "parent", "ablation", "group", "seed", "v2t_level", "protocol", "fusion", "input_rules")
"""Of ``run.json``, what causes depend on, or what says what the run is."""
SINCE_2 = (
    "modalities and settings of runs, boxes, training captions, domains and sources, and the other runs that causes "
    "were told from"
)
"""What locks of format version 1 do not hold."""


def of_run(run: Run, version: int) -> dict[str, Any]:
    """What a run is, and the hashes of its files.

    Args:
        run: The run.
        version: Format version of the lock.
    """
    held = {
        "corpus": run.corpus_name, "split": run.split, "fingerprint": run.fingerprint, "created": run.info["created"],
        "scoring": run.protocol["scoring"], "sees": run.protocol["sees"], "order": run.order["how"],
    }  # fmt: skip
    names = list(RUN_FILES)
    if version > 1:
        held |= _settings(run.info)
        names += [f"modalities/{name}.npy" for name in sorted(run.modalities)]
    return {**held, "files": _hashes(run.path, names)}


def _settings(info: Mapping[str, Any]) -> dict[str, Any]:
    """Those of ``run.json``, one level down: a change is said of the setting that changed."""
    found: dict[str, Any] = {}
    for name in SETTINGS:
        value = info.get(name)
        found |= {f"{name}.{key}": one for key, one in value.items()} if isinstance(value, dict) else {name: value}
    return found


def of_corpus(run: Run, version: int) -> dict[str, Any]:
    """The corpus of a run, if it is at hand: only then are causes those of its texts.

    Args:
        run: The run.
        version: Format version of the lock.
    """
    corpus, why = corpus_of_run(run)
    if corpus is None:
        return {"name": run.corpus_name, "state": why, "fingerprint": None, "files": {}}
    files = _hashes(corpus.path, [*CORPUS_FILES, *["captions.parquet", "relevance.parquet"] * (version > 1)])
    if version > 1:
        files["domains and sources of videos"] = _videos(corpus)
    if version > 1 and (boxes := _boxes(corpus, run.gallery["video_id"])):
        files["boxes"] = boxes
    return {"name": corpus.name, "state": "at hand", "fingerprint": corpus.fingerprint, "files": files}


def _videos(corpus: Corpus) -> str:
    """One hash of what the table of videos says that is not of this machine."""
    table = corpus.with_split(None).videos[["video_id", "domain", "source_id", "split"]]
    return hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()


def _boxes(corpus: Corpus, videos: Iterable[str]) -> str:
    """One hash of the boxes of some videos; "" where there are none."""
    names = sorted(f"{video_key(video)}.parquet" for video in videos)
    lines = [f"{name} {digest}\n" for name, digest in _hashes(corpus.path / "boxes", names).items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""


def _hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    return {name: sha256_file(folder / name) for name in names if (folder / name).exists()}


def of_related(related: Related) -> dict[str, Any]:
    """The names of the other runs that causes are told from, by what they are."""
    return {
        "seeds": [one.name for one in related.seeds],
        **{role: None if one is None else one.name for role, one in _single(related).items()},
    }


def related_of(names: Mapping[str, Any], runs: Mapping[str, Run]) -> Related:
    """The other way round.

    Args:
        names: From ``of_related``.
        runs: Runs by name.
    """
    single: dict[str, Any] = {role: runs[names[role]] if names[role] else None for role in _single(Related())}
    return Related(seeds=tuple(runs[name] for name in names["seeds"]), **single)


def is_related(names: object, runs: Iterable[str]) -> bool:
    """Whether something is as ``of_related`` gives it, of these runs."""
    if not isinstance(names, dict) or not isinstance(names.get("seeds"), list):
        return False
    single = [names.get(role) for role in _single(Related())]
    return all(one in set(runs) for one in [*names["seeds"], *(one for one in single if one is not None)])


def _single(related: Related) -> dict[str, Run | None]:
    return {"shuffled": related.shuffled, "without_ocr": related.without_ocr, "words": related.words}
