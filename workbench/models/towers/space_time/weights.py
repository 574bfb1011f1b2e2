"""Weights of an image ViT or of a trained tower into a space-time transformer, by exact lists of names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import DataError
from workbench.core.lookup import nearest, pick
from workbench.core.optional import need
from workbench.models.torch_files import read_torch_file

if TYPE_CHECKING:
    import torch

    from workbench.models.towers.space_time.network import SpaceTimeTransformer

    State = dict[str, torch.Tensor]

TEMPORAL_RULES = {"zeros": "", "interp": "nearest", "bilinear": "linear"}
"""Rows of a temporal table that is too short: zeros behind, the nearest row, or a line between rows (half-pixel
centres); the names are those of the authors' ``load_temporal_fix``, the values torch's interpolation modes."""

HEADS = re.compile(r"(vit\.)?(head|head_dist|pre_logits|pooler|classifier)\.")
"""Beginnings of names that belong to another task; they are left out."""

WRAPPED = ("state_dict", "model", "model_state_dict", "weights")
"""Names under which a torch file may hold its weights, beside other things."""

SAVE = "Save its tensors alone: torch.save(model.state_dict(), path)."

BEFORE = ("module.", "video_model.", "eyes.tower.", "frames.tower.")
"""What training on several GPUs, and models that the tower is part of, put before its names."""

TEMPORAL = re.compile(r"temporal_embed$|blocks\.\d+\.(timeattn|norm3)\.")

HUGGING_FACE = [
    (r"embeddings\.cls_token", "cls_token"),
    (r"embeddings\.position_embeddings", "pos_embed"),
    (r"embeddings\.patch_embeddings\.projection\.(\w+)", r"patch_embed.proj.\1"),
    (r"layernorm\.(\w+)", r"norm.\1"),
    (r"(?:encoder\.layer|layers)\.(\d+)\.layernorm_before\.(\w+)", r"blocks.\1.norm1.\2"),
    (r"(?:encoder\.layer|layers)\.(\d+)\.layernorm_after\.(\w+)", r"blocks.\1.norm2.\2"),
    (r"encoder\.layer\.(\d+)\.attention\.attention\.(query|key|value)\.(\w+)", r"blocks.\1.attn.\2.\3"),
    (r"encoder\.layer\.(\d+)\.attention\.output\.dense\.(\w+)", r"blocks.\1.attn.proj.\2"),
    (r"encoder\.layer\.(\d+)\.intermediate\.dense\.(\w+)", r"blocks.\1.mlp.fc1.\2"),
    (r"encoder\.layer\.(\d+)\.output\.dense\.(\w+)", r"blocks.\1.mlp.fc2.\2"),
    (r"layers\.(\d+)\.attention\.q_proj\.(\w+)", r"blocks.\1.attn.query.\2"),
    (r"layers\.(\d+)\.attention\.k_proj\.(\w+)", r"blocks.\1.attn.key.\2"),
    (r"layers\.(\d+)\.attention\.v_proj\.(\w+)", r"blocks.\1.attn.value.\2"),
    (r"layers\.(\d+)\.attention\.o_proj\.(\w+)", r"blocks.\1.attn.proj.\2"),
    (r"layers\.(\d+)\.mlp\.(fc1|fc2)\.(\w+)", r"blocks.\1.mlp.\2.\3"),
]
"""Names of ``ViTModel``: as its files have them (``encoder.layer``), and as transformers 5 has them in memory."""


@dataclass(frozen=True)
class WeightReport:
    """What loading did.

    Attributes:
        layout: ``timm`` (also of the authors' checkpoints) or ``hugging_face``.
        loaded: Names that were set, as the tower calls them.
        missing: Names that kept their start; all temporal parts, or none.
        left_out: Names of heads in the file, as the file calls them.
        temporal_rows: Rows of the temporal table in the file and in the tower; None where the file has none.
    """

    layout: str
    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    left_out: tuple[str, ...]
    temporal_rows: tuple[int, int] | None


def load_weights(
    tower: SpaceTimeTransformer, source: Path | Mapping[str, torch.Tensor], *, temporal: str = "zeros"
) -> WeightReport:
    """Set a tower's weights; nothing is changed where this raises.

    Args:
        tower: The tower, of the same sizes as the weights but for its frames.
        source: A ``.safetensors`` or torch file, or its tensors by name: a ViT in the layout of timm or of Hugging Face
            (with or without ``vit.`` before its names), or a space-time transformer, also as part of a model (names
            that begin as in ``BEFORE``).
        temporal: A rule of ``TEMPORAL_RULES``, for a temporal table shorter than the tower's; a longer one is cut.

    Raises:
        UnknownNameError: No such rule.
        DataError: The file cannot be read, lacks weights that an image ViT has or has a part of the temporal ones only,
            has others, or has other sizes.
        MissingExtraError: torch or safetensors is not installed.
    """
    pick(TEMPORAL_RULES, temporal, "temporal rule")
    state = _of_tower(dict(source) if isinstance(source, Mapping) else read_weights(Path(source)))
    left_out = tuple(name for name in state if HEADS.match(name))
    layout, named = as_timm({name: value for name, value in state.items() if not HEADS.match(name)})
    rows = None
    if (table := named.get("temporal_embed")) is not None and table.ndim == 3:
        rows = (table.shape[1], tower.n_frames)
        named["temporal_embed"] = fit_temporal(table, tower.n_frames, temporal)
    own = tower.state_dict()
    missing = tuple(name for name in own if name not in named)
    _check_names(own, named, missing)
    _check_shapes(own, named)
    tower.load_state_dict(named, strict=False)
    return WeightReport(layout, tuple(name for name in own if name in named), missing, left_out, rows)


def read_weights(path: Path) -> State:
    """The tensors of a ``.safetensors`` file or of a torch file, by name.

    Raises:
        DataError: No such file, or it is damaged or no file of weights.
        MissingExtraError: torch or safetensors is not installed.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}.", "Give a .safetensors or .pt file of weights.")
    torch = need("torch", "Reading weights")
    if path.suffix != ".safetensors":
        found = read_torch_file(path, wrapped=WRAPPED, remedy=SAVE)
        return {name: torch.from_numpy(value) for name, value in found.items() if value.dtype.kind != "U"}
    safe = need("safetensors", "Reading weights")
    try:
        return need("safetensors.torch", "Reading weights").load_file(path)
    except safe.SafetensorError as error:
        raise DataError(f"{path} cannot be read as safetensors: {error}.", "Save or download it again.") from error


