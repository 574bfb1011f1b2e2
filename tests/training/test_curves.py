"""What a training writes beside its weights: curves, ranks on validation, choices; what chooses and when it ends."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.training.reading import COUNTS, NAME, TINY, read_corpus
from workbench import analysis
from workbench.core.errors import DataError, ExistsError, StateError, WorkbenchError
from workbench.corpus import open_corpus
from workbench.evaluation import open_run, retrieval_metrics
from workbench.evaluation.runs.monitor import LOOK_CURVES, LOOKED, Monitor
from workbench.training import Recorder, SelectSplit, recipe_keys, train, train_seeds
from workbench.training.recipes import Recipe, differences, load_recipe
from workbench.training.selection import Selection
from workbench.training.watching import progress_of

pytest.importorskip("torch", reason="needs torch, which make setup installs")
RECIPE = "textvr_fusion_selftest"


class Kept:
    """A tracker of the simplest kind."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float, int]] = []
        self.closed = 0

    def log(self, name: str, value: float, step: int) -> None:
        self.seen.append((name, value, step))

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def no_logs(monkeypatch):
    monkeypatch.setattr("workbench.training.trackers.has", lambda _: False)


def test_a_training_says_what_it_chose_how_fast_it_went_and_every_rank_on_validation():
    read_corpus()
    kept = Kept()
    run = train(RECIPE, name="r", tracker=kept, **TINY)
    history, looks = run.history, pd.read_parquet(run.path / "trajectory.parquet")
    looked = [f"val {way}{name}" for way in ("", "v2t ") for name in LOOKED]
    names = ["loss", "learning rate", "samples/s", "data wait", "elapsed", *looked, "seconds"]
    assert history["name"].drop_duplicates().tolist() == names and kept.closed == 1
    assert kept.seen == list(history[["name", "value", "step"]].itertuples(index=False, name=None))
    assert history[history["name"] == "data wait"]["value"].between(0, 1).all()
    assert looks["step"].drop_duplicates().tolist() == [4, 8, 10]
    last = looks[(looks["step"] == 10) & (looks["direction"] == "t2v")]
    assert len(last) == 2 * COUNTS["val"] and set(last["id"]) == set(open_corpus(NAME, "val").captions["caption_id"])
    ranks = 1 + last["n_above"] + last["n_tied"] / (last["n_tied_right"] + 1)
    assert (1 / ranks).mean() == pytest.approx(history[history["name"] == "val mrr"]["value"].iloc[-1])
    assert run.info["choices"]["device"] == {"value": "cpu", "reason": "this machine has no GPU"}
    assert run.info["data"].keys() == {"train", "select", "report", "engine", "texts"}
    assert run.protocol["selected_on"] == "val"
    assert list((run.path / "logs").glob("events.*"))


@pytest.mark.usefixtures("no_logs")
def test_it_ends_early_where_patience_ends_and_the_best_is_scored():
    read_corpus()
    run = train(RECIPE, name="r", patience=1, **{**TINY, "eval_every": 1, "steps": 40, "learning_rate": 1e-9})
    assert run.state == "finished" and (run.path / "checkpoints" / "best").read_text() == "1"
    assert int((run.path / "checkpoints" / "last").read_text()) == 2


@pytest.mark.usefixtures("no_logs")
def test_a_corpus_without_val_gets_one_by_source_and_the_run_says_so(caplog):
    read_corpus(counts={"train": 20, "test": 6})
    run = train(RECIPE, name="r", **{**TINY, "steps": 2, "warmup": 0})
    whole = open_corpus(NAME).with_split(None).videos
    assert whole.groupby("source_id")["split"].nunique().max() == 1 and (whole["split"] == "val").sum() == 2
    assert run.protocol["selected_on"] == "val (made out of train by source: share 0.1, seed 0)"
    assert "had no val split" in caplog.text


