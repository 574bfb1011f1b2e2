"""What the page Search shows: the first videos of each model for words or a clip, and why one of them is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from workbench.analysis.structure.like_video import like_video, shared_captions
from workbench.app import loading
from workbench.app.components.thumbnails import Tile, thumbnails
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import show_table
from workbench.app.parts.panels import play, tiles_of
from workbench.app.parts.widgets import shown_progress
from workbench.app.text import marked, plain, short
from workbench.core.errors import WorkbenchError
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run
from workbench.pipelines.search import Why

SHOWN = 24
"""Videos of one model; of several each shows half as many."""
MOST_NAMED = 6
BM25 = "bm25"
LABELS = {BM25: "BM25 over the words read"}
FOUND = ["video_id", "score", "matched"]


def label_of(by: str) -> str:
    """What screens call something that searches."""
    return LABELS.get(by, by)


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Attributes:
        corpus: Where.
        words: Words; those read in the clip, where a clip is the query.
        clip: The video that is the query; "" = words are.
    """

    corpus: Corpus
    words: str
    clip: str = ""


@dataclass(frozen=True)
class Answer:
    """What one model found.

    Attributes:
        by: ``bm25``, an index or a run.
        videos: video_id, score, matched (words read in it that match); best first.
        run: The run whose stored scores gave it; None = words did.
        error: Why there is nothing.
    """

    by: str
    videos: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=FOUND))
    run: Run | None = None
    error: str = ""


def answer(query: Query, by: str, k: int) -> Answer:
    """What one model finds: by words, or by the scores that a run gave the clip."""
    try:
        if query.clip and (run := _run(query.corpus, by)) is not None:
            found = like_video(run, query.clip, k)
            matched: pd.Series = pd.Series([[] for _ in found.index], found.index, dtype=object)
            return Answer(by, found.rename(columns={"correlation": "score"}).assign(matched=matched), run)
        if not query.words:
            return Answer(by, error="No word was read in this clip.")
        with st.spinner("Looking …"), shown_progress():
            found = loading.searcher(query.corpus, by).search(query.words, k + 1).videos
    except WorkbenchError as error:
        return Answer(by, error=str(error))
    return Answer(by, found[found["video_id"] != query.clip].head(k)[FOUND].reset_index(drop=True))


def _run(corpus: Corpus, by: str) -> Run | None:
    known = loading.all_runs()
    named = ((known["name"] == by) & (known["corpus"] == corpus.name)).any()
    return loading.run_named(by) if named else None


def clip_searchers(corpus: Corpus) -> list[str]:
    """What answers a clip: BM25 and lexical indexes by the words read in it, runs by the scores that they keep."""
    runs = loading.all_runs()
    able = runs[(runs["corpus"] == corpus.name) & (runs["state"] == "finished")]
    if corpus.split:
        able = able[able["split"] == corpus.split]
    kept = [name for name in able["name"] if (loading.run_named(name).path / "similarity.npy").is_file()]
    words = [one for one in loading.searchers(corpus) if one not in set(runs["name"])]
    return [*words, *kept]


def clip_named(corpus: Corpus, said: str) -> str:
    """The video of a corpus that an id, a part of one or the path of its file names; "" where none or several do."""
    ids = corpus.videos["video_id"].astype(str)
    for found in (ids[ids == said], ids[[said.endswith(f"/{one}") for one in ids]],
                  ids[ids.str.contains(said, case=False, regex=False)]):  # fmt: skip
        if len(found) == 1:
            return str(found.iloc[0])
        if len(found):
            more = ", …" if len(found) > MOST_NAMED else ""
            st.info(plain(f"{len(found):,} videos are called so: {', '.join(found[:MOST_NAMED])}{more}"))
            return ""
    st.info(plain(f"No video of {corpus.name} is called {short(said)}"), icon=":material/search_off:")
    return ""