def as_timm(state: Mapping[str, torch.Tensor]) -> tuple[str, State]:
    """The layout that was found, and the weights under timm's names with one qkv matrix per block.

    Raises:
        DataError: A name of a Hugging Face ViT that is not known here, or a block without query, key or value.
    """
    bare = {name.removeprefix("vit."): value for name, value in state.items()}
    if not any(name.startswith("embeddings.") for name in bare):
        return "timm", dict(state)
    named: State = {}
    for name, value in bare.items():
        found = [re.sub(pattern, to, name) for pattern, to in HUGGING_FACE if re.fullmatch(pattern, name)]
        if not found:
            raise DataError(f"The weights {name!r} belong to no plain ViT.", "This reads ViTModel of transformers.")
        named[found[0]] = value
    return "hugging_face", _joined(named)


def _of_tower(state: State) -> State:
    """Weights without what ``BEFORE`` puts before their names; of a whole model those of its tower alone."""
    for before in BEFORE:
        own = {name.removeprefix(before): value for name, value in state.items() if name.startswith(before)}
        state = own or state
    return state


def _joined(named: State) -> State:
    """Query, key and value of each block as one matrix, in this order."""
    torch = need("torch", "Reading weights")
    parts = {name: value for name, value in named.items() if re.search(r"\.attn\.(query|key|value)\.", name)}
    joined = {name: value for name, value in named.items() if name not in parts}
    for kind in sorted({re.sub(r"\.(query|key|value)\.", ".{}.", name) for name in parts}):
        names = [kind.format(part) for part in ("query", "key", "value")]
        if lacking := [name for name in names if name not in parts]:
            raise DataError(f"The weights {lacking[0]!r} are missing.", "Take a file of the whole model.")
        joined[kind.format("qkv")] = torch.cat([parts[name] for name in names])
    return joined


def fit_temporal(table: torch.Tensor, n_frames: int, rule: str) -> torch.Tensor:
    """A temporal table [1, rows, D] with ``n_frames`` rows: cut where it is longer, else filled by ``TEMPORAL_RULES``.

    Raises:
        UnknownNameError: No such rule.
    """
    mode = pick(TEMPORAL_RULES, rule, "temporal rule")
    rows = table.shape[1]
    if rows >= n_frames:
        return table[:, :n_frames]
    functional = need("torch.nn.functional", "Reading weights")
    if not mode:
        return functional.pad(table, (0, 0, 0, n_frames - rows))
    return functional.interpolate(table.transpose(1, 2), n_frames, mode=mode).transpose(1, 2)


def _check_names(own: State, named: State, missing: tuple[str, ...]) -> None:
    if unexpected := [name for name in named if name not in own]:
        raise DataError(f"The weights {_listed(unexpected)} have no place in the tower.", nearest(unexpected[0], own))
    temporal = [name for name in own if TEMPORAL.match(name)]
    allowed = set(temporal) if not any(name in named for name in temporal) else set()
    if lacking := [name for name in missing if name not in allowed]:
        raise DataError(
            f"The file lacks the weights {_listed(lacking)}.",
            "Take a file of the whole model; only the temporal parts may be absent, all together.",
        )


def _check_shapes(own: State, named: State) -> None:
    found, wanted = named["pos_embed"].shape, own["pos_embed"].shape
    if found != wanted and len(found) == 3 and found[2] == wanted[2]:
        raise DataError(
            f"The weights were made for {found[1] - 1} patches per frame, the tower has {wanted[1] - 1}.",
            "Build the tower with the image_size and patch_size of the weights.",
        )
    wrong = [name for name in named if named[name].shape != own[name].shape]
    if wrong:
        raise DataError(
            f"The weights {wrong[0]!r} are {list(named[wrong[0]].shape)}, the tower has {list(own[wrong[0]].shape)}"
            f" ({len(wrong)} names differ in size).",
            "Build the tower with the sizes of the weights.",
        )


def _listed(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(name) for name in names[:most]) + more
