"""README and notebooks are run, so that they cannot rot."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.made import made_similarity
from tests.training.reading import NAME, read_corpus
from workbench.corpus import open_corpus, save_corpus
from workbench.corpus.formats import find_format
from workbench.corpus.media import file_of
from workbench.evaluation import open_run
from workbench.pipelines.exchange import EXPORTERS, IMPORTERS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NUMBERS = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PICTURES = {"image/png", "application/vnd.plotly.v1+json"}
HOW_MANY = {"02_train_textvr": 2, "04_error_analysis": 7, "05_bring_your_own_matrix": 1}
"""Pictures that a reader of a notebook sees, at least."""
pytestmark = [pytest.mark.notebooks, pytest.mark.filterwarnings("default")]


def blocks(language: str, text: str = README) -> list[str]:
    """Code blocks of a document in one language, without their indent."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.M | re.S)
    return ["\n".join(line.removeprefix(indent) for line in body.splitlines()) for indent, body in found]


def bring_matrices() -> None:
    """An annotation file of MSR-VTT's layout and two matrices."""
    lines = [f"ret{i},msr{i},video{i},a {'red green blue'.split()[i % 3]} thing number {i}" for i in range(60)]
    Path("MSRVTT_JSFUSION_test.csv").write_text("\n".join(["key,vid_key,video_id,sentence", *lines]) + "\n")
    tables = find_format("msrvtt")([Path("MSRVTT_JSFUSION_test.csv")]).tables
    tables["videos"] = tables["videos"].assign(source_id=tables["videos"]["video_id"])
    corpus = save_corpus("scratch", tables).with_split("test")
    np.save("sim.npy", made_similarity(corpus, 1.0))
    np.save("other.npy", made_similarity(corpus, 0.5, seed=1))


@pytest.fixture
def owner(own_demo, tmp_path, monkeypatch):
    """A folder as a reader has it: the demo made, a clip, an annotation file of MSR-VTT's layout and two matrices."""
    monkeypatch.chdir(tmp_path)
    Path("clips").mkdir()
    shutil.copy(file_of(open_corpus("demo"), "Street_View_Outdoor/test_00.mp4"), "clips/street.mp4")
    bring_matrices()
    return tmp_path


def run_commands(text: str, workbench) -> None:
    """Run every command of a document, in its order."""
    commands = [line for block in blocks("bash", text) for line in block.splitlines()]
    assert len(commands) >= 9 and all(line.startswith("workbench ") for line in commands)
    for line in commands:
        code, out, error = workbench(*(["app", "--help"] if line == "workbench app" else shlex.split(line)[1:]))
        assert code == 0, f"{line}\n{out}{error}"


@pytest.mark.slow
@pytest.mark.usefixtures("owner")
def test_readme_commands_and_python_run(workbench):
    run_commands(README, workbench)
    (code,) = blocks("python")
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.fixture
def scorer(home, tmp_path, monkeypatch):
    """A folder with MSR-VTT's annotation file, two matrices, and TVR's files with predictions."""
    monkeypatch.chdir(tmp_path)
    bring_matrices()
    names = [f"house_s01e0{i}_seg02_clip_00" for i in range(1, 7)]
    asked = [
        {"vid_name": name, "duration": 60.0, "ts": [3.0, 9.0], "desc": f"number {i}", "type": "v", "desc_id": i}
        for i, name in enumerate(names[:4])
    ]  # fmt: skip
    Path("tvr_val_release.jsonl").write_text("\n".join(map(json.dumps, asked)))
    Path("tvr_video2dur_idx.json").write_text(json.dumps({"val": {name: [60.0, i] for i, name in enumerate(names)}}))
    lists = [{"desc_id": i, "desc": "", "predictions": [[i, 3.0, 9.0, 2.0], [5, 0.0, 6.0, 1.0]]} for i in range(4)]
    numbers = {name: i for i, name in enumerate(names)}
    Path("tvr_val_submission.json").write_text(json.dumps({"video2idx": numbers, "VCMR": lists, "VR": lists}))


@pytest.mark.slow
@pytest.mark.usefixtures("scorer")
def test_commands_about_numbers_run(workbench):
    run_commands(NUMBERS, workbench)


@pytest.mark.parametrize(("column", "ways"), [(2, IMPORTERS), (3, EXPORTERS)], ids=["in", "out"])
def test_every_format_is_in_the_document(column, ways):
    table = NUMBERS[NUMBERS.index("| format") : NUMBERS.index("Runs hold scores")]
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    told = " ".join(row[1] for row in rows if row[column] == "yes")
    assert [name for name in ways if not re.search(rf"\b{name}\b", told)] == []


def test_readme_names_what_exists():
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M))
    assert {"setup", "app", "lab", "test", "check", "bench", "real-input", "clean"} <= targets
    for image in re.findall(r"\]\((docs/images/[^)]+)\)", README):
        assert (ROOT / image).is_file(), image
    tree = README[README.index("## The tree") :]
    for name in ("app.py", "Makefile", "data_manifest.yaml", "docs"):
        assert name in tree and (ROOT / name).exists()
    layers = {path.name for path in (ROOT / "workbench").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert all(f"{layer}/" in tree for layer in layers), layers


def test_make_lists_its_targets():
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "make app" in listed and "make real-input" in listed


@pytest.mark.slow
@pytest.mark.usefixtures("own_demo")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_thin_clean_and_runs(path, tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None, "commit notebooks without outputs"
            assert len(cell.source.splitlines()) <= 15
            kinds = (ast.FunctionDef, ast.ClassDef)
            assert not any(isinstance(node, kinds) for node in ast.walk(ast.parse(cell.source))), "no definitions"
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    kinds = [set(output.get("data", ())) for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum(bool(kind & PICTURES) for kind in kinds) >= HOW_MANY.get(path.stem, 0)


def test_the_real_input_check_names_its_usage():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.real_input"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "make real-input DATA=folder" in done.stderr


@pytest.mark.slow
def test_real_input(real_data, demo_home):
    quick = ["--quick", "--demo", str(demo_home)]  # all of the text is read by `make real-input`
    command = [sys.executable, "-m", "benchmarks.real_input", str(real_data), *quick]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "all as expected" in done.stdout


def test_contract_copy_is_there():
    assert "The data model" in (ROOT / "docs" / "design.md").read_text(encoding="utf-8")


def test_a_loop_of_ones_own_runs(home, monkeypatch, capsys):
    monkeypatch.setattr("workbench.training.trackers.has", lambda _: False)
    read_corpus()
    _, example = blocks("python", (ROOT / "docs" / "extending.md").read_text(encoding="utf-8"))
    exec(example.replace('"demo"', f'"{NAME}"'), {"__name__": "loop"})
    run = open_run("own-loop")
    assert run.state == "finished" and run.protocol["selected_on"] == "val" and run.info["monitor"] == "mean r1"
    assert {"loss", "val mrr", "val v2t r10"} <= set(run.history["name"])
    assert capsys.readouterr().out.splitlines()[-1] == "over"
