"""M1: what one label says about a reward difference."""

from __future__ import annotations

from functools import partial

import numpy as np
import sympy as sp
from scipy.stats import beta as beta_distribution

from ibn.estimate import Estimate
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise, simulate_labels
from ibn.proofs_check.claim import (
    CHECK_ERROR,
    FAILS,
    HOLDS,
    UNDECIDED,
    Check,
    Claim,
    Context,
    Finding,
    Reading,
    decided,
)

X, D = sp.symbols("x d", real=True)
BETA = sp.Symbol("beta", positive=True)

DIFFERENCES = (-1.0, -0.25, 0.0, 0.5, 2.0)
LABELS = {"quick": 100_000, "full": 4_000_000}
LABEL_BETA = 1.5
PROBE = 1e-20


def _logistic(x: sp.Expr, location: sp.Expr, scale: sp.Expr) -> sp.Expr:
    """Density of Logistic(location, scale) at x."""
    z = (x - location) / scale
    return sp.exp(-z) / (scale * (1 + sp.exp(-z)) ** 2)


def _sigmoid(x: sp.Expr) -> sp.Expr:
    return 1 / (1 + sp.exp(-x))


def _is_zero(expression: sp.Expr) -> bool:
    """Decide whether an expression vanishes identically; one point suffices to deny it."""
    point = {X: sp.Rational(3, 7), D: sp.Rational(-2, 5), BETA: sp.Rational(5, 4)}
    if abs(expression.subs(point).evalf(30)) > PROBE:
        return False
    return bool(sp.simplify(sp.expand(sp.simplify(expression.rewrite(sp.exp)))) == 0)


def _told(number: sp.Expr) -> str:
    return f"{str(number).replace('pi**2', 'π²')} ≈ {float(number):.6f}"


def m1(variance: str = "pi**2/3", scale: str = "1", slope: str = "1") -> Claim:
    """Build claim M1.

    Parameters
    ----------
    variance : str
        Asserted variance of the posterior, times β².
    scale : str
        Asserted scale of the posterior, times β.
    slope : str
        Asserted slope of P(δ > 0) in β (r(a) - r(b)).
    """
    asserted, spread, steepness = (sp.sympify(text) for text in (variance, scale, slope))
    labels = partial(_labels, asserted, steepness)
    return Claim(
        id="M1",
        statement="One label δ says that a is preferred with the Bradley-Terry probability, and "
        "makes the posterior of r(a) - r(b) under a flat prior Logistic(δ, 1/β), of variance "
        "π²/(3β²)",
        latex=r"P(\delta > 0) = \sigma\bigl(\beta (r_H(a) - r_H(b))\bigr), \qquad r(a) - r(b) "
        r"\mid \delta \sim \mathrm{Logistic}(\delta, 1/\beta), \qquad "
        r"\mathrm{Var} = \frac{\pi^2}{3 \beta^2}",
        source="paper: labels as logistic evidence, and their additive variances",
        assumptions=(
            "the label is the continuous δ, not its sign alone",
            "the prior of r(a) - r(b) is flat (improper): the inductive bias says nothing of it",
        ),
        readings=(
            Reading(
                "the label is the continuous δ",
                (
                    Check("P(δ > 0)", "symbolic", partial(_bradley_terry, steepness)),
                    Check("posterior under a flat prior", "symbolic", partial(_posterior, spread)),
                    Check(
                        "variance of the posterior", "symbolic", partial(_second_moment, asserted)
                    ),
                    Check(
                        "labels as the library simulates them",
                        "Monte Carlo",
                        labels,
                        full="4,000,000 labels at each difference, not 100,000",
                    ),
                    Check(
                        "variance as the library takes it",
                        "exhaustive",
                        partial(_constant, asserted),
                    ),
                ),
                r"\mathrm{Var}[r(a) - r(b) \mid \delta] = \frac{\pi^2}{3\beta^2}",
                "the likelihood of a continuous label, normalised over r(a) − r(b), is the "
                "logistic "
                "density about δ",
            ),
            Reading(
                "the label is the sign of δ alone",
                (Check("posterior of the sign alone", "symbolic", _sign_alone),),
                r"p(r(a) - r(b) \mid \delta > 0) \propto \sigma\bigl(\beta(r(a) - r(b))\bigr),"
                r"\quad \text{improper}",
                "under a flat prior a sign leaves a posterior of infinite mass, so that it has no "
                "variance",
                counts=False,
            ),
        ),
    )


def _bradley_terry(steepness: sp.Expr, context: Context) -> Finding:
    density = _logistic(X, D, 1 / BETA)
    distribution = _sigmoid(BETA * (X - D))
    is_distribution = (
        _is_zero(sp.diff(distribution, X) - density)
        and sp.limit(distribution, X, -sp.oo) == 0
        and sp.limit(distribution, X, sp.oo) == 1
    )
    probability = 1 - distribution.subs(X, 0)
    gap = probability - _sigmoid(steepness * BETA * D)
    if is_distribution and _is_zero(gap):
        return Finding(
            HOLDS,
            "1/(1 + exp(-β(x - d))) is the distribution function of δ; one minus its value "
            "at 0 is σ(βd), identically in β and d",
        )
    at = {BETA: 1, D: 1}
    told = f"P(δ > 0) = {float(probability.subs(at)):.6f}"
    return Finding(
        FAILS,
        f"at β = d = 1, {told}, and not {float(_sigmoid(steepness)):.6f}",
        {"gap": float(gap.subs(at))},
    )


