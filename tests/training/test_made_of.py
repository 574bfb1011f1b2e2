"""What a training is made of: numbers as people write them, whose text, who decodes, which files; what may change."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training import filming
from tests.training.reading import NAME, TINY, read_corpus
from workbench.cli.common import key_values
from workbench.core.errors import DataError, StateError, UnknownNameError, WorkbenchError
from workbench.core.files import write_table
from workbench.core.jobs import Job
from workbench.core.yaml_text import read_yaml
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation import open_run
from workbench.evaluation.runs.library import difference
from workbench.pipelines.checkpoints import score_checkpoint
from workbench.training import Recorder, load_recipe, train
from workbench.training.recipes import resolve
from workbench.training.train import train_words

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
RECIPE = "textvr_fusion_selftest"
pytestmark = pytest.mark.usefixtures("no_logs")


@pytest.fixture
def no_logs(monkeypatch):
    monkeypatch.setattr("workbench.training.trackers.has", lambda _: False)


def reread(corpus: Corpus, *engines: str) -> Corpus:
    """The corpus as if these engines had read it, each something of its own."""
    for name in ("texts", "text_coverage"):
        table = getattr(corpus.with_split(None), name)
        one = table[table["engine"] == table["engine"].iloc[0]]
        parts = [one.assign(engine=engine) for engine in engines]
        if name == "texts":
            for engine, part in zip(engines, parts, strict=True):
                part["text_id"], part["text"] = part["text_id"] + engine, part["text"] + engine[0]
        write_table(corpus.path / f"{name}.parquet", pd.concat(parts, ignore_index=True))
    return open_corpus(corpus.path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("3E5", 3e5),
        ("-.5e+1", -5.0),
        ("2.", 2.0),
        (".inf", float("inf")),
        ("12", 12),
        ("e3", "e3"),
        ("1e", "1e"),
        ("true", True),
        ("[1e-2, a]", [0.01, "a"]),
    ],
)
def test_a_float_needs_no_point(text, value):
    found = read_yaml(text, "It", "")
    assert found == value and type(found) is type(value)


def test_small_rates_are_read_on_the_command_line_in_a_file_and_in_a_job(tmp_path):
    assert key_values(["learning_rate=1e-3"]) == {"learning_rate": 0.001}
    path = tmp_path / "mine.yaml"
    shipped = Path(read_yaml.__code__.co_filename).parents[1] / "training" / "recipe_files" / f"{RECIPE}.yaml"
    path.write_text(shipped.read_text().replace("learning_rate:", "learning_rate: 3e-5 #"))
    assert load_recipe(str(path)).learning_rate == 3e-5
    given = {"learning_rate": 1e-5, "seed": np.int64(3), "init": tmp_path, "mask": ("sources",), "weight_decay": 1e-7}
    words = train_words(RECIPE, given, name="r", group=None, overwrite=False, resume=False)
    again = key_values(words[2 : words.index("--name")])
    assert load_recipe(RECIPE, again) == load_recipe(RECIPE, given)
    assert load_recipe(RECIPE, again).to_dict()["init"] == str(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"model: a\n  bad: [\n", "cannot be read: line 2, mapping values are not allowed here"),
        (b"- a\n- b\n", "is a list. Write one key"),
        (b"model: textvr_fusion\n1: 2\n", "unknown key 1"),
        (b"model: textvr_fusion\noptions.dim: 2\n", "unknown key 'options.dim'. Did you mean options"),
        (b"model: textvr_fusion\nday: 2020-13-45\n", "cannot be read: month must be in 1..12"),
        (b"\xff\xfe\x00bad", "is no text in UTF-8"),
    ],
)
def test_a_broken_recipe_gets_a_sentence(tmp_path, content, said):
    (tmp_path / "r.yaml").write_bytes(content)
    with pytest.raises(DataError, match=said):
        load_recipe(str(tmp_path / "r.yaml"))


def test_one_name_is_a_list_of_one_and_numbers_may_be_numpys():
    recipe = load_recipe(RECIPE, {"mask": "sources", "freeze": "scale", "seed": np.int64(1), "margin": np.float32(0.5)})
    assert (recipe.mask, recipe.freeze, recipe.seed, recipe.margin) == (("sources",), ("scale",), 1, 0.5)
    with pytest.raises(DataError, match="It must be an int"):
        load_recipe(RECIPE, {"steps": np.float64(1.5)})


def test_a_warm_up_that_does_not_fit_is_shortened_where_only_the_steps_were_given():
    recipe, chosen = resolve("textvr_fusion_demo", {"steps": 10})
    assert recipe.warmup == 0 and chosen["warmup"] == {"value": 0, "reason": "12 of 240 steps, as a share of 10"}
    assert resolve("textvr_fusion_demo", {"steps": 100}) == (load_recipe("textvr_fusion_demo", {"steps": 100}), {})
    assert load_recipe("textvr_fusion_demo", {"steps": 100}).warmup == 12
    with pytest.raises(DataError, match="warmup takes 12 of 10 steps"):
        load_recipe("textvr_fusion_demo", {"steps": 10, "warmup": 12})


@pytest.mark.parametrize("word", ["recipe=starvr", "tracker=3", "stop_at=2", "runs=3", "name=x"])
@pytest.mark.parametrize("more", [[], ["--estimate"]])
def test_only_keys_of_a_recipe_are_taken(workbench, word, more):
    code, _, said = workbench("train", RECIPE, word, *more)
    assert code == 2 and f"Recipe: unknown key {word.partition('=')[0]!r}" in said


def test_a_resume_refuses_text_by_another_engine_or_other_words_and_says_so():
    corpus = reread(read_corpus(), "kwai")
    asked = {**TINY, "steps": 4, "warmup": 1}
    train(RECIPE, name="r", stop_at=2, **asked)
    choice = open_run("r").info["choices"]["engine"]
    assert choice == {"value": "kwai", "reason": "no other has read read"}
    texts, coverage = corpus.texts, corpus.text_coverage
    reread(corpus, "kwai", "rapidocr")
    with pytest.raises(StateError, match=r"begun on text read by kwai of read, now it would take text read by rapid"):
        train(RECIPE, name="r", resume=True, **asked)
    write_table(corpus.path / "text_coverage.parquet", coverage)
    write_table(corpus.path / "texts.parquet", texts.assign(text=[*texts["text"][:-1], "changed"]))
    with pytest.raises(StateError, match="The text that kwai read in read/test changed since the run was begun"):
        train(RECIPE, name="r", resume=True, **asked)
    write_table(corpus.path / "texts.parquet", texts)
    assert train(RECIPE, name="r", resume=True, **asked).state == "finished"


def test_a_recipe_names_the_engine_and_the_difference_shows():
    reread(read_corpus(), "kwai", "rapidocr")
    asked = {**TINY, "steps": 2, "warmup": 0}
    one, other = train(RECIPE, name="a", **asked), train(RECIPE, name="b", engine="kwai", **asked)
    assert one.info["choices"]["engine"]["reason"] == "of kwai, rapidocr the first by the order rapidocr, kwai, others"
    assert other.info["choices"]["engine"] == {"value": "kwai", "reason": "the recipe says so"}
    assert set(other.inputs["engine"]) == {"kwai"} and other.info["input_rules"]["engine"] == "kwai"
    keys = difference(one, other)["key"].tolist()
    assert {"data.engine", "data.texts.train", "recipe.engine", "choices.engine.value"} <= set(keys)
    with pytest.raises(StateError, match="no texts of the engine 'own'"):
        train(RECIPE, name="c", engine="own", **asked)
    assert not (one.path.parent / "c").exists()


def test_a_run_of_before_that_states_less_goes_on():
    from workbench.training.made_of import check_same

    recipe = load_recipe(RECIPE, TINY)
    now = {"train": "1", "select": "2", "report": "3", "engine": "kwai", "texts": {"train": "x"}, "rendition": "small"}
    check_same({"train": "1", "select": "2", "report": "3"}, now, recipe)
    check_same({recipe.train_split: "1", "val": "2", "test": "3"}, now, recipe)
    check_same(None, now, recipe)


def test_small_files_made_in_between_are_named_and_readers_are_chosen_by_file(tmp_path):
    filming.clips_corpus(tmp_path / "videos")
    asked = {**filming.TINY, "steps": 4, "eval_every": 2, "reader": "auto"}
    train(RECIPE, name="r", stop_at=2, **asked)
    choice = open_run("r").info["choices"]["reader"]
    assert choice["reason"].startswith("auto: decord where a file is safe")
    assert sum(int(part.split()[1]) for part in choice["value"].split(", ")) == filming.COUNTS["train"]
    shutil.copytree(tmp_path / "videos" / "train", tmp_path / "small" / "train")
    home = open_corpus(filming.NAME).path
    shutil.rmtree(home)
    filming.clips_corpus(tmp_path / "videos", small=tmp_path / "small")
    with pytest.raises(StateError, match="begun on original videos of clips, now it would take small videos"):
        train(RECIPE, name="r", resume=True, **asked)
    run = train(RECIPE, name="s", **asked)
    assert set(run.inputs["reader"].str.split().str[0]) <= {"pyav", "decord"}
    again = score_checkpoint("s", filming.NAME, name="t", reader="auto")
    assert np.array_equal(again.similarity, run.similarity)


def test_names_of_readers_are_checked_before_anything_is_done():
    with pytest.raises(UnknownNameError, match="No reader is called 'foo'. Known: auto, decord, pyav"):
        load_recipe(RECIPE, {"reader": "foo"})
    with pytest.raises(UnknownNameError, match="No reader is called 'pyaw'"):
        score_checkpoint("bm25_ocr", read_corpus(), name="s", reader="pyaw")


def without_val(sources: list[str]) -> Corpus:
    """The corpus of read words without a val split, its train videos of these sources."""
    corpus = read_corpus(counts={"train": len(sources), "test": 6})
    videos = corpus.with_split(None).videos
    videos.loc[videos["split"] == "train", "source_id"] = sources
    write_table(corpus.path / "videos.parquet", videos)
    return open_corpus(corpus.path)


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (["one"] * 20, "smallest source of read has 20 of 20 train videos"),
        (["one"] * 12 + ["two"] * 8, "has 8 of 20 train videos, far above a share of 0.1.*--share 0.4"),
    ],
)
def test_train_is_never_all_taken_for_val_nor_much_of_it(sources, said):
    without_val(sources)
    with pytest.raises(StateError, match=said):
        train(RECIPE, name="r", **TINY)
    assert open_corpus(NAME).splits == ["train", "test"] and not list(open_corpus(NAME).path.parents[1].glob("runs/r"))


def test_a_large_source_is_passed_over_and_an_asked_one_taken(workbench):
    from workbench.pipelines.datasets import split

    without_val(["large"] * 14 + ["a", "a", "b", "b", "c", "c"])
    assert split(open_corpus(NAME)).with_split("val").videos["source_id"].nunique() == 1
    shutil.rmtree(open_corpus(NAME).path)
    without_val(["one"] * 12 + ["two"] * 8)
    assert workbench("data", "split", NAME, "--share", "0.4")[0] == 0
    assert len(open_corpus(NAME, "train").videos) in (8, 12)


def test_inputs_are_checked_before_a_val_split_is_made():
    corpus = without_val([str(n) for n in range(20)])
    for name in ("texts", "text_coverage"):
        (corpus.path / f"{name}.parquet").unlink()
    with pytest.raises(StateError, match="no text read from its frames. Run: workbench ocr run read"):
        train(RECIPE, name="r", **TINY)
    assert "val" not in open_corpus(NAME).splits


def test_an_own_loop_gets_a_val_split_too(caplog):
    without_val([str(n) for n in range(20)])
    with pytest.raises(DataError, match="no split 'dev'"):
        Recorder("own", corpus=NAME, select_split="dev")
    recorder = Recorder("own", corpus=NAME)
    assert recorder.select.name == "val" and "had no val split" in caplog.text


def test_a_shared_corpus_without_val_says_what_to_run(home, tmp_path, monkeypatch):
    corpus = without_val([str(n) for n in range(20)])
    shared = tmp_path / "lab"
    shutil.move(corpus.path, shared / "corpora" / NAME)
    monkeypatch.setenv("WORKBENCH_SHARED", str(shared))
    with pytest.raises(StateError, match=f"is only read. Make it your own: cp -r {shared}/corpora/read {home}/corpora"):
        train(RECIPE, name="r", **TINY)
    shutil.copytree(shared / "corpora" / NAME, home / "corpora" / NAME)
    assert train(RECIPE, name="r", **{**TINY, "steps": 2, "warmup": 0}).state == "finished"


def test_a_gpu_that_is_too_small_is_said_so_and_the_run_keeps_why(monkeypatch):
    read_corpus()

    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr("workbench.training.loop.make_step", full)
    with pytest.raises(StateError, match="GPU's memory is too small for this training. Set micro_batch"):
        train(RECIPE, name="r", **TINY)
    assert open_run("r").state == "failed" and "memory is too small" in open_run("r").info["notes"]


def test_a_job_is_none_of_several_processes_and_may_have_a_long_name(monkeypatch, workbench, tmp_path):
    read_corpus()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(WorkbenchError, match="Several processes were started, so there is no one job"):
        train(RECIPE, name="r", background=True, **TINY)
    monkeypatch.delenv("WORLD_SIZE")
    asked: list[str] = []
    monkeypatch.setattr("workbench.core.jobs.start", lambda words, name: asked.append(name) or Job(name, 1, tmp_path))
    name = "a" * 64
    code, said, _ = workbench("train", RECIPE, f"corpus={NAME}", "modality=ocr", "--name", name, "--detach")
    assert code == 0 and len(asked[0]) == 64 and f"runs watch {name}" in said
