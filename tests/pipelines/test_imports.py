"""Foreign scores: every kind of file, every order, and the stop when rows do not follow the captions."""

from __future__ import annotations

import gzip
import pickle

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus, made_similarity
from workbench.core.errors import DataError, OrderError
from workbench.core.seeds import generator
from workbench.corpus import save_corpus
from workbench.pipelines.matrices import read_matrix

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")


@pytest.fixture
def corpus(home):
    return made_corpus(160)


@pytest.fixture
def matrix(corpus):
    return made_similarity(corpus, noise=0.4)


@pytest.fixture
def real(real_data, home):
    from workbench.pipelines.datasets import prepare

    file = real_data / "annotations" / "msrvtt" / "MSRVTT_JSFUSION_test.csv"
    return prepare("msrvtt-1ka", annotations=[file]), real_data / "sim"


def saved(matrix, corpus, path):
    """The matrix in the kind of file that the path's suffix names."""
    table = pd.DataFrame(matrix, index=corpus.captions["caption_id"], columns=corpus.videos["video_id"])
    match "".join(path.suffixes):
        case ".npy":
            np.save(path, matrix)
        case ".npz":
            np.savez(path, similarity=matrix, note=np.asarray("x"))
        case ".pt":
            torch.save(torch.tensor(matrix).to(torch.bfloat16), path)
        case ".csv":
            table.to_csv(path)
        case ".tsv.gz":
            np.savetxt(path, matrix, delimiter="\t")
    return path


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.pt", "a.csv", "a.tsv.gz"])
def test_every_kind_of_file(matrix, corpus, tmp_path, name):
    run = wb.import_run(saved(matrix, corpus, tmp_path / name), corpus="made", name="theirs")
    tolerance = 1e-2 if name == "a.pt" else 1e-6
    assert np.allclose(run.similarity, matrix, atol=tolerance)
    assert run.order["how"] == ("ids" if name == "a.csv" else run.order["how"])


@pytest.mark.parametrize("kind", ["array", "half", "tensor", "ids"])
def test_arrays_tensors_and_ids_in_any_order(matrix, corpus, kind):
    source = {"half": matrix.astype(np.float16), "tensor": torch.tensor(matrix)}.get(kind, matrix)
    ids = {}
    if kind == "ids":
        rows, columns = (generator(seed, "order").permutation(len(matrix)) for seed in (1, 2))
        source = matrix[np.ix_(rows, columns)]
        ids = {"row_ids": corpus.captions["caption_id"].iloc[rows].to_list(),
               "col_ids": [v.split("/")[1] for v in corpus.videos["video_id"].iloc[columns]]}  # fmt: skip
    run = wb.import_run(source, corpus=corpus, name="theirs", **ids)
    assert np.allclose(run.similarity, matrix, atol=1e-3)


def test_embedding_pairs_with_their_id_file(corpus, tmp_path):
    draw = generator(0, "embeddings")
    text = draw.normal(size=(160, 16)).astype(np.float32)
    video = text + 0.1 * draw.normal(size=(160, 16)).astype(np.float32)
    order = draw.permutation(160)
    np.save(tmp_path / "txt_embeds_test.npy", 3 * text[order])
    np.save(tmp_path / "vid_embeds_test.npy", video[order])
    names = [video.split("/")[1] for video in corpus.videos["video_id"].iloc[order]]
    pd.Series(names).to_csv(tmp_path / "ids_test.csv", index=False)
    run = wb.import_run(
        (tmp_path / "txt_embeds_test.npy", tmp_path / "vid_embeds_test.npy"), corpus=corpus, name="pair"
    )
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (text, video)]
    assert np.allclose(run.similarity, unit[0] @ unit[1].T, atol=1e-5)
    assert run.order["how"] == "ids"
    with pytest.raises(DataError, match="Text embeddings have 16 dimensions, video embeddings 8"):
        wb.import_run((text, video[:, :8]), corpus=corpus, name="x")
    with pytest.raises(DataError, match="1 embeddings are zero or not finite, the first is row 3"):
        wb.import_run((np.where(np.arange(160)[:, None] == 3, 0, text), video), corpus=corpus, name="x")


