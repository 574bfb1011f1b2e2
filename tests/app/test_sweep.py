"""Weights of the modalities on the page Compare: shown for runs of two modalities, made when asked for."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.test_pages import headings
from tests.made import made_corpus, made_similarity
from workbench.app.parts.sweep import used_weight
from workbench.evaluation import save_run
from workbench.pipelines.rescoring import rescore

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


def part():
    from workbench.app.parts.sweep import show_sweeps
    from workbench.evaluation import list_runs, open_run

    show_sweeps([open_run(name) for name in list_runs()["name"]], "t2v")


def test_curves_of_runs_with_modalities(home):
    corpus = made_corpus(40)
    parts = {"ocr": made_similarity(corpus, 1.0), "vision": made_similarity(corpus, 1.0, seed=1)}
    plain = save_run(parts["ocr"], corpus=corpus, name="plain")
    assert not AppTest.from_function(part).run().toggle
    both = save_run(sum(parts.values()), corpus=corpus, name="both", modalities=parts)
    fused = rescore(both, "fusion", name="fused", weights={"ocr": 1, "vision": 3})
    assert [used_weight(run) for run in (plain, both, fused)] == [None, None, 0.75]
    app = AppTest.from_function(part, default_timeout=60).run()
    assert headings(app) == ["Weights of the modalities"] and not app.caption
    app.toggle[0].set_value(True).run()
    assert not app.exception and {one.value for one in app.markdown[1:]} == {"**both**", "**fused**"}
    assert "best over all queries of test" in app.caption[0].value
