"""What the page Search shows: the first videos of each model for words or a clip, and why one of them is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st

from workbench.analysis.structure.like_video import fitting_captions, like_video, shared_captions
from workbench.app import loading
from workbench.app.components.thumbnails import Tile, thumbnails
from workbench.app.links import parameters
from workbench.app.navigation import page
from workbench.app.parts.downloads import show_table
from workbench.app.parts.own_clip import BM25, seeing_runs, show_clip, show_fitting, upload
from workbench.app.parts.panels import play, tiles_of
from workbench.app.parts.widgets import choose_several, folded, shown_progress, write
from workbench.app.text import marked, plain, short
from workbench.core.errors import WorkbenchError
from workbench.core.words import counted
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run
from workbench.pipelines.own_clip import OwnClip
from workbench.pipelines.search import Why, words_read

SHOWN = 24
"""Videos of one model; of several each shows half as many."""
FITTING = 5
"""Captions that fit a clip."""
MOST_NAMED = 6
ASKED = {"words": "Words", "clip": "A clip", "own": "My own clip"}
"""What can be looked for, by the word of the address."""
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
        clip: The video of the corpus that is the query; "" = none is.
        own: The clip of one's own that is the query; None = none is.
    """

    corpus: Corpus
    words: str
    clip: str = ""
    own: OwnClip | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is looked for yet."""
        return not (self.words or self.clip or self.own)

    def scores(self, run: Run) -> str | np.ndarray | None:
        """What ``like_video`` takes for the clip; None = words are the query, or the run could not look at it."""
        return self.clip or (None if self.own is None else self.own.scores(run))


@dataclass(frozen=True)
class Answer:
    """What one model found.

    Attributes:
        by: ``bm25``, an index or a run.
        videos: video_id, score, matched (words read in it that match); best first.
        run: The run whose scores for captions gave it; None = words did.
        captions: caption_id, text, score: those that fit a clip of one's own best.
        error: Why there is nothing.
    """

    by: str
    videos: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=FOUND))
    run: Run | None = None
    captions: pd.DataFrame = field(default_factory=pd.DataFrame)
    error: str = ""


def choose_what(ask: str, corpus: Corpus) -> Query:
    """The widget of one of ``ASKED``, and what is looked for."""
    if ask == "own":
        own = upload()
        return Query(corpus, (own.words or "") if own else "", own=own)
    if ask == "words":
        return Query(corpus, write("Words", "q", "e.g. a word on a sign"))
    said = write("Clip", "clip", "a video of the corpus")
    clip = clip_named(corpus, said) if said else ""
    if not said:
        st.caption("Name a video by its id, a part of it, or the path of its file; or open one and search with it.")
    return Query(corpus, words_read(corpus, clip) if clip else "", clip)


def choose_searchers(ask: str, corpus: Corpus) -> list[str]:
    """What shall answer, out of what can answer one of ``ASKED``."""
    if ask == "words":
        able = loading.searchers(corpus)
    elif ask == "clip":
        able = [*_by_words(corpus), *_with_scores(corpus)]
    else:
        able = [*seeing_runs(corpus), *_by_words(corpus)]
    unknown = [one for one in st.query_params.get("by", "").split(",") if one and one not in able]
    chosen = choose_several("Search by", {one: label_of(one) for one in able}, "by", able[:1])
    if unknown:
        st.warning(plain(f"Nothing called {', '.join(unknown)} can search here."))
    return chosen


def answer(query: Query, by: str, k: int) -> Answer:
    """What one model finds: by words, or by the scores that a run gives the clip."""
    try:
        if (query.clip or query.own) and (run := run_over(query.corpus, by)) is not None:
            return _of_clip(query, run, k)
        if not query.words:
            return Answer(by, error="No word was read in this clip.")
        with st.spinner("Looking …"), shown_progress():
            found = loading.searcher(query.corpus, by).search(query.words, k + 1).videos
    except WorkbenchError as error:
        return Answer(by, error=str(error))
    return Answer(by, found[found["video_id"] != query.clip].head(k)[FOUND].reset_index(drop=True))


def _of_clip(query: Query, run: Run, k: int) -> Answer:
    """The videos that a run scores like the clip, and of a clip of one's own the captions that fit it best.

    Raises:
        StateError: The run keeps no similarity.
    """
    scores = query.scores(run)
    if scores is None:
        why = query.own.refused.get(run.name, "") if query.own else ""
        return Answer(run.name, error=f"{run.name} cannot look at this clip. {why}")
    found = like_video(run, scores, k)
    matched: pd.Series = pd.Series([[] for _ in found.index], found.index, dtype=object)
    captions = pd.DataFrame() if isinstance(scores, str) else fitting_captions(run, scores, FITTING)
    return Answer(run.name, found.rename(columns={"correlation": "score"}).assign(matched=matched), run, captions)


def run_over(corpus: Corpus, by: str) -> Run | None:
    """The run over a corpus of that name; None = it is an index, or ``bm25``."""
    known = loading.all_runs()
    named = ((known["name"] == by) & (known["corpus"] == corpus.name)).any()
    return loading.run_named(by) if named else None


def _by_words(corpus: Corpus) -> list[str]:
    """BM25 and lexical indexes: they answer a clip by the words read in it."""
    runs = set(loading.all_runs()["name"])
    return [one for one in loading.searchers(corpus) if one not in runs]


def _with_scores(corpus: Corpus) -> list[str]:
    """Runs that keep the scores of the corpus' own videos."""
    runs = loading.all_runs()
    able = runs[(runs["corpus"] == corpus.name) & (runs["state"] == "finished")]
    if corpus.split:
        able = able[able["split"] == corpus.split]
    return [name for name in able["name"] if (loading.run_named(name).path / "similarity.npy").is_file()]


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
    if query.own:
        show_clip(query.own)
    elif query.clip:
        st.caption("The clip")
        thumbnails(query.corpus, tiles_of(query.corpus, [query.clip]), key="the clip", chosen=chosen, width=150)
    grid = st.grid(len(answers), min_column_width=240)
    for one in answers:
        with grid.cell():
            if len(answers) > 1:
                st.markdown(f"**{plain(label_of(one.by))}**")
            if one.run is not None and len(one.captions):
                show_fitting(query.corpus, one.run, one.captions)
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

    def show_rows() -> None:
        names = {"by": "Searched by", "place": "#", "video_id": "Video", "score": "Score", "matched": "Words read"}
        shown = table.assign(matched=[", ".join(one) for one in table["matched"]])
        show_table(shown[list(names)].rename(columns=names), "search", key="search table", height=420)

    folded("As a table", show_rows, key="found")


def _grid(query: Query, found: Answer, chosen: str) -> None:
    alike = found.run is not None
    tiles = [
        Tile(tile.video_id, text=tile.text, tip=tile.tip, missing=tile.missing, label=str(at), words=tuple(words),
             note=f"correlation {score:.2f}" if alike else f"score {score:.3g}")
        for at, (tile, words, score) in enumerate(
            zip(tiles_of(query.corpus, found.videos["video_id"].to_list()), found.videos["matched"],
                found.videos["score"], strict=True), 1)
    ]  # fmt: skip
    if alike:
        st.caption(f"{counted(len(tiles), 'video')} whose scores for all captions run most like those of the clip")
    else:
        st.caption(f"{counted(len(tiles), 'video')}, best first. ★ marks words that were read in the video.")
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
            _shared(one.run, query.scores(one.run), video)
        elif not one.error:
            told[one.by] = loading.searcher(corpus, one.by).why(query.words, video)
    _contributions(told)


def _shared(run: Run, clip: str | np.ndarray | None, video: str) -> None:
    if clip is None or video not in set(run.gallery["video_id"]):
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
