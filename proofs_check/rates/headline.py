"""Claim P9: how much better a tree is than a chain, by inference distance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from sympy import E, Expr, Rational, diff, gamma, log

from ibn.bias.ultrametric import Ultrametric
from ibn.proofs_check.asymptotics import (
    Curve,
    Drift,
    agree,
    gather,
    growth,
    listed,
    same_order,
    written,
)
from ibn.proofs_check.claim import FAILS, HOLDS, Check, Claim, Context, Finding
from ibn.proofs_check.measured import (
    chain_lower_bound,
    combined_chain_curve,
    combined_chain_law,
    combined_tree_curve,
    combined_tree_law,
    exact_curve,
    leaves_at,
    nearest_bounds,
    path_curve,
    sizes,
)
from ibn.proofs_check.rates.closed import (
    COMBINED,
    LOGARITHMIC,
    POWER,
    SUBLOGARITHMIC,
    WORLD,
    Closed,
    cells_at_least,
    name_of,
)
from ibn.proofs_check.rates.many_labels import LABEL, LOUD, covering_leaves
from ibn.theory.rates import lower_bound, symbols

N, ALPHA, SCALE, SIGMA2, _, _ = symbols()
ONE = Rational(1)
SMALL = (0.05, 0.1)

TABLE = {
    "chain 𝒜": Closed("P5", "chain", "A", -ALPHA, 1 + ALPHA, -ONE),
    "tree 𝒜": Closed("P7", "tree", "A", -ALPHA, 2 * ALPHA),
    "chain ℬ": Closed("P6", "chain", "B", -ALPHA / (2 + ALPHA), scale_power=2 / (2 + ALPHA)),
    "tree ℬ": Closed(
        "P8",
        "tree",
        "B",
        -ALPHA / (2 + ALPHA),
        2 * ALPHA / (2 + ALPHA),
        scale_power=2 / (2 + ALPHA),
    ),
}

# What holds at |S| = n/log n and negligible σ² whatever else does: a lower bound for the chain,
# an upper bound for the connected tree (measured.chain_lower_bound, measured.nearest_bounds).
CHAIN_AT_LEAST = SCALE * (log(2 * N) - 1) / (4 * N * gamma(1 + 1 / ALPHA)) ** ALPHA
TREE_AT_MOST = 2 * SCALE * gamma(1 + ALPHA) * (N / log(N) / 2) ** -ALPHA
CHAIN_DERIVED = E * ALPHA * SCALE * N**-ALPHA * log(N)  # P5's objective with M = n/k, k = e^(1/α)
TREE_AT_LEAST = SCALE * gamma(1 + ALPHA) * (N / log(N)) ** -ALPHA


def _quotient_of_table(headline: Expr, noisy: Expr) -> Check:
    def run(context: Context) -> Finding:
        power = {name: row.expression("power") for name, row in TABLE.items()}
        limits = {
            "𝒜, chain/tree": growth(power["chain 𝒜"] / power["tree 𝒜"] / headline),
            "ℬ, tree/chain": growth(power["tree ℬ"] / power["chain ℬ"] / noisy),
        }
        for family in ("logarithmic", "sub-logarithmic"):
            of_family = {name: row.expression(family) for name, row in TABLE.items()}
            for regime in "𝒜ℬ":
                limits[f"{family} {regime}"] = growth(
                    of_family[f"chain {regime}"] / of_family[f"tree {regime}"]
                )
        words = "quotient of the table / claimed: " + ", ".join(
            f"{name} → {written(value)}" for name, value in limits.items()
        )
        holds = all(same_order(value) for value in limits.values())
        return Finding(HOLDS if holds else FAILS, words)

    return Check("quotient of the table", "symbolic", run)


def _headline_derived(headline: Expr) -> Check:
    """Hold the headline against bounds on both sides that do not need the table."""

    def run(context: Context) -> Finding:
        least = growth(CHAIN_AT_LEAST / TREE_AT_MOST / headline)
        most = growth(CHAIN_DERIVED / TREE_AT_LEAST / headline)
        true = growth(CHAIN_DERIVED / TREE_AT_LEAST / log(N) ** (1 - ALPHA))
        words = (
            f"chain ≥ (log 2n − 1)/λ and tree ≤ 2E[d_IB(y, S)] give (chain/tree)/claimed → at "
            f"least {written(least)}; chain of order n^(-α) log n (P5) and tree ≥ E[d_IB(y, S)] "
            f"give at most {written(most)}. The order is (log n)^(1-α) (/that → "
            f"{written(true)}): the table's log log n is in P5's bound, not in the distance. At "
            "the edge of regime 𝒜, σ² = F(n), the "
            "tree's comparison steps cost F(n) log n/log log n (P7), and for α < 1 no more than "
            "log log n is left of the ratio"
        )
        holds = not least.is_infinite and most != 0
        return Finding(HOLDS if holds else FAILS, words, {"least": str(least), "most": str(most)})

    return Check("regime 𝒜, derived", "symbolic", run)


def _headline_measured(headline: Expr) -> Check:
    def run(context: Context) -> Finding:
        found = {}
        for world in POWER:
            numbers = sizes(context)
            chain, tree = (path_curve(context, kind, world, numbers) for kind in ("chain", "tree"))
            ratio = chain / tree
            claimed = [float(headline.subs({N: n, ALPHA: world.alpha})) for n in ratio.n]
            leaves = [leaves_at("n/log n", int(n)) for n in ratio.n]
            caps = [2 * nearest_bounds(world, s)[1] for s in leaves]
            floor = chain_lower_bound(world, ratio.n) / caps
            drift = Drift.of(ratio, claimed, curves=2)
            derived = Drift.of(ratio, np.log(ratio.n) ** (1 - world.alpha), curves=2)
            verdict = FAILS if np.any(ratio.mean < floor) else drift.judge()
            words = (
                f"chain/tree = {listed(ratio.mean)}; {drift.words()}; against (log n)^(1-α) "
                f"{derived.log_n.value:+.2f} in log log n"
            )
            found[name_of(world)] = Finding(verdict, words, drift.data(0.0, 1 - world.alpha))
        return gather(found)

    return Check("regime 𝒜, measured", "Monte Carlo", run)


def _small_alpha() -> Check:
    """Measure small α, where the range of n supports no rate, and say from which n it would."""

    def run(context: Context) -> Finding:
        parts, holds = [], True
        numbers = sizes(context)[-2:]
        for alpha in SMALL:
            world = Ultrametric("power", alpha=alpha)
            curves = [path_curve(context, kind, world, numbers) for kind in ("chain", "tree")]
            share = float(curves[0].mean[-1] / world.structural_function(1))
            ratio = curves[0] / curves[1]
            n = 10.0 ** np.arange(3, 300)
            falls = math.e * alpha * np.log(n) * n**-alpha < 0.5
            onset = int(np.flatnonzero(~falls)[-1]) + 4 if falls.any() else 300
            bound = np.log(numbers[-1]) / np.log(np.log(numbers[-1]))
            holds &= bool(np.all(ratio.mean < bound))
            parts.append(
                f"α = {alpha}: chain/tree = {listed(ratio.mean)} at n = {listed(ratio.n)}, the "
                f"chain still at {share:.0%} of F(1), so no exponent is read off; "
                f"eα n^(-α) log n < 1/2 only from n = 10^{onset} on"
            )
        return Finding(HOLDS if holds else FAILS, "; ".join(parts))

    return Check("small α, measured", "Monte Carlo", run)


def _most(ceiling: Expr) -> Check:
    """Decide the largest ratio over all α: α (log n)^(1-α) is greatest at α = 1/log log n."""

    def run(context: Context) -> Finding:
        best = 1 / log(log(N))
        ratio = CHAIN_DERIVED / TREE_AT_LEAST
        shape = ALPHA * log(N) ** (1 - ALPHA)
        stationary = diff(log(shape), ALPHA).subs(ALPHA, best).simplify()
        quotient = growth((E * shape).subs(ALPHA, best) / ceiling)
        words = (
            f"derived from above chain/tree ≤ {written(ratio.simplify())} up to its constant; "
            "over α that is greatest at α = 1/log log n (derivative "
            f"{stationary}), where it is of the order of log n/log log n (/claimed → "
            f"{written(quotient)}); for α → 0 at fixed n it falls again, as both topologies end "
            "at F(1)"
        )
        holds = stationary == 0 and same_order(quotient)
        return Finding(HOLDS if holds else FAILS, words)

    return Check("at most log n/log log n over all α", "symbolic", run)


def _regime_b(noisy: Expr) -> Check:
    """Decide regime ℬ from the tree's law (P8), for |S| = M log M and for |S| = M."""

    def run(context: Context) -> Finding:
        chain = TABLE["chain ℬ"].expression("power")
        covering = cells_at_least("P8", "power")
        limits = {}
        for name, leaves, order in (
            ("M log M", covering * log(covering), noisy),
            ("M", cells_at_least("P6", "power"), ONE),
        ):
            cost = SIGMA2 * leaves**2 / (2 * N)
            limits[name] = growth(cost / chain / order)
        words = (
            "tree's σ²|S|²/2n over the chain's rate: with |S| = M log M leaves / claimed → "
            f"{limits['M log M']}; with |S| = M leaves it tends to {limits['M']} and the "
            "topologies tie"
        )
        holds = all(same_order(value) for value in limits.values())
        return Finding(HOLDS if holds else FAILS, words)

    return Check("regime ℬ", "symbolic", run)


