"""Every page on runs whose scores were counted while they were computed, and never stored."""

from __future__ import annotations

import pytest

from tests.app.test_pages import opened, words
from tests.made import made_corpus, made_similarity
from workbench.app.navigation import TITLES
from workbench.evaluation import save_run, stream_metrics

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals
NEEDS_PAIRS = {"matrix"}  # what it shows are the scores of all pairs


@pytest.fixture
def counted(home):
    """Runs ``good`` and ``fair`` without a matrix."""
    corpus = made_corpus(80)
    relevance = corpus.relevance_matrix()
    for i, name in enumerate(("good", "fair")):
        scores = made_similarity(corpus, noise=0.5 + 2.0 * i, seed=i)
        save_run(stream_metrics(lambda rows, s=scores: s[rows], scores.shape, relevance), corpus=corpus, name=name)
    return corpus


@pytest.mark.parametrize("page", ["", *TITLES])
def test_every_page_opens_or_says_what_is_missing(counted, page):
    app = opened(page)
    assert not app.exception, words(app)
    if page in NEEDS_PAIRS:
        assert "keeps no similarity matrix" in words(app)
    else:
        assert not app.error, words(app)


def test_the_query_page_shows_its_list(counted):
    app = opened("query", q="Sports/clip_0070.mp4#0")
    assert "clip\\_0070" in words(app) and not app.exception and not app.error
