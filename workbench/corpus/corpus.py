"""A corpus: what is searched, under one protocol, read from a folder of Parquet tables."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.core.errors import DataError
from workbench.core.files import check_format, read_json, read_small_table, read_table
from workbench.core.lookup import nearest, pick
from workbench.core.workspace import workspace
from workbench.corpus.tables import TABLES, empty

FORMAT_VERSION = 1
OF_A_SPLIT = ("videos", "captions")
KEPT = 512
"""Of how many videos and tables ``Corpus.of_video`` keeps the rows."""


def video_key(video_id: str) -> str:
    """The short name of a video in file names and addresses: first 16 hex digits of sha256 of its id."""
    return hashlib.sha256(video_id.encode()).hexdigest()[:16]


def relevance_csr(relevance: pd.DataFrame, caption_ids: pd.Series, video_ids: pd.Series) -> sp.csr_array:
    """Right pairs as int8 grades [captions, videos]; of several spans of a pair the best grade counts.

    Args:
        relevance: Its rows; those of other captions or videos are left out.
        caption_ids: The rows wanted.
        video_ids: The columns wanted.
    """
    row = pd.Index(caption_ids).get_indexer(pd.Index(relevance["caption_id"]))
    column = pd.Index(video_ids).get_indexer(pd.Index(relevance["video_id"]))
    pairs = pd.DataFrame({"row": row, "column": column, "grade": relevance["grade"].to_numpy(np.int8)})
    best = pairs[(row >= 0) & (column >= 0)].groupby(["row", "column"], sort=True)["grade"].max().reset_index()
    place = (best["row"].to_numpy(), best["column"].to_numpy())
    return sp.csr_array((best["grade"].to_numpy(np.int8), place), shape=(len(caption_ids), len(video_ids)))


class Corpus:
    """An open corpus, whole or restricted to one split; tables are read when first asked for.

    Attributes:
        path: Its folder.
        meta: ``corpus.json`` as a dict.
        split: The split it is restricted to, or None.
    """

    def __init__(self, path: Path, split: str | None = None) -> None:
        self.path = Path(path)
        self.meta: dict[str, Any] = read_json(self.path / "corpus.json", f"the description of corpus {self.path.name}")
        check_format(self.meta.get("format_version"), FORMAT_VERSION, f"Corpus {self.path.name}")
        if split is not None and split not in self.splits:
            raise DataError(f"Corpus {self.name} has no split {split!r}.", nearest(split, self.splits))
        self.split = split
        self._rows: dict[str, dict[Any, Any]] = {}
        self._kept: dict[tuple[str, str], pd.DataFrame] = {}

    def __repr__(self) -> str:
        return f"Corpus({self.name!r}, split={self.split!r}, {len(self.captions)} captions, {len(self.videos)} videos)"

    @property
    def name(self) -> str:
        return self.meta["name"]

    @property
    def title(self) -> str:
        return self.meta.get("title") or self.name

    @property
    def roots(self) -> dict[str, str]:
        """Folder of the files, by rendition."""
        return self.meta.get("roots", {})

    @property
    def splits(self) -> list[str]:
        return [name for name in self.meta["fingerprint"] if name]

    @property
    def fingerprint(self) -> str:
        """sha256 of the split, or of the whole corpus where it is not restricted to one."""
        return self.meta["fingerprint"][self.split or ""]

    def with_split(self, split: str | None) -> Corpus:
        """The same corpus restricted to another split; None = all of it."""
        return Corpus(self.path, split)

    @cached_property
    def videos(self) -> pd.DataFrame:
        return self._table("videos")

    @cached_property
    def video_of_key(self) -> dict[str, str]:
        """Video id by its short name in addresses."""
        return {video_key(video): video for video in self.videos["video_id"]}

    @cached_property
    def captions(self) -> pd.DataFrame:
        return self._table("captions")

    @cached_property
    def relevance(self) -> pd.DataFrame:
        return self._table("relevance")

    @cached_property
    def renditions(self) -> pd.DataFrame:
        return self._table("renditions")

    @cached_property
    def rendition_places(self) -> dict[tuple[str, str], int]:
        """Row of ``renditions`` by video and rendition."""
        pairs = zip(self.renditions["video_id"], self.renditions["rendition"], strict=True)
        return {pair: at for at, pair in reversed(list(enumerate(pairs)))}  # the first of equal ones

    @cached_property
    def texts(self) -> pd.DataFrame:
        return self._table("texts")

    @cached_property
    def text_coverage(self) -> pd.DataFrame:
        return self._table("text_coverage")

    def of_video(self, table: str, video_id: str) -> pd.DataFrame:
        """The rows of one video in a table, which is looked through once for all videos; none where it has none.

        Those of the videos looked at last are kept, so they are not to be written into.

        Raises:
            UnknownNameError: No table is called so.
        """
        if table == "boxes":
            return self.boxes(video_id)
        rows = self._kept.get((table, video_id))
        if rows is None:
            rows = self.of_videos(table, [video_id])
            if len(self._kept) >= KEPT:
                self._kept.clear()  # all at once: several threads may be here
            self._kept[table, video_id] = rows
        return rows

    def of_videos(self, table: str, video_ids: Iterable[str]) -> pd.DataFrame:
        """The rows of some videos in a table, video by video in their order.

        Raises:
            UnknownNameError: No table is called so.
        """
        pick(TABLES, table, "table")
        if table == "boxes":
            return pd.concat([self.boxes(video) for video in video_ids] or [empty("boxes")])
        whole: pd.DataFrame = getattr(self, table)
        if table not in self._rows:
            self._rows[table] = whole.groupby("video_id").indices
        places = self._rows[table]
        own = [places[video] for video in video_ids if video in places]
        return whole.take(np.concatenate(own) if own else [])

    def boxes(self, video_id: str) -> pd.DataFrame:
        """The boxes of one video; boxes are never read whole."""
        path = self.path / "boxes" / f"{video_key(video_id)}.parquet"
        return read_small_table(path) if path.exists() else empty("boxes")

    def has(self, table: str) -> bool:
        """Whether a table has rows."""
        pick(TABLES, table, "table")
        return any((self.path / "boxes").glob("*.parquet")) if table == "boxes" else not getattr(self, table).empty

    @property
    def has_domains(self) -> bool:
        return bool(self.videos["domain"].notna().any())

    @property
    def has_sources(self) -> bool:
        """Whether every video states its source, so that intervals can be clustered."""
        return len(self.videos) > 0 and bool(self.videos["source_id"].notna().all())

    def relevance_matrix(self, run: Any = None) -> sp.csr_array:
        """int8 grades [captions, videos], > 0 is right.

        Args:
            run: Anything with ``queries`` (caption_id) and ``gallery`` (video_id), whose rows and columns are taken;
                None = the captions and videos of this corpus.
        """
        captions = (self.captions if run is None else run.queries)["caption_id"]
        videos = (self.videos if run is None else run.gallery)["video_id"]
        return relevance_csr(self.relevance, captions, videos)

    def orders(self, axis: str) -> dict[str, list[str]]:
        """Named orders in which matrices of this split are found.

        Args:
            axis: ``captions`` or ``videos``.

        Returns:
            Ids by the order's name: those that the format stored (TextVR: aligned, scrambled), by path and by name.
        """
        key = {"captions": "caption_id", "videos": "video_id"}[axis]
        table = getattr(self, axis)
        videos = table["video_id"].to_list()
        names = [PurePosixPath(video).name for video in videos]
        ids = table[key].to_list()
        orders = {
            "by path": [ids[i] for i in sorted(range(len(ids)), key=lambda i: videos[i])],
            "by name": [ids[i] for i in sorted(range(len(ids)), key=lambda i: names[i])],
        }
        if (self.path / "orders.parquet").exists():
            stored = read_table(self.path / "orders.parquet")
            chosen = stored[(stored["axis"] == axis) & (stored["split"] == (self.split or ""))]
            for name, part in chosen.sort_values("position").groupby("order", sort=True):
                orders[str(name)] = part["id"].to_list()
        return orders

    def _table(self, name: str) -> pd.DataFrame:
        path = self.path / f"{name}.parquet"
        table = read_table(path) if path.exists() or TABLES[name].required else empty(name)
        if self.split is None:
            return table
        if "split" in table.columns:
            return table[table["split"] == self.split].reset_index(drop=True)
        key, owners = ("caption_id", self.captions) if name == "relevance" else ("video_id", self.videos)
        return table[table[key].isin(owners[key])].reset_index(drop=True)


def open_corpus(name_or_path: str | os.PathLike[str] | Corpus, split: str | None = None) -> Corpus:
    """Open a corpus by name (workspace, then shared workspace) or by the path of its folder.

    One that is open stays as it is, or is restricted to the split.

    Args:
        name_or_path: E.g. ``"msrvtt-1ka"``, or a path with a separator.
        split: Restrict it to one split.

    Raises:
        UnknownNameError: No corpus has that name; the sentence names the nearest ones.
        DataError: The folder is not a corpus, or has no such split.
        FormatVersionError: A newer workbench wrote it.
    """
    if isinstance(name_or_path, Corpus):
        return name_or_path if split in (None, name_or_path.split) else name_or_path.with_split(split)
    if not isinstance(name_or_path, str | os.PathLike):
        raise DataError(f"A {type(name_or_path).__name__} is no corpus.", "Give a corpus, its name or its folder.")
    text = os.fspath(name_or_path)
    path = Path(text)
    if path.is_absolute() or os.sep in text:
        if not (path / "corpus.json").is_file():
            raise DataError(f"{path} is not a corpus: it has no corpus.json.", "Give a corpus' name or its folder.")
        return Corpus(path, split)
    return Corpus(pick(workspace().names("corpora"), text, "corpus"), split)


def list_corpora() -> pd.DataFrame:
    """All corpora of the workspace and the shared one.

    Returns:
        A table: name, title, splits, n_captions, n_videos, format, protocol, path, place (own or shared), note; a
        damaged folder is a row whose note says why.
    """
    space = workspace()
    rows = [_summary(name, path, space.is_own(path)) for name, path in space.names("corpora").items()]
    columns = ["name", "title", "splits", "n_captions", "n_videos", "format", "protocol", "path", "place", "note"]
    return pd.DataFrame(rows, columns=columns)


def _summary(name: str, path: Path, own: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "path": str(path), "place": "own" if own else "shared", "note": ""}
    try:
        corpus = Corpus(path)
        counts = corpus.meta.get("counts", {})
    except DataError as error:
        return {**row, "title": name, "splits": [], "note": str(error)}
    return {
        **row, "title": corpus.title, "splits": corpus.splits,
        "n_captions": sum(c["captions"] for c in counts.values()),
        "n_videos": sum(c["videos"] for c in counts.values()), "format": corpus.meta.get("format"),
        "protocol": corpus.meta.get("protocol", ""),
    }  # fmt: skip
