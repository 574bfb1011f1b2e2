"""Runs beside a run whose files are torn: causes and ablations leave them out, and the lists of runs say why."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.made import made_corpus, made_similarity
from workbench import analysis
from workbench.analysis.causes.related import related_to
from workbench.analysis.comparison.ablation_sources import kin_of
from workbench.evaluation.runs.whole import trouble_of


@pytest.mark.parametrize("file", ["per_query.parquet", "similarity.npy", "gallery.parquet", "inputs.parquet"])
def test_a_torn_seed_and_counterfactual_are_left_out(home, file):
    corpus = made_corpus(24)
    run, seed, changed = (
        wb.save_run(made_similarity(corpus, 2.0, seed=at), corpus=corpus, name=name, **info)
        for at, (name, info) in enumerate({
            "run": {"group": "g", "model": "m"}, "seed": {"group": "g", "model": "m"},
            "shuffled": {"parent": "run", "ablation": "frames shuffled", "model": "m"},
        }.items())
    )  # fmt: skip
    related = related_to(run)
    assert [one.name for one in related.seeds] == ["seed"] and related.shuffled.name == "shuffled"
    assert [kin.run.name for kin in kin_of(run)] == ["shuffled"]
    for one in (seed, changed):
        path = one.path / file
        path.write_bytes(path.read_bytes()[:50] if path.exists() else b"PAR1")
        assert file in trouble_of(wb.open_run(one.name))
    related = related_to(run)
    assert related.seeds == () and related.shuffled is None and list(kin_of(run)) == []
    assert len(analysis.failures(run)) and trouble_of(run) == ""
