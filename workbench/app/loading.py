"""The one place where the app keeps things: runs, corpora and tables by what lies on disk, bounded."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from workbench import analysis
from workbench.analysis import Comparison
from workbench.core.errors import UnknownNameError
from workbench.core.lookup import pick
from workbench.core.workspace import workspace
from workbench.corpus import Corpus, list_corpora, open_corpus
from workbench.evaluation.runs import Run, list_runs, open_run
from workbench.figures import MatrixView


def _stamp(path: Path, name: str) -> int:
    """Changes when a folder is written again."""
    return (path / name).stat().st_mtime_ns


def run_named(name: str) -> Run:
    """A run; read again when it was written again."""
    path = open_run(name).path
    return _run(str(path), _stamp(path, "run.json"))


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
    corpus = _corpus(str(corpus.path), _stamp(corpus.path, "corpus.json"), run.split)
    return corpus if corpus.fingerprint == run.fingerprint else None


def corpus_named(name: str) -> Corpus:
    """A whole corpus of the workspace, by its name only; read again when it was written again.

    Raises:
        UnknownNameError: No corpus is called so; a path never is a name.
    """
    path = pick(workspace().names("corpora"), name, "corpus")
    return _corpus(str(path), _stamp(path, "corpus.json"), None)


@st.cache_resource(max_entries=8, show_spinner=False)
def _corpus(path: str, stamp: int, split: str | None) -> Corpus:
    return Corpus(Path(path), split)


def all_runs() -> pd.DataFrame:
    """All runs of the workspace, also running and dead ones."""
    return list_runs()


def all_corpora() -> pd.DataFrame:
    """All corpora of the workspace."""
    return list_corpora()


def key_of(run: Run) -> tuple[str, int]:
    """What a cached result of a run depends on."""
    return str(run.path), _stamp(run.path, "run.json")


@st.cache_data(max_entries=32, show_spinner="Looking for causes …")
def failures(run: tuple[str, int], k: int, direction: str) -> pd.DataFrame:
    """``analysis.failures`` of a run."""
    return analysis.failures(_run(*run), k=k, direction=direction)


@st.cache_data(max_entries=16, show_spinner="Comparing …")
def comparison(a: tuple[str, int], b: tuple[str, int], metric: str, direction: str) -> Comparison:
    """``analysis.compare_runs`` of two runs."""
    return analysis.compare_runs(_run(*a), _run(*b), metric=metric, direction=direction)


@st.cache_data(max_entries=64, show_spinner=False)
def by_domain(run: tuple[str, int], metric: str, direction: str) -> pd.DataFrame:
    """``analysis.by_domain`` of a run."""
    return analysis.by_domain(_run(*run), metric, direction)


@st.cache_data(max_entries=16, show_spinner=False)
def verdict(runs: tuple[tuple[str, int], ...]) -> str:
    """``analysis.leaderboard_verdict`` of runs."""
    return analysis.leaderboard_verdict([_run(*run) for run in runs])


@st.cache_data(max_entries=16, show_spinner=False)
def ceiling(run: tuple[str, int]) -> dict[str, dict[str, float]]:
    """``analysis.ceiling_of`` the split of a run."""
    return analysis.ceiling_of(_run(*run))


@st.cache_data(max_entries=16, show_spinner="Averaging …")
def domain_means(run: tuple[str, int], other: tuple[str, int] | None) -> pd.DataFrame:
    """``analysis.domain_means`` of a run, or of its difference to another."""
    return analysis.domain_means(_run(*run), None if other is None else _run(*other))


@st.cache_resource(max_entries=8, show_spinner=False)
def _view(run: tuple[str, int], other: tuple[str, int] | None) -> MatrixView:
    return MatrixView(_run(*run), None if other is None else _run(*other), workspace().cache)


def matrix_view(run: str, other: str = "") -> MatrixView:
    """Tiles of a run or of the difference of two; used by the page and by the routes."""
    return _view(key_of(run_named(run)), key_of(run_named(other)) if other else None)
