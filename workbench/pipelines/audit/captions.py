"""Captions of a split that cannot be told apart, and the best that any model can reach for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core.errors import StateError
from workbench.core.words import counted
from workbench.corpus import Corpus
from workbench.evaluation.metrics.ceilings import ceiling
from workbench.evaluation.metrics.duplicates import answers, best_case, duplicates, near_duplicates, text_numbers
from workbench.evaluation.metrics.scene_text import scene_text_definitions, scene_text_queries_ocr
from workbench.evaluation.order.named import NamedOrder, named_orders
from workbench.pipelines.audit.findings import Finding, finding

MOST_CELLS = 1 << 25
"""Scores [captions x videos] up to which every metric has its ceiling, in about 1 GB; beyond it R@1, R@5 and R@10."""
SHOWN = ("r1", "r5", "r10", "median_rank", "mean_rank", "mrr", "map", "ndcg10")
ASIDE = "Read metrics beside their ceiling, or where captions of equal text share their videos."


def audit_captions(corpus: Corpus) -> Iterator[Finding]:
    """Duplicate and near-duplicate captions, ceilings, and orders in which matrices of this split are found.

    Args:
        corpus: Restricted to one split.
    """
    if corpus.captions.empty:
        yield finding("duplicate captions", "note", "There are no captions, so nothing can be compared.")
        return
    texts, ids = corpus.captions["text"].to_list(), corpus.captions["caption_id"].to_numpy(dtype=object)
    relevance = corpus.relevance_matrix()
    answer = answers(relevance)
    equal = duplicates(texts, answer)
    number = text_numbers(texts)
    counts: dict[str, Any] = {
        "n_captions": len(texts), "n_distinct": int(number.max()) + 1, "n_duplicated": int(equal.sum()),
        "n_groups": len(np.unique(number[equal])),
    }  # fmt: skip
    yield _equal_captions(ids[equal], counts)
    yield _near_captions(corpus, near_duplicates(texts, answer))
    yield _ceilings(relevance, texts)
    yield _scene_text(corpus)
    for order in named_orders(corpus):
        if not order.name.startswith("by "):
            yield _named_order(order, corpus)


def _equal_captions(ids: np.ndarray, counts: dict[str, Any]) -> Finding:
    check = "duplicate captions"
    if not len(ids):
        return finding(check, "ok", "No caption is word for word that of another video.", numbers=counts)
    return finding(
        check, "warning",
        f"{counts['n_duplicated']:,} of {counts['n_captions']:,} captions stand word for word at another video too "
        f"({counts['n_groups']:,} groups; {counts['n_distinct']:,} captions are distinct).",
        rows=ids, fix=ASIDE, numbers=counts,
    )  # fmt: skip


def _near_captions(corpus: Corpus, near: dict[int, int]) -> Finding:
    check, ids = "near-duplicate captions", corpus.captions["caption_id"].to_numpy(dtype=object)
    if not near:
        return finding(check, "ok", "No caption differs from that of another video by one word only.")
    rows = sorted(near)
    pairs = {str(ids[row]): str(ids[near[row]]) for row in rows[:5]}
    return finding(
        check, "note",
        f"{counted(len(rows), 'caption differs', 'captions differ')} from the caption of another video by one word or "
        "punctuation only.",
        rows=ids[rows], fix="Expect confusions between them; look at pairs of different numbers and names first.",
        numbers={"pairs": pairs},
    )  # fmt: skip


def _ceilings(relevance: Any, texts: list[str]) -> Finding:
    """The best of every metric where equal captions get equal scores."""
    numbers: dict[str, Any] = {}
    if relevance.shape[0] * relevance.shape[1] <= MOST_CELLS:
        best = best_case(relevance, texts)
        numbers = {f"{d}_{name}": float(getattr(best[d], name)) for d in best for name in SHOWN}
    bounds = ceiling(relevance, texts)
    numbers |= {f"{d}_{name}": value for d, values in bounds.items() for name, value in values.items()}
    reached = numbers["t2v_r1"] >= 99.995 and numbers["v2t_r1"] >= 99.995
    rest = f", MRR {numbers['t2v_mrr']:.3f}, MnR {numbers['t2v_mean_rank']:.2f}" if "t2v_mrr" in numbers else ""
    return finding(
        "ceilings", "ok" if reached else "note",
        f"As equal captions cannot be told apart, t2v R@1 is at most {numbers['t2v_r1']:.2f} (R@5 "
        f"{numbers['t2v_r5']:.2f}, R@10 {numbers['t2v_r10']:.2f}{rest}) and v2t R@1 {numbers['v2t_r1']:.2f}.",
        fix="" if reached else "Show the ceiling beside the metrics.", numbers=numbers,
    )  # fmt: skip


def _scene_text(corpus: Corpus) -> Finding:
    """How many queries each definition of a scene-text query takes, and each older proxy."""
    try:
        ocr, lacks = scene_text_queries_ocr(corpus), ""
    except StateError as error:
        ocr, lacks = None, str(error)
    table = scene_text_definitions(corpus.captions, ocr)
    rows = table.to_dict("records")
    said = "; ".join(
        f"{row['definition']}: {row['n_scene_text']:,} of {row['n_queries']:,}" for row in rows if row["n_queries"]
    )
    return finding(
        "scene-text queries", "note", f"Captions that ask for scene text, by {said}.",
        fix=f"Say which definition a number is for. {lacks}".strip(), numbers={"definitions": rows},
    )  # fmt: skip


def _named_order(order: NamedOrder, corpus: Corpus) -> Finding:
    captions, videos = order.moved
    return finding(
        "scrambled order", "note",
        f"Matrices of this split are also found in the order {order.name!r}: {captions:,} captions and {videos:,} "
        f"videos of {len(order.columns):,} stand elsewhere in it.",
        fix="Import them with workbench import: it finds the order out. In a program: evaluation.orders.named_orders, "
        "to_corpus and from_corpus.",
        numbers={
            "order": order.name, "rows_in_order": order.rows.tolist() if captions else "as in the corpus",
            "columns_in_order": order.columns.tolist(),
        },
    )  # fmt: skip
