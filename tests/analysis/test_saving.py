"""What would keep a lost word: every command is one that the command line knows."""

from __future__ import annotations

import shlex

import numpy as np
import pandas as pd
import pytest
import typer.main

import workbench as wb
from tests.analysis.failing import failing
from tests.texts import IDS, WRONG
from workbench import analysis
from workbench.analysis.reading.funnel import FATES
from workbench.cli.main import app
from workbench.core.errors import UnknownNameError
from workbench.evaluation import Run

TRAINED = {"command": ["workbench", "train", "recipe", "modality=ocr", "--name", "r", "--overwrite"],
           "input_rules": {"max_words": 24}}  # fmt: skip


def understood(line: str) -> bool:
    """Whether the command line takes these words; fails with its error where it does not."""
    command, words = typer.main.get_command(app), shlex.split(line)
    assert words[0] == "workbench"
    context, words = command.make_context("workbench", words[1:], resilient_parsing=True), words[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words, parent=context)
    return True


@pytest.fixture
def run(home) -> Run:
    return failing(read={"a": ["x"]})


def test_every_fate_has_a_way_out(run):
    run.info.update(model="textvr_fusion", **TRAINED)
    told = {fate: analysis.remedy_of(run, fate) for fate in FATES}
    assert told.pop("used") == ("", "")
    for fate, remedy in told.items():
        assert remedy.sentence.endswith(":") and remedy.command, fate
        assert all(understood(line) for line in remedy.command.splitlines())
    assert told["cut"].command == (
        "workbench train recipe modality=ocr --overwrite options.max_words=48 --name r-words"
    )
    assert "--fps 12" in told["not_sampled"].command and "--ocr rapidocr-dense" in told["not_sampled"].command
    assert "--method rrf --with r-bm25" in told["ignored"].command


def test_imported_runs_are_told_what_needs_no_model(run):
    told = {fate: analysis.remedy_of(run, fate) for fate in FATES if fate != "used"}
    lines = {fate: remedy.command.splitlines() for fate, remedy in told.items()}
    assert told["missed"].sentence.endswith("then score your model with the words of rapidocr-small and import it:")
    assert lines["missed"] == ["workbench ocr run c --preset small-text --stride 1 --as rapidocr-small"]
    for fate in ("cut", "filtered", "not_given", "not_seen", "ignored"):
        assert lines[fate][1] == "workbench rescore r --method rrf --with r-bm25 --name r-rrf"
    assert all(understood(line) for own in lines.values() for line in own if not line.startswith("wb."))
    with pytest.raises(UnknownNameError, match="No fate of a word"):
        analysis.remedy_of(run, "gone")


def test_what_an_imported_run_is_told_can_be_done(home):
    """Words of its model by ``inputs``, and their effects by a table, make every fate known."""
    read = {"a": ["SLOANE Square"]}
    run = failing('A sign says "Sloane Square".', read=read)
    assert set(analysis.ocr_funnel(run).words["fate"]) == {"recognised"}
    inputs = pd.DataFrame({"video_id": IDS, "words": [["sloane", "square"], [], [], []], "engine": "rapidocr"})
    call = analysis.remedy_of(run, "recognised").command
    exec(call, {"wb": wb, "FILE": np.array(WRONG), "TABLE": inputs})
    run = wb.open_run("r")
    assert set(analysis.ocr_funnel(run).words["fate"]) == {"kept"}
    said = analysis.remedy_of(run, "kept").sentence
    columns = {"caption_id": "q0", "video_id": "a", "score": 0.2, "score_without": 0.1, "rank_without": 2.0}
    assert all(f" {name}" in said for name in columns)
    table = pd.DataFrame([{**columns, "word": word} for word in ("sloane", "square")])
    table.to_parquet(said.rpartition(" as ")[2].removesuffix("."))
    assert set(analysis.ocr_funnel(wb.open_run("r")).words["fate"]) == {"used"}


def test_a_rescored_run_points_at_the_run_it_was_made_of(run):
    run.info.update(model="textvr_fusion", parent="first", ablation="without ocr")
    assert "made of, first," in analysis.remedy_of(run, "kept").sentence
