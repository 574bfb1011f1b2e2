"""Draws the films of the demo corpus, one domain per entry of ``DOMAINS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from workbench.pipelines.demo.clip import FPS, Clip
from workbench.pipelines.demo.scenes.games import games
from workbench.pipelines.demo.scenes.kitchen import cooking
from workbench.pipelines.demo.scenes.lettering import Paint
from workbench.pipelines.demo.scenes.news import news
from workbench.pipelines.demo.scenes.pastimes import activity
from workbench.pipelines.demo.scenes.products import indoor
from workbench.pipelines.demo.scenes.roads import driving
from workbench.pipelines.demo.scenes.sports import sports
from workbench.pipelines.demo.scenes.streets import outdoor

# A domain is a function that prepares what a clip needs once and gives back its painter: the painter takes the time
# in seconds and the share of the clip that has passed, and gives the picture and the place of each sign.
DOMAINS: dict[str, Callable[[Clip, np.random.Generator], Paint]] = {
    "Activity": activity,
    "Street_View_Indoor": indoor,
    "Street_View_Outdoor": outdoor,
    "Driving": driving,
    "Sports": sports,
    "Cooking": cooking,
    "News_Movie": news,
    "Games": games,
}


def draw(clip: Clip) -> Iterator[tuple[np.ndarray, list[np.ndarray | None]]]:
    """Draw a clip frame by frame.

    Args:
        clip: What to show. The same clip gives the same frames, bit by bit.

    Yields:
        A frame (uint8, 240 x 320 x 3), and for each sign the corners of its text in pixels of the frame (clockwise
        from the text's own top left), or None while it is not fully visible.
    """
    paint = DOMAINS[clip.domain](clip, np.random.default_rng(clip.seed))
    count = round(clip.seconds * FPS)
    for index in range(count):
        canvas, quads = paint(index / FPS, index / max(1, count - 1))
        yield canvas.frame(), quads
