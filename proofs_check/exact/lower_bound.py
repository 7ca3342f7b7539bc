"""E4: no topology beats c F(2n)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations, combinations_with_replacement, product

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from ibn.bias.ultrametric import FAMILIES, Ultrametric
from ibn.inference.gaussian import mean_variance
from ibn.inference.paths import mean_distance
from ibn.network import build_network
from ibn.proofs_check.asymptotics import written
from ibn.proofs_check.claim import (
    CHECK_ERROR,
    FAILS,
    HOLDS,
    ROUNDING,
    UNDECIDED,
    Check,
    Claim,
    Context,
    Finding,
    Reading,
    decided,
)
from ibn.proofs_check.exact.exponents import NO_NOISE, exponents, measured, show
from ibn.theory.rates import lower_bound
from ibn.topology import TOPOLOGIES, build

WORLDS = (
    Ultrametric(alpha=0.1),
    Ultrametric(alpha=1.0),
    Ultrametric(family="logarithmic", alpha=1.0),
    Ultrametric(family="sub-logarithmic"),
)


def e4(
    constant: float = 1 / 16, cells: float = 2.0, exponent: float = 1.0, logs: float = 0.0
) -> Claim:
    """No topology beats c F(2n).

    Parameters
    ----------
    constant, cells, exponent, logs : float
        The bound is constant · F((cells · n)^exponent) · (log n)^logs.
    """
    bound = partial(_claimed_bound, constant, cells, exponent, logs)
    return Claim(
        id="E4",
        statement=(
            "n comparisons touch at most 2n responses, so under exact as under path inference no "
            "dataset has a mean below c·F(2n): c = 2^(−α)/8, hence 1/16 for every α ≤ 1, for all "
            "n; c → 1 as n → ∞ for the two families slower than every power of M."
        ),
        latex=r"\mathbb{E}[d]\ge\mathbb{E}[R]\ge c\,F(2n),\qquad c=\tfrac{1}{8}2^{-\alpha}",
        source="this project",
        assumptions=(
            "the ultrametric world, y1 and y2 uniform; any comparisons, any σ² > 0",
            "α ≤ 1 for the constant 1/16",
        ),
        readings=(
            Reading(
                "lower bound for every n and dataset",
                (
                    Check("constant", "symbolic", _bound_constant, lemma="L6"),
                    Check(
                        "counting bound",
                        "rigorous numeric",
                        partial(_counting_reaches, bound),
                        "L6",
                    ),
                    Check("empty cells", "exhaustive", _empty_cells, lemma="L6"),
                    Check("every dataset", "exhaustive", _every_dataset),
                    Check(
                        "every topology",
                        "Monte Carlo",
                        partial(_every_topology, bound),
                        full="4096 pairs and 200 probes a network, not 256 and 24",
                    ),
                    Check("the library's formula", "symbolic", _library),
                ),
                r"\mathbb{E}[d] \ge \mathbb{E}[R] \ge \tfrac18 2^{-\alpha} F(2n)",
                "at the depth of 4n cells two responses lie in distinct cells without a label with "
                "probability 1/8 or more",
            ),
            Reading(
                "attained, exact inference",
                (
                    Check(
                        "attained",
                        "Monte Carlo",
                        partial(_attained, bound),
                        full="40 datasets of each size, not 8",
                    ),
                ),
                r"\mathbb{E}[R] = \Theta(F(2n)) \text{ for stratified chain and star}",
                "measured over the bound does not fall",
            ),
        ),
        rests_on=("E1", "T0"),
    )


def _claimed_bound(
    constant: float, cells: float, exponent: float, logs: float, world: Ultrametric, n: float
) -> float:
    size = max((cells * n) ** exponent, 1.0)
    return constant * float(world.structural_function(size)) * float(np.log(n)) ** logs


def _counting_bound(world: Ultrametric, touched: int, depths: Sequence[int] | None = None) -> float:
    """Lower bound on E[R]: max over k of P(two distinct empty cells at depth k) · g(k - 1).

    A response in an empty cell at depth k joins the rest of the network through a stem that
    starts at a depth of at most k - 1, so it costs g(k - 1)/2 at least; two such responses whose
    stems meet first are at d_IB >= g(k - 1) of each other, with no other path.
    """
    if depths is None:
        first = max(1, int(np.log(touched) / np.log(world.branching)))
        depths = range(first, first + 12)
    best = 0.0
    for k in depths:
        number = float(world.branching**k)
        empty = max(number - touched, 0.0)
        chance = empty * max(empty - 1.0, 0.0) / number**2
        best = max(best, chance * float(world.distance_at(k - 1)))
    return best


def _bound_constant(context: Context) -> Finding:
    b, a, n = sp.symbols("B alpha n", positive=True)
    ratio = sp.Symbol("q", positive=True)  # B^(-1-α), below 1
    j = sp.Symbol("j", integer=True, nonnegative=True)
    series = sp.summation(ratio**j, (j, 0, sp.oo)).args[0][0]  # the branch q < 1
    share = ((1 - 1 / b) * series).subs(ratio, b ** (-1 - a))
    # 1 - F/g = (1/B)(1 - B^(-α)) / (1 - B^(-1-α)) > 0.
    rest = (1 - b**-a) / b / (1 - b ** (-1 - a))
    below_one = sp.simplify(1 - share - rest) == 0
    # The least k with B^k >= 4n has g(k - 1) > I (4n)^(-α), and B^k >= 4n >= 4.
    most_cells = 4 * n
    chance = (1 - 2 * n / most_cells) * (1 - (2 * n + 1) / most_cells)
    factor = sp.simplify((most_cells / (2 * n)) ** -a)
    at_one = chance.subs(n, 1)
    increasing = sp.simplify(sp.diff(chance, n) * n**2).is_positive
    log_ratio = (1 + sp.log(2 * n)) / (1 + sp.log(4 * n))
    slow = sp.limit(log_ratio, n, sp.oo)
    slow_at_one = bool(log_ratio.subs(n, 1) >= sp.Rational(1, 2))
    right = (
        below_one
        and at_one == sp.Rational(1, 8)
        and bool(increasing)
        and factor == 2**-a
        and slow == 1
        and slow_at_one
    )
    return Finding(
        decided(right),
        f"Power family: F(B^k) = g(k)·{written(share)} < g(k); at the least k with B^k ≥ 4n two "
        f"responses "
        f"lie in distinct empty cells with probability at least {written(sp.factor(chance))}, from "
        f"{at_one} "
        f"at n = 1 up to 1/4, and g(k − 1) > {written(factor)}·g(log_B 2n): c = 2^(−α)/8 for all "
        f"n. "
        f"Logarithmic family: the last factor is (log 2n/log 4n)^α with 1 added to each, at least "
        f"2^(−α) and → {slow}; with B^k ≥ 2nt instead the probability is (1 − 1/t)², so c → 1.",
    )


def _library(context: Context) -> Finding:
    """Check that the library's lower bound is of the order of F(2n), and marked as one."""
    n = np.array([1e30, 1e150, 1e300])
    parts, right = [], True
    for family in FAMILIES:
        world, bound = Ultrametric(family, 0.5, scale=3.0), lower_bound(family)
        quotient = bound.evaluate(n, 0.5, 3.0) / world.structural_function(2 * n)
        # The closed forms leave out a constant in the power family, lower-order terms elsewhere.
        limit = (1 - 2**-1.5) / 0.5 if family == "power" else 1.0
        right &= bound.bound == "lower" and bool(np.all(np.abs(quotient / limit - 1) < 0.2))
        right &= bool(abs(quotient[-1] / limit - 1) < 0.1)
        parts.append(f"{family} {', '.join(f'{x:.3f}' for x in quotient)} → {limit:.3f}")
    return Finding(
        decided(right),
        "ibn.theory.rates.lower_bound over the world's F(2n) at n = 10³⁰, 10¹⁵⁰, 10³⁰⁰: "
        + "; ".join(parts),
    )


