"""``wb.show``: one cell with everything inside, words that cannot act, errors that say what to do."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

import workbench as wb
from tests.filmed import HOSTILE, filmed_corpus, with_text
from tests.made import made_corpus, made_runs, made_similarity
from workbench import notebook
from workbench.core.errors import DataError, StateError, UnknownNameError
from workbench.corpus import save_corpus
from workbench.corpus.media import frame_times
from workbench.figures.theme import B

ERROR_ANALYSIS = Path(__file__).parents[1] / "notebooks" / "04_error_analysis.ipynb"


@pytest.fixture
def corpus(home: Path, tmp_path: Path):
    corpus = filmed_corpus(tmp_path / "films")
    corpus = with_text(corpus, "a.mp4", "rapidocr", ["MIRA CAFE", HOSTILE], last=11)
    return with_text(corpus, "a.mp4", "truth", ["Mira Café"])


def data_of(html: str) -> dict:
    found = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])


def test_the_cell_holds_all_it_needs(corpus):
    shown = wb.show(corpus, "a.mp4", matched=["a.mp4#rapidocr#0"])
    html = shown._repr_html_()
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "") and "https://" not in html
    data = data_of(html)
    (source,) = data["sources"]
    head, _, content = source["src"].partition(",")
    assert head == "data:video/mp4;base64" and base64.b64decode(content)[4:8] == b"ftyp"
    assert np.allclose(data["frame_times"], frame_times(corpus, "a.mp4"), atol=1e-6)
    assert len(source["times"]) == 24 and np.allclose(source["times"], data["frame_times"], atol=2e-3)
    assert [(track["text"], track["matched"], track["until"]) for track in data["tracks"]] == [
        ("MIRA CAFE", True, 11), (HOSTILE, False, 11),
    ]  # fmt: skip
    assert repr(shown).startswith("a.mp4: 1.9 s, 2 texts read in it. A notebook plays it") and "\n" not in repr(shown)


def test_where_no_script_runs_a_frame_with_its_boxes_stands(corpus):
    shown = wb.show(corpus, "a.mp4", matched=["a.mp4#rapidocr#0"])
    with Image.open(io.BytesIO(shown._repr_png_())) as picture:
        colours = [one for _, one in picture.convert("RGB").getcolors(1 << 24)]
    assert tuple(int(B[i : i + 2], 16) for i in (1, 3, 5)) in colours  # the box of the word that is asked for
    (still, alt) = re.findall(r'<div [^>]*><img src="data:image/png;base64,([^"]+)" alt="([^"]+)"', shown.html)[0]
    assert base64.b64decode(still) == shown.still and alt == "A frame of mine/a.mp4"


CELLS = """
import workbench as wb
from workbench import analysis, figures
compared = analysis.compare_runs("poor", "good")
compared
--
figures.difference_bars(compared.by_domain)
--
wb.show(wb.open_corpus("mine"), "a.mp4")
--
print(repr(compared))
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_real_kernel_and_a_saved_page_show_everything(corpus, monkeypatch):
    """Through nbclient, as JupyterLab does, and nbconvert: no browser, no network."""
    nbclient, nbconvert = pytest.importorskip("nbclient"), pytest.importorskip("nbconvert")
    made_runs(made_corpus(24), ("good", "poor"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one.strip()) for one in CELLS.split("--\n")])
    nbclient.NotebookClient(book, timeout=120).execute()
    table, chart, player, printed = (cell.outputs[0] for cell in book.cells)
    assert set(table["data"]) == {"text/html", "text/plain"}
    assert set(chart["data"]) == {"application/vnd.plotly.v1+json", "image/svg+xml", "text/plain"}
    assert set(player["data"]) == {"text/html", "image/png", "text/plain"}
    assert printed["text"].startswith("good - poor = ") and "Comparison(" not in printed["text"]
    page, _ = nbconvert.HTMLExporter(template_name="basic").from_notebook_node(book)
    assert not re.findall(r'(?:src|href)="?(?:https?:)?//', page)
    assert "good - poor = " in page and page.count('src="data:image/svg+xml;base64,') == 1
    assert 'alt="A frame of mine/a.mp4"' in page and "data:video/mp4;base64" in page


def test_hostile_text_is_inert(corpus):
    html = wb.show(corpus, "a.mp4")._repr_html_()
    assert html.count("<img") == html.count('<img src="data:image/png') == 1 and html.count("</script>") == 2


