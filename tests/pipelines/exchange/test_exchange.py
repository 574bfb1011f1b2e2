"""Formats of others: what goes out comes back, and what cannot be is said in a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.pipelines.exchanged import corpus_of, scores
from workbench.core.errors import DataError, ExistsError, UnknownNameError
from workbench.evaluation import open_run, save_run
from workbench.pipelines.exchange import EXPORTERS, IMPORTERS, export
from workbench.pipelines.exchange.lists import ranked_lists

steady = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
letters = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "M"))
ids = st.text(letters, min_size=1, max_size=12)


@pytest.mark.parametrize("name", ["a.run", "a.parquet", "a.npy", "a.npz", "a.pt", "a.csv", "a.tsv.gz", "a.zip"])
def test_every_way_out_leads_back_in(run, corpus, tmp_path, name):
    format = None if name.endswith((".run", ".parquet", ".zip")) else "matrix"
    export([run], tmp_path / name, format, **({"top": 0} if name in ("a.run", "a.parquet") else {}))
    back = wb.import_run(tmp_path / name, corpus=corpus, name="back")
    assert np.array_equal(back.similarity, run.similarity)
    assert back.order["how"] in (("checked", "unverified") if name in ("a.npy", "a.zip") else ("ids",))
    assert back.protocol["candidates"] is None


@pytest.mark.parametrize("name", ["a.run", "a.parquet"])
def test_short_lists_are_candidates(run, corpus, tmp_path, name):
    said = export([run], tmp_path / name, top=5)
    assert "200" in said and "at most 5 videos" in said
    back = wb.import_run(tmp_path / name, corpus=corpus, name="back")
    assert back.protocol["candidates"] == 5
    assert back.metrics["t2v"]["r5"] == pytest.approx(run.metrics["t2v"]["r5"])
    assert np.isfinite(back.similarity).sum() == 200


@steady
@given(data=st.data(), n=st.integers(2, 5), name=st.sampled_from(["a.run", "a.parquet", "a.npz", "a.csv", "a.tsv"]))
def test_round_trips_of_any_ids_and_scores(home, tmp_path, data, n, name):
    videos = data.draw(st.lists(ids, min_size=n, max_size=n, unique=True))
    captions = data.draw(st.lists(ids, min_size=n, max_size=n, unique=True))
    corpus = corpus_of(videos, captions)
    listed = st.one_of(scores, st.just(-np.inf)) if name in ("a.run", "a.parquet", "a.npz") else scores
    values = data.draw(st.lists(listed, min_size=n * n, max_size=n * n))
    similarity = np.asarray(values, np.float32).reshape(n, n)
    similarity[0, 0] = 0.5
    run = save_run(similarity, corpus=corpus, name="out", overwrite=True)
    options = {"top": 0} if name in ("a.run", "a.parquet") else {"format": "matrix"}
    export([run], tmp_path / name, overwrite=True, **options)
    back = wb.import_run(tmp_path / name, corpus=corpus, name="back", overwrite=True)
    assert np.array_equal(back.similarity, similarity)
    assert back.queries["caption_id"].to_list() == captions


def test_ids_that_a_format_cannot_hold_are_refused(home, tmp_path):
    similarity = np.eye(2, dtype=np.float32)
    for bad in ("my video.mp4", "a\u00a0b", "tab\there"):
        run = save_run(similarity, corpus=corpus_of([bad, "b"], ["1", "2"]), name="out", overwrite=True)
        for format in ("trec", "qrels"):
            with pytest.raises(DataError, match="holds a blank; TREC files separate by blanks. Use --format parquet"):
                export([run], tmp_path / "x", format)
        export([run], tmp_path / "x.parquet", overwrite=True)
    run = save_run(similarity, corpus=corpus_of([" a", "b"], ["1", "2"]), name="out", overwrite=True)
    with pytest.raises(DataError, match="begins or ends with a blank"):
        export([run], tmp_path / "x.csv", "matrix")
    assert sorted(path.name for path in tmp_path.glob("*x*")) == ["x.parquet"]


def test_ids_in_quotes_and_numbers_as_ids(home, tmp_path):
    names = ['a,b"c', "7"]
    run = save_run(np.eye(2, dtype=np.float32), corpus=corpus_of(names, ["10", "20"]), name="out")
    export([run], tmp_path / "x.csv", "matrix")
    back = wb.import_run(tmp_path / "x.csv", corpus="own", name="back")
    assert back.order["how"] == "ids" and np.array_equal(back.similarity, np.eye(2))


def test_what_cannot_be_exported(run, corpus, tmp_path):
    for words, error, message in (
        (([run], tmp_path / "x.doc"), DataError, "No format ends in '.doc'"),
        (([run], tmp_path / "x", "word"), UnknownNameError, "No format is called 'word'"),
        (([run, run], tmp_path / "x.run"), DataError, "2 runs do not fit into one file"),
        (([], tmp_path / "x.csv"), DataError, "There is no run to export"),
        (([run], tmp_path / "x.xyz", "matrix"), DataError, "is of an unknown kind"),
    ):
        with pytest.raises(error, match=message):
            export(*words)
    with pytest.raises(DataError, match="--top 3 says nothing here"):
        export([run], tmp_path / "x.tex", top=3)
    (tmp_path / "x.run").touch()
    with pytest.raises(ExistsError, match="exists already"):
        export([run], tmp_path / "x.run")
    export([run], tmp_path / "x.run", overwrite=True)
    totals = wb.import_run(run.similarity, corpus=corpus, name="totals", totals_only=True)
    for format in ("trec", "parquet", "codalab", "tvr"):
        with pytest.raises(DataError, match="totals only"):
            export([totals], tmp_path / "y", format)
    export([totals], tmp_path / "y.npz", "matrix")
    with pytest.raises(DataError, match="A format is said of an array"):
        wb.import_run(run.similarity, corpus=corpus, name="x", format="trec")


def test_lists_are_sorted_by_score_then_position(corpus):
    run = save_run(np.zeros((40, 40), np.float32), corpus=corpus, name="flat")
    lists = ranked_lists(open_run("flat"), 3)
    assert lists["video_id"].to_list()[:3] == run.gallery["video_id"].to_list()[:3]
    assert lists["rank"].to_list()[:4] == [1, 2, 3, 1]


def test_ways_in_are_ways_out():
    assert set(IMPORTERS) - {"pickle"} == set(EXPORTERS) - {"latex", "csv", "qrels"}
