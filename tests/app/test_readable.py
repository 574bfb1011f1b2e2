"""A run whose files cannot be read is left out with its reason; every page shows the others."""

from __future__ import annotations

import pytest

from tests.app.test_pages import opened, words
from tests.made import made_corpus, made_runs
from workbench.app.readable import trouble

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


def test_a_torn_run_is_told_and_the_others_are_shown(home):
    made_runs(made_corpus(24), ("good", "fair", "poor"))
    torn = {"fair": "per_query.parquet", "poor": "similarity.npy"}
    for name, file in torn.items():
        path = home / "runs" / name / file
        path.write_bytes(path.read_bytes()[:100])
    for page in ("leaderboard", "domains", "matrix"):
        app = opened(page)
        said = words(app).replace("\\", "")
        assert not app.exception and not app.error, page
        assert all(f"**{name}** is left out." in said and file in said for name, file in torn.items()), page
    assert trouble("good") == "" and opened("failures").selectbox(key="choose run").options == ["good"]
    assert "Two runs that can be looked at query by query are needed" in words(opened("compare"))


def test_without_any_that_can_be_read_the_reason_is_said(home):
    made_runs(made_corpus(24), ("good",))
    (home / "runs" / "good" / "queries.parquet").write_bytes(b"PAR1")
    app = opened("matrix")
    said = app.error[0].value.replace("\\", "")
    assert not app.exception and "No run here can be read." in said and "queries.parquet" in said