def test_a_score_of_the_reported_split_cannot_choose():
    corpus = read_corpus()
    test, val = corpus.with_split("test"), corpus.with_split("val")
    with pytest.raises(StateError, match=r"cannot be chosen on read/test: it is reported"):
        SelectSplit(test, test)
    with pytest.raises(StateError, match=r"8 of its videos are reported"):
        SelectSplit(corpus.with_split(None), test)
    metrics = retrieval_metrics(np.eye(3, dtype=np.float32))
    with pytest.raises(StateError, match="RetrievalMetrics is no score of the split that chooses"):
        Selection().take(metrics, 3)
    score = SelectSplit(val, test).score(np.zeros(val.relevance_matrix().shape, np.float32))
    assert Selection().take(score, 3)


@pytest.mark.usefixtures("no_logs")
def test_what_chooses_is_a_key(monkeypatch):
    """By the best mean rank of videos; the history says both directions, and a resume goes on with the same."""
    read_corpus()
    chosen = {"monitor": "v2t mean_rank", **TINY}
    whole = train(RECIPE, name="whole", **chosen)
    train(RECIPE, name="r", stop_at=6, **chosen)
    run = train(RECIPE, name="r", resume=True, **chosen)
    for one in (whole, run):
        looks = one.history[one.history["name"] == "val v2t mean_rank"]
        best = int(looks.sort_values(["value", "step"])["step"].iloc[0])
        assert int((one.path / "checkpoints" / "best").read_text()) == best == analysis.chosen_step(one)
        assert {f"val {name}" for name in LOOK_CURVES} <= set(one.history["name"])
    assert run.similarity.tobytes() == whole.similarity.tobytes()
    assert "best v2t MnR" in progress_of("r").sentence
    assert differences(run.info["recipe"], load_recipe(RECIPE, TINY)).startswith("monitor 'v2t mean_rank', now")


def test_monitors_compare_in_their_own_way():
    assert Monitor.parse("mean r1").better(2, 1) and not Monitor.parse("t2v median_rank").better(2, 1)
    assert Monitor.parse("t2v mrr") == Monitor.of_run({"recipe": {"steps": 3}}) and not Monitor().better(1, 1)
    metrics = retrieval_metrics(np.array([[1, 2], [0, 3]], np.float32), direction="both")
    assert Monitor.parse("mean r1").value(metrics) == (50 + 100) / 2
    told = pd.DataFrame(
        [(1, "val r1", 50), (1, "val v2t r1", 10), (2, "val r1", 20), (2, "val v2t r1", 60), (3, "val r1", 99)],
        columns=["step", "name", "value"],
    )  # fmt: skip
    assert Monitor.parse("mean r1").of_history(told).to_dict() == {1: 30, 2: 40}
    assert Monitor.parse("mean r1").best_step(told) == 2 and Monitor.parse("t2v mrr").best_step(told) is None
    for wrong, said in (("mrr", "monitor is 'mrr'"), ("t2v map", "metric to choose by"), ("v2v r1", "direction")):
        with pytest.raises(WorkbenchError, match=said):
            load_recipe(RECIPE, {"monitor": wrong})