def test_padded_captions_per_video(home):
    corpus = made_corpus(30, per_video=2)
    matrix = made_similarity(corpus)
    padded = np.full((30, 3, 30), -np.inf, np.float32)
    padded[:, :2] = matrix.reshape(30, 2, 30)
    run = wb.import_run(padded, corpus=corpus, name="padded")
    assert np.array_equal(run.similarity, matrix)
    with pytest.raises(DataError, match="disagrees with the captions of the corpus at video 4"):
        padded[4, 1] = -np.inf
        wb.import_run(padded, corpus=corpus, name="x")


def uneven(home):
    """A corpus of 20 videos of 1 to 3 captions, a similarity, the same padded with rows that hold none, the masks."""
    whole = made_corpus(20, per_video=3)
    kept = np.ones((20, 3), bool)
    kept[3, 1:], kept[7, 2] = False, False
    captions = whole.captions[kept.ravel()].reset_index(drop=True)
    corpus = save_corpus("uneven", {"videos": whole.videos, "captions": captions}).with_split("test")
    similarity = made_similarity(corpus)
    padded = np.full((60, 20), 9.0, np.float32)
    padded[kept.ravel()] = similarity
    return corpus, similarity, padded, kept.astype(np.float64)


@pytest.mark.parametrize("place", ["beside", "flat", "inside", "npz", "array", "cube"])
def test_rows_that_hold_no_caption(home, tmp_path, place):
    corpus, similarity, padded, masks = uneven(home)
    path, options = tmp_path / "sims.pkl", {}
    content = {"sims": padded, "query_masks": masks} if place == "inside" else padded
    path.write_bytes(pickle.dumps(content))
    if place in ("beside", "flat"):
        options["masks"] = tmp_path / "masks.pkl"
        options["masks"].write_bytes(pickle.dumps(masks.ravel() if place == "flat" else masks))
    elif place == "npz":
        path = tmp_path / "sims.npz"
        np.savez(path, similarity=padded, query_masks=masks, row_ids=[f"{i}" for i in range(60)])
        with pytest.raises(DataError, match="Row id '0' .line 1. is not in the corpus"):
            wb.import_run(path, corpus=corpus, name="x")
        np.savez(path, similarity=padded, query_masks=masks)
    elif place in ("array", "cube"):
        options["masks"] = masks
        path = padded if place == "array" else padded.reshape(20, 3, 20)
    run = wb.import_run(path, corpus=corpus, name="theirs", **options)
    assert np.array_equal(run.similarity, similarity)


def test_masks_that_do_not_fit(home, tmp_path):
    corpus, _, padded, masks = uneven(home)
    wrong = masks.copy()
    wrong[7, 2] = 1
    for given, message in (
        (wrong, "disagrees with the captions of the corpus at video 7"),
        (masks[:-1], "at the number of videos"),
        (np.where(masks == 0, 0.0, 0.5), "The masks of an array are not 0 and 1"),
    ):
        with pytest.raises(DataError, match=message):
            wb.import_run(padded, corpus=corpus, name="x", masks=given)
    with pytest.raises(DataError, match="There are 60 masks for the rows of an array, which is 59 x 20"):
        wb.import_run(padded[:-1], corpus=corpus, name="x", masks=masks)
    np.savez(tmp_path / "two.npz", a=masks, b=masks)
    for name, message in (("two.npz", "holds a, b. Call the masks 'query_masks'"), ("m.csv", "is text; masks are")):
        (tmp_path / "m.csv").write_text("1\n")
        with pytest.raises(DataError, match=message):
            wb.import_run(padded, corpus=corpus, name="x", masks=tmp_path / name)


