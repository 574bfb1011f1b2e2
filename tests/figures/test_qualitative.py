"""The qualitative figure and the report, on real videos whose texts are hostile."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

import workbench as wb
from tests.captioned import STRANGE, captioned_corpus, captioned_runs
from tests.figures.pdfs import fonts_in
from tests.filmed import HOSTILE
from tests.made import made_corpus, made_runs
from workbench import figures
from workbench.core.errors import DataError, UnknownNameError
from workbench.core.files import write_json
from workbench.core.workspace import elsewhere
from workbench.figures.qualitative import _frames_to_show, stills_of
from workbench.figures.report import POLICY
from workbench.figures.report.writing import make_report, write_figures


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with elsewhere(home):
        captioned_runs(captioned_corpus(tmp_path_factory.mktemp("clips") / "videos"))
    return home


@pytest.fixture
def shown(stage, monkeypatch):
    """The corpus and its two runs."""
    monkeypatch.setenv("WORKBENCH_HOME", str(stage))
    corpus = wb.open_corpus("shown", "test")
    return corpus, wb.open_run("wrong"), wb.open_run("right")


def query_of(corpus, start: str) -> str:
    return corpus.captions["caption_id"][corpus.captions["text"].str.startswith(start)].iloc[0]


def texts(figure) -> list[str]:
    return [one.get_text() for one in figure.texts]


def test_query_ranks_frames_and_boxes(shown):
    corpus, wrong, right = shown
    figure = figures.qualitative(wrong, right, query_of(corpus, "A runner in a shirt"))
    said = texts(figure)
    assert said[0] == "“A runner in a shirt that says MIRA.”" and said[1].endswith("(rapidocr): mira.")
    assert "wrong: right video at rank 5" in said and "right: right video at rank 1" in said
    assert len(figure.axes) == 9
    boxes = [patch for axes in figure.axes[:3] for patch in axes.patches]
    assert boxes and {patch.get_linewidth() for patch in boxes} == {1.5}
    assert "✔" in figure.axes[6].get_xlabel() and "✔" not in figure.axes[3].get_xlabel()
    fonts = fonts_in(figures.export_figure(figure).data)
    assert fonts and all(one.program is not None for one in fonts)


def test_a_cell_shows_the_picture(shown):
    from IPython.core.interactiveshell import InteractiveShell

    corpus, wrong, right = shown
    figure = figures.qualitative(wrong, right, query_of(corpus, "A runner in a shirt"))
    data, about = InteractiveShell().display_formatter.format(figure)
    with Image.open(io.BytesIO(data["image/png"])) as picture:
        assert picture.format == "PNG" and picture.width == pytest.approx(2 * about["image/png"]["width"], abs=2)
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 100  # the frames are in it


@pytest.mark.parametrize("start", ["</script>", "long long", "A scoreboard", "مرحبا", "A clip"])
def test_any_text_and_any_video(shown, start):
    corpus, wrong, right = shown
    figure = figures.qualitative(wrong, None, query_of(corpus, start), n_top=2, width=3.3)
    said = texts(figure)
    assert all(not one.get_parse_math() for one in figure.texts)
    assert len(said) < 16 and max(map(len, said)) < 320
    if start == "A clip":
        reasons = [one.get_text() for one in figure.axes[0].texts]
        assert len(reasons) == 1 and "broken" in reasons[0]
    if start == "</script>":
        assert said[0].startswith(f"“{HOSTILE[:20]}")
    assert len(figures.export_figure(figure).data) > 1000


def test_stills_stand_where_words_were_read(shown):
    corpus, _, _ = shown
    stills = stills_of(corpus, "one.mp4", "the number 42", None, 2)
    assert [len(one.boxes) for one in stills] == [1, 1] and all(hit for one in stills for _, hit in one.boxes)
    assert stills[0].time_s < stills[1].time_s
    corners, _ = stills[0].boxes[0]
    assert corners.tolist() == [0.2, 0.6, 0.5, 0.6, 0.5, 0.8, 0.2, 0.8]
    (gone,) = stills_of(corpus, "no/such.mp4", "x", None, 1)
    assert gone.pixels is None and "no original file of no/such.mp4" in gone.why


def test_which_frames_are_shown():
    frames, hits = np.array([2, 2, 7, 9]), np.array([False, False, True, False])
    assert _frames_to_show(frames, hits, 12, 1) == [7]
    assert _frames_to_show(frames, hits, 12, 2) == [2, 7]
    assert _frames_to_show(np.array([], int), np.array([], bool), 12, 1) == [6]
    assert _frames_to_show(np.array([], int), np.array([], bool), 2, 3) == [0, 1]


def test_wrong_calls_are_sentences(shown, home, monkeypatch):
    corpus, wrong, _ = shown
    with pytest.raises(DataError, match="n_top is 0"):
        figures.qualitative(wrong, None, query_of(corpus, "A runner in"), n_top=0)
    with pytest.raises(UnknownNameError, match="No query is called 'nope'"):
        figures.qualitative(wrong, None, "nope")
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    (other,) = made_runs(made_corpus(12), ("other",))
    with pytest.raises(DataError, match="not made on the same captions"):
        figures.qualitative(wrong, other, query_of(corpus, "A runner in"), corpus=corpus)


@pytest.fixture(scope="module")
def report(stage):
    with elsewhere(stage):
        corpus = wb.open_corpus("shown", "test")
        cases = [query_of(corpus, start) for start in ("</script>", "A scoreboard", "A clip", "long long")]
        return make_report(wb.open_run("wrong"), wb.open_run("right"), cases=cases)


def test_a_report_is_one_file_that_asks_for_nothing(report):
    page = report.html
    assert f'content="{POLICY}"' in page and report.n_bytes < 5_000_000
    assert (
        not re.search(r"""(?:src|href)\s*=\s*["'](?!data:)""", page) and "<script" not in page and "<link" not in page
    )
    assert "url(" not in page and "@import" not in page
    assert page.count("<image href=") >= 8 and "<polygon" in page
    for title in ("Leaderboard", "Comparison", "Domains", "Causes of failures", "Hubs", "Cases", "How it was made"):
        assert f"<h2>{title}</h2>" in page


