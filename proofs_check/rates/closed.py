"""The closed rates of the table, each derived from the minimisation stated beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Integer, diff, exp, lambdify, limit, log, oo, sqrt

from ibn.bias.ultrametric import FAMILIES, Ultrametric
from ibn.proofs_check.asymptotics import (
    Curve,
    Drift,
    gather,
    growth,
    limits_found,
    same_order,
    written,
)
from ibn.proofs_check.claim import FAILS, HOLDS, Check, Context, Finding, decided
from ibn.theory.rates import (
    Rate,
    claimed,
    lower_bound,
    minimise,
    objective,
    rate,
    structural_function,
    symbols,
)

N, ALPHA, SCALE, SIGMA2, S, CELLS = symbols()
ZERO, ONE = Integer(0), Integer(1)
PAPER = "paper (Theorem 4.5 and Table 2: rates of the mean inference distance)"

POWER = tuple(Ultrametric("power", alpha=alpha) for alpha in (0.3, 0.5, 1.0))
LOGARITHMIC = Ultrametric("logarithmic", alpha=1.0)
SUBLOGARITHMIC = Ultrametric("sub-logarithmic")
SLOW = (LOGARITHMIC, SUBLOGARITHMIC)
WORLDS = (*POWER, *SLOW)
SLOWER = FAMILIES[1:]

WORLD = "the ultrametric world (see Notation), whose structural function is known"
COMBINED = (
    "k comparisons of the same two cells (or leaves) count as one of variance σ²/k (P2): by the "
    "definition of the inference distance itself, parallel comparisons do not combine"
)


@dataclass(frozen=True)
class Closed:
    """A row of the table: the closed rates of one topology in one regime.

    Attributes
    ----------
    claim : str
        Id of the claim.
    topology, regime : str
        Which cell of the table.
    n_power, log_power, loglog_power, scale_power : sympy.Expr
        Powers of n, log n, log log n and I in the power family; in regime ℬ n comes as n/σ².
    log_family_power : sympy.Expr
        Power of log n in the logarithmic family. The third family's rate is F(√n).
    """

    claim: str
    topology: str
    regime: str
    n_power: Expr
    log_power: Expr = ZERO
    loglog_power: Expr = ZERO
    scale_power: Expr = ONE
    log_family_power: Expr = -ALPHA

    def expression(self, family: str) -> Expr:
        """Return the rate of a family, in the symbols of ``ibn.theory.rates``."""
        if family == "logarithmic":
            return SCALE * log(N) ** self.log_family_power
        if family == "sub-logarithmic":
            return structural_function(family).subs(CELLS, sqrt(N))
        labels = N if self.regime == "A" else N / SIGMA2
        powers = log(N) ** self.log_power * log(log(N)) ** self.loglog_power
        return SCALE**self.scale_power * labels**self.n_power * powers

    def at(self, curve: Curve, world: Ultrametric, sigma2: float = 1.0) -> NDArray[np.float64]:
        """Evaluate the rate at a curve's n.

        In the slower families the world's own F(√n) stands for (log n)^(-α): they differ by a
        factor that tends to 2^α, known exactly and far from its limit.
        """
        if world.family != "power":
            power = float((-self.log_family_power / ALPHA).subs(ALPHA, world.alpha))
            slow = world.structural_function(np.sqrt(curve.n)) / world.scale
            return world.scale * slow ** (power if world.family == "logarithmic" else 1.0)
        expression = self.expression(world.family)
        return Rate(self.claim, expression, "order", "").evaluate(
            curve.n, world.alpha, world.scale, sigma2
        )

    def powers(self, world: Ultrametric) -> tuple[float, float]:
        """Return the claimed powers of n and of log n in a world."""
        powers = {
            "power": (self.n_power, self.log_power),
            "logarithmic": (ZERO, self.log_family_power),
            "sub-logarithmic": (ZERO, ZERO),
        }[world.family]
        n_power, log_power = (float(power.subs(ALPHA, world.alpha)) for power in powers)
        return n_power, log_power

    def drift(self, curve: Curve, world: Ultrametric, sigma2: float = 1.0) -> Drift:
        """Drift of a measured curve against the rate."""
        return Drift.of(curve, self.at(curve, world, sigma2))


def name_of(world: Ultrametric) -> str:
    """Name a world in a few characters."""
    return world.family + ("" if world.family == "sub-logarithmic" else f" α={world.alpha:g}")


def cells_at_least(claim: str, family: str) -> Expr:
    """Where the two terms of an objective F(M) + cost(M) have the same order."""
    by_claim = {
        ("P6", "power"): (SCALE * N / SIGMA2) ** (1 / (2 + ALPHA)),
        ("P6", "logarithmic"): sqrt(N) / log(N) ** (ALPHA / 2),
        ("P6", "sub-logarithmic"): sqrt(N / log(log(N))),
        ("P8", "power"): (SCALE * N / (SIGMA2 * log(N) ** 2)) ** (1 / (2 + ALPHA)),
        ("P8", "logarithmic"): sqrt(N) / log(N) ** (1 + ALPHA / 2),
        ("P8", "sub-logarithmic"): sqrt(N / log(log(N))) / log(N),
        ("E3", "power"): (SCALE * N / SIGMA2) ** (1 / (1 + ALPHA)),
    }
    return by_claim[claim, family]


def balanced(claim: str, family: str, expression: Expr) -> Finding:
    """Decide whether a rate is the order of the least of F(M) + cost(M).

    F decreases and the cost increases with M, so at any M* the least lies between
    min(F, cost)(M*) and (F + cost)(M*): if both terms are of the order of the rate there, so is
    the least. The numerical least is held against the same two bounds.
    """
    given = objective(claim, family).expression
    fall = structural_function(family)
    rise = given - fall
    at = cells_at_least(claim, family)
    terms = {"F(M*)": fall.subs(CELLS, at), "cost(M*)": rise.subs(CELLS, at)}
    found = limits_found(
        terms, expression, f"the least lies between its terms at M* = {written(at)}"
    )
    if found.verdict != HOLDS:
        return found
    alpha, scale, sigma2 = 0.5, 2.0, 0.7
    values = [
        lambdify((N, ALPHA, SCALE, SIGMA2), term)(n, alpha, scale, sigma2)
        for term in terms.values()
        for n in (1e12, 1e60)
    ]
    terms_at = np.array(values, float).reshape(2, 2)
    least = minimise(objective(claim, family), [1e12, 1e60], alpha, scale, sigma2).value
    within = (terms_at.min(axis=0) <= least) & (least <= terms_at.sum(axis=0))
    if not within.all():
        return Finding(FAILS, f"numerical least {least} outside its bounds {terms_at}")
    return found


def _least_of_p5(family: str, expression: Expr) -> Finding:
    """Decide P5's minimisation over 2 ≤ M ≤ n/log n, at least one hop a path.

    Power family: up to M = √n there is one hop and F(M) ≥ F(√n), far above the rate. Beyond, the
    slope of log(F(M) log M / log(n/M)) in log M is convex, so that it is negative throughout if
    it is so at both ends, and the least is at M = n/log n. Other families: F(n/log n) ≤ least ≤
    F(√n).
    """
    F = structural_function(family)
    end = N / log(N)
    if family != "power":
        bounds = {"F(n/log n)": F.subs(CELLS, end), "F(√n)": F.subs(CELLS, sqrt(N))}
        return limits_found(bounds, expression, "the least lies between F(n/log n) and F(√n)")
    many_hops = F * log(CELLS) / log(N / CELLS)
    slope = CELLS * diff(log(many_hops), CELLS)
    log_n = symbols().cells  # any positive symbol
    ends = [limit(slope.subs(CELLS, at).subs(N, exp(log_n)), log_n, oo) for at in (sqrt(N), end)]
    few_cells = growth(F.subs(CELLS, sqrt(N)) / expression)
    if any(not value.is_negative for value in ends) or few_cells != oo:
        return Finding(FAILS, f"the least is not at M = n/log n: slopes {ends}, F(√n) {few_cells}")
    return limits_found(
        {"objective(n/log n)": many_hops.subs(CELLS, end)},
        expression,
        f"the least is at M = n/log n (slope in log M → {written(ends[1])} at both ends)",
    )


def _least_of_p7(family: str, expression: Expr) -> Finding:
    """Decide P7: F at M = n/log² n, the most cells for which n ≥ |S| log |S|, |S| = M log M."""
    cells = N / log(N) ** 2
    leaves = cells * log(cells)
    budget = growth(leaves * log(leaves) / N)
    if not same_order(budget):
        return Finding(FAILS, f"|S| log |S| / n → {budget}: M = n/log² n does not spend n")
    return limits_found(
        {"F(n/log² n)": structural_function(family).subs(CELLS, cells)},
        expression,
        f"with |S| = M log M, |S| log |S| / n → {budget}",
    )


def derivation(closed: Closed) -> Check:
    """Check that a row's closed rates are the orders of its minimisation, in every family."""
    decide: dict[str, Callable[[str, Expr], Finding]] = {"P5": _least_of_p5, "P7": _least_of_p7}

    def run(context: Context) -> Finding:
        of_family = {}
        for family in FAMILIES:
            expression = closed.expression(family)
            if closed.claim in decide:
                of_family[family] = decide[closed.claim](family, expression)
            else:
                of_family[family] = balanced(closed.claim, family, expression)
        return gather(of_family)

    return Check("least of the objective", "symbolic", run)


