"""What records show as the last line of a cell: short, and all text is text."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest

from tests.filmed import HOSTILE
from tests.made import made_corpus, made_runs
from workbench import analysis
from workbench.analysis.cells import cell_html
from workbench.core.workspace import elsewhere


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    with elsewhere(tmp_path_factory.mktemp("runs")):
        good, poor = made_runs(made_corpus(16), ("good", "poor"))
        good.info["name"] = HOSTILE
        yield good, poor


def test_a_cell_writes_numbers_and_text():
    table = pd.DataFrame({
        HOSTILE: [HOSTILE, None], "value": [1.26, np.nan], "n": pd.array([3, None], "Int64"), "p_holm": [0.00012, 0.5],
    })  # fmt: skip
    shown = cell_html(HOSTILE, table, table.iloc[:0], notes=["", f"two\nlines {HOSTILE}"])
    assert "<img" not in shown and "</script>" not in shown and "tex2jax_ignore" in shown
    for said in ("<td>1.3</td>", "<td>3</td>", "<td>0.00012</td>", "<td></td>", "two<br>lines"):
        assert said in shown
    assert shown.count("<table") == shown.count("<li>") == 1 and "NA" not in shown and "nan" not in shown


def funnel() -> analysis.Funnel:
    words = pd.DataFrame(
        {"domain": ["Cooking"] * 3, "fate": ["missed", "kept", "kept"], "lost_at": ["recognised", None, None]}
    )
    return analysis.Funnel(HOSTILE, words, MappingProxyType({"used": "Nobody says."}), 2)


SHOWN = {
    "Funnel": (lambda _: funnel(), "Used: Nobody says.", "2 readable words are left out", "<td>0.67</td>"),
    "Hubness": (lambda runs: analysis.hubness(runs[0], 5), "first 5 of each list, t2v", "Robin Hood", "Cooking/clip"),
    "Solved": (analysis.solved_sets, "of 16 queries by any run", "solved by exactly", "by all"),
    "Correction": (lambda runs: analysis.hub_correction(runs[1], k=5), "seen test queries", "returned", "before"),
    "Trajectories": (
        lambda _: analysis.Trajectories(HOSTILE, "t2v", [1, 2], ["a", "b"], np.array([[1.0, 2.0], [3.0, np.nan]])),
        "2 looks at 2 validation queries, by step 2", "learned and lost", "<td>0.50</td>",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_a_record_shows_itself_shortly(name, runs):
    made, *said = SHOWN[name]
    record = made(runs)
    assert type(record).__name__ == name
    shown = record._repr_html_()
    assert all(one in shown for one in said) and len(shown) < 4000
    assert "<img" not in shown and "</script>" not in shown
    if name in ("Solved", "Trajectories"):
        assert len(repr(record)) < 400