@pytest.mark.usefixtures("no_logs")
def test_ones_own_loop_writes_the_same_kind_of_run():
    corpus = read_corpus()
    right = {
        split: corpus.with_split(split).relevance_matrix().toarray().astype(np.float32) for split in ("val", "test")
    }
    with Recorder("own", corpus=NAME, model="mine", recipe={"steps": 3}, machine="left") as recorder:
        for step in range(3):
            recorder.step(1.0 / (step + 1), samples=4, learning_rate=0.1, temperature=0.07)
            found = [recorder.validation(sign * right["val"]) for sign in (-1, 1, 1)]
            assert found == [step == 0, step == 0, False]
        run = recorder.finish(right["test"])
    assert run.state == "finished" and run.metrics["t2v"]["r1"] == 100 and run.protocol["selected_on"] == "val"
    assert run.info["machine"] == "left" and run.info["model"] == "mine"
    with pytest.raises(DataError, match="A run writes the entry 'protocol' of run.json itself"):
        Recorder("taken", corpus=NAME, protocol={"sees": "test queries"})
    with pytest.raises(StateError, match="not a number at step 1"), Recorder("diverged", corpus=NAME) as recorder:
        for loss in (1.0, float("nan")):
            recorder.step(loss)
    assert open_run("diverged").info["notes"] == "The loss is not a number at step 1 (it is nan)."
    assert open_run("diverged").history["value"].max() < float("inf")
    assert {"loss", "temperature", "samples/s", "val mrr", "seconds"} <= set(run.history["name"])
    with pytest.raises(ExistsError):
        Recorder("own", corpus=NAME)
    with pytest.raises(ZeroDivisionError), Recorder("broken", corpus=NAME) as recorder:
        recorder.step(1 / 0)
    assert open_run("broken").state == "failed" and "division by zero" in open_run("broken").info["notes"]
    with pytest.raises(KeyboardInterrupt), Recorder("stopped", corpus=NAME):
        raise KeyboardInterrupt
    assert open_run("stopped").info["notes"] == "It was interrupted."


@pytest.mark.usefixtures("no_logs")
def test_what_changed_since_is_not_resumed():
    read_corpus()
    stopped = train(RECIPE, name="r", stop_at=3, **TINY)
    assert stopped.state == "running"
    with pytest.raises(StateError, match="begun with another recipe: patience None, now 2"):
        train(RECIPE, name="r", resume=True, patience=2, **TINY)
    open_corpus(NAME).path.joinpath("corpus.json").write_text(
        open_corpus(NAME)
        .path.joinpath("corpus.json")
        .read_text()
        .replace(open_corpus(NAME, "train").fingerprint, "0" * 64)
    )
    before = open_run("r").info
    with pytest.raises(StateError, match="The split train of read changed since the run was begun"):
        train(RECIPE, name="r", resume=True, **TINY)
    assert open_run("r").info == before


@pytest.mark.usefixtures("no_logs")
def test_seeds_make_a_group_and_are_resumed_one_by_one():
    read_corpus()
    short = {**TINY, "steps": 2, "warmup": 0}
    train(RECIPE, name="read-ocr-seed1", group="read-ocr", seed=1, stop_at=1, **short)
    train(RECIPE, name="read-ocr-seed0", group="read-ocr", seed=0, **short)
    made = open_run("read-ocr-seed0").info["created"]
    runs = train_seeds(RECIPE, seeds=[0, 1], resume=True, **short)
    assert [run.name for run in runs] == ["read-ocr-seed0", "read-ocr-seed1"] and runs[0].info["created"] == made
    assert {run.info["group"] for run in runs} == {"read-ocr"} and [run.info["seed"] for run in runs] == [0, 1]
    with pytest.raises(DataError, match="once each"):
        train_seeds(RECIPE, seeds=[0, 0])


def test_every_key_is_documented_and_yes_and_no_are_read():
    table = recipe_keys()
    assert table["key"].tolist() == list(Recipe.__dataclass_fields__) and table["meaning"].str.len().min() > 9
    recipe = load_recipe(RECIPE, {"compile": True, "sigmoid_bias": "learned", "patience": 3})
    assert recipe.compile and recipe.sigmoid_bias == "learned" and recipe.patience == 3
    wrong = {"compile": 1, "patience": True, "keep_last": 0, "precision": "fp8", "sigmoid_bias": "leaned"}
    for key, value in wrong.items():
        with pytest.raises(WorkbenchError, match=key.replace("_", "[ _]")):
            load_recipe(RECIPE, {key: value})
    stored = {key: value for key, value in recipe.to_dict().items() if key != "precision"}
    assert differences(stored, recipe) == "" and "steps 20, now 9" in differences(stored, load_recipe(RECIPE, {
        "compile": True, "sigmoid_bias": "learned", "patience": 3, "steps": 9}))  # fmt: skip
