"""Search: type words or name a clip, get the first videos of each model, and why they are there."""

import streamlit as st

from workbench.app import loading
from workbench.app.parts.panels import has_pictures
from workbench.app.parts.search import (
    BM25,
    SHOWN,
    Query,
    answer,
    clip_named,
    clip_searchers,
    label_of,
    show_answers,
    show_video,
)
from workbench.app.parts.widgets import choose_place, choose_several, choose_switch, write
from workbench.app.text import plain
from workbench.corpus.engines import TRUTH
from workbench.pipelines.search import words_read

PER_ROW = 6

st.title("Search")
pick = st.columns([3, 2, 5, 4])
with pick[0]:
    place = choose_place(whole=True)
corpus = loading.corpus_at(place)
pictures = has_pictures(corpus)
readers = [engine for engine in loading.engines(corpus) if engine != TRUTH]
with pick[1]:
    by_clip = choose_switch("Look for", {"words": "Words", "clip": "A clip"}, "ask") == "clip"
with pick[2]:
    said = write("Clip", "clip", "a video of the corpus") if by_clip else write("Words", "q", "e.g. a word on a sign")
with pick[3]:
    able = clip_searchers(corpus) if by_clip else loading.searchers(corpus)
    asked_by = [one for one in st.query_params.get("by", "").split(",") if one and one not in able]
    chosen_by = choose_several("Search by", {one: label_of(one) for one in able}, "by", able[:1])
if asked_by:
    st.warning(plain(f"Nothing called {', '.join(asked_by)} can search here."))


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
    if pictures:
        st.info("No words were read in these videos yet.", icon=":material/info:")
        st.code(f"workbench ocr run {corpus.name}", None)
    else:
        st.info("This corpus has neither videos on this machine nor words read in them.", icon=":material/info:")
        st.code(f"workbench data prepare {corpus.name} ... --root FOLDER --overwrite", None)


if not readers and chosen_by == [BM25]:
    nothing_read()
    st.stop()
clip = clip_named(corpus, said) if by_clip and said else ""
if not (clip if by_clip else said):
    if not by_clip:
        examples()
    elif not said:
        st.caption("Name a video by its id, a part of it, or the path of its file; or open one and search with it.")
    st.stop()
query = Query(corpus, words_read(corpus, clip) if clip else said, clip)
answers = [answer(query, by, SHOWN if len(chosen_by) == 1 else SHOWN // 2) for by in chosen_by]
listed = [video for one in answers for video in one.videos["video_id"]]
asked = st.query_params.get("video", "")
video = asked if asked and asked in {*listed, clip} else next(iter(listed), clip)
left, right = st.columns([3, 2], gap="medium")
with left:
    show_answers(query, answers, video)
if video:
    with right:
        show_video(query, answers, video, place)
elif not by_clip:
    examples()
