"""Captions as text: when two of them are the same, and how domains are called."""

from __future__ import annotations

import unicodedata
from typing import Any

import pandas as pd

DOMAIN_LABELS = {  # TextVR's folders by the names of the paper
    "Activity": "Activity",
    "Street_View_Indoor": "Street View (indoor)",
    "Street_View_Outdoor": "Street View (outdoor)",
    "Driving": "Driving",
    "Sports": "Sports",
    "Cooking": "Cooking",
    "News_Movie": "TV Show",
    "Games": "Game",
}
NONE_STATED = "(none)"
"""Stands in tables by domain for the queries and videos that state none."""
NO_DOMAIN = "No domain stated"
"""How screens call the domain of a video that states none."""


def normalise_caption(text: str) -> str:
    """A caption for comparing: NFKC, case folded, white space (also no-break) collapsed and stripped."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def with_unstated(domains: pd.Series) -> pd.Series:
    """Domains with ``NONE_STATED`` for the missing ones, so that none is left out of a table; all missing stay so."""
    held = domains.astype(object)
    return held if held.isna().all() else held.where(held.notna(), NONE_STATED)


def domain_label(domain: Any) -> str:
    """The name of a domain as screens show it: the paper's where there is one, else the id with spaces.

    Args:
        domain: Its id; a missing one (None, NaN, NA, ``NONE_STATED``) is ``NO_DOMAIN``.
    """
    if pd.isna(domain) or domain == NONE_STATED:
        return NO_DOMAIN
    return DOMAIN_LABELS.get(name := str(domain), name.replace("_", " "))
