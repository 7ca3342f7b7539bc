"""What the simulation measures for the ledger: mean distance and mean variance against n."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln
from sympy import Expr, lambdify, log, sqrt

from ibn.bias.ultrametric import Ultrametric
from ibn.estimate import Estimate
from ibn.inference.gaussian import mean_variance
from ibn.inference.paths import mean_distance
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.proofs_check.asymptotics import Curve
from ibn.proofs_check.claim import Context
from ibn.theory.rates import symbols
from ibn.topology import build

PATH_ERROR, EXACT_ERROR = 0.01, 0.02  # relative standard error at each n
MOST_NETWORKS = {"chain": 16, "tree": 64}  # few leaves make networks that differ much
EXACT_NETWORKS, EXACT_DRAWS = {"chain": 8, "tree": 96}, 16  # each draw averages many pairs
SEVERAL = 12  # networks from which their spread is worth believing
SLOW_PAIRS = 64  # a network, where one search takes long
FEW_PAIRS = 256  # a network, where networks differ far more than their pairs' mean errs
NEGLIGIBLE = 1e-3  # of F(2n) / log n: so small that log n comparison steps do not show

N = symbols().n
LEAVES: dict[str, Expr] = {
    "n/log n": N / log(N),
    "n/log² n": N / log(N) ** 2,
    "√n": sqrt(N),
    "2n": 2 * N,
}


def sizes(context: Context, *, slow: bool = False) -> tuple[int, ...]:
    """Numbers of comparisons over three decades, a power of two each.

    They are powers of two so that a binary hierarchy looks the same from each. ``slow`` worlds,
    whose paths are long, start two octaves lower.
    """
    low = (8 if context.profile == "quick" else 10) - 2 * slow
    return tuple(2**k for k in range(low, low + 11, 2))


@cache  # symbols take longer than a small network
def leaves_at(rule: str, n: int) -> int:
    """|S| at n by a rule of ``LEAVES``, at least 2."""
    return max(2, round(float(lambdify(N, LEAVES[rule])(float(n)))))


@dataclass(frozen=True)
class Noise:
    """A rule for σ²: ``fixed``, or a ``share`` of F(2n), or negligible beside F(2n)/log n.

    Negligible is regime 𝒜 at its purest: even a path's many comparison steps cost nothing.
    A share of 1 is its edge.
    """

    share: float | None = None
    fixed: float | None = None

    def at(self, world: Ultrametric, n: int) -> float:
        """σ² at n."""
        if self.fixed is not None:
            return self.fixed
        share = NEGLIGIBLE / float(np.log(n)) if self.share is None else self.share
        return share * float(world.structural_function(2 * n))


QUIET = Noise()


def curve(
    context: Context,
    name: str,
    numbers: tuple[int, ...],
    draw: Callable[[int, np.random.Generator, float], Estimate],
    target: float,
    most: int,
    fewest: int = 2,
) -> Curve:
    """Average ``draw(n, rng, rel_err)`` over networks: ``most`` for small n, ``fewest`` for large.

    Each is asked for the relative error that makes ``target`` of them all. The standard error is
    the larger of what the draws say of themselves and what their spread says, so that neither few
    networks nor few pairs go unnoticed.
    """
    means, errors = [], []
    for n in numbers:
        rng = context.rng(f"{name} {n}")
        count = int(np.clip(2**16 // n, fewest, most))
        drawn = [draw(n, rng, target * np.sqrt(count)) for _ in range(count)]
        within = np.sqrt(sum(x.stderr**2 for x in drawn)) / count
        between = Estimate.of(np.array([x.mean for x in drawn])).stderr
        means.append(np.mean([x.mean for x in drawn]))
        errors.append(max(within, between) if count >= SEVERAL else within)
    return Curve(np.array(numbers, float), np.array(means), np.array(errors))


@cache
def path_curve(
    context: Context,
    topology: str,
    world: Ultrametric,
    numbers: tuple[int, ...],
    rule: str = "n/log n",
) -> Curve:
    """Mean inference distance against n, comparison steps costing nothing."""

    def draw(n: int, rng: np.random.Generator, rel_err: float) -> Estimate:
        comparisons = build(topology, world, n, rng, leaves=leaves_at(rule, n))
        network = build_network(world, comparisons, QUIET.at(world, n))
        return mean_distance(network, rel_err=rel_err, rng=rng, max_count=pairs)

    slow = topology == "chain" and world.family != "power"
    pairs = SLOW_PAIRS if slow else 2**31
    most = MOST_NETWORKS[topology]
    return curve(context, f"path {topology} {world} {rule}", numbers, draw, PATH_ERROR, most)


def exact_curve(
    context: Context,
    topology: str,
    world: Ultrametric,
    numbers: tuple[int, ...],
    rule: str = "n/log n",
    noise: Noise = QUIET,
) -> Curve:
    """Mean exact posterior variance, Gaussian labels, against n."""
    return _exact_curve(context, topology, world, numbers, rule, noise)


@cache  # one call is one key, however its arguments were given
def _exact_curve(
    context: Context,
    topology: str,
    world: Ultrametric,
    numbers: tuple[int, ...],
    rule: str,
    noise: Noise,
) -> Curve:

    def draw(n: int, rng: np.random.Generator, rel_err: float) -> Estimate:
        comparisons = build(topology, world, n, rng, leaves=leaves_at(rule, n))
        network = build_network(world, comparisons, noise.at(world, n))
        return mean_variance(network, rel_err=rel_err, rng=rng, max_count=EXACT_DRAWS)

    # The same networks whatever the noise, so that two noises compare like with like.
    name = f"exact {topology} {world} {rule}"
    return curve(context, name, numbers, draw, EXACT_ERROR, EXACT_NETWORKS[topology])


@cache
def combined_chain_curve(
    context: Context, world: Ultrametric, numbers: tuple[int, ...], sigma2: float
) -> Curve:
    """Mean distance of chains whose cell-to-cell comparisons are averaged (theory P2, P6).

    The M cells are the subtrees at the depth where 2F(M) + σ²M²/(2n) is least.
    """

    def draw(n: int, rng: np.random.Generator, rel_err: float) -> Estimate:
        cells = 2.0 ** np.arange(1, int(np.log2(n) / 2) + 2)
        cost = 2.0 * world.structural_function(cells) + sigma2 * cells**2 / (2.0 * n)
        comparisons = build("chain", world, n, rng)
        network = combined(world, snap(world, comparisons, 1 + int(cost.argmin()), rng), sigma2)
        return mean_distance(network, rel_err=rel_err, rng=rng)

    name = f"combined chain {world} {sigma2}"
    return curve(context, name, numbers, draw, PATH_ERROR, MOST_NETWORKS["chain"])


def combined_chain_law(
    world: Ultrametric, numbers: ArrayLike, sigma2: float
) -> NDArray[np.float64]:
    """E[d] of such a chain: the least over depths of 2F(M) + σ²M²/(2n), or the direct step."""
    cells = 2.0 ** np.arange(1, len(world.powers) - 1)
    n = np.asarray(numbers, dtype=float)[:, None]
    cost = 2.0 * world.structural_function(cells) + sigma2 * cells**2 / (2.0 * n)
    return or_direct(world, cost.min(axis=1))


def combined_tree_law(
    world: Ultrametric,
    numbers: ArrayLike,
    leaves: ArrayLike,
    sigma2: float,
    label_share: float = 0.5,
) -> NDArray[np.float64]:
    """E[d] of trees with combined comparisons: 2E[d_IB(y, S)] + σ²|S|²/(2n), or the direct step."""
    count = np.asarray(leaves, dtype=float)
    ends = 2.0 * np.array([mean_nearest(world, one) for one in count])
    return or_direct(world, ends + label_share * sigma2 * count**2 / np.asarray(numbers, float))


@cache
def combined_tree_curve(
    context: Context,
    world: Ultrametric,
    leaves: tuple[tuple[int, int], ...],
    sigma2: float,
) -> Curve:
    """Measure trees whose leaf-to-leaf comparisons are averaged, ``leaves`` being (n, |S|)."""
    counts = dict(leaves)

    def draw(n: int, rng: np.random.Generator, rel_err: float) -> Estimate:
        comparisons = build("tree", world, n, rng, leaves=counts[n])
        network = combined(world, comparisons, sigma2)
        return mean_distance(network, rel_err=rel_err, rng=rng, max_count=FEW_PAIRS)

    # A handful of leaves make networks that differ much, so many are drawn at every n, and few
    # pairs of each.
    name = f"combined tree {world} {sigma2} {leaves}"
    most = 5 * MOST_NETWORKS["tree"]
    return curve(context, name, tuple(counts), draw, PATH_ERROR, most, 3 * SEVERAL)


def snap(
    world: Ultrametric, comparisons: Comparisons, depth: int, rng: np.random.Generator
) -> Comparisons:
    """Move each response to one representative of its subtree at ``depth``.

    Comparisons within a subtree drop out.
    """
    size = world.powers[len(world.powers) - 1 - depth]
    cells, index = np.unique(comparisons.responses // size, return_inverse=True)
    representatives = cells * size + rng.integers(0, int(size), len(cells), dtype=np.uint64)
    a, b = index[comparisons.a], index[comparisons.b]
    across = a != b
    return Comparisons(representatives, a[across], b[across])


def combined(world: Ultrametric, comparisons: Comparisons, sigma2: float) -> Network:
    """Network in which k comparisons of the same two responses are one of variance σ²/k."""
    low = np.minimum(comparisons.a, comparisons.b)
    high = np.maximum(comparisons.a, comparisons.b)
    m = len(comparisons.responses)
    pairs, count = np.unique(low * m + high, return_counts=True)
    merged = Comparisons(comparisons.responses, pairs // m, pairs % m)
    return build_network(world, merged, sigma2 / count)


def mean_nearest(world: Ultrametric, count: float) -> float:
    """E[d_IB(y, nearest of ``count`` independent responses)], exactly, digits without end.

    It is farther than g(k) if all of them miss the subtree of y at depth k.
    """
    depth = np.arange(1, 400)
    hit = -np.expm1(count * np.log1p(-(float(world.branching) ** -depth)))
    missed = np.concatenate([[0.0], 1.0 - hit])
    return float(world.distance_at(depth - 1) @ np.diff(missed) + world.distance_at(399) * hit[-1])


def or_direct(world: Ultrametric, cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """E[min(d_IB(y1, y2), cost)] over random pairs, exactly."""
    depth = np.arange(len(world.powers))
    weight = (1.0 - 1.0 / world.branching) * float(world.branching) ** -depth
    return np.minimum(world.distance_at(depth)[:, None], cost).T @ weight


def nearest_bounds(world: Ultrametric, count: int) -> tuple[float, float]:
    """Bound :func:`mean_nearest` in closed form, for the power family.

    P(d_IB ≤ x) lies between (x/I)^(1/α)/B and (x/I)^(1/α), so the mean lies between
    I Γ(1+α) Γ(s+1)/Γ(s+1+α) and I Γ(1+α) (s/B)^(-α).
    """
    alpha, scale = world.alpha, world.scale
    low = gammaln(1 + alpha) + gammaln(count + 1) - gammaln(count + 1 + alpha)
    high = gammaln(1 + alpha) - alpha * np.log(count / world.branching)
    return scale * float(np.exp(low)), scale * float(np.exp(high))


def chain_lower_bound(world: Ultrametric, n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rigorous lower bound on a chain's mean inference distance, power family, every σ² ≥ 0.

    A path with h comparisons has h + 1 inductive-bias steps between independent responses, and
    at most (2n)^h such paths exist. With φ(λ) = E exp(-λ d_IB) and 2nφ(λ) ≤ 1/2 the expected
    number shorter than t is at most e^(λt)/2n, so that E[d] ≥ (log 2n - 1)/λ; and
    P(d_IB ≤ x) ≤ (x/I)^(1/α) makes λ = (4nΓ(1 + 1/α))^α / I large enough.
    """
    rate = (4.0 * n * np.exp(gammaln(1.0 + 1.0 / world.alpha))) ** world.alpha / world.scale
    return (np.log(2.0 * n) - 1.0) / rate


def growth_rate(world: Ultrametric, n: float) -> float:
    """Malthusian parameter λ of exploring a chain from one response: 2n E exp(-λ d_IB) = 1.

    The number of responses within distance t grows like e^(λt), and two explorations meet at
    d ≈ (log n + O(1))/λ: first-passage percolation on a random graph (Bhamidi, van der Hofstad
    and Hooghiemstra 2010).
    """
    from scipy.optimize import brentq

    depth = np.arange(len(world.powers))
    weight = (1.0 - 1.0 / world.branching) * float(world.branching) ** -depth
    distance = world.distance_at(depth)

    def excess(log_rate: float) -> float:
        return float(2.0 * n * weight @ np.exp(-np.exp(log_rate) * distance) - 1.0)

    return float(np.exp(brentq(excess, -20.0, 60.0)))
