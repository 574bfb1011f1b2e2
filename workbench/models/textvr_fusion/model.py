"""The model as the rest of the workbench sees it: captions and galleries in, numpy similarities out; safetensors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.files import atomic
from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.models.gallery import Gallery
from workbench.models.textvr_fusion.words import packed, tokens_of

MODALITIES = {"vision": {"frames"}, "ocr": {"ocr"}, "fusion": {"frames", "ocr"}}
CAPTIONS_PER_TILE, VIDEOS_PER_TILE = 64, 128


@dataclass(frozen=True)
class Options:
    """Everything that decides the shape of the network and of its inputs.

    Attributes:
        modality: ``vision``, ``ocr`` or ``fusion``.
        dim: Dimensions of a token.
        buckets: Hash buckets of character n-grams.
        width: Channels of the first convolution.
        grid: Rows and columns of tokens per frame.
        n_frames: Frames per video.
        height: Pixels of a frame.
        width_px: Pixels of a frame.
        max_words: Read words per video; the most confident ones are kept.
        caption_words: Words read of a caption; the rest is cut.
        seed: Of the random weights.
    """

    modality: str = "fusion"
    dim: int = 128
    buckets: int = 8192
    width: int = 48
    grid: tuple[int, int] = (3, 4)
    n_frames: int = 4
    height: int = 48
    width_px: int = 64
    max_words: int = 24
    caption_words: int = 32
    seed: int = 0


PRESETS = {
    "demo": Options(width=32, n_frames=2),
    "tiny": Options(dim=32, buckets=512, width=16, n_frames=2, height=24, width_px=32),
}


class TextvrFusion:
    """A ``RetrievalModel`` around the network."""

    def __init__(self, options: Options) -> None:
        pick(MODALITIES, options.modality, "modality")
        torch = need("torch", "The model textvr_fusion")
        from workbench.models.textvr_fusion.network import Network

        self.options = options
        self.needs = frozenset(MODALITIES[options.modality])
        self.reads: Mapping[str, int] = {
            "n_frames": options.n_frames, "height": options.height, "width": options.width_px,
            "max_words": options.max_words,
        }  # fmt: skip
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            self.network = Network(options.modality, options.dim, options.buckets, options.width, options.grid)
        self.network.eval()

    def caption_inputs(self, captions: Sequence[str]) -> dict[str, Any]:
        """Captions as tensors on the network's device."""
        return self._tensors(packed([tokens_of(one, self.options.caption_words) for one in captions], self._buckets))

    def video_inputs(self, gallery: Gallery) -> tuple[Any, dict[str, Any], Any]:
        """Frames, read words and their places as tensors on the network's device.

        Raises:
            DataError: The gallery lacks frames, or has frames of another size.
        """
        torch = need("torch", "The model textvr_fusion")
        frames = None
        if "frames" in self.needs:
            expected = (self.options.n_frames, self.options.height, self.options.width_px, 3)
            if gallery.frames is None or gallery.frames.shape[1:] != expected:
                found = None if gallery.frames is None else gallery.frames.shape[1:]
                raise DataError(f"The model reads frames {expected}, found {found}.", "Prepare them with its options.")
            frames = torch.from_numpy(gallery.frames).to(self.device)
        words = [one.text[: self.options.max_words] for one in gallery.words] if "ocr" in self.needs else []
        places = [one.place[: self.options.max_words] for one in gallery.words] if "ocr" in self.needs else []
        place = np.concatenate(places).astype(np.float32) if places else np.zeros((0, 6), np.float32)
        return frames, self._tensors(packed(words, self._buckets)), torch.from_numpy(place).to(self.device)

    def encode(self, gallery: Gallery) -> list[dict[str, Any]]:
        """Tokens of the videos, in tiles."""
        torch = need("torch", "The model textvr_fusion")
        count = len(gallery.video_ids)
        tiles = [range(at, min(at + VIDEOS_PER_TILE, count)) for at in range(0, count, VIDEOS_PER_TILE)]
        with torch.inference_mode():
            return [self.network.videos(*self.video_inputs(gallery.take(tile))) for tile in tiles]

    def parts(self, captions: Sequence[str], encoded: list[dict[str, Any]]) -> dict[str, np.ndarray]:
        """Similarity by modality, float32 [captions, videos]; computed tile by tile."""
        rows: dict[str, list[np.ndarray]] = {}
        for tile in self._tiles(captions, encoded):
            for name, part in tile.items():
                rows.setdefault(name, []).append(part.cpu().numpy())
        return {name: np.concatenate(found) for name, found in rows.items()}

    def _tiles(self, captions: Sequence[str], encoded: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Tensors by modality, some captions against all videos."""
        torch = need("torch", "The model textvr_fusion")
        for at in range(0, len(captions), CAPTIONS_PER_TILE):
            with torch.inference_mode():
                tokens = self.network.caption(self.caption_inputs(captions[at : at + CAPTIONS_PER_TILE]))
                tiles = [self.network.parts(tokens, tile) for tile in encoded]
                yield {name: torch.cat([tile[name] for tile in tiles], 1) for name in tiles[0]}

    def similarity(self, captions: Sequence[str], encoded: list[dict[str, Any]]) -> np.ndarray:
        """Sum of the parts, float32 [captions, videos]."""
        return np.asarray(sum(self.parts(captions, encoded).values()), np.float32)

    def device_similarity(self, captions: Sequence[str], encoded: list[dict[str, Any]]) -> Any:
        """As ``similarity``, a tensor on the network's device."""
        torch = need("torch", "The model textvr_fusion")
        with torch.inference_mode():
            return torch.cat([sum(tile.values()) for tile in self._tiles(captions, encoded)])

    def save(self, folder: Path) -> None:
        """Write ``model.safetensors`` with the options in its header."""
        tensors = need("safetensors.torch", "Saving weights")
        state = {name: value.contiguous() for name, value in self.network.state_dict().items()}
        header = {"model": "textvr_fusion", "options": json.dumps(asdict(self.options))}
        with atomic(folder / "model.safetensors") as temporary:
            tensors.save_file(state, temporary, metadata=header)

    @property
    def device(self) -> Any:
        return next(self.network.parameters()).device

    @property
    def _buckets(self) -> int:
        return self.options.buckets

    def _tensors(self, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
        torch = need("torch", "The model textvr_fusion")
        return {name: torch.from_numpy(np.ascontiguousarray(value)).to(self.device) for name, value in arrays.items()}


def build(modality: str = "fusion", preset: str | None = None, **options: Any) -> TextvrFusion:
    """A model with random weights.

    Args:
        modality: ``vision``, ``ocr`` or ``fusion``.
        preset: A name of ``PRESETS``; None = ``demo``.
        **options: Fields of ``Options`` that differ from the preset.

    Raises:
        UnknownNameError: An unknown modality or preset.
        DataError: An unknown option.
    """
    base = asdict(pick(PRESETS, preset or "demo", "preset"))
    known = {one.name for one in fields(Options)}
    if wrong := set(options) - known:
        from workbench.core.lookup import nearest

        name = sorted(wrong)[0]
        raise DataError(f"textvr_fusion has no option {name!r}.", nearest(name, known))
    merged = {**base, **options, "modality": modality}
    return TextvrFusion(Options(**{**merged, "grid": tuple(merged["grid"])}))


def load(folder: Path) -> TextvrFusion:
    """A model as ``save`` wrote it.

    Raises:
        DataError: No such file, or the weights of another model.
    """
    path = Path(folder) / "model.safetensors"
    if not path.is_file():
        raise DataError(f"{folder} holds no model.safetensors.", "Give a checkpoint, e.g. RUN or RUN@STEP.")
    safe = need("safetensors", "Reading weights")
    tensors = need("safetensors.torch", "Reading weights")
    with safe.safe_open(path, framework="pt") as opened:
        header = opened.metadata() or {}
    if header.get("model") != "textvr_fusion":
        raise DataError(f"{path} holds the model {header.get('model')!r}.", "This reads textvr_fusion only.")
    model = build(**json.loads(header["options"]))
    model.network.load_state_dict(tensors.load_file(path))
    return model
