"""Orders of growth: decided by a limit, and measured as the drift of a quotient.

A claimed order is right if measured / claimed settles to a constant. Over a finite range of n it
still moves by lower-order terms, taken here to be at most a factor 1 + c/log n with
|c| ≤ ``LOWER_ORDER``: what such a factor does to a slope is the slope's *allowance*. A drift
beyond its allowance and its statistical error refutes the order; a drift within them does not
prove it, but says which exponents of n and of log n the data admit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from sympy import (
    Expr,
    Integer,
    Rational,
    Symbol,
    exp,
    expand_log,
    expand_power_base,
    latex,
    limit,
    oo,
    powdenest,
    powsimp,
    simplify,
)

from ibn.proofs_check.claim import CHECK_ERROR, FAILS, HOLDS, UNDECIDED, Finding, worst
from ibn.theory.rates import symbols

LOWER_ORDER = 4.0
LEAST_DECADES = 3.0
SIGNS = {"alpha": "α", "beta": "β", "gamma": "Γ", "pi": "π", "sqrt": "√", "oo": "∞", "theta": "θ"}
RESOLUTION = 0.1  # an exponent of n that is off by this much must show


INSTANCES = (Rational(1, 20), Rational(1, 2), Integer(1), Integer(2))


@cache
def growth(quotient: Expr) -> Expr:
    """Limit of a positive expression as n → ∞, the other symbols fixed and positive.

    Parameters
    ----------
    quotient : sympy.Expr
        In ``ibn.theory.rates.symbols``.

    Returns
    -------
    sympy.Expr
        0, infinity or the positive limit.
    """
    log_n = Symbol("L", positive=True)  # n = e^L turns powers of log n into powers
    rewritten = quotient.subs(symbols().n, exp(log_n))
    rewritten = powdenest(expand_power_base(rewritten, force=True), force=True)
    rewritten = simplify(powsimp(expand_log(rewritten, force=True), force=True))
    try:
        return limit(rewritten, log_n, oo)
    except NotImplementedError:
        # The limit depends on α, so an order claimed for every α is refuted by one of them.
        for alpha in INSTANCES:
            value = limit(rewritten.subs(symbols().alpha, alpha), log_n, oo)
            if not same_order(value):
                return value
        raise


def same_order(value: Expr) -> bool:
    """Whether a limit of a quotient says that numerator and denominator have the same order."""
    return bool(value.is_finite and value.is_positive)


@dataclass(frozen=True, eq=False)
class Curve:
    """A mean measured at several n.

    Attributes
    ----------
    n : ndarray, shape (k,)
        Numbers of comparisons, increasing.
    mean, stderr : ndarray, shape (k,)
        What was measured, and its standard error.
    """

    n: NDArray[np.float64]
    mean: NDArray[np.float64]
    stderr: NDArray[np.float64]

    @property
    def decades(self) -> float:
        """Decades of n that it spans."""
        return float(np.log10(self.n[-1] / self.n[0]))

    def __truediv__(self, other: Curve) -> Curve:
        """Quotient of independent curves over the same n."""
        ratio = self.mean / other.mean
        relative = np.hypot(self.stderr / self.mean, other.stderr / other.mean)
        return Curve(self.n, ratio, ratio * relative)


@dataclass(frozen=True)
class Slope:
    """Least-squares slope of log(measured / claimed) against log n or log log n.

    Attributes
    ----------
    value : float
        The slope.
    error : float
        Half-width of its interval at level 1 - ``CHECK_ERROR``.
    allowance : float
        What a lower-order factor could do to it.
    """

    value: float
    error: float
    allowance: float

    @classmethod
    def of(
        cls,
        x: NDArray[np.float64],
        curve: Curve,
        claimed: NDArray[np.float64],
        lower_order: float,
    ) -> Slope:
        """Fit the slope of log(curve / claimed) against x."""
        weight = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
        spread = np.sum((weight * curve.stderr / curve.mean) ** 2)
        factor = np.log1p(lower_order / np.log(curve.n))
        return cls(
            float(weight @ np.log(curve.mean / claimed)),
            float(ndtri(1.0 - CHECK_ERROR / 2) * np.sqrt(spread)),
            float(abs(weight @ factor)),
        )

    @property
    def margin(self) -> float:
        """Statistical error and allowance together."""
        return self.error + self.allowance


@dataclass(frozen=True)
class Drift:
    """How log(measured / claimed) moves with n.

    Attributes
    ----------
    n, log_n : Slope
        Against log n, and against log log n.
    decades : float
        Decades of n behind it.
    first, last : float
        Measured / claimed at the two ends.
    """

    n: Slope
    log_n: Slope
    decades: float
    first: float
    last: float

    @classmethod
    def of(cls, curve: Curve, claimed: ArrayLike, curves: int = 1) -> Drift:
        """Measure the drift of a curve against a claimed order, up to its constant.

        Parameters
        ----------
        curve : Curve
            What was measured.
        claimed : array_like, shape (k,)
            The claimed order at the curve's n.
        curves : int
            How many rates the claim puts together, each with lower-order terms of its own.
        """
        order = np.broadcast_to(np.asarray(claimed, dtype=float), curve.mean.shape)
        log_n = np.log(curve.n)
        margin = curves * LOWER_ORDER
        first = Slope.of(log_n, curve, order, margin)
        second = Slope.of(np.log(log_n), curve, order, margin)
        ratio = curve.mean / order
        return cls(first, second, curve.decades, float(ratio[0]), float(ratio[-1]))

    def judge(self, *, above: bool = True, below: bool = True) -> str:
        """Verdict on an order: refuted where the drift leaves its margin on a side that counts.

        Parameters
        ----------
        above, below : bool
            Whether growth refutes the claim, and whether decay does: an upper bound stands
            though what it bounds decays.
        """
        slopes = (self.n, self.log_n)
        if above and any(slope.value > slope.margin for slope in slopes):
            return FAILS
        if below and any(slope.value < -slope.margin for slope in slopes):
            return FAILS
        if self.decades < LEAST_DECADES or self.n.margin > RESOLUTION:
            return UNDECIDED
        return HOLDS

    def words(self) -> str:
        """Say what the drift is, and what the range of n can tell."""
        return (
            f"measured/claimed {self.first:.3g} → {self.last:.3g} over {self.decades:.1f} decades, "
            f"slope {self.n.value:+.3f} ± {self.n.error:.3f} in log n, "
            f"{self.log_n.value:+.2f} ± {self.log_n.error:.2f} in log log n "
            f"(lower-order terms may give ±{self.n.allowance:.3f}, ±{self.log_n.allowance:.2f})"
        )

    def data(self, n_power: float = 0.0, log_power: float = 0.0) -> dict[str, Any]:
        """Numbers for JSON: the powers of n and log n claimed, and what of them is left over.

        Left over is a slope's value, its error and its allowance; claimed plus left over is the
        power that was measured, the other being as claimed.
        """
        left = {
            name: [slope.value, slope.error, slope.allowance]
            for name, slope in (("n", self.n), ("log_n", self.log_n))
        }
        admitted = {
            name: [power + slope.value - slope.margin, power + slope.value + slope.margin]
            for name, power, slope in (
                ("n_power_admitted", n_power, self.n),
                ("log_power_admitted", log_power, self.log_n),
            )
        }
        ends = {"decades": self.decades, "first": self.first, "last": self.last}
        return {**ends, **admitted, "claimed": {"n": n_power, "log_n": log_power}, "left": left}


def gather(findings: Mapping[str, Finding]) -> Finding:
    """Put several findings of one check together."""
    verdict = worst(finding.verdict for finding in findings.values())
    parts = [
        f"{name}{'' if finding.verdict == HOLDS else f' [{finding.verdict}]'}: {finding.evidence}"
        for name, finding in findings.items()
    ]
    return Finding(verdict, "; ".join(parts), {k: dict(f.data) for k, f in findings.items()})


def written(expression: Expr) -> str:
    """Write an expression in one line, in the symbols of the theory."""
    text = str(expression).replace("**", "^").replace("sigma^2", "σ²").replace("*", "·")
    for name, sign in SIGNS.items():
        text = re.sub(rf"\b{name}\b", sign, text)
    return text


def tex(expression: Expr) -> str:
    """Set an expression in TeX, logarithms as they are written by hand."""
    text = latex(expression)
    inner = r"\\log\{\\left\((n|\\log n) \\right\)\}"
    while re.search(inner, text):
        text = re.sub(
            inner + r"\^\{([^{}]*|[^{}]*\\frac\{[^{}]*\}\{[^{}]*\})\}", r"(\\log \1)^{\2}", text
        )
        text = re.sub(inner, r"\\log \1", text)
    return text.replace("{- ", "{-")


def limits_found(limits: Mapping[str, Expr], rate: Expr, lead: str) -> Finding:
    """Find whether quotients by a rate all have positive limits, so that it is the order.

    Parameters
    ----------
    limits : mapping of str to sympy.Expr
        Expressions in n, by what they are.
    rate : sympy.Expr
        The claimed order.
    lead : str
        What the limits show if all are positive and finite.
    """
    found = {name: growth(expression / rate) for name, expression in limits.items()}
    wrong = [name for name, value in found.items() if not same_order(value)]
    words = ", ".join(f"({name})/rate → {written(value)}" for name, value in found.items())
    data = {name: str(value) for name, value in found.items()}
    if wrong:
        return Finding(
            FAILS, f"{words}: {wrong[0]} is not of the claimed order {written(rate)}", data
        )
    return Finding(HOLDS, f"{lead}: {words}", data)


def agree(values: Sequence[float], target: float, tolerance: float) -> bool:
    """Whether all values lie within a relative tolerance of a target."""
    return bool(np.all(np.abs(np.asarray(values) / target - 1.0) <= tolerance))


def listed(values: Iterable[float]) -> str:
    """Write numbers in a row, to three digits."""
    return ", ".join(f"{value:.3g}" for value in values)
