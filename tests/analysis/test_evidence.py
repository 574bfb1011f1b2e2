"""Words of the evidence: which texts of which videos hold them, when, and their boxes; kept with the failures."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from tests.analysis.failing import failing
from tests.texts import FIRST
from workbench.analysis import evidence_boxes, failures
from workbench.analysis.causes.seen import texts_in_evidence
from workbench.corpus import open_corpus
from workbench.evaluation import open_run

SIGN = 'A sign says "Sloane Square".'
READ = {"a": ["SLOANE", "Square"], "b": ["x"]}
CORNERS = [0.1, 0.1, 0.4, 0.1, 0.4, 0.2, 0.1, 0.2]


def places_of(run, query="q0", **options) -> list[dict[str, Any]]:
    return json.loads(failures(run, **options).set_index("query_id").loc[query, "places"])


def boxes_of(*rows: tuple[str, int, float]) -> pd.DataFrame:
    corners = {name: value for name, value in zip(
        [f"{axis}{i}" for i in range(1, 5) for axis in "xy"], CORNERS, strict=True)}  # fmt: skip
    return pd.DataFrame([{"text_id": text, "frame": frame, "time_s": time, **corners} for text, frame, time in rows])


CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "ocr_misread": ({"first": SIGN, "read": {"a": ["SL0ANE Square"]}}, [("sl0ane", "a#rapidocr#0")]),
    "ocr_missed": (
        {"first": SIGN, "read": {"a": []}, "truth": {"a": ["Hotel", "SLOANE Square"]}},
        [("sloane", "a#truth#1"), ("square", "a#truth#1")],
    ),
    "ocr_filtered": ({"first": SIGN, "read": READ, "given": {"a": ["square"]}}, [("sloane", "a#rapidocr#0")]),
    "ocr_ignored": (
        {"first": SIGN, "read": READ, "given": READ}, [("sloane", "a#rapidocr#0"), ("square", "a#rapidocr#1")],
    ),
    "ocr_distractor": (
        {"first": "a shop with apples", "read": {"a": ["milk"], "b": ["APPLES"]},
         "given": {"a": ["milk"], "b": ["APPLES"]}},
        [("apples", "b#rapidocr#0")],
    ),
    "ocr_flood": (
        {"first": SIGN, "read": {"a": ["Sloane", *(f"w{i}" for i in range(120))]},
         "given": {"a": ["Sloane", *(f"w{i}" for i in range(120))]}},
        [("sloane", "a#rapidocr#0")],
    ),
    "number_swap": (
        {"first": 'It reads "Sloane 50".', "read": {"a": ["Sloane 50"], "b": ["Sloane", "70"]}},
        [("sloane", "b#rapidocr#0"), ("70", "b#rapidocr#1")],
    ),
    "script_mismatch": (
        {"first": 'It reads "ЗИМА".', "read": {"a": ["3MMA"]}, "truth": {"a": ["ЗИМА"]}}, [("зима", "a#truth#0")],
    ),
    "label_suspect": (
        {"first": SIGN, "similarity": [[0.1, 0.9, 0.8, 0.7], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
         "read": {"a": ["Harrods"], "c": ["Sloane Square"]}},
        [("sloane", "c#rapidocr#0"), ("square", "c#rapidocr#0")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("cause", CASES)
def test_the_texts_that_triggered_a_cause(home, cause):
    case, expected = CASES[cause]
    places = [one for one in places_of(failing(**case)) if one["cause"] == cause]
    assert [(one["word"], one["text_id"]) for one in places] == expected
    assert all(one["video_id"] == one["text_id"][0] for one in places)


def test_no_text_where_the_evidence_is_none(home):
    assert places_of(failing(videos={"source_id": list("xxyz")})) == []
    assert places_of(failing(SIGN, read={"a": ["Harrods"]}, name="s", corpus="s")) == []  # nobody knows where


def test_boxes_are_the_first_ones_of_each_text(home):
    spans = {"a": (0.5, 2.0)}
    boxes = boxes_of(("a#rapidocr#0", 9, 0.9), ("a#rapidocr#0", 6, 0.6), ("a#rapidocr#5", 1, 0.1))
    run = failing(SIGN, read=READ, given=READ, spans=spans, boxes=boxes)
    corpus = open_corpus("c", split="test")
    failed = failures(run)
    found = evidence_boxes(failed, corpus)
    assert found["text"].to_list() == ["SLOANE", "Square"] and set(found["engine"]) == {"rapidocr"}
    assert found["time_s"].to_list() == [0.6, 0.5]  # a text without a box: when it begins
    assert found.loc[0, ["frame", "x1", "y1", "x3", "y3"]].to_list() == [6, 0.1, 0.1, 0.4, 0.2]
    assert found.loc[1, ["frame", "x1"]].isna().all()
    assert texts_in_evidence(failed, "a") == ["a#rapidocr#0", "a#rapidocr#1"] and not texts_in_evidence(failed, "b")
    none = evidence_boxes(failed.iloc[:0], corpus)
    assert none.empty and list(none.columns) == list(found.columns)


def test_a_word_that_stands_everywhere_has_its_first_places_only(home):
    read = {"a": ["SLOANE"] * 9 + ["square"]}
    places = places_of(failing(SIGN, read=read, given=read))
    assert [one["text_id"] for one in places if one["word"] == "sloane"] == [f"a#rapidocr#{i}" for i in range(3)]


def test_what_is_kept_of_a_run_is_made_again_when_the_corpus_changes(home):
    run = failing(FIRST, read={"a": ["Harrods"]})
    assert "ocr_missed" in failures(run)["causes"][0]
    failing(FIRST, read={"a": ["Sloane Square"]}, name="other")  # the same corpus, read again
    for seen in (run, open_run("r")):
        assert "ocr_missed" not in failures(seen)["causes"][0]
