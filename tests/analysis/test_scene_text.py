"""Causes in scene text: each in a made corpus in which it is the truth, and in one in which it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.texts import FIRST, IDS, WRONG, read_corpus, run_on
from workbench import analysis
from workbench.analysis.reading.run_texts import readings_of
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.corpus import save_corpus
from workbench.corpus.engines import first_engine


def found(run, **options):
    """Causes and evidence of the first query."""
    row = analysis.failures(run, **options).set_index("query_id").loc["q0"]
    return row["causes"], row["evidence"]


def told(run):
    return analysis.not_computed(run)


def test_a_missed_word(home):
    corpus = read_corpus(rapidocr={"a": ["Harrods 50"], "b": ["Sloane"]})
    causes, evidence = found(run_on(corpus))
    assert causes == ["ocr_missed"]
    assert evidence == 'The OCR (rapidocr) read no word like "Sloane", "Square" in the right video'


def test_subtitles_are_not_read_in_frames(home):
    corpus = read_corpus(name="spoken")
    lines = pd.DataFrame({"text_id": ["a#s#0"], "video_id": ["a"], "kind": ["subtitle"], "engine": ["alpha"],
                          "text": ["Sloane Square"]})  # fmt: skip
    tables = {"videos": corpus.videos, "captions": corpus.captions, "texts": lines}
    run = run_on(save_corpus("spoken", tables, overwrite=True).with_split("test"))
    assert readings_of(run).engine is None and "No text was read" in readings_of(run).missing


def test_a_misread_word(home):
    run = run_on(read_corpus(rapidocr={"a": ["SL0ANE square"]}))
    assert found(run) == (["ocr_misread"], 'The OCR (rapidocr) read "SL0ANE" for "Sloane"')
    assert found(run, near=0.9)[0] == ["ocr_missed"]


def test_a_filtered_word(home):
    run = run_on(read_corpus(rapidocr={"a": ["SLOANE Square"]}), given={"a": ["square"], "b": ["square"]})
    causes, evidence = found(run)
    assert causes == ["ocr_filtered"]
    assert evidence == 'The OCR (rapidocr) read "Sloane", but the model was not given it'


def test_an_ignored_word(home):
    read = {"a": ["SLOANE", "Square"], "b": ["SQUARE"]}
    causes, evidence = found(run_on(read_corpus(rapidocr=read), given=read))
    assert causes == ["ocr_ignored", "number_swap"]
    assert evidence.startswith(
        'The model had "Sloane" (0 of the 1 wrong videos above have it too); whether it used that is not told'
    )


def test_a_word_that_the_wrong_videos_above_share_is_not_ignored(home):
    read = {"a": ["SLOANE", "Square"], "b": ["SQUARE", "sloane"]}
    run = run_on(read_corpus(rapidocr=read), given=read)
    assert found(run)[0] == ["unexplained"]
    both = WRONG.copy()
    both[0] = [0.2, 0.9, 0.8, 0.7]
    run = run_on(read_corpus(rapidocr=read, name="d"), given=read, similarity=both, name="s")
    assert '"Square" (1 of the 3 wrong videos above have it too)' in found(run)[1]
    assert found(run, shared=0.3)[0] == ["unexplained"]


def test_truth_says_which_words_stand_in_the_video(home):
    read = {"a": ["x"]}
    plain = "a shop named sloane on a square"
    assert found(run_on(read_corpus(plain, rapidocr=read)))[0] == ["unexplained"]
    corpus = read_corpus(plain, rapidocr=read, truth={"a": ["SLOANE"]}, name="t")
    assert found(run_on(corpus, name="t"))[1] == 'The OCR (rapidocr) read no word like "sloane" in the right video'
    corpus = read_corpus(FIRST, rapidocr=read, truth={"a": []}, name="e")
    assert found(run_on(corpus, name="e"))[0] == ["unexplained"]  # the caption says so, but nothing is written there


@pytest.mark.parametrize("state", ["failed", "absent"])
def test_a_video_that_no_engine_looked_at_lost_no_word(home, state):
    corpus = read_corpus(rapidocr={"b": ["x"]}, states={"a": state})
    assert found(run_on(corpus))[0] == ["unexplained"]


def test_looking_and_finding_nothing_is_missing_it(home):
    assert found(run_on(read_corpus(rapidocr={"b": ["x"]})))[0] == ["ocr_missed"]


def test_a_run_that_reads_no_text_has_no_cause_in_scene_text(home):
    corpus = read_corpus(rapidocr={"a": ["x"]}, domains=["u", "u", "u", "v"])
    run = run_on(corpus, given={}, engine=None, modalities={"vision": WRONG})
    causes, evidence = found(run)
    assert causes == ["visual_in_domain"]
    assert evidence.startswith('The caption names "Sloane", "Square", and this run reads no text, the right video')
    assert set(told(run).values()) >= {"Run r reads no text."} and "ocr_missed" in told(run)


def test_without_texts_the_sentence_says_what_adds_them(home):
    run = run_on(read_corpus())
    assert found(run)[0] == ["unexplained"]
    assert told(run)["ocr_ignored"] == "No text was read in the videos. Run: workbench ocr run c"
    assert "same_source" in told(run) and "cross_domain" in told(run)
    (home / "corpora" / "c").rename(home / "corpora" / "elsewhere")
    assert told(run)["ocr_missed"].startswith("The corpus c is not in this workspace. Prepare c as it was then: ")
    assert found(run)[0] == ["unexplained"]


def test_another_corpus_is_not_asked(home):
    run = run_on(read_corpus(rapidocr={"a": ["x"]}))
    other = read_corpus("other words", rapidocr={"a": ["x"]}, name="other")
    with pytest.raises(DataError, match="Run r was not made on other as it is now"):
        analysis.failures(run, corpus=other)
    (home / "corpora" / "c").rename(home / "corpora" / "gone")
    (home / "corpora" / "other").rename(home / "corpora" / "c")
    assert told(run)["ocr_missed"].startswith("The corpus c has changed since run r was made. Prepare c as it was")


def test_a_run_that_does_not_list_its_words(home):
    run = run_on(read_corpus(rapidocr={"a": ["SLOANE SQUARE"]}))
    assert found(run)[0] == ["unexplained"]
    said = analysis.not_computed_by_reason(run)["Run r does not list the words that its model had."]
    assert said == ["ocr_filtered", "ocr_ignored", "ocr_flood"]


def test_confusion_inside_the_domain(home):
    same, other = ["u", "u", "u", "u"], ["u", "v", "u", "u"]
    corpus = read_corpus("a horse", domains=same)
    assert found(run_on(corpus))[0] == ["unexplained"]  # nobody knows what the picture did
    assert told(wb.open_run("r"))["visual_in_domain"] == "Run r keeps no scores of a vision part."
    assert found(run_on(read_corpus("a horse", domains=other, name="o"), name="o"))[0] == ["cross_domain"]
    lost = read_corpus(domains=same, rapidocr={"a": ["x"]}, name="l")
    assert found(run_on(lost, name="l"))[0] == ["ocr_missed"]
    for preferred, causes in ((0.9, ["visual_in_domain"]), (0.1, ["unexplained"])):
        vision = np.full((4, 4), 0.5, np.float32)
        vision[0, 1] = preferred
        run = run_on(corpus, modalities={"vision": vision}, name=f"v{preferred}")
        assert found(run)[0] == causes
    assert "the vision part scores the top-1 0.900 and the right video 0.500" in found(wb.open_run("v0.9"))[1]


def test_a_video_as_a_query_loses_the_words_of_its_captions(home):
    corpus = read_corpus(rapidocr={"a": ["x"]})
    table = analysis.failures(run_on(corpus, similarity=WRONG.T), direction="v2t")
    assert table["query_id"].to_list() == ["a"] and "ocr_missed" in table["causes"][0]
    assert '"Sloane", "Square"' in table["evidence"][0]


def test_a_video_that_was_not_scored_says_why(home):
    corpus = read_corpus(rapidocr={"a": ["x"]}, domains=["u"] * 4)
    run = wb.save_run(WRONG, corpus=corpus, name="r", missing={"a": "its file is broken."})
    assert found(run) == (["unexplained"], "The right video was not scored: its file is broken")


@pytest.mark.parametrize("option", ["near", "shared"])
@pytest.mark.parametrize("value", [0, 1.1, -1])
def test_thresholds_are_shares(home, option, value):
    with pytest.raises(DataError, match=f"{option} is {value}. Give a number above 0 and up to 1"):
        analysis.failures(run_on(read_corpus()), **{option: value})


def test_hubs_of_videos_with_several_captions_are_counted_by_their_videos(home):
    videos = pd.DataFrame({"video_id": IDS, "split": "test", "status": "not_kept"})
    captions = pd.DataFrame({"caption_id": [f"q{i}" for i in range(8)], "video_id": sorted(IDS * 2), "split": "test",
                             "role": "original", "text": [f"t{i}" for i in range(8)]})  # fmt: skip
    corpus = save_corpus("two", {"videos": videos, "captions": captions}).with_split("test")
    similarity = np.zeros((8, 4), np.float32)
    similarity[1::2] = np.eye(4)
    similarity[1, 0] = 0.1
    similarity[3, 0] = 0.9
    table = analysis.failures(wb.save_run(similarity, corpus=corpus, name="two"), direction="v2t")
    assert table["query_id"].to_list() == ["a"] and table["caption_id"].to_list() == ["q1"]
    assert "anti_hub" not in table["causes"][0]


def test_slices_by_a_column_of_the_captions(home):
    corpus = read_corpus(kinds=["text", "visual", "visual", None])
    run = run_on(corpus)
    table = analysis.by_slice(run, "query_type")
    assert table["label"].to_list() == ["visual", "text"] and table["value"].to_list() == [100.0, 0.0]
    assert table["n_queries"].to_list() == [2, 1]
    assert analysis.slice_columns(corpus) == ["query_type"]
    with pytest.raises(UnknownNameError, match="No column of captions is called 'query_typ'"):
        analysis.by_slice(run, "query_typ")
    with pytest.raises(StateError, match="queries of v2t are videos"):
        analysis.by_slice(run, "query_type", direction="v2t")
    with pytest.raises(StateError, match="captions of e state no query_type"):
        analysis.by_slice(run_on(read_corpus(name="e"), name="e"), "query_type")


def test_which_engine():
    assert first_engine([]) is None and first_engine(["truth"]) is None
    assert first_engine(["zz", "aa", "truth"]) == "aa" and first_engine({"kwai", "aa", "rapidocr"}) == "rapidocr"
