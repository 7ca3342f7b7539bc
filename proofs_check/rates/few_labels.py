"""P5 and P7: chain and tree in regime 𝒜, where inductive bias is most of a path.

As upper bounds (O) both hold. As orders (Θ) both fail in the power family, for what they bound is
smaller, and hold in the slower ones.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from scipy.special import ndtri
from sympy import Expr, Integer, diff, exp, gamma, log

from ibn.bias.ultrametric import Ultrametric
from ibn.inference.paths import mean_distance
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.proofs_check.asymptotics import (
    Drift,
    agree,
    gather,
    growth,
    listed,
    same_order,
    tex,
    written,
)
from ibn.proofs_check.claim import (
    CHECK_ERROR,
    FAILS,
    Check,
    Claim,
    Context,
    Finding,
    Reading,
    decided,
)
from ibn.proofs_check.lemma_bounds import between
from ibn.proofs_check.measured import (
    QUIET,
    chain_lower_bound,
    growth_rate,
    leaves_at,
    mean_nearest,
    nearest_bounds,
    path_curve,
    sizes,
)
from ibn.proofs_check.rates.closed import (
    PAPER,
    POWER,
    SLOW,
    WORLD,
    WORLDS,
    Closed,
    attained_elsewhere,
    derivation,
    library,
    name_of,
    statement,
)
from ibn.theory.rates import Rate, rate, symbols
from ibn.topology import build

N, ALPHA, SCALE, _, S, _ = symbols()
ONE = Integer(1)
LARGER = "n to 2²⁰, not 2¹⁸"


def measured(
    closed: Closed, name: str, worlds: tuple[Ultrametric, ...], *, above: bool, below: bool
) -> Check:
    """Check how measured / claimed moves with n in some worlds.

    Parameters
    ----------
    closed : Closed
        The claimed rates.
    name : str
        Of the check.
    worlds : tuple of Ultrametric
        Where it is measured.
    above, below : bool
        Whether growth of the quotient refutes the check, and whether decay does.
    """

    def run(context: Context) -> Finding:
        found = {}
        for world in worlds:
            numbers = sizes(context, slow=world in SLOW)
            curve = path_curve(context, closed.topology, world, numbers)
            drift = closed.drift(curve, world)
            data = drift.data(*closed.powers(world))
            verdict = drift.judge(above=above, below=below)
            found[name_of(world)] = Finding(verdict, drift.words(), data)
        return gather(found)

    return Check(name, "Monte Carlo", run, full=LARGER)


def readings(closed: Closed, attained: Check, in_place: Reading, why: str) -> tuple[Reading, ...]:
    """Read a rate of regime 𝒜 as an upper bound, and as the order in either kind of family."""
    power, slower = (closed.expression(family) for family in ("power", "logarithmic"))
    never = measured(closed, "never above the rate", WORLDS, above=True, below=False)
    reached = measured(closed, "attained, measured", POWER, above=False, below=True)
    elsewhere = measured(
        closed, "attained, slower families, measured", SLOW, above=False, below=True
    )
    return (
        Reading(
            "upper bound (O)",
            (derivation(closed), library(closed, lemma="L2"), never),
            rf"\mathbb E[d] = O\left({tex(power)}\right)",
            "the order that is proved in its place (L2) is smaller, and what is measured never "
            "grows "
            "against it",
        ),
        Reading(
            "tight order (Θ), F ~ I·M^(−α)",
            (attained, reached),
            in_place.latex,
            why,
        ),
        Reading(
            "tight order (Θ), slower F",
            (attained_elsewhere(closed), never, elsewhere),
            rf"\mathbb E[d] = \Theta\left({tex(slower)}\right),\quad F \sim I(\log M)^{{-\alpha}}",
            "the rate is of the order of F(2n), which no dataset is below (E4)",
        ),
        in_place,
    )


def _between(topology: str, context: Context) -> Finding:
    """Hold what is measured, and the lemmas' bounds, against each other at every n."""
    found = {}
    for world in POWER:
        curve = path_curve(context, topology, world, sizes(context))
        touched = [
            2 * int(n) if topology == "chain" else leaves_at("n/log n", int(n)) for n in curve.n
        ]
        noise = [QUIET.at(world, int(n)) for n in curve.n]
        found[name_of(world)] = between(curve, world, topology, "path", touched, noise)
    return gather(found)


