"""Which failures of one run another one fixes, and which it adds, by their causes."""

from __future__ import annotations

import pandas as pd

from workbench.analysis.causes.catalogue import CAUSES, FAMILIES
from workbench.core.errors import DataError

COLUMNS = ["cause", "label", "family", "failed_a", "fixed", "failed_b", "broken", "net"]
KINDS = ("fixed", "broken")


def cause_changes(failed_a: pd.DataFrame, failed_b: pd.DataFrame, shared: pd.Series | None = None) -> pd.DataFrame:
    """Count by primary cause: failures of A that B answers, and failures of B that A answers.

    Args:
        failed_a: ``analysis.failures`` of run A.
        failed_b: ``analysis.failures`` of run B, with the same k, direction and thresholds.
        shared: Ids of the queries that both have (``Comparison.table["id"]``); None = both have all.

    Returns:
        cause, label, family, failed_a (failures of A), fixed (of these, answered by B), failed_b, broken (failures of
        B that A answers), net (fixed minus broken). A fixed query is counted under the cause in A, a broken one under
        that in B. Causes of neither are left out; artefacts first, then by family and by what changed most.
    """
    sides = change_lists(failed_a, failed_b, shared)
    counts = {
        "failed_a": _known(failed_a, shared)["cause"], "fixed": sides["fixed"]["cause"],
        "failed_b": _known(failed_b, shared)["cause"], "broken": sides["broken"]["cause"],
    }  # fmt: skip
    table = pd.DataFrame({name: causes.value_counts() for name, causes in counts.items()}).fillna(0).astype(int)
    table = table.rename_axis("cause").reset_index().assign(net=lambda one: one["fixed"] - one["broken"])
    table["label"] = [CAUSES[one].label for one in table["cause"]]
    table["family"] = [CAUSES[one].family for one in table["cause"]]
    table["place"] = table["family"].map({family: place for place, family in enumerate(FAMILIES)})
    table["moved"] = -(table["fixed"] + table["broken"])
    return table.sort_values(["place", "moved", "cause"], ignore_index=True)[COLUMNS]


def change_lists(
    failed_a: pd.DataFrame, failed_b: pd.DataFrame, shared: pd.Series | None = None
) -> dict[str, pd.DataFrame]:
    """The failures themselves: ``fixed`` (rows of A) and ``broken`` (rows of B), with the columns of ``failures``.

    Raises:
        DataError: Tables of other columns.
    """
    if missing := {"query_id", "cause"} - (set(failed_a) & set(failed_b)):
        raise DataError(f"The tables have no column {', '.join(sorted(missing))}.", "Give tables of analysis.failures.")
    a, b = _known(failed_a, shared), _known(failed_b, shared)
    return {"fixed": a[~a["query_id"].isin(b["query_id"])], "broken": b[~b["query_id"].isin(a["query_id"])]}


def _known(failed: pd.DataFrame, shared: pd.Series | None) -> pd.DataFrame:
    if shared is None or (known := failed["query_id"].isin(shared)).all():
        return failed  # rows with evidence are slow to copy
    return failed[known]
