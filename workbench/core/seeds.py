"""Random numbers that depend on what is drawn, never on when or where it is drawn."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, *keys: object) -> np.random.Generator:
    """A generator for one purpose: the same (seed, keys) give the same numbers in any process and order.

    Args:
        seed: The user's seed.
        *keys: What is drawn, e.g. ``"bootstrap", "r1"`` or ``epoch, sample_id``; compared by their ``repr``.
    """
    digest = hashlib.sha256("\x1f".join([str(int(seed)), *map(repr, keys)]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))