def _posterior(spread: sp.Expr, context: Context) -> Finding:
    # Seen as a function of d at a given label x; a flat prior leaves only its integral.
    likelihood = _logistic(X, D, 1 / BETA)
    antiderivative = _sigmoid(BETA * (D - X))
    normalised = (
        _is_zero(sp.diff(antiderivative, D) - likelihood)
        and sp.limit(antiderivative, D, sp.oo) - sp.limit(antiderivative, D, -sp.oo) == 1
    )
    gap = likelihood - _logistic(D, X, spread / BETA)
    if normalised and _is_zero(gap):
        return Finding(
            HOLDS,
            "the likelihood integrates to 1 over d, and is the density of Logistic(δ, 1/β) "
            "at d identically in β, δ and d",
        )
    at = {BETA: 1, D: 0, X: 0}
    told = float(likelihood.subs(at)), float(_logistic(sp.S(0), sp.S(0), spread))
    return Finding(
        FAILS,
        f"at β = 1 and d = δ the posterior density is {told[0]:.6f}, and not {told[1]:.6f}",
        {"gap": float(gap.subs(at))},
    )


def _second_moment(asserted: sp.Expr, context: Context) -> Finding:
    # An antiderivative of x² s(x), s the standard logistic density, that vanishes at -∞.
    antiderivative = (
        X**2 * _sigmoid(X) - 2 * X * sp.log(1 + sp.exp(X)) - 2 * sp.polylog(2, -sp.exp(X))
    )
    derivative = sp.expand_func(sp.diff(antiderivative, X))
    checked = _is_zero(derivative - X**2 * _logistic(X, sp.S(0), sp.S(1)))
    start = [
        sp.limit(X**2 * _sigmoid(X), X, -sp.oo),
        sp.limit(X * sp.log(1 + sp.exp(X)), X, -sp.oo),
        sp.polylog(2, sp.S(0)),  # continuous at 0
    ]
    checked = checked and not any(start)
    exact = sp.simplify(2 * sp.expand_func(antiderivative.subs(X, 0)))  # s is even
    holds = checked and sp.simplify(exact - asserted) == 0
    return Finding(
        decided(holds),
        f"∫ x² s(x) dx = {_told(exact)}, from an antiderivative in the dilogarithm, "
        f"differentiated back; asserted {_told(asserted)}",
        {"exact": float(exact), "asserted": float(asserted)},
    )


def _sign_alone(context: Context) -> Finding:
    # Given only δ > 0 a flat prior's posterior is ∝ σ(βd).
    antiderivative = sp.log(1 + sp.exp(BETA * D)) / BETA
    checked = _is_zero(sp.diff(antiderivative, D) - _sigmoid(BETA * D))
    mass = sp.limit(antiderivative, D, sp.oo)
    improper = checked and mass == sp.oo
    return Finding(
        FAILS if improper else UNDECIDED,
        "given the sign of δ alone the flat prior's posterior ∝ σ(βd) has infinite mass, so "
        "that π²/(3β²) says nothing of a binary label: it needs a proper prior",
    )


def _labels(asserted: sp.Expr, steepness: sp.Expr, context: Context) -> Finding:
    rng = context.rng("M1 labels")
    count = LABELS[context.profile]
    level = 1.0 - CHECK_ERROR / (2 * len(DIFFERENCES))
    tail = (1.0 - level) / 2.0
    pairs = Comparisons(np.arange(2), np.zeros(count, int), np.ones(count, int))
    found, good = [], True
    for difference in DIFFERENCES:
        rewards = np.array([difference, 0.0])
        delta = simulate_labels(pairs, rewards, LABEL_BETA, rng).delta
        assert delta is not None
        wins = int(np.count_nonzero(delta > 0))
        low = beta_distribution.ppf(tail, wins, count - wins + 1)
        high = beta_distribution.isf(tail, wins + 1, count - wins)
        expected = 1.0 / (1.0 + np.exp(-float(steepness) * LABEL_BETA * difference))
        squares = Estimate.of((LABEL_BETA * (delta - difference)) ** 2)
        least, most = squares.interval(level)
        good &= low <= expected <= high and least <= float(asserted) <= most
        found.append([difference, float(low), float(high), least, most])
    told = "; ".join(f"d = {d:g}: [{lo:.4f}, {hi:.4f}]" for d, lo, hi, _, _ in found)
    spread_told = f"[{max(row[3] for row in found):.4f}, {min(row[4] for row in found):.4f}]"
    return Finding(
        decided(good),
        f"{count} simulated labels at each of {len(found)} differences, β = {LABEL_BETA}: "
        f"P(δ > 0) within {told}; variance times β² within {spread_told}",
        {"rows": found},
    )


def _constant(asserted: sp.Expr, context: Context) -> Finding:
    used = LabelNoise(LABEL_BETA).variance() * LABEL_BETA**2
    good = abs(used - float(asserted)) <= 1e-12 * used
    return Finding(decided(good), f"the library takes σ²β² = {used:.12f}", {"used": used})
