"""Which cause comes first, and when one is no more than a further one: what oracle gains are made of."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.analysis.failing import failing
from tests.made import made_corpus, made_similarity
from tests.texts import WRONG
from workbench import analysis
from workbench.analysis.causes.artefacts import _opening
from workbench.analysis.causes.catalogue import FAMILIES
from workbench.analysis.causes.failures import CRITERIA
from workbench.analysis.causes.related import related_to
from workbench.analysis.structure.hubness import hub_limit, hubs_of
from workbench.core.files import write_table
from workbench.corpus import save_corpus
from workbench.evaluation import open_run, save_run

DOCUMENT = (Path(__file__).parents[2] / "docs" / "failures.md").read_text(encoding="utf-8")
SIGN = 'A sign says "Sloane".'
READ = {"a": ["SLOANE"], "b": ["x"]}
THIRD = [[0.1, 0.8, 0.9, 0.0], *WRONG[1:]]
"""The right video of the first query stands behind c and b."""


def first(run, **options):
    return analysis.failures(run, **options).set_index("query_id").loc["q0"]


# The order ---------------------------------------------------------------------------------------------------------


def test_the_document_and_the_criteria_have_the_order_of_the_causes():
    assert re.findall(r"^\| `(\w+)` \| [A-Z]", DOCUMENT, re.M)[: len(analysis.CAUSES)] == list(analysis.CAUSES)
    assert set(CRITERIA) == set(analysis.CAUSES) - {"unexplained"}
    families = [FAMILIES.index(one.family) for one in analysis.CAUSES.values()]
    assert families == sorted(families)


def test_of_several_families_the_first_one_is_primary(home):
    made = {"first": 'two men play a guitar in a park, a sign says "Sloane"', "read": {"a": ["Harrods"], "b": ["x"]},
            "second": "men play a guitar in a park, a sign says Sloane",
            "similarity": [[0.5, 0.5, 0.1, 0.0], *WRONG[1:]], "fits": 0.99}  # fmt: skip
    fits = made.pop("fits")
    text, content, geometry = "ocr_missed", "negation_counting", "tied"
    row = first(failing(**made), fits=fits)
    assert row["cause"] == text and row["causes"][0] == text
    assert row["causes"].index(content) < row["causes"].index(geometry)
    made["read"] = {"a": ["Sloane"], "b": ["x"]}
    assert first(failing(**made, name="s", corpus="s"), fits=fits)["cause"] == content
    made["second"] = None
    assert first(failing(**made, name="t", corpus="t"), fits=fits)["cause"] == geometry


# Artefacts ---------------------------------------------------------------------------------------------------------


def test_equal_captions_are_primary_where_they_cost_the_hit(home):
    made = {"first": "A  dog on a horse", "second": "a dog on a horse"}
    row = first(failing(**made))
    assert row["cause"] == "duplicate_caption" and "with all of these right too, the rank is 1" in row["evidence"]
    run = failing(**made, similarity=THIRD, name="s", videos={"domain": list("uuvv")})
    row = first(run)
    assert row["cause"] == "cross_domain" and row["causes"][-1] == "duplicate_caption"
    assert "with all of these right too, the rank is 2" in row["evidence"]
    assert first(run, k=2)["cause"] == "duplicate_caption"
    gain = analysis.oracle_gain(run).set_index("cause")["gain"]
    assert "duplicate_caption" not in gain.index and gain["cross_domain"] == pytest.approx(25)


def test_a_cause_that_may_not_be_primary_leaves_a_query_unexplained(home):
    row = first(failing(first="A dog", second="a dog", similarity=THIRD))
    assert row["causes"][0] == row["cause"] == "unexplained" and "duplicate_caption" in row["causes"]


def test_equal_captions_are_compared_by_all_of_their_right_videos(home):
    tables = {
        "videos": pd.DataFrame({"video_id": list("abcd"), "split": "test", "status": "not_kept"}),
        "captions": pd.DataFrame({"caption_id": ["q0", "q1", "q2", "q3"], "video_id": list("aacd"), "split": "test",
                                  "role": "original", "text": ["a red bus", "a red bus", "a cat", "a dog"]}),
    }  # fmt: skip
    pairs = {"caption_id": ["q0", "q1", "q1", "q2", "q3"], "video_id": list("aabcd"), "grade": 1}
    corpus = save_corpus("m", {**tables, "relevance": pd.DataFrame(pairs)}).with_split("test")
    scores = np.array([[0.1, 0.9, 0.0, 0.0], [0.5, 0.9, 0.0, 0.0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert first(save_run(scores, corpus=corpus, name="m"))["cause"] == "duplicate_caption"
    same = {**pairs, "caption_id": ["q0", "q0", "q1", "q1", "q2", "q3"], "video_id": list("ababcd")}
    equal = save_corpus("n", {**tables, "relevance": pd.DataFrame(same)}).with_split("test")
    scores[:2, 2] = 2.0
    assert "duplicate_caption" not in first(save_run(scores, corpus=equal, name="n"))["causes"]


@pytest.mark.parametrize(("second", "primary"), [("a man dances in a hall", True), ("a woman sings in a hall", False)])
def test_a_caption_that_says_little_is_primary_where_it_fits_what_stands_above(home, second, primary):
    row = first(failing("A man dances.", second), vague=1.0)
    assert "underspecified" in row["causes"] and (row["cause"] == "underspecified") is primary


@pytest.mark.parametrize(("text", "opening"), [
    ("this is a vine sports compilation", ""), ("It reads FEGAB", ""), ("these are cats", ""), ("this video shows", ""),
    ("It runs away.", "it"), ("he is singing", "he"), ("This man sings", "this"), ("The man sings", "the man"),
    ("the red bus", ""),
])  # fmt: skip
def test_what_points_back(text, opening):
    assert _opening(text) == opening


# Scene text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["Then 12 kids play soccer", "A 25 year old woman", "A woman in Brazil cooks feijoada"]
)
def test_counts_and_names_claim_nothing(home, text):
    run = failing(text, read={"a": ["exit"], "b": ["x"]})
    assert first(run)["cause"] == "unexplained" and analysis.ocr_funnel(run).words.empty


def test_a_name_that_is_read_somewhere_and_a_number_that_is_read_there_do(home):
    assert first(failing("A woman in Brazil cooks", read={"a": ["x"], "c": ["BRAZIL"]}))["cause"] == "ocr_missed"
    made = {"read": {"a": ["12"], "c": ["25"]}, "given": {"a": []}, "name": "s", "corpus": "s"}
    words = analysis.ocr_funnel(failing("Then 12 kids of 25 play soccer", **made)).words
    assert words["word"].to_list() == ["12"] and words["fate"].to_list() == ["not_given"]


@pytest.mark.parametrize(("without", "ignored"), [(0.2, True), (0.3, True), (0.1, False)])
def test_effects_of_words_tell_whether_a_word_was_used(home, without, ignored):
    run = failing(SIGN, read=READ, given=READ)
    assert "is not told without word effects" in first(run)["evidence"]
    effect = {"caption_id": "q0", "video_id": "a", "word": "Sloane", "score": 0.2, "score_without": without,
              "rank_without": 2.0}  # fmt: skip
    write_table(run.path / "word_effects.parquet", pd.DataFrame([effect]))
    row = first(open_run("r"))
    assert ("ocr_ignored" in row["causes"]) is ignored
    assert ("without it the score changes by +" in row["evidence"]) is ignored
    fate = analysis.ocr_funnel(open_run("r")).words["fate"].to_list()
    assert fate == (["ignored"] if ignored else ["used"])


@pytest.mark.parametrize(("right", "ignored"), [(0.21, True), (0.05, False)])
def test_a_run_without_ocr_tells_whether_text_was_used(home, right, ignored):
    run = failing(SIGN, read=READ, given=READ)
    similarity = WRONG.copy()
    similarity[0, 0] = right
    save_run(similarity, corpus="c", name="no", parent="r@best", ablation="without ocr")
    row = first(run)
    assert ("ocr_ignored" in row["causes"]) is ignored
    assert ("without OCR the rank is the same" in row["evidence"]) is ignored
    assert related_to(run).models == ()  # it is no other model


def test_a_video_as_a_query_shows_the_caption_that_holds_the_word(home):
    tables = {
        "videos": pd.DataFrame({"video_id": list("ab"), "split": "test", "status": "not_kept"}),
        "captions": pd.DataFrame({"caption_id": list("wxyz"), "video_id": list("aabb"), "split": "test", "role":
                                  "original", "text": ["a shop", SIGN, "a cat", "a dog"]}),
        "texts": pd.DataFrame({"text_id": ["b#r#0"], "video_id": ["b"], "kind": "ocr", "engine": "rapidocr",
                               "text": ["x"]}),
        "text_coverage": pd.DataFrame({"video_id": list("ab"), "engine": "rapidocr", "state": ["empty", "read"]}),
    }  # fmt: skip
    corpus = save_corpus("two", tables).with_split("test")
    run = save_run(np.array([[0.5, 0], [0.1, 0], [0.9, 1], [0, 0.8]]), corpus=corpus, name="two")
    row = analysis.failures(run, direction="v2t").set_index("query_id").loc["a"]
    assert row["text"] == "a shop"
    assert row["evidence"].startswith(f'The OCR (rapidocr) read no word like "Sloane" in the video (caption "{SIGN}")')


# Form, geometry, where ---------------------------------------------------------------------------------------------


def test_a_run_says_how_many_words_of_a_caption_its_model_reads(home):
    run = failing("a horse runs and jumps over a hill", input_rules={"caption_words": 5})
    assert "truncated" not in analysis.not_computed(run)
    row = first(run)
    assert row["cause"] == "truncated" and "has 8 words, the model reads 5" in row["evidence"]
    assert first(run, caption_words=8)["cause"] == "unexplained"


def test_one_definition_of_a_hub(home):
    corpus = made_corpus(100)
    similarity = made_similarity(corpus, 2.0)
    similarity[:, [1, 50]] += [0.15, 0.1]
    run = save_run(similarity, corpus=corpus, name="hubs")
    page = analysis.hubness(run, n_top=100)
    hubs = set(page.top.loc[page.top["is_hub"], "video_id"])
    failed = analysis.failures(run)
    told = failed["evidence"].str.contains("stands among the first 10 of \\d+ queries")
    assert told.to_list() == failed["top_video_id"].isin(hubs).to_list() and told.any()
    only = failed["evidence"].str.casefold().str.contains("a hub is present, and no more")
    assert (only == (told & ~failed["causes"].map(lambda causes: "hub" in causes))).all() and only.any()
    even, scored = np.array([9, 9, 9, 9, 9, 10]), np.ones(6, bool)
    assert hubs_of(even, scored, sd=2.0).tolist() == [False] * 5 + [True] and hub_limit(even, sd=2.0) == 10
    assert not hubs_of(np.full(4, 3), np.ones(4, bool)).any()


def test_where_a_failure_lies_does_not_say_why(home):
    run = failing(videos={"domain": list("uuuu")})
    assert analysis.not_computed(run)["visual_in_domain"] == "Run r keeps no scores of a vision part."
    both = pd.concat([analysis.failures(run), analysis.failures(failing(
        videos={"domain": list("uvuu"), "source_id": list("xyzz")}, name="s", corpus="s")),
        analysis.failures(failing(videos={"source_id": list("xxyz")}, name="t", corpus="t"))])  # fmt: skip
    assert both["cause"].to_list() == ["unexplained", "cross_domain", "same_source"]
    assert analysis.coverage(both) == pytest.approx(1 / 3) and np.isnan(analysis.coverage(both.iloc[:0]))


def test_a_run_that_only_sees_is_its_own_vision_part(home):
    times = {one: [0.5] for one in "abcd"}
    run = failing(videos={"domain": list("uuuu")}, read=READ, given={}, times=times)
    inputs = run.inputs.assign(engine=None)
    again = save_run(WRONG, corpus="c", name="sees", inputs=inputs)
    assert first(again)["cause"] == "visual_in_domain"
