"""The space-time transformer's equations as they stand in the paper: one token, one head, one frame after the other."""

from __future__ import annotations

import math

import torch


def norm(state, name, token):
    mean = token.mean()
    variance = ((token - mean) ** 2).mean()
    return (token - mean) / torch.sqrt(variance + 1e-6) * state[f"{name}.weight"] + state[f"{name}.bias"]


def attention(state, name, tokens, group_of, heads):
    """``group_of``: token index to the indices it attends to."""
    width = len(tokens[0])
    size = width // heads
    projected = [state[f"{name}.qkv.weight"] @ token + state[f"{name}.qkv.bias"] for token in tokens]
    out = []
    for i in range(len(tokens)):
        found = []
        for head in range(heads):
            at = slice(head * size, (head + 1) * size)
            query = projected[i][:width][at]
            seen = [projected[j] for j in group_of(i)]
            scores = [query @ one[width : 2 * width][at] / math.sqrt(size) for one in seen]
            weights = torch.softmax(torch.stack(scores), 0)
            found.append(sum(weight * one[2 * width :][at] for weight, one in zip(weights, seen, strict=True)))
        out.append(state[f"{name}.proj.weight"] @ torch.cat(found) + state[f"{name}.proj.bias"])
    return out


def all_tokens(state, video, patch, heads, depth):
    """Tokens of the last block, before the last norm, of one video [T, 3, height, width]."""
    n_frames, side = len(video), video.shape[-1] // patch
    n_patches = side * side
    tokens = [state["cls_token"][0, 0] + state["pos_embed"][0, 0]]
    for t in range(n_frames):
        for p in range(n_patches):
            row, column = (p // side) * patch, (p % side) * patch
            pixels = video[t, :, row : row + patch, column : column + patch]
            value = (state["patch_embed.proj.weight"] * pixels).sum((1, 2, 3)) + state["patch_embed.proj.bias"]
            tokens.append(value + state["pos_embed"][0, 1 + p] + state["temporal_embed"][0, t])
    every = list(range(len(tokens)))

    def in_time(i):
        return every if i == 0 else [0, *(1 + t * n_patches + (i - 1) % n_patches for t in range(n_frames))]

    def in_space(i):
        start = 1 + (i - 1) // n_patches * n_patches
        return every if i == 0 else [0, *range(start, start + n_patches)]

    for b in range(depth):
        name = f"blocks.{b}"
        a = attention(state, f"{name}.timeattn", [norm(state, f"{name}.norm3", x) for x in tokens], in_time, heads)
        timed = [norm(state, f"{name}.norm1", x + one) for x, one in zip(tokens, a, strict=True)]
        seen = attention(state, f"{name}.attn", timed, in_space, heads)
        after = [x + one for x, one in zip(tokens, seen, strict=True)]
        tokens = []
        for y in after:
            hidden = state[f"{name}.mlp.fc1.weight"] @ norm(state, f"{name}.norm2", y) + state[f"{name}.mlp.fc1.bias"]
            hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
            tokens.append(y + state[f"{name}.mlp.fc2.weight"] @ hidden + state[f"{name}.mlp.fc2.bias"])
    return tokens