def label_of(world: Ultrametric) -> str:
    """Name a world in a few characters."""
    if world.family == "sub-logarithmic":
        return world.family
    return f"{world.family} α = {world.alpha:g}"


def _counting_reaches(bound: Callable[[Ultrametric, float], float], context: Context) -> Finding:
    worst, shares = np.inf, []
    sizes = np.unique(np.geomspace(2, 1e12, 200).astype(int))
    for branching in (2, 3, 10):
        worlds = [
            Ultrametric(w.family, w.alpha, branching=branching)
            for w in (*WORLDS, Ultrametric(alpha=0.3))
        ]
        for world in worlds:
            ratio = [_counting_bound(world, 2 * int(n)) / bound(world, float(n)) for n in sizes]
            worst = min(worst, min(ratio))
            if branching == 2:
                proven = _counting_bound(world, 2_000_000)
                share = proven / float(world.structural_function(2e6))
                shares.append(f"{label_of(world)}: {share:.3f}")
    return Finding(
        HOLDS if worst >= 1 else UNDECIDED,
        "max over k of P(both responses in distinct empty cells at depth k)·g(k − 1), n from 2 to "
        f"10¹², B = 2, 3, 10: at least {worst:.3g} times the bound claimed"
        + ("" if worst >= 1 else "; the counting argument does not reach it")
        + ". It proves E[R]/F(2n) at n = 10⁶ of at least "
        + ", ".join(shares)
        + ".",
        {"least": float(worst)},
    )


