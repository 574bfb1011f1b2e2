"""Thresholds: one list, with ranges and sentences, that refuses what it does not know."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from workbench import analysis
from workbench.analysis.causes.thresholds import thresholds_of
from workbench.core.errors import DataError, UnknownNameError

DOCUMENT = (Path(__file__).parents[2] / "docs" / "failures.md").read_text(encoding="utf-8")


def test_all_are_listed_and_told():
    assert list(analysis.THRESHOLDS) == [one.name for one in dataclasses.fields(analysis.Thresholds)]
    for name, one in analysis.THRESHOLDS.items():
        assert one.sentence.endswith((".", "...")) and one.unit and one.range
        assert one.causes and set(one.causes) <= set(analysis.CAUSES), name
        assert getattr(analysis.Thresholds(), name) == one.default
        one.check(one.default)
        assert f"`{name}` = {one.default:g}" in DOCUMENT, name


def test_every_cause_is_in_the_document():
    for cause, one in analysis.CAUSES.items():
        assert f"| `{cause}` |" in DOCUMENT, cause
        assert one.label and one.sentence.endswith(".")


@pytest.mark.parametrize(("values", "sentence"), [
    ({"near": 0}, "near is 0. Give a number above 0 and up to 1"),
    ({"near": 1.1}, "near is 1.1. Give a number above 0 and up to 1"),
    ({"flood_words": 0}, "flood_words is 0. Give a number of 1 or more"),
    ({"order_noise": 2}, "order_noise is 2. Give a number from 0 to 1"),
    ({"hub_sd": math.nan}, "hub_sd is nan"),
    ({"shared": "a"}, "shared is a"),
])  # fmt: skip
def test_values_out_of_range_are_refused(values, sentence):
    with pytest.raises(DataError, match=sentence):
        thresholds_of(values)


def test_unknown_ones_name_the_nearest():
    with pytest.raises(UnknownNameError, match="No threshold is called 'near_duplicates'. Did you mean near_duplicate"):
        thresholds_of({"near_duplicates": 0.9})
    assert thresholds_of({"near": 0.8}).changed == {"near": 0.8} and thresholds_of({}).changed == {}
