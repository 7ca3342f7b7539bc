"""Trees of |S| = n/c leaves: the giant component of their comparisons, and what it costs to reach.

The comparisons of a tree are a random graph on its leaves with mean degree λ = 2c. Derivations are
in docs/proofs/best-leaves.md, by the numbers given here.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import lambertw

from ibn.bias.ultrametric import Ultrametric
from ibn.proofs_check.measured import mean_nearest

GRID = 800  # times at which the search for the giant component is followed
LAST = 12.0  # of these the last, in mean distances to the nearest leaf
RARE = 1e-6  # leaves expected at a depth from which on none is counted


class Optimum(NamedTuple):
    """Where the giant component holds the most leaves.

    Attributes
    ----------
    compared : float
        c = n/|S|.
    share : float
        ρ, the share of the leaves in the giant component.
    """

    compared: float
    share: float


def giant_share(degree: ArrayLike) -> NDArray[np.float64]:
    """ρ, the largest solution of 1 - ρ = e^(-λρ) at mean degree λ; 0 up to λ = 1."""
    mean = np.asarray(degree, dtype=float)
    above = np.where(mean > 1.0, mean, 2.0)
    share = 1.0 + np.real(lambertw(-above * np.exp(-above))) / above
    return np.where(mean > 1.0, share, 0.0)


def rank(degree: float) -> float:
    """Comparisons that close no cycle, as a share of n: leaves less components, over n."""
    outside = 1.0 - float(giant_share(degree))
    components = outside * (1.0 - degree * outside / 2.0)
    return 2.0 / degree * (1.0 - components)


def most_giant_leaves(power: float = 1.0) -> Optimum:
    """Maximise the giant component's leaves ρ(2c)/c^power, in units of n.

    Stationary where 2q log(1/q) = 1 - q for q = 1 - ρ, if ``power`` is 1 as it is for a tree.
    """
    degree = np.linspace(1.001, 8.0, 200_000)
    share = giant_share(degree)
    best = int(np.argmax(share / (degree / 2.0) ** power))
    return Optimum(float(degree[best] / 2.0), float(share[best]))


def _others_missed(missed: NDArray[np.float64], degree: float) -> NDArray[np.float64]:
    """P(a leaf is outside the giant component, and so are all that its small one leads to).

    ``missed`` is the chance that a further leaf of that component leads nowhere; component sizes
    are those of a branching process with Poisson offspring (Borel).
    """
    size = -np.real(lambertw(-degree * missed * np.exp(-degree))) / degree  # E missed^(its leaves)
    return np.exp(degree * (size - 1.0))


@cache
def time_to_giant(world: Ultrametric, leaves: int, degree: float, grown: bool = False) -> float:
    """Mean inductive-bias cost from a random response to the giant component, labels free.

    Explore from a response: at time t all leaves within d_IB ≤ t are reached, each with its
    component, from whose other leaves the exploration goes on. u(t), the probability that the
    giant component is not among these, solves u(t) = Π over leaves of [share in a small component
    whose other leaves all fail within the time left]; its integral is the mean.

    Parameters
    ----------
    world : Ultrametric
        Power family.
    leaves : int
        |S|.
    degree : float
        λ = 2n/|S|, above 1.
    grown : bool
        Leaves of a prefix tree with two distinct children a node, which lie one a cell, rather
        than independent ones.
    """
    depth = np.arange(len(world.powers) - 1)
    weight = (1.0 - 1.0 / world.branching) * float(world.branching) ** -depth
    level = int(np.ceil(np.log2(leaves))) if grown else 0
    kept = leaves * weight > RARE
    distance, expected = world.distance_at(depth)[kept], leaves * weight[kept]
    alone = depth[kept] >= level  # a grown leaf has no other in its cell
    occupied = leaves / 2.0**level
    times = np.linspace(0.0, LAST * mean_nearest(world, leaves * float(giant_share(degree))), GRID)
    shift = np.rint(distance / times[1]).astype(int)
    missed = np.ones(GRID)  # of a leaf's own exploration
    first = np.ones(GRID)  # of a response's
    for i in range(1, GRID):
        near = np.flatnonzero(shift <= i)
        left = np.clip(i - shift[near], 0, i - 1)
        reached = 1.0 - _others_missed(missed[left], degree)
        if not grown:
            first[i] = missed[i] = np.exp(-expected[near] @ reached)
            continue
        apart = ~alone[near]
        cells = expected[near][apart] / occupied
        missed[i] = np.exp(cells @ np.log1p(-occupied * reached[apart]))
        own = expected[near][~apart] @ reached[~apart]
        first[i] = missed[i] * (1.0 - own)
    return float(np.trapezoid(first, times))


@cache
def _mean_log_growth(degree: float) -> float:
    """E[log W | survival], W the limit of generation sizes over λ^k, by Frullani's integral."""
    outside = 1.0 - float(giant_share(degree))
    logs = np.linspace(np.log(1e-6), np.log(1e9), 1500)
    at = np.exp(logs)
    steps = np.maximum(0, np.ceil(np.log(at / 1e-4) / np.log(degree))).astype(int)
    small = at / degree**steps
    laplace = 1.0 - small + small**2 / 2.0 * degree / (degree - 1.0)
    for k in range(int(steps.max())):
        laplace = np.where(k < steps, np.exp(degree * (laplace - 1.0)), laplace)
    survived = (laplace - outside) / (1.0 - outside)
    return float(np.trapezoid(np.exp(-at) - survived, logs))


def hops(leaves: float, degree: float) -> float:
    """Mean number of comparisons between two leaves of the giant component, at least 1."""
    constant = np.log((degree - 1.0) / degree) - np.euler_gamma - 2.0 * _mean_log_growth(degree)
    return max(1.0, float((np.log(leaves) + constant) / np.log(degree) + 0.5))


def tree_distance(
    world: Ultrametric, n: int, leaves: int, sigma2: float, grown: bool = False
) -> float:
    """T5's formula: two ends to the giant component, and σ² a comparison between."""
    degree = 2.0 * n / leaves
    ends = 2.0 * time_to_giant(world, leaves, degree, grown)
    return ends + sigma2 * hops(leaves, degree)


def growth(world: Ultrametric, n: int, leaves: float, sigma2: float) -> tuple[float, float]:
    """λ with 4e^(-λσ²)(n/|S| + nφ(λ)) = 1, and φ(λ) = E exp(-λ d_IB)."""
    depth = np.arange(len(world.powers))
    weight = (1.0 - 1.0 / world.branching) * float(world.branching) ** -depth
    distance = world.distance_at(depth)

    def laplace(log_rate: float) -> float:
        return float(weight @ np.exp(-np.exp(log_rate) * distance))

    def excess(log_rate: float) -> float:
        return np.log(4.0 * n / leaves + 4.0 * n * laplace(log_rate)) - np.exp(log_rate) * sigma2

    root = float(brentq(excess, -20.0, 60.0))
    return float(np.exp(root)), laplace(root)


def least_distance(world: Ultrametric, n: int, leaves: float, sigma2: float) -> float:
    """Rigorous lower bound on a tree's E[d], every n, |S| and σ² > 0.

    The larger of the distance to the nearest of |S| + 1 responses, and (log(1/2φ) - 1)/λ by
    counting paths (Lemma B2).
    """
    rate, laplace = growth(world, n, leaves, sigma2)
    counted = (np.log(1.0 / (2.0 * laplace)) - 1.0) / rate
    return max(mean_nearest(world, leaves + 1.0), float(counted))
