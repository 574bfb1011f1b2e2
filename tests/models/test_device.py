"""Where a model computes: a GPU that is there is used or asked about, never silently replaced by the CPU."""

from __future__ import annotations

import pytest

from workbench.core.errors import StateError
from workbench.models import device

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")


def test_the_device_is_named_or_a_gpu_or_the_cpu(monkeypatch):
    monkeypatch.delenv("WORKBENCH_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(device, "trouble", lambda name: "")
    assert device.chosen_device() == torch.device("cuda")
    monkeypatch.setattr(device, "trouble", lambda name: "no kernel image is available")
    with pytest.raises(StateError, match="Nothing can be computed on cuda: no kernel image is available. See"):
        device.chosen_device()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device, "gpus_of_driver", list)
    assert device.chosen_device() == torch.device("cpu")
    monkeypatch.setattr(device, "gpus_of_driver", lambda: ["NVIDIA H100"])
    with pytest.raises(StateError, match="NVIDIA H100 is there, but this torch cannot use it. See: workbench doctor"):
        device.chosen_device()
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    assert device.chosen_device() == torch.device("cpu")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo Failed to initialize NVML: Driver/library version mismatch; exit 18", ["Driver/library version mism"]),
        ("exit 9", ["exit code 9"]),
        ("echo No devices were found; exit 6", []),
        ("echo NVIDIA H100; echo NVIDIA H100", ["NVIDIA H100", "NVIDIA H100"]),
    ],
)
def test_a_tool_that_fails_hides_no_gpu(monkeypatch, tmp_path, script, said):
    monkeypatch.setattr(device, "DRIVER", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert device.gpus_of_driver() == []
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    found = device.gpus_of_driver()
    assert len(found) == len(said) and all(one in name for one, name in zip(said, found, strict=True))
    tool.write_text("#!/bin/sh\necho broken; exit 18\n")
    monkeypatch.delenv("WORKBENCH_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(StateError, match=r"A GPU \(nvidia-smi: broken\) is there, but this torch cannot use it"):
        device.chosen_device()
    assert "nvidia-smi: broken" in device.torch_report().problem


def test_a_gpu_of_the_kernel_is_there_without_the_tool(monkeypatch, tmp_path):
    (tmp_path / "gpus" / "0000:01:00.0").mkdir(parents=True)
    monkeypatch.setattr(device, "DRIVER", tmp_path / "gpus")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert device.gpus_of_driver() == [f"A GPU (0000:01:00.0 in {tmp_path / 'gpus'})"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="it is about machines without a GPU")
@pytest.mark.parametrize("named", ["gpu", "mps", "cuda", "cuda:0", "meta"])
def test_a_named_device_that_is_none_or_cannot_compute_is_refused_in_a_sentence(monkeypatch, named):
    monkeypatch.setenv("WORKBENCH_DEVICE", named)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    with pytest.raises(StateError, match=r"(is no device|Nothing can be computed on).*WORKBENCH_DEVICE|Set it to cpu"):
        device.chosen_device()