def _regime_b_measured() -> Check:
    """Measure tree/chain in regime ℬ, and say from which n on its logarithm would show."""

    def ratio_of_laws(world: Ultrametric, numbers: tuple[int, ...]) -> NDArray[np.float64]:
        leaves = covering_leaves(world, numbers)
        chain = combined_chain_law(world, numbers, LABEL)
        return combined_tree_law(world, numbers, leaves, LABEL) / chain

    def run(context: Context) -> Finding:
        found = {}
        for world in LOUD:
            numbers = sizes(context)
            ratio = _combined_ratio(context, world, numbers)
            drift = Drift.of(ratio, ratio_of_laws(world, numbers), curves=2)
            ahead = ratio_of_laws(world, tuple(10**k for k in (6, 12, 24, 36)))
            verdict = drift.judge() if agree([drift.first, drift.last], 1.0, 0.15) else FAILS
            words = (
                f"tree/chain = {listed(ratio.mean)} at n = {listed(ratio.n)}; against the two "
                f"laws of P6 and P8 {drift.words()}. Over these n the ratio does not show its "
                f"logarithm: by the laws it is {listed(ahead)} at n = 10^6, 10^12, 10^24, 10^36"
            )
            found[name_of(world)] = Finding(verdict, words, drift.data())
        return gather(found)

    return Check("regime ℬ, measured", "Monte Carlo", run)


