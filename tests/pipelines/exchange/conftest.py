"""A corpus, and a run on it."""

from __future__ import annotations

import pytest

from tests.made import made_corpus, made_runs


@pytest.fixture
def corpus(home):
    return made_corpus(40)


@pytest.fixture
def run(corpus):
    return made_runs(corpus, ("good",))[0]
