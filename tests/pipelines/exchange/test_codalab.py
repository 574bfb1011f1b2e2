"""Submissions to the TextVR challenge: in its order, of its size, the right way round."""

from __future__ import annotations

import zipfile

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.evaluation.test_order import made as made_in_order
from tests.made import made_corpus, made_similarity
from tests.pipelines.exchanged import corpus_of
from workbench.core.errors import DataError, OrderError
from workbench.corpus import save_corpus
from workbench.evaluation import save_run
from workbench.pipelines.exchange import export


def scrambled(corpus):
    """The made corpus with a stored order of its videos, as TextVR has one."""
    order = np.random.default_rng(5).permutation(len(corpus.videos))
    tables = {"videos": corpus.videos, "captions": corpus.captions}
    stored = pd.DataFrame({
        "split": "test", "order": "scrambled", "axis": "videos", "position": np.arange(len(order)),
        "id": corpus.videos["video_id"].to_numpy()[order],
    })  # fmt: skip
    return save_corpus("puzzle", tables, orders=stored).with_split("test"), order


@pytest.mark.parametrize("name", ["textvr.npy", "textvr.zip"])
def test_a_submission_is_in_the_order_of_the_challenge(corpus, tmp_path, name):
    corpus, order = scrambled(made_corpus(160, name="plain"))
    similarity = made_similarity(corpus)
    run = save_run(similarity, corpus=corpus, name="mine")
    said = export([run], tmp_path / name, "codalab")
    assert said == "160 captions x 160 videos; videos in the scrambled order of the challenge"
    path = tmp_path / name
    matrix = np.load(path) if name.endswith("npy") else np.load(zipfile.ZipFile(path).open("textvr.npy"))
    assert matrix.dtype == np.float32 and np.array_equal(matrix, similarity[:, order])
    back = wb.import_run(path, corpus=corpus, name="back", format="codalab")
    assert np.array_equal(back.similarity, similarity) and back.order["how"] == "ids"


def test_a_submission_of_wrong_size_or_orientation(home, tmp_path):
    corpus = made_corpus(160)
    similarity = made_similarity(corpus, noise=0.3)
    np.save(tmp_path / "small.npy", similarity[:, :-1])
    with pytest.raises(DataError, match="small.npy is 160 x 159; made/test asks for 160 captions x 160 videos"):
        wb.import_run(tmp_path / "small.npy", corpus=corpus, name="x", format="codalab")
    np.save(tmp_path / "flat.npy", similarity.ravel())
    with pytest.raises(DataError, match="flat.npy is 25600; a similarity matrix is captions x videos"):
        wb.import_run(tmp_path / "flat.npy", corpus=corpus, name="x", format="codalab")
    several = made_corpus(8, name="several", per_video=2)
    run = save_run(made_similarity(several), corpus=several, name="several")
    with pytest.raises(DataError, match="16 captions for 8 videos. A submission needs one caption for every video"):
        export([run], tmp_path / "x.npy", "codalab")
    (tmp_path / "bad.zip").write_bytes(b"x")
    with pytest.raises(DataError, match="bad.zip cannot be read"):
        wb.import_run(tmp_path / "bad.zip", corpus=corpus, name="x")


def test_a_transposed_submission_is_refused_both_ways(home, tmp_path):
    captions, similarity = made_in_order(600, 0, video_noise=2.0, copies=4)
    names = [str(i) for i in range(600)]
    corpus = corpus_of(names, names, list(captions))
    turned = save_run(similarity.T, corpus=corpus, name="turned")
    with pytest.raises(OrderError, match="Run turned cannot be submitted: .*transposed"):
        export([turned], tmp_path / "x.npy", "codalab")
    np.save(tmp_path / "turned.npy", similarity.T)
    with pytest.raises(OrderError, match="transposed"):
        wb.import_run(tmp_path / "turned.npy", corpus=corpus, name="x", format="codalab")


def test_unscored_videos_stand_last_in_a_submission(corpus, tmp_path):
    similarity = made_similarity(corpus)
    lost = corpus.videos["video_id"][3]
    run = save_run(np.delete(similarity, 3, 1), corpus=corpus, name="hole", missing={lost: "gone"})
    said = export([run], tmp_path / "x.npy", "codalab")
    matrix = np.load(tmp_path / "x.npy")
    assert "40 pairs without a score stand below all others" in said
    assert np.isfinite(matrix).all() and (matrix[:, 3] < np.delete(matrix, 3, 1).min()).all()