def _combined_ratio(context: Context, world: Ultrametric, numbers: tuple[int, ...]) -> Curve:
    """Tree over chain where comparisons of the same two cells or leaves are averaged."""
    leaves = np.maximum(2, np.rint(covering_leaves(world, numbers))).astype(int)
    spent = tuple(zip(numbers, leaves.tolist(), strict=True))
    chain = combined_chain_curve(context, world, numbers, LABEL)
    return combined_tree_curve(context, world, spent, LABEL) / chain


def _elsewhere(log_power: float) -> Check:
    def run(context: Context) -> Finding:
        found = {}
        for world in (LOGARITHMIC, SUBLOGARITHMIC):
            numbers = sizes(context, slow=True)
            chain, tree = (path_curve(context, kind, world, numbers) for kind in ("chain", "tree"))
            ratios = {
                "𝒜": chain / tree,
                "ℬ": _combined_ratio(context, world, sizes(context)),
            }
            for regime, ratio in ratios.items():
                drift = Drift.of(ratio, np.log(ratio.n) ** log_power, curves=2)
                name = f"{name_of(world)}, {regime}"
                found[name] = Finding(drift.judge(), drift.words(), drift.data())
        return gather(found)

    return Check("elsewhere, measured", "Monte Carlo", run)


def _elsewhere_exact(log_power: float) -> Check:
    """Elsewhere the exact posterior, too, has chain and tree of one order.

    It lies between c·F(2n) (E4) and the path distance (E1), which are of one order there.
    """

    def run(context: Context) -> Finding:
        limits = {}
        for family in ("logarithmic", "sub-logarithmic"):
            least = lower_bound(family).expression
            for kind in ("chain 𝒜", "tree 𝒜"):
                limits[f"{family}, {kind}"] = growth(least / TABLE[kind].expression(family))
        told = ", ".join(f"{name} → {written(value)}" for name, value in limits.items())
        numbers = tuple(sizes(context, slow=True)[i] for i in (0, 2, -1))
        chain, tree = (
            exact_curve(context, kind, LOGARITHMIC, numbers) for kind in ("chain", "tree")
        )
        ratio = chain / tree
        drift = Drift.of(ratio, np.log(ratio.n) ** log_power, curves=2)
        verdict = drift.judge() if all(map(same_order, limits.values())) else FAILS
        words = (
            f"F(2n) / path rate: {told}; between them lies the exact variance. Measured, "
            f"logarithmic family: exact chain/tree = {listed(ratio.mean)} at n = "
            f"{listed(ratio.n)}, below 1 where along paths it is above: {drift.words()}"
        )
        return Finding(verdict, words, drift.data())

    return Check("elsewhere, exact inference", "Monte Carlo", run)


