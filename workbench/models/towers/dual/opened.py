"""A folder of a dual encoder as it was opened: the towers, their tokenizer, and what a checkpoint must keep of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.optional import need
from workbench.models.towers.dual.weights import (
    NEEDED,
    PICTURES,
    Family,
    Looks,
    described_by,
    empty_model,
    find_weights,
    load_pretrained,
    load_tokenizer,
    read_family,
    read_looks,
)

KEPT = 500_000
"""Texts whose tokens are remembered."""
OF_PICTURES = ("config.json", PICTURES[0])
SCALES = ("logit_scale", "logit_bias")
PARTS = {"pictures": ("vision_model", "visual_projection"), "texts": ("text_model", "text_projection")}
"""What a model of transformers has for either tower."""


@dataclass(frozen=True)
class Pictured:
    """The tower for pictures alone of what lay in a folder; attributes as of ``Opened``."""

    model: Any
    family: Family
    looks: Looks
    files: Mapping[str, str]


@dataclass(frozen=True)
class Opened:
    """What lay in a folder.

    Attributes:
        folder: Where.
        model: The transformers model.
        family: How it reads text and pictures.
        looks: How it wants pictures.
        tokenizer: Its own.
        files: Text files by name that describe all this; with the weights, a checkpoint needs no other file.
        known: Tokens of the texts that were read so far.
    """

    folder: Path
    model: Any
    family: Family
    looks: Looks
    tokenizer: Any
    files: Mapping[str, str]
    known: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Dimensions of its vectors."""
        return width_of(self.model.config)

    @property
    def caption_words(self) -> int:
        """Words above which a caption is cut for certain: each is one token or more."""
        return self._longest - int(self.tokenizer.num_special_tokens_to_add())

    @property
    def _longest(self) -> int:
        config = self.model.config.text_config
        return int(config.max_position_embeddings) - (int(config.pad_token_id) + 1 if self.family.after_pad else 0)

    def read(self, text: str) -> str:
        """A text as the tower reads it: in lower case where it was trained on that."""
        return text.lower() if self.family.lower else text

    def tokens(self, texts: Sequence[str], device: Any) -> dict[str, Any]:
        """``ids`` and ``mask`` int64 [texts, tokens] on a device, cut where the model's positions end."""
        torch = need("torch", "A dual encoder")
        longest = self._longest
        lines = self._ids([self.read(text) for text in texts], longest)
        width = longest if self.family.padding == "max_length" else max(map(len, lines))
        left = self.tokenizer.padding_side == "left"
        ids = np.full((len(lines), width), self.tokenizer.pad_token_id, np.int64)
        mask = np.zeros_like(ids)
        for row, line in enumerate(lines):
            place = slice(width - len(line), width) if left else slice(len(line))
            ids[row, place], mask[row, place] = line, 1
        return {name: torch.from_numpy(one).to(device) for name, one in (("ids", ids), ("mask", mask))}

    def lines(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Tokens of every text as the tower reads it alone: padded only where it was trained to look at padding.

        The shortest padding would give other vectors there: SigLIP has no mask and takes the vector of the last token.
        """
        lines = self._ids([self.read(text) for text in texts], self._longest)
        if self.family.padding != "max_length":
            return lines
        pad, left = int(self.tokenizer.pad_token_id), self.tokenizer.padding_side == "left"
        fills = [(pad,) * (self._longest - len(line)) for line in lines]
        return [fill + line if left else line + fill for fill, line in zip(fills, lines, strict=True)]

    def _ids(self, texts: Sequence[str], longest: int) -> list[tuple[int, ...]]:
        """Tokens of every text, which are made once for each: a training shows a text many times."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self.known]
        new: dict[str, tuple[int, ...]] = {}
        if fresh:
            found = self.tokenizer(fresh, truncation=True, max_length=longest, return_attention_mask=False)
            new = {text: tuple(ids) for text, ids in zip(fresh, found["input_ids"], strict=True)}
        lines = [new[text] if text in new else self.known[text] for text in texts]
        if len(self.known) + len(new) > KEPT:
            self.known.clear()
        self.known.update(new)
        return lines


def opened(weights: str | Path, checkpoint: Path | None = None) -> Opened:
    """The towers of a folder.

    Args:
        weights: A folder in Hugging Face layout, or a name of ``KNOWN``; not looked at where there is a checkpoint.
        checkpoint: A folder that ``NetworkModel.save`` wrote, whose description and tokenizer are taken; its weights
            are set next.

    Raises:
        StateError: The weights are not on this machine.
        DataError: They cannot be read.
        MissingExtraError: torch or transformers is not installed.
    """
    folder = find_weights(weights) if checkpoint is None else checkpoint
    family, looks, tokenizer = read_family(folder), read_looks(folder), load_tokenizer(folder)
    model = load_pretrained(folder) if checkpoint is None else empty_model(folder)
    return Opened(folder, model, family, looks, tokenizer, _files(folder, NEEDED))


def pictured(weights: str | Path, checkpoint: Path | None = None) -> Pictured:
    """The tower for pictures of a folder, without the rest of its model; args and errors as of ``opened``."""
    folder = find_weights(weights) if checkpoint is None else checkpoint
    family, looks = read_family(folder), read_looks(folder)
    model = load_pretrained(folder) if checkpoint is None else empty_model(folder)
    return Pictured(without(model, "texts", scales=True), family, looks, _files(folder, OF_PICTURES))


def worded(weights: str | Path, checkpoint: Path | None = None) -> Opened:
    """The tower for texts of a folder, without the rest of its model; args and errors as of ``opened``."""
    found = opened(weights, checkpoint)
    without(found.model, "pictures", scales=True)
    return found


def without(model: Any, part: str, *, scales: bool = False) -> Any:
    """A model of transformers whose tower of a kind of ``PARTS`` is gone, and, if so said, its temperature."""
    for name in (*PARTS[part], *(SCALES if scales else ())):
        if hasattr(model, name):
            delattr(model, name)
    return model


def width_of(config: Any) -> int:
    """Dimensions of the vectors of a model of transformers, by its config."""
    siglip = config.model_type in ("siglip", "siglip2")
    return int(config.text_config.projection_size if siglip else config.projection_dim)


def _files(folder: Path, names: Sequence[str]) -> dict[str, str]:
    return {name: (folder / name).read_text(encoding="utf-8") for name in described_by(folder, names)}


def placed(lists: Sequence[Sequence[str]], read: Callable[[str], str]) -> tuple[list[str], np.ndarray]:
    """The different texts of some lists, and where they stand.

    Args:
        lists: Of texts.
        read: ``Opened.read``.

    Returns:
        The texts as the tower reads them, at least one; and int64 [lists, longest] (at least one
        column): which of them stands there, -1 = none, or an empty one.
    """
    lists = [[read(text) for text in texts] for texts in lists]
    unique = list(dict.fromkeys(text for texts in lists for text in texts if text)) or [""]
    number = {text: at for at, text in enumerate(unique) if text}
    place = np.full((len(lists), max([1, *map(len, lists)])), -1, np.int64)
    for row, texts in enumerate(lists):
        place[row, : len(texts)] = [number.get(text, -1) for text in texts]
    return unique, place
