"""What the page Human tags shows of the tags that were given: agreement, corrected numbers, what still fits, all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from workbench.analysis import CAUSES
from workbench.analysis.agreements import agreement_table, class_agreement
from workbench.analysis.tags import LABELS, STANDING, corrected_metrics, false_negatives, fitting, standing
from workbench.app import loading
from workbench.app.parts.downloads import show_table
from workbench.app.parts.widgets import halves
from workbench.app.text import plain
from workbench.core.errors import UnknownNameError
from workbench.core.words import counted
from workbench.evaluation.runs.notes import read_tags
from workbench.evaluation.runs.run import Run

AGREEMENT = {"of": "Of", "n": "Queries", "equal": "Equal"}
MOST_LISTED = 200
SHOWN = {
    "at": "When (UTC)", "annotator": "Who", "label": "Label", "named_cause": "Named cause", "cause": "Computed cause",
    "words": "In words", "query_id": "Query", "direction": "Direction", "run": "Run", "thresholds": "Thresholds",
    "sample": "Sample", "standing": "Fits",
}  # fmt: skip


def fingerprints_now(run: Run) -> dict[str, str]:
    """Fingerprint of every split of a run's corpus as this workspace holds it; else that of the run's own split."""
    try:
        found: dict[str, str] = loading.corpus_named(run.corpus_name).meta["fingerprint"]
    except UnknownNameError:
        return {run.split: run.fingerprint}
    return found


def tags_of(run: Run) -> pd.DataFrame:
    """The tags on a run's split, with ``standing``."""
    tags = read_tags(run.corpus_name)
    tags = tags[tags["split"] == run.split].reset_index(drop=True)
    table = loading.all_runs()
    created = dict(zip(table["name"], table["created"].astype("str"), strict=True))
    return tags.assign(standing=standing(tags, fingerprints_now(run), created))


def say_standing(tags: pd.DataFrame) -> None:
    """A warning where tags were given on another state of the corpus, or on a run that was made again.

    Args:
        tags: From ``tags_of``.
    """
    counts = tags["standing"].value_counts()
    for name in ("corpus changed", "run made again"):
        if n := int(counts.get(name, 0)):
            st.warning(plain(f"{n:,} of {len(tags):,} tags: {STANDING[name]}."), icon=":material/history:")


# Agreement --------------------------------------------------------------------------------------------------------


def show_agreement(tags: pd.DataFrame, name: str) -> None:
    """Kappa of raters with each other and with the computed causes: as a whole, and each class against the rest.

    Args:
        tags: Of one sample, or outside of samples.
        name: Of the files.
    """
    table, classes = agreement_table(tags), class_agreement(tags)
    left, right = halves()
    with left:
        st.markdown("**All classes together**")
        shown = table[list(AGREEMENT)].rename(columns=AGREEMENT)
        shown.insert(1, "Raters", [_raters(row) for row in table.to_dict("records")])
        shown["Kappa (95 %)"] = [_kappa(row) for row in table.to_dict("records")]
        show_table(
            shown, name, whole=table, key=name, height="content",
            column_config={"Equal": st.column_config.NumberColumn(format="%.0f %%", width="small"),
                           "Of": st.column_config.TextColumn(width=60), "Queries": st.column_config.Column(width=70)},
        )  # fmt: skip
    with right:
        st.markdown("**Each class against the rest: kappa (95 %)**")
        show_table(_by_class(classes), f"{name} by class", whole=classes, key=f"{name} by class", height="content")
    st.caption(
        "Cohen's kappa: 0 = as by chance, 1 = always equal. – = no kappa: one of the two says it always or never, as "
        "does the other."
    )


def _raters(row: Mapping[Any, Any]) -> str:
    return f"{row['first']} / {row['second']}"


def _kappa(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["kappa"]):
        return "–"
    kappa, low, high = (f"{round(row[name], 2) + 0.0:.2f}" for name in ("kappa", "low", "high"))  # never -0.00
    return f"{kappa} ({low} to {high})"


