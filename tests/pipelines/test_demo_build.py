"""The demo is built as it was planned: the same bytes and tables each time, and an interrupted build goes on."""

from __future__ import annotations

import pandas as pd
import pytest

from workbench.core.errors import ExistsError
from workbench.corpus import open_corpus
from workbench.pipelines.demo.build import build_demo
from workbench.pipelines.demo.plan import plan
from workbench.training.demo import make_demo

SHOTS = [shot for shot in plan(0) if shot.clip.domain == "Games" and shot.split == "test"][:3]


def content(corpus) -> dict[str, pd.DataFrame]:
    renditions = corpus.renditions.drop(columns="mtime")
    return {"captions": corpus.captions, "videos": corpus.videos, "texts": corpus.texts, "files": renditions}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_files_and_tables_and_what_is_there_is_kept(home):
    first = build_demo(name="a", shots=SHOTS, workers=1)
    again = build_demo(name="b", shots=SHOTS, workers=2)
    for name, table in content(first).items():
        pd.testing.assert_frame_equal(table, content(again)[name], obj=name)
    times = {path: path.stat().st_mtime_ns for path in (home / "videos" / "a").rglob("*.mp4")}
    with pytest.raises(ExistsError):
        build_demo(name="a", shots=SHOTS, workers=1)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert set(first.texts["engine"]) == {"rapidocr", "truth"}
    assert first.texts.loc[first.texts["engine"] == "rapidocr", "text"].str.contains("LEVEL").any()


@pytest.mark.slow
def test_another_seed_does_not_replace_a_demo_unasked():
    build_demo(shots=SHOTS[:1], workers=1)
    with pytest.raises(ExistsError, match="made from seed 0"):
        make_demo(1)
    assert open_corpus("demo").meta["seed"] == 0
