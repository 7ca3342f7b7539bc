"""P6 and P8: chain and tree in regime ℬ, where comparisons of the same two cells combine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Integer, gamma, log

from ibn.bias.ultrametric import Ultrametric
from ibn.inference.paths import mean_distance
from ibn.network import build_network
from ibn.proofs_check.asymptotics import (
    Drift,
    gather,
    growth,
    listed,
    same_order,
    tex,
    written,
)
from ibn.proofs_check.claim import (
    FAILS,
    Check,
    Claim,
    Context,
    Finding,
    Reading,
    decided,
    judged,
)
from ibn.proofs_check.measured import (
    combined_chain_curve,
    combined_chain_law,
    combined_tree_curve,
    combined_tree_law,
    or_direct,
    sizes,
)
from ibn.proofs_check.rates.closed import (
    COMBINED,
    LOGARITHMIC,
    PAPER,
    SUBLOGARITHMIC,
    WORLD,
    Closed,
    cells_at_least,
    derivation,
    library,
    name_of,
    statement,
)
from ibn.theory.rates import minimise, objective, symbols
from ibn.topology import build

N, ALPHA, SCALE, SIGMA2, _, _ = symbols()
ZERO = Integer(0)


LARGER = "n to 2²⁰, not 2¹⁸"
LABEL = 1.0  # σ² in regime ℬ, of the order of I
LOUD = (Ultrametric("power", alpha=0.5), Ultrametric("power", alpha=1.0))
SMALL = (0.2, 0.3)


def similar_sizes(world: Ultrametric, power: float, first: int = 500) -> tuple[int, ...]:
    """Numbers of comparisons n·B^(power·j) over three decades.

    From each to the next the best number of cells grows by B, so that a discrete hierarchy's
    wobble, periodic in log n, stays out of the slopes.
    """
    factor = world.branching**power
    steps = int(np.ceil(3.0 / np.log10(factor)))
    return tuple(round(first * factor**j) for j in range(steps + 1))


def _combined_chain(closed: Closed) -> Check:
    def run(context: Context) -> Finding:
        found = {}
        for world in (*LOUD, LOGARITHMIC, SUBLOGARITHMIC):
            numbers = sizes(context)
            if world.family == "power":
                numbers = similar_sizes(world, 2.0 + world.alpha)
            curve = combined_chain_curve(context, world, numbers, LABEL)
            drift = closed.drift(curve, world, LABEL)
            data = drift.data(*closed.powers(world))
            found[name_of(world)] = Finding(drift.judge(), drift.words(), data)
        return gather(found)

    return Check("measured, comparisons combined", "Monte Carlo", run, full=LARGER)


def _small_alpha(share: float) -> Check:
    """Hold small α against the sum that the rate is the least of, not against its limit.

    The direct step to a near response, which costs less than the sum for many pairs, keeps the
    distance far from its order over any range of n that can be simulated.
    """

    def run(context: Context) -> Finding:
        found = {}
        for alpha in SMALL:
            world = Ultrametric("power", alpha=alpha)
            numbers = similar_sizes(world, 2.0 + alpha)
            curve = combined_chain_curve(context, world, numbers, LABEL)
            law = combined_chain_law(world, curve.n, share * LABEL)
            drift = Drift.of(curve, law)
            near = np.all(np.abs(np.log(curve.mean / law)) < np.log(1.1))
            words = (
                f"against E[min(d_IB, 2F(M) + σ²M²/2n)] at the best M {drift.words()}; d is still "
                f"{curve.mean[-1] / or_direct(world, np.array([np.inf]))[0]:.0%} of its value "
                "without labels, so no exponent is read off"
            )
            found[name_of(world)] = Finding(drift.judge() if near else FAILS, words)
        return gather(found)

    return Check("small α, measured against its law", "Monte Carlo", run)


def _strict_floor() -> Check:
    """Check whether the distance falls with n by the strict definition; it has a floor."""

    def run(context: Context) -> Finding:
        world = LOUD[0]
        floor = float(or_direct(world, np.array([LABEL]))[0])
        means = []
        for n in (500, 4_000, 32_000):
            rng = context.rng(f"strict {n}")
            network = build_network(world, build("chain", world, n, rng), LABEL)
            means.append(mean_distance(network, rel_err=0.02, rng=rng).mean)
        stays = min(means) > 0.9 * floor
        words = (
            f"without combining, a path takes a comparison at σ² or none at d_IB, so E[d] ≥ "
            f"E[min(d_IB, σ²)] = {floor:.3f} for every n; measured {listed(means)} at n = 500, "
            "4 000, 32 000 (α = 0.5, σ² = I): the rate is one of combined comparisons only"
        )
        falls = max(means) < 0.9 * floor
        return Finding(judged(falls, stays), words, {"floor": floor, "means": means})

    return Check("the strict distance falls with n", "Monte Carlo", run)


def p6(
    n_power: Expr = -ALPHA / (2 + ALPHA),
    log_power: Expr = ZERO,
    scale_power: Expr = 2 / (2 + ALPHA),
    log_family_power: Expr = -ALPHA,
    label_share: float = 1.0,
) -> Claim:
    """P6: chain in regime ℬ.

    Parameters
    ----------
    n_power, log_power, scale_power : sympy.Expr
        Powers of n/σ², log n and I in the power family.
    log_family_power : sympy.Expr
        Power of log n in the logarithmic family.
    label_share : float
        Share of σ²M²/2n that a path's one comparison step costs.
    """
    closed = Closed(
        "P6",
        "chain",
        "B",
        n_power,
        log_power,
        scale_power=scale_power,
        log_family_power=log_family_power,
    )
    power = closed.expression("power")
    combined = _combined_chain(closed)
    return Claim(
        id="P6",
        statement=statement(closed, "Mean distance of a chain, many labels combined"),
        latex=r"\mathbb E[d] \asymp I^{2/(2+\alpha)}(\sigma^2/n)^{\alpha/(2+\alpha)}",
        source=PAPER,
        assumptions=(WORLD, COMBINED, "σ² fixed (1, and I = 1, in what is measured)"),
        readings=(
            Reading(
                "upper bound (O), comparisons combined",
                (derivation(closed), library(closed), combined),
                rf"\mathbb E[d] = O\left({tex(power)}\right)",
                "the rate is the least of the objective, and what is measured never grows against "
                "it",
            ),
            Reading(
                "tight order (Θ), comparisons combined",
                (combined, _small_alpha(label_share)),
                rf"\mathbb E[d] = \Theta\left({tex(power)}\right)",
                "measured over the rate neither grows nor decays; derived it is as an upper bound "
                "only",
            ),
            Reading(
                "strict inference distance, nothing combined",
                (_strict_floor(),),
                r"\mathbb E[d] \ge \mathbb E[\min(d_{IB}, \sigma^2)] = \Theta(1)",
                "by the definition of the inference distance parallel comparisons do not combine, "
                "so "
                "that a path pays σ² or takes no comparison at all",
                counts=False,
            ),
        ),
        rests_on=("P1", "P2", "P3", "T0"),
    )


Leaves = Callable[[Ultrametric, tuple[int, ...]], NDArray[np.float64]]


def covering_leaves(world: Ultrametric, numbers: tuple[int, ...]) -> NDArray[np.float64]:
    """|S| = M log M at the M that minimises P8's objective."""
    given = objective("P8", world.family)
    cells = minimise(given, numbers, world.alpha, world.scale, LABEL).cells
    return cells * np.log(cells)


