"""A corpus of a few real clips with words that others read in them, and TextVR's real captions; none is kept here.

Needs the folder of real data (fixture ``real_data``). The clips are one of each kind that made videos are not: filmed
upright, turned by their container, VP9 in WebM, H.264 in Matroska, uneven frame times, Chinese subtitles, broken.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from workbench.corpus import Corpus
from workbench.evaluation import Run
from workbench.pipelines.checkpoints import score_checkpoint
from workbench.pipelines.datasets import prepare
from workbench.pipelines.ocr_import import import_ocr

NAME, ENGINE = "films", "imported"
STREET, SUBTITLED = "open/googlework_short.mp4", "thirdparty/anime_zh_subtitles.mp4"
PLAYED = {  # clip: its domain; width and height as displayed
    "thirdparty/kitten_portrait.mp4": ("Activity", 360, 640),
    "odd/rotation_video_90.mov": ("Technology", 320, 568),
    "odd/sea_360p.webm": ("Activity", 640, 360),
    "open/intel_asl_book.mkv": ("Activity", 640, 480),
    "odd/vfr_mirrored_sign.mov": ("Activity", 640, 480),
    STREET: ("Street View (outdoor)", 320, 180),
    SUBTITLED: ("TV Show/News/Movie", 1920, 800),
}
BROKEN = "odd/broken_no_moov.mp4"
LINE = re.compile(r"(\d+):(\d+):(\d+),(\d+) --> (\d+):(\d+):(\d+),(\d+)\n(.+?)(?:\n\n|\Z)", re.DOTALL)


def real_corpus(data: Path, folder: Path) -> Corpus:
    """The clips with their captions, the words that were read and those that stand there; restricted to its split.

    Args:
        data: The folder of real data.
        folder: Where the clips are copied to.
    """
    for video in (*PLAYED, BROKEN):
        (folder / video).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data / "videos" / video, folder / video)
    rows = [json.loads(line) for line in (data / "videos" / "clips.jsonl").read_text(encoding="utf-8").splitlines()]
    known = {row["file"].removeprefix("videos/"): row for row in rows}
    table = folder.parent / "captions.jsonl"
    kept = [{**known[video], "file": video} for video in (*PLAYED, BROKEN)]
    table.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    corpus = prepare("folder", annotations=[table], roots={"original": folder}, rename=NAME, workers=1)
    expected = json.loads((data / "ocr" / "googlework_expected_texts.json").read_text(encoding="utf-8"))
    read = {
        STREET: [{"text": word} for word in expected["expected_any_of"]],
        SUBTITLED: subtitles((data / "ocr" / "rapidvideocr_2.mp4.a.srt").read_text(encoding="utf-8")),
    }
    truth = {video: [{"text": text} for text in known[video]["texts"]] for video in PLAYED}
    for engine, texts in ((ENGINE, read), ("truth", truth)):
        source = folder.parent / f"{engine}.jsonl"
        lines = [{"video_id": video, "engine": engine, "texts": own} for video, own in texts.items()]
        source.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        corpus = import_ocr(corpus, source).corpus
    return corpus.with_split("test")


def subtitles(text: str) -> list[dict[str, object]]:
    """Lines of an SRT file with their seconds."""
    found = []
    for *parts, said in LINE.findall(text):
        start, end = (
            int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000 for h, m, s, ms in (parts[:4], parts[4:])
        )  # fmt: skip
        found.append({"text": said, "start_s": start, "end_s": end})
    return found


def real_runs(corpus: Corpus) -> list[Run]:
    """BM25 over the words that were read, and over those that stand there."""
    runs = [
        score_checkpoint("bm25_ocr", corpus, name=name, engine=engine)
        for name, engine in (("films-read", ENGINE), ("films-truth", "truth"))
    ]
    return [run for run in runs if run is not None]


def textvr_captions(data: Path) -> Corpus:
    """TextVR's test split as published: captions and domains, no videos."""
    return prepare("textvr", annotations=[data / "annotations" / "textvr" / "TextVR_test.json"], workers=1)
