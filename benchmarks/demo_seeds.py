"""The demo's models at three seeds: what each modality reaches, how sure that is, and what training takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.report import Report
from workbench.analysis import by_slice, leaderboard
from workbench.core.workspace import elsewhere
from workbench.evaluation import Run
from workbench.models import build_model
from workbench.pipelines.demo.build import NAME, build_demo
from workbench.pipelines.scoring import score
from workbench.training import train

RECIPE, SEEDS, MODALITIES = "textvr_fusion_demo", (0, 1, 2), ("vision", "ocr", "fusion")
GAIN = 15  # points of t2v R@1 by which fusion must be above either modality, at every seed
LIMIT_S = 20  # of training per modality, on two cores
MOST_WAIT = 5  # percent of the time of a training's steps that waits for data


def demo_seeds(report: Report) -> None:
    """Train every modality at every seed on the demo corpus of seed 0 in a workspace of its own."""
    runs: dict[str, list[Run]] = {}
    seconds: dict[str, list[tuple[float, float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, elsewhere(Path(folder)):
        build_demo(0)
        runs["BM25"] = [score(build_model("bm25_ocr"), NAME, name="bm25", model="bm25_ocr")]
        for modality in MODALITIES:
            for seed in SEEDS:
                began = time.perf_counter()
                run = train(RECIPE, name=f"{modality}-{seed}", modality=modality, seed=seed)
                in_all = time.perf_counter() - began
                told = run.history.groupby("name")["value"].mean()
                seconds.setdefault(modality, []).append((told["seconds"], in_all, 100 * told["data wait"]))
                runs.setdefault(modality, []).append(run)
        _write(report, runs, seconds)


def _write(report: Report, runs: dict[str, list[Run]], seconds: dict[str, list[tuple[float, float, float]]]) -> None:
    boards = {name: leaderboard(of).set_index("run").loc[[run.name for run in of]] for name, of in runs.items()}
    n_queries, n_videos = int(boards["BM25"]["n_queries"].iloc[0]), len(runs["BM25"][0].gallery)
    report.say(
        f"## The demo at seeds {', '.join(map(str, SEEDS))}", "",
        f"`{RECIPE}` trained on the demo corpus of seed 0; {n_queries} test captions, {n_videos} videos, chance"
        f" {100 / n_videos:.1f} % R@1. Mean over seeds, least and most in brackets; 95 % intervals of each seed,"
        " clustered by source video. Seconds: training with its checks on the val split; in all: with decoding (the"
        " first time) and scoring of the test split; waits: share of the steps' time that waits for data.",
    )  # fmt: skip
    report.header("model", "t2v R@1 %", "intervals by seed", "v2t R@1 %", "intervals by seed", "seconds", "in all",
                  "waits, %")  # fmt: skip
    for name, board in boards.items():
        spent = ["", "", ""]
        if name in seconds:
            spent = [over_seeds(one, n) for one, n in zip(zip(*seconds[name], strict=True), (0, 0, 1), strict=True)]
        report.row(name, over_seeds(board["t2v_r1"]), _intervals(board, "t2v"), over_seeds(board["v2t_r1"]),
                   _intervals(board, "v2t"), *spent)  # fmt: skip
    parts = {name: pd.concat([by_slice(run, "query_type") for run in of]) for name, of in runs.items()}
    counts = parts["BM25"].set_index("slice")["n_queries"]
    report.say("", "t2v R@1 % by what a caption asks for (`query_type`), the same way:")
    report.header("model", *(f"{kind} ({n} captions)" for kind, n in counts.items()))
    for name, table in parts.items():
        report.row(name, *(over_seeds(table.loc[table["slice"] == kind, "value"]) for kind in counts.index))
    r1 = {name: board["t2v_r1"].to_numpy() for name, board in boards.items()}
    least = float((r1["fusion"] - np.maximum(r1["vision"], r1["ocr"])).min())
    report.floor(f"fusion {GAIN} points or more above either modality at every seed (least {least:.1f})", least >= GAIN)
    slowest = max(np.median([loop for loop, _, _ in spent]) for spent in seconds.values())
    report.floor(f"at most {LIMIT_S} s per training, median of the seeds (slowest {slowest:.0f})", slowest <= LIMIT_S)
    wait = max(share for spent in seconds.values() for *_, share in spent)
    report.floor(f"at most {MOST_WAIT} % of the steps' time waits for data (most {wait:.1f} %)", wait <= MOST_WAIT)


def over_seeds(values: Sequence[float], digits: int = 1) -> str:
    """Mean with least and most; one value stands alone."""
    found = [f"{value:.{digits}f}" for value in (np.mean(values), np.min(values), np.max(values))]
    return found[0] if len(values) == 1 else f"{found[0]} ({found[1]} to {found[2]})"


def _intervals(board: pd.DataFrame, direction: str) -> str:
    columns = [f"{direction}_r1_low", f"{direction}_r1_high"]
    return ", ".join(f"{low:.0f} to {high:.0f}" for low, high in board[columns].itertuples(index=False))
