"""Ablations: a run beside itself with one thing changed: no OCR, perfect OCR, corrected for hubs, other weights.

Counterfactual runs are joined by ``parent`` and ``ablation`` of ``run.json``. Scores are fused again only where
``fusion`` there says that they are a function of the stored modalities. What is absent is named with its command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.cells import Cell, Content
from workbench.analysis.comparison.ablation_sources import (
    COUNTERFACTUALS,
    FUSED,
    HUBS,
    MOST_CELLS,
    OCR,
    WITHOUT_OCR,
    cannot_refuse,
    hub_label,
    kin_of,
    refused,
    said_weights,
    used_weights,
    weights_commands,
    why_absent,
)
from workbench.analysis.reading.run_texts import readings_of
from workbench.core.errors import DataError, StateError
from workbench.core.lookup import pick
from workbench.corpus import Corpus, domain_label
from workbench.corpus.text import with_unstated
from workbench.evaluation.metrics.measures import metric_value, query_values, tie_bounds
from workbench.evaluation.metrics.retrieval import retrieval_metrics
from workbench.evaluation.rescoring import csls
from workbench.evaluation.runs.run import DIRECTIONS, Run, open_run, similarity_of
from workbench.evaluation.runs.tables import query_groups
from workbench.evaluation.statistics.families import holm
from workbench.evaluation.statistics.paired import paired_test_values

AS_IT_IS = "as it is"
ABSENT = ["ablation", "label", "reason", "command"]
BY = {"domain": "domain"}
SCORES = ["ablation", "label", "domain", "domain_label", "n_queries", "n_sources", "value", "difference", "low", "high",
          "p_holm", "wins", "losses", "undecided", "how", "sees"]  # fmt: skip


@dataclass(frozen=True)
class Ablation:
    """A run with one thing changed.

    Attributes:
        id: What is changed.
        label: Its name on screens.
        how: How it was made: the run, or what was made of the stored scores; weights say on what they were chosen.
        run: Name of the run; None = made here and not stored.
        sees: What its scoring has seen.
        values: Per query, by ``id``: counts of ``per_query.parquet``, with metrics of each query where scores are new.
    """

    id: str
    label: str
    how: str
    run: str | None
    sees: str
    values: pd.DataFrame


@dataclass(frozen=True, repr=False)
class Ablations(Cell):
    """A run, as it is and with one thing changed.

    Attributes:
        run: Its name.
        direction: ``t2v`` or ``v2t``.
        queries: id, text (t2v; else the id), domain, source_id.
        held: What there is; first the run as it is.
        absent: ablation, label, reason, command (empty = none can make it; several stand one a line).
    """

    run: str
    direction: str
    queries: pd.DataFrame
    held: tuple[Ablation, ...]
    absent: pd.DataFrame

    @cached_property
    def ranks(self) -> pd.DataFrame:
        """``queries`` with the expected rank of the right item in each, one column by its id."""
        return self.queries.assign(**{one.id: query_values(one.values, "mean_rank") for one in self.held})

    def of(self, query_id: str) -> pd.DataFrame:
        """One query in each.

        Returns:
            ablation, label, rank, times (rank as it is over this rank: above 1 is better), run (None = made here and
            not stored), how, sees.

        Raises:
            UnknownNameError: The run has no such query.
        """
        found = np.flatnonzero(self.queries["id"] == query_id)
        place = int(found[0]) if len(found) else pick(dict.fromkeys(self.queries["id"], 0), query_id, "query")
        ranks = self.ranks.iloc[place]
        rows = [(one.id, one.label, float(ranks[one.id]), one.how, one.sees) for one in self.held]
        table = pd.DataFrame(rows, columns=["ablation", "label", "rank", "how", "sees"])
        table.insert(3, "run", pd.Series([one.run for one in self.held], dtype=object))  # of a str column None is NaN
        table.insert(3, "times", table["rank"].iloc[0] / table["rank"])
        return table

    def scores(self, metric: str = "r1", by: str | None = None) -> pd.DataFrame:
        """A metric in each, with the paired difference to the run as it is.

        Args:
            metric: A name of ``METRICS``.
            by: ``domain`` = also for each domain.

        Returns:
            ablation, label, domain (null = all queries), domain_label, n_queries, n_sources (null = not stated), value,
            difference (in the metric's unit), low, high (95 %, clustered by source), p_holm (Holm's correction over all
            rows), wins, losses, undecided (queries that only the order of tied scores decides), how, sees. Differences
            of the run as it is are null.

        Raises:
            DataError: A run of an older version keeps too little for this metric.
            UnknownNameError: Unknown metric or ``by``.
        """
        parts: dict[str | None, np.ndarray] = {None: np.ones(len(self.queries), bool)}
        if by is not None:
            column = with_unstated(self.queries[pick(BY, by, "grouping")])
            parts |= {name: (column == name).to_numpy() for name in column.dropna().value_counts().index}
        rows = [self._score(one, name, mask, metric) for name, mask in parts.items() for one in self.held]
        table = pd.DataFrame(rows, columns=SCORES)
        tested = table["p_holm"].notna()
        table.loc[tested, "p_holm"] = holm(table.loc[tested, "p_holm"])
        return table

    def _score(self, one: Ablation, domain: str | None, mask: np.ndarray, metric: str) -> dict[str, Any]:
        values, sources = query_values(one.values, metric)[mask], self.queries["source_id"][mask]
        known = bool(sources.notna().all())
        row = {
            "ablation": one.id, "label": one.label, "domain": domain, "n_queries": len(values), "how": one.how,
            "domain_label": "All queries" if domain is None else domain_label(domain), "sees": one.sees,
            "n_sources": int(sources.nunique()) if known else None, "value": metric_value(values, metric),
        }  # fmt: skip
        if one is self.held[0]:
            return row
        base = self.held[0].values
        bounds = [tie_bounds(table, metric)[:, mask] for table in (base, one.values)]
        test = paired_test_values(
            query_values(base, metric)[mask], values, sources.to_numpy() if known else None, metric=metric,
            bounds=(bounds[0], bounds[1]),
        )  # fmt: skip
        low, high = test.interval
        return row | {"difference": test.difference, "low": low, "high": high, "p_holm": test.p, "wins": test.wins,
                      "losses": test.losses, "undecided": test.undecided}  # fmt: skip

    def _shown(self) -> Content:
        """R@1 in each, and what is absent."""
        table = self.scores()[["label", "value", "difference", "low", "high", "wins", "losses", "how"]]
        table = table.astype({"wins": "Int64", "losses": "Int64"})
        gone = [f"{one.label}: {one.reason} {one.command}" for one in self.absent.itertuples()]
        values = [f"{one.label} {one.value:.1f}" for one in table.itertuples()]
        said = f"{self.run}, {self.direction} R@1 with one thing changed: {', '.join(values)}"
        return Content(said, (table,), tuple(gone))


def ablations(
    run: Run | str,
    *,
    direction: str = "t2v",
    corpus: Corpus | None = None,
    weights: Mapping[str, float] | None = None,
) -> Ablations:
    """A run as it is and with one thing changed, all that this workspace holds or the stored scores allow.

    Args:
        run: The run.
        direction: ``t2v`` or ``v2t``.
        corpus: Its corpus, to tell what is possible; None = find it.
        weights: Also fuse its modalities with these weights, by name; they were chosen by whoever gives them.

    Raises:
        StateError: The run holds totals only; or weights are given and its score is no function of its modalities.
        DataError: Weights that do not fit, or another corpus.
        UnknownNameError: Unknown direction.
    """
    run = open_run(run)
    base = _as_it_is(run, direction)
    found: dict[str, Ablation] = {}
    for one in (*_stored(run, direction), *_made(run, direction)):  # of two alike the newest, and a run before others
        found.setdefault(one.id, one)
    if weights is not None:
        found[FUSED] = _with_weights(run, direction, weights)
    first = [name for name in COUNTERFACTUALS if name in found]
    held = [base, *(found.pop(name) for name in first), *found.values()]
    return Ablations(run.name, direction, _queries(run, direction), tuple(held), _absent(run, held, corpus))


def reweighted(run: Run | str, weights: Mapping[str, float], *, direction: str = "t2v") -> Ablations:
    """A run as it is and with other weights of its modalities, chosen by whoever gives them.

    Args:
        run: The run.
        weights: By modality; at least 0, not all 0.
        direction: ``t2v`` or ``v2t``.

    Raises:
        StateError: Totals only, or its score is no function of its stored modalities.
        DataError: Weights that do not fit.
        UnknownNameError: Unknown direction.
    """
    run = open_run(run)
    held = (_as_it_is(run, direction), _with_weights(run, direction, weights))
    return Ablations(run.name, direction, _queries(run, direction), held, pd.DataFrame(columns=ABSENT))


def _queries(run: Run, direction: str) -> pd.DataFrame:
    ids = run.per(direction)["id"]
    texts = run.queries.drop_duplicates("caption_id").set_index("caption_id")["text"]
    text = texts.reindex(ids).to_numpy() if direction == "t2v" else ids.to_numpy()
    return pd.DataFrame({"id": ids, "text": text, **query_groups(run, direction, ids.to_numpy())})


def _as_it_is(run: Run, direction: str) -> Ablation:
    pick({name: name for name in DIRECTIONS}, direction, "direction")
    if run.totals_only:
        raise StateError(f"Run {run.name} holds totals only.", "Import it again with --row-ids.")
    return Ablation(AS_IT_IS, "As it is", f"run {run.name}", run.name, run.protocol["sees"], _values(run, direction))


def _with_weights(run: Run, direction: str, weights: Mapping[str, float]) -> Ablation:
    return Ablation(
        FUSED, f"Weights {said_weights(weights)}", "made here of its modalities; weights: chosen by hand", None,
        run.protocol["sees"], _counted(run, refused(run, weights, direction).similarity, direction),
    )  # fmt: skip


def _values(run: Run, direction: str) -> pd.DataFrame:
    return run.per(direction).drop(columns=["top_columns", "top_scores"], errors="ignore")


def _stored(run: Run, direction: str) -> Iterator[Ablation]:
    for kin in kin_of(run):
        if kin.run.protocol.get("direction", "both") in ("both", direction):
            values = _values(kin.run, direction)
            yield Ablation(kin.id, kin.label, kin.how, kin.run.name, kin.run.protocol["sees"], values)


def _made(run: Run, direction: str) -> Iterator[Ablation]:
    """What the stored scores allow."""
    if OCR in run.modalities and not run.info.get("ablation") and not cannot_refuse(run):
        silent = {**used_weights(run), OCR: 0.0}
        yield Ablation(
            WITHOUT_OCR, COUNTERFACTUALS[WITHOUT_OCR], "made here: its score without the part ocr", None,
            run.protocol["sees"], _counted(run, refused(run, silent, direction).similarity, direction),
        )  # fmt: skip
    if run.similarity is not None and run.similarity.size <= MOST_CELLS and run.protocol["sees"] != "test queries":
        made = csls(similarity_of(run))
        yield Ablation(
            "CSLS", hub_label("CSLS"), "made here of its scores", None, made.protocol.sees,
            _counted(run, made.similarity, direction),
        )  # fmt: skip


def _counted(run: Run, similarity: np.ndarray, direction: str) -> pd.DataFrame:
    """Metrics and counts of each query of new scores, in the order of ``run.per``."""
    level = run.info.get("v2t_level") or "auto"
    found = retrieval_metrics(similarity, run.relevance_matrix, direction=direction, v2t=level)  # type: ignore[call-overload]  # a checked name
    values = found.values.reset_index(drop=True)
    ids = run.per(direction)["id"]
    if len(values) != len(ids):
        raise DataError(f"{run.name} has other queries than its relevance.", f"workbench evaluate {run.name}")
    counts = {name: getattr(found.counts, name) for name in ("n_above", "n_tied", "n_tied_right")}
    return values.assign(id=ids, **counts)


def _absent(run: Run, held: list[Ablation], corpus: Corpus | None) -> pd.DataFrame:
    readings = readings_of(run, corpus)
    gone = {name: label for name, label in COUNTERFACTUALS.items() if name not in {one.id for one in held}}
    rows = [(name, label, *why_absent(run, name, readings)) for name, label in gone.items()]
    if not any(one.label.startswith(hub_label("")[:5]) for one in held):
        rows.append((HUBS, "Hub-corrected", "No such run is here, and its matrix is not stored or very large.",
                     f"workbench rescore {run.name} --method csls --name {run.name[:50]}-csls"))  # fmt: skip
    if not any(one.label.startswith("Weights") for one in held):
        why = cannot_refuse(run)
        rows.append((FUSED, "Other weights", why or "No such run is here.", "" if why else weights_commands(run)))
    return pd.DataFrame(rows, columns=ABSENT)
