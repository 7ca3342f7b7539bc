"""Trivial rules for which dataset is better, to stand beside every measure of uncertainty.

Each is a score of a dataset, less being better, that needs no inference at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ibn.bias.ultrametric import Ultrametric
from ibn.simulations.language.language import ALPHABET
from ibn.simulations.language.outcomes import LENGTH, Outcome
from ibn.topology import build

DATASETS = 64  # drawn to average over: of the topology alone, no label or learner is needed
RULES = {
    "chain": "always the chain",
    "distinct": "more distinct responses",
    "length": "longest embedding differences",
}
"""What each says is better, by its name."""


def scores(one: Outcome) -> dict[str, float]:
    """Score a dataset by each rule, less being better.

    The embedding is the one whose squared distances are d_IB, the learner's own bias.
    """
    distinct, length = _spent(one.topology, one.n, one.alpha, one.leaves)
    return {"chain": float(one.topology != "chain"), "distinct": -distinct, "length": -length}


def score_table(group: Sequence[Outcome]) -> NDArray[np.float64]:
    """Scores of several datasets, shape (datasets, rules)."""
    return np.array([list(scores(one).values()) for one in group])


@cache
def _spent(topology: str, n: int, alpha: float, leaves: int) -> tuple[float, float]:
    """Mean number of distinct responses compared, and mean length of a compared difference."""
    world = Ultrametric("power", alpha, 1.0, ALPHABET, LENGTH)
    rng = np.random.default_rng(0)
    found = []
    for _ in range(DATASETS):
        drawn = build(topology, world, n, rng, leaves=leaves or None)
        a, b = drawn.responses[drawn.a], drawn.responses[drawn.b]
        compared = np.unique(np.concatenate([a[a != b], b[a != b]]))
        found.append((len(compared), np.sqrt(world.distance(a, b)).mean()))
    distinct, length = np.mean(found, axis=0)
    return float(distinct), float(length)
