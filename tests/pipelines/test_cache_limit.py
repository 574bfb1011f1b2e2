"""The cache keeps the limit that its workspace states, and never takes away what something that runs may need."""

from __future__ import annotations

import os

import pytest

from workbench.core.errors import DataError
from workbench.core.files import write_json
from workbench.pipelines.cache_limit import cache_limit, keep_cache_limit, set_cache_limit


@pytest.fixture
def cache(home):
    """Ten files of 100 bytes, used one after the other."""
    folder = home / "cache" / "frames"
    folder.mkdir(parents=True)
    for number in range(10):
        (folder / f"{number}.bin").write_bytes(bytes(100))
        os.utime(folder / f"{number}.bin", (1000 + number, 1000 + number))
    return folder


def test_without_a_limit_everything_stays(cache):
    assert cache_limit() is None and keep_cache_limit() == 0 and len(list(cache.iterdir())) == 10


def test_the_longest_unused_go_first(cache, home, caplog):
    write_json(home / "settings.json", {"other": 1, "cache_gb": 1})
    set_cache_limit(500e-9)
    assert keep_cache_limit() == 500 and sorted(path.stem for path in cache.iterdir()) == ["5", "6", "7", "8", "9"]
    assert "over its limit" in caplog.text and keep_cache_limit() == 0
    set_cache_limit(None)
    assert cache_limit() is None and '"other"' in (home / "settings.json").read_text()


@pytest.mark.parametrize("by", ["job", "run"])
def test_nothing_goes_while_something_else_runs(cache, home, monkeypatch, by):
    set_cache_limit(500e-9)
    if by == "run":
        (home / "runs" / "mine").mkdir(parents=True)
        (home / "runs" / "broken").mkdir()
        for name, version in (("mine", 1), ("broken", None)):
            write_json(home / "runs" / name / "run.json", {"format_version": version})
        monkeypatch.setattr("workbench.pipelines.cache_limit.Run.state", "running")
    else:
        one = type("Job", (), {"name": "train-x", "state": "running"})()
        monkeypatch.setattr("workbench.pipelines.cache_limit.list_jobs", lambda: [one])
        monkeypatch.delenv("WORKBENCH_JOB", raising=False)
    assert keep_cache_limit() == 0 and len(list(cache.iterdir())) == 10
    if by == "job":
        monkeypatch.setenv("WORKBENCH_JOB", str(home / "jobs" / "train-x"))
        assert keep_cache_limit() == 500


@pytest.mark.parametrize("wrong", ["50", True, 0, -1])
def test_wrong_limits_are_refused(home, wrong):
    write_json(home / "settings.json", {"cache_gb": wrong})
    with pytest.raises(DataError, match="cache_gb"):
        cache_limit()
    assert keep_cache_limit() == 0


def test_the_commands_say_and_set_it(cache, workbench):
    assert "none. Set one" in workbench("cache", "size")[1]
    assert "50 GB" in workbench("cache", "limit", "50")[1]
    assert "50 GB" in workbench("cache", "size")[1] and '"limit MiB": 47683' in workbench("cache", "size", "--json")[1]
    assert workbench("cache", "limit", "0")[0] == 2 and workbench("cache", "limit", "many")[0] == 2
    assert workbench("cache", "limit", "none")[0] == 0 and cache_limit() is None
