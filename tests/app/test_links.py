"""What links and addresses carry: thresholds, words, version, what players are set to; nothing goes round it."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.test_pages import headings, opened
from tests.made import made_corpus, made_runs
from workbench.core.workspace import elsewhere

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals
APP = Path(__file__).parents[2] / "workbench" / "app"
CARRIED = """
import streamlit as st
from workbench.app.limits import set_limits
from workbench.app.links import WORDS_OF, address
set_limits({"near": 0.8, "fits": 0.85})
st.session_state[WORDS_OF] = "made", "kwai"
for values in ({"corpus": "made/test"}, {"corpus": "other/test"}, {"corpus": "made/val", "engine": "truth"}, {}):
    st.text(address("query", **values))
"""
NUMBERS = """
import streamlit as st
from workbench.app.links import asked_number, asked_whole
st.text(f"{asked_number('n', 2.5, 0.5, 9.5)} {asked_whole('n', 2, 0, 9)}")
"""
TAKEN = """
import streamlit as st
from workbench.app import looks
looks.take({"q": "<b>", "t": "1.5", "t2": "nan", "speed": "7", "speed2": "0.5", "boxes": "off", "together": "x"})
st.json({"first": looks.set_in(looks.FIRST), "beside": looks.set_in(looks.BESIDE), "carried": looks.carried()})
looks.take({"boxes": None, "t": None})
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace with two runs."""
    home = tmp_path_factory.mktemp("home")
    with elsewhere(home):
        made_runs(made_corpus(60), ("good", "fair"))
    return home


def script(text: str, **parameters: str) -> AppTest:
    app = AppTest.from_string(text, default_timeout=30)
    for key, value in parameters.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def test_every_link_carries_changed_thresholds_and_the_words_of_its_corpus():
    limits = "limits=fits%3D0.85%3Bnear%3D0.8"
    assert [one.value for one in script(CARRIED).text] == [
        f"/query?engine=kwai&v=1&corpus=made%2Ftest&{limits}",
        f"/query?v=1&corpus=other%2Ftest&{limits}",
        f"/query?engine=truth&v=1&corpus=made%2Fval&{limits}",
        f"/query?v=1&{limits}",
    ]


def test_what_components_tell_is_checked_and_remembered_but_for_seconds():
    app = script(TAKEN, speed="0.25", together="share")
    assert json.loads(app.json[0].value) == {
        "first": {"show_boxes": False, "start": 1.5}, "beside": {"speed": 0.5},
        "carried": {"boxes": "off", "speed2": "0.5"},
    }  # fmt: skip
    assert {key: app.query_params[key] for key in app.query_params} == {"q": "<b>", "speed2": "0.5"}


@pytest.mark.parametrize(("said", "number", "whole"), [
    ("5", 5.0, 5), ("99999999", 9.5, 9), ("-3", 0.5, 0), ("1e400", 9.5, 9), ("-inf", 0.5, 0), ("nan", 2.5, 2),
    ("x", 2.5, 2), ("", 2.5, 2), ("1.7.3", 2.5, 2), ("9" * 5000, 9.5, 9), ("²", 2.5, 2), ("7.9", 7.9, 7),
])  # fmt: skip
def test_numbers_of_the_address_stay_between_their_limits(said, number, whole):
    assert script(NUMBERS, n=said).text[0].value == f"{number} {whole}"


ODD = {
    "tags": ("seed", "n", "at"), "failures": ("rows", "from", "k"), "domains": ("page",), "hubs": ("top", "taken", "k"),
}  # fmt: skip


def test_absurd_numbers_open_every_page(place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    for page, keys in ODD.items():
        assert not opened(page, **dict.fromkeys(keys, "9" * 20)).exception, page


def test_toggles_stand_in_the_address():
    code = "from workbench.app.parts.widgets import choose_toggle\nprint(choose_toggle('Try', 'sweep'))"
    app = script(code, sweep="1")
    assert app.toggle[0].value
    app.toggle[0].set_value(False).run()
    assert "sweep" not in app.query_params and not app.toggle[0].value
    app.toggle[0].set_value(True).run()
    assert app.query_params["sweep"] == "1" or app.query_params["sweep"] == ["1"]


def test_the_address_states_its_version_and_another_one_is_told_while_its_page_is_open(place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    app = opened("", v="9")  # the start page leads on to the leaderboard
    for _ in range(2):
        assert "made by another version of the workbench" in app.warning[0].value and app.query_params["v"] == "1"
        assert headings(app, 1) == ["Leaderboard"]
        app.run()
    assert not app.switch_page("../pages/data.py").run().warning
    assert not app.switch_page("../pages/leaderboard.py").run().warning


def test_links_between_pages_are_made_in_one_place():
    """Every ``query_params=`` of a link is what ``parameters`` gave; no other file writes the version."""
    for path in APP.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        made = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and _called(node.value) == "parameters"
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for keyword in [one for call in calls for one in call.keywords if one.arg == "query_params"]:
            value = keyword.value
            own = ast.unparse(value).startswith("st.query_params")  # the address of this very page, on another one
            given = (
                own or _called(value) in ("parameters", "link") or (isinstance(value, ast.Name) and value.id in made)
            )
            assert given, f"{path.name}:{keyword.lineno} links without parameters()"


def _called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
