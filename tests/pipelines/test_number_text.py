"""Matrices as text against ``float``: every way to write a number, ids, headers, and what is wrong with a line."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import DataError
from workbench.core.seeds import generator
from workbench.pipelines import number_text
from workbench.pipelines.number_text import read_number_text

whole = st.integers(-(10**25), 10**25).map(str)
written = st.one_of(
    st.floats(allow_nan=False, width=32).map(repr),
    st.floats(allow_nan=False).map(repr),
    st.floats(-2, 2).map(lambda x: f"{x:.18e}"),
    st.floats(-1, 1).map(lambda x: f"{x:.6f}"),
    st.builds("{}{}.{:0>24}{}".format, st.sampled_from(["", "-", "+"]), st.integers(0, 99), st.integers(0, 10**24 - 1),
              st.sampled_from(["", "e5", "E-7", "e+30", "e-45", "e400"])),
    whole, st.sampled_from(["nan", "inf", "-Infinity", "0", "-0.0", ".5", "5.", "1e5", "007", " 3 ", '"4"', "-0e0"]),
)  # fmt: skip


def table(tmp_path, text, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@given(st.lists(st.tuples(written, written, written), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n", " \n\n"]))
def test_every_number_is_what_float_says(tmp_path_factory, rows, line_end):
    path = table(tmp_path_factory.mktemp("text"), line_end.join(map(",".join, rows)))
    expected = np.array([[float(cell.strip().strip('"')) for cell in row] for row in rows])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(read_number_text(path).values, expected.astype(np.float32))


def test_numbers_at_the_border_between_two_float32(tmp_path):
    """The middle of two neighbours and its next float64 on either side, written with 17 to 19 digits."""
    draw = generator(0, "borders")
    low = draw.normal(size=300).astype(np.float32)
    middle = (low.astype(float) + np.nextafter(low, np.float32(9)).astype(float)) / 2
    cells = [
        f"{x:.{digits}e}"
        for m in middle
        for x in (np.nextafter(m, -9), m, np.nextafter(m, 9))
        for digits in (16, 17, 18)
    ]
    found = read_number_text(table(tmp_path, ",".join(cells))).values[0]
    np.testing.assert_array_equal(found, np.array([float(cell) for cell in cells]).astype(np.float32))


@pytest.mark.parametrize(
    ("text", "rows", "columns"),
    [
        ("1,2\n3,4", None, None),
        ("\ufeff1,2\n3,4\n\n", None, None),
        ("v1,v 2\n1,2\n3,4", None, ["v1", "v 2"]),
        (',"v,1",v2\nc1,1,2\n"c ""2"", x",3,4\n', ["c1", 'c "2", x'], ["v,1", "v2"]),
        ("id,v1,v2\nc1,1,2\nc2,3,4", ["c1", "c2"], ["v1", "v2"]),
        ("v1,v2\nc1,1,2\nc2,3,4", ["c1", "c2"], ["v1", "v2"]),
        (",7,8\n5,1,2\n6,3,4", ["5", "6"], ["7", "8"]),
        ("c1,1,2\n\nc2,3,4", ["c1", "c2"], None),
    ],
)
def test_ids_and_headers(tmp_path, text, rows, columns):
    for name, content in (
        ("a.csv", text),
        ("a.tsv", text.replace(",", "\t")),
        ("a.csv.gz", gzip.compress(text.encode())),
    ):
        if name == "a.tsv" and '"' in text:
            continue
        found = read_number_text(table(tmp_path, content, name))
        assert found.values.tolist() == [[1, 2], [3, 4]]
        assert (found.row_ids, found.column_ids) == (rows, columns)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.csv is empty"),
        ("\n \n", "a.csv is empty"),
        ("v1,v2\n", "has no line of numbers"),
        ("1,2\n3,4,5\n", "is not a table: line 2 has not 2 values"),
        ("1,2\n3,4\n5\n", "is not a table: line 3 has not 2 values"),
        ("c,1,2\nd\n", "is not a table: line 2 has not 3 values"),
        ("1,2\n3,4\n5,\n", "not a number: line 3, column 2, ''"),
        ("c,1,2\nd,1_0,2\n", "not a number: line 2, column 2, '1_0'"),
        (b"1,2\n3,4\n5,\xff\n", "is not UTF-8"),
        (b"v\xff,b\n3,4\n", "is not UTF-8"),
    ],
)
def test_broken_text_is_named(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_number_text(table(tmp_path, text))


def test_large_tables_are_read_in_pieces_and_many_odd_cells_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(number_text, "ODD_AT_ONCE", 50)
    values = generator(0, "large text").normal(size=(3000, 11)).astype(np.float32)
    values[::7, 3], values[5, :] = -np.inf, np.nan
    lines = [",".join([f"row {i}", *map(repr, row.tolist())]) for i, row in enumerate(values)]
    lines.insert(2000, "")
    found = read_number_text(table(tmp_path, "\n".join(lines)))
    np.testing.assert_array_equal(found.values, values)
    assert found.row_ids == [f"row {i}" for i in range(3000)]
    lines[2999] += ",1"
    with pytest.raises(DataError, match="line 3000 has not 12 values"):
        read_number_text(table(tmp_path, "\n".join(lines)))
