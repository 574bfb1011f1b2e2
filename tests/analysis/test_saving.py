"""What would keep a lost word: every command is one that the command line knows."""

from __future__ import annotations

import shlex

import pytest
import typer.main

from tests.analysis.failing import failing
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
    assert analysis.remedy_of(run, "missed").command == (
        "workbench ocr run c --preset small-text --stride 1 --as rapidocr-small"
    )
    assert analysis.remedy_of(run, "cut").command == "" and "rrf" in analysis.remedy_of(run, "not_seen").command
    with pytest.raises(UnknownNameError, match="No fate of a word"):
        analysis.remedy_of(run, "gone")
