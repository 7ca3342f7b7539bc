"""Bounds on the mean posterior variance that hold for every n, from counting degrees of freedom.

*Spent freedom.* By Foster's theorem the comparisons' leverages R(a, b)/σ² add up to
tr K(K + σ²)⁻¹, K the prior covariance of the n differences. Split the prior at depth k: the cells'
part of K has rank at most B^k - 1, the rest has trace at most n g(k), so that by Weyl's inequality
the sum is at most B^k - 1 + n g(k)/σ². A leverage is R'/(R' + σ²), R' the variance without its
comparison; where comparisons are drawn independently R' is the variance of a fresh pair. Hence

    E[R/(R + σ²)] ≤ (B^k - 1)/(n + 1) + g(k)/σ²    for every depth k.

*Cells.* Glue all that lies outside a cell at depth k, and all inside it: the cell hangs on its
stem, of variance s = (g(k-1) - g(k))/2, and on its m comparisons. So E[R] ≥ (1 - B^(-k)) /
(1/s + 2n/(B^k σ²)), for every dataset, as cells have 2n/B^k comparisons on average.
"""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Integer, Rational, exp, gamma, pi, sqrt

from ibn.bias.ultrametric import Ultrametric
from ibn.inference.gaussian import resistance
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.proofs_check.claim import (
    ROUNDING,
    Check,
    Context,
    Finding,
    decided,
)
from ibn.theory.rates import symbols
from ibn.topology import build

N, ALPHA, SCALE, SIGMA2, _, CELLS = symbols()
BRANCHING = Integer(2)
HALF = Rational(1, 2)


def difference_covariance(
    world: Ultrametric, first: tuple[NDArray, NDArray], second: tuple[NDArray, NDArray]
) -> NDArray[np.float64]:
    """Prior covariance of r(a) - r(b) over pairs (a, b) of responses, the first against the second.

    With Var[r(y) - r(y')] = d_IB(y, y') it is half the alternating sum of four d_IB.
    """
    (a, b), (c, d) = first, second
    cross = world.distance(a[:, None], d) + world.distance(b[:, None], c)
    straight = world.distance(a[:, None], c) + world.distance(b[:, None], d)
    return 0.5 * (cross - straight)


def spent(world: Ultrametric, comparisons: Comparisons, sigma2: float) -> NDArray[np.float64]:
    """Leverage of each comparison: what it takes off the variance of its own difference."""
    address = comparisons.responses
    ends = address[comparisons.a], address[comparisons.b]
    covariance = difference_covariance(world, ends, ends)
    noisy = covariance + sigma2 * np.eye(len(covariance))
    return np.diag(np.linalg.solve(noisy, covariance))


def spent_at_most(world: Ultrametric, n: float, sigma2: float) -> NDArray[np.float64]:
    """B^k - 1 + n g(k)/σ² at each depth k."""
    depth = np.arange(len(world.powers))
    return float(world.branching) ** depth - 1.0 + n * world.distance_at(depth) / sigma2


def counting_freedom(share: float = 1.0) -> Check:
    """Check that no dataset spends more freedom than the bound, ``share`` of it claimed.

    Both inference engines are held against each other on the way: leverages from the prior
    covariance, and from the network's resistances.
    """
    return Check("degrees of freedom", "rigorous numeric", partial(_counted, share), lemma="L4")


def _counted(share: float, context: Context) -> Finding:
    rng = context.rng("freedom")
    worst, least_slack, off, counted = 0.0, "", 0.0, 0
    topologies = ("chain", "tree", "stratified-star", "kwise")
    for alpha, topology, n in product((0.1, 0.5, 1.5), topologies, (4, 32, 96)):
        world = Ultrametric(alpha=alpha)
        comparisons = build(topology, world, n, rng)
        for sigma2 in (0.01, 0.3, 10.0):
            leverage = spent(world, comparisons, sigma2)
            quotient = leverage.sum() / spent_at_most(world, n, sigma2).min()
            counted += 1
            if quotient > worst:
                worst = float(quotient)
                least_slack = f"α = {alpha:g}, {topology}, n = {n}, σ² = {sigma2:g}"
        network = build_network(world, comparisons, sigma2)
        pairs = np.stack([comparisons.a, comparisons.b], axis=1)[:4]
        found = resistance(network, pairs) / sigma2
        off = max(off, float(np.max(np.abs(found - leverage[:4]))))
    holds = worst <= share * (1 + ROUNDING) and off < 1e-6
    words = (
        f"{counted} datasets, depths 0 to 60: the leverages add up to at most {worst:.3f} of "
        f"min over k of B^k − 1 + n g(k)/σ² ({least_slack}), claimed at most {share:g}; "
        f"ibn.resistance gives the same leverages within {off:.0e}"
    )
    return Finding(decided(holds), words, {"most": worst})


# --- Fixed σ²: regime ℬ --------------------------------------------------------------------------


