"""Claim P9: how much better a tree is than a chain, by inference distance."""

from __future__ import annotations

import math
from functools import partial

import mpmath
import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Float, Rational, Symbol, diff, exp, gamma, log

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
from ibn.proofs_check.claim import (
    FAILS,
    Check,
    Claim,
    Context,
    Finding,
    Reading,
    decided,
)
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
    SLOWER,
    SUBLOGARITHMIC,
    WORLD,
    Closed,
    cells_at_least,
    name_of,
)
from ibn.proofs_check.rates.many_labels import LABEL, LARGER, LOUD, covering_leaves
from ibn.theory.rates import claimed_ratio, lower_bound, ratio, symbols

N, ALPHA, SCALE, SIGMA2, S, _ = symbols()
L = Symbol("L", positive=True)  # log n
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
CHAIN_AT_MOST = (1 + ALPHA * log(N)) * SCALE * N**-ALPHA  # up to a constant of B alone: L2(e)
TREE_AT_LEAST = SCALE * gamma(1 + ALPHA) * (N / log(N)) ** -ALPHA


def _quotients(part: str, wanted: dict[str, Expr]) -> Check:
    """Check that quotients of the table's rows have the claimed orders.

    Parameters
    ----------
    part : str
        Of the headline.
    wanted : dict of str to sympy.Expr
        The claimed order by family, regime and which over which, such as ``"power 𝒜 chain/tree"``.
    """

    def run(context: Context) -> Finding:
        limits = {}
        for name, order in wanted.items():
            family, regime, rows = name.split(" ")
            over, under = (TABLE[f"{row} {regime}"].expression(family) for row in rows.split("/"))
            limits[name] = growth(over / under / order)
        words = ", ".join(f"{name} → {written(value)}" for name, value in limits.items())
        holds = all(map(same_order, limits.values()))
        return Finding(decided(holds), f"quotient of the table / claimed: {words}")

    return Check(f"quotient of the table, {part}", "symbolic", run)


def _headline_derived(headline: Expr, context: Context) -> Finding:
    """Hold the headline, as an order, against bounds on both sides that do not need the table."""
    least = growth(CHAIN_AT_LEAST / TREE_AT_MOST / headline)
    most = growth(CHAIN_AT_MOST / TREE_AT_LEAST / headline)
    words = (
        f"chain ≥ (log 2n − 1)/λ and tree ≤ 2E[d_IB(y, S)] give (chain/tree)/claimed → at "
        f"least {written(least)}; chain = O((1 + α log n) n^(-α)) (L2) and tree ≥ E[d_IB(y, S)] "
        f"give at most {written(most)}: the table's log log n is in P5's bound, not in the "
        f"distance. "
        "At the edge of regime 𝒜, σ² = F(n), the "
        "tree's comparison steps cost F(n) log n/log log n (P7), and for α < 1 no more than "
        "log log n is left of the ratio"
    )
    holds = not least.is_infinite and most != 0
    return Finding(decided(holds), words, {"least": str(least), "most": str(most)})


def _in_whose_favour(headline: Expr, context: Context) -> Finding:
    """Decide whether the ratio is at least of the claimed order, and the library's mark on it."""
    least = growth(CHAIN_AT_LEAST / TREE_AT_MOST / headline)
    known = claimed_ratio()
    same = growth(known.expression / headline)
    side = "to the paper's disadvantage" if least.is_infinite else "in nobody's favour"
    words = (
        "the rigorous lower bound on the chain over the upper bound on the tree, over the claimed "
        f"order → {written(least)}: where the claim errs it errs {side}; "
        f"ibn.theory.rates.claimed_ratio over the claimed → {written(same)}, marked as "
        f"{known.bound}"
    )
    return Finding(decided(least != 0 and same == 1 and known.bound == "lower"), words)


def _order_derived(context: Context) -> Finding:
    """Hold the library's own order of the ratio against the same bounds."""
    order = ratio().expression.subs(S, N / log(N))
    least = growth(CHAIN_AT_LEAST / TREE_AT_MOST / order)
    most = growth(CHAIN_AT_MOST / TREE_AT_LEAST / order)
    words = (
        f"ibn.theory.rates.ratio at |S| = n/log n is {written(order)}; the quotient of the bounds "
        f"over it → at least {written(least)}, at most {written(most)}"
    )
    return Finding(decided(same_order(least) and same_order(most)), words)


