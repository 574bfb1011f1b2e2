"""Slices by scene-text queries, where the corpus itself says nothing of its queries."""

from __future__ import annotations

import shutil

import pytest

from tests.texts import read_corpus, run_on
from workbench import analysis
from workbench.analysis.domains import domain_overview
from workbench.core.errors import StateError


def test_a_slice_of_the_captions_alone_needs_no_corpus(home):
    run = run_on(read_corpus())
    shutil.rmtree(home / "corpora" / "c")
    table = analysis.by_slice(run, "scene_text_query").set_index("label")
    assert table["n_queries"].to_dict() == {"no scene-text query": 3, "scene-text query": 1}
    assert table.loc["scene-text query", "value"] == 0 and table.loc["no scene-text query", "value"] == 100
    with pytest.raises(StateError, match="not in this workspace"):
        analysis.by_slice(run, "scene_text_query_ocr")
    videos = analysis.by_slice(run, "scene_text_query", direction="v2t").set_index("label")
    assert videos["n_queries"].to_dict() == {"no scene-text query": 3, "scene-text query": 1}
    assert videos["value"].to_dict() == {"no scene-text query": 100, "scene-text query": 100}


def test_a_slice_of_captions_and_ocr(home):
    run = run_on(read_corpus(rapidocr={"a": ["SLOANE"], "b": ["dog"]}))
    table = analysis.by_slice(run, "scene_text_query_ocr").set_index("label")
    assert table["n_queries"].to_dict() == {"scene-text query": 2, "no scene-text query": 2}
    assert table.loc["scene-text query", "value"] == 50
    videos = analysis.by_slice(run, "scene_text_query_ocr", direction="v2t").set_index("label")
    assert videos["n_queries"].to_dict() == {"scene-text query": 2, "no scene-text query": 2}
    with pytest.raises(StateError, match="No text was read"):
        analysis.by_slice(run_on(read_corpus(name="e"), name="e"), "scene_text_query_ocr")


def test_they_stand_in_where_the_corpus_says_nothing(home):
    assert analysis.slice_columns(read_corpus()) == ["scene_text_query"]
    assert analysis.slice_columns(read_corpus("a horse", name="d")) == []
    typed = read_corpus(kinds=["text", "visual", "visual", None], name="typed")
    assert analysis.slice_columns(typed) == ["query_type"]
    assert domain_overview(read_corpus(name="f"))["scene_text"].to_list() == [0.25]
    assert domain_overview(typed)["scene_text"].to_list() == [pytest.approx(1 / 3)]
