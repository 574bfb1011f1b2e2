"""The shipped recipes and what they train; every key with its kind, default and meaning: each from its one source."""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, fields
from typing import Any

import pandas as pd

from workbench.training.kinds import NAMED
from workbench.training.recipes import FOLDER, RECIPES, Recipe, default_of


def recipe_list() -> pd.DataFrame:
    """One row per shipped recipe: recipe, trains (the first line of its file)."""
    heads = [FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0] for name in RECIPES]
    return pd.DataFrame({"recipe": RECIPES, "trains": [head.removeprefix("# ") for head in heads]})


def recipe_keys() -> pd.DataFrame:
    """One row per key in the recipe's order: key, kind, default (``required`` where there is none), meaning."""
    meanings = _attributes(inspect.getdoc(Recipe) or "")
    rows = [
        {
            "key": one.name, "kind": NAMED.get(str(one.type), str(one.type).replace(" | ", " or ")),
            "default": "required" if (default := default_of(one)) is MISSING else _shown(default),
            "meaning": meanings[one.name],
        }
        for one in fields(Recipe)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _attributes(doc: str) -> dict[str, str]:
    """Sentences of a docstring's attributes, each on one line and without marks of code."""
    section = doc.partition("Attributes:\n")[2]
    found: dict[str, str] = {}
    for line in section.splitlines():
        if match := re.fullmatch(r"    (\w+): (.*)", line):
            name = match[1]
            found[name] = match[2]
        elif line.strip():
            found[name] += " " + line.strip()
    return {key: text.replace("``", "") for key, text in found.items()}


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) or "none" if isinstance(value, tuple | dict) else str(value)
