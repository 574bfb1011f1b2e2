"""Who reads: towers with one way to use them, ``texts``, which gives a vector for each different text.

Letters: U different texts, L numbers of a text, D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from transformers import DistilBertModel

from workbench.models.towers.dual.network import unit_texts
from workbench.models.towers.dual.opened import Opened

Packed = dict[str, torch.Tensor]
"""Different texts as ``pieces.Pieces.packed`` gives them."""


def by_length(encode: Callable[[torch.Tensor], torch.Tensor], packed: Packed) -> torch.Tensor:
    """[U, D] of all texts, by a function of int64 [n, L].

    Texts of equal length go through together, so that none is padded and none is masked.
    """
    found, start = [], 0
    for count, length in packed["groups"].tolist():
        found.append(encode(packed["ids"][start : start + count, :length]))
        start += count
    return torch.cat(found)


class BertTexts(DistilBertModel):
    """DistilBERT: the last hidden state at position 0."""

    def texts(self, packed: Packed) -> torch.Tensor:
        """[U, D]."""
        return by_length(lambda ids: self(input_ids=ids).last_hidden_state[:, 0], packed)


class FolderTexts(nn.Module):
    """The tower for texts of a CLIP or SigLIP: LN(W t + b) of its vector t of length 1.

    Args:
        opened: What lay in its folder; its model becomes a part of this.
        dim: Dimensions of the result.
    """

    def __init__(self, opened: Opened, dim: int) -> None:
        super().__init__()
        self.model = opened.model
        self.lift = nn.Sequential(nn.Linear(opened.width, dim), nn.LayerNorm(dim))

    def texts(self, packed: Packed) -> torch.Tensor:
        """[U, D]."""
        return self.lift(by_length(lambda ids: unit_texts(self.model, ids), packed))


class GramTexts(nn.Module):
    """LN of the mean of the vectors of a text's n-grams.

    Args:
        buckets: Rows of their table; the first stands for no n-gram.
        dim: Dimensions.
    """

    def __init__(self, buckets: int, dim: int) -> None:
        super().__init__()
        self.grams = nn.EmbeddingBag(buckets, dim, mode="mean", padding_idx=0)
        self.norm = nn.LayerNorm(dim)

    def texts(self, packed: Packed) -> torch.Tensor:
        """[U, D]."""
        return self.norm(self.grams(packed["ids"]))


Reads = BertTexts | FolderTexts | GramTexts
