"""Figures as files: every chart can be drawn without a browser, with its letters inside, and its text stays text."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from IPython.core.interactiveshell import InteractiveShell
from matplotlib import font_manager

from tests.figures.pdfs import fonts_in
from tests.made import made_corpus, made_runs, made_similarity
from workbench import analysis, figures
from workbench.analysis.reading.funnel import STAGES
from workbench.core.errors import DataError, UnknownNameError
from workbench.core.workspace import elsewhere
from workbench.evaluation import save_run, sweep_weights
from workbench.evaluation.runs.interactions import PairInteraction
from workbench.figures import MatrixView, paper
from workbench.figures.chart import Chart
from workbench.figures.code import as_code
from workbench.figures.drawing import draw
from workbench.figures.drawn import words
from workbench.figures.paper import fonts_for, paper_look

HOSTILE = "<b>bold</b> $x^2$ & \\frac_{1}"
CHARTS = (
    "ablation_differences", "ablation_heatmap", "cause_bars", "cause_change_bars", "confusion_heatmap",
    "difference_bars", "domain_bars", "domain_heatmap", "funnel_bars", "funnel_domain_bars", "kind_bars",
    "leaderboard_intervals", "occurrence_bars", "oracle_bars", "oracle_domain_bars", "rank_against_rank",
    "reliability_diagram", "risk_coverage", "sweep_curves", "training_curves", "upset", "words_on_frames",
)  # fmt: skip


@pytest.fixture(scope="module")
def charts(tmp_path_factory):
    """Every chart of the figures, made of small tables."""
    with elsewhere(tmp_path_factory.mktemp("home")):
        corpus = made_corpus(48)
        good, fair = made_runs(corpus, ("good", "fair"))
        parts = {"ocr": made_similarity(corpus, 1.0), "vision": made_similarity(corpus, 1.5, seed=1)}
        comparison = analysis.compare_runs(fair, good)
        scores = analysis.ablations(good).scores(by="domain")
        changes = analysis.cause_changes(analysis.failures(fair), analysis.failures(good))
        labels = {name: cause.label for name, cause in analysis.CAUSES.items()}
        pair = PairInteraction(
            "q", "v", "right", 1.0, ("a", "red", "a"), np.ones((3, 2), np.float32), (0.5, 1.5),
            np.eye(3, 2, dtype=np.float32), ("EXIT",), np.full((3, 1), 0.2, np.float32),
        )  # fmt: skip
        steps = pd.DataFrame({"run": "good", "step": range(6), "value": np.arange(6.0), "smooth": np.arange(6.0) / 2})
        shares = pd.DataFrame({
            "step": [1, 1, 2, 2], "kind": ["kept", "never"] * 2, "label": ["right", "never right"] * 2,
            "share": [0.2, 0.8, 0.5, 0.5], "n": [1, 4, 2, 2],
        })  # fmt: skip
        funnel = pd.DataFrame({
            "stage": list(STAGES), "stage_label": list(STAGES.values()),
            "n_words": [12345, 12000, 11000, 9000, 40, None], "n_lost": [0, 345, 1000, 2000, 8960, None],
            "share": [1.0, 0.97, 0.89, 0.73, 0.0, None],
            "told": [True] * 5 + [False],
        }).astype({"n_words": "Int64", "n_lost": "Int64", "share": "Float64"})  # fmt: skip
        return {
            "funnel_bars": figures.funnel_bars(funnel),
            "funnel_domain_bars": figures.funnel_domain_bars(funnel.assign(domain="Sports", label="Sports")),
            "leaderboard_intervals": figures.leaderboard_intervals(analysis.leaderboard([good, fair]), "v2t", 97.0),
            "domain_bars": figures.domain_bars({run.name: analysis.by_domain(run) for run in (good, fair)}),
            "cause_bars": figures.cause_bars(analysis.failures(fair), labels),
            "rank_against_rank": figures.rank_against_rank(comparison.table, HOSTILE, "good"),
            "difference_bars": figures.difference_bars(comparison.by_domain),
            "domain_heatmap": figures.domain_heatmap(analysis.domain_means(good, fair), difference=True),
            "confusion_heatmap": figures.confusion_heatmap(analysis.domain_confusion(fair)),
            "ablation_differences": figures.ablation_differences(scores, "points of R@1"),
            "ablation_heatmap": figures.ablation_heatmap(scores, "points of R@1"),
            "cause_change_bars": figures.cause_change_bars(changes),
            "upset": figures.upset(analysis.solved_sets([good, fair])),
            "sweep_curves": figures.sweep_curves(sweep_weights(parts, steps=5), 0.25),
            "training_curves": figures.training_curves(steps, figures.run_looks(["good"]), "loss", chosen={"good": 3}),
            "kind_bars": figures.kind_bars(shares, 2),
            "oracle_bars": figures.oracle_bars(analysis.oracle_gain(fair), 1),
            "oracle_domain_bars": figures.oracle_domain_bars(analysis.oracle_gain(fair, by="domain"), 1),
            "words_on_frames": figures.words_on_frames(pair),
            "reliability_diagram": figures.reliability_diagram(
                [analysis.calibration(good), analysis.calibration(fair)]
            ),
            "risk_coverage": figures.risk_coverage([analysis.calibration(good)]),
            "occurrence_bars": figures.occurrence_bars(analysis.hubness(fair, k=5)),
        }


def test_every_chart_is_tried():
    made = [name for name in figures.__all__ if inspect.isfunction(getattr(figures, name))]
    drawn = {name for name in made if inspect.signature(getattr(figures, name)).return_annotation == "go.Figure"}
    assert drawn - {"frame_sweep_curves"} == set(CHARTS)


def test_every_chart_is_a_picture_and_a_sentence_too(charts, monkeypatch):
    """Where plotly's script does not run: a saved page (SVG, without a browser or the network) and a terminal."""
    shell = InteractiveShell()
    for renderer, moving in (("plotly_mimetype", {"application/vnd.plotly.v1+json"}), ("browser", set())):
        monkeypatch.setattr(pio.renderers, "default", renderer)  # in JupyterLab; in a terminal
        data, _ = shell.display_formatter.format(charts["difference_bars"])
        assert set(data) == {"image/svg+xml", "text/plain", *moving}  # beside a PNG, JupyterLab would not show it move
        assert data["image/svg+xml"].startswith("<?xml")
    assert all(isinstance(chart, Chart) for chart in charts.values())
    said = repr(charts["difference_bars"])
    assert said.startswith("Chart of bars (x: B − A, points of R@1). A notebook shows it; ") and "\n" not in said
    mine = Chart(go.Pie(values=[1, 2]))
    data, _ = shell.display_formatter.format(mine)
    assert "image/svg+xml" not in data and data["text/plain"].endswith("Save a picture of the page.")


