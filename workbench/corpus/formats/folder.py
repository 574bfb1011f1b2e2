"""A folder of clips, with or without a table of captions: every video file below it is a video of the corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from workbench.core.errors import DataError
from workbench.corpus.formats.parsed import VIDEO_SUFFIXES, Parsed, find_renditions, one_relevance_per_caption
from workbench.corpus.formats.table import read_rows

PROTOCOL = "Each caption finds its video among all videos of the folder."


def parse_folder(
    annotations: Sequence[Path] = (),
    *,
    roots: Mapping[str, Path] | None = None,
    split: str = "test",
    title: str = "",
) -> Parsed:
    """List the videos of a folder and join captions to them.

    A row of captions names its video by its path below the folder, by the end of that path (the file name), or by a
    longer path that ends in it, with or without extension, as long as only one file fits. Videos without a caption
    stay in the gallery.

    Args:
        annotations: csv, tsv or jsonl tables of captions (see the format ``table``); none = videos only.
        roots: ``original`` is the folder.
        split: The split of everything.
        title: The corpus' name as people write it.

    Raises:
        DataError: No folder, no video below it, or captions of which none names a file.
    """
    root = (roots or {}).get("original")
    if root is None:
        raise DataError("The format folder needs the folder of the videos.", "Add --root FOLDER.")
    if not root.is_dir():
        raise DataError(f"The folder of original videos {root} does not exist.", "Check --root.")
    found = sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file() and not path.name.startswith(".")
    )
    if not found:
        raise DataError(f"{root} holds no video file.", f"Looked for {', '.join(VIDEO_SUFFIXES)} below it.")
    renditions, status = find_renditions(found, dict(roots or {}), lambda video: [video])
    videos = pd.DataFrame({"video_id": found, "split": split, "status": [status[video] for video in found]})
    tables = {"videos": videos, "renditions": renditions}
    notes = []
    if annotations:
        rows = pd.concat([read_rows(Path(path)) for path in annotations], ignore_index=True)
        rows["video_id"], lost = _named(rows["video_id"], found)
        if lost:
            notes.append(f"{len(lost)} captions name no file of the folder and are left out, e.g. {lost[0]}.")
        rows = rows[rows["video_id"].notna()].reset_index(drop=True)
        if rows.empty:
            raise DataError(f"No caption names a file of {root}, e.g. {lost[0]}.", "Check --root and the column video.")
        tables |= _captions(rows, split)
        tables["videos"] = _with_labels(videos, rows)
    without = len(found) - (tables["captions"]["video_id"].nunique() if annotations else 0)
    if without:
        notes.append(f"{without} of {len(found)} videos have no caption; they are in the gallery and can be searched.")
    return Parsed(tables, title or root.name, PROTOCOL, split, notes=notes)


def _named(names: pd.Series, files: list[str]) -> tuple[list[str | None], list[str]]:
    """The file each name means, or None; and the names that mean none or several."""
    ends: dict[str, set[str]] = {}
    wholes: dict[str, set[str]] = {}
    for file in files:
        parts = PurePosixPath(file).parts
        for start in range(len(parts)):
            tail = "/".join(parts[start:])
            for key in (tail, str(PurePosixPath(tail).with_suffix(""))):
                ends.setdefault(key, set()).add(file)
                if start == 0:
                    wholes.setdefault(key, set()).add(file)
    chosen: list[str | None] = []
    for name in names:
        parts = PurePosixPath(str(name).replace("\\", "/")).parts
        longer = ("/".join(parts[start:]) for start in range(1, len(parts)))
        fits = ends.get("/".join(parts)) or next((wholes[tail] for tail in longer if tail in wholes), set())
        chosen.append(next(iter(fits)) if len(fits) == 1 else None)
    return chosen, [str(name) for name, file in zip(names, chosen, strict=True) if file is None]


def _captions(rows: pd.DataFrame, split: str) -> dict[str, pd.DataFrame]:
    number = rows.groupby("video_id").cumcount().astype(str)
    rows = rows.assign(caption_id=rows["video_id"] + "#" + number, role="original", split=split)
    language = rows["language"] if "language" in rows else pd.Series(None, index=rows.index, dtype=object)
    captions = rows.assign(language=language)[["caption_id", "video_id", "text", "language", "role", "split"]]
    return {"captions": captions, "relevance": one_relevance_per_caption(captions)}


def _with_labels(videos: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Domain and source of a video from its first row of captions; a dash means none."""
    first = rows.drop_duplicates("video_id").set_index("video_id")
    for column in ("domain", "source_id"):
        if column in first:
            values = first[column].mask(first[column].isin(["", "-", "–"]))
            videos = videos.assign(**{column: videos["video_id"].map(values)})
    return videos
