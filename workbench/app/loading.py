"""The one place where the app keeps things: runs, corpora and tables by what lies on disk, bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
import pandas as pd
import streamlit as st

from workbench import analysis
from workbench.analysis import Comparison
from workbench.analysis.causes.related import related_to
from workbench.analysis.domains import ALL, domain_overview
from workbench.analysis.reading.frequent import frequent_words
from workbench.app.limits import Limits, keywords, limits
from workbench.app.stamps import OF_CORPUS, OF_RUN, stamp_of
from workbench.core.errors import UnknownNameError
from workbench.core.lookup import pick
from workbench.core.workspace import workspace
from workbench.corpus import Corpus, list_corpora, open_corpus
from workbench.corpus.engines import READ_ENGINES, TRUTH
from workbench.evaluation.rescoring import WeightSweep
from workbench.evaluation.runs.outdated import ranks_outdated
from workbench.evaluation.runs.run import Run, list_runs
from workbench.figures.matrix_tiles import MatrixView, matrix_stamp
from workbench.pipelines.rescoring import sweep_run
from workbench.pipelines.search import Searcher, searchers_of

CausesKey = tuple[str, int, tuple[tuple[str, int], ...]]
"""Folder and time of a run, and of all that its causes are told from beside it."""


def run_named(name: str) -> Run:
    """A run of the workspace, by its name only; read again when it was written again.

    Raises:
        UnknownNameError: No run is called so; a path never is a name.
    """
    path = pick(workspace().names("runs"), name, "run")
    return _run(str(path), stamp_of(path, OF_RUN))


@st.cache_resource(max_entries=32, show_spinner=False)
def _run(path: str, stamp: int) -> Run:
    return Run(Path(path))


def corpus_of(run: Run) -> Corpus | None:
    """The corpus of a run restricted to its split, or None where this workspace does not hold that very one."""
    try:
        corpus = open_corpus(run.corpus_name)
    except UnknownNameError:
        return None
    if run.split not in corpus.splits:
        return None
    corpus = _corpus(str(corpus.path), stamp_of(corpus.path, OF_CORPUS), run.split)
    return corpus if corpus.fingerprint == run.fingerprint else None


def corpus_named(name: str) -> Corpus:
    """A whole corpus of the workspace, by its name only; read again when it was written again.

    Raises:
        UnknownNameError: No corpus is called so; a path never is a name.
    """
    path = pick(workspace().names("corpora"), name, "corpus")
    return _corpus(str(path), stamp_of(path, OF_CORPUS), None)


@st.cache_resource(max_entries=8, show_spinner=False)
def _corpus(path: str, stamp: int, split: str | None) -> Corpus:
    return Corpus(Path(path), split)


def places() -> list[str]:
    """Everything that can be browsed: "name/split" of corpora with runs first, then other splits, then whole corpora.

    Corpora that this workspace does not hold, or cannot read, are left out.
    """
    corpora = all_corpora().set_index("name")["splits"]
    splits = [f"{name}/{split}" for name, own in corpora.items() for split in own]
    with_runs = [one for one in dict.fromkeys(finished_runs()["place"]) if one in set(splits)]
    whole = [str(name) for name, own in corpora.items() if len(own) > 1]
    return [*dict.fromkeys([*with_runs, *splits]), *whole]


def corpus_at(place: str) -> Corpus:
    """The corpus of "name/split", or the whole one of "name".

    Raises:
        UnknownNameError: No corpus is called so.
    """
    name, _, split = place.partition("/")
    path = pick(workspace().names("corpora"), name, "corpus")
    return _corpus(str(path), stamp_of(path, OF_CORPUS), split or None)


def key_of_corpus(corpus: Corpus) -> tuple[str, int, str | None]:
    """What a cached result of a corpus depends on: reading text and adding captions write its description again."""
    return str(corpus.path), stamp_of(corpus.path, OF_CORPUS), corpus.split


def engines(corpus: Corpus) -> list[str]:
    """Engines that read a corpus, those shown by default first, the truth last."""
    found = {*corpus.texts["engine"].unique(), *corpus.text_coverage["engine"].unique()}
    return [
        *[one for one in READ_ENGINES if one in found],
        *sorted(found - {*READ_ENGINES, TRUTH}),
        *sorted(found & {TRUTH}),
    ]


@st.cache_data(max_entries=16, show_spinner=False)
def example_words(corpus: tuple[str, int, str | None], engine: str) -> list[str]:
    """``analysis.reading.frequent_words`` of an engine's texts."""
    return frequent_words(_corpus(*corpus), engine)


