"""The token map: which word of a caption fits which frame and which read word; a click on a cell moves the player."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from workbench.app.components.assets import asset
from workbench.evaluation.runs.interactions import PairInteraction

HINT = "A cell is what the word would add to the score. Click one, or press Enter: the player goes there."

MARKED = 0.05
"""Share of the scale below which the best of a row is not marked."""


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component("workbench_token_map", js=asset("token_map.js"), css=asset("token_map.css"))


def added(pair: PairInteraction) -> np.ndarray:
    """What every token would add to the score by each frame and each read word, float64 [tokens, frames + words]."""
    weights = np.asarray(pair.weights, np.float64)
    return np.hstack([weights[:, :1] * pair.frame, weights[:, 1:] * pair.word])


def map_data(
    pair: PairInteraction, *, title: str, player: str, limit: float, word_seconds: Mapping[str, float]
) -> dict[str, Any]:
    """What the component shows of one caption and one video, as plain JSON.

    Args:
        pair: The caption and the video.
        title: Above the map.
        player: Key of the player that a click moves; empty = there is none.
        limit: The amount that has the full colour.
        word_seconds: Seconds at which a read word stands first, where that is known.
    """
    values, n_frames = added(pair), len(pair.times_s)
    columns = [{"kind": "frame", "label": f"{time:.2f}", "seconds": round(time, 6)} for time in pair.times_s]
    columns += [{"kind": "read", "label": word, "seconds": word_seconds.get(word)} for word in pair.words]
    best = [[one for one in _best(row, n_frames) if abs(row[one]) >= MARKED * limit] for row in values]
    return {
        "title": title, "player": player, "hint": HINT if player else HINT.split(". ")[0] + ".",
        "about": (
            f"{title}: {len(pair.tokens)} words of the caption by {n_frames} frames and {len(pair.words)} read words. "
            "Arrows move, Enter shows the frame."
        ),
        "tokens": list(pair.tokens), "columns": columns, "values": values.round(4).tolist(), "best": best,
        "brings": (pair.of_frames + pair.of_words).astype(float).round(4).tolist(),
        "limit": round(limit, 4), "lowest": round(float(values.min(initial=0.0)), 4),
    }  # fmt: skip


def _best(row: np.ndarray, n_frames: int) -> list[int]:
    """Columns that count: the best frame, and the best read word where it lifts the score."""
    found = [int(row[:n_frames].argmax())] if n_frames else []
    words = row[n_frames:]
    return [*found, n_frames + int(words.argmax())] if len(words) and words.max() > 0 else found


def limit_of(pairs: Sequence[PairInteraction]) -> float:
    """The greatest amount of all cells of these pairs, so that their colours can be compared; 1 where all are 0."""
    return max((float(np.abs(added(pair)).max(initial=0.0)) for pair in pairs), default=0.0) or 1.0


def token_map(data: Mapping[str, Any], key: str) -> None:
    """Show a map.

    Args:
        data: Of ``map_data``.
        key: Streamlit's key.
    """
    _component()(data=data, key=key, height="content")
