"""Import the text that another engine has read in the videos of a corpus, with what was found and what was odd.

A format is a function ``(corpus, source, engine) -> Found``. Adding one = one file here and one line in ``FORMATS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from workbench.core.lookup import pick
from workbench.corpus import Corpus
from workbench.corpus.store import replace_texts
from workbench.ocr.kwai import merge_census
from workbench.pipelines.calibration import remember_import
from workbench.pipelines.ocr_import.jsonl import jsonl_texts
from workbench.pipelines.ocr_import.kwai import kwai_texts, sources_of

__all__ = ["FORMATS", "ImportedOcr", "import_ocr", "sources_of"]
FORMATS = {"jsonl": jsonl_texts, "kwai": kwai_texts}


@dataclass(frozen=True)
class ImportedOcr:
    """What an import gave.

    Attributes:
        corpus: The corpus with its new tables.
        engine: The name under which the texts are stored.
        videos: video_id, state (read, empty, failed, absent), reason, n_texts; one row per video of the corpus.
        census: what, count, share (of the files or lines in which it occurs).
        notes: What a user should know, in sentences.
    """

    corpus: Corpus
    engine: str
    videos: pd.DataFrame
    census: pd.DataFrame
    notes: list[str]


def import_ocr(corpus: Corpus, source: Path, *, format: str = "jsonl", engine: str | None = None) -> ImportedOcr:
    """Store the texts of a foreign OCR beside those of other engines.

    Videos that the source does not hold keep what this engine had for them, so that a data set can be imported in
    parts.

    Args:
        corpus: The corpus; always all of it, whatever its split.
        source: ``jsonl``: a file of the open format. ``kwai``: a folder of ``<OcrDomain>/<clip>.json``; a video finds
            its file by the stem alone, as TextVR's OCR folders are called otherwise than the videos' domains.
        format: One of ``FORMATS``.
        engine: Name under which the texts are stored; None = ``kwai``, or the name in the lines. Where the lines have
            several names, it says which of them to take.

    Raises:
        UnknownNameError: An unknown format.
        DataError: The source holds nothing of the format, or nothing about any video of the corpus.
        BusyError: Another process writes the corpus.
    """
    read = pick(FORMATS, format, "OCR format")
    whole = corpus.with_split(None)
    found = read(whole, Path(source), engine)
    rows = [{"video_id": video_id, "reason": None, **found.rows[video_id]} for video_id in whole.videos["video_id"]]
    coverage = pd.DataFrame(rows).assign(engine=found.engine)
    before = whole.text_coverage
    known = before.loc[(before["engine"] == found.engine) & (before["state"] != "absent"), "video_id"]
    kept = (coverage["state"] == "absent") & coverage["video_id"].isin(known)
    if kept.any():
        found.notes.append(f"{kept.sum()} absent videos keep what {found.engine} had for them.")
    texts = pd.concat(found.texts, ignore_index=True) if found.texts else pd.DataFrame()
    updated = replace_texts(corpus, found.engine, texts, coverage[~kept].drop(columns="n_texts"), found.boxes)
    if format == "kwai":
        remember_import(whole.name, found.engine, Path(source))
    videos = coverage[["video_id", "state", "reason", "n_texts"]]
    return ImportedOcr(updated, found.engine, videos, merge_census(found.census), found.notes)
