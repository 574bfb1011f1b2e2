"""Formats that others read and write: one small file each, and the two lists below.

An importer is a function ``(path, corpus) -> Imported``; an exporter writes one run, or a table of several, and returns
what it wrote as half a sentence. Adding one = one file here and one line below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.core.errors import DataError, ExistsError
from workbench.core.lookup import nearest, pick
from workbench.corpus import Corpus
from workbench.evaluation.runs.run import Run
from workbench.pipelines.exchange.codalab import read_codalab, write_codalab
from workbench.pipelines.exchange.latex import write_latex
from workbench.pipelines.exchange.lists import Imported
from workbench.pipelines.exchange.long_table import read_parquet, write_parquet
from workbench.pipelines.exchange.matrix_files import WRITERS, write_matrix
from workbench.pipelines.exchange.summary import write_csv
from workbench.pipelines.exchange.trec import read_trec, write_qrels, write_trec
from workbench.pipelines.exchange.tvr import holds_predictions, read_tvr, write_tvr
from workbench.pipelines.matrices import PICKLE_SUFFIXES, read_matrix

__all__ = ["EXPORTERS", "IMPORTERS", "Imported", "export", "find_importer"]
TOP = 1000  # videos per caption in ranked lists, as trec_eval looks at


def _matrix(path: Path, corpus: Corpus) -> Imported:
    return Imported(read_matrix(path))


def _pickle(path: Path, corpus: Corpus) -> Imported:
    return Imported(read_matrix(path, kind=PICKLE_SUFFIXES[0]))


IMPORTERS: dict[str, tuple[tuple[str, ...], Callable[[Path, Corpus], Imported]]] = {
    "trec": ((".run", ".trec"), read_trec),
    "parquet": ((".parquet",), read_parquet),
    "pickle": (PICKLE_SUFFIXES, _pickle),
    "tvr": ((".json",), read_tvr),
    "codalab": ((".zip",), read_codalab),
    "matrix": ((), _matrix),
}


@dataclass(frozen=True)
class Exporter:
    """One way out: its suffixes, how it writes, how many runs it takes, and whether it writes ranked lists."""

    suffixes: tuple[str, ...]
    write: Callable[..., str]
    many: bool = False
    lists: bool = False


EXPORTERS: dict[str, Exporter] = {
    "latex": Exporter((".tex",), write_latex, many=True),
    "csv": Exporter((".csv",), write_csv, many=True),
    "trec": Exporter((".run", ".trec"), write_trec, lists=True),
    "qrels": Exporter((".qrels",), write_qrels),
    "parquet": Exporter((".parquet",), write_parquet, lists=True),
    "codalab": Exporter((".zip",), write_codalab),
    "tvr": Exporter((".json",), write_tvr),
    "matrix": Exporter(tuple(WRITERS), write_matrix),
}


def find_importer(path: Path, format: str | None = None) -> Callable[[Path, Corpus], Imported]:
    """The reader of that name, or the one whose suffix the file has; a matrix where no other claims it.

    A zip of JSON files is TVR's, any other CodaLab's.

    Raises:
        UnknownNameError: No format is called so.
    """
    if format is not None:
        return pick(IMPORTERS, format, "format")[1]
    name = path.name.lower()
    if name.endswith(".zip") and holds_predictions(path):
        return read_tvr
    return next((read for suffixes, read in IMPORTERS.values() if suffixes and name.endswith(suffixes)), _matrix)


def export(
    runs: Sequence[Run], path: Path, format: str | None = None, *, top: int | None = None, overwrite: bool = False
) -> str:
    """Write runs in a format that others read.

    Args:
        runs: One run; or several for latex and csv.
        path: The file to write.
        format: A name of ``EXPORTERS``; None = by the suffix of the file (a zip: TVR's of a run with moments).
        top: Videos per caption in ranked lists; 0 = all, None = 1,000.
        overwrite: Replace an existing file.

    Returns:
        What was written, as half a sentence.

    Raises:
        UnknownNameError: No format is called so.
        DataError: No format has that suffix, several runs for a format that takes one, or an id that it cannot hold.
        ExistsError: The file exists.
    """
    if not runs:
        raise DataError("There is no run to export.", "Name at least one.")
    chosen = pick(EXPORTERS, format or _by_suffix(path, runs[0]), "format")
    if len(runs) > 1 and not chosen.many:
        raise DataError(f"{len(runs)} runs do not fit into one file of this format.", "Export one run at a time.")
    if top is not None and (top < 0 or not chosen.lists):
        raise DataError(f"--top {top} says nothing here.", "Give 0 or more, with --format trec or parquet.")
    if path.exists() and not overwrite:
        raise ExistsError(f"{path} exists already.", "Choose another name, or add --overwrite.")
    options = {"top": TOP if top is None else top} if chosen.lists else {}
    return chosen.write(runs if chosen.many else runs[0], path, **options)


def _by_suffix(path: Path, run: Run) -> str:
    name = path.name.lower()
    if name.endswith(".zip") and run.moments is not None:
        return "tvr"
    found = next((format for format, one in EXPORTERS.items() if name.endswith(one.suffixes)), None)
    if found is None:
        known = [suffix for one in EXPORTERS.values() for suffix in one.suffixes]
        raise DataError(f"No format ends in {path.suffix!r}.", f"Say it with --format. {nearest(path.suffix, known)}")
    return found
