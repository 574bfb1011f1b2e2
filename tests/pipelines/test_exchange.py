"""Formats of others: what goes out comes back, files agree with trec_eval, and what cannot be is said in a sentence."""

from __future__ import annotations

import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
import pytrec_eval
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.evaluation.test_order import made as made_in_order
from tests.made import made_corpus, made_runs, made_similarity
from workbench.core.errors import DataError, ExistsError, OrderError, UnknownNameError
from workbench.corpus import save_corpus
from workbench.evaluation import open_run, retrieval_metrics, save_run
from workbench.evaluation.moments.table import check_moments, read_moments, save_moments
from workbench.pipelines.exchange import EXPORTERS, IMPORTERS, export
from workbench.pipelines.exchange.latex import escape, latex_table
from workbench.pipelines.exchange.lists import ranked_lists
from workbench.pipelines.exchange.summary import summary
from workbench.pipelines.exchange.trec import judged, read_qrels, read_trec_lists
from workbench.pipelines.exchange.tvr import from_submission, to_submission

steady = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
letters = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "M"))
ids = st.text(letters, min_size=1, max_size=12)
scores = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.fixture
def corpus(home):
    return made_corpus(40)


@pytest.fixture
def run(corpus):
    return made_runs(corpus, ("good",))[0]


def corpus_of(names, captions, texts=None):
    """A corpus of these video ids, one caption each."""
    tables = {
        "videos": pd.DataFrame({"video_id": names, "split": "test", "status": "not_kept"}),
        "captions": pd.DataFrame({
            "caption_id": captions, "video_id": names, "text": texts or [f"words of {i}" for i in range(len(names))],
            "role": "original", "split": "test",
        }),
    }  # fmt: skip
    return save_corpus("own", tables, overwrite=True).with_split("test")


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


def test_qrels_out_and_in(run, tmp_path):
    assert export([run], tmp_path / "a.qrels") == "40 judged pairs"
    assert (judged(run, tmp_path / "a.qrels") != run.relevance_matrix).nnz == 0
    (tmp_path / "b.qrels").write_text("x 0 y 1\n")
    with pytest.raises(DataError, match="judges no caption and video of run good; its ids look like 'x' and 'y'"):
        judged(run, tmp_path / "b.qrels")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.run is empty"),
        (b"q Q0 d 1 0.5\n", "line 1: 5 values. A line is: query Q0 document rank score tag"),
        (b"\nq Q0 d 1 x tag\n", "line 2: 'x' is not a number"),
        (b"\xff Q0 d 1 1 tag\n", "not UTF-8"),
        (b"q Q0 d 1 1 tag\n", "Caption id 'q' .line 1. is not in the corpus"),
    ],
)
def test_broken_trec_runs(corpus, tmp_path, content, message):
    (tmp_path / "a.run").write_bytes(content)
    with pytest.raises(DataError, match=message):
        wb.import_run(tmp_path / "a.run", corpus=corpus, name="x")