def library(closed: Closed, lemma: str = "") -> Check:
    """Check that the library's table is the one claimed here, and marked as what it is.

    ``ibn.theory.rates.claimed`` must be the claimed expression, and its ``bound`` what the order in
    ``ibn.theory.rates.rate`` leaves of it: ``upper`` where rate/claimed → 0, ``order`` where it is
    positive.
    """

    def run(context: Context) -> Finding:
        words, right = [], True
        for family in FAMILIES:
            known = claimed(closed.topology, family, closed.regime)
            quotient = growth(known.expression / closed.expression(family))
            order = rate(closed.topology, family, closed.regime).expression.subs(S, N / log(N))
            left = growth(order / known.expression)
            right &= quotient == 1 and known.bound == _mark(left)
            words.append(
                f"{family} {written(quotient)}, its order over it → {written(left)}, marked as "
                f"{known.bound}"
            )
        told = "; ".join(words)
        return Finding(decided(right), f"ibn.theory.rates.claimed over the claim → {told}")

    return Check("the library's formula", "symbolic", run, lemma)


def _mark(quotient: Expr) -> str:
    """Say what an order leaves of a rate, given the limit of their quotient."""
    return "upper" if quotient == 0 else "lower" if quotient == oo else "order"


def attained_elsewhere(closed: Closed) -> Check:
    """Check that in the slower families the rate is also a lower bound: that of E4, F(2n)."""

    def run(context: Context) -> Finding:
        found = {
            family: growth(lower_bound(family).expression / closed.expression(family))
            for family in SLOWER
        }
        told = ", ".join(f"{family} {written(value)}" for family, value in found.items())
        holds = all(map(same_order, found.values()))
        return Finding(
            decided(holds), f"F(2n), which no dataset is below (E4), over the rate → {told}"
        )

    return Check("attained, slower families", "symbolic", run, lemma="L6")


def statement(closed: Closed, what: str) -> str:
    """Write the claim of a row in words."""
    return (
        f"{what}: E[d] is of the order of {written(closed.expression('power'))} where F ~ "
        f"I·M^(-α), "
        f"{written(closed.expression('logarithmic'))} where F ~ I·(log M)^(-α), F(√n) where F "
        "is slower"
    )
