"""Bounds on both sides of mean distance and mean variance, as the written lemmas state them.

Power family. L1 and L3 are below, L2 (paths) and part A of L5 (exact posterior) above; every number
of cells M and every size t of sets that their statements leave free is tried and the least taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import gammaln, ndtri

from ibn.bias.ultrametric import Ultrametric
from ibn.proofs_check.asymptotics import Curve, listed
from ibn.proofs_check.claim import CHECK_ERROR, Finding, decided
from ibn.proofs_check.measured import chain_lower_bound, nearest_bounds

SHARES = np.geomspace(0.002, 0.33, 40)  # of the vertices, tried for the size t of sets
CROWDED = 0.02  # share of the cells that L5 sets aside
FACTORS = (1.5, 2.0, 3.0)  # times its share of ends that a cell may have in L5


def at_least(world: Ultrametric, topology: str, n: int, touched: int, inference: str) -> float:
    """Lower bound on the mean: L3(c) for ``touched`` responses, and L1 for a chain's paths."""
    nearest = nearest_bounds(world, touched + 1)[0]
    if topology == "chain" and inference == "path":
        return max(nearest, float(chain_lower_bound(world, np.array(float(n)))))
    return nearest


def at_most(
    world: Ultrametric, topology: str, n: int, touched: int, sigma2: float, inference: str
) -> float:
    """Upper bound on the mean: the least of what L2 or L5 allow, and I itself."""
    bounds = _of_chain if topology == "chain" else _of_tree
    # What bounds the distance bounds the variance (E1).
    kinds = {"path", inference}
    found = (one for kind in kinds for one in bounds(world, n, touched, sigma2, kind))
    return min(world.scale, *found)


def between(
    curve: Curve,
    world: Ultrametric,
    topology: str,
    inference: str,
    touched: Sequence[int],
    sigma2: Sequence[float],
) -> Finding:
    """Hold the bounds against each other and against what is measured, at every n of a curve."""
    sizes = [int(n) for n in curve.n]
    low = np.array(
        [at_least(world, topology, n, s, inference) for n, s in zip(sizes, touched, strict=True)]
    )
    high = np.array(
        [
            at_most(world, topology, n, s, noise, inference)
            for n, s, noise in zip(sizes, touched, sigma2, strict=True)
        ]
    )
    wide = ndtri(1.0 - CHECK_ERROR / (2 * len(sizes))) * curve.stderr
    ordered = bool(np.all(low <= high))
    inside = bool(np.all(curve.mean + wide >= low) and np.all(curve.mean - wide <= high))
    words = (
        f"lower {'≤' if ordered else 'NOT ≤'} upper at n = {listed(curve.n)}; {topology}, "
        f"{inference}: "
        f"measured is {listed(curve.mean / low)} times the lower and the upper is "
        f"{listed(high / curve.mean)} times what is measured"
    )
    return Finding(decided(ordered and inside), words, {"low": low.tolist(), "high": high.tolist()})


def _of_tree(
    world: Ultrametric, n: int, leaves: int, sigma2: float, inference: str
) -> Iterator[float]:
    """L2(d) and L5(b): both ends at their nearest leaf of the giant component."""
    for t in _sizes(leaves):
        ends = 2.0 * nearest_bounds(world, leaves - t + 1)[1]
        label = _steps(leaves, t) if inference == "path" else _spread(_expansion(leaves, t) - 1.0)
        yield ends + label * sigma2 + world.scale * _never_joined(leaves, t, n)


def _of_chain(
    world: Ultrametric, n: int, touched: int, sigma2: float, inference: str
) -> Iterator[float]:
    """L2(c) and L5(c): both ends at the nearest cell of the giant component, M = B^k cells."""
    for depth in range(1, int(np.log(n) / np.log(world.branching)) + 1):
        cells = world.branching**depth
        inside = float(world.distance_at(depth))
        for t in _sizes(cells):
            if inference == "path":
                steps = _steps(cells, t)
                middle = (steps - 1) * inside + steps * sigma2
                rare = world.scale * _never_joined(cells, t, n)
                yield 2.0 * _hop(world, depth, t - 1) + middle + rare
                continue
            q = max(1, int(CROWDED * cells))
            spread = _spread(_expansion(cells - q + 1, t) - 1.0)
            for factor in FACTORS:
                middle = spread * (2.0 * n * factor / cells * inside + sigma2)
                rare = _never_joined(cells, t, n) + _crowded(cells, q, factor, n)
                yield 2.0 * _hop(world, depth, t + q - 2) + middle + world.scale * rare


def _sizes(vertices: int) -> list[int]:
    sizes = np.unique(np.ceil(SHARES * vertices).astype(int)).tolist()
    return [t for t in sizes if _expansion(vertices, t) > 1.05]


def _expansion(vertices: int, t: int) -> float:
    """1 + θ: how much a set of fewer than t vertices of the giant component grows in a step."""
    return np.inf if t == 1 else (vertices - t) / (2 * t - 2)


def _steps(vertices: int, t: int) -> int:
    """D: the most comparisons between two vertices of the giant component."""
    rounds = np.log(t) / np.log(_expansion(vertices, t)) if t > 1 else 0.0
    return 2 * int(np.ceil(rounds - 1e-12)) + 1


def _spread(theta: float) -> float:
    """ρ(θ): the resistance between two such vertices, unit resistors."""
    if theta <= 0.0:
        return np.inf
    return 1.0 if np.isinf(theta) else 1.0 + (8.0 + 4.0 * theta) / theta**2


def _never_joined(vertices: int, t: int, n: int) -> float:
    """p: a bound on the chance that no edge joins some two disjoint sets of t vertices."""
    if 2 * t > vertices:
        return 0.0
    pairs = gammaln(vertices + 1) - 2 * gammaln(t + 1) - gammaln(vertices - 2 * t + 1) - np.log(2)
    return float(np.exp(min(0.0, pairs + n * np.log1p(-2.0 * (t / vertices) ** 2))))


def _crowded(cells: int, q: int, factor: float, n: int) -> float:
    """Bound the chance that some q cells have more than ``factor`` times their share of ends."""
    ways = gammaln(cells + 1) - gammaln(q + 1) - gammaln(cells - q + 1)
    tail = 2.0 * n * q / cells * (factor * np.log(factor) - factor + 1.0)
    return float(np.exp(min(0.0, ways - tail)))


def _hop(world: Ultrametric, depth: int, outside: int) -> float:
    """E[g] at a response's first ancestor that holds a cell of the giant component."""
    j = np.arange(1, depth + 1)
    missed = (outside / float(world.branching) ** depth) ** (float(world.branching) ** (j - 1))
    farther = world.distance_at(depth - j) - world.distance_at(depth - j + 1)
    return float(world.distance_at(depth) + farther @ missed)
