from __future__ import annotations

import logging

import pytest

from workbench.core.errors import DataError, StateError
from workbench.core.workspace import check_name, set_home, workspace


def test_home_comes_from_the_environment(home):
    assert workspace().home == home.resolve()
    assert workspace().reason == "WORKBENCH_HOME"


def test_nearest_folder_then_configured_then_created(tmp_path, monkeypatch, caplog):
    monkeypatch.delenv("WORKBENCH_HOME")
    project = tmp_path / "project" / "deep"
    project.mkdir(parents=True)
    monkeypatch.chdir(project)
    (tmp_path / "workspace").rename(tmp_path / "elsewhere")
    with caplog.at_level(logging.WARNING):
        assert workspace().home == project / "workspace"
    assert "Created the workspace" in caplog.text
    (project / "workspace").rmdir()
    set_home(tmp_path / "chosen")
    assert workspace().home == tmp_path / "chosen"
    (tmp_path / "project" / "workspace").mkdir()
    assert workspace().home == tmp_path / "project" / "workspace"


def test_shared_lies_below_own_and_is_never_written(home, tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    for place, names in ((home, ("a", "b")), (shared, ("b", "c", ".trash"))):
        for name in names:
            (place / "runs" / name).mkdir(parents=True)
    monkeypatch.setenv("WORKBENCH_SHARED", str(shared))
    space = workspace()
    assert list(space.names("runs")) == ["a", "b", "c"]
    assert space.find("runs", "b") == home / "runs" / "b"
    assert not space.is_own(space.find("runs", "c"))
    monkeypatch.setenv("WORKBENCH_SHARED", str(tmp_path / "gone"))
    with pytest.raises(StateError, match="WORKBENCH_SHARED names .*gone, which is not a folder"):
        workspace()


def test_a_home_that_cannot_be_made_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StateError, match="cannot be created .* Set WORKBENCH_HOME"):
        workspace()


@pytest.mark.parametrize("name", ["demo", "a", "msrvtt-1ka", "x.y_z-1"])
def test_good_names(name):
    assert check_name(name, "run") == name


@pytest.mark.parametrize("name", ["", ".hidden", "A", "a b", "a/b", "../x", "é", "a" * 65])
def test_bad_names(name):
    with pytest.raises(DataError, match="cannot name a run"):
        check_name(name, "run")
