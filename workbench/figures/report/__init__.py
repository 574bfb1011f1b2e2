"""A report as one HTML file that can be mailed: everything inside, no script, no request to anywhere."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.leaderboard import ablation_of
from workbench.analysis.reports.data import WAYS, ReportData
from workbench.analysis.structure.hubness import SHARES
from workbench.analysis.tags import LABELS
from workbench.core.errors import DataError
from workbench.evaluation.metrics.measures import METRICS, SHOWN
from workbench.figures.charts import cause_bars, difference_bars, domain_bars, leaderboard_intervals
from workbench.figures.export import export_figure
from workbench.figures.funnel import funnel_bars
from workbench.figures.paper import PAGE
from workbench.figures.report.cases import cases_html

MOST_BYTES = 5_000_000
"""Of a report: what every mail server takes."""
LONG = 60
"""Letters of a cell from which its column breaks lines."""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
MEASURES: dict[str, tuple[str, str]] = {
    "difference": ("Difference of R@1, points", "+.2f"), "low": ("95 % interval from", "+.2f"), "high": ("to", "+.2f"),
    "p": ("p", ".2g"), "wins": ("Wins", ".0f"), "losses": ("Losses", ".0f"),
    "undecided": ("Decided only by the order of tied scores", ".0f"),
    "minimum_detectable": ("Smallest detectable difference, points", ".2f"),
    "top10_common": ("{items} in common in the first ten", ".1f"),
    "top10_shared": ("{items} in common, of those in either first ten (Jaccard)", ".2f"),
    "phi": ("Correlation of hits (phi)", ".2f"),
}  # fmt: skip


def report_html(data: ReportData, lock: Mapping[str, Any]) -> str:
    """The report as HTML; all text from data is escaped.

    Args:
        data: From ``analysis.report_data``.
        lock: From ``analysis.report_lock``: hashes and versions are shown.

    Raises:
        DataError: It would be larger than ``MOST_BYTES``.
    """
    first, way = data.runs[0], WAYS[data.direction]
    title = " and ".join(run.name for run in data.runs)
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="small">{escape(first.corpus_name)} / {escape(first.split)} · made {escape(lock["made"])}</p>',
        f'<p class="small">{way.title}: a query is a {way.query}, what is right for it a {way.item}.</p>',
        f'<p class="verdict">{escape(data.verdict)}</p>',
        *(f'<p class="small">{escape(note)}</p>' for note in data.notes),
    ]
    for heading, table, make in SECTIONS:
        if table in data.tables:
            parts += [f"<h2>{heading}</h2>", make(data)]
    if len(data.tags):
        parts += ["<h2>Human tags</h2>", _tags(data)]
    parts += ["<h2>How it was made</h2>", _made(data, lock)]
    page = _PAGE.format(
        title=escape(title), policy=POLICY, body="\n".join(parts),
        style=files("workbench.figures.report").joinpath("report.css").read_text(encoding="utf-8"),
    )  # fmt: skip
    if len(page.encode()) > MOST_BYTES:
        raise DataError(f"The report has {len(page.encode()) / 1e6:.1f} MB, too much for a mail.", "Show fewer cases.")
    return page


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}"><meta name="referrer" content="no-referrer">
<title>Report: {title}</title><style>{style}</style></head>
<body><main>
{body}
</main></body></html>
"""


def html_table(table: pd.DataFrame, headings: Mapping[str, str], digits: Mapping[str, int] | None = None) -> str:
    """A table as HTML; numbers stand to the right.

    Args:
        table: Its columns.
        headings: Of the columns that are shown, in order.
        digits: Decimals by column; else 1.
    """
    kind = {name: f' class="{_kind(table[name])}"' for name in headings}
    head = "".join(f"<th{kind[name]}>{escape(title)}</th>" for name, title in headings.items())
    rows = [
        "<tr>" + "".join(f"<td{kind[name]}>{_cell(row[name], (digits or {}).get(name, 1))}</td>" for name in headings)
        + "</tr>" for row in table.to_dict("records")
    ]  # fmt: skip
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _kind(values: pd.Series) -> str:
    """The class of a column: numbers to the right, long texts in several lines."""
    if pd.api.types.is_numeric_dtype(values):
        return "n"
    return "text wide" if values.astype(str).str.len().max() > LONG else "text"