@pytest.mark.parametrize("name", CHARTS)
def test_charts_as_pdf_have_their_letters_inside(charts, name):
    made = figures.export_figure(charts[name], "pdf")
    fonts = fonts_in(made.data)
    assert made.note == "" and all(one.program is not None and one.kind == "Type0" for one in fonts)
    said = "".join(words(charts[name].layout[axis].title.text) for axis in ("xaxis", "yaxis"))
    assert {*said.replace("\n", "")} <= frozenset().union(*(one.signs for one in fonts)) and fonts
    (box,) = re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", made.data)
    assert float(box[0]) == pytest.approx(3.3 * 72, abs=0.5) and 60 < float(box[1]) < 500


def test_the_file_says_what_the_screen_says(charts):
    with paper_look():
        paper = draw(charts["cause_bars"], 6.9)
        paper.canvas.draw()
        (axes,) = paper.axes
        bar = charts["cause_bars"].data[0]
        assert [one.get_text() for one in axes.get_yticklabels()] == list(bar.y)
        assert [patch.get_width() for patch in axes.patches] == list(bar.x)
        assert {one.get_text() for one in axes.texts} == set(bar.text)
        scatter = draw(charts["rank_against_rank"], 6.9)
    held = charts["rank_against_rank"].data
    (axes,) = scatter.axes
    assert sum(len(one.get_offsets()) for one in axes.collections) == sum(len(one.x) for one in held[:3])
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert axes.get_xlabel() == f"rank in A: {HOSTILE}" and not axes.xaxis.label.get_parse_math()


def test_stacks_and_reversed_axes(charts):
    with paper_look():
        stack, heat = draw(charts["kind_bars"], 3.3), draw(charts["confusion_heatmap"], 3.3)
    tops = {round(one.get_y() + one.get_height()) for one in stack.axes[0].patches[2:]}
    assert tops == {100} and stack.legends[0].get_texts()[1].get_text() == "never right"
    bottom, top = heat.axes[0].get_ylim()
    assert bottom > top  # the first domain stands on top, as on the screen
    shown = {one.get_text() for one in heat.axes[0].texts}
    assert shown == {f"{value:.0f}" for value in charts["confusion_heatmap"].data[0].z.ravel()}


def test_names_and_words_have_room(charts):
    """At the width of a column no two of them meet, and none leaves the paper."""
    for name in ("funnel_bars", "oracle_domain_bars", "cause_change_bars", "confusion_heatmap", "ablation_heatmap"):
        with paper_look():
            drawn = draw(charts[name], 3.3)
            drawn.draw_without_rendering()
            (axes, *_) = drawn.axes
            for labels in (axes.get_yticklabels(), axes.texts):
                boxes = [one.get_window_extent().padded(-1) for one in labels if one.get_text()]
                assert sum(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i]) == 0, name
            assert all(one.get_window_extent().x0 > -2 for one in axes.get_yticklabels()), name


def test_a_whole_matrix(home, tmp_path):
    corpus = made_corpus(48)
    good, fair = made_runs(corpus, ("good", "fair"))
    for other in (None, fair):
        view = MatrixView(good, other, tmp_path)
        drawn = figures.matrix_picture(view, "mean", 3.3)
        labels = [one.get_text() for one in drawn.axes[0].get_yticklabels()]
        assert labels == [one["label"] for one in view.axes.domains] and len(labels) > 1
        np.testing.assert_array_equal(drawn.axes[0].images[0].get_array().filled(np.nan), view.from_afar("mean"))
        assert drawn.get_suptitle() == ("good" if other is None else "good − fair")
        assert figures.export_figure(drawn).note == "" and "inches. A notebook shows it" in repr(drawn)
        assert drawn._repr_png_()[0].startswith(b"\x89PNG")


