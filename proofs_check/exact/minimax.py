"""Claim E3: with many labels exact inference attains the classical minimax rate."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from sympy import Expr, Integer

from ibn.bias.ultrametric import Ultrametric
from ibn.proofs_check.asymptotics import (
    INSTANCES,
    Drift,
    Slope,
    gather,
    growth,
    limits_found,
    listed,
)
from ibn.proofs_check.claim import (
    FAILS,
    HOLDS,
    Check,
    Claim,
    Context,
    Finding,
    as_stated,
    decided,
)
from ibn.proofs_check.exact.freedom import (
    counting_freedom,
    noisy_at_least,
    noisy_at_most,
    noisy_bounds,
)
from ibn.proofs_check.measured import Noise, exact_curve
from ibn.proofs_check.rates.closed import WORLD, balanced, cells_at_least, name_of
from ibn.proofs_check.rates.many_labels import similar_sizes
from ibn.theory.rates import rate, symbols

N, ALPHA, SCALE, SIGMA2, _, _ = symbols()
ONE = Integer(1)
WORLDS = tuple(Ultrametric("power", alpha=alpha) for alpha in (0.3, 0.5, 1.0))
LABEL = Noise(fixed=1.0)
SCALES = (1 / 16, 1 / 4, 1.0, 4.0)  # I over σ², which F(n) must stay below
SCALED_N = 2**12
FIRST = 64


def _order(n_power: Expr, scale_power: Expr) -> Expr:
    return SCALE**scale_power * (SIGMA2 / N) ** -n_power


def _derived(claimed: Expr, context: Context) -> Finding:
    """Minimise F(M) + cσ²M/n: its terms are of one order at M*, and c moves no exponent."""
    found = balanced("E3", "power", claimed)
    known = growth(rate("chain", "power", "B", "exact").expression / claimed)
    if known != 1 and found.verdict == HOLDS:
        return Finding(FAILS, f"ibn.theory.rates / claimed → {known}")
    return Finding(
        found.verdict, f"{found.evidence}; ibn.theory.rates / claimed → {known}", found.data
    )


def _both_bounds(claimed: Expr, context: Context) -> Finding:
    bounds = noisy_bounds(cells_at_least("E3", "power"))
    at = {
        f"{name}, α = {alpha}": bound.subs(ALPHA, alpha) / claimed.subs(ALPHA, alpha)
        for alpha in INSTANCES
        for name, bound in bounds.items()
    }
    lead = (
        "for every n, proved in proofs_check.exact.freedom, the lower bound for every dataset, the "
        "upper one for a chain"
    )
    return limits_found(at, ONE, lead)


Bound = Callable[[Ultrametric, float, float], float]
Bounds = tuple[Bound, Bound]


def _measured(
    n_power: Expr, bounds: Bounds, worlds: tuple[Ultrametric, ...], context: Context
) -> Finding:
    """Measure a chain at fixed σ², between its bounds at every n, and read the exponent off."""
    found = {}
    for world in worlds:
        numbers = similar_sizes(world, 1.0 + world.alpha, FIRST)
        curve = exact_curve(context, "chain", world, numbers, noise=LABEL)
        power = float(n_power.subs(ALPHA, world.alpha))
        path = -world.alpha / (2.0 + world.alpha)
        drift = Drift.of(curve, curve.n**power)
        by_path = Slope.of(np.log(curve.n), curve, curve.n**path, 4.0)
        low, high = (np.array([bound(world, float(n), 1.0) for n in curve.n]) for bound in bounds)
        wide = 4.0 * curve.stderr
        inside = np.all(low <= high) and np.all(curve.mean + wide >= low)
        inside = inside and np.all(curve.mean - wide <= high)
        excluded = abs(by_path.value) > by_path.margin
        verdict = drift.judge() if inside and excluded else FAILS
        exponent = power + drift.n.value
        words = (
            f"exponent {exponent:.3f} ± {drift.n.error:.3f} (lower-order terms "
            f"±{drift.n.allowance:.3f}), claimed {power:.3f}, the path's {path:.3f} "
            f"{'excluded' if excluded else 'not excluded'}; {drift.words()}; over the lower bound "
            f"{listed(curve.mean / low)}, over the upper {listed(curve.mean / high)}"
        )
        data = {"exponent": [exponent - drift.n.margin, exponent + drift.n.margin], "path": path}
        found[name_of(world)] = Finding(verdict, words, drift.data(power) | data)
    return gather(found)


def _scaled(scale_power: Expr, context: Context) -> Finding:
    """Measure how the variance grows with I at one n and σ² = 1."""
    found = {}
    for alpha in (0.5, 1.0):
        claimed = float(scale_power.subs(ALPHA, alpha))
        worlds = [Ultrametric("power", alpha=alpha, scale=scale) for scale in SCALES]
        curves = [
            exact_curve(context, "chain", world, (SCALED_N,), noise=LABEL) for world in worlds
        ]
        means = np.array([float(curve.mean[0]) for curve in curves])
        errors = np.array([float(curve.stderr[0]) for curve in curves]) / means
        x = np.log(SCALES)
        weight = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
        slope, error = float(weight @ np.log(means)), 4.5 * float(np.hypot.reduce(weight * errors))
        # Cells come in powers of B: up to a tenth of the doubling from one to the next.
        off = abs(slope - claimed)
        words = (
            f"E[R] = {listed(means)} at I = {listed(SCALES)}, n = {SCALED_N}: exponent of I "
            f"{slope:.3f} ± {error:.3f}, claimed {claimed:.3f}, within {WOBBLE:g}"
        )
        found[f"α = {alpha:g}"] = Finding(decided(off <= error + WOBBLE), words)
    return gather(found)


WOBBLE = 0.04


def e3(
    n_power: Expr = -ALPHA / (1 + ALPHA),
    scale_power: Expr = 1 / (1 + ALPHA),
    freedom: float = 1.0,
    bounds: Bounds = (noisy_at_least, noisy_at_most),
) -> Claim:
    """E3: the minimax rate.

    Parameters
    ----------
    n_power, scale_power : sympy.Expr
        Powers of n/σ² and of I.
    freedom : float
        Share of the bound on spent freedom that is claimed.
    bounds : pair of callable
        Lower and upper bound on the mean, of a world, n and σ².
    """
    order = _order(n_power, scale_power)
    return Claim(
        id="E3",
        statement=(
            "With many labels and exact inference, F ~ I·M^(-α), the mean posterior variance is of "
            "the order of min over M of F(M) + cσ²M/n, that is I^(1/(1+α)) (σ²/n)^(α/(1+α)), the "
            "classical minimax rate, and not that of paths, whose exponent is α/(2+α)"
        ),
        latex=(
            r"\mathbb E[R]\asymp\min_M\{F(M)+c\,\sigma^2M/n\}\asymp I^{1/(1+\alpha)}"
            r"(\sigma^2/n)^{\alpha/(1+\alpha)}"
        ),
        source="this project (Stone 1982 with α = 2s/d)",
        assumptions=(
            WORLD,
            "σ² fixed as n grows (I = σ² = 1 in what is measured); the bounds' quotient grows with "
            "I/σ²",
            "the lower bound is for every dataset of n comparisons, the upper one and what is "
            "measured for the chain",
            "Gaussian labels. Logistic ones of inverse temperature β lie between σ² = 3/β² and "
            "π²/(3β²) (E2) and have the same order; binary ones carry at most β²/4, so the lower "
            "bound is theirs with σ² = 4/β²",
        ),
        readings=as_stated(
            Check("least of the objective", "symbolic", partial(_derived, order)),
            Check("orders of the bounds", "symbolic", partial(_both_bounds, order)),
            counting_freedom(freedom),
            Check(
                "measured, between its bounds",
                "Monte Carlo",
                partial(_measured, n_power, bounds, WORLDS),
            ),
            Check("in I, measured", "Monte Carlo", partial(_scaled, scale_power)),
            why="proved bounds on both sides have this order; the lower one is for every dataset, "
            "the upper one for the chain",
        ),
        rests_on=("E1", "T0"),
    )