def _ratio_measured(headline: Expr, context: Context) -> Finding:
    """Measure chain/tree against an order of its growth, and against the bounds."""
    found = {}
    for world in POWER:
        numbers = sizes(context)
        chain, tree = (path_curve(context, kind, world, numbers) for kind in ("chain", "tree"))
        quotient = chain / tree
        order = [float(headline.subs({N: n, ALPHA: world.alpha})) for n in quotient.n]
        leaves = [leaves_at("n/log n", int(n)) for n in quotient.n]
        caps = [2 * nearest_bounds(world, s)[1] for s in leaves]
        floor = chain_lower_bound(world, quotient.n) / caps
        drift = Drift.of(quotient, order, curves=2)
        verdict = FAILS if np.any(quotient.mean < floor) else drift.judge()
        words = f"chain/tree = {listed(quotient.mean)}; {drift.words()}"
        found[name_of(world)] = Finding(verdict, words, drift.data(0.0, 1 - world.alpha))
    return gather(found)


def _order_measured(context: Context) -> Finding:
    return _ratio_measured(ratio().expression.subs(S, N / log(N)), context)


def _small_alpha(context: Context) -> Finding:
    """Measure small α, where the range of n supports no rate, and say from which n it would."""
    parts, holds = [], True
    numbers = sizes(context)[-2:]
    for alpha in SMALL:
        world = Ultrametric("power", alpha=alpha)
        curves = [path_curve(context, kind, world, numbers) for kind in ("chain", "tree")]
        share = float(curves[0].mean[-1] / world.structural_function(1))
        quotient = curves[0] / curves[1]
        n = 10.0 ** np.arange(3, 300)
        falls = math.e * alpha * np.log(n) * n**-alpha < 0.5
        onset = int(np.flatnonzero(~falls)[-1]) + 4 if falls.any() else 300
        bound = np.log(numbers[-1]) / np.log(np.log(numbers[-1]))
        holds &= bool(np.all(quotient.mean < bound))
        parts.append(
            f"α = {alpha}: chain/tree = {listed(quotient.mean)} at n = {listed(quotient.n)}, the "
            f"chain still at {share:.0%} of F(1), so no exponent is read off; "
            f"eα n^(-α) log n < 1/2 only from n = 10^{onset} on"
        )
    return Finding(decided(holds), "; ".join(parts))


def _most(ceiling: Expr, context: Context) -> Finding:
    """Decide the largest ratio over all α: (1 + α log n) (log n)^(-α) at its greatest."""
    best = 1 / log(log(N)) - 1 / log(N)
    most = (1 + ALPHA * log(N)) * log(N) ** -ALPHA
    constant = growth(CHAIN_AT_MOST / TREE_AT_LEAST / most)  # 1/Γ(1 + α), at most 1.13
    stationary = diff(log(most), ALPHA).subs(ALPHA, best).simplify()
    quotient = growth(most.subs(ALPHA, best) / ceiling)
    words = (
        f"chain/tree ≤ C {written(most)}, C a constant for all α ≤ 1; over α that is greatest at "
        f"α = 1/log log n − 1/log n (derivative {written(stationary)}), where over the claimed "
        f"ceiling it → {written(quotient)}; for α → 0 at fixed n the ratio falls again, as both "
        "topologies end at F(1)"
    )
    holds = same_order(constant) and stationary == 0 and same_order(quotient)
    return Finding(decided(holds), words)


def _regime_b(noisy: Expr, context: Context) -> Finding:
    """Decide regime ℬ from the tree's law (P8), for |S| = M log M and for |S| = M."""
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
        f"{written(limits['M log M'])}; with |S| = M leaves it tends to {written(limits['M'])} and "
        f"the "
        "topologies tie"
    )
    holds = all(same_order(value) for value in limits.values())
    return Finding(decided(holds), words)


def _ratio_of_laws(world: Ultrametric, numbers: tuple[int, ...]) -> NDArray[np.float64]:
    leaves = covering_leaves(world, numbers)
    chain = combined_chain_law(world, numbers, LABEL)
    return combined_tree_law(world, numbers, leaves, LABEL) / chain


def _regime_b_measured(context: Context) -> Finding:
    """Measure tree/chain in regime ℬ, and say from which n on its logarithm would show."""
    found = {}
    for world in LOUD:
        numbers = sizes(context)
        quotient = _combined_ratio(context, world, numbers)
        drift = Drift.of(quotient, _ratio_of_laws(world, numbers), curves=2)
        ahead = _ratio_of_laws(world, tuple(10**k for k in (6, 12, 24, 36)))
        verdict = drift.judge() if agree([drift.first, drift.last], 1.0, 0.15) else FAILS
        words = (
            f"tree/chain = {listed(quotient.mean)} at n = {listed(quotient.n)}; against the two "
            f"laws of P6 and P8 {drift.words()}. Over these n the quotient does not show its "
            f"logarithm: by the laws it is {listed(ahead)} at n = 10^6, 10^12, 10^24, 10^36"
        )
        found[name_of(world)] = Finding(verdict, words, drift.data())
    return gather(found)


