"""What the page Query shows of one query: its videos with their words, and the first ten of every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis import CAUSES, evidence_boxes
from workbench.analysis.case import Case, open_case
from workbench.analysis.causes.seen import texts_in_evidence
from workbench.app import loading
from workbench.app.components.evidence import evidence
from workbench.app.components.thumbnails import CHOSEN, Tile, thumbnails
from workbench.app.looks import BESIDE, FIRST
from workbench.app.parts.downloads import downloads, show_table
from workbench.app.parts.panels import play, reading, tiles_of
from workbench.app.text import marked, plain, short
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run
from workbench.figures import qualitative

RIGHT_CAPTIONS = 6
PAIR = "query"
"""The two videos of the page move together where the user wants it."""


@dataclass(frozen=True)
class Asked:
    """One query, put to one or two runs.

    Attributes:
        query: A caption id (t2v) or a video id (v2t).
        direction: ``t2v`` or ``v2t``.
        runs: The run of the page, and perhaps another beside it.
        engine: Whose words are shown; None = those shown by default.
    """

    query: str
    direction: str
    runs: Sequence[Run]
    engine: str | None

    @property
    def run(self) -> Run:
        return self.runs[0]

    @cached_property
    def cases(self) -> list[Case]:
        """The query in every run."""
        return [open_case(run, self.query, self.direction) for run in self.runs]

    @cached_property
    def rival(self) -> tuple[str, str] | None:
        """The video beside the right one and its title: that of the address, else the best wrong one of the run."""
        chosen = st.query_params.get(CHOSEN, "")
        for run, case in zip(self.runs, self.cases, strict=True):
            if chosen in case.listed_ids:
                mark = "right" if chosen in case.right_ids else "wrong"
                return chosen, f"Rank {case.listed_ids.index(chosen) + 1} of {run.name}, {mark}"
        case = self.cases[0]
        if case.best_wrong is None:
            return None
        place = case.best_wrong + 1
        title = f"Top-1 of {self.run.name}, wrong" if place == 1 else f"Runner-up of {self.run.name}, rank {place}"
        return case.listed_ids[case.best_wrong], title

    @cached_property
    def failed(self) -> dict[str, pd.DataFrame]:
        """The row of ``failures`` at rank 1 of the query by run; no row where it is found."""
        tables = {run.name: loading.failures(run, 1, self.direction) for run in self.runs}
        return {name: table[table["query_id"] == self.query] for name, table in tables.items()}

    def evidence_in(self, video_id: str) -> list[str]:
        """Texts of a video from which causes of the query were told, in any run."""
        every = (text for table in self.failed.values() for text in texts_in_evidence(table, video_id))
        return list(dict.fromkeys(every))

    @cached_property
    def playing(self) -> dict[str, str]:
        """The videos that play on the page, and what the evidence calls each."""
        if self.direction == "v2t":
            return {self.query: "in this video"}
        beside = {} if self.rival is None else {self.rival[0]: "in the video beside"}
        return {**beside, self.cases[0].right_ids[0]: "in the right video"}


def frames_seen(run: Run, video_id: str) -> list[int]:
    """Frames of a video that the run's model saw, where the run keeps them."""
    seen = run.inputs
    rows = [] if seen is None else seen.loc[seen["video_id"] == video_id, "frames"].to_list()
    return [int(frame) for frame in rows[0]] if rows else []


def caption_beside_videos(asked: Asked, corpus: Corpus) -> None:
    """The right video beside a wrong one, both with the caption's words."""
    right, text = asked.cases[0].right_ids[0], asked.cases[0].title
    left, beside = st.columns(2, gap="medium")
    with left:
        play(
            corpus, right, text, "Right video", key="right", engine=asked.engine, ticks=frames_seen(asked.run, right),
            group=PAIR, names=FIRST, evidence=asked.evidence_in(right),
        )  # fmt: skip
    if asked.rival:
        video, title = asked.rival
        with beside:
            ticks = frames_seen(asked.run, video)
            play(
                corpus, video, text, title, key="beside", engine=asked.engine, ticks=ticks, group=PAIR, names=BESIDE,
                evidence=asked.evidence_in(video),
            )  # fmt: skip


