"""`make real-input DATA=folder`: real corpora, matrices of published systems and videos; every number is checked.

It works in a temporary workspace, prints what it sees beside what is expected, and ends with 1 when they differ.

    python -m benchmarks.real_input DATA [--quick] [--demo WORKSPACE]

``--quick`` prepares every video but decodes the small clips with known words only, and reads text in two frames of each
with the preset ``fast``: half a minute on two cores where ``--demo`` names a workspace with the demo and its runs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

import workbench as wb
from benchmarks.checks import Checks
from benchmarks.real_videos import real_videos
from workbench.core.errors import OrderError
from workbench.core.seeds import generator
from workbench.core.workspace import elsewhere
from workbench.corpus import normalise_caption
from workbench.evaluation import check_order, retrieval_metrics
from workbench.evaluation.metrics.ceilings import ceiling
from workbench.pipelines.datasets import prepare

SYSTEMS = {  # file, expected t2v R@1 and mean rank under expected ties
    "clip4clip": ("clip4clip_msrvtt.npy", 34.40, 37.34),
    "internvideo2": ("InternVideo2_msrvtt.npy", 54.55, 21.03),
    "gram": ("GRAM_msrvtt.npy", 53.10, 55.83),
    "vast": ("VAST_msrvtt.npy", 49.40, 113.86),
}
STOPPED = ("gram", "vast")


def main(data: Path, *, quick: bool = False, demo: Path | None = None) -> int:
    """Run all of it on a folder laid out as ``SOURCES.md`` says; returns the exit code."""
    checks = Checks()
    with tempfile.TemporaryDirectory() as home, elsewhere(Path(home)):
        if demo is not None:
            os.environ["WORKBENCH_SHARED"] = str(demo)
        print("MSR-VTT 1k-A")
        corpus = prepare("msrvtt-1ka", annotations=[data / "annotations/msrvtt/MSRVTT_JSFUSION_test.csv"], roots={})
        matrices(checks, data)
        disorder(checks, data, corpus.captions["text"].to_list())
        print("TextVR test")
        textvr(checks, data / "annotations/textvr")
        print("Real videos")
        report = real_videos(checks, data, quick=quick)
    print("\n".join(report.lines))
    print("all as expected" if not checks.failed else f"{len(checks.failed)} differ: " + "; ".join(checks.failed))
    return bool(checks.failed)


def matrices(checks: Checks, data: Path) -> None:
    """Import the four matrices; two of them must stop."""
    for name, (file, r1, mean_rank) in SYSTEMS.items():
        source = data / "sim" / file
        if name in STOPPED:
            try:
                wb.import_run(source, corpus="msrvtt-1ka", name=name)
                checks.that(f"{name} stops", False)
            except OrderError as error:
                checks.that(f"{name} stops: {error}", "--row-ids" in str(error) and "--totals-only" in str(error))
        run = wb.import_run(source, corpus="msrvtt-1ka", name=name, totals_only=name in STOPPED)
        checks.that(f"{name}: order {run.order['how']}: {run.order['evidence']}",
                    run.order["how"] == ("contradicted" if name in STOPPED else "checked"))  # fmt: skip
        checks.number(f"{name} t2v R@1", run.metrics["t2v"]["r1"], r1)
        checks.number(f"{name} t2v mean rank", run.metrics["t2v"]["mean_rank"], mean_rank)
    vast = np.load(data / "sim" / SYSTEMS["vast"][0])
    for ties, expected in (("expected", 73.46), ("optimistic", 75.1), ("pessimistic", 73.4)):
        checks.number(f"vast v2t R@10, {ties} ties", retrieval_metrics(vast, direction="v2t", ties=ties).r10, expected)


def disorder(checks: Checks, data: Path, captions: list[str]) -> None:
    """Transposed and shuffled copies of the two good matrices must be recognised."""
    for name in ("clip4clip", "internvideo2"):
        matrix = np.load(data / "sim" / SYSTEMS[name][0])
        shuffled = matrix[generator(0, name).permutation(len(matrix))]
        for what, copy, word in (("transposed", matrix.T, "transposed"), ("rows shuffled", shuffled, "row")):
            found = check_order(copy, captions)
            checks.that(f"{name} {what}: {found.how}: {found.sentence}",
                        found.how == "contradicted" and word in found.sentence.lower())  # fmt: skip


def textvr(checks: Checks, folder: Path) -> None:
    """The aligned file becomes a corpus with its ceiling; the scrambled one alone is refused by name."""
    aligned, scrambled = folder / "TextVR_test.json", folder / "TextVR_test_rand.json"
    corpus = prepare("textvr", annotations=[aligned, scrambled], roots={}).with_split("test")
    checks.that(f"{len(corpus.captions)} captions (expected 2727)", len(corpus.captions) == 2727)
    distinct = corpus.captions["text"].map(normalise_caption).nunique()
    checks.that(f"{distinct} distinct captions (expected 2454)", distinct == 2454)
    limits = ceiling(corpus.relevance_matrix(), corpus.captions["text"].to_list())
    checks.number("ceiling t2v R@1", limits["t2v"]["r1"], 89.99)
    try:
        prepare("textvr", annotations=[scrambled], roots={}, rename="scrambled")
        checks.that("the scrambled file is refused", False)
    except ValueError as error:
        checks.that(f"the scrambled file is recognised: {error}", "scrambled" in str(error))
    similarity = bag_of_words(corpus.captions["text"].map(normalise_caption).to_list())
    order = corpus.orders("videos")["scrambled"]
    position = dict(zip(corpus.videos["video_id"], range(2727), strict=True))
    submitted = similarity[:, [position[video] for video in order]]
    run = wb.import_run(submitted, corpus="textvr", name="made-scrambled", split="test")
    checks.that(
        f"a matrix in scrambled order is put right: {run.order['evidence']}", "scrambled" in run.order["evidence"]
    )


def bag_of_words(captions: list[str]) -> np.ndarray:
    """A stand-in model whose right answers are known: captions as sums of random word vectors, videos near them."""
    rng = generator(0, "textvr")
    words = {word: rng.normal(size=64) for word in dict.fromkeys(" ".join(captions).split())}
    text = np.stack([np.sum([words[word] for word in caption.split()], axis=0) for caption in captions])
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    video = text + 0.05 * rng.normal(size=text.shape)
    return (text @ video.T).astype(np.float32)


def arguments() -> argparse.Namespace:
    """The command line; a missing folder is answered with how `make` is used."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_input", description="Check real input.")
    parser.add_argument("data", type=Path, nargs="?", help="the folder that holds sim/, annotations/ and videos/")
    parser.add_argument("--quick", action="store_true", help="text in two frames of small clips only")
    parser.add_argument("--demo", type=Path, help="a workspace that holds the demo and its runs")
    asked = parser.parse_args()
    if asked.data is None or not asked.data.is_dir():
        sys.exit("Usage: make real-input DATA=folder (the folder that holds sim/, annotations/ and videos/)")
    return asked


if __name__ == "__main__":
    given = arguments()
    sys.exit(main(given.data, quick=given.quick, demo=given.demo))
