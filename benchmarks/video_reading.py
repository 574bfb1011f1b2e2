"""Twelve frames of a video: our reader, probe included, against what people use, on one core with one thread.

torchcodec is no part of the set-up. To measure it (Debian: `apt-get install ffmpeg`) lay it beside the environment:

    pip install --no-deps --target build/peers torchcodec==0.13.0
    PYTHONPATH=build/peers python -m benchmarks video_reading --data ../shared/data
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.report import Report
from workbench.core.optional import has
from workbench.core.seeds import generator
from workbench.video import read_frames
from workbench.video.sampling import Sampler, sample_frames

ROUNDS, N_FRAMES, SECONDS, RATE = 5, 12, 10, 25
SIZES = {"240p": (426, 240), "360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}
GROUPS = (12, 250)
NEAR = 3  # grey levels: conversions to RGB differ by so much, frames by more
REAL = (
    "open/googlework_short.mp4", "open/intel_bottles.mp4", "thirdparty/msrvtt_video7500.mp4", "odd/sea_360p.webm",
    "open/bikes_taxi.mp4", "thirdparty/chromecast_ad.mp4", "open/bbb_0_30.webm", "thirdparty/license_plate.mp4",
)  # fmt: skip
NOISE = 0.9
Measured = dict[str, float | str]
"""CPU milliseconds by reader, or why there are none."""
BAR = 12  # pixels: side of a block of the barcode, eight along the top


def ours(path: Path, indices: np.ndarray) -> np.ndarray:
    """The probe chooses the frames itself; ``indices`` are what it must find."""
    found = read_frames(path, Sampler("uniform", N_FRAMES))
    if not np.array_equal(found.indices, indices):
        raise ValueError(f"{path.name}: other frames were chosen")
    return found.pixels


def decord_naive(path: Path, indices: np.ndarray) -> np.ndarray:
    """Full size, as most training code does it."""
    import decord

    return decord.VideoReader(str(path), num_threads=1).get_batch(indices.tolist()).asnumpy()


def pyav_everything(path: Path, indices: np.ndarray) -> np.ndarray:
    """Every frame is decoded, the wanted ones are converted."""
    wanted = set(indices.tolist())
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "NONE"
        container.streams.video[0].codec_context.thread_count = 1
        frames = enumerate(container.decode(video=0))
        return np.stack([frame.to_ndarray(format="rgb24") for i, frame in frames if i in wanted])


@contextmanager
def _capture(path: Path) -> Iterator[Any]:
    import cv2

    cv2.setNumThreads(1)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        yield capture
    finally:
        capture.release()


def opencv_seek(path: Path, indices: np.ndarray) -> np.ndarray:
    """Position by frame number."""
    import cv2

    found = []
    with _capture(path) as capture:
        for index in indices:
            capture.set(cv2.CAP_PROP_POS_FRAMES, int(index))
            fine, picture = capture.read()
            if not fine:
                raise ValueError("no frame")
            found.append(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    return np.stack(found)


def opencv_grab(path: Path, indices: np.ndarray) -> np.ndarray:
    """Grab every frame up to the last, retrieve the wanted ones."""
    import cv2

    found, wanted = [], set(indices.tolist())
    with _capture(path) as capture:
        for index in range(int(indices[-1]) + 1):
            if not capture.grab():
                raise ValueError("no frame")
            if index in wanted:
                found.append(cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB))
    return np.stack(found)


def torchcodec_indices(path: Path, indices: np.ndarray) -> np.ndarray:
    """Its default, the exact seek mode."""
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(str(path), dimension_order="NHWC", num_ffmpeg_threads=1)
    return decoder.get_frames_at(indices.tolist()).data.numpy()


PEERS: dict[str, tuple[str, Callable[[Path, np.ndarray], np.ndarray]]] = {  # name: package, reader
    "decord": ("decord", decord_naive),
    "PyAV, all": ("av", pyav_everything),
    "OpenCV, seek": ("cv2", opencv_seek),
    "OpenCV, grab": ("cv2", opencv_grab),
    "torchcodec": ("torchcodec", torchcodec_indices),
}


def write_clip(path: Path, size: tuple[int, int], group: int) -> None:
    """Ten seconds of H.264: a texture that is panned, a patch of noise that moves over it, and noise everywhere."""
    draw = generator(0, "bench, clip", *size)
    width, height = size
    coarse = draw.integers(0, 256, (height // 8 + 40, width // 8 + 40, 3), np.uint8)
    texture = np.kron(coarse, np.ones((8, 8, 1), np.uint8)) // 2
    texture += draw.integers(0, 64, texture.shape, np.uint8)
    grain = draw.integers(0, 12, (height + 16, width + 16, 3), np.uint8)
    with av.open(str(path), "w") as container:
        options = {"preset": "medium", "crf": "23", "g": str(group), "keyint_min": str(min(group, 25)), "bf": "3"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 2
        for i in range(SECONDS * RATE):
            x, y = (i * 2) % 300, i % 300
            dx, dy = draw.integers(0, 16, 2)
            picture = texture[y : y + height, x : x + width] + grain[dy : dy + height, dx : dx + width]
            left = (i * 7) % (width - width // 6)
            shape = (height // 6, width // 6, 3)
            patch = picture[height // 3 : height // 3 + shape[0], left : left + shape[1]]
            patch[:] = draw.integers(0, 256, shape, np.uint8)
            for bit in range(8):
                picture[:BAR, bit * BAR : (bit + 1) * BAR] = 255 * (i >> bit & 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def barcodes(pictures: np.ndarray) -> list[int]:
    """The number that ``write_clip`` drew into each picture."""
    blocks = pictures[:, :BAR, : 8 * BAR].mean(axis=(1, 3)).reshape(len(pictures), 8, BAR).mean(2) > 127
    return [int(sum(1 << bit for bit in np.flatnonzero(row))) for row in blocks]


def same_frames(found: np.ndarray, truth: np.ndarray) -> bool:
    """Whether pictures agree to rounding; another frame, even the next one, differs somewhere by far more."""
    return found.shape == truth.shape and all(
        np.quantile(np.abs(a.astype(np.int16) - b), 0.999) <= NEAR for a, b in zip(found, truth, strict=True)
    )


def times(path: Path, *, coded: bool) -> tuple[float, Measured]:
    """Median CPU milliseconds of our reader and of every peer, or why there are none; rounds are interleaved.

    Args:
        path: The clip.
        coded: Whether every frame carries its number as a barcode.
    """
    with av.open(str(path)) as container:
        n = sum(1 for _ in container.decode(video=0))
    indices = sample_frames(Sampler("uniform", N_FRAMES), np.arange(float(n)))
    truth = pyav_everything(path, indices)
    if not np.array_equal(ours(path, indices), truth) or (coded and barcodes(truth) != indices.tolist()):
        raise ValueError(f"{path.name}: our frames differ from those of plain decoding")
    result: Measured = {}
    running = {"ours": ours}
    for name, (package, reader) in PEERS.items():
        if not has(package):
            result[name] = f"{package} is not installed"
            continue
        try:
            found = reader(path, indices)
            fine = same_frames(found, truth) and (not coded or barcodes(found) == indices.tolist())
        except (ValueError, IndexError, RuntimeError, ImportError) as error:
            result[name] = f"fails: {type(error).__name__}: {(str(error).splitlines() or [''])[0][:60]}"
            continue
        if fine:
            running[name] = reader
        else:
            result[name] = "other frames"
    taken: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(ROUNDS):
        for name, reader in running.items():
            start = time.process_time()
            reader(path, indices)
            taken[name].append(1000 * (time.process_time() - start))
    medians = {name: float(np.median(ms)) for name, ms in taken.items()}
    return medians.pop("ours"), {name: medians.get(name, result.get(name, "")) for name in PEERS}


@contextmanager
def one_core() -> Iterator[None]:
    """Everything on the last core of this process."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def throughput(report: Report, every: list[tuple[float, Measured]]) -> None:
    """Append a table: what one core gives of each reader over all clips that it reads right, and ours on the same.

    Args:
        report: Gets it.
        every: Of each clip our milliseconds, and those of every peer or why there are none.
    """
    report.say("", f"Throughput of one core, {N_FRAMES} frames of each clip, over the clips that a reader reads right:")
    report.header("reader", "clips", "frames/s", "ours on the same, frames/s", "ours, times as fast", "not measured")
    for name in PEERS:
        pairs = [(mine, peers[name]) for mine, peers in every]
        read = [(mine, taken) for mine, taken in pairs if isinstance(taken, float)]
        why = ", ".join(sorted({taken for _, taken in pairs if isinstance(taken, str)}))
        if not read:
            report.row(name, 0, "", "", "", why)
            continue
        ours_ms, theirs_ms = (sum(one) for one in zip(*read, strict=True))
        speeds = [f"{1000 * N_FRAMES * len(read) / taken:.1f}" for taken in (theirs_ms, ours_ms)]
        report.row(name, len(read), *speeds, f"{theirs_ms / ours_ms:.2f}", why)


