"""A figure of the app as the few lines of Python that make it again."""

from __future__ import annotations


def as_code(expression: str, name: str, **runs: str) -> str:
    """A script that makes a figure from runs and writes it as PDF.

    Args:
        expression: What makes the figure, of ``analysis``, ``figures`` and the names of ``runs``.
        name: Of the file, without suffix.
        **runs: Run names by the variables that ``expression`` uses.
    """
    opened = [f"{variable} = wb.open_run({run!r})" for variable, run in runs.items()]
    return "\n".join([
        "import workbench as wb", "from workbench import analysis, figures", "", *opened, f"figure = {expression}",
        f'figures.save_figure(figure, "{name}.pdf", width=figures.COLUMN)', "",
    ])  # fmt: skip
