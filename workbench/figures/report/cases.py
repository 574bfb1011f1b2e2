"""The cases of a report: each query with its pictures, what is right for it, and what each run found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

import pandas as pd

from workbench.analysis.case import Case, open_case
from workbench.analysis.reports.data import TOP, ReportData
from workbench.analysis.tags import told_tags
from workbench.core.words import counted
from workbench.corpus import Corpus
from workbench.evaluation.runs.corpora import corpus_of_run
from workbench.evaluation.runs.run import Run
from workbench.figures.qualitative import stills_of
from workbench.figures.report.stills import still_html

LEGEND = {
    "t2v": "Orange boxes: words of the query. A green frame: a right video.",
    "v2t": "Orange boxes: words of the right captions. ✔ = a right caption.",
}


def cases_html(data: ReportData) -> str:
    """All cases of a report as HTML; all text from data is escaped."""
    corpus, why = corpus_of_run(data.runs[0])
    note = "" if corpus is not None else f'<p class="small">{escape(why)} So there are no pictures.</p>'
    told = told_tags(data.tags)
    shown = (_case(data, query, corpus, told.get(query, "")) for query in data.cases)
    return "".join([f'<p class="small">{LEGEND[data.direction]}</p>', note, *shown])


def _case(data: ReportData, query: str, corpus: Corpus | None, tagged: str) -> str:
    """One query: what it is, what is right, and below each run its rank, cause and first items."""
    rows = data.tables["cases"].loc[query]
    cases = {run.name: open_case(run, query, data.direction, TOP) for run in data.runs}
    first, show = cases[data.runs[0].name], _asked_text if data.direction == "t2v" else _asked_video
    parts = [show(data.runs[0], query, first, corpus)]
    if tagged:
        parts.append(f'<p class="small">Tagged: {escape(tagged)}</p>')
    for run in data.runs:
        row, case = rows.loc[run.name], cases[run.name]
        cause = "" if row["cause"] is None or pd.isna(row["cause"]) else f" {row['cause']}: {row['evidence']}."
        parts.append(f'<p class="text"><b>{escape(run.name)}</b>: rank {row["rank"]:g}.{escape(cause)}</p>')
        if data.direction == "v2t":
            parts.append(_captions(run, case.listed_ids, case.right_ids))
        elif corpus is not None:
            parts.append(_videos(corpus, case))
    return "".join(['<div class="case">', *parts, "</div>"])


def _asked_text(run: Run, query: str, case: Case, corpus: Corpus | None) -> str:
    """A caption, and frames of its right video."""
    head = f'<h3 class="text">{escape(case.title)}</h3><p class="small text">{escape(query)}</p>'
    if corpus is None or not case.right_ids:
        return head
    return f"{head}<p>Right video</p>{_frames(corpus, case.right_ids[0], case.title, right=True)}"


def _asked_video(run: Run, query: str, case: Case, corpus: Corpus | None) -> str:
    """Frames of a video, and its captions."""
    text = " ".join(_texts(run, case.right_ids))
    frames = "" if corpus is None else _frames(corpus, query, text, right=False)
    n_more = len(case.right_ids) - TOP
    more = f'<p class="small">and {counted(n_more, "right caption")} more</p>' if n_more > 0 else ""
    rights = _captions(run, case.right_ids[:TOP], case.right_ids)
    return f'<h3 class="text">{escape(query)}</h3>{frames}<p>Right captions</p>{rights}{more}'


def _frames(corpus: Corpus, video: str, text: str, *, right: bool) -> str:
    """Frames of a right video, or of the one that is asked."""
    stills = stills_of(corpus, video, text, None, TOP)
    shown = "".join(still_html(one, f"{video}, {one.time_s:.1f} s", right=right) for one in stills)
    return f'<div class="row">{shown}</div>'


def _videos(corpus: Corpus, case: Case) -> str:
    """The first videos of a list, one frame of each."""
    shown = "".join(
        still_html(stills_of(corpus, video, case.title, None, 1)[0], f"{place}. {video}", right=video in case.right_ids)
        for place, video in enumerate(case.listed_ids, 1)
    )
    return f'<div class="row">{shown}</div>'


def _captions(run: Run, ids: Sequence[str], rights: Collection[str]) -> str:
    """Captions as a numbered list, the right ones marked."""
    marks = [(' class="right"', "✔ ") if one in rights else ("", "") for one in ids]
    lines = [f"<li{look}>{mark}{escape(text)}</li>" for (look, mark), text in zip(marks, _texts(run, ids), strict=True)]
    return f'<ol class="text">{"".join(lines)}</ol>'


def _texts(run: Run, ids: Sequence[str]) -> list[str]:
    texts = run.queries.drop_duplicates("caption_id").set_index("caption_id")["text"]
    return [str(texts[one]).strip() for one in ids]
