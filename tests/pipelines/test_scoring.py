"""Scoring a corpus into a run: with and without a matrix the numbers are the same."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.made import made_corpus, made_similarity
from tests.texts import read_corpus
from workbench.cli import main as entry
from workbench.core.errors import DataError, StateError
from workbench.evaluation import open_run, save_run, stream_metrics
from workbench.evaluation.runs.run import similarity_of
from workbench.pipelines import scoring
from workbench.pipelines.scoring import score


class Given:
    """A model that knows its scores by caption; every second video's words weigh more."""

    needs: frozenset[str] = frozenset()
    reads: dict[str, int] = {}

    def __init__(self, corpus, split_in_parts=False):
        scores = np.round(made_similarity(corpus), 2)  # rounded, so that some tie
        self.rows = dict(zip(corpus.captions["text"], scores, strict=True))
        self.split_in_parts = split_in_parts

    def encode(self, gallery):
        return None

    def similarity(self, captions, encoded):
        return np.stack([self.rows[caption] for caption in captions])

    def parts(self, captions, encoded):
        whole = self.similarity(captions, encoded)
        return {"vision": whole * np.float32(0.25), "ocr": whole * np.float32(0.75)} if self.split_in_parts else {}


@pytest.mark.parametrize("per_video", [1, 3])
def test_a_run_without_a_matrix_has_the_same_numbers(home, per_video):
    corpus = made_corpus(60, per_video=per_video)
    stored = score(Given(corpus), corpus, name="stored", keep_matrix=True)
    counted = score(Given(corpus), corpus, name="counted", keep_matrix=False)
    assert counted.similarity is None and counted.modalities == {} and stored.similarity.shape == (60 * per_video, 60)
    assert json.dumps(counted.metrics) == json.dumps(stored.metrics)
    assert counted.info["v2t_level"] == stored.info["v2t_level"] == ("video" if per_video > 1 else "caption")
    pd.testing.assert_frame_equal(counted.per_query, stored.per_query)
    for table in ("queries", "gallery", "relevance"):
        pd.testing.assert_frame_equal(getattr(counted, table), getattr(stored, table))
    with pytest.raises(StateError, match="keeps no similarity matrix"):
        similarity_of(counted)


def test_a_matrix_above_the_limit_is_not_kept_unless_asked(home, monkeypatch):
    corpus = made_corpus(20)
    monkeypatch.setattr(scoring, "MATRIX_LIMIT", 4 * 20 * 20 - 1)
    model = Given(corpus, split_in_parts=True)
    assert score(model, corpus, name="a").similarity is None
    asked = score(model, corpus, name="b", keep_matrix=True)
    assert set(asked.modalities) == {"vision", "ocr"} and asked.info["fusion"]["method"] == "sum"
    monkeypatch.setattr(scoring, "MATRIX_LIMIT", 4 * 20 * 20)
    assert score(model, corpus, name="c").similarity is not None


def test_metrics_that_make_no_run_are_named(home):
    corpus, other = made_corpus(20), made_corpus(24, name="other")
    scores = made_similarity(corpus)
    both = stream_metrics(lambda rows: scores[rows], scores.shape)
    with pytest.raises(DataError, match="20 x 20.*24 captions x 24 videos"):
        save_run(both, corpus=other, name="x")
    with pytest.raises(DataError, match="one direction"):
        save_run({"t2v": both["t2v"]}, corpus=corpus, name="x")
    with pytest.raises(DataError, match="Modalities need the matrix"):
        save_run(both, corpus=corpus, name="x", modalities={"ocr": scores})


def test_the_command_says_when_it_keeps_no_matrix(home, monkeypatch, capsys):
    pytest.importorskip("bm25s", reason="needs bm25s, which make setup installs")
    read_corpus(rapidocr={"a": ["SLOANE SQUARE"], "b": ["dog"], "c": ["cat"], "d": ["bird"]})
    words = ["workbench", "score", "bm25_ocr", "--corpus", "c", "--name"]
    for name, limit, more, kept in (
        ("asked", 0, ["--matrix"], True), ("told", 1 << 20, ["--no-matrix"], False), ("large", 0, [], False),
        ("small", 1 << 20, [], True),
    ):  # fmt: skip
        monkeypatch.setattr(scoring, "MATRIX_LIMIT", limit)
        monkeypatch.setattr("sys.argv", [*words, name, *more])
        with pytest.raises(SystemExit) as ended:
            entry.main()
        assert ended.value.code == 0 and (open_run(name).similarity is not None) == kept
        said = capsys.readouterr().err
        assert ("was counted and not stored. To store it, add --matrix." in said) == (name == "large")
