"""Calibrations: in which frame of reference the boxes of an import are meant, chosen by eye and kept in the workspace.

``notes/calibrations/<corpus>.<engine>.json`` says where the import came from and, once somebody has chosen, the frame
of reference, on which video and by what numbers. The next import of the same engine uses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from workbench.core.errors import DataError, StateError
from workbench.core.files import check_format, read_json, write_json
from workbench.core.listing import Readable, readable
from workbench.core.workspace import check_name, workspace
from workbench.corpus import Corpus
from workbench.corpus.engines import first_engine
from workbench.corpus.media import frame_times
from workbench.ocr.kwai import KwaiFile, read_kwai
from workbench.ocr.reference import Fit, Reference, overlaps

FORMAT_VERSION = 1
SAMPLE = 6
"""Videos over which a frame of reference is measured."""


@dataclass(frozen=True)
class Calibration:
    """What is known of one import.

    Attributes:
        corpus: Name of the corpus.
        engine: Name of its texts.
        source: The imported folder.
        imported: When (UTC).
        reference: The frame of reference that was chosen; None = nobody has chosen yet.
        video_id: The video on which it was chosen.
        evidence: Its numbers, in a sentence.
        chosen: When (UTC).
    """

    corpus: str
    engine: str
    source: Path
    imported: str
    reference: Reference | None = None
    video_id: str = ""
    evidence: str = ""
    chosen: str = ""

    @property
    def used(self) -> bool:
        """Whether the choice is older than the last import."""
        return self.reference is not None and self.chosen <= self.imported

    @property
    def command(self) -> list[str]:
        """The words after ``workbench`` that import again, now in the chosen frame of reference."""
        return ["ocr", "import", self.corpus, str(self.source), "--format", "kwai", "--as", self.engine]


def _folder() -> Path:
    return workspace().notes / "calibrations"


def _file(corpus: str, engine: str) -> Path:
    return _folder() / f"{check_name(corpus, 'corpus')}.{quote(engine, safe='')}.json"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _write(found: Calibration) -> Calibration:
    path = _file(found.corpus, found.engine)
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {**vars(found), "source": str(found.source)}
    values["reference"] = None if found.reference is None else found.reference.to_dict()
    write_json(path, {"format_version": FORMAT_VERSION, **values})
    return found


def _read(path: Path) -> Calibration:
    values = read_json(path, f"the calibration {path.stem}")
    if not isinstance(values, dict):
        raise DataError(f"{path} is no calibration.", "Remove it and import again.")
    check_format(values.pop("format_version", None), FORMAT_VERSION, f"The calibration {path}")
    try:
        reference = None if values["reference"] is None else Reference(**values["reference"])
        return Calibration(**{**values, "source": Path(values["source"]), "reference": reference})
    except (KeyError, TypeError) as error:
        raise DataError(f"{path} is no calibration: {error}.", "Remove it and import again.") from error


def calibrations() -> list[Calibration]:
    """All imports that can be calibrated, by corpus and engine; without damaged ones."""
    return _listed().found


def damaged_calibrations() -> list[DataError]:
    """Why some cannot be read."""
    return _listed().damaged


def _listed() -> Readable[Calibration]:
    return readable(sorted(_folder().glob("*.json")), _read)


def calibration_of(corpus: str, engine: str) -> Calibration | None:
    """What is known of an import, or None."""
    path = _file(corpus, engine)
    return _read(path) if path.exists() else None


def remember_import(corpus: str, engine: str, source: Path) -> Calibration:
    """Keep where an import came from; a frame of reference that was chosen stays."""
    before = calibration_of(corpus, engine) or Calibration(corpus, engine, source, "")
    return _write(replace(before, source=Path(source).resolve(), imported=_now()))


def choose_reference(
    found: Calibration, reference: Reference | None, video_id: str = "", evidence: str = ""
) -> Calibration:
    """Keep the frame of reference that somebody has chosen by eye; None takes a choice back.

    Args:
        found: The import.
        reference: The choice.
        video_id: The video that was looked at.
        evidence: What was measured, in a sentence (``in_words``).
    """
    return _write(replace(found, reference=reference, video_id=video_id, evidence=evidence, chosen=_now()))


def in_words(fit: Fit, other: str | None = None) -> str:
    """The numbers of a fit in a sentence."""
    said = f"{100 * fit.placed:.0f} % of {fit.n_boxes:,} boxes lie in the picture on a frame that exists"
    if fit.agreement is None:
        return f"{said}; no other engine has read the same."
    return f"{said}; overlap with {other or 'another engine'} {fit.agreement:.2f} on {fit.n_compared:,} boxes."


@dataclass(frozen=True)
class Sources:
    """The files of an import, by video, and what is known of the videos.

    Attributes:
        corpus: The corpus, whole.
        engine: Name of the texts.
        paths: File of each video.
        sizes: Video -> rendition -> width, height, number of frames, upright.
    """

    corpus: Corpus
    engine: str
    paths: Mapping[str, Path]
    sizes: Mapping[str, Mapping[str, tuple[int, int, int]]]

    @property
    def videos(self) -> list[str]:
        """Videos that have a file and can be shown."""
        ok = self.corpus.videos.loc[self.corpus.videos["status"] == "ok", "video_id"]
        return [one for one in ok if one in self.paths and self.sizes.get(one)]

    @property
    def renditions(self) -> list[str]:
        """Files that the videos have, the original first."""
        known = {name for sizes in self.sizes.values() for name in sizes}
        return sorted(known, key=lambda name: (name != "original", name))

    @property
    def turned(self) -> bool:
        """Whether any video is stored turned."""
        return bool(self.corpus.renditions["rotation"].fillna(0).ne(0).any())

    def read(self, video_id: str, reference: Reference, content: object = None) -> KwaiFile | None:
        """The texts and boxes of a video in a frame of reference; None where it has no such file.

        Args:
            video_id: The video.
            reference: The frame of reference.
            content: What its file holds, where that was read already.

        Raises:
            DataError: The file cannot be read.
        """
        sizes = self.sizes.get(video_id, {})
        if reference.rendition not in sizes:
            return None
        try:
            times = frame_times(self.corpus, video_id, reference.rendition)
        except StateError:
            return None
        return read_kwai(
            self.content(video_id) if content is None else content, video_id=video_id, engine=self.engine,
            frame_times=times, sizes=sizes, reference=reference,
        )  # fmt: skip

    def content(self, video_id: str) -> object:
        """What the file of a video holds.

        Raises:
            DataError: It is no JSON.
        """
        return read_json(self.paths[video_id], f"the OCR of {video_id}")

    def sample(self, video_id: str) -> list[str]:
        """Videos over which is measured: this one, and others spread over the corpus."""
        others = [one for one in self.videos if one != video_id]
        step = max(1, len(others) // (SAMPLE - 1))
        return [video_id, *others[::step][: SAMPLE - 1]]

    @property
    def other(self) -> str | None:
        """The engine with which boxes are compared; None = there is no other."""
        return first_engine(set(self.corpus.texts["engine"]) - {self.engine})

    def fits(self, video_id: str, tried: Sequence[Reference]) -> list[Fit]:
        """How well each frame of reference fits in one video.

        Raises:
            DataError: Its file cannot be read.
        """
        texts, content = self.corpus.texts, self.content(video_id)
        others = texts[(texts["video_id"] == video_id) & (texts["engine"] == self.other)]
        boxes = self.corpus.boxes(video_id) if len(others) else None
        return [_fit(self.read(video_id, one, content), others, boxes) for one in tried]


def _fit(file: KwaiFile | None, others: pd.DataFrame, boxes: pd.DataFrame | None) -> Fit:
    """What was placed, and how it agrees with the boxes of another engine."""
    if file is None:
        return Fit()
    if boxes is None or file.boxes.empty:
        return file.fit
    found = overlaps(file.texts, file.boxes, others, boxes[boxes["text_id"].isin(others["text_id"])])
    return file.fit + Fit(n_compared=len(found), overlap=float(found.sum()))


def ranked(sources: Sources, video_id: str, tried: Sequence[Reference]) -> pd.DataFrame:
    """Frames of reference with what was measured, best first.

    Returns:
        Columns reference, fit, label, placed (share 0..1), agreement (0..1 or missing), n_boxes, n_compared. Those
        that hold no box are left out.
    """
    measured = [sources.fits(one, tried) for one in sources.sample(video_id)]
    total = [(one, sum(fits, Fit())) for one, *fits in zip(tried, *measured, strict=True)]
    placed = sorted((pair for pair in total if pair[1].n_placed), key=lambda pair: pair[1].order, reverse=True)
    rows = [(one, fit, one.label, fit.placed, fit.agreement, fit.n_boxes, fit.n_compared) for one, fit in placed]
    return pd.DataFrame(
        rows, columns=["reference", "fit", "label", "placed", "agreement", "n_boxes", "n_compared"]
    )  # fmt: skip
