"""Whatever a page shows can be taken along: one way to draw charts and tables, files made when they are asked for."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import plotly.graph_objects as go
import pytest
from streamlit.proto.BackMsg_pb2 import BackendOperationRequest
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.testing.v1 import AppTest

import workbench.app
from workbench.app.deferred import TellingHandler, tell_why
from workbench.app.parts import downloads
from workbench.core.errors import DataError

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals
APP = Path(workbench.app.__file__).parent
DRAWS = {
    "altair_chart", "area_chart", "bar_chart", "bokeh_chart", "data_editor", "dataframe", "graphviz_chart", "image",
    "line_chart", "plotly_chart", "pydeck_chart", "pyplot", "scatter_chart", "table", "vega_lite_chart",
}  # fmt: skip
"""Elements of Streamlit that show a chart, a table or a picture."""
ALLOWED = {
    "parts/downloads.py": {"plotly_chart", "dataframe"}, "parts/own_clip.py": {"image"}, "parts/funnel.py": {"table"},
}  # fmt: skip
"""The one place that may; beside it the picture of a user's own clip, and ``Funnel.table``, which draws nothing."""


def drawn_by(source: str) -> set[str]:
    """Elements of ``DRAWS`` that a file calls on ``st`` or on a container; without an argument nothing is drawn."""
    calls = [
        one.func for one in ast.walk(ast.parse(source)) if isinstance(one, ast.Call) and (one.args or one.keywords)
    ]
    return {one.attr for one in calls if isinstance(one, ast.Attribute)} & DRAWS


def test_nothing_is_shown_without_its_files():
    found = {str(file.relative_to(APP)): drawn_by(file.read_text(encoding="utf-8")) for file in APP.rglob("*.py")}
    assert {name: calls for name, calls in found.items() if calls} == ALLOWED
    assert drawn_by("st.columns(2)[0].dataframe(table)") == {"dataframe"}


def shown():
    import pandas as pd
    import plotly.graph_objects as go

    from workbench.app.parts.downloads import downloads, show_chart, show_table

    figure = go.Figure(go.Bar(x=["店"], y=[1]))
    runs = {"run": "x'y"}
    show_chart(figure, "a/../b", key="one", alt="a shop", code="figures.f(run)", table=pd.DataFrame(), runs=runs)
    show_table(pd.DataFrame({"n": [1]}), "rows", whole=pd.DataFrame({"n": [1, 2]}), exclude=pd.DataFrame())
    downloads("never drawn", figure=lambda width: 1 / 0, code="figures.g(run)", runs={"run": "r"})


def buttons(app: AppTest) -> list[str]:
    return [one.proto.label for one in app.get("download_button")]


def test_a_box_offers_every_file_and_makes_none(home, monkeypatch):
    monkeypatch.setattr(downloads, "_drawn", lambda *arguments: 1 / 0)
    app = AppTest.from_function(shown, default_timeout=30).run()
    assert not app.exception and not buttons(app) and not app.code
    for name, labels, code in (
        ("a-..-b", ["PDF", "SVG", "CSV", "LaTeX"], 'wb.open_run("x\'y")'),
        ("rows", ["CSV", "LaTeX", "Exclude list"], None),
        ("never-drawn", ["PDF", "SVG"], "figures.g(run)"),
    ):
        app = AppTest.from_function(shown, default_timeout=30)
        app.session_state[f"files {name}"] = True
        app.run()
        assert not app.exception and buttons(app) == labels
        assert all(one.proto.deferred_file_id and not one.proto.url for one in app.get("download_button"))
        assert [code in one.value for one in app.code] == ([] if code is None else [True])


def test_what_cannot_be_drawn_says_so(home):
    def part():
        import plotly.graph_objects as go

        from workbench.app.parts.downloads import downloads

        downloads("pie", figure=go.Figure(go.Pie(values=[1])), code="figures.f(run)", runs={"run": "r"})

    app = AppTest.from_function(part, default_timeout=30)
    app.session_state["files pie"] = True
    app.run()
    assert not app.exception and "holds a pie that cannot be drawn" in app.error[0].value


def test_a_file_that_cannot_be_made_says_why_at_its_button(monkeypatch, caplog):
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))

    def answer(make):
        file_id = manager.add_deferred(make, "text/plain", "x", "x.txt")
        request = BackendOperationRequest(request_id="1", deferred_file={"file_id": file_id})
        return asyncio.run(app_session.DeferredFileHandler(lambda: manager).handle(request, "s"))

    def refused():
        raise DataError("It holds a pie.", "Choose a bar.")

    monkeypatch.setattr(app_session, "DeferredFileHandler", app_session.DeferredFileHandler)  # is put back
    tell_why()
    assert answer(lambda: "a,b").deferred_file.url.endswith(".txt")
    assert answer(refused).error_msg == "It holds a pie. Choose a bar." and "could not be made" not in caplog.text
    assert answer(lambda: 1 / 0).error_msg.endswith("ZeroDivisionError: division by zero")
    assert "could not be made" in caplog.text
    made = AppSession._create_backend_operation_dispatcher(SimpleNamespace(_script_data=None))
    assert isinstance(made._handlers["deferred_file"], TellingHandler)  # where Streamlit looks for it


def test_the_files_hold_what_is_shown():
    table = pd.DataFrame({"Run": ["a_b"], "R@1": [12.345]})
    assert downloads._csv(table) == "Run,R@1\na_b,12.345\n"
    assert downloads._drawn(go.Figure(go.Bar(x=["x"], y=[1])), "pdf", downloads.COLUMN).startswith(b"%PDF")


def test_file_names_hold_nothing_that_leads_elsewhere():
    assert downloads.file_name("../../a b/店?.pdf") == "a-b-.pdf"
    assert downloads.file_name("店") == "figure" and len(downloads.file_name("x" * 500)) == 80
    assert all(sign not in downloads.file_name("a/b\\c:d") for sign in "/\\:")
