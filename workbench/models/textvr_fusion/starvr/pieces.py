"""Word pieces: texts to numbers, each different text once, sorted by length so that none needs padding."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.core.errors import DataError
from workbench.core.optional import need
from workbench.models.located import VARIABLE, located

TEXT_MODEL = "distilbert-base-uncased"
FILE = "vocab.txt"
MARKS = ("[CLS]", "[SEP]", "[UNK]")
PIECES_PER_FORWARD = 4096
"""Of texts that go through a tower together: enough to fill a GPU, few enough to stay in a CPU's cache."""
KEPT = 500_000


def text_folder(given: str | Path | None) -> Path:
    """The folder of the text tower's files: the given one, else ``distilbert-base-uncased``; see ``located``.

    Raises:
        DataError: There is none; the sentence says which files to get and where to put them.
    """
    folder = located(given or TEXT_MODEL)
    if folder.is_dir():
        return folder
    if folder != Path(TEXT_MODEL):
        raise DataError(f"{given} is no folder.", f"Give the folder that holds the files of {TEXT_MODEL}.")
    raise DataError(
        f"StarVR reads with the vocabulary of {TEXT_MODEL}, which is not here.",
        f"Get its tokenizer.json or {FILE} (to start from its weights, config.json and model.safetensors too) and give"
        f" tokenizer=FOLDER, or put them into a folder {TEXT_MODEL} below the one that {VARIABLE} names.",
    )


class WordPieces:
    """The tokenizer of a BERT in a folder of Hugging Face layout, with a memory for words that come again.

    Args:
        folder: With ``tokenizer.json`` or ``vocab.txt``.
        rows: Of the tower's table of word pieces.
        positions: The most pieces of a text, marks included; the rest is cut.

    Raises:
        DataError: The folder holds no vocabulary, or one that does not fit.
        MissingExtraError: The package tokenizers, which transformers brings, is not installed.
    """

    def __init__(self, folder: Path, rows: int, positions: int) -> None:
        self._vocabulary = _vocabulary(folder)
        size = len(self._vocabulary)
        if size > rows:
            raise DataError(
                f"The vocabulary in {folder} has {size} pieces, the model {rows}.", f"Give vocabulary={size}."
            )
        library = need("tokenizers.implementations", "Reading word pieces")
        self._tokenizer: Any = library.BertWordPieceTokenizer(self._vocabulary, lowercase=True)
        self._tokenizer.enable_truncation(positions)
        self._known: dict[str, tuple[int, ...]] = {}

    def ids(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Numbers of the pieces of every text, in lower case, between the marks for start and end."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        encoded = self._tokenizer.encode_batch([text.lower() for text in fresh])
        new = {text: tuple(one.ids) for text, one in zip(fresh, encoded, strict=True)}
        found = [new[text] if text in new else self._known[text] for text in texts]
        if len(self._known) + len(new) > KEPT:
            self._known.clear()
        self._known.update(new)
        return found

    def packed(self, lists: Sequence[Sequence[str]]) -> dict[str, np.ndarray]:
        """Lists of texts as arrays for the network.

        Returns:
            ``ids`` int64 [different texts, longest], shortest first, ``groups`` int64 [groups, 2]: how many rows of it
            follow each other with how many pieces; ``text`` int64 [texts]: row of ``ids`` of each text; ``row`` and
            ``place`` int64 [texts]: which list and which position; ``size``: lists, longest list.
        """
        flat = [text for one in lists for text in one]
        pieces = self.ids(flat)
        different = sorted(dict.fromkeys(pieces), key=len)
        number = {one: at for at, one in enumerate(different)}
        lengths = np.asarray([len(one) for one in different], np.int64)
        ids = np.zeros((len(different), int(lengths.max(initial=1))), np.int64)
        for at, one in enumerate(different):
            ids[at, : len(one)] = one
        counts = np.asarray([len(one) for one in lists], np.int64)
        starts = np.repeat(np.cumsum(counts) - counts, counts)
        return {
            "ids": ids,
            "groups": _groups(lengths),
            "text": np.asarray([number[one] for one in pieces], np.int64),
            "row": np.repeat(np.arange(len(lists)), counts),
            "place": np.arange(len(flat)) - starts,
            "size": np.asarray([len(lists), counts.max(initial=1)], np.int64),
        }

    def text(self) -> str:
        """The vocabulary as the text of a file ``vocab.txt``."""
        return "".join(f"{piece}\n" for piece in sorted(self._vocabulary, key=self._vocabulary.__getitem__))


def rows_of(packed: dict[str, np.ndarray], start: int, stop: int) -> dict[str, np.ndarray]:
    """The lists from ``start`` to ``stop`` of what ``WordPieces.packed`` gave; ``text`` still counts all of its ids."""
    chosen = (packed["row"] >= start) & (packed["row"] < stop)
    place = packed["place"][chosen]
    return {
        "text": packed["text"][chosen],
        "row": packed["row"][chosen] - start,
        "place": place,
        "size": np.asarray([stop - start, place.max(initial=0) + 1], np.int64),
    }


def _groups(lengths: np.ndarray) -> np.ndarray:
    """[groups, 2]: rows of equal length, at most ``PIECES_PER_FORWARD`` pieces at once; of ascending lengths."""
    found = []
    for length, count in zip(*np.unique(lengths, return_counts=True), strict=True):
        most = max(1, PIECES_PER_FORWARD // int(length))
        found += [(min(most, int(count) - at), int(length)) for at in range(0, int(count), most)]
    return np.asarray(found, np.int64).reshape(-1, 2)


def _vocabulary(folder: Path) -> dict[str, int]:
    """Number of every word piece in a folder.

    Raises:
        DataError: It holds no vocabulary, a damaged one, or not one of a BERT.
    """
    if (folder / "tokenizer.json").is_file():
        found = _of_json(folder / "tokenizer.json")
    elif (folder / FILE).is_file():
        with open(folder / FILE, encoding="utf-8") as lines:
            found = {line.rstrip("\n"): at for at, line in enumerate(lines)}
    else:
        raise DataError(f"{folder} holds neither tokenizer.json nor {FILE}.", f"Put one of {TEXT_MODEL} there.")
    lacking = [mark for mark in MARKS if mark not in found]
    if lacking or sorted(found.values()) != list(range(len(found))):
        wrong = f"lacks {lacking[0]}" if lacking else "has a piece twice or a number that no piece has"
        raise DataError(f"The vocabulary in {folder} {wrong}.", f"Give that of {TEXT_MODEL}.")
    return found


def _of_json(path: Path) -> dict[str, int]:
    try:
        model = json.loads(path.read_text(encoding="utf-8"))["model"]
        kind, found = model["type"], {str(piece): int(number) for piece, number in model["vocab"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path} cannot be read as a tokenizer.", "Download it again.") from error
    if kind != "WordPiece":
        raise DataError(f"{path} is a tokenizer of the kind {kind!r}.", f"Give that of {TEXT_MODEL}, a WordPiece one.")
    return found
