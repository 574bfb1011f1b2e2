"""Caption words against recognised words at the size of TextVR: all unique words at once, and caption by caption."""

from __future__ import annotations

import time

import numpy as np
from rapidfuzz import fuzz, process

from benchmarks.report import Report
from workbench.core.seeds import generator
from workbench.ocr.matching import WordMatcher

N_CAPTION_WORDS, N_OCR_WORDS, N_CAPTIONS, N_VIDEOS, SAMPLE = 38_000, 68_000, 42_000, 10_500, 200
LIMIT_S = 60
SYLLABLES = (
    "ba ber bo ca cal co con da de di do el en er es fa fer ga go ha hi in ing is ja ka ker la le li lo ma me mi mo na"
    " ne ni no o ock on or pa per pi po ra re ri ro sa se shi so sta ta ter ti to tra u un va ve vi wa wi yo za"
).split()


def vocabulary(n: int, draw: np.random.Generator) -> list[str]:
    """Unique words of two to five syllables."""
    words: dict[str, None] = {}
    while len(words) < n:
        size = int(draw.choice([2, 3, 4, 5], p=[0.25, 0.4, 0.25, 0.1]))
        words["".join(draw.choice(SYLLABLES, size))] = None
    return list(words)


def misread(words: list[str], n: int, draw: np.random.Generator) -> list[str]:
    """Half of ``n`` are words of the captions, most with a letter changed; the rest are other words."""
    read: dict[str, None] = {}
    while len(read) < n // 2:
        word = words[draw.integers(len(words))]
        place = int(draw.integers(len(word)))
        letter = chr(97 + int(draw.integers(26)))
        read[word[:place] + letter + word[place + 1 :] if draw.random() < 0.7 else word] = None
    read.update(dict.fromkeys(vocabulary(n - len(read), draw)))
    return list(read)


def sentences(words: list[str], n: int, mean: int, draw: np.random.Generator) -> list[list[str]]:
    """Lists of words whose frequencies follow Zipf's law, with Poisson lengths."""
    share = 1 / (np.arange(len(words)) + 10.0)
    sizes = np.maximum(draw.poisson(mean, n), 1)
    drawn = draw.choice(len(words), int(sizes.sum()), p=share / share.sum())
    return [[words[i] for i in part] for part in np.split(drawn, np.cumsum(sizes)[:-1])]


def word_matching(report: Report) -> None:
    """Time the corpus matcher against rapidfuzz called for each caption (extrapolated), and append a table."""
    draw = generator(0, "bench, word matching")
    caption_vocabulary = vocabulary(N_CAPTION_WORDS, draw)
    ocr_vocabulary = misread(caption_vocabulary, N_OCR_WORDS, draw)
    captions = sentences(caption_vocabulary, N_CAPTIONS, 12, draw)
    draw.shuffle(ocr_vocabulary)
    videos = sentences(ocr_vocabulary, N_VIDEOS, 60, draw)
    start = time.perf_counter()
    matcher = WordMatcher(videos)
    built = time.perf_counter()
    scores = matcher.match(captions)
    matched = time.perf_counter()
    for first in range(0, N_CAPTIONS, 1000):
        matcher.counts(captions, slice(first, first + 1000), weights="idf")
    counted = time.perf_counter()
    for caption in captions[:SAMPLE]:
        process.cdist(caption, matcher.vocabulary, scorer=fuzz.ratio, score_cutoff=80, dtype=np.uint8, workers=-1)
    peer = (time.perf_counter() - counted) * N_CAPTIONS / SAMPLE
    ours = counted - start
    report.say(
        f"## Caption words in recognised words ({N_CAPTIONS:,} captions x {N_VIDEOS:,} videos)", "",
        f"{scores.shape[0]:,} x {scores.shape[1]:,} different words, {scores.nnz:,} matches from 80 of 100.",
    )  # fmt: skip
    report.header("what", "s")
    report.row("unique words of the videos", f"{built - start:.1f}")
    report.row("fuzzy scores of all pairs of words", f"{matched - built:.1f}")
    report.row("weighted counts, every caption x every video, in blocks of 1,000", f"{counted - matched:.1f}")
    report.row("all", f"{ours:.1f}")
    report.row(f"rapidfuzz for each caption, from {SAMPLE} captions", f"{peer:.0f} ({peer / ours:.1f} times as long)")
    report.floor(f"all of it in {LIMIT_S} s on two cores", ours <= LIMIT_S)
