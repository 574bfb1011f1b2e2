"""Word pieces of a BERT: its vocabulary, and texts as numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.core.errors import DataError
from workbench.core.optional import need
from workbench.models.located import VARIABLE, located
from workbench.models.towers.texts.pieces import Pieces

TEXT_MODEL = "distilbert-base-uncased"
FILE = "vocab.txt"
MARKS = ("[CLS]", "[SEP]", "[UNK]")
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


class WordPieces(Pieces):
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
        self.caption_words = positions - 2  # beside the marks for start and end
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

    def files(self) -> Mapping[str, str]:
        """The vocabulary as a file ``vocab.txt``."""
        return {FILE: "".join(f"{piece}\n" for piece in sorted(self._vocabulary, key=self._vocabulary.__getitem__))}


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
