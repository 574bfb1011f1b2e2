"""Data set formats: one file each, from its own annotation files to the tables of a corpus, and nothing else.

A format is a function ``(annotations, *, roots, **options) -> Parsed``. Adding one = one file here, one line below, one
entry in the manifest; from outside the tree: ``--format package.module:function``.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.lookup import imported, pick
from workbench.corpus.formats.folder import parse_folder
from workbench.corpus.formats.msrvtt import parse_msrvtt
from workbench.corpus.formats.parsed import Parsed
from workbench.corpus.formats.table import parse_table
from workbench.corpus.formats.textvr import parse_textvr
from workbench.corpus.formats.tvr import parse_tvr

FORMATS: dict[str, Callable[..., Parsed]] = {
    "folder": parse_folder,
    "msrvtt": parse_msrvtt,
    "table": parse_table,
    "textvr": parse_textvr,
    "tvr": parse_tvr,
}

__all__ = ["FORMATS", "Parsed", "find_format"]


def find_format(spec: str) -> Callable[..., Parsed]:
    """A format by name, or by ``package.module:function`` from outside the tree.

    Raises:
        UnknownNameError: No such format, module or function.
    """
    found: Callable[..., Parsed] = imported(spec, "format") if ":" in spec else pick(FORMATS, spec, "format")
    return found