def test_an_old_codec_is_shown_and_another_engine(corpus):
    assert data_of(wb.show(corpus, "old.avi").html)["tracks"] == []
    assert [t["text"] for t in data_of(wb.show(corpus, "a.mp4", engine="truth").html)["tracks"]] == ["Mira Café"]


def test_errors(corpus, tmp_path, monkeypatch):
    for video, error, said in (
        ("bad.mp4", DataError, "cannot be played: bad.mp4 cannot be read"),
        ("nope.mp4", UnknownNameError, "no video 'nope.mp4'"),
    ):
        with pytest.raises(error, match=said):
            wb.show(corpus, video)
    with pytest.raises(UnknownNameError, match="engine 'rapidocar'.*Did you mean rapidocr"):
        wb.show(corpus, "a.mp4", engine="rapidocar")
    monkeypatch.setattr(notebook, "MOST_BYTES", 100)
    with pytest.raises(DataError, match="too much for a notebook cell"):
        wb.show(corpus, "a.mp4")
    (tmp_path / "films" / "a.mp4").unlink()
    with pytest.raises(StateError, match="a.mp4 is gone"):
        wb.show(corpus, "a.mp4")


def test_going_on_says_what_is_absent(capsys):
    with notebook.going_on():
        raise StateError("No text was read.", "Run: workbench ocr run made")
    assert capsys.readouterr().out == "No text was read. Run: workbench ocr run made\n"
    with pytest.raises(DataError, match="is broken"), notebook.going_on():
        raise DataError("The file is broken.")


@pytest.mark.slow
@pytest.mark.parametrize(("names", "domains"), [(("good", "poor"), True), (("poor",), False)])
def test_error_analysis_of_an_imported_run(names, domains, home, tmp_path, monkeypatch, capsys):
    """Notebook 04 where nothing was read and no video is at hand; then also without domains and other runs."""
    corpus = made_corpus(24)
    if not domains:
        corpus = save_corpus("bare", {"captions": corpus.captions, "videos": corpus.videos.assign(domain=None)})
        corpus = corpus.with_split("test")
    for noise, name in enumerate(names, start=1):
        wb.import_run(made_similarity(corpus, noise), corpus=corpus, name=name)
    shown: list[object] = []
    monkeypatch.chdir(tmp_path)
    held = {"display": lambda *all_of: shown.extend(all_of)}
    for cell in nbformat.read(ERROR_ANALYSIS, as_version=4).cells:
        if cell.cell_type == "code":
            names_in_place = cell.source.replace(
                '"demo-fusion", "demo-ocr", "demo-vision"', f"{', '.join(map(repr, names))},"
            )
            exec(names_in_place.replace("make_demo()", ""), held)
    said = capsys.readouterr().out
    assert "No text was read in the videos." in said and "query_type" in said
    assert ("states no domains" in said) is not domains
    made = {path.name for path in (tmp_path / "paper").iterdir()}
    assert {"runs.tex", "ablations.pdf", "causes.tex", "gain.pdf", "case.pdf"} <= made and "funnel.pdf" not in made
    assert ({"domains.tex", "confusion.pdf", "differences.pdf"} <= made) is domains
    assert any(hasattr(one, "_repr_png_") for one in shown)


@pytest.mark.browser
def test_the_cell_plays_and_seeks_in_a_browser(corpus, browser, tmp_path):
    page_file = tmp_path / "cell.html"
    page_file.write_text(f"<!doctype html><meta charset=utf-8><body>{wb.show(corpus, 'a.mp4').html}", encoding="utf-8")
    page = browser.new_page(viewport={"width": 800, "height": 800})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url.startswith("http") and complaints.append(request.url))
    page.goto(page_file.as_uri())
    page.wait_for_selector(".wbp[data-ready=true]", timeout=15_000)
    for frame, words in ((8, True), (11, True), (12, False), (4, True), (0, False)):
        page.eval_on_selector(
            ".wbp-range", "(bar, f) => { bar.value = f; bar.dispatchEvent(new Event('input')); }", frame
        )
        page.wait_for_selector(f".wbp[data-frame='{frame}']", timeout=10_000)
        assert ("MIRA CAFE" in page.inner_text(".wbp-now")) is words
        count = """() => { const c = document.querySelector('.wbp-canvas'), pen = c.getContext('2d');
          return pen.getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 3 && v); }"""
        assert page.evaluate(count) is words
    assert page.locator(".wbp img:not(.wbp-poster)").count() == 0 and complaints == []
    page.screenshot(path=tmp_path / "cell.png")
    page.close()
