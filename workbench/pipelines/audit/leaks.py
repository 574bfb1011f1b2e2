"""What stands in several splits, and videos that share a source or a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.words import counted
from workbench.corpus import Corpus, domain_label, normalise_caption
from workbench.pipelines.audit.findings import Finding, finding

FEW_SOURCES = 20
COMMON_SHARE = 0.01
"""Share of a split's captions that stand in another split from which it is no chance."""


def audit_splits(corpus: Corpus) -> Iterator[Finding]:
    """Captions, files and sources that stand in more than one split.

    Args:
        corpus: In any state; all of it is looked at.
    """
    whole = corpus.with_split(None)
    if len(whole.splits) < 2:
        yield finding("duplicates across splits", "note", "There is one split only, so nothing can leak into it.")
        return
    captions, videos = whole.captions, whole.videos
    split_of = videos.set_index("video_id")["split"]
    files = whole.renditions[whole.renditions["sha256"].notna() & (whole.renditions["rendition"] == "original")]
    text = pd.Series([normalise_caption(one) for one in captions["text"]], dtype="str")
    yield _shared(
        "captions across splits", text, captions["split"], captions["caption_id"], "caption", "captions", "note",
        "Take them out of training where it matters; general sentences repeat by chance.",
    )  # fmt: skip
    yield _shared(
        "videos across splits", files["sha256"], files["video_id"].map(split_of), files["video_id"], "video file",
        "video files", "wrong", "Take them out of training, or out of the test: a model has seen the answer.",
    )  # fmt: skip
    yield _shared(
        "sources across splits", videos["source_id"], videos["split"], videos["video_id"], "source", "sources",
        "warning", "Split by source: workbench data split keeps sources together.",
    )  # fmt: skip


def _shared(
    check: str, key: pd.Series, split: pd.Series, ids: pd.Series, one: str, many: str, severity: str, fix: str
) -> Finding:
    """What has the same key in more than one split."""
    table = pd.DataFrame({"key": key.to_numpy(), "split": split.to_numpy(), "id": ids.to_numpy()}).dropna()
    if table.empty:
        return finding(check, "note", f"No {one} is known by which splits could be compared.")
    times = table.groupby("key")["split"].transform("nunique")
    shared = table[times > 1]
    if shared.empty:
        return finding(check, "ok", f"No {one} stands in two splits.", numbers={"n_known": len(table)})
    n = int(shared["key"].nunique())
    by_split = shared["split"].value_counts().sort_index()
    where = ", ".join(f"{rows:,} of {name}" for name, rows in by_split.items())
    most = float((by_split / table["split"].value_counts().reindex(by_split.index)).max())
    if severity == "note" and most > COMMON_SHARE:
        severity = "warning"
    return finding(
        check, severity, f"{counted(n, f'{one} stands', f'{many} stand')} in more than one split: {where}.",
        rows=shared["id"].to_list(), fix=fix,
        numbers={"n_shared": n, "by_split": by_split.to_dict()},
    )  # fmt: skip


def audit_sources(corpus: Corpus) -> Iterator[Finding]:
    """Videos of one source, domains of few sources, and files that stand twice.

    Args:
        corpus: Restricted to one split.
    """
    yield _same_files(corpus)
    if not corpus.has_sources:
        yield finding(
            "same-source videos", "note", "The corpus does not state which videos share a source: intervals are not "
            "clustered and may be too narrow.", fix="Add source ids to the annotations where they are known.",
        )  # fmt: skip
        return
    videos = corpus.videos
    size = videos.groupby("source_id")["video_id"].transform("size")
    siblings = videos[size > 1]
    n_sources = int(videos["source_id"].nunique())
    domains = videos.groupby(videos["domain"].fillna("all").astype("str"))["source_id"].nunique().sort_values()
    few = [f"{domain_label(str(name))} ({n})" for name, n in domains.items() if n < FEW_SOURCES]
    largest = videos["source_id"].value_counts()
    numbers: dict[str, Any] = {
        "n_videos": len(videos), "n_sources": n_sources, "n_with_sibling": len(siblings),
        "largest": int(largest.iloc[0]), "sources_by_domain": {str(name): int(n) for name, n in domains.items()},
    }  # fmt: skip
    if siblings.empty:
        yield finding("same-source videos", "ok", "Every video has a source of its own.", numbers=numbers)
    else:
        yield finding(
            "same-source videos", "note",
            f"{len(siblings):,} of {len(videos):,} videos share their source with another one ({n_sources:,} sources, "
            f"up to {numbers['largest']} videos of one).",
            rows=siblings["video_id"].to_list(), fix="Intervals and tests are clustered by source; keep it so.",
            numbers=numbers,
        )  # fmt: skip
    if few:
        yield finding(
            "few sources", "warning", f"Domains of fewer than {FEW_SOURCES} sources: {', '.join(few)}.",
            fix="Do not rank models on these domains.",
        )  # fmt: skip
    else:
        yield finding("few sources", "ok", f"Every domain has {FEW_SOURCES} sources or more.")


def _same_files(corpus: Corpus) -> Finding:
    files = corpus.renditions[corpus.renditions["sha256"].notna() & (corpus.renditions["rendition"] == "original")]
    files = files.drop_duplicates(["video_id", "sha256"])
    if files.empty:
        return finding("same file twice", "note", "No video file is known, so equal files cannot be found.")
    whole = files[files["start_s"].isna()]  # several clips may be parts of one file
    twice = whole[whole.duplicated("sha256", keep=False)].sort_values("sha256", kind="stable")
    if twice.empty:
        return finding("same file twice", "ok", f"All {len(files):,} files differ.")
    n = int(twice["sha256"].nunique())
    return finding(
        "same file twice", "warning",
        f"{len(twice):,} videos are byte for byte equal to another one ({counted(n, 'file', 'files')}).",
        rows=np.asarray(twice["video_id"], dtype=object), fix="They cannot be told apart; take all but one out.",
    )  # fmt: skip
