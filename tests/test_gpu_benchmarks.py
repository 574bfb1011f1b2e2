"""The GPU benchmark runs everywhere in tiny; its formula counts what torch counts; what falls out says so."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")
pytest.importorskip("transformers", reason="needs transformers, which make setup installs")

from torch.nn.attention import SDPBackend, sdpa_kernel  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from benchmarks import gpu  # noqa: E402
from benchmarks.gpu_equivalence import equivalence  # noqa: E402
from benchmarks.gpu_measuring import Machine, attempted  # noqa: E402
from benchmarks.gpu_training import prepared  # noqa: E402
from benchmarks.gpu_workloads import PIECES, WORKLOADS, made_batch  # noqa: E402
from benchmarks.report import Report  # noqa: E402
from workbench.core.errors import DataError  # noqa: E402
from workbench.training.step import backward  # noqa: E402

PARTS = [part for part in gpu.PARTS if part != "equivalence"]


@pytest.fixture(autouse=True)
def cpu(monkeypatch, tmp_path) -> Machine:
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    return Machine(torch.device("cpu"), tmp_path, tiny=True)


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda one: one.name)
def test_the_formula_counts_what_torch_counts(cpu, workload):
    ready = prepared(cpu, workload.make, precision="float32")
    batch = made_batch(ready.model, 3)
    assert len(set(batch.captions)) == 3 and batch.gallery.frames.shape[1] in (4, 12)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        backward(ready.model, batch, ready.recipe, ready.engine)
    assert workload.flops(ready.model, 3) == counter.get_total_flops() > 0
    ids = ready.model.caption_inputs(batch.captions)["ids"]
    assert ids.shape == (3, PIECES)


def test_everything_runs_in_tiny(tmp_path, monkeypatch, capsys):
    out = tmp_path / "gpu.md"
    words = [
        "--device",
        "cpu",
        "--tiny",
        "--out",
        str(out),
        "--parts",
        *(one for one in gpu.PARTS if one != "equivalence"),
    ]
    monkeypatch.setattr(sys, "argv", ["gpu", *words])
    gpu.main()
    text = out.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [line for line in rows if "not measured" in line or "fails" in line] == []
    assert sum("activations again" in line for line in rows) == len(WORKLOADS)
    assert sum(line.startswith(("| kept", "| computed in each step")) for line in rows) == 2
    assert "A batch of 6 in chunks of 4" in text and "nan" not in text and capsys.readouterr().out


def test_without_a_gpu_it_refuses_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu"])
    with pytest.raises(SystemExit) as stop:
        gpu.main()
    said = capsys.readouterr()
    assert stop.value.code == 3 and said.out == "" and said.err.count("\n") == 1
    assert "no GPU that torch can use" in said.err


def test_what_falls_out_says_why(cpu):
    def out_of_memory() -> None:
        raise torch.cuda.OutOfMemoryError("much text")

    def refused() -> None:
        raise DataError("No.", "Do this.")

    def broken() -> None:
        raise RuntimeError("first line\nsecond line")

    said = [attempted(cpu, part) for part in (out_of_memory, refused, broken, lambda: None)]
    assert said == ["does not fit into the GPU's memory", "No. Do this.", "fails: RuntimeError: first line", ""]
    short = replace(cpu, seconds=0.3)
    start = time.perf_counter()
    assert attempted(short, lambda: time.sleep(20)) == attempted(short, lambda: None) != ""
    assert time.perf_counter() - start < 10


def test_tests_on_the_gpu_are_told_by_file(cpu, tmp_path, monkeypatch):
    tests = tmp_path / "tests"
    tests.mkdir()
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = gpu: needs a GPU\n")
    (tests / "test_other.py").write_text("raise RuntimeError('not asked for')\n")
    report = Report()
    equivalence(report, cpu, tests)
    assert report.missed == ["tests on the GPU: there are none below tests"]
    (tests / "test_some.py").write_text(
        "import pytest\npytestmark = pytest.mark.gpu\n"
        "def test_one(): pass\ndef test_two(): raise ValueError\ndef test_three(): pytest.skip('no GPU')\n"
    )
    report = Report()
    equivalence(report, cpu, tests)
    assert report.lines[-3:] == ["| tests.test_some | 1 | 1 | 1 |", "", "Failed: `test_two`"] and report.missed == []


def test_results_are_never_overwritten_by_tiny_ones(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["gpu", "--device", "cpu", "--tiny"])
    before = gpu.RESULTS.read_bytes(), dict(os.environ)
    with pytest.raises(SystemExit, match="2"):
        gpu.main()
    assert (gpu.RESULTS.read_bytes(), dict(os.environ)) == before
