"""How many random labels reach what chosen labels reach, with simultaneous intervals.

The learning curve of n random labels after the same s initial ones, averaged over splits, is made
monotone by isotonic regression and inverted, linear in log (n + s) between its points. K labels
chosen are worth n / K, where n random ones reach the same: 1 is no gain. n + s is averaged as a
logarithm over features and learners; between 0 and 4 the ratio is averaged over s. Splits are
resampled, all methods and features with them; intervals are simultaneous by the largest
studentised deviation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmarks.label_runs import FORECAST, LEARNERS, RANDOM_CURVE

METRICS = {"log loss": np.log(2.0), "accuracy": 0.5, "regret": 1.0}  # and what chance has
RISING = {"accuracy"}
CAP = 4.0
RESAMPLES = 1000
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Measured:
    """The scores of a set under some features, averaged over repeats."""

    # by s, shapes (g,) and (splits, g, learners, metrics): random labels n, and scores
    counts: dict[int, NDArray[np.int64]]
    curves: dict[int, NDArray[np.float64]]
    # by method, (s, K): shape (splits, learners, metrics)
    methods: dict[str, dict[tuple[int, int], NDArray[np.float64]]]


@dataclass(frozen=True, eq=False)
class Units:
    """Label units: the estimate, and a resampled one a row."""

    names: list[tuple[str, str]]  # set and method of each column
    estimate: NDArray[np.float64]  # shape (c,)
    resampled: NDArray[np.float64]  # shape (RESAMPLES, c)

    def interval(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Simultaneous interval over all columns, in label units."""
        spread = self.resampled.std(axis=0)
        spread = np.maximum(spread, 1e-9)
        largest = np.max(np.abs(self.resampled - self.estimate) / spread, axis=1)
        reach = np.quantile(largest, LEVEL) * spread
        return self.estimate - reach, self.estimate + reach


