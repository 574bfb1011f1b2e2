"""`make bench`: speed as ratios to a floor and to named peers in one run, and what was found; writes RESULTS.md.

    python -m benchmarks [NAME ...] [--data FOLDER]

Without names all are run, which takes most of an hour; a part of RESULTS.md is replaced when its benchmark ends.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.app_speed import app_speed
from benchmarks.csv_reading import csv_reading
from benchmarks.demo_seeds import demo_seeds
from benchmarks.failure_causes import failure_causes
from benchmarks.matrix_view import matrix_view
from benchmarks.ocr_encoding import ocr_encoding
from benchmarks.ocr_reading import ocr_reading
from benchmarks.ranks import at_textvr_size, ranks
from benchmarks.real_videos import measured_real_videos
from benchmarks.report import NoDataError, Report, circumstances, load, put
from benchmarks.rescoring import rescoring
from benchmarks.training_frames import training_frames
from benchmarks.video_reading import video_reading
from benchmarks.word_matching import word_matching

BENCHMARKS: dict[str, Callable[[Report], None]] = {
    "ranks": ranks,
    "metrics": at_textvr_size,
    "rescoring": rescoring,
    "csv_reading": csv_reading,
    "word_matching": word_matching,
    "failure_causes": failure_causes,
    "matrix_view": matrix_view,
    "app_speed": app_speed,
    "video_reading": video_reading,
    "training_frames": training_frames,
    "ocr_reading": ocr_reading,
    "ocr_encoding": ocr_encoding,
    "real_videos": measured_real_videos,
    "demo_seeds": demo_seeds,
}
RESULTS = Path(__file__).with_name("RESULTS.md")


def run(name: str, data: Path | None) -> list[str]:
    """Run one and write its part; returns the floors that it missed."""
    report, before = Report(data), load()
    print(f"--- {name}", flush=True)
    try:
        BENCHMARKS[name](report)
    except NoDataError as error:
        print(f"Left as it is: {error}")
        return []
    lines = [report.lines[0], "", circumstances(name, before), *report.lines[1:]]
    put(RESULTS, name, lines, list(BENCHMARKS))
    print("\n".join(lines))
    return [f"{name}: {sentence}" for sentence in report.missed]


def main() -> None:
    """Run the named ones, or all, and fail when a floor is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure; writes RESULTS.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; none = all")
    parser.add_argument("--data", type=Path, default=os.environ.get("WORKBENCH_REAL_DATA"), help="real data")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in BENCHMARKS]:
        parser.error(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.")
    data = Path(asked.data) if asked.data and (Path(asked.data) / "videos/clips.jsonl").is_file() else None
    missed = [sentence for name in asked.names or BENCHMARKS for sentence in run(name, data)]
    if missed:
        sys.exit("Floors missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
