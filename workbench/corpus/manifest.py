"""The manifest: what each data set of the field is, where it comes from, and which corpora are made of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files as resources
from typing import Any

import yaml

from workbench.core.errors import DataError, UnknownNameError
from workbench.core.files import check_format
from workbench.core.lookup import nearest, pick

FORMAT_VERSION = 1


@dataclass(frozen=True)
class File:
    """One file of a data set: its name, size and checksum where known, and how to get it."""

    name: str
    n_bytes: int | None = None
    sha256: str | None = None
    url: str | None = None
    how: str = ""


@dataclass(frozen=True)
class Entry:
    """One data set.

    Attributes:
        id: Its short name.
        title: Its name as people write it.
        origin: Where it comes from.
        licence: Under which terms; None = not known.
        citation: Whom to cite; None = nobody.
        protocol: What is asked of whom.
        counts: Captions and videos by split; None = not known.
        files: What to get.
        defects: What is known to be wrong with it.
        corpora: Format and options by the name of the corpus that is made of it.
    """

    id: str
    title: str
    origin: str
    licence: str | None
    citation: str | None
    protocol: str
    counts: Mapping[str, Mapping[str, int | None]] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    defects: tuple[str, ...] = ()
    corpora: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """All data sets, by id."""

    entries: Mapping[str, Entry]


def load_manifest(text: str | None = None) -> Manifest:
    """Read the manifest that the package carries, or the given YAML text.

    Raises:
        DataError: An unknown or missing key (the sentence names the data set and the nearest key).
    """
    content = yaml.safe_load(text or resources("workbench.corpus").joinpath("data_manifest.yaml").read_text("utf-8"))
    check_format(content.get("format_version"), FORMAT_VERSION, "The manifest")
    entries = {}
    for name, values in content["datasets"].items():
        values = _known(values, Entry, f"data set {name}")
        members = tuple(File(**_known(value, File, f"data set {name}, files")) for value in values.pop("files", []))
        lists = {"files": members, "defects": tuple(values.pop("defects", []))}
        entries[name] = Entry(**{"id": name, **values, **lists})
    return Manifest(entries)


def _known(values: Mapping[str, Any], record: type, where: str) -> dict[str, Any]:
    names = {one.name: one for one in dataclasses.fields(record)}  # type: ignore[arg-type]  # dataclasses are passed
    for key in values:
        if key not in names:
            raise DataError(f"Manifest, {where}: unknown key {key!r}.", nearest(key, names))
    no_default = dataclasses.MISSING
    for name, one in names.items():
        if name not in values and name != "id" and one.default is no_default and one.default_factory is no_default:
            raise DataError(f"Manifest, {where}: {name} is missing.", "Write null where it is not known.")
    return dict(values)


def entry_of_corpus(name: str) -> tuple[Entry, str, dict[str, Any]]:
    """The data set that a corpus is made of, the format, and its options.

    Raises:
        UnknownNameError: No data set makes a corpus of that name.
    """
    made = {corpus: (entry, how) for entry in load_manifest().entries.values() for corpus, how in entry.corpora.items()}
    if name not in made:
        raise UnknownNameError(
            f"The manifest makes no corpus called {name!r}.",
            f"{nearest(name, made)} For your own captions add --format table.",
        )
    entry, how = made[name]
    return entry, str(how["format"]), dict(how.get("options", {}))


def entry(name: str) -> Entry:
    """One data set by its id.

    Raises:
        UnknownNameError: No data set has that id.
    """
    return pick(load_manifest().entries, name, "data set")
