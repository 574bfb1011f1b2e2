"""The whole demo in one call: corpus, three trained models and BM25, each run listed as soon as it is finished."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.errors import ExistsError
from workbench.core.workspace import workspace
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation import Run, open_run
from workbench.models import build_model
from workbench.pipelines.demo.build import NAME, build_demo
from workbench.pipelines.scoring import score
from workbench.training.train import train

RUNS = ("demo-bm25", "demo-ocr", "demo-vision", "demo-fusion")


@dataclass(frozen=True)
class Demo:
    """The demo corpus and its runs, in the order of ``RUNS``."""

    corpus: Corpus
    runs: list[Run]


def is_made() -> bool:
    """Whether the demo corpus and all of its runs are there and finished."""
    space = workspace()
    if space.find("corpora", NAME) is None or any(space.find("runs", name) is None for name in RUNS):
        return False
    return "planted" in open_corpus(NAME).meta and all(open_run(name).state == "finished" for name in RUNS)


def make_demo(seed: int = 0, *, overwrite: bool = False, workers: int | None = None) -> Demo:
    """Make what is absent of the demo: the corpus, then its runs; an interrupted call goes on.

    Args:
        seed: Of the films and of the models.
        overwrite: Make all of it again; the old corpus and runs go to the trash.
        workers: Processes that draw, read and decode; None = all cores.

    Raises:
        ExistsError: The demo was made from another seed.
        MissingExtraError: A package of the extras demo, ocr, search or train is not installed.
    """
    there = workspace().find("corpora", NAME) is not None
    if there and not overwrite:
        corpus = open_corpus(NAME)
        if corpus.meta.get("seed") != seed:
            raise ExistsError(
                f"The demo was made from seed {corpus.meta.get('seed')}.", "Add --overwrite to make it again."
            )
    if not there or overwrite or "planted" not in open_corpus(NAME).meta:
        corpus = build_demo(seed, overwrite=there, workers=workers)
    return Demo(corpus, [_run(name, seed, overwrite) for name in RUNS])


def _run(name: str, seed: int, overwrite: bool) -> Run:
    known = workspace().find("runs", name)
    if known is not None and not overwrite:
        run = open_run(name)
        if run.state == "finished" and run.fingerprint == open_corpus(NAME, run.split).fingerprint:
            return run
        overwrite = True
    if name == "demo-bm25":
        return score(build_model("bm25_ocr"), NAME, name=name, model="bm25_ocr", overwrite=overwrite)
    modality = name.removeprefix("demo-")
    return train("textvr_fusion_demo", name=name, modality=modality, seed=seed, overwrite=overwrite)  # type: ignore[return-value]  # not in the background
