"""Oracle gain: the points of R@K that each cause costs, artefacts first (as TIDE does for detection)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from workbench.analysis.causes.catalogue import CAUSES, FAMILIES, WHERE
from workbench.analysis.causes.failures import failures
from workbench.analysis.causes.related import Others
from workbench.core.errors import DataError
from workbench.core.lookup import pick
from workbench.corpus import Corpus, domain_label
from workbench.corpus.text import NONE_STATED
from workbench.evaluation.metrics.ceilings import ceiling
from workbench.evaluation.metrics.draws import hit_values
from workbench.evaluation.runs.run import Run, open_run
from workbench.evaluation.runs.tables import query_groups

GROUPS = {"domain": "domain", "source_id": "source_id"}
ALSO = {"any": "any"}
UNEXPLAINED = "unexplained"


def oracle_gain(
    runs: Run | str | Sequence[Run | str],
    *,
    k: int = 1,
    by: str | None = None,
    direction: str = "t2v",
    also: str | None = None,
    corpus: Corpus | str | None = None,
    others: Others = None,
    **thresholds: float,
) -> pd.DataFrame:
    """Points of R@K that fixing each cause would give, one row per run, part and cause.

    A cause is fixed when every failed query of which it is the primary cause counts as a hit. What a query misses of a
    hit (with ties, less than one) is given to its primary cause, or to ``tied`` where its rank is still no failure. So
    the gains of a part and its R@K add up to 100.

    Args:
        runs: One run or several, or their names.
        k: R@K.
        by: ``domain`` (or ``source_id``) = a part for each; None = all queries.
        direction: ``t2v`` or ``v2t``.
        also: ``any`` = also the gain of fixing a cause wherever it holds, primary or not; these overlap.
        corpus: The runs' corpus; None = find it.
        others: As for ``failures``.
        **thresholds: As for ``failures``.

    Returns:
        run, the part (column ``by``, and label, where asked for), cause, cause_label, family, n_queries (failed ones
        of this primary cause), gain (points), reached (R@K once this cause and those above it are fixed), recall (R@K
        now, percent), ceiling (highest R@K where equal captions get equal scores; of a part by itself, so that captions
        equal to one elsewhere are not counted), and with ``also`` gain_any. Artefacts first, then by family and gain;
        causes that cost nothing are left out, but for ``unexplained``, which is always there.

    Raises:
        StateError: A run holds totals only.
        DataError: ``k`` below 1, no run, a threshold out of its range.
        UnknownNameError: Another ``by``, ``also``, direction or threshold.

    Source: Bolya et al., TIDE: A General Toolbox for Identifying Object Detection Errors, ECCV 2020.
    """
    chosen = [open_run(run) for run in ([runs] if isinstance(runs, Run | str) else runs)]
    if not chosen:
        raise DataError("There is no run to look at.", "Give one run or more.")
    column = None if by is None else pick(GROUPS, by, "grouping")
    extra = also is not None and bool(pick(ALSO, also, "way to count"))
    parts = [
        part
        for run in chosen
        for part in _parts(run, _missed(run, k, direction, corpus, others, thresholds), k, direction, column, extra)
    ]
    return pd.concat(parts, ignore_index=True)


def biggest_gains(table: pd.DataFrame, n: int = 3) -> pd.DataFrame:
    """The causes that cost most, in the order of the table, as if nothing else were fixed.

    Args:
        table: From ``oracle_gain`` of one run, all queries.
        n: How many; fewer where fewer cost anything.

    Returns:
        As the table, with reached counted over these rows alone.
    """
    costly = table[table["gain"] > 0]
    rows = costly.loc[costly["gain"].nlargest(n).index.sort_values()].reset_index(drop=True)
    return rows.assign(reached=rows["recall"] + rows["gain"].cumsum())


def coverage(failed: pd.DataFrame) -> float:
    """The share of failures whose primary cause says why: neither ``unexplained`` nor of the family "where, not why".

    Args:
        failed: From ``failures``.

    Returns:
        0..1; NaN where nothing failed.
    """
    told = [name for name, one in CAUSES.items() if one.family not in (WHERE, CAUSES[UNEXPLAINED].family)]
    return float(failed["cause"].isin(told).mean())


def _missed(
    run: Run,
    k: int,
    direction: str,
    corpus: Corpus | str | None,
    others: Others,
    thresholds: dict[str, float],
) -> pd.DataFrame:
    """Every query: id, missing (what it lacks of a hit, 0..1), cause, causes, failed, domain, source_id."""
    failed = failures(run, k=k, direction=direction, corpus=corpus, others=others, **thresholds)
    table = run.per(direction)
    found = pd.DataFrame({"id": table["id"], "missing": 1 - hit_values(table, k)})
    mine = failed.set_index("query_id")
    found["failed"] = found["id"].isin(mine.index)
    found["cause"] = mine["cause"].reindex(found["id"]).to_numpy(dtype=object)
    found["causes"] = mine["causes"].reindex(found["id"]).to_numpy(dtype=object)
    lucky = ~found["failed"] & (found["missing"] > 0)
    found["cause"] = found["cause"].where(~lucky, "tied")
    found["causes"] = [["tied"] if one else held for one, held in zip(lucky, found["causes"], strict=True)]
    groups = query_groups(run, direction, found["id"].to_numpy())
    return found.assign(domain=groups["domain"], source_id=groups["source_id"])


def _parts(
    run: Run, missed: pd.DataFrame, k: int, direction: str, column: str | None, extra: bool
) -> Iterable[pd.DataFrame]:
    columns = _columns(column, extra)
    if column is None:
        top = _ceiling(run, None, k, direction)
        yield _gains(missed, extra).assign(run=run.name, ceiling=top)[columns]
        return
    for name, part in missed.groupby(missed[column].fillna(NONE_STATED).to_numpy(dtype=object), sort=True):
        table = _gains(part, extra).assign(run=run.name, ceiling=_ceiling(run, part["id"], k, direction))
        table[column] = str(name)
        table["label"] = domain_label(str(name)) if column == "domain" else str(name)
        yield table[columns]


def _columns(column: str | None, extra: bool) -> list[str]:
    group = [] if column is None else [column, "label"]
    return ["run", *group, "cause", "cause_label", "family", "n_queries", "gain", "reached", "recall", "ceiling",
            *["gain_any"] * extra]  # fmt: skip


def _gains(part: pd.DataFrame, extra: bool) -> pd.DataFrame:
    points = 100 / len(part)
    gain = part.groupby("cause")["missing"].sum() * points
    gain = gain.reindex([*gain.index.difference([UNEXPLAINED]), UNEXPLAINED], fill_value=0.0)
    found = pd.DataFrame({"cause": gain.index.astype("str"), "gain": gain.to_numpy(float)})
    if extra:
        held = part[["causes", "missing"]].explode("causes").groupby("causes")["missing"].sum() * points
        every = [cause for cause in CAUSES if cause in held.index or cause == UNEXPLAINED]
        found = found.set_index("cause").reindex(every, fill_value=0.0).rename_axis("cause").reset_index()
        found["gain_any"] = held.reindex(every, fill_value=0.0).to_numpy(float)
    counts = part.loc[part["failed"], "cause"].value_counts()
    found["n_queries"] = counts.reindex(found["cause"]).fillna(0).to_numpy(int)
    found["cause_label"] = [CAUSES[one].label for one in found["cause"]]
    found["family"] = [CAUSES[one].family for one in found["cause"]]
    family = np.asarray([FAMILIES.index(one) for one in found["family"]])
    order = np.lexsort((-found["gain"].to_numpy(), family))
    found = found.iloc[order].reset_index(drop=True)
    recall = 100 - part["missing"].sum() * points
    return found.assign(recall=recall, reached=recall + found["gain"].cumsum())


def _ceiling(run: Run, ids: pd.Series | None, k: int, direction: str) -> float:
    """Highest R@K in percent; of a part, with its own captions and videos only."""
    relevance, texts = run.relevance_matrix, run.queries["text"]
    if ids is not None:
        axis = run.queries["caption_id"] if direction == "t2v" else run.gallery["video_id"]
        at = np.flatnonzero(axis.isin(ids).to_numpy())
        rows = at if direction == "t2v" else np.unique((relevance[:, at] > 0).nonzero()[0])
        relevance, texts = relevance[rows], texts.iloc[rows]
        relevance = relevance[:, np.unique((relevance > 0).nonzero()[1])]
    level = run.info.get("v2t_level") or "auto"
    return ceiling(relevance, texts.to_list(), v2t=level, cuts=(k,))[direction][f"r{k}"]