def video_reading(report: Report) -> None:
    """Time all readers on made clips, and on real files when there are some."""
    report.say(
        f"## Reading {N_FRAMES} frames of a video, one core, one thread", "",
        f"CPU milliseconds, median of {ROUNDS} interleaved rounds; opening the file and, for ours, the probe included;"
        " peers are told which frames. In brackets: times as long as ours. A reader that gives other frames (made clips"
        " name each frame by a barcode) is no peer.",
    )  # fmt: skip
    report.header("clip", "ours", *PEERS, "best peer / ours")
    ratios, every = [], []
    with tempfile.TemporaryDirectory() as folder:
        clips = []
        for size, pixels in SIZES.items():
            for group in GROUPS:
                path = Path(folder) / f"{size}, key frame every {group}.mp4"
                write_clip(path, pixels, group)
                clips.append(path)
        real = [path for name in REAL if report.real and (path := report.real / "videos" / name).exists()]
        with one_core():
            for path in clips + real:
                mine, peers = times(path, coded=path in clips)
                cells = [f"{v:.0f} ({v / mine:.1f})" if isinstance(v, float) else v for v in peers.values()]
                ratios.append(min(v for v in peers.values() if isinstance(v, float)) / mine)
                every.append((mine, peers))
                name = path.stem if path in clips else path.name
                report.row(name, f"{mine:.0f}", *cells, f"{ratios[-1]:.2f}")
    throughput(report, every)
    report.floor(f"as fast as the best peer, within {100 * (1 - NOISE):.0f} %, on every clip", min(ratios) >= NOISE)