def _combined_ratio(context: Context, world: Ultrametric, numbers: tuple[int, ...]) -> Curve:
    """Tree over chain where comparisons of the same two cells or leaves are averaged."""
    leaves = np.maximum(2, np.rint(covering_leaves(world, numbers))).astype(int)
    spent = tuple(zip(numbers, leaves.tolist(), strict=True))
    chain = combined_chain_curve(context, world, numbers, LABEL)
    return combined_tree_curve(context, world, spent, LABEL) / chain


def _elsewhere(log_power: float, context: Context) -> Finding:
    found = {}
    for world in (LOGARITHMIC, SUBLOGARITHMIC):
        numbers = sizes(context, slow=True)
        chain, tree = (path_curve(context, kind, world, numbers) for kind in ("chain", "tree"))
        ratios = {
            "𝒜": chain / tree,
            "ℬ": _combined_ratio(context, world, sizes(context)),
        }
        for regime, quotient in ratios.items():
            drift = Drift.of(quotient, np.log(quotient.n) ** log_power, curves=2)
            name = f"{name_of(world)}, {regime}"
            found[name] = Finding(drift.judge(), drift.words(), drift.data())
    return gather(found)


def _elsewhere_exact(log_power: float, context: Context) -> Finding:
    """Elsewhere the exact posterior, too, has chain and tree of one order.

    It lies between c·F(2n) (E4) and the path distance (E1), which are of one order there.
    """
    limits = {}
    for family in ("logarithmic", "sub-logarithmic"):
        least = lower_bound(family).expression
        for kind in ("chain 𝒜", "tree 𝒜"):
            limits[f"{family}, {kind}"] = growth(least / TABLE[kind].expression(family))
    told = ", ".join(f"{name} → {written(value)}" for name, value in limits.items())
    numbers = tuple(sizes(context, slow=True)[i] for i in (0, 2, -1))
    chain, tree = (exact_curve(context, kind, LOGARITHMIC, numbers) for kind in ("chain", "tree"))
    quotient = chain / tree
    drift = Drift.of(quotient, np.log(quotient.n) ** log_power, curves=2)
    verdict = drift.judge() if all(map(same_order, limits.values())) else FAILS
    words = (
        f"F(2n) / path rate: {told}; between them lies the exact variance. Measured, "
        f"logarithmic family: exact chain/tree = {listed(quotient.mean)} at n = "
        f"{listed(quotient.n)}, below 1 where along paths it is above: {drift.words()}"
    )
    return Finding(verdict, words, drift.data())


def _attained_from_below(ceiling: Expr, context: Context) -> Finding:
    """Evaluate the rigorous lower bound on chain/tree at α = 1/log log n over the ceiling.

    In L = log n, for Γ(1 + log L) overflows nothing that mpmath holds.
    """
    shares = []
    for size in (2, 4, 8, 16, 32):
        with mpmath.workdps(50):
            log_n = mpmath.mpf(10) ** size
            alpha = 1 / mpmath.log(log_n)
            chain = mpmath.log(mpmath.log(2) + log_n - 1) - alpha * (
                mpmath.log(4) + mpmath.loggamma(1 + 1 / alpha)
            )  # times I n^(-α), as is the tree
            tree = mpmath.log(2 * mpmath.gamma(1 + alpha)) + alpha * mpmath.log(2 * log_n)
            known = mpmath.mpf(
                str(ceiling.subs(N, exp(L)).subs(L, Float(str(log_n), 60)).evalf(40))
            )
            shares.append(float(mpmath.exp(chain - tree) / known))
    settles = abs(shares[-1] / shares[-2] - 1) < 0.1 and shares[-1] > 1e-3
    words = (
        f"chain ≥ (log 2n − 1)/λ over tree ≤ 2E[d_IB(y, S)] at α = 1/log log n is {listed(shares)} "
        "of the ceiling at n = e^(10^2), e^(10^4), e^(10^8), e^(10^16), e^(10^32): attained up to "
        "a "
        "constant"
    )
    return Finding(decided(settles), words, {"shares": shares})