def fewer_leaves(world: Ultrametric, numbers: tuple[int, ...]) -> NDArray[np.float64]:
    """|S| of the order of the M that minimises P6's objective."""
    best = world.alpha * world.scale * np.array(numbers) / LABEL
    return np.asarray(best ** (1 / (2 + world.alpha)))


def two_terms(
    name: str,
    closed: Closed,
    worlds: tuple[Ultrametric, ...],
    leaves: Leaves,
    leaves_order: Expr,
    label_share: float = 0.5,
) -> Check:
    """Check that a tree's combined distance is 2 E[d_IB(y, S)] + σ²|S|²/2n, and that law's order.

    Where few labels make that dear, a pair that is close takes the direct step instead.

    Parameters
    ----------
    name : str
        Of the check.
    closed : Closed
        The rate that the law is to have.
    worlds : tuple of Ultrametric
        Where it is measured.
    leaves : callable
        |S| at each n.
    leaves_order : sympy.Expr
        Its order in the power family.
    label_share : float
        Share of σ²|S|²/n that a path's one comparison step costs: half, as n comparisons fall on
        |S|²/2 pairs of leaves.
    """

    def run(context: Context) -> Finding:
        found = {}
        for world in worlds:
            numbers = sizes(context)
            s = np.maximum(2, np.rint(leaves(world, numbers))).astype(int)
            spent = tuple(zip(numbers, s.tolist(), strict=True))
            curve = combined_tree_curve(context, world, spent, LABEL)
            law = combined_tree_law(world, curve.n, s, LABEL, label_share)
            drift = Drift.of(curve, law)
            near = np.all(np.abs(np.log(curve.mean / law)) < np.log(1.2))
            verdict = drift.judge() if near else FAILS
            words = f"against the law {drift.words()}"
            found[name_of(world)] = Finding(verdict, words, drift.data())
        terms = {
            "2E[d_IB(y, S)]": 2 * SCALE * gamma(1 + ALPHA) * leaves_order**-ALPHA,
            "σ²|S|²/2n": SIGMA2 * leaves_order**2 / (2 * N),
        }
        limits = {key: growth(term / closed.expression("power")) for key, term in terms.items()}
        order = all(value.is_finite for value in limits.values()) and any(
            same_order(value) for value in limits.values()
        )
        words = ", ".join(f"({key})/rate → {written(value)}" for key, value in limits.items())
        found["power, order of the law"] = Finding(decided(order), words)
        return gather(found)

    return Check(name, "Monte Carlo", run, full=LARGER)