def _by_class(classes: pd.DataFrame) -> pd.DataFrame:
    """A row for each label or cause, a column for each two raters."""
    held = classes.assign(
        raters=[_raters(row) for row in classes.to_dict("records")],
        said=[_kappa(row) for row in classes.to_dict("records")],
    )
    order = dict.fromkeys(zip(held["of"], held["class"], held["label"], strict=True))
    cells = {(row["of"], row["class"], row["raters"]): row["said"] for row in held.to_dict("records")}
    columns = {"Class": [label if of == "label" else f"{label} (cause)" for of, _, label in order]}
    for raters in dict.fromkeys(held["raters"]):
        columns[raters] = [cells.get((of, one, raters), "") for of, one, _ in order]
    return pd.DataFrame(columns)


def show_named(tags: pd.DataFrame, corpus: str) -> None:
    """How far people who saw the computed causes agree with them: tags outside of samples.

    Args:
        tags: From ``tags_of``.
        corpus: Its name.
    """
    tags = tags[(tags["sample"] == "") & (tags["named_cause"] != "")]
    if tags.empty:
        st.caption("Nobody has named or confirmed a cause on the page Failures yet.")
        return
    st.caption("Who named these causes saw the computed one: blind samples are the fair measure.")
    show_agreement(tags, f"named causes {corpus}")


# Corrected relevance ----------------------------------------------------------------------------------------------


def show_corrected(run: Run, tags: pd.DataFrame) -> None:
    """Official numbers of a run, and those in which false negatives count as right.

    Args:
        run: The run.
        tags: From ``tags_of``.
    """
    found = false_negatives(tags[fitting(tags, {run.split: run.fingerprint})])
    if found.empty:
        st.caption("No query is tagged as a false negative yet.")
        return
    if run.similarity is None:
        st.caption("This run keeps no similarity matrix, so that its ranks cannot be corrected.")
        return
    table = corrected_metrics(run, tags)
    names = {"relevance": "Relevance", "n_added": "Pairs added"}
    names |= {name: f"{name[:3]} R@{name[5:]} ↑" for name in table.columns if "_r" in name}
    number = st.column_config.NumberColumn(format="%.2f")
    show_table(
        table.rename(columns=names), f"corrected {run.name}", whole=table, key="corrected", height="content",
        column_config={title: number for title in names.values() if "R@" in title},
    )  # fmt: skip
    said = "1 pair is" if len(found) == 1 else f"{len(found)} pairs are"
    st.caption(
        f"{said} tagged as a false negative by more people than not. Only the official numbers may be compared with "
        "those of others."
    )


# All --------------------------------------------------------------------------------------------------------------


def show_tags(tags: pd.DataFrame, corpus: str) -> None:
    """All tags of a split, to take along.

    Args:
        tags: From ``tags_of``.
        corpus: Its name.
    """
    st.caption(f"{counted(len(tags), 'tag')}. Export: workbench tags {plain(corpus)} --output tags.parquet")
    if tags.empty:
        return
    shown = tags.assign(
        at=tags["at"].str[:16].str.replace("T", " "), label=[LABELS[one].label for one in tags["label"]],
        named_cause=_labels(tags["named_cause"]), cause=_labels(tags["cause"]),
    )  # fmt: skip
    held = {name: title for name, title in SHOWN.items() if not shown[name].isin(["", "fits"]).all()}
    show_table(
        shown[list(held)].rename(columns=held).iloc[::-1].head(MOST_LISTED), f"tags {corpus}", whole=tags, key="tags",
        height="content" if len(tags) <= 12 else 460,
    )  # fmt: skip
    stated = [name for name in STANDING if name != "fits" and (tags["standing"] == name).any()]
    if stated:
        st.caption(plain("Fits: " + "; ".join(f"{name} = {STANDING[name]}" for name in stated) + "."))


def _labels(causes: pd.Series) -> list[str]:
    return [CAUSES[one].label if one in CAUSES else one for one in causes]