def noisy_at_most(world: Ultrametric, n: float, sigma2: float) -> float:
    """Upper bound on a chain's E[R]: R ≤ I makes R at most (I + σ²) R/(R + σ²)."""
    return (world.scale + sigma2) * float(spent_at_most(world, n + 1.0, sigma2).min()) / (n + 1.0)


def noisy_at_least(world: Ultrametric, n: float, sigma2: float) -> float:
    """Lower bound on E[R] for every dataset of n comparisons."""
    depth = np.arange(1, len(world.powers))
    cells = float(world.branching) ** depth
    stem = (world.distance_at(depth - 1) - world.distance_at(depth)) / 2.0
    return float(np.max((1.0 - 1.0 / cells) / (1.0 / stem + 2.0 * n / (cells * sigma2))))


def noisy_bounds(cells: Expr) -> dict[str, Expr]:
    """Write the same two in closed form, power family, at the depth k with M ≤ B^k < B·M."""
    stem = SCALE * (BRANCHING * cells) ** -ALPHA * (BRANCHING**ALPHA - 1) / 2
    return {
        "lower bound": (1 - 1 / cells) / (1 / stem + 2 * N / (cells * SIGMA2)),
        "upper bound": (SCALE + SIGMA2) * (BRANCHING * cells / N + SCALE * cells**-ALPHA / SIGMA2),
    }


# --- σ² = O(F(|S|)): regime 𝒜 --------------------------------------------------------------------


def quiet_at_least(leaves: Expr) -> Expr:
    """Lower bound on E[R] for |S| responses touched, whatever the labels, power family.

    At the least k with B^k ≥ 2|S| two fresh responses lie in distinct cells that nothing touches
    with probability (1 - 1/|S|)/4 at least, each on a stem that no label speaks of (theory E4).
    """
    return Rational(1, 4) * (1 - 1 / leaves) * SCALE * (2 * leaves) ** -ALPHA


def quiet_at_most(leaves: Expr, labels_a_leaf: Expr = HALF) -> Expr:
    """Upper bound on E[R] with n comparisons on |S| ≤ 2n independent responses, σ² ≤ F(|S|).

    Half the labels make J = ⌈α⌉ + 2 networks of m = n/2J labels each. At scale i = 0, 1, … raise σ²
    to τ = 32 B^i g(k), which only raises variances (Rayleigh), at the depth with B^k ≤ w/(32 B^i),
    w = |S|/4J ≤ m. Spent freedom makes E[R/(R + τ)] ≤ B^(-i)/16 for a fresh pair of S, so that
    with probability 1 - B^(-i)/4 at least one network ties half of all pairs within τ, hence half
    of S to one response; that all J networks fail has probability (B^(-i)/4)^J at most. The other
    half of the labels is independent of that: a response of S has one to the tied half with
    probability q = 1 - exp(-n/4|S|) or more, and a fresh y is at I Γ(1+α) (q|S|/B)^(-α) of the
    nearest such response on average. So E[R] is at most twice that, 2σ², 2τ at the first scale
    that succeeds, and I if none does. For a chain S is all 2n responses.

    Parameters
    ----------
    leaves : sympy.Expr
        |S|, at least 128 J.
    labels_a_leaf : sympy.Expr
        n/|S|; the least there is, 1/2, bounds every other.
    """
    q = 1 - exp(-labels_a_leaf / 4)
    usable = leaves / (4 * (ALPHA + 3))
    near = SCALE * gamma(1 + ALPHA) * (q * leaves / BRANCHING) ** -ALPHA
    first = 32 * SCALE * (usable / (32 * BRANCHING)) ** -ALPHA
    # Σ over i ≥ 1 of (B^(1-i)/4)^(α+2) 2τ_i, in which τ_i grows like B^(i(1+α)): a geometric sum.
    later = 2 * first * (BRANCHING / 4) ** (ALPHA + 2) / (BRANCHING - 1)
    never = SCALE * (32 * BRANCHING / (4 * usable)) ** (ALPHA + 2)
    noise = SCALE * leaves**-ALPHA
    return 2 * near + 2 * noise + 2 * first + later + never


# --- Labels that people give ---------------------------------------------------------------------


def binary_at_least() -> Expr:
    """Lower bound for chain and tree given n binary labels at the edge of regime 𝒜, π²/3β² = F(n).

    The Bayesian Cramér-Rao inequality (van Trees 1968) puts the expected information of the labels
    in the place of n/σ². A sign's is E[β² p(1-p)] ≤ β E[(2π d_IB)^(-1/2)], which for independent
    pairs is finite if α < 2. The cells are those that balance the two terms.
    """
    beta = pi / sqrt(3 * SCALE * N**-ALPHA)
    mean = (1 - 1 / BRANCHING) / (1 - BRANCHING ** (ALPHA / 2 - 1)) / sqrt(SCALE)
    information = beta * mean / sqrt(2 * pi)
    cells = (SCALE * N * information) ** (1 / (1 + ALPHA))
    return noisy_bounds(cells)["lower bound"].subs(SIGMA2, 1 / information)
