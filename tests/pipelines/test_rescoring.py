"""Re-scored runs: parent and protocol carried, refused where they would mislead; their numbers shown with a label."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench import analysis, evaluation
from workbench.core.errors import DataError, ExistsError, StateError, UnknownNameError
from workbench.corpus import save_corpus
from workbench.pipelines import rescoring
from workbench.pipelines.rescoring import METHODS, rescore, sweep_run


@pytest.fixture
def run(home):
    return made_runs(made_corpus(60), ("good", "fair"))[0]


@pytest.fixture
def splits(home):
    """A corpus with two splits and a run on each, fused of two modalities of which each knows half of the domains."""
    draw = np.random.default_rng(0)
    ids = [f"{split}/{i}" for split in ("val", "test") for i in range(40)]
    split, domain = [one.split("/")[0] for one in ids], ["a" if int(one.split("/")[1]) < 20 else "b" for one in ids]
    both = {"video_id": ids, "split": split}
    videos = pd.DataFrame({**both, "domain": domain, "status": "not_kept"})
    captions = pd.DataFrame({**both, "caption_id": ids, "text": [f"caption {one}" for one in ids], "role": "original"})
    corpus = save_corpus("two", {"videos": videos, "captions": captions})
    for one in ("val", "test"):
        known = np.repeat([1.0, 0.0], 20)
        parts = {
            "ocr": np.diag(1 - known) + 0.3 * draw.normal(size=(40, 40)),
            "vision": np.diag(known) + 0.3 * draw.normal(size=(40, 40)),
        }
        wb.save_run(sum(parts.values()), corpus=corpus.with_split(one), name=one, modalities=parts)
    return corpus


@pytest.mark.parametrize(
    ("method", "function", "options"),
    [
        ("dsl", evaluation.dual_softmax, {"temperature": 0.1}),
        ("csls", evaluation.csls, {"k": 5}),
        ("sinkhorn", evaluation.sinkhorn, {"temperature": 0.1}),
    ],
)
def test_a_run_of_new_scores(run, method, function, options):
    before = (run.path / "similarity.npy").read_bytes()
    made = rescore(run, method, name="made", **options)
    assert (run.path / "similarity.npy").read_bytes() == before
    expected = function(run.similarity, **options)
    assert np.array_equal(made.similarity, expected.similarity)
    assert made.info["parent"] == "good" and made.order == run.order
    assert made.protocol["scoring"] == expected.protocol.scoring and made.protocol["sees"] == "test queries"
    assert made.protocol["parameters"] == dict(expected.protocol.parameters)
    assert made.metrics["t2v"]["r1"] == pytest.approx(evaluation.retrieval_metrics(expected.similarity).r1)
    again = rescore(made, "rrf", name="again", others=["fair"])
    assert again.protocol["scoring"] == f"{expected.protocol.scoring} + RRF"
    assert again.protocol["sees"] == "test queries" and len(again.protocol["steps"]) == 2


def test_the_corpus_relevance_checks_the_prior(home):
    corpus = made_corpus(30, per_video=2)
    drop = corpus.captions.drop(index=[0])
    uneven = save_corpus("uneven", {"videos": corpus.videos, "captions": drop}).with_split("test")
    wb.save_run(made_similarity(uneven), corpus=uneven, name="many")
    assert "videos have 1 to 2 captions" in rescore("many", "dsl", name="made").protocol["warnings"][0]


def test_unscored_videos_stay_unscored(home):
    corpus = made_corpus(30)
    gone = corpus.videos["video_id"][4]
    wb.save_run(made_similarity(corpus), corpus=corpus, name="part", missing={gone: "broken file"})
    for method in ("dsl", "csls", "sinkhorn"):
        made = rescore("part", method, name=method)
        row = made.gallery.set_index("video_id").loc[gone]
        assert (row["state"], row["reason"]) == ("not_scored", "broken file")
        assert np.isneginf(made.similarity[:, 4]).all() and np.isfinite(np.delete(made.similarity, 4, axis=1)).all()
        assert made.metrics["t2v"]["n_missed_unscored"] == 1


def test_totals_only_runs_stay_so(home):
    corpus = made_corpus(30)
    wb.save_run(made_similarity(corpus), corpus=corpus, name="totals", totals_only=True)
    made = rescore("totals", "dsl", name="made")
    assert made.totals_only and made.queries["caption_id"][0] == "row 1"
    with pytest.raises(DataError, match="hold totals only"):
        rescore("totals", "rrf", name="more", others=["made"])


def test_large_matrices_are_written_to_disk(run, monkeypatch, home):
    wanted = rescore(run, "dsl", name="small").similarity
    monkeypatch.setattr(rescoring, "IN_MEMORY", 100)
    assert np.array_equal(rescore(run, "dsl", name="large").similarity, wanted)
    assert not [one for one in (home / "runs").iterdir() if one.name.startswith(".rescore")]


def test_banks(run, tmp_path):
    bank = np.random.default_rng(0).uniform(-1, 1, (50, 60)).astype(np.float32)
    wanted = evaluation.querybank_norm(run.similarity, bank)
    np.save(tmp_path / "bank.npy", bank)
    made = rescore(run, "qb-norm", name="from-file", bank=tmp_path / "bank.npy")
    assert np.array_equal(made.similarity, wanted.similarity) and made.protocol["sees"] == "train queries"
    assert made.protocol["warnings"][-1].startswith("Scores were made for t2v")
    moved = np.random.default_rng(1).permutation(60)
    np.savez(tmp_path / "named.npz", similarity=bank[:, moved], video_ids=run.gallery["video_id"].to_numpy(str)[moved])
    named = rescore(run, "qb-norm", name="from-names", bank=tmp_path / "named.npz", beta=20.0)
    assert np.array_equal(named.similarity, wanted.similarity)
    padded = np.insert(bank, 7, 9.0, axis=0)
    np.savez(tmp_path / "padded.npz", similarity=padded, query_masks=np.arange(51) != 7)
    masked = rescore(run, "qb-norm", name="masked", bank=tmp_path / "padded.npz", beta=20.0)
    assert np.array_equal(masked.similarity, wanted.similarity)
    plain = rescore(run, "inverted-softmax", name="plain", bank=bank)
    assert np.array_equal(plain.similarity, evaluation.querybank_norm(run.similarity, bank, dynamic=False).similarity)
    own = rescore(run, "qb-norm", name="own", bank="fair")
    assert own.protocol["sees"] == "test queries"
    with pytest.raises(UnknownNameError, match="No run is called 'none.npy'"):
        rescore(run, "qb-norm", name="x", bank="none.npy")
    with pytest.raises(DataError, match=r"The bank is \(50, 30\)"):
        rescore(run, "qb-norm", name="x", bank=bank[:, :30])


def test_a_bank_of_another_gallery_is_refused(splits):
    with pytest.raises(DataError, match="The bank does not hold every video of the run"):
        rescore("test", "qb-norm", name="x", bank="val")


def test_fusion_with_the_weight_of_another_split(splits):
    sweep = sweep_run("val")
    assert set(sweep.best_of_domain) == {"a", "b"} and 0 < sweep.weights["vision"] < 1
    made = rescore("test", "fusion", name="fused", validation="val")
    assert made.info["fusion"] == {"method": "weighted sum", "weights": dict(sweep.weights)}
    assert made.protocol["selected_on"] == "val" and made.protocol["sees"] == "nothing"
    assert set(made.modalities) == {"ocr", "vision"}
    test = wb.open_run("test")
    assert np.array_equal(
        made.similarity, evaluation.fuse_scores(test.modalities, sweep.weights).similarity.astype("f4")
    )
    with pytest.raises(DataError, match="both on test: what chose the weight cannot test it"):
        rescore("test", "fusion", name="x", validation="fused")
    given = rescore("test", "fusion", name="given", weights={"ocr": 1, "vision": 3}, scale="query")
    assert given.protocol["selected_on"] is None and given.protocol["direction"] == "t2v"


def test_a_gate_of_another_split(splits, command):
    val, test = wb.open_run("val"), wb.open_run("test")
    before = [np.array(one) for one in test.modalities.values()]
    made = rescore("test", "gate", name="gated", validation="val")
    gate = evaluation.fit_gate(val.modalities, val.relevance_matrix, val.queries)
    wanted = evaluation.gated_fusion(test.modalities, gate, test.queries).similarity
    assert np.array_equal(made.similarity, wanted.astype("f4")) and set(made.modalities) == {"ocr", "vision"}
    assert made.info["fusion"] == {"method": "gated sum", "weights": None}
    assert made.protocol["selected_on"] == "val" and made.protocol["sees"] == "nothing"
    assert made.protocol["parameters"]["gate"]["n_queries"] == 40
    assert any("fitted on 40 captions only" in one for one in made.protocol["warnings"])
    assert all(np.array_equal(one, old) for one, old in zip(test.modalities.values(), before, strict=True))
    with pytest.raises(DataError, match="both on test: what chose the weight cannot test it"):
        rescore("test", "gate", name="x", validation="gated")
    code, out, _ = command("rescore", "test", "--method", "gate", "--validation", "val", "--name", "again")
    assert code == 0 and "Scoring: gated sum. It has seen nothing." in out
    assert np.array_equal(wb.open_run("again").similarity, made.similarity)


def test_a_sweep_of_two_runs(splits):
    test = wb.open_run("test")
    for name, matrix in test.modalities.items():
        wb.save_run(matrix, corpus=splits.with_split("test"), name=f"only-{name}")
    own = sweep_run("test", metric="geometric_mean", direction="v2t", steps=5)
    pair = sweep_run("only-ocr", others=["only-vision"], metric="geometric_mean", direction="v2t", steps=5)
    pd.testing.assert_frame_equal(own.curve, pair.curve)
    assert list(pair.weights) == ["only-ocr", "only-vision"] and list(pair.weights.values()) == list(
        own.weights.values()
    )
    middle = own.curve[own.curve["weight"] == 0.5].set_index(own.curve[own.curve["weight"] == 0.5]["domain"].fillna(""))
    found = evaluation.retrieval_metrics(test.similarity, direction="v2t")
    assert middle.loc["", "value"] == pytest.approx(found.geometric_mean)
    part = evaluation.retrieval_metrics(np.asarray(test.similarity), direction="v2t").per_query
    hits = (part["rank"].to_numpy()[:20] <= np.array([[1], [5], [10]])).mean(axis=1)
    assert middle.loc["a", "value"] == pytest.approx(100 * np.cbrt(hits.prod()))
    with pytest.raises(StateError, match="keeps no two modalities"):
        sweep_run("only-ocr")


def test_fusion_of_runs(run):
    made = rescore("good", "weighted-rrf", name="both", others=["fair"], weights={"good": 2, "fair": 1}, k=10)
    assert set(made.modalities) == {"good", "fair"} and made.info["fusion"]["weights"] == {"good": 2, "fair": 1}
    assert made.protocol["sees"] == "nothing"
    rescore("fair", "dsl", name="dsl")
    assert rescore("good", "rrf", name="seen", others=["dsl"]).protocol["sees"] == "test queries"


@pytest.mark.parametrize(
    ("method", "options", "said"),
    [
        ("csls", {"temperature": 1.0}, "csls takes no temperature. It takes k."),
        ("dsl", {"bank": "fair"}, "dsl takes no bank. It takes direction, temperature."),
        ("rrf", {"validation": "fair"}, "rrf takes no validation"),
        ("weighted-rrf", {"validation": "fair"}, "weighted-rrf takes no validation"),
        ("qb-norm", {}, "qb-norm needs a bank"),
        ("gate", {}, "gate must be learned. Give a run of the same model on another split"),
        ("gate", {"weights": {"a": 1}}, "gate takes no weight. It takes validation."),
        ("fusion", {"others": ["fair"]}, "There are no weights for good and fair"),
        ("fusion", {"weights": {"a": 1}, "validation": "fair"}, "Give one of the two"),
        (
            "fusion",
            {"others": ["fair"], "weights": {"good": 1}},
            "There are weights for good; the scores are good, fair",
        ),
    ],
)
def test_options_that_do_not_fit(run, method, options, said):
    with pytest.raises(DataError, match=said):
        rescore(run, method, name="x", **options)


def test_what_cannot_be(run, home):
    with pytest.raises(UnknownNameError, match="No way to re-score is called 'sinkhron'. Did you mean sinkhorn"):
        rescore(run, "sinkhron", name="x")
    with pytest.raises(ExistsError, match="A run called 'fair' exists"):
        rescore(run, "dsl", name="fair")
    with pytest.raises(StateError, match="keeps no two modalities"):
        rescore(run, "rrf", name="x")
    info = json.loads((run.path / "run.json").read_text())
    info["corpus"]["fingerprint"] = "0"
    (run.path / "run.json").write_text(json.dumps(info))
    with pytest.raises(StateError, match="The corpus made has changed"):
        rescore("good", "dsl", name="x")
    assert all(method.sentence for method in METHODS.values())


def test_one_list_of_methods():
    for method in METHODS.values():
        function = getattr(method.function, "func", method.function)
        assert getattr(evaluation, function.__name__) is function


def test_the_leaderboard_keeps_kinds_of_scoring_apart(run):
    bank = np.random.default_rng(0).uniform(-1, 1, (50, 60)).astype(np.float32)
    rescore("fair", "dsl", name="transductive")
    rescore("fair", "qb-norm", name="banked", bank=bank)
    runs = [wb.open_run(name) for name in ("transductive", "banked", "fair", "good")]
    board = analysis.leaderboard(runs)
    assert board["run"].to_list() == ["good", "fair", "banked", "transductive"]
    assert board["scoring_label"].to_list() == [
        "raw", "raw", "QB-Norm, t2v only, saw train queries", "DSL, saw test queries"
    ]  # fmt: skip
    assert "the v2t numbers are no QB-Norm result" in board["warning"][2]
    sentence = analysis.leaderboard_verdict(runs)
    assert "good is better" in sentence and "2 more cannot be compared" in sentence


@pytest.fixture
def command(monkeypatch, capfd):
    """Run a command in this process; returns exit code, output, errors."""
    from workbench.cli import main

    def run(*words):
        monkeypatch.setattr("sys.argv", ["workbench", *words])
        with pytest.raises(SystemExit) as stop:
            main.main()
            raise SystemExit(0)
        return stop.value.code or 0, *capfd.readouterr()

    return run


def test_the_curve_is_printed(splits, command):
    code, out, _ = command("sweep", "val", "--steps", "5")
    lines = out.splitlines()
    assert code == 0 and lines[0].split() == ["weight", "of", "vision", "all", "a", "b"]
    assert [line.split()[0] for line in lines[1:6]] == ["0.00", "0.25", "0.50", "0.75", "1.00"]
    assert sum(line.count("*") for line in lines[1:6]) == 3
    assert "Best over all queries of val: ocr 0.5, vision 0.5: R@1" in out
    assert "Use it: workbench rescore RUN --method fusion --validation val --name NAME" in out
    assert "Only to look at: a weight chosen on test cannot be tested on it." in command("sweep", "test")[1]
    shown = json.loads(command("sweep", "val", "--steps", "3", "--json")[1])
    assert shown["split"] == "val" and len(shown["curve"]) == 9 and shown["weights"]["ocr"] == 0.5
    code, out, _ = command("sweep", "test", "--with", "test", "--steps", "2")
    assert code == 2


def test_the_command(run, command):
    code, out, _ = command("rescore", "good", "--method", "dsl", "--name", "dsl", "--temperature", "0.1")
    assert code == 0 and "Scoring: DSL. It has seen test queries." in out
    code, out, _ = command("rescore", "good", "--method", "fusion", "--with", "fair", "--weight", "good=2",
                           "--weight", "fair=1", "--name", "sum", "--json")  # fmt: skip
    assert code == 0 and json.loads(out)["protocol"]["parameters"]["weights"] == {"good": 2.0, "fair": 1.0}
    code, _, error = command(
        "rescore", "good", "--method", "fusion", "--with", "fair", "--weight", "good", "--name", "y"
    )
    assert code == 2 and "'good' is no NAME=NUMBER" in error
