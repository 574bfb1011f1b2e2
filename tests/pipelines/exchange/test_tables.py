"""Tables of several runs: LaTeX in which nothing acts, and csv."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from tests.made import made_corpus, made_runs, made_similarity
from workbench.core.errors import DataError
from workbench.evaluation import save_run
from workbench.pipelines.exchange import export
from workbench.pipelines.exchange.latex import any_table, escape, latex_table
from workbench.pipelines.exchange.summary import summary


def test_a_latex_table(home, tmp_path):
    corpus = made_corpus(120)
    runs = made_runs(corpus, ("good", "poor"))
    runs.append(
        save_run(
            runs[0].similarity, corpus=corpus, name="d_s-l", protocol={"scoring": "DSL & co", "sees": "test queries"}
        )
    )
    export(runs, tmp_path / "a.tex")
    text = (tmp_path / "a.tex").read_text("utf8")
    good, poor, seen = (
        next(line for line in text.splitlines() if line.startswith(name)) for name in ("good", "poor", r"d\_s-l")
    )
    assert good.count(r"\textbf{") == 12 and poor.count(r"\textbf{") == 1 and seen.count(r"\textbf{") == 12
    assert "$^{***}$" in poor and "$^{" not in good + seen and r"{\scriptsize [" in poor
    assert r"DSL \& co" in seen and text.count(r"\midrule") == 2 and r"\emph{Scoring has seen: test queries}" in text
    columns = {
        line.replace(r"\&", "").count("&")
        for line in text.splitlines()
        if line.endswith(r"\\") and "multicolumn" not in line
    }
    assert columns == {12}
    low, high = runs[1].metrics["t2v"]["interval"]["r1"]
    assert f"[{low:.1f}, {high:.1f}]" in poor


@given(st.text())
def test_escaped_text_holds_nothing_that_acts(text):
    left = escape(text)
    for command in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textless{}", r"\textgreater{}",
                    r"\textquotedbl{}", r"\textbar{}", r"\{", r"\}", r"\$", r"\&", r"\#", r"\%", r"\_"):  # fmt: skip
        left = left.replace(command, "")
    assert not set(left) & set("\\{}$&#%_~^\n\r")


def test_numbers_of_any_table():
    """p values keep two digits whatever the others have, and a minus is no hyphen."""
    table = pd.DataFrame(
        {"a_b": ["x & y"], "p": [0.97], "p_holm": [0.0001], "low": [-1.25], "n": [3], "high": [np.nan]}
    )
    lines = any_table(table, digits=1).splitlines()
    assert lines[1] == r"\begin{tabular}{lrrrrr}" and lines[3].startswith(r"a\_b & p & p\_holm")
    assert lines[5] == r"x \& y & 0.97 & $<$0.001 & $-$1.2 & 3 & -- \\"


def test_tables_of_numbers(home, tmp_path):
    corpus = made_corpus(120)
    runs = made_runs(corpus)
    export(runs, tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert table["run"].tolist() == ["good", "fair", "poor"]
    assert table["t2v_r1"].tolist() == pytest.approx([run.metrics["t2v"]["r1"] for run in runs])
    assert np.isnan(table["t2v_r1_p"][0]) and 0 < table["t2v_r1_p"][2] < 0.05
    totals = wb.import_run(runs[0].similarity, corpus=corpus, name="totals", totals_only=True)
    assert summary([*runs, totals])["t2v_r1_p"].isna().tolist() == [True, False, False, True]
    assert "totals" in latex_table(summary([*runs, totals]))
    other = save_run(made_similarity(made_corpus(40, name="other")), corpus="other", name="elsewhere")
    with pytest.raises(DataError, match="Put runs of one corpus and split into one table"):
        summary([runs[0], other])
    with pytest.raises(DataError, match="A run stands twice"):
        summary([runs[0], runs[0]])
