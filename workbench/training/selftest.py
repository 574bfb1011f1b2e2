"""Does this machine do the whole way? Draw, decode, read, train, stop, resume, score: small, in a minute, for real."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from workbench.core.errors import WorkbenchError
from workbench.core.optional import need
from workbench.core.workspace import elsewhere
from workbench.corpus import Corpus
from workbench.corpus.media import file_of
from workbench.evaluation import Run
from workbench.models import build_model
from workbench.models.checkpoints import load_model
from workbench.ocr.matching import caption_words
from workbench.pipelines.demo.build import build_demo
from workbench.pipelines.demo.clip import FPS
from workbench.pipelines.demo.plan import Shot, plan
from workbench.pipelines.scoring import score
from workbench.training.train import train
from workbench.video import probe, read_frames

NAME, RECIPE, HALF = "selftest", "textvr_fusion_selftest", 10
DOMAINS = ("Games", "Sports")
CLIPS = {"train": 8, "val": 2, "test": 4}
READ_AT_LEAST = 0.7
"""Share of the drawn words that the OCR must read; the demo's usual share is above 0.9."""


def selftest(workers: int | None = None) -> pd.DataFrame:
    """Run the whole way on a small drawn corpus in a workspace of its own, which is removed afterwards.

    Args:
        workers: Processes that draw and read; None = all cores.

    Returns:
        part, state (ok, problem), found, remedy, seconds; after a problem the parts that need it are left out.
    """
    rows = []
    with tempfile.TemporaryDirectory(prefix="workbench-selftest-") as folder, elsewhere(Path(folder)):
        began = time.perf_counter()
        try:
            for part, sentence in _parts(workers):
                rows.append((part, "ok", sentence, "", round(time.perf_counter() - began, 1)))
                began = time.perf_counter()
        except WorkbenchError as error:
            rows.append(
                (PARTS[len(rows)], "problem", error.message, error.remedy, round(time.perf_counter() - began, 1))
            )
    return pd.DataFrame(rows, columns=["part", "state", "found", "remedy", "seconds"])


def _parts(workers: int | None) -> Iterator[tuple[str, str]]:
    """Each part's name and what it found, as it is done."""
    shots = few_shots()
    corpus = build_demo(name=NAME, shots=shots, workers=workers)
    yield PARTS[0], f"{len(shots)} videos drawn, encoded as H.264 and given to the OCR"
    yield PARTS[1], _decoded(corpus, shots)
    yield PARTS[2], _read(corpus)
    whole = _finished(train(RECIPE, name="whole"))
    yield PARTS[3], f"20 steps on {_device()}, loss {_loss(whole, 0):.2f} to {_loss(whole, -1):.2f}"
    yield PARTS[4], _resumed(whole)
    floor = score(build_model("bm25_ocr"), NAME, name="bm25", model="bm25_ocr")
    r1 = floor.metrics["t2v"]["r1"]
    yield (
        PARTS[5],
        f"trained {whole.metrics['t2v']['r1']:.0f}, BM25 {r1:.0f} R@1 of {whole.metrics['t2v']['n_queries']} queries",
    )


PARTS = ("Draw and OCR", "Decode", "Words read", "Train", "Stop and resume", "Score")


def few_shots(seed: int = 0) -> list[Shot]:
    """Clips of two domains out of the demo's plan, none with planted trouble."""
    left = {(domain, split): count for domain in DOMAINS for split, count in CLIPS.items()}
    chosen = []
    for shot in plan(seed):
        place = (shot.clip.domain, shot.split)
        if left.get(place, 0) and not shot.trouble:
            left[place] -= 1
            chosen.append(shot)
    return chosen


def _decoded(corpus: Corpus, shots: list[Shot]) -> str:
    """Probe and decode every clip; the number of frames must be the number that was drawn."""
    n_frames = 0
    for shot in shots:
        info = probe(file_of(corpus, shot.clip.video_id))
        drawn = round(shot.clip.seconds * FPS)
        found = len(read_frames(info, range(info.n_frames)).pixels)
        if not drawn == info.n_frames == found:
            raise WorkbenchError(
                f"{shot.clip.video_id}: {drawn} frames drawn, {found} decoded.", "Reinstall PyAV: pip install av"
            )
        n_frames += found
    return f"{n_frames:,} frames, as many as were drawn"


def _read(corpus: Corpus) -> str:
    """Share of drawn words that the engine read."""
    texts = corpus.texts
    words = {
        engine: {
            (video, word)
            for video, text in zip(own["video_id"], own["text"], strict=True)
            for word in caption_words(text)
        }
        for engine, own in texts.groupby("engine")
    }
    share = len(words["truth"] & words.get("rapidocr", set())) / len(words["truth"])
    if share < READ_AT_LEAST:
        raise WorkbenchError(
            f"Only {share:.0%} of the drawn words were read.", "Reinstall the engine: pip install rapidocr onnxruntime"
        )
    return f"{share:.0%} of {len(words['truth'])} drawn words read"


def _resumed(whole: Run) -> str:
    """Stop half way, resume, and compare every weight with the uninterrupted run."""
    torch = need("torch", "The self-test")
    train(RECIPE, name="halved", stop_at=HALF)
    halved = _finished(train(RECIPE, name="halved", resume=True))
    pairs = [load_model(run.path, "last").network.state_dict() for run in (whole, halved)]  # type: ignore[attr-defined]  # textvr_fusion has one
    apart = max(float((pairs[1][name] - value).abs().max()) for name, value in pairs[0].items())
    if apart > (1e-3 if torch.cuda.is_available() else 0):
        raise WorkbenchError(f"The resumed weights differ by {apart:.1e}.", "Report it: resuming is broken here.")
    return f"stopped at step {HALF}, resumed: weights equal {f'to {apart:.0e}' if apart else 'bit by bit'}"


def _finished(run: Run | object) -> Run:
    if not isinstance(run, Run) or run.state != "finished":
        raise WorkbenchError("The training did not finish.", "Run it alone to see why: workbench doctor --selftest")
    return run


def _loss(run: Run, at: int) -> float:
    history = pd.DataFrame(run.history)
    return float(history.loc[history["name"] == "loss", "value"].iloc[at])


def _device() -> str:
    torch = need("torch", "The self-test")
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "the CPU"