def test_missing_videos_from_a_file(matrix, corpus, tmp_path):
    lost = corpus.videos["video_id"][5]
    (tmp_path / "missing.txt").write_text(f"{lost}\tgone from the web\n")
    run = wb.import_run(np.delete(matrix, 5, 1), corpus=corpus, name="hole", missing=tmp_path / "missing.txt")
    assert run.gallery.loc[5, "reason"] == "gone from the web"


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.npy", "cannot be read"),
        (b"\x80\x04K\x01.", "a.npy", "cannot be read"),
        (b"not a zip", "a.npz", "cannot be read"),
        (b"garbage", "a.pt", "holds Python objects besides tensors|cannot be read as a torch file"),
        (b"1,2\n3,x\n", "a.csv", "not a number"),
        (b"1,2\n3\n4,5,6\n", "a.csv", "is not a table"),
        (b"\xff\xfe1", "a.csv", "is not UTF-8"),
        (gzip.compress(b"1\t2", mtime=0)[:-4], "a.tsv.gz", "cannot be read"),
        (b"x", "a.xlsx", "is of an unknown kind. Known: .npy"),
    ],
)
def test_broken_files(tmp_path, content, name, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_matrix(tmp_path / name)


def test_arrays_that_are_no_matrix(tmp_path):
    for value, message in (
        (np.zeros(3), "is 3; a similarity matrix is captions x videos"),
        (np.asarray([["a"]]), "not numbers"),
    ):
        with pytest.raises(DataError, match=message):
            read_matrix(value)
    np.savez(tmp_path / "two.npz", a=np.eye(2), b=np.eye(3))
    with pytest.raises(DataError, match="has no single matrix: it holds a .2, 2., b .3, 3.. Name the matrix"):
        read_matrix(tmp_path / "two.npz")
    with pytest.raises(DataError, match="does not exist"):
        read_matrix(tmp_path / "none.npy")


def test_a_pickle_is_never_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "evil"), "w"))

    torch.save({"x": Evil()}, tmp_path / "evil.pt")
    np.save(tmp_path / "evil.npy", np.asarray([Evil()], object), allow_pickle=True)
    for name in ("evil.pt", "evil.npy"):
        with pytest.raises(DataError):
            read_matrix(tmp_path / name)
    assert not (tmp_path / "evil").exists()


def test_wrong_ids_are_named(matrix, corpus):
    ids = corpus.videos["video_id"].to_list()
    with pytest.raises(
        DataError, match=r"Column id 'Cooking/clip_9999.mp4' \(line 1\) is not in the corpus. Did you mean"
    ):
        wb.import_run(matrix, corpus=corpus, name="x", col_ids=["Cooking/clip_9999.mp4", *ids[1:]])
    with pytest.raises(DataError, match="stands twice"):
        wb.import_run(matrix, corpus=corpus, name="x", col_ids=[ids[1], *ids[1:]])
    with pytest.raises(DataError, match="There are 159 ids for 160 columns"):
        wb.import_run(matrix, corpus=corpus, name="x", col_ids=ids[1:])


@pytest.mark.parametrize("name", ["clip4clip", "InternVideo2"])
def test_real_matrices_in_order(real, name):
    corpus, folder = real
    run = wb.import_run(folder / f"{name}_msrvtt.npy", corpus=corpus, name=name.lower())
    assert run.order["how"] == "checked"


@pytest.mark.parametrize("name", ["GRAM", "VAST"])
def test_real_matrices_out_of_order_stop_and_keep_totals(real, name, home):
    corpus, folder = real
    source = folder / f"{name}_msrvtt.npy"
    with pytest.raises(OrderError, match="does not follow the captions of msrvtt-1ka.*--row-ids FILE.*--totals-only"):
        wb.import_run(source, corpus=corpus, name="theirs")
    assert not (home / "runs" / "theirs").exists()
    run = wb.import_run(source, corpus=corpus, name="theirs", totals_only=True)
    assert run.totals_only and run.order["how"] == "contradicted"
    assert run.queries["text"].isna().all() and run.gallery["video_id"][0] == "column 1"


def test_real_matrix_shuffled_transposed_and_sorted(real):
    corpus, folder = real
    matrix = np.load(folder / "clip4clip_msrvtt.npy")
    with pytest.raises(OrderError, match="(?i)transposed"):
        wb.import_run(matrix.T, corpus=corpus, name="x")
    with pytest.raises(OrderError, match="(?i)rows"):
        wb.import_run(matrix[generator(0, "rows").permutation(1000)], corpus=corpus, name="x")
    assert wb.import_run(matrix.T, corpus=corpus, name="upright", transpose=True).order["how"] == "checked"
    by_name = np.argsort(corpus.videos["video_id"].to_numpy(), kind="stable")
    run = wb.import_run(matrix[np.ix_(by_name, by_name)], corpus=corpus, name="sorted")
    assert run.order["how"] == "checked" and "by " in run.order["evidence"]
    assert np.array_equal(run.similarity, matrix)
