from __future__ import annotations

import errno
import math

import pandas as pd
import pytest

from workbench.core.errors import DataError, ExistsError, FormatVersionError, StateError
from workbench.core.files import (
    atomic,
    building,
    check_format,
    read_json,
    read_small_table,
    read_table,
    sha256_file,
    write_json,
    write_table,
)


def test_atomic_keeps_the_old_file_when_writing_fails(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("killed")
    assert path.read_text() == "old"
    assert list(tmp_path.glob(".*")) == []


def test_full_disk_is_one_sentence_and_nothing_is_left(tmp_path):
    with pytest.raises(StateError, match="disk .* is full; nothing was changed. Free some space"):
        with atomic(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")
    assert not any(path.is_file() for path in tmp_path.iterdir())


def test_building_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), building(tmp_path / "run") as folder:
        (folder / "a").write_text("1")
        raise RuntimeError("killed")
    assert [path for path in tmp_path.iterdir() if path.name != "workspace"] == []
    with building(tmp_path / "run") as folder:
        (folder / "a").write_text("1")
    assert (tmp_path / "run" / "a").read_text() == "1"


def test_building_refuses_and_overwrites_into_the_trash(tmp_path):
    for text in ("1", "2"):
        overwrite = text == "2"
        with building(tmp_path / "run", overwrite=overwrite, trash=tmp_path / "trash") as folder:
            (folder / "a").write_text(text)
    with pytest.raises(ExistsError, match="--overwrite"), building(tmp_path / "run"):
        pass
    assert (tmp_path / "run" / "a").read_text() == "2"
    (old,) = (tmp_path / "trash").iterdir()
    assert (old / "a").read_text() == "1"


def test_json_round_trip_and_errors(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"é": [1, None]})
    assert read_json(path, "a test") == {"é": [1, None]}
    with pytest.raises(ValueError):
        write_json(path, math.nan)
    assert read_json(path, "a test") == {"é": [1, None]}
    path.write_text('{"a": 1,\n "b" 2}')
    with pytest.raises(DataError, match="line 2, column 6"):
        read_json(path, "a test")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        read_json(path, "a test")
    with pytest.raises(DataError, match="missing; it should hold a test"):
        read_json(tmp_path / "none.json", "a test")


def test_tables(tmp_path):
    frame = pd.DataFrame({"a": ["x", None], "b": [1.0, 2.0]})
    write_table(tmp_path / "t.parquet", frame)
    assert read_table(tmp_path / "t.parquet", ["b"])["b"].tolist() == [1.0, 2.0]
    (tmp_path / "bad.parquet").write_bytes(b"not parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_table(tmp_path / "bad.parquet")
    with pytest.raises(DataError, match="is missing"):
        read_table(tmp_path / "none.parquet")


def test_a_small_table_is_read_once_until_it_changes(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    write_table(path, pd.DataFrame({"a": [1, 2]}))
    found = read_small_table(path)
    found["a"] = 0  # a caller's own
    with monkeypatch.context() as patch:
        patch.setattr("workbench.core.files.read_table", None)
        assert read_small_table(path)["a"].tolist() == [1, 2]
    write_table(path, pd.DataFrame({"a": [3, 4]}))
    assert read_small_table(path)["a"].tolist() == [3, 4]
    path.unlink()
    with pytest.raises(DataError, match="is missing"):
        read_small_table(path)


@pytest.mark.parametrize("found", [None, "1", 0, True, 1.0])
def test_format_version_must_be_a_whole_number(found):
    with pytest.raises(DataError, match="no valid format_version"):
        check_format(found, 1, "Corpus x")


def test_newer_format_version_is_refused():
    assert check_format(1, 2, "Corpus x") == 1
    with pytest.raises(FormatVersionError, match="has format version 3; this workbench knows up to 2. Update"):
        check_format(3, 2, "Corpus x")


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_file(tmp_path / "a").startswith("ba7816bf8f01cfea")