def searchers(corpus: Corpus) -> list[str]:
    """What answers words over a corpus: see ``pipelines.search.searchers_of``."""
    runs = list_runs(corpus.name)
    return searchers_of(corpus.name, runs.loc[runs["state"] == "finished", "name"].to_list())


def searcher(corpus: Corpus, by: str) -> Searcher:
    """A corpus made ready to be asked; made again when the corpus, the index or the run was written again.

    Raises:
        StateError: Nothing was read yet, or the run cannot encode.
    """
    space = workspace()
    files = [space.cache / "indexes" / by / "index.json"]
    files += [space.names("runs")[by] / "run.json"] if by in space.names("runs") else []
    stamps = tuple(file.stat().st_mtime_ns for file in files if file.exists())
    slot = _searcher_slot(key_of_corpus(corpus), by, stamps)
    with slot.lock:
        slot.held = slot.held or Searcher(corpus, by)
    return slot.held


@dataclass
class _Slot:
    """A place for one searcher; filled outside the cached function, which may not draw the progress of the work."""

    lock: Lock
    held: Searcher | None = None


@st.cache_resource(max_entries=4, show_spinner=False)
def _searcher_slot(corpus: tuple[str, int, str | None], by: str, stamps: tuple[int, ...]) -> _Slot:
    return _Slot(Lock())


def all_runs() -> pd.DataFrame:
    """All runs of the workspace, also running and dead ones."""
    return list_runs()


def finished_runs() -> pd.DataFrame:
    """Finished runs with their ``place`` ("corpus/split"), best first; not to be written into.

    What is scored with inputs changed on purpose (perfect OCR, say) comes after what competes.
    """
    return _finished(stamps_of_runs())


@st.cache_resource(max_entries=2, show_spinner=False)
def _finished(stamps: tuple[tuple[str, int], ...]) -> pd.DataFrame:
    table = list_runs()
    done = table[table["state"] == "finished"]
    done = done.assign(place=done["corpus"] + "/" + done["split"], changed=done["ablation"].notna())
    order = done.sort_values(["changed", "t2v_r1"], ascending=[True, False], kind="stable")
    return order.drop(columns="changed").reset_index(drop=True)


def all_corpora() -> pd.DataFrame:
    """All corpora of the workspace."""
    return list_corpora()


def key_of(run: Run) -> tuple[str, int]:
    """What a cached result of a run depends on."""
    return str(run.path), stamp_of(run.path, OF_RUN)


def outdated(run: Run) -> bool:
    """``ranks_outdated`` of a run."""
    return _outdated(key_of(run))


@st.cache_data(max_entries=64, show_spinner=False)
def _outdated(run: tuple[str, int]) -> bool:
    return ranks_outdated(_run(*run))


def key_of_causes(run: Run) -> CausesKey:
    """What causes of failures depend on: the run, what was read in its videos, and ``related_to`` it."""
    corpus = corpus_of(run)
    read = [] if corpus is None else [key_of_corpus(corpus)[:2]]
    return *key_of(run), (*read, *_related(key_of(run), stamps_of_runs()))


