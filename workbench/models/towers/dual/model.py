"""The dual encoder as the rest of the workbench sees it: captions and galleries in, numpy similarities out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.files import sha256_file
from workbench.core.lookup import nearest, pick
from workbench.core.optional import need
from workbench.models.device import chosen_device
from workbench.models.gallery import Gallery
from workbench.models.textvr_fusion.base import MODALITIES, NetworkModel
from workbench.models.towers.dual.pixels import FITS
from workbench.models.towers.dual.weights import (
    files_of_weights,
    find_weights,
    load_pretrained,
    load_tokenizer,
    read_family,
    read_looks,
)

PRECISIONS = {"auto": "bf16 on a GPU, else float32", "float32": "", "bf16": ""}
OCR_TEXTS = {
    "words": "the words of a video, most confident first, in sentences of words_per_sentence",
    "windows": "one sentence per frame: what is read around it (pipelines.ocr_windows)",
}
TEXTS_PER_TILE, FRAMES_PER_TILE = 256, 128


@dataclass(frozen=True)
class Options:
    """Everything that decides what a dual encoder computes.

    Attributes:
        weights: A folder in Hugging Face layout, or a name of ``KNOWN`` in the folder ``WORKBENCH_WEIGHTS``.
        modality: ``vision`` (frames), ``ocr`` (read text) or ``fusion`` (their sum).
        fit: A name of ``FITS``.
        n_frames: Frames per video.
        max_words: Read words per video; the most confident ones are kept.
        ocr_text: A name of ``OCR_TEXTS``.
        words_per_sentence: Read words that are encoded together, so that none is cut off.
        precision: A name of ``PRECISIONS``; weights stay float32.
        seed: Taken as every model takes one; nothing here is random.
    """

    weights: str = "clip-vit-base-patch32"
    modality: str = "vision"
    fit: str = "squash"
    n_frames: int = 12
    max_words: int = 48
    ocr_text: str = "words"
    words_per_sentence: int = 16
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for one in fields(self):
            value, kind = getattr(self, one.name), type(one.default)
            if type(value) is not kind:
                raise DataError(f"{one.name} is {value!r}.", f"Give {'a whole number' if kind is int else 'a text'}.")
        pick(MODALITIES, self.modality, "modality")
        pick(FITS, self.fit, "fit")
        pick(OCR_TEXTS, self.ocr_text, "kind of OCR text")
        pick(PRECISIONS, self.precision, "precision")
        for name in ("n_frames", "max_words", "words_per_sentence"):
            if getattr(self, name) < 1:
                raise DataError(f"{name} is {getattr(self, name)}.", "It must be at least 1.")


PRESETS = {"squash": Options(), "letterbox": Options(fit="letterbox")}


class DualEncoder(NetworkModel):
    """A ``RetrievalModel`` around a CLIP, SigLIP or SigLIP 2 model."""

    family = "dual"
    videos_per_tile = 1  # not used: ``encode`` cuts frames and sentences by themselves

    def __init__(self, options: Options) -> None:
        self._folder = folder = find_weights(options.weights)
        need("torch", "A dual encoder")
        from workbench.models.towers.dual.network import DualNetwork

        self.options = options
        family, looks = read_family(folder), read_looks(folder)
        self._tokenizer = load_tokenizer(folder)
        self.network = DualNetwork(load_pretrained(folder), family, looks, options)
        self.network.to(chosen_device()).eval()
        windows = options.ocr_text == "windows" and self.network.ocr
        self.needs = frozenset(MODALITIES[options.modality]) | (frozenset({"frames"}) if windows else frozenset())
        self.reads: Mapping[str, Any] = {
            "n_frames": options.n_frames, "height": self.network.size, "width": self.network.size,
            "max_words": options.max_words, **({} if options.fit == "squash" else {"fit": options.fit}),
            **({"windows": options.words_per_sentence} if windows else {}),
        }  # fmt: skip

    def caption_inputs(self, captions: Sequence[str]) -> dict[str, Any]:
        """Texts as tokens on the network's device, cut where the model's positions end."""
        padding, longest = self.network.family.padding, self.network.max_tokens
        tokens = self._tokenizer(
            [text.lower() for text in captions], padding=padding, truncation=True, max_length=longest,
            return_tensors="pt", return_attention_mask=True, return_token_type_ids=False,
        )  # fmt: skip
        return {"ids": tokens["input_ids"].to(self.device), "mask": tokens["attention_mask"].to(self.device)}

    def video_inputs(self, gallery: Gallery) -> tuple[Any, dict[str, Any], Any]:
        """Frames, the different sentences and where they stand, as tensors on the network's device.

        Raises:
            DataError: The gallery lacks what the model needs.
        """
        torch = need("torch", "A dual encoder")
        frames = torch.from_numpy(self._pixels(gallery)).to(self.device) if self.network.vision else None
        unique, place = self._placed(gallery)
        return frames, self.caption_inputs(unique), torch.from_numpy(place).to(self.device)

    def tile_inputs(self, gallery: Gallery, tiles: Sequence[range]) -> Iterator[tuple[Any, dict[str, Any], Any]]:
        """``video_inputs`` of the videos of each tile."""
        return (self.video_inputs(gallery.take(tile)) for tile in tiles)

    def encode(self, gallery: Gallery) -> list[dict[str, Any]]:
        """What videos are compared by, all in one tile: every frame and every different sentence goes through once.

        Returns:
            ``frame`` [videos, dimensions]; ``sentence`` [different sentences, dimensions] and ``place`` int64
            [videos, most sentences]: which of them stand there, -1 = none.
        """
        torch = need("torch", "A dual encoder")
        found: dict[str, Any] = {}
        with torch.inference_mode():
            if self.network.vision:
                frames, step = torch.from_numpy(self._pixels(gallery)), max(1, FRAMES_PER_TILE // self.options.n_frames)
                found["frame"] = torch.cat([self.network.mean_of_frames(one) for one in frames.split(step)])
            if self.network.ocr:
                unique, place = self._placed(gallery)
                found |= {"sentence": self.text(unique), "place": torch.from_numpy(place).to(self.device)}
        return [found]

    def text(self, texts: Sequence[str]) -> Any:
        """Unit vectors of texts, a float32 tensor [texts, dimensions] on the device."""
        torch = need("torch", "A dual encoder")
        with torch.inference_mode():
            spans = [texts[at : at + TEXTS_PER_TILE] for at in range(0, len(texts), TEXTS_PER_TILE)]
            return torch.cat([self.network.text(self.caption_inputs(span)) for span in spans])

    def compare(self, captions: dict[str, Any], videos: dict[str, Any]) -> dict[str, Any]:
        """Similarities [captions, videos] by modality; products in float32 whatever the encoders compute in."""
        found = {}
        if self.network.vision:
            found["vision"] = self.network.vision_part(captions["text"], videos["frame"])
        if self.network.ocr:
            found["ocr"] = self.network.ocr_part(captions["text"], videos["sentence"], videos["place"])
        return found

    def files(self) -> Mapping[str, str]:
        """Nothing: the tokenizer stays with the folder that ``weights`` names."""
        return {}

    def stated(self) -> dict[str, Any]:
        """The options, the type of model, and the checksums of its files of weights."""
        files = {path.name: sha256_file(path) for path in files_of_weights(self._folder)}
        return {**asdict(self.options), "family": self.network.model.config.model_type, "sha256": files}

    def _pixels(self, gallery: Gallery) -> np.ndarray:
        if gallery.frames is None:
            raise DataError("The dual encoder looks at frames, and the gallery has none.", "Prepare them (reads).")
        return gallery.frames

    def _sentences(self, gallery: Gallery) -> Sequence[Sequence[str]]:
        """Texts of every video that are encoded; empty ones are left out."""
        if self.options.ocr_text == "windows":
            if gallery.sentences is None:
                raise DataError("The gallery holds no sentence per frame.", "Use ocr_text=words.")
            return [[one for one in of if one] for of in gallery.sentences]
        step, most = self.options.words_per_sentence, self.options.max_words
        lists = [words.text[:most] for words in gallery.words]
        return [[" ".join(text[at : at + step]) for at in range(0, len(text), step)] for text in lists]

    def _placed(self, gallery: Gallery) -> tuple[list[str], np.ndarray]:
        """The different sentences (at least one), and which stands where, int64 [videos, most sentences], -1 = none."""
        lists: Sequence[Sequence[str]] = [()] * len(gallery.video_ids)
        if self.network.ocr:
            lists = [[one.lower() for one in of] for of in self._sentences(gallery)]
        unique = list(dict.fromkeys(one for of in lists for one in of)) or [""]
        number = {one: at for at, one in enumerate(unique)}
        place = np.full((len(lists), max([1, *map(len, lists)])), -1, np.int64)
        for row, of in enumerate(lists):
            place[row, : len(of)] = [number[one] for one in of]
        return unique, place


def build(preset: str | None = None, **options: Any) -> DualEncoder:
    """A dual encoder with the weights of a local folder.

    Args:
        preset: A name of ``PRESETS``: ``squash`` (parity with StarVR's frames; the default) or ``letterbox``.
        **options: Fields of ``Options`` that differ from the preset, e.g. ``weights="siglip2-base-patch16-224"``.

    Raises:
        UnknownNameError: An unknown preset or value.
        DataError: An unknown option, or weights that cannot be read.
        StateError: The weights are not on this machine.
        MissingExtraError: torch or transformers is not installed.
    """
    base = asdict(pick(PRESETS, preset or "squash", "preset"))
    known = {one.name for one in fields(Options)}
    if wrong := sorted(set(options) - known):
        raise DataError(f"The dual encoder has no option {wrong[0]!r}.", nearest(wrong[0], known))
    return DualEncoder(Options(**{**base, **options}))