def _bounded(topology: str) -> Check:
    lemmas = {"chain": "L1, L2", "tree": "L2, L3"}[topology]
    run = partial(_between, topology)
    return Check("between the lemmas' bounds", "Monte Carlo", run, lemmas, LARGER)


def _chain_law(pace: float, context: Context) -> Finding:
    order = rate("chain").expression
    found = {}
    for world in POWER:
        curve = path_curve(context, "chain", world, sizes(context))
        scaled = curve.mean * [growth_rate(world, n) for n in curve.n]
        slope = float(np.polyfit(np.log(curve.n), scaled, 1)[0])
        floor = chain_lower_bound(world, curve.n)
        drift = Drift.of(curve, Rate("P5", order, "order", "").evaluate(curve.n, world.alpha))
        verdict = drift.judge()
        if not agree([slope], pace, 0.06) or np.any(curve.mean < floor):
            verdict = FAILS
        words = (
            f"λ·d grows by {slope:.3f} per unit of log n (predicted {pace:g}); "
            f"d ≥ (log 2n − 1)/(4nΓ(1+1/α))^α at every n (by a factor of "
            f"{np.min(curve.mean / floor):.2g} at least); against {written(order)}, the library's "
            f"order, {drift.words()}"
        )
        data = {"pace": slope, **drift.data(-world.alpha, 1.0)}
        found[name_of(world)] = Finding(verdict, words, data)
    return gather(found)


def _chain_floor(context: Context) -> Finding:
    """Hold the library's order of a chain against the rigorous lower bound."""
    lower = SCALE * (log(2 * N) - 1) / (4 * N * gamma(1 + 1 / ALPHA)) ** ALPHA
    quotient = growth(lower / rate("chain").expression)
    words = (
        "E[d] ≥ (log 2n − 1)/(4nΓ(1+1/α))^α for every n and σ²; over the library's order → "
        f"{written(quotient)}"
    )
    return Finding(decided(same_order(quotient)), words)


def chain_order(pace: float = 1.0) -> Reading:
    """Read what a chain's path distance is instead: (log n + O(1))/λ, of order I n^(-α) log n.

    Parameters
    ----------
    pace : float
        Slope of λ d against log n, 1 by the branching process behind λ.
    """
    name = "the order it has: I n^(-α) log n"
    return Reading(
        "in its place, F ~ I·M^(−α)",
        (
            Check("lower bound of a chain", "symbolic", _chain_floor, lemma="L1"),
            _bounded("chain"),
            Check(name, "Monte Carlo", partial(_chain_law, pace), lemma="L1, L2", full=LARGER),
        ),
        r"\mathbb E[d] = \Theta\left(I\,n^{-\alpha}\log n\right)",
        "proved on both sides (L1, L2), and what is measured neither grows nor decays against it",
        counts=False,
    )


def _chain_without_connectivity(closed: Closed, context: Context) -> Finding:
    """Compare the claimed order with the same objective once M may reach n/k, k constant."""
    k = symbols().leaves  # mean comparisons a cell
    freed = SCALE * (N / k) ** -ALPHA * log(N) / log(k)
    best = exp(1 / ALPHA)
    stationary = diff(log(freed), k).subs(k, best).simplify()
    least = freed.subs(k, best).simplify()
    quotient = growth(least / closed.expression("power"))
    words = (
        "connectivity, hence M ≤ n/log n, is what the farthest pair needs; the mean needs a "
        "giant component, M = n/k with k constant. Over k the objective is then least at "
        f"k = e^(1/α), {written(least)} = eα I n^(-α) log n, and that / claimed → "
        f"{written(quotient)}"
    )
    attained = stationary == 0 and same_order(quotient)
    return Finding(decided(attained), words, {"quotient": str(quotient)})