def p8(
    n_power: Expr = -ALPHA / (2 + ALPHA),
    log_power: Expr = 2 * ALPHA / (2 + ALPHA),
    scale_power: Expr = 2 / (2 + ALPHA),
    log_family_power: Expr = -ALPHA,
    label_share: float = 0.5,
) -> Claim:
    """P8: tree in regime ℬ.

    Parameters
    ----------
    n_power, log_power, scale_power, log_family_power : sympy.Expr
        As for :func:`p6`.
    label_share : float
        Share of σ²|S|²/n that a path's one comparison step costs: half, as n comparisons fall on
        |S|²/2 pairs of leaves.
    """
    closed = Closed(
        "P8",
        "tree",
        "B",
        n_power,
        log_power,
        scale_power=scale_power,
        log_family_power=log_family_power,
    )
    cells = cells_at_least("P8", "power")
    covering = cells * log(cells)
    power = closed.expression("power")
    law = two_terms(
        "measured, comparisons combined",
        closed,
        (Ultrametric("power", alpha=SMALL[0]), *LOUD, LOGARITHMIC, SUBLOGARITHMIC),
        covering_leaves,
        covering,
        label_share,
    )
    fewer = two_terms(
        "with |S| = M leaves, no logarithm",
        replace(closed, log_power=ZERO),
        LOUD,
        fewer_leaves,
        cells_at_least("P6", "power"),
    )
    return Claim(
        id="P8",
        statement=statement(
            closed, "Mean distance of a tree of M log M leaves, many labels combined"
        ),
        latex=(
            r"\mathbb E[d] \asymp I^{2/(2+\alpha)}(\log n)^{2\alpha/(2+\alpha)}"
            r"(\sigma^2/n)^{\alpha/(2+\alpha)}"
        ),
        source=PAPER,
        assumptions=(
            WORLD,
            COMBINED,
            "|S| = M log M at the M that minimises F(M) + σ²(M log M)²/n. The logarithm is the "
            "price of covering every cell, which a mean does not need: with |S| = M leaves the "
            "tree has the chain's rate P6",
            "the first term of the law falls behind the second only like (log M)^(-α): the power "
            "of log n is read off the law, which is what the data support, not off three decades",
        ),
        readings=(
            Reading(
                "upper bound (O), comparisons combined",
                (derivation(closed), library(closed), law),
                rf"\mathbb E[d] = O\left({tex(power)}\right)",
                "the rate is the least of the objective for M log M leaves",
            ),
            Reading(
                "tight order (Θ), |S| = M log M",
                (law,),
                rf"\mathbb E[d] = \Theta\left({tex(power)}\right)",
                "what is measured follows the two terms of the law, whose order this is",
            ),
            Reading(
                "the best tree, |S| = M",
                (fewer,),
                rf"\mathbb E[d] = \Theta\left({tex(power.subs(log(N), 1))}\right)",
                "the logarithm is the price of covering every cell, which a mean does not need",
                counts=False,
            ),
        ),
        rests_on=("P1", "P2", "P3", "T0"),
    )
