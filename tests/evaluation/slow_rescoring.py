"""Slow, obvious re-scoring: one pair at a time, in Python numbers."""

from __future__ import annotations

import math

import numpy as np

NOT = -math.inf


def each(scores, value):
    """A matrix of ``value(i, j)``; -inf where the pair was not scored."""
    n, m = scores.shape
    return np.array([[NOT if scores[i, j] == NOT else value(i, j) for j in range(m)] for i in range(n)])


def exponentials(scores, temperature):
    return [[0.0 if s == NOT else math.exp(float(s) / temperature) for s in row] for row in scores]


def dual_softmax(scores, temperature, direction):
    n, m = scores.shape
    power = exponentials(scores, temperature)
    z = [sum(power[i][j] for i in range(n)) for j in range(m)]
    w = [sum(power[i][j] for j in range(m)) for i in range(n)]
    logs = [math.log(one) for one in z if one > 0]
    mean = math.exp(sum(logs) / len(logs))
    share = {
        "t2v": lambda i, j: power[i][j] / z[j],
        "v2t": lambda i, j: power[i][j] / w[i],
        "both": lambda i, j: power[i][j] / z[j] / w[i] * mean,
    }[direction]
    return each(scores, lambda i, j: float(scores[i, j]) * share(i, j))


def querybank(scores, bank, beta, k, dynamic):
    """The published pseudo-code, row by row (t2v): rows of exp(beta s) / normaliser, and raw rows; and which is which.

    Best items are the first of equal ones.
    """

    def best(row, size):
        scored = [j for j in range(len(row)) if row[j] > NOT]
        return sorted(scored, key=lambda j: (-row[j], j))[:size]

    popular = {j for row in bank for j in best(row, k)}
    sums = [sum(math.exp(beta * float(row[j])) for row in bank if row[j] > NOT) for j in range(scores.shape[1])]
    rows, changed = [], []
    for row in scores:
        top = best(row, 1)
        changed.append(bool(not dynamic or (top and top[0] in popular)))
        rows.append([
            NOT if s == NOT else math.exp(beta * float(s)) / sums[j] if changed[-1] else float(s)
            for j, s in enumerate(row)
        ])  # fmt: skip
    return np.array(rows), np.array(changed)


def csls(scores, k):
    def mean(values):
        held = sorted((float(v) for v in values if v > NOT), reverse=True)[:k]
        return sum(held) / len(held) if held else 0.0

    rows, columns = [mean(row) for row in scores], [mean(column) for column in scores.T]
    return each(scores, lambda i, j: 2 * float(scores[i, j]) - rows[i] - columns[j])


def sinkhorn(scores, temperature, passes):
    """Scale rows, then columns, so many times, then rows; temperature times the logarithm."""
    p = np.array(exponentials(scores, temperature))
    p = p / p.max(axis=0)
    rows, columns = p.any(axis=1), p.any(axis=0)
    for turn in range(passes + 1):
        for i in np.flatnonzero(rows):
            p[i] /= p[i].sum() * rows.sum()
        if turn < passes:
            for j in np.flatnonzero(columns):
                p[:, j] /= p[:, j].sum() * columns.sum()
    return each(scores, lambda i, j: temperature * math.log(p[i, j]))


def rank_fusion(matrices, weights, k):
    """t2v; tied items share the mean of their places."""
    total = np.full(matrices[0].shape, NOT)
    for scores, weight in zip(matrices, weights, strict=True):
        for i, row in enumerate(scores):
            for j, s in enumerate(row):
                if s == NOT:
                    continue
                above, tied = sum(row > s), sum(row == s)
                place = above + (tied + 1) / 2
                total[i, j] = max(total[i, j], 0.0) + weight / (k + place)
    return total


def weighted_sum(matrices, weights, z_scores):
    total = np.zeros(matrices[0].shape)
    for scores, weight in zip(matrices, weights, strict=True):
        if weight == 0:
            continue
        for i, row in enumerate(scores):
            held = [float(s) for s in row if s > NOT]
            mean, spread = 0.0, 1.0
            if z_scores and held:
                mean = sum(held) / len(held)
                spread = math.sqrt(sum((s - mean) ** 2 for s in held) / len(held))
                spread = spread if spread > 1e-6 * max(map(abs, held)) else 1.0
            for j, s in enumerate(row):
                total[i, j] += NOT if s == NOT else weight * (float(s) - mean) / spread
    return total
