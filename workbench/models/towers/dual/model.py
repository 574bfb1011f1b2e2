"""The dual encoder as the rest of the workbench sees it: captions and galleries in, numpy similarities out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench.core.files import sha256_file
from workbench.core.lookup import pick
from workbench.core.optional import need
from workbench.models.base import MODALITIES
from workbench.models.gallery import Gallery
from workbench.models.options import check_counts, names_of, preset_of, varied
from workbench.models.reading import windows_of
from workbench.models.towers.dual.base import TowersModel
from workbench.models.towers.dual.opened import Opened, placed
from workbench.models.towers.dual.pixels import FITS
from workbench.models.towers.dual.weights import files_of_weights

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
        pick(MODALITIES, self.modality, "modality")
        pick(FITS, self.fit, "fit")
        pick(OCR_TEXTS, self.ocr_text, "kind of OCR text")
        pick(PRECISIONS, self.precision, "precision")
        check_counts(self, "n_frames", "max_words", "words_per_sentence")


PRESETS = {"squash": Options(), "letterbox": Options(fit="letterbox")}


class DualEncoder(TowersModel):
    """A ``RetrievalModel`` around a CLIP, SigLIP or SigLIP 2 model.

    Args and errors as of ``TowersModel``.
    """

    family = "dual"

    def __init__(self, options: Options, checkpoint: Path | None = None) -> None:
        super().__init__(options, checkpoint)
        windows = options.ocr_text == "windows" and self.network.ocr
        self.needs = frozenset(MODALITIES[options.modality]) | (frozenset({"frames"}) if windows else frozenset())
        self.reads: Mapping[str, Any] = {
            "n_frames": options.n_frames, "height": self.network.size, "width": self.network.size,
            "max_words": options.max_words, **({} if options.fit == "squash" else {"fit": options.fit}),
            **({"windows": options.words_per_sentence} if windows else {}),
            "caption_words": self._opened.caption_words,
        }  # fmt: skip

    def _built(self, towers: Opened) -> Any:
        from workbench.models.towers.dual.network import DualNetwork

        return DualNetwork(towers, self.options)

    def video_inputs(self, gallery: Gallery) -> tuple[Any, dict[str, Any], Any]:
        """Frames, the different sentences and where they stand, as tensors on the network's device.

        Raises:
            DataError: The gallery lacks what the model needs.
        """
        torch = need("torch", "A dual encoder")
        unique, place = placed(self._lists(gallery), self._opened.read)
        return self._looks(gallery), self.caption_inputs(unique), torch.from_numpy(place).to(self.device)

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
                n, step = len(gallery.video_ids), max(1, FRAMES_PER_TILE // self.options.n_frames)
                tiles = (self._looks(gallery.take(range(at, min(at + step, n)))) for at in range(0, n, step))
                found["frame"] = torch.cat([self.network.mean_of_frames(one) for one in tiles])
            if self.network.ocr:
                unique, place = placed(self._lists(gallery), self._opened.read)
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

    def shares(self) -> tuple[float, float]:
        """What cosines with frames and with sentences count for; see ``models.interactions.TakesApart``."""
        scale = float(self.network.scale.detach().exp())
        return scale * self.network.vision, scale * self.network.ocr

    def stated(self) -> dict[str, Any]:
        """The options, the type of model, and the checksums of its files of weights."""
        files = {path.name: sha256_file(path) for path in files_of_weights(self._opened.folder)}
        return {**asdict(self.options), "family": self.network.model.config.model_type, "sha256": files}

    def _lists(self, gallery: Gallery) -> Sequence[Sequence[str]]:
        """Texts of every video that are encoded: windows, or the words in sentences; none where it does not read."""
        if not self.network.ocr:
            return [()] * len(gallery.video_ids)
        if self.options.ocr_text == "windows":
            return windows_of(gallery)
        step, most = self.options.words_per_sentence, self.options.max_words
        lists = [words.text[:most] for words in gallery.words]
        return [[" ".join(text[at : at + step]) for at in range(0, len(text), step)] for text in lists]


def option_names(preset: str | None = None) -> set[str]:
    """The options that ``build`` takes.

    Raises:
        UnknownNameError: An unknown preset.
    """
    return names_of(type(preset_of(PRESETS, preset)))


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
    return DualEncoder(varied(preset_of(PRESETS, preset), options, "The dual encoder"))
