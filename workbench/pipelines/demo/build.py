"""Draw and encode the demo's videos, make its corpus, let the real OCR read it, and look which troubles it had."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.errors import WorkbenchError
from workbench.core.files import atomic, read_json, write_json
from workbench.core.optional import need
from workbench.core.pool import over
from workbench.core.workspace import workspace
from workbench.corpus import Corpus, save_corpus
from workbench.corpus.formats.parsed import find_renditions, one_relevance_per_caption
from workbench.ocr import Engine, Settings
from workbench.ocr.matching import caption_words
from workbench.pipelines.demo.clip import FPS, HEIGHT, WIDTH, Clip
from workbench.pipelines.demo.plan import Shot, plan
from workbench.pipelines.ocr import run_ocr
from workbench.pipelines.videos import probe_corpus

NAME = "demo"
OCR = Settings(preset="fast", n_frames=3, stride=1)
ENCODING = {"crf": "20", "preset": "veryfast", "x264-params": "mbtree=0"}
"""With x264's macroblock tree the same pictures gave other bytes from time to time (libx264 of PyAV 18.1)."""
PROTOCOL = "Each caption finds its video among all videos of the split. Drawn and written from a seed."
CORNERS = [f"{axis}{i}" for i in range(1, 5) for axis in ("x", "y")]


@dataclass(frozen=True)
class _Task:
    clip: Clip
    path: Path
    truth: Path
    broken: bool


def build_demo(
    seed: int = 0, *, name: str = NAME, shots: Sequence[Shot] | None = None, overwrite: bool = False,
    workers: int | None = None,
) -> Corpus:  # fmt: skip
    """Make the demo corpus in the workspace; an interrupted build goes on.

    Args:
        seed: Another seed, other films; the same seed gives the same tables.
        name: The corpus' name.
        shots: The clips to draw; None = all of ``plan(seed)``.
        overwrite: Move a corpus of that name to the trash.
        workers: Processes that draw and read; None = all cores.

    Raises:
        ExistsError: A corpus of that name exists.
        MissingExtraError: Pillow, matplotlib (its fonts) or the OCR engine is not installed.
    """
    need("matplotlib", "Drawing the demo")
    shots = list(plan(seed) if shots is None else shots)
    root = workspace().home / "videos" / name / f"seed{seed}"
    if overwrite and root.exists():  # another version may have drawn them otherwise
        shutil.rmtree(root)
    _draw_all(shots, root, workers)
    corpus = save_corpus(name, _tables(shots, root), _meta(seed, root), overwrite=overwrite)
    corpus = probe_corpus(corpus, workers=workers)
    corpus = run_ocr(corpus, OCR, workers=workers).corpus
    described = {**corpus.meta, "planted": planted(corpus, shots)}
    write_json(corpus.path / "corpus.json", described)
    return Corpus(corpus.path)


def _meta(seed: int, root: Path) -> dict[str, Any]:
    return {
        "title": "Demo", "format": "demo", "protocol": PROTOCOL, "default_split": "test", "seed": seed,
        "roots": {"original": str(root)},
        "notes": ["Made on this machine: drawn scenes, invented names, text read by a real OCR engine."],
    }  # fmt: skip


def _draw_all(shots: list[Shot], root: Path, workers: int | None) -> None:
    tasks = []
    for shot in shots:
        path = root / shot.clip.video_id
        truth = root / ".truth" / f"{shot.clip.video_id}.json"
        if not (path.exists() and truth.exists()):
            tasks.append(_Task(shot.clip, path, truth, shot.trouble == "broken"))
    for _, result in over(tasks, _draw_one, label="Drawing videos", unit="videos", workers=workers):
        if isinstance(result, WorkbenchError):
            raise result


