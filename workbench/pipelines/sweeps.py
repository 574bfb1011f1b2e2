"""What more frames or larger ones are worth: one checkpoint scored several times with other inputs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import product
from typing import Any

import pandas as pd

from workbench.core.errors import DataError
from workbench.core.lookup import nearest
from workbench.corpus import Corpus
from workbench.evaluation import Run
from workbench.evaluation.runs.saving import open_split
from workbench.models.encoding import encode_one, kept_of, one_thread_each
from workbench.pipelines.checkpoints import open_model, open_with
from workbench.pipelines.inputs import gallery_of
from workbench.pipelines.rules import InputRules
from workbench.pipelines.scoring import check_free, score

TIMED = 100
"""Videos that are encoded to take the time."""


def sweep_frames(
    checkpoint: str,
    corpus: Corpus | str,
    *,
    name: str,
    n_frames: Sequence[int] = (),
    heights: Sequence[int] = (),
    split: str | None = None,
    options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> pd.DataFrame:
    """Score a corpus once for every number of frames and every size of them, each into a run without a matrix.

    Args:
        checkpoint: What ``open_model`` opens.
        corpus: The corpus or its name.
        name: What the names of the runs begin with: NAME-8f, NAME-8f-64px.
        n_frames: Frames per video; none = as the model was made.
        heights: Heights of a frame in pixels, its shape kept; none = as the model was made.
        split: Its split.
        options: Of a model that needs no training.
        overwrite: Move runs of these names to the trash.

    Returns:
        n_frames, height and width (pixels), run, t2v_r1, t2v_median_rank, v2t_r1, seconds_per_100 (to encode 100 videos
        that are decoded already, one after another, on a CPU on one thread), timed_on (device); a row per setting.

    Raises:
        DataError: The model looks at no frames, or its weights fit no other number or size of them.
        ExistsError: A run of one of these names exists.
    """
    model, rules, info = open_model(checkpoint, options)
    if "frames" not in model.needs:
        raise DataError("The model looks at no frames.", "Choose a vision or fusion model.")
    opened = open_split(corpus, split)
    settings = {
        f"{name}-{frames}f" + (f"-{height}px" if heights else ""): _changed(model, rules, frames, height)
        for frames, height in product(n_frames or [rules.sampler.n], heights or [rules.height])
    }
    for one, changed in settings.items():
        check_free(one, overwrite)
        if changed:
            open_with(checkpoint, options, changed)  # refuses what its weights cannot take, before anything is scored
    rows = []
    for one, changed in settings.items():
        other = open_with(checkpoint, options, changed)
        told = {**info, "changed_inputs": changed}
        rows.append(_scored(other, opened, _rules(rules, other), one, overwrite, told))
    return pd.DataFrame(rows)


def _changed(model: Any, rules: InputRules, n_frames: int, height: int) -> dict[str, int]:
    """Options of the model that differ, by name.

    Raises:
        DataError: Frames of this size are not an option of it, or a number below 1.
    """
    if n_frames < 1 or height < 1:
        raise DataError(f"{n_frames} frames of {height} pixels are none.", "Give numbers from 1.")
    changed = {} if n_frames == rules.sampler.n else {"n_frames": n_frames}
    if height == rules.height:
        return changed
    width = max(1, round(height * rules.width / rules.height))
    options = getattr(model, "options", None)  # a model from outside the tree may have none
    known = asdict(options) if options is not None else {}
    sizes = {"height": height, "width_px": width} if "height" in known else {"image_size": height}
    if wrong := set(sizes) - set(known):
        raise DataError("The size of the model's frames is that of its tower.", nearest(min(wrong), known))
    return {**changed, **sizes}


def _rules(rules: InputRules, model: Any) -> InputRules:
    """The rules of the checkpoint's inputs, with the number and size of frames that a model reads."""
    reads = model.reads
    sampler = replace(rules.sampler, n=reads.get("n_frames", rules.sampler.n))
    return replace(
        rules, sampler=sampler, height=reads.get("height", rules.height), width=reads.get("width", rules.width)
    )


def _scored(
    model: Any, corpus: Corpus, rules: InputRules, name: str, overwrite: bool, info: dict[str, Any]
) -> dict[str, Any]:
    """One setting: its run, its metrics and its time."""
    seconds = _seconds_per_100(model, corpus, rules)
    if info["changed_inputs"]:
        info["ablation"] = f"frames {rules.sampler.n} of {rules.width} x {rules.height}"
    run: Run = score(model, corpus, name=name, rules=rules, overwrite=overwrite, keep_matrix=False, **info)
    t2v, v2t = run.metrics["t2v"], run.metrics["v2t"]
    return {
        "n_frames": rules.sampler.n, "height": rules.height, "width": rules.width, "run": name, "t2v_r1": t2v["r1"],
        "t2v_median_rank": t2v["median_rank"], "v2t_r1": v2t["r1"], "seconds_per_100": seconds,
        "timed_on": str(getattr(model, "device", "cpu")),
    }  # fmt: skip


def _seconds_per_100(model: Any, corpus: Corpus, rules: InputRules) -> float | None:
    """Seconds to encode 100 videos one after another, past the cache; None for a model that encodes all together."""
    if kept_of(model) is None:
        return None
    ids = corpus.videos["video_id"].tolist()[:TIMED]
    gallery = gallery_of(corpus, model.needs, rules, videos=ids).gallery
    rows = [gallery.take([at]) for at, video in enumerate(gallery.video_ids) if video not in gallery.missing]
    with one_thread_each(model):
        encode_one(model, rows[0])  # the first one also prepares the device
        began = time.perf_counter()
        for row in rows:
            encode_one(model, row)
    return 100 * (time.perf_counter() - began) / len(rows)
