"""What a record shows: in a notebook's cell a sentence, small tables and what to know; in a terminal the sentence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from html import escape
from typing import Any, NamedTuple

import pandas as pd

PLAIN = "tex2jax_ignore mathjax_ignore"
"""Classes in which a notebook sets no formulas: a dollar sign in a caption is a dollar sign."""


class Content(NamedTuple):
    """What a record shows of itself.

    Attributes:
        said: The sentence.
        tables: Content one below the other; empty ones are left out.
        notes: Sentences below them, of one line or more; empty ones are left out.
        digits: Decimals of numbers that are not whole; of p values two digits are shown.
    """

    said: str
    tables: tuple[pd.DataFrame, ...] = ()
    notes: tuple[str, ...] = ()
    digits: int = 1


class Cell(ABC):
    """A record that shows itself; a data class below it has ``repr=False``."""

    @abstractmethod
    def _shown(self) -> Content:
        """What it shows."""

    def _repr_html_(self) -> str:
        shown = self._shown()
        return cell_html(shown.said, *shown.tables, notes=shown.notes, digits=shown.digits)

    def __repr__(self) -> str:
        shown = self._shown()
        return "\n".join([shown.said, *(one for one in shown.notes if one)])


def cell_html(said: str, *tables: pd.DataFrame, notes: Iterable[str] = (), digits: int = 1) -> str:
    """HTML of a cell; all of its text is escaped. Arguments: those of ``Content``."""
    shown = "".join(_table(one, digits) for one in tables if len(one))
    told = "".join(f"<li>{escape(one)}</li>".replace("\n", "<br>") for one in notes if one)
    below = f"<ul>{told}</ul>" if told else ""
    return f'<div class="{PLAIN}"><p><b>{escape(said)}</b></p>{shown}{below}</div>'


def _table(table: pd.DataFrame, digits: int) -> str:
    written = {name: [_written(str(name), value, digits) for value in table[name]] for name in table}
    return pd.DataFrame(written).to_html(index=False)


def _written(name: str, value: Any, digits: int) -> str:
    if pd.isna(value):
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.2g}" if name == "p" or name.startswith("p_") else f"{value:.{digits}f}"
