"""The release's checkpoint and config as a model here, every weight accounted for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from workbench.core.optional import need
from workbench.models.textvr_fusion.families import build
from workbench.models.textvr_fusion.starvr.config import ReleaseConfig, read_config, recipe_of_config
from workbench.models.textvr_fusion.starvr.model import TEMPORAL, Starvr
from workbench.models.textvr_fusion.starvr.release import read_release
from workbench.models.textvr_fusion.starvr.weights import check_names
from workbench.models.towers.space_time.weights import fit_temporal

OWN = ("scale",)
"""Weights that the release lacks: its temperature is a setting of its loss."""
COUNTERS = re.compile(r"(text_model|ocr_model)\.embeddings\.position_ids$")
"""Constant buffers that some versions of transformers save."""


@dataclass(frozen=True)
class Imported:
    """A checkpoint that was read.

    Attributes:
        model: With its weights.
        loaded: Names that were set.
        missing: Names that the file lacks by its nature and that were set by the config.
        left_out: Names of the file that hold constants.
        temporal_rows: Rows of the temporal table in the file and in the model; None where there is no video tower.
        told: Plain values beside the weights: epoch, arch, ...
        config: Its config in the workbench's words; None where none was given.
    """

    model: Starvr
    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    left_out: tuple[str, ...]
    temporal_rows: tuple[int, int] | None
    told: dict[str, Any]
    config: ReleaseConfig | None


def import_checkpoint(
    path: Path | str,
    config: Path | str | None = None,
    *,
    modality: str = "fusion",
    tokenizer: Path | str | None = None,
    into: Path | str | None = None,
    temporal: str = "zeros",
    **options: Any,
) -> Imported:
    """A checkpoint of the release, or of plain Frozen in Time (modality ``vision``), as a model.

    Args:
        path: ``textvr.pth``; what it pickles beside tensors is never run.
        config: Its ``config.json``; None = the published sizes.
        modality: What the checkpoint was trained as; the release keeps it in its code.
        tokenizer: Folder with the vocabulary; None = ``pieces.text_folder``.
        into: Folder for ``model.safetensors`` and the vocabulary, which ``load`` opens; None = write nothing.
        temporal: Rule of ``TEMPORAL_RULES`` where the model has more frames than the checkpoint; fewer cut the table.
        **options: Fields of ``StarvrOptions`` that differ from the config's.

    Raises:
        DataError: A file is absent or damaged, weights are missing, unexpected or of another size (all are counted,
            some named), or the config asks for another model.
        UnknownNameError: No such modality or rule.
        MissingExtraError: torch or transformers is not installed.
    """
    told_config = None if config is None else recipe_of_config(read_config(Path(config)), modality=modality)
    stated = told_config.options if told_config else {}
    state, told = read_release(Path(path))
    made = cast(Starvr, build(modality, "starvr", tokenizer=tokenizer, **{**stated, **options}))
    left_out = tuple(name for name in state if COUNTERS.match(name))
    named = {name: value for name, value in state.items() if name not in left_out}
    rows = None
    if (table := named.get(TEMPORAL)) is not None and table.ndim == 3:
        rows = (int(table.shape[1]), made.options.n_frames)
        named[TEMPORAL] = fit_temporal(table, made.options.n_frames, temporal)
    check_names(made.network.state_dict(), named, str(path), absent=OWN)
    made.network.load_state_dict(named, strict=False)
    _set_temperature(made, told_config)
    if into is not None:
        made.save(Path(into))
    return Imported(made, tuple(named), OWN, left_out, rows, told, told_config)


def _set_temperature(model: Starvr, config: ReleaseConfig | None) -> None:
    if config is not None:
        torch = need("torch", "Reading a checkpoint")
        with torch.no_grad():
            model.network.scale.fill_(-math.log(config.recipe["temperature"]))