def test_text_from_data_is_text_in_a_report(report):
    page = report.html
    assert "</script>" not in page and "<img src=x" not in page and "<b>ب" not in page
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt; [a](javascript:alert(1)) **b**" in page
    assert STRANGE.replace("<", "&lt;").replace(">", "&gt;") in page


def test_the_lock_holds_every_number_of_the_page(report):
    lock = json.loads(json.dumps(report.lock, allow_nan=False))
    numbers = lock["numbers"]
    assert numbers["leaderboard / right / t2v_r1"] == 100.0 and numbers["verdict"] == report.verdict
    assert {"wrong", "right"} == set(lock["runs"]) and set(lock["runs"]["right"]["files"]) >= {"similarity.npy"}
    assert lock["corpus"]["state"] == "at hand" and "texts.parquet" in lock["corpus"]["files"]
    for name, value in numbers.items():
        if name.startswith("thresholds /") and name.endswith("/ value"):
            assert f"{value:.3f}" in report.html


def test_cases_are_written_as_figures(shown, tmp_path):
    corpus, wrong, right = shown
    (path,) = write_figures(wrong, right, tmp_path / "mail.html", [query_of(corpus, "A runner in a shirt")])
    assert path == tmp_path / "mail.case1.pdf" and path.read_bytes().startswith(b"%PDF")


def test_the_report_says_where_words_are_lost(report):
    assert "<h2>Where words are lost</h2>" in report.html and "Words that reach it" in report.html
    numbers = report.lock["numbers"]
    assert numbers["funnel / wrong / in_frame / n_words"] >= numbers["funnel / wrong / recognised / n_words"] > 0
    assert numbers["funnel / wrong / used / n_words"] is None


def test_too_many_cases_are_refused(shown, monkeypatch):
    _, wrong, _ = shown
    with pytest.raises(DataError, match="25 cases make the report too heavy"):
        make_report(wrong, cases=[f"q{i}" for i in range(25)])
    monkeypatch.setattr("workbench.figures.report.MOST_BYTES", 1000)
    with pytest.raises(DataError, match="too much for a mail"):
        make_report(wrong, cases=[])


@pytest.mark.browser
def test_a_report_opens_without_a_request(report, browser, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(report.html, encoding="utf-8")
    write_json(tmp_path / "report.lock.json", report.lock)
    page = browser.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    assert [url for url in asked if not url.startswith(("data:", path.as_uri()))] == [] and said == []
    assert page.locator("img").evaluate_all("all => all.every(one => one.complete && one.naturalWidth > 0)")
    assert page.locator("text=</script><img").count() >= 1
    page.close()