def p5(
    n_power: Expr = -ALPHA,
    log_power: Expr = 1 + ALPHA,
    loglog_power: Expr = -ONE,
    log_family_power: Expr = -ALPHA,
    pace: float = 1.0,
) -> Claim:
    """P5: chain in regime 𝒜.

    Parameters
    ----------
    n_power, log_power, loglog_power : sympy.Expr
        Powers of n, log n and log log n in the power family.
    log_family_power : sympy.Expr
        Power of log n in the logarithmic family.
    pace : float
        As for :func:`chain_order`.
    """
    closed = Closed(
        "P5",
        "chain",
        "A",
        n_power,
        log_power,
        loglog_power,
        log_family_power=log_family_power,
    )
    run = partial(_chain_without_connectivity, closed)
    return Claim(
        id="P5",
        statement=statement(closed, "Mean path distance of a chain, few labels"),
        latex=r"\mathbb E[d] \asymp I(\log n)^{1+\alpha}/(n^{\alpha}\log\log n)",
        source=PAPER,
        assumptions=(
            WORLD,
            "σ² = O(F(n)): a comparison step then costs no more than the inductive-bias step "
            "beside it and changes constants only; measured with σ² far below F(2n)/log n",
            "the minimisation counts at least one hop: otherwise few cells would make log M / "
            "log(n/M), and in the logarithmic family with α < 1 the minimum, tend to 0",
        ),
        readings=readings(
            closed,
            Check("attained, derived", "symbolic", run, lemma="L2"),
            chain_order(pace),
            "connecting every cell costs (log n)^α / log log n, which the mean does not need: a "
            "giant "
            "component will do",
        ),
        rests_on=("P1", "P3", "E4", "T0"),
    )


def _tree_law(leaf_power: Expr, context: Context) -> Finding:
    found = {}
    for world in POWER:
        curve = path_curve(context, "tree", world, sizes(context))
        leaves = np.array([leaves_at("n/log n", int(n)) for n in curve.n], float)
        nearest = np.array([mean_nearest(world, int(s)) for s in leaves])
        bounds = np.array([nearest_bounds(world, int(s)) for s in leaves]).T
        ratio = curve.mean / nearest
        # A pair nearer than its leaves takes the direct step: at few leaves a few per cent.
        reach = 0.06 + ndtri(1 - CHECK_ERROR / (2 * len(ratio))) * curve.stderr / curve.mean
        order = rate("tree").evaluate(curve.n, world.alpha, leaves=leaves)
        extra = float((leaf_power + ALPHA).subs(ALPHA, world.alpha))
        drift = Drift.of(curve, order * leaves**extra)
        # Two ends, each at its nearest leaf, unless the pair is nearer than its leaves.
        near = np.all(np.abs(ratio / 2.0 - 1.0) <= reach)
        between = np.all(nearest >= bounds[0] * (1 - 1e-9)) and np.all(
            nearest <= bounds[1] * (1 + 1e-9)
        )
        verdict = drift.judge() if near and between else FAILS
        words = (
            f"d / E[d_IB(y, nearest leaf)] = {listed(ratio)}; against the library's order "
            f"{drift.words()}"
        )
        found[name_of(world)] = Finding(verdict, words, drift.data(-world.alpha, world.alpha))
    return gather(found)


def tree_order(leaf_power: Expr = -ALPHA) -> Reading:
    """Read what a tree's path distance is instead: twice the step to a leaf, Θ(F(|S|)).

    Parameters
    ----------
    leaf_power : sympy.Expr
        Power of |S| in the power family.
    """
    run = partial(_tree_law, leaf_power)
    return Reading(
        "in its place, F ~ I·M^(−α)",
        (
            _bounded("tree"),
            Check("the order it has: F(|S|)", "Monte Carlo", run, lemma="L2, L3", full=LARGER),
        ),
        r"\mathbb E[d] = \Theta(F(\lvert S\rvert)) = \Theta\left(I\,n^{-\alpha}(\log n)^{\alpha}"
        r"\right),\quad \lvert S\rvert = n/\log n",
        "twice the distance to the nearest leaf, which is known exactly, is what is measured",
        counts=False,
    )


