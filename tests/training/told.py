"""Everything of a run that must not depend on where its training was interrupted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from workbench.core.files import read_table
from workbench.training.curves import TIMED

UNTOLD = ("run.json", "logs")


def content(run: str, home: Path) -> dict[str, Any]:
    """By file what stands in it, tensors by name; numbers that say how fast it went are left out.

    Where the ids of all batches were written down, also what each step saw, and in which order the steps counted.
    """
    folder, found = home / "runs" / run, {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not name.startswith(UNTOLD):
            found[name] = _read(path)
    if (ids := home / f"{run}.ids").exists():
        steps = [json.loads(line) for line in ids.read_text().splitlines()]
        found["ids"] = {step: rest for step, *rest in steps}
        found["order"] = list(dict.fromkeys(step for step, *_ in reversed(steps)))
    return found


def _read(path: Path) -> Any:
    if path.name == "history.parquet":
        table = read_table(path)
        return table[~table["name"].isin(TIMED)].to_csv(index=False)
    if path.suffix == ".safetensors":  # the order of its header is drawn anew by each process
        return {key: (one.shape, one.tobytes()) for key, one in load_file(path).items()}
    if path.suffix == ".json":
        return {key: value for key, value in json.loads(path.read_text()).items() if key != "seconds"}
    return path.read_bytes()


def different(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Names of what is not the same in both, or in one alone."""
    return sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
