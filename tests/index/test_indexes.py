"""Indexes: BM25 against its formula, faiss against all products; empty, odd and wrong input; saved and read again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.core.seeds import generator
from workbench.index import DenseIndex, LexicalIndex
from workbench.pipelines.indexes import build_index, list_indexes, open_index
from workbench.pipelines.search import Searcher, searchers_of

DOCUMENTS = ["taxi to the airport", "airport hotel airport", "", "Такси 雨 café", "taxi taxi taxi hotel bar"]
IDS = ["a", "b", "c", "d", "e"]


def bm25(query: list[str], documents: list[list[str]], k1: float = 1.5, b: float = 0.75) -> list[float]:
    """Lucene's variant, word by word (Kamphuis et al. 2020, table 1)."""
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        score = 0.0
        for word in query:
            n = sum(word in other for other in documents)
            if n:
                idf = math.log(1 + (len(documents) - n + 0.5) / (n + 0.5))
                tf = document.count(word)
                score += idf * tf / (tf + k1 * (1 - b + b * len(document) / mean))
        scores.append(score)
    return scores


def test_bm25_is_its_formula():
    index = LexicalIndex(DOCUMENTS, IDS)
    for query in ("taxi", "airport hotel", "bar bar", "Café", "nothing here"):
        words = [word for word in query.casefold().split()]
        np.testing.assert_allclose(index.scores(query), bm25(words, index.words), rtol=1e-5, err_msg=query)


def test_words_of_any_script_are_found_and_others_are_not():
    index = LexicalIndex(DOCUMENTS, IDS)
    assert [one for one, _ in index.search("ТАКСИ")] == ["d"] == [one for one, _ in index.search("雨")]
    assert index.search("submarine") == [] == index.search("!?") and index.search("taxi", k=1)[0][0] == "e"


def test_a_corpus_without_any_word_is_searched_in_vain_not_in_error():
    index = LexicalIndex(["", "  "], ["a", "b"])
    assert index.search("taxi") == [] and index.scores("taxi").tolist() == [0, 0]


def test_lexical_comes_back(tmp_path):
    index = LexicalIndex(DOCUMENTS, IDS)
    index.save(tmp_path)
    assert LexicalIndex.load(tmp_path).search("airport hotel") == index.search("airport hotel")


def test_dense_equals_all_products(tmp_path):
    draw = generator(0, "dense")
    vectors, query = draw.normal(size=(300, 16)), draw.normal(size=16)
    index = DenseIndex(vectors, [str(i) for i in range(300)])
    cosine = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    found = index.search(query, 10)
    assert [int(one) for one, _ in found] == np.argsort(-cosine)[:10].tolist()
    np.testing.assert_allclose([score for _, score in found], np.sort(cosine)[::-1][:10], rtol=1e-5)
    index.save(tmp_path)
    assert DenseIndex.load(tmp_path).search(query, 3) == index.search(query, 3)


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (np.zeros((2, 3)), "Vector 0 is zero or not finite"),
        (np.array([[1.0, 0], [np.nan, 1]]), "Vector 1 is zero or not finite"),
        (np.ones((3, 2)), "Vectors .3, 2. for 2 ids"),
        (np.ones((0, 2)), "for 2 ids"),
    ],
)
def test_wrong_vectors_are_named(vectors, said):
    with pytest.raises(DataError, match=said):
        DenseIndex(vectors, ["a", "b"])


def test_a_query_of_another_encoder_is_named():
    with pytest.raises(DataError, match="5 dimensions, the index 3"):
        DenseIndex(np.eye(3), ["a", "b", "c"]).search(np.ones(5))


@pytest.mark.slow
@pytest.mark.usefixtures("demo")
def test_the_demo_is_searched_by_what_stands_in_it():
    from workbench.corpus import open_corpus

    corpus = open_corpus("demo", "test")
    texts = corpus.texts[corpus.texts["engine"] == "truth"].drop_duplicates("text")
    searcher = Searcher(corpus)
    word, video = next((text.split()[0], video) for text, video in zip(texts["text"], texts["video_id"], strict=True))
    found = searcher.search(word, 3).videos
    assert video in set(found["video_id"]) and word.casefold() in found["matched"].iloc[0]
    assert {"bm25", "demo-fusion"} <= set(searchers_of("demo", ["demo-fusion", "demo-bm25"]))
    by_model = Searcher(corpus, "demo-fusion").search(f"the words {word} appear", 5).videos
    assert video in set(by_model["video_id"])
    with pytest.raises(DataError, match="empty"):
        searcher.search("  ")
    with pytest.raises(UnknownNameError):
        Searcher(corpus, "demo-fussion")


def test_an_index_over_a_corpus_with_captions_only(home):
    from tests.made import made_corpus

    corpus = made_corpus(20)
    folder = build_index(corpus, of="captions")
    assert list_indexes("made") == [folder.name] == ["made-captions"]
    index, info = open_index("made-captions")
    assert info["kind"] == "lexical" and index.search("again")
    assert Searcher(corpus, "made-captions").search("again", 2).videos["video_id"].notna().all()
    with pytest.raises(StateError, match="Run: workbench ocr run made"):
        build_index(corpus, of="ocr")
    with pytest.raises(StateError, match="No index is called 'made-caption'"):
        open_index("made-caption")
