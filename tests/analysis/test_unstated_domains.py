"""Queries of videos that state no domain stand in every table by domain, under one name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.corpus import domain_label
from workbench.corpus.text import NO_DOMAIN, NONE_STATED, with_unstated


@pytest.fixture
def runs(home):
    """Two runs on 40 captions; the videos of every fifth state no domain."""
    corpus = made_corpus(40)
    found = [wb.save_run(made_similarity(corpus, noise=noise), corpus=corpus, name=name)
             for name, noise in (("a", 0.5), ("b", 0.9))]  # fmt: skip
    for run in found:
        gallery = pd.read_parquet(run.path / "gallery.parquet")
        gallery.loc[gallery.index % 5 == 0, "domain"] = None
        gallery.to_parquet(run.path / "gallery.parquet")
    return [wb.open_run(run.path) for run in found]


@pytest.mark.parametrize("direction", ["t2v", "v2t"])
def test_no_query_is_left_out_of_a_table_by_domain(runs, direction):
    n = len(runs[0].per(direction))
    tables = {
        "by_domain": analysis.by_domain(runs[0], direction=direction),
        "compared": analysis.compare_runs(*runs, direction=direction).by_domain,
        "confusion": analysis.domain_confusion(runs[0], direction=direction).drop_duplicates("domain"),
    }
    for name, table in tables.items():
        assert table["n_queries"].sum() == n, name
        (label,) = table.loc[table["domain"] == NONE_STATED, "label"]
        assert label == NO_DOMAIN
    gains = analysis.oracle_gain(runs[1], by="domain", direction=direction)
    assert NO_DOMAIN in set(gains["label"])
    shares = analysis.domain_confusion(runs[0], direction=direction)
    assert shares["n"].sum() == pytest.approx(n)


def test_domains_that_are_all_missing_stay_missing():
    assert with_unstated(pd.Series([None, np.nan], dtype=object)).isna().all()
    assert list(with_unstated(pd.Series(["x", None]))) == ["x", NONE_STATED]
    assert {domain_label(one) for one in (None, np.nan, pd.NA, NONE_STATED)} == {NO_DOMAIN}
