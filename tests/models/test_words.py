"""Words packed for the network: the same arrays as a slow version, list by list from memory."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.models.towers.small.words import grams_of, packed, shape_of

BUCKETS = 512


def slowly_packed(lists) -> dict[str, list]:
    found = {"grams": [], "starts": [], "shape": [], "row": [], "place": []}
    for row, line in enumerate(lists):
        for place, word in enumerate(line):
            found["starts"].append(len(found["grams"]))
            found["grams"] += grams_of(word, BUCKETS)
            for key, value in (("shape", shape_of(word)), ("row", row), ("place", place)):
                found[key].append(value)
    return {**found, "size": [len(lists), max([1, *map(len, lists)])]}


@pytest.mark.parametrize("lists", [[("STOP", "taxi", "42"), (), ["stop"], ("STOP", "taxi", "42")], [()], []])
def test_packed_words_are_those_of_the_slow_way(lists):
    for _ in range(2):
        found = packed(lists, BUCKETS)
        for key, expected in slowly_packed(lists).items():
            assert found[key].dtype == np.int64 and found[key].tolist() == expected, key
        found["grams"] += 1  # what is kept stays as it is
