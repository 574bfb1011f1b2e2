"""Foreign pickles: arrays of every protocol come back, and nothing that a file brings is ever run."""

from __future__ import annotations

import codecs
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench.core.errors import DataError
from workbench.pipelines.matrices import read_matrix
from workbench.pipelines.pickles import read_pickle

kinds = st.sampled_from(["<f4", ">f8", "<f2", "<i8", "u1", "<i2"])


@given(hnp.arrays(kinds, hnp.array_shapes(min_dims=2, max_dims=3, min_side=1)), st.integers(0, 5), st.booleans())
def test_arrays_of_every_protocol(tmp_path_factory, array, protocol, fortran):
    path = tmp_path_factory.mktemp("pickle") / "a.pkl"
    array = np.asfortranarray(array) if fortran else array
    path.write_bytes(pickle.dumps({"sims": array, "beta": 20.0, "name": "é", "n": np.float32(2)}, protocol))
    found = read_pickle(path)["sims"]
    assert found.dtype == array.dtype and found.tobytes() == array.tobytes()


@pytest.mark.parametrize("protocol", range(6))
def test_lists_of_rows(tmp_path, protocol):
    for value in ([[1, 2.5], [3, 4]], [np.arange(2.0), np.arange(2.0)], ((1, 2), (3, 4))):
        (tmp_path / "a.pickle").write_bytes(pickle.dumps(value, protocol))
        assert read_matrix(tmp_path / "a.pickle").values.shape == (2, 2)
    value = {"sim_matrix": np.eye(3), "video_ids": ["a", "b", "c"], "query_masks": np.ones((3, 1))}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(value, protocol))
    assert read_matrix(tmp_path / "a.pkl").column_ids == ["a", "b", "c"]


def test_python_2_wrote_its_own(tmp_path):
    """An array as Python 2 pickled it: names of NumPy 1, bytes as text."""
    content = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I1\nI2\ntcnumpy\ndtype\n(S'f4'\n"
    )
    content += b"I0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x00\\x00\\x80?\\x00\\x00\\x00@'\ntb."
    (tmp_path / "a.pkl").write_bytes(content)
    assert read_matrix(tmp_path / "a.pkl").values.tolist() == [[1.0, 2.0]]


class Evil:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def test_nothing_is_run(tmp_path):
    path, mark = tmp_path / "a.pkl", tmp_path / "mark"
    calls = [
        (open, (str(mark), "w")), (eval, (f"open({str(mark)!r}, 'w')",)), (np.load, (str(mark),)),
        (codecs.encode, ("x", "rot13")), (getattr, ("x", "upper")), (np.dtype, ("O",)),
    ]  # fmt: skip
    for call in calls:
        for value in (Evil(*call), {"sims": np.eye(2), "x": Evil(*call)}, np.asarray([[Evil(*call)]], object)):
            path.write_bytes(pickle.dumps(value))
            with pytest.raises(DataError, match="besides arrays, which could run foreign code|cannot be read"):
                read_pickle(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as a pickle"),
        (b"not a pickle", "cannot be read as a pickle"),
        (pickle.dumps(np.eye(4))[:-9], "cannot be read as a pickle"),
        (pickle.dumps({"a": "text"}), "holds no array of numbers"),
        (pickle.dumps([]), "holds no array of numbers"),
        (pickle.dumps([[1], [2, 3]]), "holds no array of numbers"),
        (pickle.dumps({1, 2}), "holds no array of numbers"),
        (b"\x80\x04Pelsewhere\n.", "an object stored elsewhere|cannot be read"),
        (pickle.dumps(ValueError("x")), "builtins.ValueError besides arrays"),
    ],
)
def test_broken_or_foreign(tmp_path, content, message):
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_pickle(tmp_path / "a.pkl")


@given(st.binary(max_size=60))
def test_any_bytes_are_one_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "a.pkl"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read_pickle(path)
    path.write_bytes(pickle.dumps(np.eye(3))[:40] + content)
    with pytest.raises(DataError):
        read_pickle(path)