def test_svg_holds_no_text_that_needs_a_font(charts):
    made = figures.export_figure(charts["domain_bars"], "svg", width=figures.PAGE).data.decode()
    assert "<text" not in made and "font-family" not in made and 'width="496.8pt"' in made


@pytest.mark.parametrize("format", ["pdf", "svg"])
def test_the_same_figure_gives_the_same_bytes(charts, format):
    once, again = (figures.export_figure(charts["difference_bars"], format).data for _ in range(2))
    assert once == again


def test_words_of_a_chart():
    assert words("a &lt;b&gt;<br>c <b>d</b>") == "a <b>\nc d"


def test_what_cannot_be_drawn_is_refused(charts, tmp_path, home):
    with pytest.raises(DataError, match="holds a pie that cannot be drawn"):
        figures.export_figure(go.Figure(go.Pie(values=[1, 2])))
    with pytest.raises(UnknownNameError, match="No format of figures is called 'png'"):
        figures.save_figure(charts["cause_bars"], tmp_path / "x.png")
    with pytest.raises(DataError, match="width is 0"):
        figures.export_figure(charts["cause_bars"], width=0)
    assert list(tmp_path.iterdir()) == [home]


def font_with(sign: str, folder) -> str:
    """A font that has one sign and nothing else."""
    pen = TTGlyphPen(None)
    for at, place in enumerate([(0, 0), (800, 0), (800, 800)]):
        pen.lineTo(place) if at else pen.moveTo(place)
    pen.closePath()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "one"])
    font.setupCharacterMap({ord(sign): "one"})
    font.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "one": pen.glyph()})
    font.setupHorizontalMetrics({".notdef": (500, 0), "one": (1000, 0)})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Made Sign", "styleName": "Regular", "psName": "MadeSign-Regular"})
    font.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    font.setupPost()
    path = folder / "made.ttf"
    font.save(path)
    return str(path)


def test_signs_come_from_any_font_that_has_them(tmp_path, monkeypatch):
    sign = "\U0002a6d5"  # a rare ideograph
    figure = go.Figure(go.Bar(x=[1], y=[2])).update_xaxes(title=f"shop {sign}")
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [
        one for one in font_manager.fontManager.ttflist if one.name == "DejaVu Sans"
    ])  # fmt: skip
    made = figures.export_figure(figure)
    assert f"No font on this machine has {sign}" in made.note
    assert fonts_for(f"a{sign}") == ([], sign)
    font_manager.fontManager.addfont(font_with(sign, tmp_path))
    made = figures.export_figure(figure)
    assert made.note == "" and b"MadeSign-Regular" in made.data and b"/Type3" not in made.data


def test_chinese_japanese_and_korean_are_inside(home, monkeypatch):
    words = ["地铁站 exit", "駅の名前", "서울 역"]
    figure = go.Figure(go.Bar(x=words, y=[1, 2, 3])).update_yaxes(title="値段")
    made = figures.export_figure(figure)
    fonts = fonts_in(made.data)
    assert made.note == "" and {one.name for one in fonts} == {"DejaVuSans", "NotoSansCJKsc-Regular"}
    assert all(one.kind == "Type0" and "glyf" in one.program for one in fonts)  # no CFF under TrueType's name
    signs = {sign for word in [*words, "値段"] for sign in word if ord(sign) > 0x2000}
    (cjk,) = (one for one in fonts if one.name.startswith("Noto"))
    outlines = [cjk.program["glyf"][name].numberOfContours for name in cjk.program.getGlyphOrder()[1:]]
    assert len(outlines) == len(signs) and all(outlines)
    assert signs <= cjk.signs  # can be searched and copied
    drawn = figures.export_figure(figure, "svg")
    assert drawn.note == "" and b"<text" not in drawn.data
    monkeypatch.setattr("fontTools.fontBuilder.timestampNow", lambda: 1)
    assert figures.export_figure(figure).data == made.data  # also at another time


def test_without_the_font_a_sentence_says_what_to_install(home, monkeypatch):
    monkeypatch.setattr(paper, "find_spec", lambda name: None)
    note = figures.export_figure(go.Figure(go.Bar(x=["서울"], y=[1]))).note
    assert note.startswith("No font on this machine has 서 울") and "textvr-workbench[fonts]" in note


def test_a_figure_as_code_runs(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    corpus = made_corpus(24)
    save_run(made_similarity(corpus, 1.0), corpus=corpus, name="a-run")
    code = as_code("figures.occurrence_bars(analysis.hubness(run, k=5))", "hubs", run="a-run")
    exec(compile(code, "copied", "exec"), {})
    assert (tmp_path / "hubs.pdf").read_bytes().startswith(b"%PDF")
