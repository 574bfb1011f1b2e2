"""A table for a paper: best in bold, intervals, marks of significance; it needs ``\\usepackage{booktabs}``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.core.files import atomic
from workbench.evaluation.metrics.measures import METRICS, SHOWN
from workbench.evaluation.runs.run import DIRECTIONS, Run
from workbench.pipelines.exchange.summary import summary

ARROWS = {True: r"$\uparrow$", False: r"$\downarrow$"}
HEADS = {name: f"{METRICS[name].label} {ARROWS[METRICS[name].higher_is_better]}" for name in SHOWN}
TITLES = {"t2v": "Text to video", "v2t": "Video to text"}
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    '"': r"\textquotedbl{}", "|": r"\textbar{}",
}  # fmt: skip
MARKS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))


def write_latex(runs: Sequence[Run], path: Path) -> str:
    """Write the table of some runs."""
    text = latex_table(summary(runs))
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return f"{len(runs)} runs"


def escape(text: str) -> str:
    """Text that LaTeX prints as it is; line ends and other controls become blanks."""
    return "".join(SPECIAL.get(letter, letter if letter.isprintable() else " ") for letter in text)


def any_table(table: pd.DataFrame, digits: int = 2) -> str:
    """The LaTeX source of any table; all of its text is escaped.

    Args:
        table: The table.
        digits: Decimals of numbers that are not whole; columns of p values (``p``, ``p_holm``) have two digits.
    """
    numbers = [pd.api.types.is_numeric_dtype(table[name]) for name in table]
    lines = [
        "% Needs booktabs.",
        f"\\begin{{tabular}}{{{''.join('r' if number else 'l' for number in numbers)}}}",
        r"\toprule",
        " & ".join(escape(str(name)) for name in table) + r" \\",
        r"\midrule",
        *(" & ".join(map(_cell, row, table, [digits] * len(row))) + r" \\" for row in table.itertuples(index=False)),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _cell(value: Any, name: object, digits: int) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return "--"
    if not isinstance(value, float):
        return escape(str(value))
    if name == "p" or str(name).startswith("p_"):
        return r"$<$0.001" if value < 0.001 else f"{value:.2g}"
    return f"{value:.{digits}f}".replace("-", "$-$", 1)


def latex_table(table: pd.DataFrame) -> str:
    """The LaTeX source of a ``summary``.

    Runs that have seen different things (nothing, train queries, test queries) stand in groups of their own, each with
    its own best numbers in bold and its own marks.
    """
    first = table.iloc[0]
    width = len(SHOWN)
    groups = [table[table["sees"] == sees] for sees in table["sees"].unique()]
    named = len(groups) > 1 or bool((table["scoring"] != "raw").any())
    lines = [
        f"% {escape(first['corpus'])}/{escape(first['split'])}, {first['n_queries']} captions. Needs booktabs.",
        f"\\begin{{tabular}}{{l{('r' * width) * len(DIRECTIONS)}}}",
        r"\toprule",
        " & " + " & ".join(f"\\multicolumn{{{width}}}{{c}}{{{TITLES[one]}}}" for one in DIRECTIONS) + r" \\",
        "".join(f"\\cmidrule(lr){{{2 + i * width}-{1 + (i + 1) * width}}}" for i in range(len(DIRECTIONS))),
        " & ".join(["Run", *(HEADS[name] for _ in DIRECTIONS for name in SHOWN)]) + r" \\",
    ]
    for group in groups:
        lines.append(r"\midrule")
        if named:
            label = f"Scoring has seen: {escape(str(group['sees'].iloc[0]))}"
            lines.append(f"\\multicolumn{{{1 + width * len(DIRECTIONS)}}}{{l}}{{\\emph{{{label}}}}} \\\\")
        best = _best(group)
        lines += [_line(row, best, named) for row in group.to_dict("records")]
    notes = "Brackets: 95\\,\\% interval of R@1. Stars: R@1 differs from the best of its group at p < 0.05 (*), "
    lines += [r"\bottomrule", r"\end{tabular}", f"% {notes}0.01 (**), 0.001 (***), Holm-corrected."]
    return "\n".join(lines) + "\n"


def _best(group: pd.DataFrame) -> dict[str, str]:
    """Printed form of the best number of every column; equal prints are equally best."""
    best = {}
    for direction in DIRECTIONS:
        for name in SHOWN:
            values = group[f"{direction}_{name}"]
            top = values.max() if METRICS[name].higher_is_better else values.min()
            best[f"{direction}_{name}"] = _number(name, top)
    return best


def _number(name: str, value: float) -> str:
    return f"{value:g}" if name.endswith("median_rank") else f"{value:.1f}"


def _line(row: dict, best: dict[str, str], named: bool) -> str:
    scoring = f" ({escape(row['scoring'])})" if named and row["scoring"] != "raw" else ""
    cells = [escape(row["run"]) + scoring]
    for name, top in best.items():
        printed = _number(name, row[name])
        cell = f"\\textbf{{{printed}}}" if printed == top else printed
        if name.endswith("_r1"):
            p = row[f"{name}_p"]
            stars = next((stars for limit, stars in MARKS if p < limit), "")
            cell += f"$^{{{stars}}}$" if stars else ""
            if not np.isnan(row[f"{name}_low"]):
                cell += f" {{\\scriptsize [{row[f'{name}_low']:.1f}, {row[f'{name}_high']:.1f}]}}"
        cells.append(cell)
    return " & ".join(cells) + r" \\"
