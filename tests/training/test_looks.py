"""Looks at the split that chooses: whoever shares them, the scores are those of one process, bit by bit."""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

from tests.far import far_device, send_away  # noqa: E402
from tests.test_documents import blocks  # noqa: E402
from tests.training import looking, world_worker  # noqa: E402
from tests.training.reading import NAME as READ  # noqa: E402
from tests.training.reading import read_corpus  # noqa: E402
from tests.training.split_videos import FEW, NAME, tiny_options  # noqa: E402
from tests.training.told import content, different  # noqa: E402
from workbench.core.errors import StateError  # noqa: E402
from workbench.core.files import read_table  # noqa: E402
from workbench.corpus import open_corpus  # noqa: E402
from workbench.evaluation import open_run, retrieval_metrics  # noqa: E402
from workbench.models.checkpoints import load_model  # noqa: E402
from workbench.models.world import World  # noqa: E402
from workbench.pipelines import frames  # noqa: E402
from workbench.pipelines.inputs import gallery_of  # noqa: E402
from workbench.pipelines.scoring import rules_for, score  # noqa: E402
from workbench.training import SelectSplit, load_recipe, looks  # noqa: E402
from workbench.training.building import built  # noqa: E402
from workbench.training.looks import in_tiles, looks_of  # noqa: E402

EXTENDING = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
CLIP = "textvr_clip_ocr_window"
OWN = {"model": "mine:build", "modality": "vision"}
DUAL = {"model": "dual_encoder", "freeze": (), "options.n_frames": 2, "init": None}
SHARED = {
    "demo": ("textvr_fusion_selftest", {"modality": "fusion"}),
    "starvr": ("starvr", {}),
    "clip": (CLIP, {}),
    "frozen": (CLIP, {"options.freeze_towers": True, "augment": "none"}),
    "own": ("textvr_fusion_selftest", OWN),
}


class Shared(World):
    """One of several ranks that are threads of this process; what they tell each other stays as it is."""

    def beside(self, barrier: threading.Barrier, board: list) -> Shared:
        object.__setattr__(self, "barrier", barrier)
        object.__setattr__(self, "board", board)
        return self

    def collected(self, value):
        self.board[self.rank] = value
        self.barrier.wait(60)
        found = list(self.board) if self.first else []
        self.barrier.wait(60)
        return found

    def told(self, value=None):
        return (self.collected(value) or [None])[0] if self.first else self._heard(value)

    def _heard(self, value):
        self.board[self.rank] = value
        self.barrier.wait(60)
        found = self.board[0]
        self.barrier.wait(60)
        return found

    def working(self):
        return nullcontext()

    def copy_first(self, tensors):
        pass


def looked(model, corpus, rules, size: int) -> list[np.ndarray]:
    """The scores of a look by so many processes, rank by rank."""
    if size == 1:
        return [looks_of(model, corpus, rules, World()).similarity()]
    barrier, board = threading.Barrier(size), [None] * size
    ranks = [Shared(rank, size).beside(barrier, board) for rank in range(size)]
    with ThreadPoolExecutor(size) as threads:
        return list(threads.map(lambda world: looks_of(model, corpus, rules, world).similarity(), ranks))


@pytest.fixture
def made(space, tmp_path, monkeypatch):
    """The model of a recipe, tiny, and the four train clips to look at, one at a time."""
    monkeypatch.setattr(looks, "VIDEOS_AT_ONCE", 1)
    monkeypatch.setattr("workbench.models.scoring.CAPTIONS_PER_TILE", 1)
    example, _ = blocks("python", EXTENDING)
    (tmp_path / "mine.py").write_text(example)
    monkeypatch.syspath_prepend(tmp_path)
    corpus = open_corpus(NAME, "train")

    def make(recipe: str, given: dict):
        options = {} if "model" in given else tiny_options(space, load_recipe(recipe))
        how = {**FEW, "init": None, **{f"options.{key}": one for key, one in options.items()}, **given}
        return built(load_recipe(recipe, how))[0], corpus

    yield make
    sys.modules.pop("mine", None)


@pytest.mark.parametrize("kind", SHARED)
def test_any_number_of_processes_gives_the_scores_of_one(made, monkeypatch, kind):
    model, corpus = made(*SHARED[kind])
    rules = rules_for(model)
    assert in_tiles(model)
    (alone,) = looked(model, corpus, rules, 1)
    plain = model.similarity(
        corpus.captions["text"].tolist(), model.encode(gallery_of(corpus, model.needs, rules).gallery)
    )
    np.testing.assert_allclose(alone, plain, rtol=1e-4, atol=1e-4)
    for size in (2, 3, 6):  # the last: more processes than videos
        first, *others = looked(model, corpus, rules, size)
        assert np.array_equal(first, alone) and all(one.size == 0 for one in others)


