"""The real videos of DATA/videos: prepared, read, scored and searched; beside it what is known to stand in them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.checks import Checks
from benchmarks.known_words import agreement, listed_words, read_clips
from benchmarks.report import Report
from workbench.core.errors import DataError
from workbench.core.workspace import elsewhere, workspace
from workbench.corpus import Corpus, save_corpus
from workbench.ocr import Engine, Settings
from workbench.ocr.matching import STOP_WORDS
from workbench.pipelines.checkpoints import score_checkpoint
from workbench.pipelines.datasets import prepare
from workbench.pipelines.ocr import run_ocr
from workbench.pipelines.search import Searcher
from workbench.training.demo import make_demo
from workbench.video import probe, read_frames

NAME, FUSION = "real", "demo-fusion"
BROKEN = "odd/broken_no_moov.mp4"
DAMAGED = {"odd/corrupted.mp4", "odd/mpeg1_weird_aspect.mpg"}
FIRST, MOST_CLIPS = 3, 3  # a word brings its clip into the first 3; words of more clips than that cannot
QUICK, QUICK_FRAMES = 600_000, 2  # pixels: quick reads so many frames of clips with known words that are no larger
FLOORS = {  # share of the listed words that must be recognised, and of those that must bring their clip
    "quick": {"fast": (0.42, 0.4)},
    "full": {"fast": (0.7, 0.63), "small-text": (0.73, 0.66)},
}


def real_videos(checks: Checks, data: Path, *, quick: bool = False) -> Report:
    """All of it in the present workspace, with a line for every check; the demo is made there unless it stands.

    Args:
        checks: Takes the checks.
        data: The folder that holds ``videos/``.
        quick: Few frames of small clips with the preset ``fast``; every file is prepared all the same. Pictures of
            all files are compared with those of plain decoding in ``tests/video/test_readers.py``.

    Returns:
        The tables.
    """
    clips = {clip["file"].removeprefix("videos/"): clip for clip in read_clips(data)}
    report = Report(data, ["## Real videos"])
    corpus = prepare(
        "folder", annotations=[data / "videos/clips.jsonl"], roots={"original": data / "videos"}, rename=NAME
    )
    files(checks, corpus, clips)
    chosen = [name for name, clip in clips.items() if not quick or name == BROKEN or small(clip)]
    corpus = part_of(corpus, chosen) if quick else corpus
    pictures(checks, corpus)
    corpus = texts(checks, report, corpus, clips, "quick" if quick else "full")
    runs(checks, report, corpus)
    return report


def small(clip: dict[str, Any]) -> bool:
    """Whether quick reads a clip's text: it has some, and its frames are small."""
    probe = clip["probe"]
    return bool(listed_words(clip["texts"])) and probe["width"] * probe["height"] <= QUICK


def part_of(corpus: Corpus, videos: list[str]) -> Corpus:
    """Another corpus of some of the videos."""
    names = ("videos", "captions", "relevance", "renditions")
    tables = {name: getattr(corpus, name) for name in names}
    kept = {name: table[table["video_id"].isin(videos)].reset_index(drop=True) for name, table in tables.items()}
    return save_corpus(f"{corpus.name}-part", kept, {"roots": corpus.roots, "format": "folder"})


def files(checks: Checks, corpus: Corpus, clips: dict[str, dict[str, Any]]) -> None:
    """Every file is there once; the broken one is named; sizes and counts are those of another prober."""
    videos, renditions = corpus.videos.set_index("video_id"), corpus.renditions.set_index("video_id")
    broken = videos[videos["status"] == "broken"]
    checks.that(f"{len(videos)} files, {len(clips)} in clips.jsonl", set(videos.index) == set(clips))
    for name, reason in broken["reason"].items():
        checks.that(f"broken: {name}: {reason}", name == BROKEN and bool(reason))
    checks.that(f"{len(videos) - len(broken)} of {len(videos)} can be read", len(broken) == 1)
    odd = videos[(videos["status"] == "ok") & videos["reason"].notna()]
    for name, reason in odd["reason"].items():
        checks.that(f"damaged: {name}: {reason}", name in DAMAGED)
    counted = {name: clip["probe"].get("frames_decoded") for name, clip in clips.items()}
    known = {name: int(number) for name, number in counted.items() if number and name in renditions.index}
    other = {name: n for name, n in known.items() if renditions["n_frames"][name] != n}
    checks.that(f"as many frames as another decoder counted in {len(known) - len(other)} of {len(known)} files",
                set(other) <= DAMAGED)  # fmt: skip
    for name, n in other.items():
        said = probe(Path(corpus.roots["original"]) / name, exact=True).damage
        checks.that(f"damaged: {name}: {renditions['n_frames'][name]} packets, {n} frames: {said}", bool(said))