CEILING = log(N) / log(log(N))


def p9(
    log_power: Expr = 1 - ALPHA,
    loglog_power: Expr = -ONE,
    noisy_log_power: Expr = 2 * ALPHA / (2 + ALPHA),
    elsewhere_log_power: float = 0.0,
    ceiling: Expr = CEILING,
) -> Claim:
    """P9: the headline.

    Parameters
    ----------
    log_power, loglog_power : sympy.Expr
        Powers of log n and log log n in chain/tree, regime 𝒜, power family.
    noisy_log_power : sympy.Expr
        Power of log n in tree/chain, regime ℬ, power family.
    elsewhere_log_power : float
        Power of log n in chain/tree in the other families.
    ceiling : sympy.Expr
        What chain/tree is at most of the order of in regime 𝒜, over all α.
    """
    headline = log(N) ** log_power * log(log(N)) ** loglog_power
    noisy = log(N) ** noisy_log_power
    return Claim(
        id="P9",
        statement=(
            "By mean inference distance, chain/tree is of the order of (log n)^(1-α) / log log n "
            "in regime 𝒜 with F ~ I·M^(-α), at most log n / log log n as α → 0; tree/chain is of "
            "the order of (log n)^(2α/(2+α)) in regime ℬ; elsewhere the two are of one order"
        ),
        latex=(
            r"\frac{\mathbb E[d_{\mathrm{chain}}]}{\mathbb E[d_{\mathrm{tree}}]} = \Theta\!\left("
            r"\frac{(\log n)^{1-\alpha}}{\log\log n}\right)"
        ),
        source="paper (the headline: up to Θ(log n/log log n))",
        assumptions=(
            WORLD,
            "𝒜: |S| = n/log n and σ² far below F(|S|) log log n / log n, which is less than the "
            "regime as defined allows",
            "ℬ: " + COMBINED + "; |S| = M log M",
            "that the tree wins in 𝒜 is so by inference distance; by the exact posterior it is "
            "the other way round (E2)",
        ),
        checks=(
            _quotient_of_table(headline, noisy),
            _headline_derived(headline),
            _headline_measured(headline),
            _small_alpha(),
            _most(ceiling),
            _regime_b(noisy),
            _regime_b_measured(),
            _elsewhere(elsewhere_log_power),
            _elsewhere_exact(elsewhere_log_power),
        ),
    )