def show_answers(query: Query, answers: Sequence[Answer], chosen: str) -> None:
    """The videos of every model, side by side.

    Args:
        query: What was looked for.
        answers: Of every model.
        chosen: The video that stands open.
    """
    if query.clip:
        st.caption("The clip")
        thumbnails(query.corpus, tiles_of(query.corpus, [query.clip]), key="the clip", chosen=chosen, width=150)
    for column, one in zip(st.columns(len(answers), gap="small"), answers, strict=True):
        with column:
            if len(answers) > 1:
                st.markdown(f"**{plain(label_of(one.by))}**")
            if one.error:
                st.info(plain(one.error), icon=":material/info:")
            elif one.videos.empty:
                st.info(plain(f"No video has a word like these: {short(query.words)}"), icon=":material/search_off:")
            else:
                _grid(query, one, chosen)
    table = pd.concat([
        one.videos.assign(by=label_of(one.by), place=range(1, len(one.videos) + 1)) for one in answers
    ], ignore_index=True)  # fmt: skip
    if table.empty:
        return
    with st.expander("As a table"):
        names = {"by": "Searched by", "place": "#", "video_id": "Video", "score": "Score", "matched": "Words read"}
        shown = table.assign(matched=[", ".join(one) for one in table["matched"]])
        show_table(shown[list(names)].rename(columns=names), "search", key="search table", height=420)


def _grid(query: Query, found: Answer, chosen: str) -> None:
    how = "scores correlate" if found.run is not None else "score"
    tiles = [
        Tile(tile.video_id, text=tile.text, tip=tile.tip, missing=tile.missing, label=str(at), words=tuple(words),
             note=f"{how} {score:.3g}")
        for at, (tile, words, score) in enumerate(
            zip(tiles_of(query.corpus, found.videos["video_id"].to_list()), found.videos["matched"],
                found.videos["score"], strict=True), 1)
    ]  # fmt: skip
    st.caption(f"{len(tiles)} videos, best first. ★ marks words that were read in the video.")
    thumbnails(query.corpus, tiles, key=f"found {found.by}", chosen=chosen, width=150)


def show_video(query: Query, answers: Sequence[Answer], video: str, place: str) -> None:
    """One of the videos: playing, with its captions, the way on, and why every model ranks it so."""
    corpus = query.corpus
    play(corpus, video, query.words, "", key="open video")
    own = corpus.captions.loc[corpus.captions["video_id"] == video, "text"]
    st.caption("Captions" if len(own) else "This video has no captions.")
    for text in own.head(5):
        st.markdown(plain(short(text)))
    stated = corpus.videos.loc[corpus.videos["video_id"] == video, "domain"]
    row = st.container(horizontal=True)
    clip = parameters(corpus=place, ask="clip", clip=video)
    row.page_link(page("search"), label="Search with this clip", icon=":material/image_search:", query_params=clip)
    values = parameters(corpus=place, domain=stated.dropna().max() if stated.notna().any() else "", video=video)
    row.page_link(page("domains"), label="See it in its domain", icon=":material/grid_view:", query_params=values)
    st.markdown("**Why this rank**")
    told: dict[str, Why] = {}
    for one in answers:
        listed = one.videos["video_id"].to_list()
        where = f"rank {listed.index(video) + 1}" if video in listed else f"not among the first {len(listed)}"
        st.markdown(f"{plain(label_of(one.by))}: **{where}**")
        if one.run is not None:
            _shared(one.run, query.clip, video)
        elif not one.error:
            told[one.by] = loading.searcher(corpus, one.by).why(query.words, video)
    _contributions(told)


def _shared(run: Run, clip: str, video: str) -> None:
    if video not in set(run.gallery["video_id"]):
        st.caption("Not in the gallery of this run.")
        return
    st.caption("Captions that fit both best:")
    for row in shared_captions(run, clip, video).itertuples():
        st.html(marked(str(row.text), []))
        st.caption(f"score {row.score_first:.3g} with the clip, {row.score_second:.3g} with this video")


def _contributions(told: Mapping[str, Why]) -> None:
    """What each word adds, and what each modality gives, one column for each model."""
    words = {by: why.words for by, why in told.items() if why.words}
    if words:
        first = next(iter(words.values()))
        table = pd.DataFrame({"Word": [word for word, _ in first]})
        table = table.assign(**{label_of(by): [adds for _, adds in own] for by, own in words.items()})
        st.caption("What each word adds: the score less the score without the word.")
        show_table(table.round(4), "what words add", key="words add", height="content" if len(table) <= 10 else 380)
    parts = {label_of(by): why.parts for by, why in told.items() if why.parts}
    if parts:
        st.caption("The score by modality.")
        table = pd.DataFrame(parts).rename_axis("Modality").reset_index()
        show_table(table.round(4), "score by modality", key="modalities", height="content")
