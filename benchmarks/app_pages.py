"""The pages of the app: how each is asked for, and its first number; for the benchmark and for the browser tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from workbench.app.links import VERSION
from workbench.app.navigation import TITLES

SAID = """(() => {
  const main = document.querySelector('[data-testid=stMain]');
  const said = main ? [main.innerText] : [];
  for (const row of main?.querySelectorAll('canvas table tr') ?? [])
    said.push([...row.children].map(cell => cell.textContent).join('\\t'));
  for (const one of main?.querySelectorAll('*') ?? [])
    for (const part of one.shadowRoot?.children ?? []) if (part.tagName !== 'STYLE') said.push(part.innerText);
  return said.join('\\n');
})()"""
"""JavaScript: all that a page says: its text, cells of its tables (joined by tabs), and what its components say."""
VERDICT = r"[+−-]\d[\d.]* (points of )?R@1|R@1 \d[\d.]*|same R@1 on every one of \d+"


@dataclass(frozen=True)
class Begins:
    """Where a page begins.

    Attributes:
        takes: What of corpus, run, other, q ... stands in its address.
        number: Its first number, a regular expression of JavaScript over ``SAID``.
        without: What it says in place of numbers where it has nothing to show; empty = it always has a number.
    """

    takes: tuple[str, ...]
    number: str
    without: str = ""


FIRST: Mapping[str, Begins] = {
    "leaderboard": Begins(("corpus",), VERDICT),
    "domains": Begins(("corpus", "run"), r"R@1 \d[\d.]* %"),
    "compare": Begins(("corpus", "run", "other"), VERDICT),
    "matrix": Begins(("corpus", "run"), r"[+-]\d+\.\d+ sd|\d[\d,]* captions ↓ × \d[\d,]* videos"),
    "failures": Begins(("corpus", "run"), r"\d[\d,]* of \d[\d,]* queries fail"),
    "query": Begins(("corpus", "run", "other", "q"), r"Query \d[\d,]* of \d[\d,]*"),
    "hubs": Begins(("corpus", "run"), r"The \d[\d,]* .+ in most lists"),
    "search": Begins(("corpus", "words"), r"\d[\d,]* videos?\b", "No words were read|nor words read in them"),
    "training": Begins((), r"\t\d[\d,]* of \d[\d,]*\t", "Nothing was trained here yet"),
    "data": Begins(("data_corpus",), r"\t\d[\d,]*\t\d[\d,]*\t"),
    "report": Begins(("corpus", "run", "against"), rf"first for \d[\d.]* % of \d[\d,]* captions|{VERDICT}"),
}
"""Every page of the navigation; a test holds that none is missing."""


def link(page: str, **values: str) -> str:
    """The address of a page, without a slash in front.

    Args:
        page: A key of ``FIRST``.
        **values: What may stand in addresses (``words`` are those of a search); a page takes what it knows.
    """
    taken = {"q" if key == "words" else key: values[key] for key in FIRST[page].takes if key in values}
    return f"{page}?{urlencode({'v': VERSION, **taken})}"


def number_on(page: str, *, without: bool = False) -> str:
    """JavaScript that gives the first number of a page as it stands there, and null until it does.

    Args:
        page: A key of ``FIRST``.
        without: Look for what the page says in place of a number.
    """
    pattern = FIRST[page].without if without else FIRST[page].number
    titled = f"document.querySelector('h1')?.innerText === {json.dumps(TITLES[page][0])}"
    return f"({titled}) ? ({SAID}.match(new RegExp({json.dumps(pattern)}))?.[0] ?? null) : null"
