"""The benchmarks of the app run on tiny matrices too: what they measure is there, and nothing is over its limit."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from benchmarks import app_speed, matrix_view
from benchmarks.app_clicks import KINDS
from benchmarks.made_matrices import QUICK, made
from benchmarks.pages import SCREEN, app
from benchmarks.report import Report
from tests.captioned import captioned_runs
from tests.figures.players import barcode_corpus
from workbench.app.navigation import TITLES
from workbench.core.workspace import elsewhere

pytestmark = pytest.mark.filterwarnings("default")  # Streamlit's test harness warns about its own internals


@pytest.fixture(scope="module")
def runs():
    return made(QUICK.sizes, filmed=True)


def rows_of(report: Report) -> list[list[str]]:
    """Cells of all rows of tables, without headings."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in report.lines if line.startswith("| 240")]


def test_first_numbers_clicks_pans_memory_and_boxes(runs, browser):
    report, context = Report(), browser.new_context(viewport=SCREEN)
    with elsewhere(runs.home):
        captioned_runs(barcode_corpus(runs.home / "clips" / "barcodes"), "barcodes-")
    with app(runs.home) as (base, process):
        assert 1_000 < app_speed.first_numbers(report, context, base, runs) <= matrix_view.MOST_MESSAGE
        found = app_speed.interactions(report, context, base, process, runs, QUICK)
        app_speed.overlays(report, context, base, QUICK.frames)
        matrix_view.pages(report, context, base, process, runs, QUICK.pans)
    context.close()
    app_speed.held(report, found, QUICK)
    assert not report.missed and sum(line.startswith("Floor:") for line in report.lines) == 9
    assert 1_000 < found.message <= matrix_view.MOST_MESSAGE and found.heap > 1
    held, pages = rows_of(report)
    assert all(held[1:]) and all(pages[1:]) and int(pages[2].replace(",", "")) >= 0
    first = [line.split("|")[1].strip() for line in report.lines if line.startswith("| ")]
    assert {*TITLES} <= {*first} and {*KINDS} <= {*first}


def test_pyramids_and_means(runs):
    report = Report()
    matrix_view.pyramids(report, runs)
    matrix_view.means(report, runs)
    assert [row[1] for row in rows_of(report)] == ["a run", "a difference"] * 2 and not report.missed


def test_the_naive_page_runs(runs, tmp_path):
    (run, _), *_ = runs.runs.values()
    naive = AppTest.from_file(app_speed.naive_script(tmp_path, run), default_timeout=30).run()
    assert not naive.exception and naive.markdown[0].value == "Query 1 of everything"
    assert naive.button[0].click().run().markdown[0].value == "Query 2 of everything"