def _prior(world: Ultrametric) -> NDArray[np.float64]:
    """Covariance of all rewards of a small world, up to a common shift."""
    address = np.arange(int(world.powers[-1]), dtype=np.uint64)
    return 0.5 * (1.0 - world.distance(address[:, None], address[None, :]))


def _observe(covariance: NDArray, a: NDArray, b: NDArray, sigma2: float) -> NDArray[np.float64]:
    """Condition a batch of covariances on one comparison each; ``a == b`` tells nothing."""
    batch = np.arange(len(covariance))
    gain = covariance[batch, a] - covariance[batch, b]
    spread = gain[batch, a] - gain[batch, b] + sigma2 + (a == b)
    return covariance - gain[:, :, None] * gain[:, None, :] / spread[:, None, None]


def _variogram(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    own = np.diagonal(covariance, axis1=1, axis2=2)
    return own[:, :, None] + own[:, None, :] - 2.0 * covariance


def _empty_cells(context: Context) -> Finding:
    counted, worst = 0, np.inf
    for digits, most in ((3, 8), (4, 4)):
        world = Ultrametric(alpha=0.5, digits=digits)
        prior = _prior(world)
        leaf = np.arange(len(prior))
        for size in range(1, most + 1):
            touched = np.array(list(combinations(leaf.tolist(), size)))
            # The most that comparisons among them can do: tie them together exactly.
            tied = np.repeat(prior[None], len(touched), axis=0)
            for column in range(1, size):
                tied = _observe(tied, touched[:, 0], touched[:, column], 0.0)
            exact = _variogram(tied)
            for k in range(1, digits + 1):
                cell = leaf // 2 ** (digits - k)
                used = (cell[touched][:, :, None] == np.arange(2**k)).any(axis=1)
                empty = ~used[:, cell]
                pair = empty[:, :, None] & empty[:, None, :] & (cell[:, None] != cell[None, :])
                if pair.any():
                    counted += int(pair.sum())
                    worst = min(worst, float(exact[pair].min() / world.distance_at(k - 1)))
    return Finding(
        decided(worst >= 1.0 - ROUNDING),
        f"Hierarchies of 8 and 16 responses, every set of touched responses (up to 4 of the 16), "
        f"tied together exactly, every depth k, every two responses in distinct empty cells: "
        f"{counted} cases, R at least {worst:.6f} g(k − 1).",
        {"cases": counted, "least": worst},
    )


def _every_dataset(context: Context) -> Finding:
    parts, holds = [], True
    for digits, n in ((3, 1), (3, 2), (3, 3), (4, 1), (4, 2)):
        world = Ultrametric(alpha=0.5, digits=digits)
        prior = _prior(world)
        pairs = np.array(list(combinations(range(len(prior)), 2)))
        chosen = np.array(list(combinations_with_replacement(range(len(pairs)), n)))
        posterior = np.repeat(prior[None], len(chosen), axis=0)
        for column in chosen.T:
            a, b = pairs[column].T
            posterior = _observe(posterior, a, b, NO_NOISE)
        means = _variogram(posterior).mean(axis=(1, 2))
        bound = _counting_bound(world, 2 * n, range(1, digits + 1))
        holds &= bool(means.min() >= bound)
        best = [f"{x}-{y}" for x, y in pairs[chosen[int(means.argmin())]].tolist()]
        parts.append(
            f"{2**digits} responses, n = {n}: {len(chosen)} datasets, least {means.min():.4f} "
            f"(by {', '.join(best)}) ≥ {bound:.4f}"
        )
    return Finding(
        decided(holds),
        "Mean posterior variance minimised over every dataset, σ² → 0, against the counting "
        "bound: " + "; ".join(parts) + ".",
    )


def _every_topology(bound: Callable[[Ultrametric, float], float], context: Context) -> Finding:
    rng = context.rng("E4 topologies")
    pairs, probes = (256, 24) if context.profile == "quick" else (4096, 200)
    sizes = (128, 1024)
    level = 1.0 - CHECK_ERROR / (2 * len(WORLDS) * len(sizes) * len(TOPOLOGIES))
    verdict, counted, refuting = HOLDS, 0, ""
    least: dict[str, tuple[float, str]] = {}
    for world, n, name in product(WORLDS, sizes, TOPOLOGIES):
        reference = float(world.structural_function(2 * n))
        claimed = bound(world, n) / reference
        network = build_network(world, build(name, world, n, rng), NO_NOISE * reference)
        estimates = {
            "path": mean_distance(network, rel_err=1e-9, rng=rng, max_count=pairs),
            "exact": mean_variance(network, rel_err=1e-3, rng=rng, max_count=probes),
        }
        for inference, estimate in estimates.items():
            mean = estimate.mean / reference
            low, high = (x / reference for x in estimate.interval(level))
            counted += 1
            case = f"{name}, {inference}, n = {n}"
            if mean < least.get(label_of(world), (np.inf, ""))[0]:
                least[label_of(world)] = (mean, case)
            if high < claimed:
                verdict = FAILS
                refuting = refuting or (
                    f"{label_of(world)}, {case}: {mean:.3f} F(2n), at most {high:.3f}, claimed at "
                    f"least {claimed:.3f}"
                )
            elif low < claimed and verdict == HOLDS:
                verdict = UNDECIDED
    return Finding(
        verdict,
        f"{counted} cases (all topologies, path and exact, σ² → 0), least mean over F(2n): "
        + "; ".join(f"{world} {value:.2f} ({case})" for world, (value, case) in least.items())
        + "."
        + (f" Counterexample: {refuting}." if refuting else ""),
        {world: value for world, (value, _) in least.items()},
    )


def _attained(bound: Callable[[Ultrametric, float], float], context: Context) -> Finding:
    rng = context.rng("E4 attained")
    replicates = 8 if context.profile == "quick" else 40
    world = Ultrametric(alpha=1.0)
    n = [2**k for k in range(5, 16, 2)]
    claimed = np.array([bound(world, size) for size in n])
    parts, verdict = [], HOLDS
    for name in ("stratified-chain", "stratified-star"):

        def measure(size: int, sigma2: float, name: str = name) -> float:
            network = build_network(world, build(name, world, size, rng), sigma2)
            return mean_variance(network, rel_err=0.02, rng=rng, max_count=8).mean

        values = measured(measure, n, claimed, replicates)
        (left,) = exponents(n, values, 1.0 - CHECK_ERROR / 2, ["n"])
        parts.append(f"{name} {show(left)}")
        if left[1] < 0:
            verdict = FAILS
        elif left[1] - left[0] > 0.1 and verdict == HOLDS:
            verdict = UNDECIDED
    return Finding(
        verdict,
        f"Exact inference, α = 1, n = {n[0]} to {n[-1]}: exponent of n left in E[R] over the bound "
        "claimed: " + ", ".join(parts) + ". A negative one would sink below any constant.",
    )