def _at_fixed_alpha(headline: Expr) -> tuple[Reading, ...]:
    return (
        Reading(
            "fixed α, tight order (Θ)",
            (
                _quotients("fixed α", {"power 𝒜 chain/tree": headline}),
                Check(
                    "fixed α, derived",
                    "symbolic",
                    partial(_headline_derived, headline),
                    "L1, L2, L3",
                ),
                Check(
                    "fixed α, measured",
                    "Monte Carlo",
                    partial(_ratio_measured, headline),
                    full=LARGER,
                ),
            ),
            r"\frac{\mathbb E[d_\mathrm{chain}]}{\mathbb E[d_\mathrm{tree}]} = "
            r"\Theta\left((\log n)^{1-\alpha}\right)",
            "the log log n stems from the table's bound on the chain, which is not attained: the "
            "claim errs to the paper's disadvantage",
        ),
        Reading(
            "fixed α, at least (Ω)",
            (
                Check(
                    "in whose favour it errs",
                    "symbolic",
                    partial(_in_whose_favour, headline),
                    "L1, L3",
                ),
            ),
            r"\frac{\mathbb E[d_\mathrm{chain}]}{\mathbb E[d_\mathrm{tree}]} = \Omega\left("
            r"\frac{(\log n)^{1-\alpha}}{\log\log n}\right)",
            "the rigorous bounds on either side put the ratio above the claimed order",
        ),
        Reading(
            "in its place, fixed α",
            (
                Check("the order it has, derived", "symbolic", _order_derived, lemma="L1, L2, L3"),
                Check("the order it has, measured", "Monte Carlo", _order_measured, full=LARGER),
            ),
            r"\frac{\mathbb E[d_\mathrm{chain}]}{\mathbb E[d_\mathrm{tree}]} = "
            r"\Theta\left((\lvert S\rvert/n)^{\alpha} \log n\right)",
            "the chain's order over the tree's, at the |S| = n/log n of the paper",
            counts=False,
        ),
    )


def _over_alpha_and_elsewhere(noisy: Expr, elsewhere: float, ceiling: Expr) -> tuple[Reading, ...]:
    slower = {f"{family} {regime} chain/tree": ONE for family in SLOWER for regime in "𝒜ℬ"}
    return (
        Reading(
            "supremum over α",
            (
                Check(
                    "at most log n/log log n over all α",
                    "symbolic",
                    partial(_most, ceiling),
                    lemma="L2, L3",
                ),
                Check(
                    "attained at α = 1/log log n",
                    "rigorous numeric",
                    partial(_attained_from_below, ceiling),
                    lemma="L1, L3",
                ),
                Check("small α, measured", "Monte Carlo", _small_alpha, full=LARGER),
            ),
            r"\sup_\alpha \frac{\mathbb E[d_\mathrm{chain}]}{\mathbb E[d_\mathrm{tree}]} = "
            r"\Theta\left(\frac{\log n}{\log\log n}\right)",
            "bounds that are uniform in α (L1, L2, L3) make the ratio greatest near α = 1/log log "
            "n, where "
            "the factor α of the chain's constant supplies the log log n",
        ),
        Reading(
            "regime ℬ",
            (
                _quotients("regime ℬ", {"power ℬ tree/chain": noisy}),
                Check("regime ℬ", "symbolic", partial(_regime_b, noisy)),
                Check("regime ℬ, measured", "Monte Carlo", _regime_b_measured, full=LARGER),
            ),
            r"\frac{\mathbb E[d_\mathrm{tree}]}{\mathbb E[d_\mathrm{chain}]} = "
            r"\Theta\left((\log n)^{2\alpha/(2+\alpha)}\right)",
            "P6 and P8 with |S| = M log M; a tree of M leaves ties with the chain",
        ),
        Reading(
            "elsewhere",
            (
                _quotients("elsewhere", slower),
                Check("elsewhere, measured", "Monte Carlo", partial(_elsewhere, elsewhere)),
                Check(
                    "elsewhere, exact inference",
                    "Monte Carlo",
                    partial(_elsewhere_exact, elsewhere),
                ),
            ),
            r"\mathbb E[d_\mathrm{chain}] \asymp \mathbb E[d_\mathrm{tree}]",
            "both rates are of the order of F(2n), which no dataset is below (E4)",
        ),
    )


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
        readings=(
            *_at_fixed_alpha(headline),
            *_over_alpha_and_elsewhere(noisy, elsewhere_log_power, ceiling),
        ),
        rests_on=("P5", "P6", "P7", "P8"),
    )
