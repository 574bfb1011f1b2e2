"""A figure of the app as the few lines of Python that make it again."""

from __future__ import annotations

import ast

FURTHER = {
    "pd": "import pandas as pd",
    "sweep_run": "from workbench.pipelines.rescoring import sweep_run",
    "workspace": "from workbench.core.workspace import workspace",
}
"""What else an expression may use, imported where it does."""


def as_code(expression: str, name: str, **runs: str) -> str:
    """A script that makes a figure from runs and writes it as PDF.

    Args:
        expression: What makes the figure, of ``analysis``, ``figures``, ``FURTHER`` and the names of ``runs``.
        name: Of the file, without suffix.
        **runs: Run names by the variables that ``expression`` uses.
    """
    used = {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}
    opened = [f"{variable} = wb.open_run({run!r})" for variable, run in runs.items()]
    return "\n".join([
        *(line for word, line in FURTHER.items() if word in used), "import workbench as wb",
        "from workbench import analysis, figures", "", *opened, f"figure = {expression}",
        f'figures.save_figure(figure, "{name}.pdf", width=figures.COLUMN)', "",
    ])  # fmt: skip
