"""Means of domain by domain: equal to a plain loop, aligned by ids, with intervals that know the sources."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.made import DOMAINS, made_corpus, made_similarity
from workbench import analysis, figures
from workbench.core.errors import StateError
from workbench.evaluation.runs.run import Run
from workbench.evaluation.runs.shared import row_scale, shared_axes


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("blocks")))
        corpus = made_corpus(120, per_video=2)
        similarities = [made_similarity(corpus, 0.5), made_similarity(corpus, 2.5, seed=1)]
        similarities[0][:, 7] = -np.inf
        missing = {corpus.videos["video_id"][7]: "lost"}
        return [
            wb.save_run(similarities[0], corpus=corpus, name="good", missing=missing),
            wb.save_run(similarities[1], corpus=corpus, name="poor"),
        ]


def slow_means(run):
    """Per caption and domain of videos: mean of the finite standardised scores; a loop without any of the code."""
    found = np.full((len(run.queries), len(DOMAINS)), np.nan)
    domains = run.gallery["domain"].to_numpy()
    for i, row in enumerate(np.asarray(run.similarity, float)):
        known = np.isfinite(row)
        z = (row - row[known].mean()) / row[known].std()
        for j, domain in enumerate(DOMAINS):
            own = z[known & (domains == domain)]
            found[i, j] = own.mean() if len(own) else np.nan
    return found


@pytest.mark.parametrize("difference", [False, True])
def test_means_equal_a_plain_loop(runs, difference):
    table = analysis.domain_means(runs[0], runs[1] if difference else None)
    values = slow_means(runs[0]) - (slow_means(runs[1]) if difference else 0)
    own = runs[0].queries["caption_id"].str.split("/").str[0].to_numpy()
    expected = [values[own == domain, at].mean() for domain in DOMAINS for at in range(len(DOMAINS))]
    assert np.allclose(table["mean"], expected, atol=1e-5)
    assert table["domain"].tolist() == list(np.repeat(DOMAINS, 4)) and table["video_domain"].tolist() == [*DOMAINS] * 4
    assert table["label"][8] == "TV Show" and set(table["n_captions"]) == {60} and set(table["n_videos"]) == {30}
    assert (table["low"] < table["mean"]).all() and (table["mean"] < table["high"]).all()


def test_single_pairs_without_a_score_count_nowhere(runs):
    """As a re-ranker leaves them: other holes in every row, and a row that knows a part of the videos only."""
    own = Run(runs[1].path)
    own.similarity = np.array(own.similarity)
    own.similarity[np.random.default_rng(0).random(own.similarity.shape) < 0.2] = -np.inf
    own.similarity[3] = -np.inf
    own.similarity[3, :40] = np.arange(40)
    table = analysis.domain_means(own)
    values = slow_means(own)
    rows = own.queries["caption_id"].str.split("/").str[0].to_numpy()
    expected = [np.nanmean(values[rows == domain, at]) for domain in DOMAINS for at in range(len(DOMAINS))]
    assert np.allclose(table["mean"], expected, atol=1e-5)


def test_intervals_know_the_sources(runs):
    """Captions of one source resemble each other: fewer independent ones, wider intervals."""
    clustered = analysis.domain_means(runs[0])
    assert set(clustered["n_sources"]) == {8}
    alone = Run(runs[0].path)
    alone.gallery = alone.gallery.assign(source_id=None)
    apart = analysis.domain_means(alone)
    assert apart["n_sources"].isna().all()
    width, less = clustered["high"] - clustered["low"], apart["high"] - apart["low"]
    assert (width > less).mean() > 0.9


def test_a_run_minus_itself_is_nothing(runs):
    table = analysis.domain_means(runs[1], runs[1])
    assert np.allclose(table[["mean", "low", "high"]], 0)


def test_other_axes_are_aligned_by_ids(runs):
    other = Run(runs[1].path)
    rows = np.random.default_rng(0).permutation(len(other.queries))
    columns = np.random.default_rng(1).permutation(len(other.gallery))
    other.queries = other.queries.iloc[rows].reset_index(drop=True)
    other.gallery = other.gallery.iloc[columns].reset_index(drop=True)
    other.similarity = np.asarray(other.similarity)[np.ix_(rows, columns)]
    found, expected = (analysis.domain_means(runs[0], one)["mean"] for one in (other, runs[1]))
    assert np.allclose(found, expected, atol=1e-6)
    (own, _), (theirs, _) = shared_axes([runs[0], other])
    assert np.array_equal(rows[theirs], own)


def test_runs_of_other_captions_are_refused(runs, home):
    other = wb.save_run(made_similarity(made_corpus(12, name="o")), corpus="o", name="o")
    with pytest.raises(StateError, match="good and o have other captions. Compare runs of one split"):
        analysis.domain_means(runs[0], other)
    corpus = made_corpus(12)
    totals = wb.save_run(made_similarity(corpus), corpus=corpus, name="totals", totals_only=True)
    with pytest.raises(StateError, match="totals holds totals only"):
        analysis.domain_means(totals)


def test_scale_of_rows_without_spread_or_scores():
    block = np.array([[1, 3, 5, 99], [2, 2, 2, 99], [-np.inf] * 3 + [99], [1, -np.inf, 3, 99]], np.float32)
    scale = np.array([row_scale(row, np.arange(3)) for row in block])
    assert np.allclose(scale[:2], [[3, np.std([1, 3, 5])], [2, 1]]) and np.isnan(scale[2, 0]) and scale[2, 1] == 1
    assert scale[3].tolist() == [2, 1]
    row = np.arange(5, dtype=np.float32)
    assert row_scale(row, np.arange(5)) == pytest.approx(row_scale(row, np.array([4, 0, 2, 1, 3])))


def test_the_heat_map_says_sign_numbers_and_doubt(runs):
    table = analysis.domain_means(runs[0], runs[1])
    table.loc[0, ["mean", "low", "high"]] = [0.004, -0.1, 0.1]
    table.loc[1, ["mean", "low", "high"]] = [-0.5, -0.6, -0.4]
    heat = figures.domain_heatmap(table, difference=True).data[0]
    assert heat.text[0][0] == "(+0.00)" and heat.text[0][1] == "−0.50"
    assert heat.y[0] == "Cooking (60)" and heat.x[2] == "TV Show (30)"
    assert heat.zmin == -heat.zmax < 0 and heat.customdata[0][1].tolist() == [-0.6, -0.4, 60]
