"""Search: type words, get videos, with the words that were read in them."""

import streamlit as st

from workbench.app import loading
from workbench.app.components.thumbnails import Tile, thumbnails
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.panels import has_pictures, play, tiles_of
from workbench.app.parts.widgets import choose, choose_place, shown_progress, write
from workbench.app.text import plain, short
from workbench.core.errors import StateError
from workbench.corpus.engines import TRUTH

SHOWN, PER_ROW = 24, 6

st.title("Search")
pick = st.columns([2, 4, 2])
with pick[0]:
    place = choose_place(whole=True)
corpus = loading.corpus_at(place)
pictures = has_pictures(corpus)
readers = [engine for engine in loading.engines(corpus) if engine != TRUTH]
with pick[1]:
    query = write("Words", "q", "e.g. a word on a sign")
with pick[2]:
    labels = {"bm25": "BM25 over the words read"}
    by = choose("Search by", loading.searchers(corpus), "by", show=lambda one: labels.get(one, one))


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


if not readers and by == "bm25":
    nothing_read()
    st.stop()
if not query:
    examples()
    st.stop()
try:
    with st.spinner("Looking …"), shown_progress():
        found = loading.searcher(corpus, by).search(query, SHOWN).videos
except StateError as error:
    st.info(f"{plain(error.message)}  \n{plain(error.remedy)}", icon=":material/info:")
    st.stop()
if found.empty:
    st.info(plain(f"No video has a word like these: {short(query)}"), icon=":material/search_off:")
    examples()
    st.stop()
asked = st.query_params.get("video", "")
video = asked if asked in set(found["video_id"]) else str(found["video_id"].iloc[0])
listed = tiles_of(corpus, found["video_id"].to_list())
tiles = [
    Tile(tile.video_id, text=tile.text, tip=tile.tip, missing=tile.missing, label=str(at), words=tuple(words),
         note=f"score {score:.3g}")
    for at, (tile, words, score) in enumerate(zip(listed, found["matched"], found["score"], strict=True), 1)
]  # fmt: skip
left, right = st.columns([3, 2], gap="medium")
with left:
    more = " or more" if len(found) == SHOWN else ""
    st.caption(f"{len(found)}{more} videos, best first. ★ marks words that were read in the video.")
    thumbnails(corpus, tiles, key="found", chosen=video, width=150)
with right:
    play(corpus, video, query, "", key="open video")
    own = corpus.captions.loc[corpus.captions["video_id"] == video, "text"]
    st.caption("Captions" if len(own) else "This video has no captions.")
    for text in own.head(5):
        st.markdown(plain(short(text)))
    stated = corpus.videos.loc[corpus.videos["video_id"] == video, "domain"]
    values = parameters(corpus=place, domain=stated.dropna().max() if stated.notna().any() else "", video=video)
    st.page_link(page("domains"), label="See it in its domain", icon=":material/grid_view:", query_params=values)