def test_pairs_listed_twice_or_without_a_score(corpus, tmp_path):
    caption, video = corpus.captions["caption_id"][0], corpus.videos["video_id"][0]
    for lines, message in (
        (f"{caption} Q0 {video} 1 1 t\n" * 2, "stands twice"),
        (f"{caption} Q0 {video} 1 nan t\n", "has no finite score"),
    ):
        (tmp_path / "a.run").write_text(lines)
        with pytest.raises(DataError, match=message):
            wb.import_run(tmp_path / "a.run", corpus=corpus, name="x")
    pd.DataFrame({"caption_id": [caption], "video_id": [video]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no column 'score'; it has caption_id, video_id"):
        wb.import_run(tmp_path / "a.parquet", corpus=corpus, name="x")
    pd.DataFrame({"caption_id": [], "video_id": [], "score": []}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a.parquet lists nothing"):
        wb.import_run(tmp_path / "a.parquet", corpus=corpus, name="x")


def as_trec_eval_ranks(lists, qrels):
    """Similarity and grades of a run and judgements, ties broken as trec_eval does: the greater id first."""
    queries = sorted(set(lists["caption_id"]) & set(qrels["caption_id"]))
    documents = sorted(set(lists["video_id"]) | set(qrels["video_id"]))
    similarity = np.full((len(queries), len(documents)), -np.inf, np.float32)
    grades = np.zeros(similarity.shape, np.int8)
    place = {document: i for i, document in enumerate(documents)}
    for row, query in enumerate(queries):
        own = lists[lists["caption_id"] == query]
        order = sorted(zip(own["score"].astype(np.float32), own["video_id"], strict=True), reverse=True)
        for rank, (_, document) in enumerate(order):
            similarity[row, place[document]] = -rank
        for one in qrels[qrels["caption_id"] == query].itertuples():
            grades[row, place[one.video_id]] = one.grade
    return similarity, grades


def trec_numbers(similarity, grades):
    found = retrieval_metrics(similarity, sp.csr_array(grades))
    names = {"map": found.map, "recip_rank": found.mrr, "ndcg_cut_10": found.ndcg10}
    return names | {f"success_{k}": found.recall(k) / 100 for k in (1, 5, 10)}


def test_a_small_case_worked_out_by_hand(tmp_path):
    (tmp_path / "a.run").write_text("q1 Q0 d1 9 3 t\nq1\tQ0\td2  1  2.5e0 t\nq1 Q0 d3 2 2.5 t\nq2 Q0 d1 1 1 t\n")
    (tmp_path / "a.qrels").write_text("q1 0 d2 1\nq1 0 d9 1\nq2 0 d1 -1\nq2 0 d2 1\n")
    qrels = read_qrels(tmp_path / "a.qrels")
    assert qrels["grade"].tolist() == [1, 1, 0, 1]
    found = trec_numbers(*as_trec_eval_ranks(read_trec_lists(tmp_path / "a.run"), qrels))
    assert found["recip_rank"] == pytest.approx((1 / 3 + 0) / 2)  # d3 stands before d2, d1 of q2 is junk
    assert found["map"] == pytest.approx((1 / 3 / 2 + 0) / 2)
    assert found["success_5"] == 0.5
    (tmp_path / "a.qrels").write_text("q1 0 d2 200\n")
    with pytest.raises(DataError, match="'q1', 'd2' has no whole grade up to 127"):
        read_qrels(tmp_path / "a.qrels")


def test_numbers_of_trec_eval(real_data):
    folder = real_data / "trec" / "trec_eval"
    lists, qrels = read_trec_lists(folder / "results.test"), read_qrels(folder / "qrels.test")
    expected = {line.split()[0]: line.split()[2] for line in (folder / "out.test.a").read_text().splitlines()}
    assert len(lists) == int(expected["num_ret"])
    for name, found in trec_numbers(*as_trec_eval_ranks(lists, qrels)).items():
        assert f"{found:.4f}" == expected[name], name


@pytest.mark.parametrize("name", ["compat", "cwl"])
def test_graded_files_against_pytrec_eval(real_data, name):
    folder = real_data / "trec" / "ir_measures"
    lists, qrels = read_trec_lists(folder / f"{name}.run"), read_qrels(folder / f"{name}.qrels")
    judgements, answers = {}, {}
    for row in qrels.itertuples():
        judgements.setdefault(row.caption_id, {})[row.video_id] = int(row.grade)
    for row in lists.itertuples():
        answers.setdefault(row.caption_id, {})[row.video_id] = row.score
    asked = {"map", "recip_rank", "ndcg_cut_10", "success_1", "success_5", "success_10"}
    table = pd.DataFrame(pytrec_eval.RelevanceEvaluator(judgements, asked).evaluate(answers)).T
    for measure, found in trec_numbers(*as_trec_eval_ranks(lists, qrels)).items():
        assert found == pytest.approx(table[measure].mean(), abs=1e-6), measure


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


def moments_of(corpus):
    rows = []
    for task in ("vcmr", "svmr", "vr"):
        for row in corpus.captions.itertuples():
            for rank in (1, 2):
                span = (None, None) if task == "vr" else (1.5 * rank, 4.5 * rank)
                rows.append((task, row.caption_id, rank, corpus.videos["video_id"][rank], *span, 1 / rank))
    columns = ["task", "caption_id", "rank", "video_id", "start_s", "end_s", "score"]
    return check_moments(pd.DataFrame(rows, columns=columns))


def test_tvr_predictions_out_and_in(run, corpus, tmp_path):
    moments = moments_of(corpus)
    save_moments(run, moments)
    assert export([run], tmp_path / "a.json") == "VCMR, SVMR, VR of 40 captions"
    written = json.loads((tmp_path / "a.json").read_text("utf8"))
    assert list(written) == ["video2idx", "VCMR", "SVMR", "VR"]
    assert written["VCMR"][0]["predictions"] == [[1, 1.5, 4.5, 1.0], [2, 3.0, 9.0, 0.5]]
    back = wb.import_run(tmp_path / "a.json", corpus=corpus, name="back")
    pd.testing.assert_frame_equal(read_moments(back), moments)
    assert back.similarity[0, 1:3].tolist() == [-1, -2] and back.protocol["candidates"] == 2


def test_a_zip_for_the_challenge_out_and_in(run, corpus, tmp_path):
    moments = moments_of(corpus)
    save_moments(run, moments)
    assert export([run], tmp_path / "a.zip") == "VCMR, SVMR, VR of 40 captions"
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["tvr_test_submission.json"]
        content = archive.read("tvr_test_submission.json")
    back = wb.import_run(tmp_path / "a.zip", corpus=corpus, name="back")
    pd.testing.assert_frame_equal(back.moments, moments)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("tvr_val_submission.json", "{}")
        archive.writestr("tvr_test_submission.json", content)
    again = wb.import_run(tmp_path / "b.zip", corpus=corpus, name="again")
    pd.testing.assert_frame_equal(again.moments, moments)
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("a.json", "{}")
        archive.writestr("b.json", "{")
    with pytest.raises(DataError, match="holds a.json, b.json, and no tvr_test_submission.json"):
        wb.import_run(tmp_path / "c.zip", corpus=corpus, name="x")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("b.json", "{")
    with pytest.raises(DataError, match="d.zip cannot be read"):
        wb.import_run(tmp_path / "d.zip", corpus=corpus, name="x")


def test_a_run_without_moments_is_a_ranking_of_videos(run, corpus, tmp_path):
    export([run], tmp_path / "a.json", "tvr")
    back = wb.import_run(tmp_path / "a.json", corpus=corpus, name="back", format="tvr")
    assert back.metrics["t2v"]["r1"] == pytest.approx(run.metrics["t2v"]["r1"])


seconds = st.floats(0, 1e4, allow_nan=False)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["vcmr", "svmr", "vr"]), st.integers(0, 3), st.integers(0, 2), seconds, seconds, scores
        ),
        min_size=1,
        max_size=20,
    )
)
def test_any_moments_survive_a_submission(rows):
    table = pd.DataFrame(rows, columns=["task", "caption_id", "video_id", "start_s", "end_s", "score"])
    table = table.astype({"caption_id": str, "video_id": str})
    table["rank"] = table.groupby(["task", "caption_id"]).cumcount() + 1
    table.loc[table["task"] == "vr", ["start_s", "end_s"]] = np.nan
    moments = check_moments(table)
    submission = to_submission(moments, {}, {"0": 5, "1": 6, "2": 7})
    assert all(isinstance(entry["desc_id"], int) for entry in submission.get("VR", []))
    pd.testing.assert_frame_equal(from_submission(json.loads(json.dumps(submission)), "x"), moments)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "has no mapping 'video2idx'"),
        ({"video2idx": {"a": 0, "b": 0}}, "two videos of video2idx have one number"),
        ({"video2idx": {"a": 0}}, "holds no prediction"),
        ({"video2idx": {"a": 0}, "VR": {}}, "VR is no list"),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1}]}, "VR entry 0 has no desc_id and predictions"),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": [[0, 0]]}]}, "query '1', prediction 1 is wrong"),
        (
            {"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": [[0, 0, 0, 1]] * 3 + [[0, 0, 1e301, 1]]}]},
            "n 4",
        ),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": [[0, 0, "1", 1]]}]}, "prediction 1 is wrong"),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": [[0, 0, 0, 1], [0, None, 0]]}]}, "prediction 2"),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": [[3, 0, 0]]}]}, "a video number that video2idx"),
        ({"video2idx": {"a": 0}, "VR": [{"desc_id": 1, "predictions": []}] * 2}, "query '1' stands twice in VR"),
    ],
)
def test_broken_predictions(content, message):
    with pytest.raises(DataError, match=re.escape(message)):
        from_submission(content, "x.json")