def video_beside_captions(asked: Asked, corpus: Corpus) -> None:
    """The video that is the query, beside its captions and the best wrong one."""
    case, run = asked.cases[0], asked.run
    left, beside = st.columns(2, gap="medium")
    with left:
        play(
            corpus, asked.query, " ".join(texts_of(run, case.right_ids)), "The query", key="right", engine=asked.engine,
            ticks=frames_seen(run, asked.query), names=FIRST, evidence=asked.evidence_in(asked.query),
        )  # fmt: skip
    with beside:
        st.markdown("**Its captions**; underlined: words that were read in it")
        for text in texts_of(run, case.right_ids[:RIGHT_CAPTIONS]):
            st.html(marked(text, reading(corpus, asked.query, text, asked.engine).words))
        if case.best_wrong is not None:
            (wrong,) = texts_of(run, [case.listed_ids[case.best_wrong]])
            st.markdown(f"**Best wrong caption of {plain(run.name)}**, rank {case.best_wrong + 1}")
            st.html(marked(wrong, reading(corpus, asked.query, wrong, asked.engine).words))


def texts_of(run: Run, caption_ids: Sequence[str]) -> list[str]:
    """Texts of captions of a run."""
    texts = run.queries.set_index("caption_id")["text"]
    return [str(texts[one]) for one in caption_ids]


def numbers_of(case: Case) -> None:
    """Rank, score of the right item and margin."""
    score = "not scored" if case.score is None else f"{case.score:.3f}"
    margin = "–" if case.margin is None else f"{case.margin:+.3f}"
    st.markdown(
        f"Rank **{case.rank:g}**  ·  right score **{plain(score)}**  ·  margin **{plain(margin)}**",
        help="Margin: score of the right item minus that of the best wrong one. Ties share the mean of their ranks.",
    )


def cause_of(asked: Asked, run: Run, corpus: Corpus | None) -> None:
    """Why the query fails at rank 1 in a run, and the words of the evidence, which move the players."""
    why = asked.failed[run.name]
    if why.empty:
        st.success("Found at rank 1.", icon=":material/check_circle:")
        return
    row = why.iloc[0]
    also = [CAUSES[cause].label for cause in row["causes"][1:]]
    extra = f" Also: {', '.join(also)}." if also else ""
    said = f"**{plain(CAUSES[row['cause']].label)}.** {plain(row['evidence'])}\\.{plain(extra)}"
    st.warning(said, icon=":material/help:")
    if corpus is not None:
        evidence(evidence_boxes(why, corpus), asked.playing, corpus.name, key=f"evidence {run.name}")


def first_ten(asked: Asked, run: Run, case: Case, corpus: Corpus) -> None:
    """The first ten videos of a run as pictures; a click plays one above."""
    listed = zip(tiles_of(corpus, case.listed_ids), case.top["Score"], case.top["Captions"], strict=True)
    tiles = [
        Tile(tile.video_id, text=short(text or tile.video_id, 120), label=str(number), note=f"score {score:.3f}",
             right=tile.video_id in case.right_ids, tip=tile.tip, missing=tile.missing)
        for number, (tile, score, text) in enumerate(listed, 1)
    ]  # fmt: skip
    chosen = asked.rival[0] if asked.rival else ""
    thumbnails(corpus, tiles, key=f"first ten {run.name}", chosen=chosen, width=104, closes=[BESIDE["t"]])


def qualitative_files(asked: Asked, corpus: Corpus) -> None:
    """The figure of a paper about this query, as files: it is drawn when it is asked for."""
    second = asked.runs[1] if len(asked.runs) > 1 else None
    runs = {"run": asked.run.name, **({} if second is None else {"other": second.name})}

    def draw(width: float) -> Any:
        return qualitative(asked.run, second, asked.query, corpus=corpus, engine=asked.engine, width=width)

    code = f"figures.qualitative(run, {'other' if second else None}, {asked.query!r}, engine={asked.engine!r})"
    st.caption("This query as a figure of a paper: right video with its words, first three of each run, ranks.")
    name = f"query {asked.query} {' '.join(runs.values())}"
    downloads(name, figure=draw, says=asked.cases[0].title, code=code, runs=runs)


def as_table(run: Run, case: Case) -> None:
    """The first ten as a table."""
    if case.top.empty:
        st.caption("Nothing is listed: the query was not scored.")
        return
    wide = st.column_config.TextColumn(width="medium")
    show_table(
        case.top, f"first ten {run.name}", key=f"top {run.name}", height="content",
        column_config={"Score": st.column_config.NumberColumn(format="%.4f"), "Captions": wide, "Caption": wide},
    )  # fmt: skip