def _tree_bound(closed: Closed, context: Context) -> Finding:
    """Compare the claimed order with the exact distance to the nearest of |S| = n/log n leaves."""
    branching, s = 2, N / log(N)
    upper = 2 * SCALE * gamma(1 + ALPHA) * (s / branching) ** -ALPHA
    quotient = growth(upper / closed.expression("power"))
    words = (
        "M log M leaves cover all M cells, but the mean needs only the nearest leaf: "
        "E[d] ≤ 2 E[d_IB(y, S)] ≤ 2Γ(1+α) I (|S|/B)^(-α) once S is connected, which is "
        "of the order of I (log n)^α / n^α, the coupon collector's second logarithm unspent; "
        f"that / claimed → {written(quotient)}"
    )
    return Finding(decided(same_order(quotient)), words)


def _steps(world: Ultrametric, n: int, context: Context) -> tuple[float, float, float]:
    """Count a tree's comparison steps, measured and predicted, and what σ² = F(|S|) costs."""
    rng = context.rng(f"steps {n}")
    leaves = leaves_at("n/log n", n)
    comparisons = build("tree", world, n, rng, leaves=leaves)
    quiet = QUIET.at(world, n)
    loud = float(world.structural_function(leaves))
    pairs_seed = int(rng.integers(2**32))

    def mean(sigma2: float, comparisons: Comparisons = comparisons) -> float:
        pairs = np.random.default_rng(pairs_seed)  # the same pairs for every σ²
        network = build_network(world, comparisons, sigma2)
        return mean_distance(network, rel_err=1e-9, rng=pairs, max_count=2000).mean

    base = mean(quiet)
    steps = (mean(quiet + 0.01 * loud) - base) / (0.01 * loud)
    return steps, float(np.log(leaves) / np.log(2 * n / leaves)), mean(loud) / base


def _noise_condition(context: Context) -> Finding:
    """Measure how many comparison steps a tree's path takes, and what σ² therefore has to be."""
    found = [_steps(POWER[1], n, context) for n in sizes(context)]
    steps, predicted, edge = np.array(found).T
    at_edge = N**-ALPHA * log(N) / log(log(N))  # σ² = F(n) times the steps of a path
    below_one = 1 / (1 + SCALE)
    outgrown = growth((at_edge / (N**-ALPHA * log(N) ** ALPHA)).subs(ALPHA, below_one))
    words = (
        f"comparison steps a path: {listed(steps)}, log|S|/log(2n/|S|) = {listed(predicted)}; "
        f"σ² must stay far below F(|S|) log log n / log n. At σ² = F(|S|), which regime 𝒜 as "
        f"defined still allows, d is {listed(edge)} times as large, and for α < 1 "
        f"(log n/log log n)·F(n) / F(|S|) → {written(outgrown)}"
    )
    ratio = steps / predicted
    return Finding(decided(bool(np.all((ratio > 0.6) & (ratio < 1.4)))), words)


def p7(
    n_power: Expr = -ALPHA,
    log_power: Expr = 2 * ALPHA,
    log_family_power: Expr = -ALPHA,
    leaf_power: Expr = -ALPHA,
) -> Claim:
    """P7: tree in regime 𝒜; arguments as for :func:`p5` and :func:`tree_order`."""
    closed = Closed("P7", "tree", "A", n_power, log_power, log_family_power=log_family_power)
    condition = Check("how small σ² must be", "Monte Carlo", _noise_condition, full=LARGER)
    of_order = readings(
        closed,
        Check("attained, derived", "symbolic", partial(_tree_bound, closed), lemma="L3"),
        tree_order(leaf_power),
        "covering every cell costs a factor (log n)^α, which the mean does not need: the nearest "
        "leaf will do",
    )
    return Claim(
        id="P7",
        statement=statement(closed, "Mean path distance of a tree, few labels"),
        latex=r"\mathbb E[d] \asymp I(\log n)^{2\alpha}/n^{\alpha}",
        source=PAPER,
        assumptions=(
            WORLD,
            "|S| = n/log n leaves drawn independently (M log M leaves for M = n/log² n cells)",
            "σ² far below F(|S|) log log n / log n, which is less than regime 𝒜 as defined allows",
        ),
        readings=(
            replace(of_order[0], checks=(*of_order[0].checks, condition)),
            *of_order[1:],
        ),
        rests_on=("P1", "P3", "E4", "T0"),
    )