def measured(records: Sequence[dict[str, Any]]) -> dict[str, dict[str, Measured]]:
    """Lay records out by set and features; splits that lack a method are left out."""
    by: dict[tuple[str, str], dict[str, dict[int, dict[str, Any]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for record in records:
        if record["method"] == FORECAST:
            continue
        of = by[record["pool"], record["features"]]
        of[record["method"]][record["split"]] = record
    found: dict[str, dict[str, Measured]] = defaultdict(dict)
    for (pool, features), methods in by.items():
        if RANDOM_CURVE not in methods:
            continue
        splits = sorted(set.intersection(*(set(of) for of in methods.values())))
        drawn = [_table(methods[RANDOM_CURVE][s]) for s in splits]
        shared = sorted(set.intersection(*(set(one) for one in drawn)))
        counts = {s: np.array([n for other, n in shared if other == s]) for s, _ in shared}
        curves = {
            s: np.array([[one[s, n] for n in of.tolist()] for one in drawn])
            for s, of in counts.items()
        }
        tables: dict[str, dict[tuple[int, int], NDArray[np.float64]]] = {}
        for method, of in methods.items():
            if method == RANDOM_CURVE:
                continue
            each = [_table(of[s]) for s in splits]
            tables[method] = {
                key: np.array([one[key] for one in each])
                for key in sorted(set.intersection(*(set(one) for one in each)))
            }
        found[pool][features] = Measured(counts, curves, tables)
    return found


def _table(record: dict[str, Any]) -> dict[tuple[int, int], NDArray[np.float64]]:
    """Scores by s and labels after them, shape (learners, metrics), repeats averaged."""
    found: dict[tuple[int, int], list[list[list[float]]]] = defaultdict(
        lambda: [[] for _ in LEARNERS]
    )
    for row in record["rows"]:
        found[int(row[0]), int(row[1])][int(row[2])].append(row[3:])
    return {
        at: np.array([np.mean(of, axis=0) for of in learners]) for at, learners in found.items()
    }


@njit(cache=True)
def falling(y):
    """Isotonic regression, falling, of each row in place (pool adjacent violators)."""
    for row in y:
        level, weight, blocks = np.empty(len(row)), np.empty(len(row)), 0
        for value in row:
            level[blocks], weight[blocks] = value, 1.0
            blocks += 1
            while blocks > 1 and level[blocks - 2] < level[blocks - 1]:
                both = weight[blocks - 2] + weight[blocks - 1]
                level[blocks - 2] = (
                    level[blocks - 2] * weight[blocks - 2] + level[blocks - 1] * weight[blocks - 1]
                ) / both
                weight[blocks - 2] = both
                blocks -= 1
        at = 0
        for b in range(blocks):
            for _ in range(int(weight[b])):
                row[at] = level[b]
                at += 1


@njit(cache=True)
def reach(y, x, values):
    """Where falling curves reach values, shape (B,) of each row: linear between points of x.

    In the middle of a level stretch of that value; the first or last point beyond the ends.
    """
    found = np.empty(len(values))
    for b in range(len(values)):
        row, v, g = y[b], values[b], len(x)
        first = 0
        while first < g and row[first] > v:
            first += 1
        last = g - 1
        while last >= 0 and row[last] < v:
            last -= 1
        if first == g:
            found[b] = x[g - 1]
        elif last < 0:
            found[b] = x[0]
        elif first <= last:
            found[b] = 0.5 * (x[first] + x[last])
        else:
            share = (row[last] - v) / (row[last] - row[first])
            found[b] = x[last] + share * (x[first] - x[last])
    return found


def worth(
    by_features: dict[str, Measured], metric: str, budget: int, weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Label units of each method, shape (B,), for weights of splits, shape (B, splits)."""
    at = list(METRICS).index(metric)
    sign = -1.0 if metric in RISING else 1.0
    found: dict[str, dict[int, list[NDArray[np.float64]]]] = defaultdict(lambda: defaultdict(list))
    for one in by_features.values():
        share = weights[:, : len(one.curves[0])]
        share = share / share.sum(axis=1, keepdims=True)
        for seed, counts in one.counts.items():
            x = np.log(counts + seed if seed else np.append(1, counts))
            for learner in range(len(LEARNERS)):
                y = sign * (share @ one.curves[seed][:, :, learner, at])
                if not seed:
                    y = np.column_stack([np.full(len(y), sign * METRICS[metric]), y])
                falling(y)
                for method, table in one.methods.items():
                    if (seed, budget) in table:
                        values = sign * (share @ table[seed, budget][:, learner, at])
                        found[method][seed].append(reach(y, x, values))
    return {
        method: np.mean(
            [
                np.clip((np.exp(np.mean(each, axis=0)) - seed) / budget, 0.0, CAP)
                for seed, each in by_seed.items()
            ],
            axis=0,
        )
        for method, by_seed in found.items()
    }


def resampling(splits: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Weights of splits: all alike in the first row, then those of resamples."""
    drawn = rng.multinomial(splits, np.full(splits, 1.0 / splits), RESAMPLES)
    return np.vstack([np.full(splits, 1.0 / splits), drawn / splits])


def units(found: dict[str, dict[str, Measured]], metric: str, budget: int, seed: int = 0) -> Units:
    """Label units of every set and method at a budget, averaged over features, learners and s."""
    names, columns = [], []
    for number, (pool, by_features) in enumerate(found.items()):
        if (
            metric == "regret"
            and np.isnan(next(iter(by_features.values())).curves[0][..., 2]).all()
        ):
            continue
        rng = np.random.default_rng([seed, number])
        splits = max(len(one.curves[0]) for one in by_features.values())
        weights = resampling(splits, rng)
        for method, values in worth(by_features, metric, budget, weights).items():
            names.append((pool, method))
            columns.append(values)
    table = np.array(columns).T if columns else np.empty((RESAMPLES + 1, 0))
    return Units(names, table[0], table[1:])


def teaches(one: Measured) -> tuple[float, float, float]:
    """Accuracy that random labels reach at most, its standard error over splits, and log loss."""
    curve = one.curves[0][:, -1].mean(axis=1)
    splits = len(curve)
    return (
        float(curve[:, 1].mean()),
        float(curve[:, 1].std(ddof=1) / np.sqrt(splits)) if splits > 1 else np.nan,
        float(curve[:, 0].mean()),
    )
