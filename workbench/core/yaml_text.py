"""YAML as people write it today: a float may lack its point, so that ``1e-3`` is one (YAML 1.2, section 10.3.2)."""

from __future__ import annotations

import re
from typing import Any

import yaml

from workbench.core.errors import DataError

FLOAT = "tag:yaml.org,2002:float"
WRITTEN = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"
)


class _Loader(yaml.SafeLoader):
    """Plain values alone, as ``yaml.safe_load`` reads them but for floats."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # as its parent has it
        first: [one for one in rules if one[0] != FLOAT]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(FLOAT, WRITTEN, list("-+.0123456789"))


def read_yaml(text: str, what: str, remedy: str) -> Any:
    """The value that a text holds; None of an empty one.

    Args:
        text: YAML, or JSON.
        what: Begins the sentence of an error, e.g. ``The recipe mine.yaml``.
        remedy: Ends it.

    Raises:
        DataError: It is no YAML; the sentence names the line where there are several.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # derived from SafeLoader
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that there is not
        raise DataError(f"{what} cannot be read: {_said(text, error)}.", remedy) from error


def _said(text: str, error: Exception) -> str:
    """A single line as it is; of several the wrong one's number, and what is wrong with it."""
    if "\n" not in text.strip():
        return repr(text)
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}, {getattr(error, 'problem', '')}" if mark is not None else str(error).splitlines()[0]
