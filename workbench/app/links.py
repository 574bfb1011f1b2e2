"""Links between pages: everything that a page shows stands in its address."""

from __future__ import annotations

from urllib.parse import urlencode

VERSION = "1"


def address(page: str, **values: object) -> str:
    """The address of a page with these values; empty ones are left out."""
    return f"/{page}?{urlencode(parameters(**values))}"


def parameters(**values: object) -> dict[str, str]:
    """Query parameters of a link, with the version of the link's format."""
    return {"v": VERSION, **{key: str(value) for key, value in values.items() if value not in (None, "")}}
