"""A workspace with a few clips, their words and tiny models, for tests of what is kept of each video."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.captioned import captioned_corpus
from tests.models.dual_folders import write_dual
from tests.once import made_once
from workbench.core.workspace import elsewhere
from workbench.corpus import Corpus, open_corpus
from workbench.models import build_model

TINY = {"dim": 16, "buckets": 256, "width": 16, "n_frames": 3, "height": 24, "width_px": 32}


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five clips, one of them broken; ``vision``, ``ocr``, ``fusion``: folders of random weights; ``dual``: a CLIP."""

    def make(folder: Path) -> None:
        with elsewhere(folder):
            captioned_corpus(folder / "videos")
        for modality in ("vision", "ocr", "fusion"):
            build_model("textvr_fusion", modality=modality, **TINY).save(folder / modality)
        write_dual(folder / "dual")

    return made_once(tmp_path_factory, "encoded-clips", make)


@pytest.fixture
def shown(tiny_home: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """That corpus in the test's own workspace."""
    pytest.importorskip("torch", reason="needs torch, which make setup installs")
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    monkeypatch.setattr("workbench.core.pool.default_workers", lambda: 1)  # no pool of processes for five clips
    shutil.copytree(tiny_home / "corpora", home / "corpora")
    return open_corpus("shown", "test")
