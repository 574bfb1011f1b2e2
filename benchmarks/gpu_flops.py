"""Floating-point operations of a training step, by formula: two for each multiplication in a matrix product.

What is computed a second time (activations, chunks) is not counted, nor is what is no matrix product (norms, softmax).

Sources: Chowdhery et al. 2022 (PaLM), appendix B, for what counts; Kaplan et al. 2020 (arXiv 2001.08361), section 2.1,
for a step as three times the way forward. Held against ``torch.utils.flop_counter`` in tests/test_gpu_benchmarks.py.
"""

from __future__ import annotations

from typing import Any

BACK_AND_FORTH = 3
"""A product's way back is two products: for its weights and for its inputs."""


def product(rows: int, inner: int, columns: int) -> int:
    """[rows, inner] @ [inner, columns]."""
    return 2 * rows * inner * columns


def transformer(tokens: int, width: int, depth: int, hidden: int) -> int:
    """Blocks of one sequence: queries, keys, values, output; each token with each token, twice; the MLP's two."""
    dense = 4 * product(tokens, width, width) + 2 * product(tokens, width, hidden)
    return depth * (dense + 2 * product(tokens, width, tokens))


def space_time(frames: int, patches: int, width: int, depth: int, hidden: int) -> int:
    """Blocks with two divided attentions for one video: CLS asks all tokens, a patch asks CLS and its group."""
    tokens = 1 + frames * patches
    dense = 8 * product(tokens, width, width) + 2 * product(tokens, width, hidden)
    whole = 2 * product(1, width, tokens)
    time = 2 * patches * product(frames, width, frames + 1)
    space = 2 * frames * product(patches, width, patches + 1)
    return depth * (dense + 2 * whole + time + space)


def patches_of(frames: int, patches: int, patch: int, width: int) -> int:
    """The convolution that makes tokens of pixels."""
    return product(frames * patches, 3 * patch * patch, width)


def starvr_step(options: Any, videos: int, pieces: int) -> int:
    """One step of StarVR's modality ``vision``: as many captions as videos, compared with each other.

    Args:
        options: ``StarvrOptions``.
        videos: In the batch.
        pieces: Word pieces of a caption, marks included.
    """
    width, out = options.dim, options.projection
    patches = (options.image_size // options.patch_size) ** 2
    pixels = videos * patches_of(options.n_frames, patches, options.patch_size, width)
    looking = videos * space_time(options.n_frames, patches, width, options.depth, 4 * width)
    reading = videos * transformer(pieces, width, options.text_depth, 4 * width)
    heads = 2 * product(videos, width, out) + product(videos, out, videos)
    return BACK_AND_FORTH * (looking + reading + heads) + 2 * pixels  # nothing flows back into the pixels


def clip_step(config: Any, videos: int, frames: int, pieces: int, *, known: bool = False) -> int:
    """One step of a CLIP whose video is the mean of its frames.

    Args:
        config: ``transformers.CLIPConfig``.
        videos: In the batch.
        frames: Of a video.
        pieces: Tokens of a caption.
        known: The vectors of the frames are known: the vision tower is frozen and nothing of it is computed.
    """
    seen, read, out = config.vision_config, config.text_config, config.projection_dim
    patches = (seen.image_size // seen.patch_size) ** 2
    pixels = videos * patches_of(frames, patches, seen.patch_size, seen.hidden_size)
    looking = videos * frames * (
        transformer(1 + patches, seen.hidden_size, seen.num_hidden_layers, seen.intermediate_size)
        + product(1, seen.hidden_size, out)
    )  # fmt: skip
    reading = videos * (
        transformer(pieces, read.hidden_size, read.num_hidden_layers, read.intermediate_size)
        + product(1, read.hidden_size, out)
    )  # fmt: skip
    heads = product(videos, out, videos)
    if known:
        return BACK_AND_FORTH * reading + 2 * heads
    return BACK_AND_FORTH * (looking + reading + heads) + 2 * pixels
