"""docs/failures.md: its block is run on the demo, and what it measures is what the document says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = (Path(__file__).parents[2] / "docs" / "failures.md").read_text(encoding="utf-8")


def rows(text: str) -> dict[str, list[float]]:
    """Numbers of a Markdown table by its first column."""
    table = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    return {row[0]: [float(one) for one in row[2:]] for row in table if re.fullmatch(r"[\d.]+", row[-1])}


@pytest.mark.slow
@pytest.mark.usefixtures("demo")
def test_planted_troubles_are_found_as_the_document_says():
    (block,) = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.M | re.S)
    names: dict[str, Any] = {}
    exec(compile(block, "docs/failures.md", "exec"), names)
    said, measured = rows(DOCUMENT[DOCUMENT.index("## The demo's") :]), names["measured"]
    assert list(said) == list(measured.index) and len(said) == 7
    for planted, one in measured.iterrows():
        counts = pytest.approx([one["true"], one["found"]], rel=0.1, abs=2)  # of trained runs: see the document
        assert said[planted][:2] == counts, planted
        assert said[planted][2:] == pytest.approx([one["precision"], one["recall"]], abs=0.03), planted
        assert one["precision"] >= 0.9 and one["recall"] >= 0.7, planted
