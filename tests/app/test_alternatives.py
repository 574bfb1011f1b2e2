"""Charts for who cannot see them: every chart of every page says in words what it shows, with its numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.test_pages import opened
from workbench.app.text import extremes

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals
RUN = {"run": "demo-fusion"}
SEEN = {
    ("leaderboard",): 5, ("domains",): 2, ("compare",): 2, ("compare", "causes"): 1, ("compare", "ablations"): 3,
    ("compare", "training"): 2, ("compare", "runs"): 1, ("compare", "sure"): 2, ("matrix",): 1,
    ("failures",): 1, ("hubs",): 1, ("training",): 6,
}  # fmt: skip
"""Pages that show charts, with the part that is open, and the least number of them."""


def told_by(app: AppTest) -> list[str]:
    return [one.proto.alt for one in app.get("plotly_chart")]


@pytest.mark.parametrize("where", SEEN, ids=" ".join)
def test_every_chart_says_what_it_shows(demo, where):
    page, *part = where
    more = {"part": part[0], "other": "demo-ocr"} if part else {"other": "demo-ocr"}
    app = opened(page, **RUN, **more)
    for toggle in app.toggle:
        toggle.set_value(True).run()
    told = told_by(app)
    assert len(told) >= SEEN[where] and not app.exception
    for one in told:
        assert re.search(r"\d", one) and len(one) < 400, one


def test_no_chart_is_drawn_with_a_title_only():
    """A chart that the demo does not show says a finding too: no alternative text is a bare string."""
    folder = Path(__file__).parents[2] / "workbench" / "app"
    bare = [
        f"{file.name}: {one}" for file in folder.rglob("*.py") for one in re.findall(r'\balt="[^"]*"', file.read_text())
    ]
    assert bare == []


def test_the_highest_and_the_lowest():
    nan = float("nan")
    assert extremes("R@1", ["a", "b", "c"], [1.0, 3.25, nan], ".2f") == "R@1: highest b (3.25), lowest a (1.00)"
    assert extremes("R@1", ["a"], [1.0]) == "R@1: highest a (1.0)" and extremes("R@1", ["a"], [nan]) == "R@1: no values"