def test_svmr_alone_ranks_no_videos(run, corpus, tmp_path):
    moments = moments_of(corpus)
    save_moments(run, moments[moments["task"] == "svmr"])
    export([run], tmp_path / "a.json")
    with pytest.raises(DataError, match="holds SVMR only, which ranks no videos"):
        wb.import_run(tmp_path / "a.json", corpus=corpus, name="x")


def test_a_latex_table(home, tmp_path):
    corpus = made_corpus(120)
    runs = made_runs(corpus, ("good", "poor"))
    runs.append(
        save_run(
            runs[0].similarity, corpus=corpus, name="d_s-l", protocol={"scoring": "DSL & co", "sees": "test queries"}
        )
    )
    export(runs, tmp_path / "a.tex")
    text = (tmp_path / "a.tex").read_text("utf8")
    good, poor, seen = (
        next(line for line in text.splitlines() if line.startswith(name)) for name in ("good", "poor", r"d\_s-l")
    )
    assert good.count(r"\textbf{") == 12 and poor.count(r"\textbf{") == 1 and seen.count(r"\textbf{") == 12
    assert "$^{***}$" in poor and "$^{" not in good + seen and r"{\scriptsize [" in poor
    assert r"DSL \& co" in seen and text.count(r"\midrule") == 2 and r"\emph{Scoring has seen: test queries}" in text
    columns = {
        line.replace(r"\&", "").count("&")
        for line in text.splitlines()
        if line.endswith(r"\\") and "multicolumn" not in line
    }
    assert columns == {12}
    low, high = runs[1].metrics["t2v"]["interval"]["r1"]
    assert f"[{low:.1f}, {high:.1f}]" in poor


