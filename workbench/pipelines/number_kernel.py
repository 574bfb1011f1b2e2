"""The compiled loop that reads numbers from the bytes of a table of text.

It is one function on purpose: every call that is handed the text counts references to it, which takes longer than
reading a number. The text ends with a line end, so that no position has to be compared with its length.
"""

from __future__ import annotations

import numpy as np
from numba import njit

ONE, TWO = np.uint64(1), np.uint64(2)  # positions are unsigned: signed ones may be negative, which costs a test
DONE, FULL, RAGGED = 0, 1, 2
LIMIT = 64  # powers of ten that are scaled at once
POWERS = np.array([float(f"1e{e}") for e in range(-LIMIT, LIMIT + 1)])
MOST_DIGITS = 19  # significant digits that a 64-bit whole number holds
SMALLEST, LARGEST = 1.2e-38, 3.4e38  # float32 numbers of full precision lie between them
BELOW, ABOVE = 1 - 2.0**-50, 1 + 2.0**-50  # at least four units in the last place of float64 to either side
BLANK, RETURN, LINE, POINT, MINUS, PLUS, ZERO, QUOTE = 32, 13, 10, 46, 45, 43, 48, 34


@njit(cache=True, nogil=True)
def count_lines(text):
    """Line ends in bytes (uint8)."""
    found = 0
    for i in range(len(text)):
        found += text[i] == LINE
    return found


@njit(cache=True, nogil=True, inline="always")
def _scaled(number, scale):
    """``number`` (unsigned, in 64 bits) times ten to ``scale``, and whether its float32 is certain; no branches."""
    place = min(max(scale + LIMIT, 0), 2 * LIMIT)
    value = (np.float64(number) + 2.0**64 * (number < 0)) * POWERS[place]
    same = np.float32(value * BELOW) == np.float32(value * ABOVE)
    inside = (place == scale + LIMIT) & (value > SMALLEST) & (value < LARGEST)
    return value, (number == 0) | (inside & same)


@njit(cache=True, nogil=True)
def parse_rows(text, start, separator, ids_first, row, values, ids, odd, most_odd):  # noqa: C901 - see the head
    """Read lines of numbers until the text ends, a line has another length, or many odd cells have been met.

    Args:
        text: uint8, the bytes; the last one is a line end.
        start: Where to begin; the begin of a line.
        separator: Code of the character between cells.
        ids_first: Whether every line begins with an id; one in quotes may hold the separator.
        row: Row of ``values`` that the first line goes to.
        values: float32 [rows, columns], written.
        ids: int64 [rows, 2], written: begin and end of every id.
        odd: int64 [most_odd + columns, 4], written: row, column, begin and end of cells that were not read.
        most_odd: Stop after the line that brings the number of odd cells here.

    Returns:
        (next row, next position, number of odd cells, DONE | FULL | RAGGED).
    """
    i, stop, n_odd = np.uint64(start), np.uint64(len(text)), 0
    last = values.shape[1] - 1
    while i < stop:
        begin = i
        while text[i] == BLANK or text[i] == RETURN:
            i += ONE
        if text[i] == LINE:  # a blank line
            i += ONE
            continue
        i = begin
        if ids_first:
            if text[i] == QUOTE:
                i += ONE
                while text[i] != LINE and (text[i] != QUOTE or text[i + ONE] == QUOTE):
                    i += TWO if text[i] == QUOTE else ONE
            while text[i] != separator and text[i] != LINE:
                i += ONE
            ids[row, 0], ids[row, 1] = begin, i
            if text[i] == LINE:
                return row, begin, n_odd, RAGGED
            i += ONE
        for column in range(last + 1):
            cell = i
            while text[i] == BLANK:
                i += ONE
            negative = text[i] == MINUS
            if negative or text[i] == PLUS:
                i += ONE
            number, first = np.int64(0), i
            digit = np.int64(text[i]) - ZERO
            while 0 <= digit <= 9:
                number = number * 10 + digit
                i += ONE
                digit = np.int64(text[i]) - ZERO
            n_digits, scale = np.int64(i - first), np.int64(0)
            if text[i] == POINT:
                i += ONE
                first = i
                if number == 0:  # zeros before the first digit that counts
                    while text[i] == ZERO:
                        i += ONE
                counted = i
                digit = np.int64(text[i]) - ZERO
                while 0 <= digit <= 9:
                    number = number * 10 + digit
                    i += ONE
                    digit = np.int64(text[i]) - ZERO
                n_digits += np.int64(i - (first if n_digits == 0 else counted))
                scale = -np.int64(i - first)
            fine = 0 < n_digits <= MOST_DIGITS
            if text[i] == 101 or text[i] == 69:
                i += ONE
                down = text[i] == MINUS
                if down or text[i] == PLUS:
                    i += ONE
                first, exponent = i, np.int64(0)
                digit = np.int64(text[i]) - ZERO
                while 0 <= digit <= 9:
                    exponent = exponent * 10 + digit
                    i += ONE
                    digit = np.int64(text[i]) - ZERO
                scale += int(-exponent if down else exponent)
                fine = fine and 0 < np.int64(i - first) < 7
            while text[i] != separator and text[i] != LINE:
                fine = fine and (text[i] == BLANK or text[i] == RETURN)
                i += ONE
            value, certain = _scaled(number, scale)
            values[row, column] = -value if negative else value
            if not (fine and certain):
                odd[n_odd, 0], odd[n_odd, 1], odd[n_odd, 2], odd[n_odd, 3] = row, column, cell, i
                n_odd += 1
            if (text[i] == LINE) != (column == last):
                return row, begin, n_odd, RAGGED
            i += ONE
        row += 1
        if n_odd >= most_odd:
            return row, i, n_odd, FULL
    return row, i, n_odd, DONE