@st.cache_data(max_entries=64, show_spinner=False)
def _related(run: tuple[str, int], others: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    return tuple(map(key_of, related_to(_run(*run)).runs))


def stamps_of_runs() -> tuple[tuple[str, int], ...]:
    """Changes when any run of the workspace is added, removed or written again."""
    return tuple((name, stamp_of(path, OF_RUN)) for name, path in workspace().names("runs").items())


def failures(run: Run, k: int, direction: str, others: Sequence[Run] = ()) -> pd.DataFrame:
    """``analysis.failures`` of a run with the thresholds of this session, and beside other models."""
    return _failures(key_of_causes(run), k, direction, limits(), tuple(map(key_of, others))).copy(deep=False)


@st.cache_resource(max_entries=32, show_spinner="Looking for causes …")  # not unpickled for every click
def _failures(
    key: CausesKey, k: int, direction: str, changed: Limits, models: tuple[tuple[str, int], ...] = ()
) -> pd.DataFrame:
    others = [_run(*one) for one in models] or None
    return analysis.failures(_run(*key[:2]), k=k, direction=direction, others=others, **keywords(changed))


@st.cache_resource(max_entries=16, show_spinner="Comparing …")
def comparison(a: tuple[str, int], b: tuple[str, int], metric: str, direction: str) -> Comparison:
    """``analysis.compare_runs`` of two runs."""
    return analysis.compare_runs(_run(*a), _run(*b), metric=metric, direction=direction)


@st.cache_data(max_entries=64, show_spinner=False)
def by_domain(run: tuple[str, int], metric: str, direction: str) -> pd.DataFrame:
    """``analysis.by_domain`` of a run."""
    return analysis.by_domain(_run(*run), metric, direction)


@st.cache_data(max_entries=64, show_spinner=False)
def scores(run: tuple[str, int], direction: str, *, divided: bool) -> pd.DataFrame:
    """R@1 of a run with its interval, index = domain; one row ``ALL`` where the corpus is not divided into domains."""
    if divided:
        return by_domain(run, "r1", direction).set_index("domain")
    every = {ALL: np.ones(len(_run(*run).per(direction)), bool)}
    return analysis.by_slice(_run(*run), every, "r1", direction).set_index("slice")


def overview(corpus: Corpus, run: Run | None, direction: str) -> pd.DataFrame:
    """``analysis.domains.domain_overview`` of a corpus with the failures of a run at rank 1."""
    return _overview(key_of_corpus(corpus), None if run is None else key_of_causes(run), direction, limits())


@st.cache_data(max_entries=16, show_spinner=False)
def _overview(
    corpus: tuple[str, int, str | None], run: CausesKey | None, direction: str, changed: Limits
) -> pd.DataFrame:
    return domain_overview(_corpus(*corpus), None if run is None else _failures(run, 1, direction, changed))


@st.cache_data(max_entries=16, show_spinner=False)
def confusion(run: tuple[str, int], direction: str) -> pd.DataFrame:
    """``analysis.domain_confusion`` of a run."""
    return analysis.domain_confusion(_run(*run), direction=direction)


@st.cache_data(max_entries=16, show_spinner=False)
def ranks(run: tuple[str, int], direction: str) -> dict[str, float]:
    """Rank of the right item by query."""
    table = _run(*run)
    return dict(zip(table.per(direction)["id"], table.rank(direction).tolist(), strict=True))


@st.cache_data(max_entries=16, show_spinner="Trying weights …")
def sweep(run: tuple[str, int], direction: str) -> WeightSweep:
    """``sweep_run`` of the two modalities of a run."""
    return sweep_run(_run(*run), direction=direction)


@st.cache_data(max_entries=16, show_spinner=False)
def verdict(runs: tuple[tuple[str, int], ...]) -> str:
    """``analysis.leaderboard_verdict`` of runs."""
    return analysis.leaderboard_verdict([_run(*run) for run in runs])


@st.cache_data(max_entries=16, show_spinner="Resampling …")
def board(runs: tuple[tuple[str, int], ...], metrics: tuple[str, ...], seeds: bool) -> pd.DataFrame:
    """``analysis.leaderboard`` of runs."""
    return analysis.leaderboard([_run(*run) for run in runs], metrics, seeds=seeds)


@st.cache_data(max_entries=16, show_spinner=False)
def ceiling(run: tuple[str, int]) -> dict[str, dict[str, float]]:
    """``analysis.ceiling_of`` the split of a run."""
    return analysis.ceiling_of(_run(*run))


@st.cache_resource(max_entries=8, show_spinner=False)
def _view(
    run: tuple[str, int], other: tuple[str, int] | None, order: str, files: tuple[tuple[int, int, int], ...]
) -> MatrixView:
    return MatrixView(_run(*run), None if other is None else _run(*other), workspace().cache, order)


def matrix_view(run: str, other: str = "", order: str = "domain") -> MatrixView:
    """Tiles of a run or of the difference of two; used by the page and by the routes. A changed matrix is a new one."""
    runs = [run_named(name) for name in (run, other) if name]
    stamps = tuple(stamp for one in runs if (stamp := matrix_stamp(one)))
    return _view(key_of(runs[0]), key_of(runs[1]) if other else None, order, stamps)


def key_with_texts(run: Run) -> tuple[str, int]:
    """What a cached result of a run depends on that also looks into its corpus, such as the texts read since."""
    path, stamp = key_of(run)
    corpus = corpus_of(run)
    return path, stamp if corpus is None else hash((stamp, key_of_corpus(corpus)[1]))


def slice_columns(run: Run) -> list[str]:
    """``analysis.slice_columns`` of the run's corpus; none where this workspace does not hold it."""
    corpus = corpus_of(run)
    return [] if corpus is None else _slice_columns(key_of_corpus(corpus))


@st.cache_data(max_entries=16, show_spinner=False)
def _slice_columns(corpus: tuple[str, int, str | None]) -> list[str]:
    return analysis.slice_columns(_corpus(*corpus))


@st.cache_data(max_entries=64, show_spinner=False)
def by_slice(run: tuple[str, int], column: str, metric: str) -> pd.DataFrame:
    """``analysis.by_slice`` of a run (text to video) by a column of the captions."""
    return analysis.by_slice(_run(*run), column, metric)
