"""Where a model computes: a GPU that is there is used or asked about, never silently replaced by the CPU."""

from __future__ import annotations

import pytest

from workbench.core.errors import StateError
from workbench.models import device

torch = pytest.importorskip("torch", reason="needs torch, which make setup installs")


def test_the_device_is_named_or_a_gpu_or_the_cpu(monkeypatch):
    monkeypatch.delenv("WORKBENCH_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.chosen_device() == torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device, "gpus_of_driver", list)
    assert device.chosen_device() == torch.device("cpu")
    monkeypatch.setattr(device, "gpus_of_driver", lambda: ["NVIDIA H100"])
    with pytest.raises(StateError, match="NVIDIA H100 is there, but this torch cannot use it. See: workbench doctor"):
        device.chosen_device()
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    assert device.chosen_device() == torch.device("cpu")
