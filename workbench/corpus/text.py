"""Captions as text: when two of them are the same, and how domains are called."""

from __future__ import annotations

import unicodedata

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


def normalise_caption(text: str) -> str:
    """A caption for comparing: NFKC, case folded, white space (also no-break) collapsed and stripped."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def domain_label(domain: str) -> str:
    """The name of a domain as screens show it: the paper's where there is one, else the id with spaces."""
    return DOMAIN_LABELS.get(domain, domain.replace("_", " "))
