"""Every cause in a made corpus in which it is the truth, and in one in which it is absent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.analysis.failing import failing
from tests.made import made_corpus
from tests.texts import WRONG
from workbench import analysis
from workbench.analysis.structure.alike import column_correlations
from workbench.core.errors import DataError
from workbench.corpus import save_corpus
from workbench.evaluation import open_run, save_run

LOW = np.array([[0.1, 0.9, 0.8, 0.7], *WRONG[1:]])
"""The right video of the first query comes last."""
TIED = np.array([[0.5, 0.5, 0.1, 0.0], *WRONG[1:]])
TWINS = np.array([[0.5, 0.6, 0.1, 0], [0.9, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
"""Columns a and b are nearly alike."""
SIGN = 'A sign says "Sloane Square".'
VISION = np.full((4, 4), 0.5, np.float32)
GUITAR = "a man plays the red guitar in a park"
READ = {"a": ["SLOANE", "Square"], "b": ["x"]}
MANY = [f"word{i}" for i in range(120)]


def prefers(score: float) -> dict[str, np.ndarray]:
    """A vision part that gives the wrong video this score, and 0.5 to all others."""
    vision = VISION.copy()
    vision[0, 1] = score
    return {"vision": vision}


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "duplicate_caption": ({"first": "A  dog", "second": "a dog"}, {"first": "A dog", "second": "a cat"}),
    "same_source": ({"videos": {"source_id": list("xxyz")}}, {"videos": {"source_id": list("xyyz")}}),
    "near_duplicate_video": ({"similarity": TWINS}, {}),
    "false_negative": (
        {"first": GUITAR, "second": "in a big park a man is playing a red guitar"},
        {"first": GUITAR, "second": "in a big park a man is playing chess"},
    ),
    "underspecified": (
        {"first": "He does it again.", "second": "He does it again with his dogs."},
        {"first": "A tall man in black juggles seven burning torches."},
    ),
    "label_suspect": (
        {"first": SIGN, "similarity": LOW, "read": {"a": ["Harrods"], "c": ["Sloane Square"]}},
        {"first": SIGN, "similarity": LOW, "read": {"a": ["Harrods"], "c": ["Square"]}},
    ),
    "ocr_missed": ({"first": SIGN, "read": {"a": ["Harrods"]}}, {"first": SIGN, "read": {"a": ["Sloane Square"]}}),
    "ocr_misread": ({"first": SIGN, "read": {"a": ["SL0ANE Square"]}}, {"first": SIGN, "read": {"a": ["Harrods"]}}),
    "ocr_filtered": (
        {"first": SIGN, "read": READ, "given": {"a": ["square"]}},
        {"first": SIGN, "read": READ, "given": READ},
    ),
    "ocr_not_sampled": (
        {"first": SIGN, "read": {"a": ["Sloane Square"]}, "spans": {"a": (3.0, 3.5)}, "times": {"a": [0.5, 1.5]}},
        {"first": SIGN, "read": {"a": ["Sloane Square"]}, "spans": {"a": (3.0, 3.5)}, "times": {"a": [0.5, 2.6]}},
    ),
    "ocr_ignored": (
        {"first": SIGN, "read": READ, "given": READ},
        {"first": SIGN, "read": {**READ, "b": READ["a"]}, "given": {**READ, "b": READ["a"]}},
    ),
    "ocr_distractor": (
        {"first": "a shop with apples", "read": {"a": ["milk"], "b": ["APPLES"]}, "given": {"a": ["milk"],
         "b": ["APPLES"]}, "modalities": prefers(0.1)},
        {"first": "a shop with apples", "read": {"a": ["milk"], "b": ["APPLES"]}, "given": {"a": ["milk"],
         "b": ["APPLES"]}, "modalities": prefers(0.9)},
    ),
    "ocr_flood": (
        {"first": SIGN, "read": {"a": ["Sloane Square", *MANY], "b": READ["a"]},
         "given": {"a": ["Sloane", "Square", *MANY], "b": READ["a"]}},
        {"first": SIGN, "read": READ, "given": READ},
    ),
    "number_swap": (
        {"first": 'It reads "Sloane 50".', "read": {"a": ["Sloane 50"], "b": ["Sloane 70"]}},
        {"first": 'It reads "Sloane 50".', "read": {"a": ["Sloane 50"], "b": ["Harrods 70"]}},
    ),
    "script_mismatch": (
        {"first": 'It reads "ЗИМА".', "read": {"a": ["3MMA"]}}, {"first": 'It reads "ЗИМА".', "read": {"a": ["ЗИИА"]}},
    ),
    "tied": ({"similarity": TIED}, {}),
    "negation_counting": (
        {"first": "two men play a guitar in a park", "second": "men play a guitar in a park at night"},
        {"first": "men play a guitar in a park", "second": "two men play a guitar in the rain"},
    ),
    "temporal": (
        {"first": "a man sings and then dances in a park", "second": "a man dances and sings in a garden"},
        {"first": "a man sings and dances in a park", "second": "a man dances and sings in a garden"},
    ),
    "fine_grained": (
        {"first": "a man jumping over a red wall", "second": "a man climbing over a red wall"},
        {"first": "a man jumping over a red wall", "second": "a dog in a lake"},
    ),
    "truncated": ({"first": "a horse runs and jumps over a hill"}, {"first": "a horse runs"}),
    "non_english": (
        {"first": "ein Pferd", "captions": {"language": ["de", "en", "en", "en"]}},
        {"first": "a horse", "captions": {"language": ["en", "de", "en", "en"]}},
    ),
    "rare_words": (
        {"first": "a quokka nibbles spinach", "train": ["a man walks", "a man runs"]},
        {"first": "a quokka nibbles spinach", "train": ["quokkas nibble", "the quokka nibbles"]},
    ),
    "cross_domain": ({"videos": {"domain": list("uvuu")}}, {"videos": {"domain": list("uuvv")}}),
    "visual_in_domain": (
        {"videos": {"domain": list("uuuu")}, "modalities": prefers(0.9)},
        {"videos": {"domain": list("uuuu")}, "modalities": prefers(0.1)},
    ),
    "unexplained": ({}, {"first": "A  dog", "second": "a dog"}),
}  # fmt: skip
"""What differs from four videos whose first query fails: where the cause is the truth, and where it is absent."""
THRESHOLDS = {"truncated": {"caption_words": 5}}
BESIDE = {"script_mismatch": "ocr_missed"}
"""It says of a lost word why it was lost, and so never comes first."""


def spoilt(seed=0):
    """40 videos; the first query prefers the second video by far."""
    similarity = np.eye(40) + np.random.default_rng(seed).normal(0, 0.1, (40, 40))
    similarity[0, :2] = [0.1, 0.95]
    return similarity


def hub(name, there):
    """A query of another domain finds the second video first, as all others do, or it alone."""
    corpus, similarity = made_corpus(40, name=name), spoilt()
    similarity[slice(None) if there else [20], 1] += 2.0
    return save_run(similarity, corpus=corpus, name=name), corpus.captions["caption_id"][20]


def anti_hub(name, there):
    """A right video has low scores for all queries, or for its own only."""
    corpus, similarity = made_corpus(40, name=name), spoilt()
    similarity[slice(None) if there else [20], 20] -= 3.0
    return save_run(similarity, corpus=corpus, name=name), corpus.captions["caption_id"][20]


def coin_flip(name, there):
    """Two more seeds, whose margins differ much, or hardly."""
    run = failing(name=name, corpus=name, group=name)
    for i, right in enumerate((2.0, -0.5) if there else (0.19, 0.21)):
        similarity = WRONG.copy()
        similarity[0, 0] = right
        save_run(similarity, corpus=name, name=f"{name}{i}", group=name)
    return run, "q0"


MADE = {"hub": hub, "anti_hub": anti_hub, "coin_flip": coin_flip}
"""The same for causes that need more than four videos, or more than one run."""


def pair_of(cause):
    """A run where a cause is the truth and one where it is absent, each with the query in question."""
    assert cause in {*CASES, *MADE}, f"{cause} has no made corpus"
    if cause in MADE:
        return MADE[cause]("p", True), MADE[cause]("q", False)
    return tuple((failing(name=name, corpus=name, **case), "q0") for name, case in zip("pq", CASES[cause], strict=True))


def causes_of(run, query="q0", **options):
    table = analysis.failures(run, **options).set_index("query_id")
    return table.loc[query, "causes"]


def test_the_causes_are_those_of_the_contract():
    design = (Path(__file__).parents[2] / "docs" / "design.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^Cause ids: `([^`]+)`", design, re.M)
    assert set(listed.split()) == set(analysis.CAUSES) == {*CASES, *MADE}


@pytest.mark.parametrize("cause", analysis.CAUSES)
def test_a_cause_is_found_where_it_is_the_truth_and_not_where_it_is_absent(home, cause):
    (there, query), (absent, other) = pair_of(cause)
    options = THRESHOLDS.get(cause, {})
    found = analysis.failures(there, **options).set_index("query_id").loc[query]
    assert cause in found["causes"] and len(found["evidence"]) > 10
    assert found["cause"] == found["causes"][0] == BESIDE.get(cause, cause)
    assert cause not in analysis.not_computed(absent, **options)  # it was looked for
    assert cause not in causes_of(absent, other, **options)


def test_a_hub_that_takes_a_query_which_is_found_without_it(home):
    corpus = made_corpus(40)
    similarity = spoilt()
    assert not set(analysis.failures(save_run(similarity, corpus=corpus, name="fair"))["causes"].explode()) & {"hub"}
    similarity[:, 1] += 2.0
    found = analysis.failures(save_run(similarity, corpus=corpus, name="uneven")).set_index("query_id")["causes"]
    captions = corpus.captions["caption_id"]
    assert "hub" in found[captions[2]] and "hub" not in found[captions[0]]  # the first fails without the hub too


def test_hubs_of_captions_are_corrected_too(home):
    corpus = made_corpus(40)
    similarity = spoilt()
    similarity[1] += 2.0
    run = save_run(similarity, corpus=corpus, name="r")
    assert "hub" in causes_of(run, corpus.videos["video_id"][2], direction="v2t")


def test_seeds_are_found_in_the_workspace(home):
    run, _ = coin_flip("g", True)
    seeds = [open_run("g0"), open_run("g1")]
    assert causes_of(run, others=seeds) == causes_of(run)
    assert "no other seed" in analysis.not_computed(run, others=[])["coin_flip"]


@pytest.mark.parametrize(("right", "ignored"), [(0.21, True), (0.95, False)])
def test_shuffled_frames_tell_whether_order_is_ignored(home, right, ignored):
    run = failing("a man sings and then dances in a park")
    similarity = WRONG.copy()
    similarity[0, 0] = right
    save_run(similarity, corpus="c", name="shuffled", parent="r", ablation="frames shuffled")
    assert ("temporal" in causes_of(run)) is ignored


@pytest.mark.parametrize(("scores", "read", "fits"), [
    ((0.9, 0.9), "Sloane", True), ((0.9, 0.1), "Sloane", False), ((0.9, 0.9), "x", False),
])  # fmt: skip
def test_other_models_tell_false_negatives(home, scores, read, fits):
    run = failing('a shop reads "Sloane"', read={"a": ["milk"], "b": [read]})
    others = []
    for i, wrong in enumerate(scores):
        similarity = np.eye(4, dtype=np.float32) / 2
        similarity[0, 1] = wrong
        others.append(save_run(similarity, corpus="c", name=f"m{i}"))
    assert ("false_negative" in causes_of(run, others=others)) is fits
    assert "false_negative" not in causes_of(run)


def test_a_suspect_label_is_suspect_to_every_model(home):
    run = failing(**CASES["label_suspect"][0])
    other = save_run(WRONG, corpus="c", name="m")
    assert "label_suspect" in causes_of(run) and "label_suspect" not in causes_of(run, others=[other])
    written = failing(**CASES["label_suspect"][0], corpus="t", name="t", truth={"a": ["Sloane Square"]})
    assert "label_suspect" not in causes_of(written)  # it stands there, whatever was read


def test_videos_that_differ_to_a_part_of_the_model_are_no_duplicates(home):
    assert "near_duplicate_video" in causes_of(failing(similarity=TWINS, modalities={"vision": TWINS}))
    run = failing(similarity=TWINS, modalities={"vision": WRONG}, name="s")
    assert "near_duplicate_video" not in causes_of(run)
    reader = failing(similarity=TWINS, read=READ, given=READ, name="t", corpus="t")
    assert "sees no frames" in analysis.not_computed(reader)["near_duplicate_video"]


def test_text_in_frames_that_the_ocr_did_not_look_at(home):
    facts = {"truth": {"a": ["Sloane Square"]}, "read": {"a": []}, "spans": {"a": (5, 9)}}
    run = failing(SIGN, **facts, frames={"a": [2, 12]})
    row = analysis.failures(run).iloc[0]
    assert row["causes"] == ["ocr_not_sampled"]
    assert '"Sloane" stands in frames 5 to 9; the OCR looked at 2, 12' in row["evidence"]
    assert causes_of(failing(SIGN, **facts, frames={"a": [2, 7]}, name="s", corpus="s")) == ["ocr_missed"]


def test_the_filter_that_dropped_a_word_is_named(home):
    words = [*(f"word{i}" for i in range(3)), "Sloane"]
    rules = {"filters": "default", "max_words": 2}
    run = failing(SIGN, read={"a": [*words, "Square"]}, given={"a": ["word0", "word1"]}, input_rules=rules)
    assert "filter max_words: drops all but the most confident words" in analysis.failures(run)["evidence"][0]


def test_what_other_runs_must_be(home):
    run = failing()
    other = save_run(np.eye(40), corpus=made_corpus(40), name="other")
    with pytest.raises(DataError, match="Run other has other rows or columns than r"):
        analysis.failures(run, others=[other])


def test_what_is_absent_is_said(home):
    said = analysis.not_computed(failing())
    assert said["ocr_missed"].startswith("No text was read") and said["label_suspect"] == said["ocr_missed"]
    assert said["rare_words"] == "The corpus holds no training captions."
    assert said["truncated"] == "Run r does not say how many words its model reads; set caption_words to say it."
    read = analysis.not_computed(failing(read=READ, name="s", corpus="s"))
    assert read["ocr_distractor"] == "Run s does not say whether its model reads text."
    assert read["ocr_not_sampled"].startswith("Run s does not list the frames that its model saw, and nobody")
    assert "truncated" not in analysis.not_computed(failing(name="t"), caption_words=32)


@pytest.mark.parametrize(
    "cause", ["duplicate_caption", "false_negative", "ocr_misread", "ocr_filtered", "fine_grained"]
)
def test_videos_as_queries(home, cause):
    there, absent = (failing(**case, name=name, corpus=name, similarity=WRONG.T)
                     for name, case in zip("pq", CASES[cause], strict=True))  # fmt: skip
    assert cause in causes_of(there, "a", direction="v2t")
    assert cause not in causes_of(absent, "a", direction="v2t")


def test_columns_are_correlated_as_numpy_does():
    draw = np.random.default_rng(0)
    scores = draw.normal(5, 0.01, (300, 6)).astype(np.float32)
    scores[:, 3] = 0.25
    left, right = np.array([0, 1, 2, 0, 3]), np.array([1, 2, 0, 1, 0])
    value = column_correlations(scores, left, right)
    expected = np.corrcoef(scores.T.astype(float)[[0, 1, 2]])
    assert value[:4] == pytest.approx([expected[0, 1], expected[1, 2], expected[0, 2], expected[0, 1]], abs=1e-4)
    assert np.isnan(value[4])
    scores[7, 0] = -np.inf
    kept = scores[:, 0].astype(float)
    kept[7] = kept[np.isfinite(kept)].mean()
    assert column_correlations(scores, left[:1], right[:1])[0] == pytest.approx(
        np.corrcoef(kept, scores[:, 1])[0, 1], abs=1e-4
    )


def test_queries_of_several_right_captions(home):
    videos = pd.DataFrame({"video_id": list("ab"), "split": "test", "status": "not_kept"})
    captions = pd.DataFrame(
        {
            "caption_id": list("wxyz"),
            "video_id": list("aabb"),
            "split": "test",
            "role": "original",
            "text": ["a red guitar in a park", "a man sings", "a red guitar in a park now", "a dog"],
        }
    )
    corpus = save_corpus("two", {"videos": videos, "captions": captions}).with_split("test")
    run = save_run(np.array([[0.1, 0.9], [0.9, 0.1], [0.0, 1.0], [0.0, 1.0]]), corpus=corpus, name="two")
    assert "false_negative" in causes_of(run, "w")
