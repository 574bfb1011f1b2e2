"""Real matrices and annotations, where ``WORKBENCH_REAL_DATA`` says they are."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

needs_real_data = pytest.mark.skipif(
    "WORKBENCH_REAL_DATA" not in os.environ,
    reason="needs WORKBENCH_REAL_DATA, the folder of real matrices and annotations",
)


def folder() -> Path:
    return Path(os.environ["WORKBENCH_REAL_DATA"])


def matrix(name: str) -> np.ndarray:
    """float32 [1000, 1000], memory-mapped."""
    return np.load(folder() / "sim" / f"{name}_msrvtt.npy", mmap_mode="r")


def msrvtt_captions() -> list[str]:
    with open(folder() / "sim" / "descs_ret_test_msrvtt.csv", newline="", encoding="utf-8") as file:
        return [row["sentence"] for row in csv.DictReader(file)]


def textvr_captions() -> list[str]:
    entries = json.loads((folder() / "annotations" / "textvr" / "TextVR_test.json").read_text(encoding="utf-8"))
    return [entry["captions_info"][0]["caption"] for entry in entries]
