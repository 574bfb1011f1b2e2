"""The cache: its size by part, and making room with what was not used for longest."""

from __future__ import annotations

import os

import pytest

from workbench.core.caches import bytes_of, cache_parts, prune_cache
from workbench.core.errors import StateError


@pytest.fixture
def cache(tmp_path):
    """Ten files of 100 bytes in two parts, used one after the other, and an index."""
    folder = tmp_path / "cache"
    for number in range(10):
        file = folder / ("frames" if number % 2 else "thumbnails") / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(100))
        os.utime(file, (1000 + number, 1000 + number))
    (folder / "indexes" / "mine").mkdir(parents=True)
    (folder / "indexes" / "mine" / "index.json").write_bytes(bytes(50))
    return folder


def names(folder):
    return sorted(int(path.stem) for path in folder.rglob("*.bin"))


def test_parts_have_sizes(cache):
    assert cache_parts(cache) == {"frames": 500, "indexes": 50, "thumbnails": 500}
    assert cache_parts(cache / "none") == {} and bytes_of(cache / "none") == 0


def test_the_longest_unused_go_first_and_indexes_stay(cache):
    assert prune_cache(cache, max_bytes=650) == 400
    assert names(cache) == [4, 5, 6, 7, 8, 9] and (cache / "indexes" / "mine" / "index.json").exists()
    assert prune_cache(cache, max_bytes=650) == 0
    assert prune_cache(cache, "frames", max_bytes=100) == 200 and names(cache) == [4, 6, 8, 9]


def test_a_lock_stays_and_everything_goes_when_asked(cache):
    (cache / "frames" / "1.lock").touch()
    assert prune_cache(cache, max_bytes=1) == 1000 and (cache / "frames" / "1.lock").exists()
    assert prune_cache(cache) == 50 and list(cache.iterdir()) == []
    assert prune_cache(cache) == 0


def test_an_unknown_part_is_named(cache):
    with pytest.raises(StateError, match="no part 'tilse'"):
        prune_cache(cache, "tilse")
