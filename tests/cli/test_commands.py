"""Every command: its help with an example, one error as one sentence with exit code 2, and what it does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer.main
from click import Group

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench.cli import main as entry


def all_commands(command=None, words=()):
    command = command or typer.main.get_command(entry.app)
    if isinstance(command, Group) or hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from all_commands(child, (*words, name))
    else:
        yield " ".join(words)


COMMANDS = sorted(all_commands())
ERRORS = {  # one for each command that can be used wrongly: words, sentence
    "app --port 99999": "99999 is not a port. Ports are 1 to 65535.",
    "audit": "There is nothing to audit. Give a run, a corpus or a model.",
    "audit godo": "Did you mean good",
    "cache limit many": "'many' is no number. Write e.g. 50, or none.",
    "cache prune tilse": "The cache has no part 'tilse'.",
    "compare good nope": "No run is called 'nope'.",
    "demo --seed -1": "-1 is no seed.",
    "data check made --level deep": "There is no check level 'deep'.",
    "data fetch nothing": "No data set is called 'nothing'.",
    "data prepare textvr --annotations none.json": "The annotation file none.json does not exist.",
    "data relocate made small .": "made has no small videos.",
    "data remove nope": "No corpus is called 'nope'.",
    "data split made": "made has no train split.",
    "encode nope --corpus made": "No run is called 'nope'.",
    "evaluate good --ties lucky": "No tie rule is called 'lucky'.",
    "evaluate good --nms 0.5": "Run good holds no moments.",
    "evaluate good --compat clip": "No compatibility mode is called 'clip'.",
    "export good --format word -o x.doc": "No format is called 'word'.",
    "failures good --k 0": "k is 0; ranks start at 1.",
    "failures good --set k=3": "No threshold is called 'k'",
    "failures good --set neer=0.8": "Did you mean near?",
    "failures good --set near=2": "near is 2. Give a number above 0 and up to 1.",
    "failures good --other nobody": "No run is called 'nobody'",
    "failures good --cause hug": "No cause is called 'hug'. Did you mean hub",
    "import none.npy --corpus made --name x": "none.npy does not exist",
    "import sim.npy --corpus made --name x --format word": "No format is called 'word'.",
    "index build made --of sounds": "No source of words is called 'sounds'.",
    "index search made dog --by nothing": "No run is called 'nothing'.",
    "ocr import made none.jsonl": "none.jsonl is missing",
    "ocr run made --preset tiny": "No preset is called 'tiny'.",
    "report": "A report needs a run, or a lock file to check.",
    "report good --case nope": "No query is called 'nope'.",
    "report --check sim.npy": "sim.npy is not",
    "rescore good --method softmax --name x": "No way to re-score is called 'softmax'.",
    "rescore good --method csls --beta 3 --name x": "csls takes no beta. It takes k.",
    "runs diff good nope": "No run is called 'nope'.",
    "runs group seeds good nope": "No run is called 'nope'.",
    "runs note nope x": "No run is called 'nope'.",
    "runs pack nope x.zip": "No run is called 'nope'.",
    "runs remove nope": "No run is called 'nope'.",
    "runs rename good fair": "A run called 'fair' exists already.",
    "runs show godo": "Did you mean good",
    "runs unpack none.zip": "none.zip is not a zip file.",
    "score good --corpus made --name x": "Run good keeps no checkpoint",
    "score good --name x": "good was trained on no corpus known here",
    "sweep-frames nope --corpus made": "No run is called 'nope'.",
    "sweep good": "Run good keeps no two modalities (none). Name runs to fuse it with (--with RUN).",
    "tags nope": "No corpus is called 'nope'.",
    "train nothing": "No recipe is called 'nothing'.",
    "train textvr_fusion_demo modality=smell": "No modality is called 'smell'.",
    "video compress none small": "none is not a folder.",
    "video probe nope": "No corpus is called 'nope'.",
}


@pytest.fixture
def made(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    corpus = made_corpus(80)
    made_runs(corpus, ("good", "fair"))
    np.save("sim.npy", made_similarity(corpus))
    return corpus


@pytest.mark.parametrize("words", COMMANDS)
def test_help_has_an_example(workbench, words):
    code, out, _ = workbench(*words.split(), "--help")
    assert code == 0 and f"Example: workbench {words}" in " ".join(out.split())


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("words", ERRORS)
def test_a_wrong_call_is_one_sentence(workbench, words):
    code, out, error = workbench(*words.split())
    assert code == 2 and ERRORS[words] in " ".join(error.split())
    assert "Traceback" not in error and out == ""


def test_no_command_is_left_without_an_error_case():
    free = {"doctor", "home", "cache size", "data list", "runs list", "runs watch"}
    asked = {
        next((c for c in sorted(COMMANDS, key=len, reverse=True) if f"{words} ".startswith(f"{c} ")), "")
        for words in ERRORS
    }
    assert asked | free == set(COMMANDS)


@pytest.mark.usefixtures("made")
def test_from_a_matrix_to_its_failures(workbench):
    code, out, _ = workbench("import", "sim.npy", "--corpus", "made", "--name", "theirs", "--json")
    assert code == 0 and json.loads(out)["t2v"]["n_queries"] == 80
    assert workbench("import", "sim.npy", "--corpus", "made", "--name", "theirs")[0] == 2
    assert {row["name"] for row in json.loads(workbench("runs", "list", "--json")[1])} == {"theirs", "good", "fair"}
    code, out, _ = workbench("compare", "fair", "good")
    assert code == 0 and "good is better" in out and "TV Show" in out
    assert json.loads(workbench("compare", "fair", "good", "--json")[1])["test"]["wins"] > 0
    code, out, _ = workbench("compare", "fair", "good", "theirs", "--metric", "mean_rank")
    assert code == 0 and out.count("fair = ") == 2 and "p_holm" in out and "better" in out
    found = json.loads(
        workbench("compare", "fair", "good", "--metric", "sum_recall", "--direction", "both", "--json")[1]
    )
    assert found["family"][0]["verdict"] == "better" and "RSum t2v + v2t" in found["verdicts"][0]
    code, out, _ = workbench("failures", "fair", "--limit", "2")
    assert code == 0 and "2 of " in out and "failed queries shown" in out
    code, out, _ = workbench("evaluate", "fair", "--ties", "optimistic")
    assert code == 0 and "R@1" in out and "v2t" in out and "it has seen nothing" in out
    assert "95 % intervals, clustered by source" in out and re.search(r"RSum ↑ +[0-9.]+ \[[0-9.]+, [0-9.]+\]", out)
    shown = json.loads(workbench("evaluate", "fair", "--json")[1])
    stored = wb.open_run("fair").metrics
    for direction in ("t2v", "v2t", "both"):
        assert shown[direction]["interval"] == stored[direction]["interval"]
    code, out, _ = workbench("evaluate", "fair", "--compat", "textvr")
    assert code == 0 and "it has seen nothing" in out
    assert "geometric mean" in out and "As TextVR prints it, for matching old tables only." in out
    shown = json.loads(workbench("evaluate", "fair", "--compat", "clip4clip", "--json")[1])
    assert shown["t2v"]["values"]["R@1"] > 0 and shown["wrong"] and shown["source"].startswith("ArrowLuo/CLIP4Clip")


@pytest.mark.usefixtures("made")
def test_keeping_runs_and_corpora(workbench):
    assert "noise 0" in (shown := workbench("runs", "show", "good")[1]) and "GMean" in shown
    assert "now of group seeds" in workbench("runs", "group", "seeds", "good", "fair")[1]
    assert {wb.open_run(name).info["group"] for name in ("good", "fair")} == {"seeds"}
    assert workbench("runs", "group", "", "good", "fair")[0] == 0 and wb.open_run("good").info["group"] is None
    assert "notes" in workbench("runs", "diff", "good", "fair")[1]
    for words in (
        "runs note good hello", "runs pack good good.zip", "runs unpack good.zip --name copy", "runs rename copy other",
        "runs remove other", "runs watch", "cache size", "cache prune", "data list", "data list --known", "home",
    ):  # fmt: skip
        assert workbench(*words.split())[0] == 0, words
    assert workbench("data", "check", "made")[0] == 1  # no videos: something to say
    code, out, _ = workbench("data", "check", "made", "--level", "index", "--json")
    assert code == 0 and json.loads(out)["ok"] is True
    assert workbench("data", "remove", "made")[0] == 0


def test_the_app_makes_the_demo_only_where_it_is_absent(workbench, monkeypatch):
    from workbench.cli import serve
    from workbench.core import jobs
    from workbench.training import demo

    started = []
    monkeypatch.setattr(serve, "serve", lambda **_: None)
    monkeypatch.setattr(jobs, "start", lambda argv, name: started.append(name) or jobs.Job(name, 1, Path("jobs")))
    code, out, _ = workbench("app", "--demo")
    assert code == 0 and started == ["demo"] and "The demo is made meanwhile" in out
    monkeypatch.setattr(demo, "is_made", lambda: True)
    assert workbench("app", "--demo")[1] == "" and started == ["demo"]
    assert workbench("app")[0] == 0 and started == ["demo"]


def test_prepare_says_what_it_made(workbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "captions.csv").write_text("caption,video\na dog,x.mp4\n")
    words = "data prepare mine --format table --annotations captions.csv".split()
    code, out, _ = workbench(*words)
    assert code == 0 and "mine/test: 1 captions, 1 videos" in out and "Annotations only" in out


def test_doctor_names_every_part(workbench):
    code, out, _ = workbench("doctor", "--json")
    rows = {row["part"]: row for row in json.loads(out)}
    assert {
        "Python",
        "torch",
        "Decoder PyAV",
        "faiss",
        "OCR engine",
        "ffmpeg",
        "Browser",
        "Workspace",
        "Write speed",
    } <= set(rows)
    assert code == int(any(row["state"] == "problem" for row in rows.values()))
    assert all(row["remedy"] for row in rows.values() if row["state"] == "problem")


def test_a_gpu_that_torch_cannot_use_is_named(monkeypatch):
    from workbench.models import device

    torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
    monkeypatch.setattr(device, "gpus_of_driver", lambda: ["NVIDIA H100"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    report = device.torch_report()
    assert "NVIDIA H100 is there, but torch" in report.problem and "CUDA build of torch" in report.fix


def test_help_is_fast_and_light():
    code = "import sys; sys.argv = ['workbench', '--help']\nfrom workbench.cli.main import main\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += "assert not {'torch', 'streamlit', 'plotly', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