def pictures(checks: Checks, corpus: Corpus) -> None:
    """The first, the middle and the last picture of every file: exactly those, or a sentence why not."""
    exact = 0
    for row in corpus.renditions[corpus.renditions["n_frames"].notna()].itertuples():
        n, path = int(row.n_frames), Path(corpus.roots["original"]) / row.path
        wanted = sorted({0, n // 2, n - 1})
        try:
            found = read_frames(path, wanted)
        except DataError as error:
            checks.that(f"damaged: {row.video_id}: {error.message}", row.video_id in DAMAGED)
            continue
        shape = (len(wanted), row.height, row.width, 3)
        right = found.indices.tolist() == wanted and found.pixels.shape == shape
        exact += right
        if not right:
            checks.that(f"{row.video_id}: pictures {found.indices.tolist()} of {found.pixels.shape}", False)
        if found.note:
            checks.that(f"damaged: {row.video_id}: {found.note}", row.video_id in DAMAGED)
    checks.that(f"first, middle and last picture of {exact} files", exact >= len(corpus.videos) - 1 - len(DAMAGED))


def texts(checks: Checks, report: Report, corpus: Corpus, clips: dict[str, dict[str, Any]], mode: str) -> Corpus:
    """Read the text with every preset; how much of what is known was recognised, and what brings its clip."""
    settings = {preset: Settings(preset, n_frames=QUICK_FRAMES if mode == "quick" else None) for preset in FLOORS[mode]}
    known = {name: listed_words(clips[name]["texts"]) for name in corpus.videos["video_id"]}
    report.say(
        "", f"{sum(map(bool, known.values()))} of {len(known)} clips with text whose words are listed. Recall: listed"
        " words that are among the recognised ones, exactly or nearly; precision: recognised words that are listed (no"
        f" list is complete). Found: of listed words that at most {MOST_CLIPS} clips have, those that BM25 over the"
        f" recognised words answers with their clip among the first {FIRST}.",
    )  # fmt: skip
    report.header("preset", "read", "empty", "failed", "frames sampled", "read by the engine", "seconds", "recall %",
                  "precision %", f"found in the first {FIRST} %")  # fmt: skip
    for preset, how in settings.items():
        began = time.perf_counter()
        last = preset == list(settings)[-1]
        engine = Engine.name if last else f"{Engine.name}-{preset}"
        done = run_ocr(corpus, how, engine=engine)
        seconds, corpus = time.perf_counter() - began, done.corpus
        for row in done.videos[~done.videos["state"].isin(["read", "empty"])].itertuples():
            checks.that(f"{preset}: {row.state}: {row.video_id}: {row.reason}",
                        row.video_id == BROKEN and row.state == "failed" and bool(row.reason))  # fmt: skip
        recall, precision, n_listed = recognised(corpus, engine, known)
        share, n_asked = brought(corpus, known)
        states = done.videos["state"].value_counts()
        report.row(preset, *(int(states.get(state, 0)) for state in ("read", "empty", "failed")),
                   f"{done.videos['n_sampled'].sum():,}", f"{done.videos['n_read'].sum():,}", f"{seconds:.0f}",
                   f"{100 * recall:.1f}", f"{100 * precision:.1f}", f"{100 * share:.1f}")  # fmt: skip
        floors = FLOORS[mode][preset]
        checks.that(f"{preset}: {100 * recall:.1f} % of {n_listed} listed words recognised (at least"
                    f" {100 * floors[0]:.0f}), precision {100 * precision:.1f} %", recall >= floors[0])  # fmt: skip
        checks.that(f"{preset}: {100 * share:.1f} % of {n_asked} words bring their clip into the first {FIRST}"
                    f" (at least {100 * floors[1]:.0f})", share >= floors[1])  # fmt: skip
    return corpus


def recognised(corpus: Corpus, engine: str, known: dict[str, list[str]]) -> tuple[float, float, int]:
    """Recall and precision of an engine's words in the clips whose words are listed, and how many are listed."""
    read = corpus.texts[corpus.texts["engine"] == engine].groupby("video_id")["text"].agg(list)
    total = pd.DataFrame([agreement(words, read.get(name, [])) for name, words in known.items() if words]).sum()
    return total["hits"] / total["listed"], total["right"] / total["words"], int(total["listed"])


def brought(corpus: Corpus, known: dict[str, list[str]]) -> tuple[float, int]:
    """Share of the known words that bring their clip among the first, and how many were asked; one search per word."""
    clips_of: dict[str, list[str]] = {}
    for name, words in known.items():
        for word in words:
            clips_of.setdefault(word, []).append(name)
    searcher = Searcher(corpus, "bm25")
    hits = [
        name in set(searcher.search(word, FIRST).videos["video_id"])
        for word, names in clips_of.items()
        if len(names) <= MOST_CLIPS and word not in STOP_WORDS
        for name in names
    ]
    return float(np.mean(hits)), len(hits)


def runs(checks: Checks, report: Report, corpus: Corpus) -> None:
    """BM25 over the recognised words, and the demo's fusion model, which has never seen a filmed picture."""
    if workspace().find("runs", FUSION) is None:
        make_demo()
    unread = sorted(corpus.videos.loc[corpus.videos["status"] == "broken", "video_id"])
    report.say(
        "", "Captions of these clips (one each, most say what is seen and not what is read) against all of them; copies"
        " of a clip in other containers share a caption. The fusion model was trained on the drawn films of the demo"
        " and is out of its domain here: its line shows that a model from elsewhere scores real videos, no more.",
    )  # fmt: skip
    report.header("run", "t2v R@1", "t2v R@10", "t2v mean rank", "v2t R@1", "captions", "videos", "not scored")
    for name, checkpoint in (("bm25_ocr", "bm25_ocr"), ("textvr_fusion, trained on the demo", FUSION)):
        run = score_checkpoint(checkpoint, corpus, name=f"{corpus.name}-{checkpoint}")
        gallery = run.gallery[run.gallery["state"] == "not_scored"]
        t2v, v2t = run.metrics["t2v"], run.metrics["v2t"]
        report.row(name, f"{t2v['r1']:.1f}", f"{t2v['r10']:.1f}", f"{t2v['mean_rank']:.1f}", f"{v2t['r1']:.1f}",
                   t2v["n_queries"], len(run.gallery), ", ".join(gallery["video_id"]))  # fmt: skip
        checks.that(f"{name}: every video is scored but the broken one, which says why: {'; '.join(gallery['reason'])}",
                    sorted(gallery["video_id"]) == unread and gallery["reason"].notna().all())  # fmt: skip
        parts = {part: np.asarray(matrix, np.float64) for part, matrix in run.modalities.items()}
        if checkpoint == FUSION:
            whole = np.asarray(run.similarity)
            fits = np.allclose(sum(parts.values()), whole, atol=1e-4)  # -inf, not scored, is so in the parts too
            checks.that(f"{name}: {' + '.join(parts)} is the fused score", set(parts) == {"vision", "ocr"} and fits)


def measured_real_videos(report: Report) -> None:
    """The full mode as a benchmark."""
    checks = Checks()
    with tempfile.TemporaryDirectory() as home, elsewhere(Path(home)):
        report.say(*real_videos(checks, report.data).lines)
    report.missed += checks.failed
