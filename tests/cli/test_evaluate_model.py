"""``workbench evaluate MODEL --corpus C``: a model that needs no training becomes a run, and its metrics are shown."""

from __future__ import annotations

import json

import pytest

from tests.captioned import captioned_corpus
from tests.models.dual_folders import write_dual
from tests.texts import read_corpus, run_on
from workbench.evaluation import open_run

pytest.importorskip("bm25s", reason="needs bm25s, which make setup installs")


@pytest.fixture
def lettered(home):
    return read_corpus(rapidocr={"a": ["SLOANE SQUARE"], "b": ["dog"], "c": ["cat"], "d": ["bird"]})


def test_a_model_is_scored_and_then_measured(workbench, lettered):
    code, out, _ = workbench("evaluate", "bm25_ocr", "--corpus", "c", "--json")
    assert code == 0
    told, run = json.loads(out), open_run("c-bm25_ocr")
    assert told["run"] == "c-bm25_ocr" and told["t2v"]["r1"] == run.metrics["t2v"]["r1"]
    assert run.info["model"] == "bm25_ocr" and run.similarity is not None
    code, again, _ = workbench("evaluate", "c-bm25_ocr", "--json")
    assert code == 0 and json.loads(again) == told, "the run stands and is measured as any other"


def test_measures_can_be_chosen_beside_a_corpus(workbench, lettered):
    code, out, _ = workbench(
        "evaluate", "bm25_ocr", "--corpus", "c", "--name", "mine", "--split", "test", "--ties", "pessimistic", "--json"
    )
    assert code == 0 and json.loads(out)["run"] == "mine"


def test_the_baseline_is_one_command(workbench, home, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    monkeypatch.setattr("workbench.core.pool.default_workers", lambda: 1)
    weights = write_dual(tmp_path / "weights" / "clip-vit-base-patch32")
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(weights.parent))
    captioned_corpus(tmp_path / "videos")
    code, out, error = workbench("evaluate", "textvr_zeroshot_ocr", "--corpus", "shown")
    assert code == 0, error
    assert "Scoring: RRF; it has seen nothing." in out and "R@1" in out
    code, _, _ = workbench(
        "evaluate", "textvr_zeroshot_ocr", "--corpus", "shown", "--name", "other", "--option", "n_frames=2", "--option",
        "fit=squash",
    )  # fmt: skip
    assert code == 0 and open_run("other").info["recipe"]["options"] == {"n_frames": 2, "fit": "squash"}
    code, _, error = workbench("evaluate", "textvr_zeroshot_ocr", "--corpus", "shown", "--name", "other")
    assert code == 2 and "A run called 'other' exists already." in error


@pytest.mark.parametrize(
    "words, sentence",
    {
        "bm25_ocr": "bm25_ocr is a model; it needs videos to score. Add a corpus: --corpus NAME",
        "r --name x": "--name is for scoring a corpus.",
        "r --option k=1": "--option is for scoring a corpus.",
        "nothing": "No run is called 'nothing'.",
        "nothing --corpus c": "No run is called 'nothing'.",
        "bm25_ocr --corpus d": "No corpus is called 'd'.",
        "bm25_ocr --corpus c --option k": "'k' is no key=value.",
        "bm25_ocr --corpus c --option k=[": "The value of k cannot be read: '['.",
        "bm25_ocr --corpus c --option kk=1": "The model bm25_ocr has no option 'kk'. It takes none.",
        "textvr_fusion --corpus c": "The model textvr_fusion must be trained first.",
        "dual_encoder --corpus c": "are not on this machine",
    }.items(),
)
def test_a_wrong_call_is_one_sentence(workbench, lettered, monkeypatch, words, sentence):
    monkeypatch.delenv("WORKBENCH_WEIGHTS", raising=False)
    run_on(lettered)
    code, _, error = workbench("evaluate", *words.split())
    assert code == 2 and sentence in " ".join(error.split())
