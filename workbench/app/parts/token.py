"""Which word of a caption fits which frame and which read word, for the two videos of the page Query."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench import figures
from workbench.app.components.token_map import limit_of, map_data, token_map
from workbench.app.parts.downloads import downloads
from workbench.app.parts.query import Asked
from workbench.app.parts.widgets import folded
from workbench.app.text import plain
from workbench.corpus import Corpus
from workbench.evaluation.runs.interactions import PairInteraction
from workbench.evaluation.runs.run import Run
from workbench.figures.player_of import engine_of


def words_on_frames(asked: Asked, corpus: Corpus | None) -> None:
    """A map for the right pair and one for the pair beside it, of every run that keeps them; else how to get them."""

    def show() -> None:
        for run in asked.runs:
            pairs = stored_pairs(run, pairs_asked(asked))
            if pairs is None:
                st.markdown(f"{plain(run.name)} keeps no words on frames. A trained model does when scored so:")
                of = run.info["corpus"]
                st.code(
                    f"workbench score {run.name} --explain pairs --corpus {of['name']} --split {of['split']} "
                    f"--name {run.name}-pairs",
                    None,
                )
            elif not pairs:
                st.caption(plain(f"{run.name} keeps this of right videos and the best five; these are none of them."))
            else:
                _maps(run, pairs, corpus, asked.engine)

    folded("Words on frames", show, key="tokens", icon=":material/blur_on:")


def pairs_asked(asked: Asked) -> list[tuple[str, str, str]]:
    """Caption, video and title of the pairs of the page: the right one first."""
    case = asked.cases[0]
    wrong = None if case.best_wrong is None else case.listed_ids[case.best_wrong]
    if asked.direction == "t2v":
        beside = asked.rival
        return [(asked.query, case.right_ids[0], "Right video"), *([(asked.query, *beside)] if beside else [])]
    named = [(case.right_ids[0], asked.query, "Its caption")]
    return named + ([] if wrong is None else [(wrong, asked.query, "Best wrong caption")])


def stored_pairs(run: Run, asked: Sequence[tuple[str, str, str]]) -> list[tuple[PairInteraction, str]] | None:
    """Those of the asked pairs that the run keeps, with their titles; None where it keeps none at all."""
    found = []
    for caption, video, title in asked:
        kept = run.interactions(caption)
        if kept is None:
            return None
        found += [(pair, title) for pair in kept if pair.video_id == video][:1]
    return found


def _maps(run: Run, pairs: Sequence[tuple[PairInteraction, str]], corpus: Corpus | None, engine: str | None) -> None:
    limit = limit_of([pair for pair, _ in pairs])
    columns = st.columns(2, gap="medium")
    for number, (pair, title) in enumerate(pairs):
        with columns[number]:
            token_map(
                map_data(
                    pair, title=f"{title}: {run.name} gives {pair.score:.2f}", limit=limit,
                    player=f"{corpus.name}/{pair.video_id}" if corpus else "",
                    word_seconds=_first_seconds(corpus, pair, engine) if corpus else {},
                ),
                key=f"map {run.name} {number}",
            )  # fmt: skip
            kept = f"run.interactions({pair.caption_id!r})"
            downloads(
                f"words on frames {run.name} {number}", figure=figures.words_on_frames(pair), runs={"run": run.name},
                code=f"figures.words_on_frames(next(one for one in {kept} if one.video_id == {pair.video_id!r}))",
            )  # fmt: skip


def _first_seconds(corpus: Corpus, pair: PairInteraction, engine: str | None) -> dict[str, float]:
    """Seconds at which each read word of a video stands first, by the engine whose words are shown."""
    texts = corpus.texts[(corpus.texts["video_id"] == pair.video_id) & corpus.texts["start_s"].notna()]
    texts = texts[texts["engine"] == engine_of(corpus, pair.video_id, engine)]
    found = {}
    for word in dict.fromkeys(pair.words):
        holds = texts["text"].str.casefold().str.contains(word.casefold(), regex=False)
        if holds.any():
            found[word] = float(texts.loc[holds, "start_s"].min())
    return found
