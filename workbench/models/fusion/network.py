"""Parts of networks that fuse: the bare attention of StarVR, transformer blocks around it, modalities dropped.

Letters: V videos, Q asking tokens, N tokens, D dimensions.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from workbench.core.errors import DataError


class BareAttention(nn.Module):
    """Softmax attention with projections of queries, keys and values, and nothing else: no output, norm or residual."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        if dim % heads:
            raise DataError(f"{heads} heads do not divide {dim} dimensions.", "Choose fusion_heads that divide them.")
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))

    def forward(self, asking: torch.Tensor, tokens: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """What some tokens gather.

        Args:
            asking: [V, Q, D].
            tokens: [V, N, D].
            there: Bool [V, N]: tokens that are no padding; one of every video at least.

        Returns:
            [V, Q, D].
        """
        query, key, value = (
            linear(one).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for linear, one in ((self.query, asking), (self.key, tokens), (self.value, tokens))
        )
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=there[:, None, None])
        return found.transpose(1, 2).flatten(2)


class Block(nn.Module):
    """x = x + Attn(LN(x)), then x = x + MLP(LN(x)).

    Source: Vaswani et al. 2017 (arXiv 1706.03762), norms before the layers as in Xiong et al. 2020 (2002.04745).
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm_attention, self.norm_mlp = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention, self.out = BareAttention(dim, heads), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, tokens: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """[V, N, D] of [V, N, D] and bool [V, N]; what stands at padding means nothing."""
        normed = self.norm_attention(tokens)
        tokens = tokens + self.out(self.attention(normed, normed, there))
        return tokens + self.mlp(self.norm_mlp(tokens))


class FusionEncoder(nn.Module):
    """Blocks, and a norm behind the last; a token sees every other of its video, whatever its modality."""

    def __init__(self, dim: int, heads: int, depth: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(self, tokens: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """[V, N, D] of [V, N, D] and bool [V, N]."""
        for block in self.blocks:
            tokens = block(tokens, there)
        return self.norm(tokens)


def fusion_of(kind: str, dim: int, heads: int, depth: int) -> BareAttention | FusionEncoder:
    """What joins tokens by a kind of ``FUSIONS``; of ``score`` what joins those of one modality."""
    return FusionEncoder(dim, heads, depth) if kind == "block" else BareAttention(dim, heads)


def gathered(
    fusion: BareAttention | FusionEncoder, query: torch.Tensor, tokens: torch.Tensor, there: torch.Tensor
) -> torch.Tensor:
    """[V, D]: the first token of every video after blocks; by the bare attention the query and what that token gathers.

    Args:
        fusion: From ``fusion_of``.
        query: [1, D], what the first token was made of.
        tokens: [V, N, D].
        there: Bool [V, N]; the first always is.
    """
    if isinstance(fusion, FusionEncoder):
        return fusion(tokens, there)[:, 0]
    return query + fusion(tokens[:, :1], tokens, there)[:, 0]


def shares_of(balance: torch.Tensor) -> dict[str, torch.Tensor]:
    """The weights, which add up to 1, of frames and of read text in the fusion ``score``, of two learned numbers."""
    return dict(zip(("vision", "ocr"), balance.softmax(0), strict=True))


class ModalityDropout(nn.Module):
    """Takes the frames or the read words of a whole video away, in training, by the toss of a coin; never both.

    So neither hides behind the other, and the model knows videos that lack one. A video in which nothing was read keeps
    its frames. Numbers are drawn on the CPU, two for every video, from the state that a checkpoint keeps and that
    chunked steps replay: the same on any device.

    Source: Neverova et al. 2016, ModDrop (arXiv 1501.00102); here at most one of two modalities goes.

    Args:
        share: Of videos that lose one, 0..1.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    @property
    def active(self) -> bool:
        """Whether anything is dropped now."""
        return self.training and self.share > 0

    def forward(self, worded: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Which videos keep their frames and which their words, bool [V] each.

        Args:
            worded: Bool [V]: videos in which something was read.
        """
        hit, coin = torch.rand(2, len(worded)).to(worded.device)
        blind = (hit < self.share) & (coin < 0.5) & worded
        mute = (hit < self.share) & ~blind
        return ~blind, ~mute
