"""The filter of every list of captions and videos: words, or a regular expression, of what is said or read there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.analysis.narrowing import Sieve, spoken
from workbench.app import loading
from workbench.app.parts.widgets import DETAILS, choose, choose_engine, write
from workbench.app.text import plain
from workbench.core.errors import DataError
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run

HOW = {"words": "Words", "expression": "Regular expression"}
EXAMPLES = {"words": "words of the caption or read in the video", "expression": r"e.g. no\.? ?\d+|sale"}


def ask_words(left: DeltaGenerator, right: DeltaGenerator, closes: Sequence[str]) -> tuple[str, bool]:
    """The words and whether they are a regular expression; both stand in the address as ``words`` and ``as``.

    Args:
        left: Place of the words.
        right: Place of how they are read.
        closes: Keys of the address that other words close.
    """
    with right:
        how = choose("Read as", list(HOW), "as", closes=closes, show=HOW.__getitem__)
    with left:
        words = write("Filter", "words", EXAMPLES[how], closes=closes)
    return words, how == "expression"


def choose_sieve(of: Run | Corpus, *lists: str, corpus: Corpus | None = None) -> Sieve:
    """One line of widgets that filters the lists below it.

    Args:
        of: A run, whose captions are those of its split; or a corpus.
        *lists: Keys of the lists (``listed``): other words turn them to their first pages.
        corpus: Corpus of the run; None = it is not at hand, so that captions alone are looked through.
    """
    corpus = of if isinstance(of, Corpus) else corpus
    several = corpus is not None and len(loading.engines(corpus)) > 1
    line = st.columns([4, 2, 2] if several else [6, 2], vertical_alignment="bottom")
    words, expression = ask_words(line[0], line[1], (*DETAILS, *lists, *(f"page_{one}" for one in lists)))
    engine = None
    if corpus is not None and several:
        with line[2]:
            engine = choose_engine(corpus)
    if not words:
        return Sieve()
    texts = _of_run(loading.key_of(of), _key(corpus), engine, of, corpus) if isinstance(of, Run) else (
        _of_corpus(loading.key_of_corpus(of), engine, of)
    )  # fmt: skip
    sieve = Sieve(words, expression, texts)
    try:
        sieve.passes(pd.Series([""]))
    except DataError as error:
        st.warning(plain(f"{error} Nothing is filtered."))
        return Sieve()
    return sieve


def asked_engine(corpus: Corpus | None) -> str | None:
    """The engine of the address, whose words a page shows; None = by the rule of ``corpus.engines``."""
    asked = st.query_params.get("engine", "")
    return asked if corpus is not None and asked in loading.engines(corpus) else None


def _key(corpus: Corpus | None) -> Any:
    return None if corpus is None else loading.key_of_corpus(corpus)


@st.cache_resource(max_entries=8, show_spinner="Reading words …")
def _of_run(key: Any, corpus: Any, engine: str | None, _run: Run, _corpus: Corpus | None) -> dict[str, str]:
    texts = _run.queries[["caption_id", "text"]]
    return spoken(_run.relevance[["caption_id", "video_id"]].merge(texts, on="caption_id"), _corpus, engine)


@st.cache_resource(max_entries=8, show_spinner="Reading words …")
def _of_corpus(key: Any, engine: str | None, _corpus: Corpus) -> dict[str, str]:
    return spoken(_corpus.captions, _corpus, engine)