@pytest.mark.parametrize("kind", ["demo", "frozen"])
def test_a_process_whose_videos_are_all_broken_takes_part(made, monkeypatch, kind):
    model, corpus = made(*SHARED[kind])
    broken = corpus.videos["video_id"].tolist()[2:]
    real = frames.frame_files

    def some(asked, ids, *rest):
        files, missing = real(asked, ids, *rest)
        lost = {one: "it is broken" for one in ids if one in broken}
        return [one for one in files if one.video_id not in lost], missing | lost

    for module in ("frames", "features"):
        monkeypatch.setattr(f"workbench.pipelines.{module}.frame_files", some)
    (alone,) = looked(model, corpus, rules_for(model), 1)
    assert np.isneginf(alone).all(0).tolist() == [False, False, True, True]
    assert np.array_equal(looked(model, corpus, rules_for(model), 2)[0], alone)
    broken += corpus.videos["video_id"].tolist()[:2]
    with pytest.raises(StateError, match=f"No video of {NAME}/train can be read: it is broken"):
        looked(model, corpus, rules_for(model), 1)


def test_a_model_whose_videos_stay_together_is_looked_at_by_the_first(made, space, monkeypatch):
    monkeypatch.setenv("WORKBENCH_WEIGHTS", str(space))
    model, corpus = made(
        CLIP, {"model": "dual_encoder", "modality": "ocr", "options.weights": str(space / "clip"), "loss": "infonce"}
    )
    assert not in_tiles(model)
    (alone,) = looked(model, corpus, rules_for(model), 1)
    first, other = looked(model, corpus, rules_for(model), 2)
    assert np.array_equal(first, alone) and alone.shape == (4, 4) and other.size == 0


def test_a_look_stays_on_its_device(made):
    model, corpus = made(*SHARED["demo"])
    (here,) = looked(model, corpus, rules_for(model), 1)
    send_away(model.network)
    with far_device():
        (there,) = looked(model, corpus, rules_for(model), 1)
    np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def together(tmp_path_factory) -> Path:
    """A workspace in which two processes have trained."""
    home = tmp_path_factory.mktemp("together")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(home))
        read_corpus()
    processes = world_worker.start(looking.trainings, 2, home, looking.TIMEOUT_S)
    for one in processes:
        one.join(120)
    assert [one.exitcode for one in processes] == [0, 0] and not list(home.glob("*.said"))
    return home


@pytest.fixture
def two(together, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(together))
    return open_run("two")


def test_both_encode_the_select_split_and_the_report(two, together):
    """12 videos in three tiles at each look, 8 of the report one by one; the others know that it may take long."""
    did = [json.loads((together / f"{rank}.did").read_text()) for rank in (0, 1)]
    assert [[what for what, _ in each] for each in did] == [[4, "measured"] * 3 + [1] * 4, [4, 4] * 3 + [1] * 4]
    assert all(known for each in did for _, known in each)


def test_what_two_have_seen_is_what_one_sees_with_the_same_weights(two):
    corpus = open_corpus(READ, "val")
    split, rules = SelectSplit(corpus, open_corpus(READ, "test")), looking.rules_of_model(two)
    trajectory, values = read_table(two.path / "trajectory.parquet"), {}
    for step in (4, 8, 10):
        similarity = looks_of(load_model(two.path, str(step)), corpus, rules, World()).similarity()
        metrics = retrieval_metrics(similarity, corpus.relevance_matrix(), direction="both")
        seen = trajectory[trajectory["step"] == step].drop(columns="step").reset_index(drop=True)
        assert split.ranks(metrics).equals(seen[split.ranks(metrics).columns])
        values[step] = metrics["t2v"].mrr
    history = two.history[two.history["name"] == "val mrr"].set_index("step")["value"]
    assert history.to_dict() == values and len(set(values.values())) == 3
    assert int((two.path / "checkpoints" / "best").read_text()) == max(values, key=values.get)


def test_and_the_report_is_that_of_one(two, together):
    model = load_model(two.path, "best")
    alone = score(model, open_corpus(READ, "test"), name="alone", rules=looking.rules_of_model(two), overwrite=True)
    assert np.array_equal(alone.similarity, two.similarity)


def test_stopped_and_resumed_two_end_as_if_never_stopped(two, together):
    cut = {name: one for name, one in content("cut", together).items() if not name.startswith("checkpoints/5/")}
    assert different(content("two", together), cut) == []
