"""What tests of recipes share: a workspace with a few clips in splits, a tiny CLIP and a vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.split_videos import split_corpus
from workbench.core.workspace import elsewhere


@pytest.fixture(scope="session")
def clips_home(tmp_path_factory) -> Path:
    """A folder with ``home`` (a workspace with the corpus of ``split_videos``), ``clip`` and ``words``."""
    from tests.models.dual_folders import write_dual
    from tests.models.small_starvr import vocabulary

    base = tmp_path_factory.mktemp("recipes")
    with elsewhere(base / "home"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("workbench.core.pool.default_workers", lambda: 1)
        split_corpus(base / "videos")
    write_dual(base / "clip")
    vocabulary(base / "words")
    return base


@pytest.fixture
def space(clips_home, monkeypatch) -> Path:
    """That folder, its workspace as the current one; runs of one test are seen by the next."""
    monkeypatch.setenv("WORKBENCH_HOME", str(clips_home / "home"))
    monkeypatch.setenv("WORKBENCH_DEVICE", "cpu")
    monkeypatch.delenv("WORKBENCH_WEIGHTS", raising=False)
    monkeypatch.setattr("workbench.core.pool.default_workers", lambda: 1)
    return clips_home
