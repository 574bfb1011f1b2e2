"""Slow, obvious implementations: every order of tied items is written out."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np


def items_of(similarity, grades, direction, level, query):
    """(score, grade) of every item of the gallery of one query; a group is its best right, else its best caption."""
    if direction == "t2v":
        return [(float(s), int(g)) for s, g in zip(similarity[query], grades[query], strict=True)]
    scores, right = similarity[:, query], grades[:, query]
    if level == "caption":
        return [(float(s), int(g)) for s, g in zip(scores, right, strict=True)]
    groups = {}
    for caption in range(len(scores)):
        own = [video for video in range(grades.shape[1]) if grades[caption, video] > 0]
        groups.setdefault(("video", own[0]) if own else ("caption", caption), []).append(caption)
    items = []
    for members in groups.values():
        rights = [c for c in members if right[c] > 0]
        chosen = rights or members
        items.append((max(float(scores[c]) for c in chosen), max(max(int(right[c]) for c in chosen), 0)))
    return items


def counts(items):
    """(n_above, n_tied, n_tied_right) of one query."""
    rights = [score for score, grade in items if grade > 0 and score > -np.inf]
    if not rights:
        return len(items) - 1, 0, 0
    best = max(rights)
    above = sum(1 for score, grade in items if grade <= 0 and score > best)
    tied = sum(1 for score, grade in items if grade <= 0 and score == best)
    return above, tied, sum(1 for score in rights if score == best)


def all_orders(items):
    """Every ranking that ties allow, as lists of grades; items at -inf are never ranked."""
    levels = sorted({score for score, _ in items if score > -np.inf}, reverse=True)
    blocks = [[grade for score, grade in items if score == level] for level in levels]
    for orders in product(*(list(permutations(block)) for block in blocks)):
        yield [grade for block in orders for grade in block]


def values(items, ks=(1, 5, 10)):
    """Mean of hits at ks, reciprocal rank, average precision and nDCG@10 over all orders."""
    wanted = [grade for _, grade in items if grade > 0]
    ideal = sum(g / np.log2(2 + place) for place, g in enumerate(sorted(wanted, reverse=True)[:10]))
    found = []
    for order in all_orders(items):
        places = [place for place, grade in enumerate(order, start=1) if grade > 0]
        first = min(places, default=None)
        precision = sum((n + 1) / place for n, place in enumerate(places)) / len(wanted) if wanted else 0
        gain = sum(g / np.log2(2 + place) for place, g in enumerate(order[:10]) if g > 0)
        hits = [float(first is not None and first <= k) for k in ks]
        found.append([*hits, 1 / first if first else 0.0, precision, gain / ideal if ideal else 0.0])
    return np.mean(found, axis=0)
