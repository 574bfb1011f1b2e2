"""Scene-text queries: both definitions against their formulas, other languages, and the proxies on TextVR."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.evaluation.real import needs_real_data, textvr_captions
from tests.texts import read_corpus, run_on
from workbench.core.errors import StateError
from workbench.evaluation.metrics.scene_text import (
    OCR_V1,
    PROXIES,
    V1,
    labels,
    scene_text_definitions,
    scene_text_queries,
    scene_text_queries_ocr,
    scene_text_videos,
    slices,
)
from workbench.ocr.matching import STOP_WORDS, caption_words

CAPTIONS = {
    "A shop called Starbucks.": True,
    "The sign says open now.": True,
    "Bus 42 leaves.": True,
    "A SEALiFE centre.": True,
    "A man walks a dog.": False,
    "He talks in English on Monday. Then he eats.": False,
    "A Man Cuts Bread And Meat": False,
    "She smiles: Later she sleeps.": False,
    "": False,
}


def table(texts, languages=None):
    rows = pd.DataFrame({"caption_id": [f"q{i}" for i in range(len(texts))], "text": list(texts)})
    return rows if languages is None else rows.assign(language=languages)


def test_captions_alone():
    found = scene_text_queries(table(CAPTIONS))
    assert dict(zip(CAPTIONS, found, strict=True)) == CAPTIONS and found.name == V1
    assert list(found.index[:2]) == ["q0", "q1"]


def test_other_languages_are_not_defined():
    found = scene_text_queries(table(["Das ist wohl ein altes Haus."] * 4, ["de", "en", "EN-gb", None]))
    assert found.isna().to_list() == [True, False, False, False] and found.to_list()[1:] == [True] * 3
    assert labels(found).to_list()[1:] == ["scene-text query"] * 3 and pd.isna(labels(found).iloc[0])


def slow_ocr(corpus, common=0.05):
    """The formula, word by word, for one right video per caption and the engine rapidocr."""
    looked = corpus.text_coverage.query("engine == 'rapidocr' and state in ['read', 'empty']")["video_id"].to_list()
    texts = corpus.texts.query("engine == 'rapidocr'")
    read = {v: set(caption_words("\n".join(texts.loc[texts["video_id"] == v, "text"]))) for v in looked}
    found = []
    for row in corpus.captions.itertuples():
        words = [w for w in caption_words(row.text) if w not in STOP_WORDS and (len(w) > 1 or w.isdigit())]
        few = [w for w in words if sum(w in one for one in read.values()) <= max(1, int(common * len(read)))]
        found.append(None if row.video_id not in read else any(w in read[row.video_id] for w in few))
    return found


def test_captions_and_ocr(home):
    texts = ["Sloane hangs over a green door.", "a cat at shop 7", "a bird"]
    read = {"a": ["SLOANE", "shop"], "b": ["green"], "c": ["Shop 7"], "d": []}
    corpus = read_corpus("A dog at the shop.", rapidocr=read, truth={"a": ["dog"]}, others=texts)
    found = scene_text_queries_ocr(corpus)
    assert found.to_list() == slow_ocr(corpus) == [False, True, True, False] and found.name == OCR_V1
    truth = scene_text_queries_ocr(corpus, "truth")
    assert truth.to_list()[0] is True and truth.to_list()[1:] == [False] * 3
    failed = read_corpus("A dog.", rapidocr=read, states={"b": "failed"}, others=texts, name="failed")
    assert failed_is_null(scene_text_queries_ocr(failed)) and slow_ocr(failed)[1] is None


def failed_is_null(found):
    return found.isna().to_list() == [False, True, False, False]


def test_nothing_was_read(home):
    corpus = read_corpus(truth={"a": ["x"]})
    with pytest.raises(StateError, match="No text was read.*workbench ocr run c"):
        scene_text_queries_ocr(corpus)
    with pytest.raises(StateError, match="by kwai"):
        scene_text_queries_ocr(corpus, "kwai")


def test_the_table_counts_each_definition():
    captions = table(CAPTIONS)
    ocr = pd.Series([True, None, *[False] * 7], index=captions["caption_id"], dtype="boolean")
    found = scene_text_definitions(captions, ocr).set_index("definition")
    assert list(found.index) == [V1, OCR_V1, *PROXIES]
    assert found.loc[V1, ["n_queries", "n_scene_text", "n_both", "n_only", "n_only_v1"]].to_list() == [9, 4, 4, 0, 0]
    assert found.loc[OCR_V1, ["n_queries", "n_scene_text", "n_only_v1"]].to_list() == [8, 1, 3]
    assert found.loc["any cue", "n_scene_text"] == 6 and found.loc["any cue", "n_only"] == 3
    for name, (_, holds) in PROXIES.items():
        assert found.loc[name, "n_scene_text"] == sum(map(holds, CAPTIONS))


def test_a_video_is_one_where_half_of_its_captions_are():
    queries = pd.Series([True, False, True, False, False, None, None], index=list("abcdefg"), dtype="boolean", name=V1)
    rows = [("v", "a", 1), ("v", "b", 1), ("w", "c", 1), ("w", "d", 1), ("w", "e", 1), ("x", "f", 1), ("y", "a", 0),
            ("y", "b", 1), ("z", "c", 2), ("z", "g", 1), ("z", "c", 1)]  # fmt: skip
    relevance = pd.DataFrame(rows, columns=["video_id", "caption_id", "grade"])
    found = scene_text_videos(queries, relevance)
    assert found.name == V1 and found.drop("x").to_dict() == {"v": True, "w": False, "y": False, "z": True}
    assert pd.isna(found["x"])


def test_parts_of_a_run_for_its_metrics(home):
    run = run_on(read_corpus())
    found = slices(run)
    assert found["t2v"][V1].to_dict() == {
        "q0": "scene-text query", "q1": "no scene-text query", "q2": "no scene-text query", "q3": "no scene-text query",
    }  # fmt: skip
    assert list(found["v2t"][V1].index) == list("abcd") and found["v2t"][V1].iloc[0] == "scene-text query"
    assert slices(run_on(read_corpus("a horse", name="d"), name="d")) == {"t2v": {}, "v2t": {}}
    totals = run_on(read_corpus(name="e"), name="e", totals_only=True)
    assert slices(totals) == {"t2v": {}, "v2t": {}}


@needs_real_data
def test_how_many_queries_of_textvr_each_would_take():
    found = scene_text_definitions(table(textvr_captions())).set_index("definition")
    assert found["n_scene_text"].to_dict() == {
        V1: 1423, "capitals, quotes or digits": 1098, "any cue": 1422, "text word or capitals": 1245,
    }  # fmt: skip
    assert (found["n_queries"] == 2727).all() and found.loc["any cue", "n_both"] > 1390
