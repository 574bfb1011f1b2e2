"""What two splits have in common: videos and sources."""

from __future__ import annotations

from workbench.corpus import Corpus


def shared_videos(a: Corpus, b: Corpus) -> list[str]:
    """Videos of ``b`` that are also in ``a``, itself or by a caption; each restricted to a split.

    Of two corpora those of one name are one video, unless both files are known and differ.
    """
    own = {*a.videos["video_id"], *a.captions["video_id"]}
    found = [video for video in b.videos["video_id"] if video in own]
    found += sorted(({*b.captions["video_id"]} & own) - {*found})
    if a.path == b.path:
        return found
    files, others = _files(a), _files(b)
    return [one for one in found if not (one in files and one in others and files[one] != others[one])]


def shared_sources(a: Corpus, b: Corpus) -> list[str]:
    """Sources of which both splits of one corpus have videos; names of sources mean nothing in another one."""
    if a.path != b.path:
        return []
    own = set(a.videos["source_id"].dropna())
    return sorted(str(one) for one in set(b.videos["source_id"].dropna()) & own)


def _files(corpus: Corpus) -> dict[str, str]:
    """sha256 of the original file by video, where it is known."""
    files = corpus.renditions[corpus.renditions["rendition"] == "original"].dropna(subset=["sha256"])
    return dict(zip(files["video_id"], files["sha256"], strict=True))