def _draw_one(task: _Task) -> int:
    """Encode one clip and keep where its words stand; returns its frames."""
    from workbench.pipelines.demo.scenes import draw

    av = need("av", "Encoding the demo")
    boxes: list[list[float]] = []
    with atomic(task.path) as temporary:
        with av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as out:
            stream = out.add_stream("libx264", rate=FPS, options=ENCODING)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.codec_context.thread_count = 1
            stream.codec_context.time_base = Fraction(1, FPS)
            stream.codec_context.gop_size = FPS
            index = -1
            for index, (pixels, quads) in enumerate(draw(task.clip)):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, FPS)
                out.mux(stream.encode(frame))
                for sign, quad in enumerate(quads):
                    if quad is not None:
                        corners = np.clip(quad / (WIDTH, HEIGHT), 0, 1)
                        boxes.append([sign, index, *np.round(corners, 5).ravel().tolist()])
            out.mux(stream.encode(None))
        if task.broken:
            temporary.write_bytes(temporary.read_bytes()[:900])
    write_json(task.truth, {"boxes": boxes})
    return index + 1


def _tables(shots: list[Shot], root: Path) -> dict[str, pd.DataFrame]:
    videos = pd.DataFrame({
        "video_id": [shot.clip.video_id for shot in shots], "domain": [shot.clip.domain for shot in shots],
        "source_id": [shot.source_id for shot in shots], "split": [shot.split for shot in shots],
    })  # fmt: skip
    renditions, status = find_renditions(videos["video_id"], {"original": root}, lambda video: [video])
    videos["status"] = videos["video_id"].map(status)
    rows = [
        {"caption_id": f"{shot.clip.video_id}#{n}", "video_id": shot.clip.video_id, "text": caption.text,
         "language": "en", "role": "original", "split": shot.split, "query_type": caption.query_type}
        for shot in shots for n, caption in enumerate(shot.captions)
    ]  # fmt: skip
    captions = pd.DataFrame(rows)
    texts, boxes, coverage = _truth(shots, root)
    return {
        "videos": videos, "captions": captions, "relevance": one_relevance_per_caption(captions),
        "renditions": renditions, "texts": texts, "boxes": boxes, "text_coverage": coverage,
    }  # fmt: skip


def _truth(shots: list[Shot], root: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The drawn words as engine ``truth``: every frame on which a text stands wholly."""
    texts, boxes, coverage = [], [], []
    for shot in shots:
        clip = shot.clip
        found = read_json(root / ".truth" / f"{clip.video_id}.json", f"the drawn words of {clip.video_id}")["boxes"]
        n_frames = round(clip.seconds * FPS)
        for number, sign in enumerate(clip.signs):
            text_id = f"{clip.video_id}#truth#{number}"
            frames = [int(box[1]) for box in found if box[0] == number]
            texts.append({
                "text_id": text_id, "video_id": clip.video_id, "kind": "ocr", "engine": "truth", "text": sign.text,
                "score": 1.0, "start_s": frames[0] / FPS, "end_s": frames[-1] / FPS, "first_frame": frames[0],
                "last_frame": frames[-1], "n_boxes": len(frames),
            })  # fmt: skip
            boxes += [[text_id, int(box[1]), box[1] / FPS, *box[2:]] for box in found if box[0] == number]
        coverage.append({
            "video_id": clip.video_id, "engine": "truth", "state": "read", "rendition": "original", "width": WIDTH,
            "height": HEIGHT, "n_frames": n_frames, "fps": float(FPS), "frames_read": np.arange(n_frames),
        })  # fmt: skip
    columns = ["text_id", "frame", "time_s", *CORNERS]
    return pd.DataFrame(texts), pd.DataFrame(boxes, columns=columns), pd.DataFrame(coverage)


def planted(corpus: Corpus, shots: list[Shot]) -> list[dict[str, Any]]:
    """The planted troubles, and whether the real engine (or reader) shows them.

    Returns:
        video_id, trouble, shown, read: what the engine made of it.
    """
    texts = corpus.texts[corpus.texts["engine"] == Engine.name]
    status = corpus.videos.set_index("video_id")["status"]
    found = []
    for shot in shots:
        if not shot.trouble:
            continue
        video_id = shot.clip.video_id
        read = texts.loc[texts["video_id"] == video_id, "text"].tolist()
        drawn = {word for sign in shot.clip.signs for word in caption_words(sign.text)}
        lost = drawn - {word for text in read for word in caption_words(text)}
        shown = status[video_id] == "broken" if shot.trouble == "broken" else bool(lost)
        found.append({"video_id": video_id, "trouble": shot.trouble, "shown": shown, "read": read})
    return found
