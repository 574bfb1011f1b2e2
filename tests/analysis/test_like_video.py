"""A clip as the query: videos whose stored scores run alike, and the captions that fit both."""

from __future__ import annotations

import numpy as np
import pytest

from tests.made import made_corpus
from workbench.analysis.structure.like_video import like_video, shared_captions
from workbench.core.errors import UnknownNameError
from workbench.evaluation import save_run


@pytest.fixture
def run(home):
    corpus = made_corpus(8)
    scores = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    scores[:, 5] = 2 * scores[:, 2] + 1  # the same video on another scale
    scores[:, 7] = 0.5  # says nothing of any caption
    return save_run(scores, corpus=corpus, name="r")


def test_the_most_alike_comes_first(run):
    ids = run.gallery["video_id"]
    found = like_video(run, ids[2], k=20)
    assert found["video_id"][0] == ids[5] and found["correlation"][0] == pytest.approx(1)
    assert ids[2] not in set(found["video_id"]) and ids[7] not in set(found["video_id"]) and len(found) == 6
    assert found["correlation"].is_monotonic_decreasing
    with pytest.raises(UnknownNameError, match="No video is called"):
        like_video(run, "nope")


def test_captions_that_fit_both(run):
    ids, best = run.gallery["video_id"], int(np.argmax(run.similarity[:, 2]))
    found = shared_captions(run, ids[2], ids[5], n=2)
    assert found["text"][0] == run.queries["text"][best] and len(found) == 2
    assert found["score_second"][0] == pytest.approx(2 * found["score_first"][0] + 1, rel=1e-4)
