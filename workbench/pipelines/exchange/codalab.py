"""The submission of the TextVR challenge (CodaLab 13317): one float32 matrix [captions, videos] in its file's order.

The file that the challenge gave out has the videos in a scrambled order; where a corpus stores that order, columns are
put into it on the way out and back on the way in. Rows are the captions of the file, which are not scrambled.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.core.errors import DataError, OrderError
from workbench.core.files import atomic
from workbench.corpus import Corpus, open_corpus
from workbench.evaluation.order.check import check_order
from workbench.evaluation.runs.run import Run, similarity_of
from workbench.pipelines.exchange.lists import Imported
from workbench.pipelines.matrices import Matrix, read_matrix

ORDER = "scrambled"
MEMBER = "textvr.npy"


def write_codalab(run: Run, path: Path) -> str:
    """Write a run as a submission, an ``.npy``, or a ``.zip`` that holds ``textvr.npy``.

    Returns:
        What was written, and what was done to columns and to videos that were not scored.

    Raises:
        DataError: Totals only, another corpus than the run states, or not one caption for every video.
        OrderError: The rows or columns contradict the captions, for example a transposed matrix.
    """
    if run.totals_only:
        raise DataError(f"Run {run.name} holds totals only: its order is unknown.", "Import it with --row-ids.")
    corpus = open_corpus(run.corpus_name, run.split)
    if corpus.fingerprint != run.fingerprint:
        raise DataError(f"Corpus {corpus.name} has changed since run {run.name} was made.", "Make the run again.")
    matrix = np.array(similarity_of(run), np.float32)
    _check_shape(matrix.shape, corpus, f"Run {run.name}")
    check = check_order(matrix, corpus.captions["text"].to_list())
    if check.how == "contradicted":
        raise OrderError(f"Run {run.name} cannot be submitted: {check.sentence}", "Import it in its right order.")
    said = f"{matrix.shape[0]} captions x {matrix.shape[1]} videos"
    unscored = ~np.isfinite(matrix)
    if unscored.any():
        matrix[unscored] = matrix[~unscored].min() - 1
        said += f"; {int(unscored.sum())} pairs without a score stand below all others"
    order = corpus.orders("videos").get(ORDER)
    if order is not None:
        matrix = np.take(matrix, pd.Index(run.gallery["video_id"]).get_indexer(pd.Index(order)), 1)
    said += f"; videos in the {ORDER} order of the challenge" if order else "; videos in the corpus' own order"
    with atomic(path) as temporary:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(MEMBER, "w") as stream:
                np.lib.format.write_array(stream, np.ascontiguousarray(matrix), allow_pickle=False)
        else:
            with open(temporary, "wb") as stream:
                np.lib.format.write_array(stream, np.ascontiguousarray(matrix), allow_pickle=False)
    return said


def read_codalab(path: Path, corpus: Corpus) -> Imported:
    """Read a submission, its size checked and its columns named; the order is then checked like that of any matrix.

    Raises:
        DataError: Not one matrix of numbers, or not as many rows and columns as the corpus has captions and videos.
    """
    matrix = read_matrix(_member(path)) if path.suffix.lower() == ".zip" else read_matrix(path, kind=".npy")
    _check_shape(matrix.values.shape, corpus, path.name)
    order = corpus.orders("videos").get(ORDER)
    return Imported(Matrix(matrix.values, None, order, path.name))


def _member(path: Path) -> np.ndarray:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            if len(names) != 1:
                raise DataError(f"{path} holds {len(names)} .npy files.", "A submission is one matrix.")
            return np.load(io.BytesIO(archive.read(names[0])), allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist.", "Check the path.") from error
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} cannot be read: {error}.", "Save or download it again.") from error


def _check_shape(shape: tuple[int, ...], corpus: Corpus, what: str) -> None:
    expected = (len(corpus.captions), len(corpus.videos))
    found = " x ".join(map(str, shape))
    if expected[0] != expected[1]:
        raise DataError(
            f"{corpus.name}/{corpus.split} has {expected[0]} captions for {expected[1]} videos.",
            "A submission needs one caption for every video.",
        )
    if shape != expected:
        raise DataError(
            f"{what} is {found}; {corpus.name}/{corpus.split} asks for {expected[0]} captions x {expected[1]} videos.",
            "Rows are captions, columns videos; choose the split it was made on.",
        )
