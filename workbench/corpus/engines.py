"""Which engine's texts stand for a video or a corpus when none is named: one rule for models, analysis and player."""

from __future__ import annotations

from collections.abc import Collection

READ_ENGINES = ("rapidocr", "kwai")
"""Engines that are taken before others, best first."""
TRUTH = "truth"
"""What was really written; never taken unless it is asked for, as no engine can know it."""


def first_engine(found: Collection[str]) -> str | None:
    """The first of ``READ_ENGINES`` that was found, else any but the truth; None = there is none."""
    able = set(found) - {TRUTH}
    return next((name for name in READ_ENGINES if name in able), min(able, default=None))