def _cell(value: Any, digits: int) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)) or value is pd.NA:
        return "–"
    return f"{value:.{digits}f}" if isinstance(value, float) else escape(str(value))


def _chart(figure: Any, alt: str) -> str:
    """A chart as a picture inside the page."""
    inside = base64.b64encode(export_figure(figure, "svg", width=PAGE).data).decode("ascii")
    return f'<figure><img alt="{escape(alt)}" src="data:image/svg+xml;base64,{inside}"></figure>'


def _leaderboard(data: ReportData) -> str:
    table = data.tables["leaderboard"].reset_index().assign(ablation=[ablation_of(run) for run in data.runs])
    ceiling = data.tables.get("ceiling")
    parts = []
    for direction, way in WAYS.items():
        headings = {"run": "Run"}
        shown = table[["run"]].copy()
        for name in SHOWN:
            column, metric = f"{direction}_{name}", METRICS[name]
            shown[name] = [
                _with_interval(row, column, metric.digits) for row in table.to_dict("records")
            ]  # fmt: skip
            headings[name] = metric.heading
        shown = shown.assign(scoring=table["scoring_label"], order=table["order_label"])
        parts += [f"<h3>{way.title}</h3>", html_table(shown, {**headings, "scoring": "Scoring", "order": "Order"})]
        limit = None if ceiling is None else float(ceiling["r1"][direction])
        parts.append(_chart(leaderboard_intervals(table, direction, limit), f"{way.title}: R@1 with intervals"))
    clustered = "clustered by source" if table["clustered"].all() else "not clustered: sources are not stated"
    said = f"In brackets: 95 % intervals, {clustered}. {table['n_queries'].iloc[0]:,} captions."
    return "".join([*parts, f'<p class="small">{said}</p>'])


def _with_interval(row: Mapping[Any, Any], column: str, digits: int) -> str:
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    value = f"{row[column]:.{digits}f}"
    return value if pd.isna(low) else f"{value} ({low:.{digits}f}–{high:.{digits}f})"


def _comparison(data: ReportData) -> str:
    table = data.tables["comparison"]
    values = {one: "–" if pd.isna(value) else format(value, MEASURES[one][1])
              for one, value in zip(table.index.astype(str), table["value"], strict=True)}  # fmt: skip
    items = f"{WAYS[data.direction].item}s".capitalize()
    names = [MEASURES[one][0].format(items=items) for one in values]
    shown = pd.DataFrame({"measure": names, "value": list(values.values())})
    a, b = (escape(run.name) for run in data.runs)
    parts = [f'<p class="small">{_way(data)}. B = {b}, A = {a}; every difference is B − A.</p>']
    parts.append(html_table(shown, {"measure": "Measure", "value": "Value"}))
    if "differences" in data.tables:
        parts.append(_chart(difference_bars(data.tables["differences"]), "Difference of R@1 by domain"))
    return "".join(parts)


def _domains(data: ReportData) -> str:
    table = data.tables["domains"].reset_index()
    parts = {str(name): own for name, own in table.groupby("run", sort=False)}
    names = {"run": "Run", "label": "Domain", "n_queries": "Queries", "n_sources": "Sources", "value": "R@1, %",
             "low": "from", "high": "to", "note": "Note"}  # fmt: skip
    said = f'<p class="small">{_way(data)}, 95 % intervals.</p>'
    return said + _chart(domain_bars(parts), "R@1 by domain") + html_table(table, names)


