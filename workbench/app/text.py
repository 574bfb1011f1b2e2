"""Text from data and errors as text: nothing in it can become Markdown, HTML, a link or an icon."""

from __future__ import annotations

import re

ACTIVE = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")


def plain(text: object) -> str:
    """The text for a Markdown element, every sign that Markdown could act on escaped."""
    return ACTIVE.sub(r"\\\1", str(text)).replace("\n", "  \n")
