"""Search: type words, name a clip or bring one, get the first videos of each model, and why they are there."""

import streamlit as st

from workbench.app import loading
from workbench.app.headings import page_heading
from workbench.app.parts.own_clip import BM25, looked_at, own_hint, show_clip
from workbench.app.parts.panels import has_pictures
from workbench.app.parts.search import (
    ASKED,
    SHOWN,
    answer,
    choose_searchers,
    choose_what,
    run_over,
    show_answers,
    show_video,
)
from workbench.app.parts.widgets import choose_place, choose_switch, widget_row
from workbench.app.text import plain
from workbench.corpus.engines import TRUTH

PER_ROW = 6

page_heading("Search")
pick = widget_row(4, 240)
with pick[0]:
    place = choose_place(whole=True)
corpus = loading.corpus_at(place)
readers = [engine for engine in loading.engines(corpus) if engine != TRUTH]
with pick[1]:
    ask = choose_switch("Look for", ASKED, "ask")
with pick[2]:
    query = choose_what(ask, corpus)
with pick[3]:
    chosen_by = choose_searchers(ask, corpus)


def examples() -> None:
    """Words to begin with, as buttons."""
    words = loading.example_words(loading.key_of_corpus(corpus), readers[0]) if readers else []
    if not words:
        return
    st.caption(f"Words that {plain(readers[0])} read in these {len(corpus.videos):,} videos, the most frequent first:")
    columns = st.columns(PER_ROW)
    for at, word in enumerate(words):
        values = {"q": word}
        columns[at % PER_ROW].button(
            plain(word), key=f"example {at}", on_click=st.query_params.update, args=(values,), width="stretch"
        )


def nothing_read() -> None:
    """What to do where no word was read."""
    if has_pictures(corpus):
        st.info("No words were read in these videos yet.", icon=":material/info:")
        st.code(f"workbench ocr run {corpus.name}", None)
    else:
        st.info("This corpus has neither videos on this machine nor words read in them.", icon=":material/info:")
        st.code(f"workbench data prepare {corpus.name} ... --root FOLDER --overwrite", None)


if not readers and chosen_by == [BM25]:
    nothing_read()
    st.stop()
if query.empty:
    if ask == "words":
        examples()
    elif ask == "own":
        own_hint(corpus)
    st.stop()
if query.own:
    runs = [run for by in chosen_by if (run := run_over(corpus, by)) is not None]
    if not looked_at(query.own, corpus, runs, read=len(runs) < len(chosen_by)):
        show_clip(query.own)
        st.stop()
answers = [answer(query, by, SHOWN if len(chosen_by) == 1 else SHOWN // 2) for by in chosen_by]
listed = [video for one in answers for video in one.videos["video_id"]]
asked = st.query_params.get("video", "")
video = asked if asked and asked in {*listed, query.clip} else next(iter(listed), query.clip)
left, right = st.columns([3, 2], gap="medium")
with left:
    show_answers(query, answers, video)
if video:
    with right:
        show_video(query, answers, video, place)
elif ask == "words":
    examples()