def _causes(data: ReportData) -> str:
    table = data.tables["causes"].reset_index()
    names = {"run": "Run", "label": "Cause", "n": "Failed queries", "gain": f"Points of R@{data.k} if fixed",
             "reached": f"R@{data.k} with all above fixed too"}  # fmt: skip
    charts = []
    for run, own in table.groupby("run", sort=False):
        failed = pd.DataFrame({"cause": np.repeat(own["cause"].to_numpy(), own["n"].to_numpy())})
        labels = dict(zip(own["cause"], own["label"], strict=True))
        charts += [f"<h3>{escape(str(run))}</h3>", _chart(cause_bars(failed, labels), f"Causes of {run}")]
    said = (
        f"{_way(data)}. A {WAYS[data.direction].query} fails when the rank of its right {WAYS[data.direction].item} is "
        f"greater than {data.k}; each has one primary cause. Faults of the data first."
    )
    return f'<p class="small">{said}</p>' + "".join(charts) + html_table(table, names)


def _funnel(data: ReportData) -> str:
    table = data.tables["funnel"].reset_index()
    names = {"run": "Run", "stage_label": "Stage", "n_words": "Words that reach it", "n_lost": "Lost before it",
             "share": "Share of all"}  # fmt: skip
    charts = [
        f"<h3>{escape(str(run))}</h3>" + _chart(funnel_bars(own), f"Where words of captions are lost in {run}")
        for run, own in table.groupby("run", sort=False)
    ]
    said = (
        "Words that captions name, on their way from the picture to the score: pairs of a caption and its video, the "
        "same in both directions. – = this stage cannot be told."
    )
    return f'<p class="small">{said}</p>' + "".join(charts) + html_table(table, names, {"share": 2})


def _hubs(data: ReportData) -> str:
    table = data.tables["hubs"].reset_index()
    way = WAYS[data.direction]
    said = f"{_way(data)}: {way.item}s in the lists of {way.query}s."
    return f'<p class="small">{said}</p>' + html_table(table, {"run": "Run", **SHARES}, dict.fromkeys(SHARES, 3))


def _way(data: ReportData) -> str:
    """The direction, as a sentence begins with it."""
    return WAYS[data.direction].title


def _tags(data: ReportData) -> str:
    """How many queries were tagged as what, and by whom."""
    table = data.tags.groupby("label", sort=False).agg(n=("query_id", "nunique"), who=("annotator", _joined))
    table = table.reset_index().assign(label=lambda one: [LABELS[name].label for name in one["label"]])
    return html_table(table, {"label": "Label", "n": f"{WAYS[data.direction].query}s".capitalize(), "who": "Said by"})


def _joined(names: pd.Series) -> str:
    return ", ".join(dict.fromkeys(names))


def _made(data: ReportData, lock: Mapping[str, Any]) -> str:
    thresholds = data.tables["thresholds"].reset_index()
    names = {"name": "Threshold", "value": "Value", "unit": "Unit", "sentence": "Meaning"}
    versions = pd.DataFrame({"package": list(lock["versions"]), "version": list(lock["versions"].values())})
    hashes = [("corpus", lock["corpus"]["name"], "captions and gallery", lock["corpus"]["fingerprint"])]
    hashes += [("corpus", lock["corpus"]["name"], file, value) for file, value in lock["corpus"]["files"].items()]
    for run, held in lock["runs"].items():
        hashes += [("run", run, file, value) for file, value in held["files"].items()]
    table = pd.DataFrame(hashes, columns=["kind", "name", "file", "sha256"])
    return "".join([
        "<p>The lock file beside this report holds every number of it. Months later, see whether they still hold:</p>",
        "<p><code>workbench report --check REPORT.lock.json</code></p>",
        "<h3>Thresholds</h3>", html_table(thresholds, names, {"value": 3}),
        "<h3>Software</h3>", html_table(versions, {"package": "Package", "version": "Version"}),
        "<h3>Data</h3>", html_table(table, {"kind": "", "name": "Name", "file": "File", "sha256": "SHA-256"}),
    ])  # fmt: skip


SECTIONS: list[tuple[str, str, Callable[[ReportData], str]]] = [
    ("Leaderboard", "leaderboard", _leaderboard),
    ("Comparison", "comparison", _comparison),
    ("Domains", "domains", _domains),
    ("Causes of failures", "causes", _causes),
    ("Where words are lost", "funnel", _funnel),
    ("Hubs", "hubs", _hubs),
    ("Cases", "cases", cases_html),
]
