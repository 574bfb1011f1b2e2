"""What of the four files is there (scores, captions, read text, videos): everything answers, or says what is absent."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.clips import write_clip
from tests.filmed import FAST, with_text
from workbench import analysis, figures
from workbench.analysis.reading.funnel import FATES
from workbench.core.errors import WorkbenchError
from workbench.pipelines.datasets import prepare

VIDEOS = ["one.mp4", "two.mp4", "three.mp4"]
CAPTIONS = ['A sign says "MIRA 42".', "A man sings and then dances in a park.", "A man dances and sings in a park."]
SCORES = np.array([[0.1, 0.9, 0.0], [0.2, 0.5, 0.5], [0.0, 0.9, 0.4]], np.float32)
FILES = ("scores", "captions", "ocr", "videos")
SUBSETS = [frozenset(name for name, held in zip(FILES, there, strict=True) if held)
           for there in product((True, False), repeat=4)]  # fmt: skip
MINE, RUN, OTHER = "mine", "theirs", "other"


def corpus():
    return wb.open_corpus(MINE, "test" if "test" in wb.open_corpus(MINE).splits else None)


def chart(name: str, *tables: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: figures.export_figure(getattr(figures, name)(*(one() for one in tables)), "svg")


ASKED: dict[str, Callable[[], Any]] = {
    **{f"failures {way}": lambda way=way: analysis.failures(RUN, direction=way) for way in ("t2v", "v2t")},
    "failures beside another": lambda: analysis.failures(RUN, others=[OTHER]),
    "not computed": lambda: analysis.not_computed(RUN),
    "evidence": lambda: analysis.evidence_boxes(analysis.failures(RUN), corpus()),
    "oracle": lambda: analysis.oracle_gain([RUN, OTHER], by="domain", also="any"),
    "funnel": lambda: analysis.ocr_funnel(RUN)._repr_html_(),
    "remedies": lambda: [analysis.remedy_of(wb.open_run(RUN), fate) for fate in FATES],
    "ablations": lambda: analysis.ablations(RUN)._repr_html_(),
    "other weights": lambda: analysis.reweighted(RUN, {"ocr": 1.0}),
    "comparison": lambda: analysis.compare_runs(RUN, OTHER)._repr_html_(),
    "many": lambda: analysis.compare_many(RUN, [OTHER]),
    "solved": lambda: repr(analysis.solved_sets([RUN, OTHER])),
    "word effects": lambda: analysis.word_effects_of(RUN, "one.mp4#0"),
    "domains": lambda: analysis.by_domain(RUN),
    "slices": lambda: analysis.by_slice(RUN, "scene_text_query"),
    "confusion": lambda: analysis.domain_confusion(RUN),
    "domain means": lambda: analysis.domain_means(wb.open_run(RUN)),
    **{f"hubs {way}": lambda way=way: repr(analysis.hubness(RUN, direction=way)) for way in ("t2v", "v2t")},
    "correction": lambda: repr(analysis.hub_correction(RUN)),
    "near duplicates": lambda: analysis.near_duplicates(RUN),
    "equal captions": lambda: analysis.equal_captions(RUN),
    "near captions": lambda: analysis.near_captions(RUN),
    "same source": lambda: analysis.same_source(RUN),
    "across splits": lambda: analysis.across_splits(corpus()),
    "calibration": lambda: repr(analysis.calibration(RUN)),
    "trajectories": lambda: analysis.trajectories(RUN),
    "ceiling": lambda: analysis.ceiling_of(RUN),
    "show": lambda: repr(wb.show(corpus(), "one.mp4")),
    "case": lambda: figures.export_figure(figures.qualitative(wb.open_run(RUN), wb.open_run(OTHER), "one.mp4#0")),
    "gain chart": chart("oracle_bars", lambda: analysis.oracle_gain(RUN)),
    "funnel chart": chart("funnel_bars", lambda: analysis.ocr_funnel(RUN).table()),
    "ablation chart": lambda: figures.ablation_differences(analysis.ablations(RUN).scores(), "points of R@1"),
    "difference chart": chart("difference_bars", lambda: analysis.compare_runs(RUN, OTHER).by_domain),
    "domain chart": lambda: figures.domain_bars({RUN: analysis.by_domain(RUN)}),
}  # fmt: skip


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for video in VIDEOS:
        write_clip(folder / video, 8, options=FAST)
    return folder


def bring(there: frozenset[str], clips: Path, folder: Path) -> None:
    """Prepare what is there; a matrix without captions comes as a colleague's run whose corpus is not here."""
    table = folder / "captions.csv"
    pd.DataFrame({"video": VIDEOS, "caption": CAPTIONS}).to_csv(table, index=False)
    roots = {"original": clips} if "videos" in there else {}
    captions = [table] if there & {"captions", "scores"} else []
    if roots and ("captions" in there or not captions):
        made = prepare("folder", annotations=captions, roots=roots, rename=MINE, workers=1)
    elif captions:
        made = prepare(MINE, annotations=captions, format="table")
    else:
        return
    if "ocr" in there:
        made = with_text(made, "one.mp4", "rapidocr", ["MIRA"])
    if "scores" in there:
        for name, scores in ((RUN, SCORES), (OTHER, SCORES.T)):
            wb.save_run(scores, corpus=made.with_split("test"), name=name)
    if captions and "captions" not in there:
        shutil.rmtree(made.path)
        if roots:
            prepare("folder", annotations=[], roots=roots, rename=MINE, workers=1)


@pytest.mark.parametrize("there", SUBSETS, ids=lambda there: "+".join(sorted(there)) or "nothing")
def test_every_question_has_an_answer_or_a_sentence(there, clips, tmp_path):
    bring(there, clips, tmp_path)
    said: dict[str, WorkbenchError] = {}
    for name, ask in ASKED.items():
        try:
            ask()
        except WorkbenchError as error:  # anything else is a traceback
            said[name] = error
            assert error.message.endswith(".") and "\n" not in error.message, (name, error.message)
            assert error.remedy, (name, error.message)
    if "scores" in there:
        assert {"failures t2v", "comparison", "ablations", "hubs t2v", "gain chart"}.isdisjoint(said)
    else:
        assert "workbench import" in said["failures t2v"].remedy
    assert ("funnel" not in said) is ({"scores", "captions", "ocr"} <= there)
    assert ("show" in said) is ("videos" not in there)
