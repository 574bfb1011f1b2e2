"""The folder Kwai_VideoOCR: a file for each video, found by its stem; which rendition its boxes are of is found out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from workbench.core.errors import DataError
from workbench.core.files import read_json
from workbench.core.progress import track
from workbench.corpus import Corpus
from workbench.ocr.kwai import KwaiFile, Size, guess_over_files, read_kwai
from workbench.ocr.reference import Reference
from workbench.pipelines.calibration import Sources, calibration_of
from workbench.pipelines.ocr_import.found import Found, media_of, times_of


def kwai_texts(corpus: Corpus, source: Path, engine: str | None) -> Found:
    """What a folder holds; every file is read twice, as the majority says which rendition the boxes are of.

    Raises:
        DataError: It is no folder, or holds no file of a video.
    """
    found = Found(engine or "kwai")
    paths, n_files = _kwai_files(corpus, source, found)
    media = media_of(corpus)
    guesses = {video_id: file for video_id, file in _read_kwai_files(paths, media, found)}
    reference, chosen, evidence = _reference(corpus, found.engine, guesses.values())
    rendition = reference.rendition if reference else None
    found.notes.append(evidence)
    if not media:
        found.notes.append(
            f"Without the size of any video no box could be placed. Run: workbench video probe {corpus.name}"
        )
    of_another = 0
    for video_id, first in track(guesses.items(), "Importing text", unit="files"):
        sizes = media.get(video_id, {})
        fits = rendition in sizes and (chosen or rendition in first.fits or not first.fits)
        of_another += bool(first.fits) and rendition in sizes and not fits
        facts = sizes[rendition] if fits and rendition else {}
        file = read_kwai(
            read_json(paths[video_id], f"the OCR of {video_id}"), video_id=video_id, engine=found.engine,
            frame_times=times_of(corpus, video_id, rendition if facts else None),
            sizes={rendition: _size(facts)} if facts and rendition else {}, reference=reference if facts else None,
        )  # fmt: skip
        found.add(video_id, file.texts, file.boxes, **facts)
        found.census.append(file.census)
    if of_another:
        found.notes.append(f"{of_another} files fit only another rendition: their texts are stored without boxes.")
    lost = n_files - len(paths)
    if lost:
        found.notes.append(f"{lost} of {n_files} files belong to no video of {corpus.name}, or not to one alone.")
    return found


def _reference(corpus: Corpus, engine: str, files: Iterable[KwaiFile]) -> tuple[Reference | None, bool, str]:
    """The frame of reference, whether somebody chose it by eye (else most files describe it), and why."""
    known = calibration_of(corpus.name, engine)
    if known is not None and known.reference is not None:
        said = f"Frame of reference chosen by eye on {known.video_id}: {known.reference.label}. {known.evidence}"
        return known.reference, True, said
    rendition, evidence = guess_over_files(files)
    return (Reference(rendition) if rendition else None), False, f"Which rendition the boxes are of: {evidence}"


def sources_of(corpus: Corpus, engine: str, source: Path) -> Sources:
    """The files of an import, to look at them in several frames of reference.

    Raises:
        DataError: The folder is gone, or holds no file of a video.
    """
    whole = corpus.with_split(None)
    paths, _ = _kwai_files(whole, source, Found(engine))
    sizes = {
        video: {name: _size(facts) for name, facts in renditions.items()}
        for video, renditions in media_of(whole).items()
    }
    return Sources(whole, engine, paths, sizes)


def _kwai_files(corpus: Corpus, source: Path, found: Found) -> tuple[dict[str, Path], int]:
    """The file of every video that has one and is the only one to have it; the others are absent, with the reason."""
    if not source.is_dir():
        raise DataError(f"{source} is not a folder.", "The format kwai takes the folder Kwai_VideoOCR.")
    files: dict[str, list[Path]] = {}
    for path in sorted(source.rglob("*.json")):
        if path.is_file() and not path.name.startswith("."):
            files.setdefault(path.stem, []).append(path)
    if not files:
        raise DataError(f"{source} holds no .json file.", "Give the folder that holds <OcrDomain>/<clip>.json.")
    videos = corpus.videos["video_id"].tolist()
    stems = {video_id: _stem(video_id, files) for video_id in videos}
    sharing = Counter(stems.values())
    paths = {}
    for video_id, stem in stems.items():
        fitting = files.get(stem, [])
        if len(fitting) == 1 and sharing[stem] == 1:
            paths[video_id] = fitting[0]
        elif not fitting:
            found.leave(video_id, "absent", f"No file is called {stem}.json.")
        elif len(fitting) > 1:
            places = " and ".join(path.relative_to(source).as_posix() for path in fitting[:2])
            found.leave(video_id, "absent", f"{len(fitting)} files are called {stem}.json: {places}.")
        else:
            found.leave(video_id, "absent", f"{sharing[stem]} videos are called {stem}, but there is one {stem}.json.")
    if not paths:
        raise DataError(
            f"No file below {source} is called like one video of {corpus.name}, e.g. {stems[videos[0]]}.json.",
            "Check the folder and the corpus.",
        )
    return paths, sum(map(len, files.values()))


def _stem(video_id: str, files: Mapping[str, Any]) -> str:
    """The name of a video without its extension; with it where only that names a file (an id without extension)."""
    path = PurePosixPath(video_id)
    return path.name if path.name in files and path.stem not in files else path.stem


def _read_kwai_files(
    paths: Mapping[str, Path], media: Mapping[str, Any], found: Found
) -> Iterator[tuple[str, KwaiFile]]:
    """Every file once, to learn which rendition it describes; one that cannot be read fails."""
    for video_id, path in track(paths.items(), "Reading text files", unit="files"):
        sizes = {name: _size(facts) for name, facts in media.get(video_id, {}).items()}
        try:
            content = read_json(path, f"the OCR of {video_id}")
            yield video_id, read_kwai(content, video_id=video_id, frame_times=None, sizes=sizes)
        except DataError as error:
            found.leave(video_id, "failed", error.message)
        except RecursionError:
            found.leave(video_id, "failed", f"{path} is nested too deeply.")


def _size(facts: Mapping[str, Any]) -> Size:
    return int(facts["width"]), int(facts["height"]), int(facts["n_frames"] or 0)