@given(st.text())
def test_escaped_text_holds_nothing_that_acts(text):
    left = escape(text)
    for command in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textless{}", r"\textgreater{}",
                    r"\textquotedbl{}", r"\textbar{}", r"\{", r"\}", r"\$", r"\&", r"\#", r"\%", r"\_"):  # fmt: skip
        left = left.replace(command, "")
    assert not set(left) & set("\\{}$&#%_~^\n\r")


def test_tables_of_numbers(home, tmp_path):
    corpus = made_corpus(120)
    runs = made_runs(corpus)
    export(runs, tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert table["run"].tolist() == ["good", "fair", "poor"]
    assert table["t2v_r1"].tolist() == pytest.approx([run.metrics["t2v"]["r1"] for run in runs])
    assert np.isnan(table["t2v_r1_p"][0]) and 0 < table["t2v_r1_p"][2] < 0.05
    totals = wb.import_run(runs[0].similarity, corpus=corpus, name="totals", totals_only=True)
    assert summary([*runs, totals])["t2v_r1_p"].isna().tolist() == [True, False, False, True]
    assert "totals" in latex_table(summary([*runs, totals]))
    other = save_run(made_similarity(made_corpus(40, name="other")), corpus="other", name="elsewhere")
    with pytest.raises(DataError, match="Put runs of one corpus and split into one table"):
        summary([runs[0], other])
    with pytest.raises(DataError, match="A run stands twice"):
        summary([runs[0], runs[0]])


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
