"""Numbers and rates as people write them, for figures and for pages."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import Any, ClassVar

from sympy import Expr, Integer, fraction
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter


class _Setter(StrPrinter):
    """Sets an expression on one line, one quotient for a product, ``log`` without parentheses."""

    names: ClassVar[dict[str, str]]
    log: str
    power: str
    space: str

    def _print_Symbol(self, symbol: Any) -> str:
        return self.names[symbol.name]

    def _print_log(self, call: Any) -> str:
        (argument,) = call.args
        inner = self._print(argument)
        if argument.is_Add or argument.is_Mul:
            inner = f"({inner})"
        return self.log + inner

    def _print_Pow(self, power: Any, rational: bool = False) -> str:
        over, under = fraction(power)
        if under != 1:
            return self._quotient(over, under)
        if power.exp == Integer(1) / 2:
            return "√" + self.parenthesize(power.base, PRECEDENCE["Pow"])
        base = self._print(power.base)
        return self.power.format(
            base if power.base.is_Symbol else f"({base})", self._print(power.exp)
        )

    def _print_Mul(self, product: Any) -> str:
        over, under = fraction(product)
        if under != 1:
            return self._quotient(over, under)
        number, rest = product.as_coeff_Mul()
        # Logarithms last, where they are read as corrections.
        factors = sorted(rest.as_ordered_factors(), key=lambda f: "log" in str(f))
        text = self.space.join(self.parenthesize(f, PRECEDENCE["Mul"]) for f in factors)
        return {1: "", -1: "−"}.get(number, self._print(number)) + text

    def _print_Add(self, total: Any, order: Any = None) -> str:
        # Numbers first: 1 + α rather than α + 1.
        terms = sorted(total.args, key=lambda term: not term.is_Number)
        return "+".join(map(self._print, terms)).replace("+−", "−")

    def _quotient(self, over: Expr, under: Expr) -> str:
        above, below = self._print(over), self._print(under)
        above = f"({above})" if over.is_Add else above
        below = f"({below})" if under.is_Add or under.is_Mul else below
        return f"{above}/{below}"


class _Html(_Setter):
    names: ClassVar = {
        "I": "<i>I</i>",
        "n": "<i>n</i>",
        "M": "<i>M</i>",
        "S": "|<i>S</i>|",
        "alpha": "<i>α</i>",
        "sigma^2": "<i>σ</i>²",
    }
    log = "log&nbsp;"
    power = "{}<sup>{}</sup>"
    space = "&thinsp;"


class _Tex(_Setter):
    names: ClassVar = {
        "I": "I",
        "n": "n",
        "M": "M",
        "S": "|S|",
        "alpha": r"\alpha",
        "sigma^2": r"\sigma^2",
    }
    log = r"\log\,"
    power = "{}^{{{}}}"
    space = r"\,"


def html(expression: Expr) -> str:
    """Set an expression of :mod:`ibn.theory.rates` as HTML."""
    return _Html().doprint(expression)


def tex(expression: Expr) -> str:
    """Set an expression of :mod:`ibn.theory.rates` as TeX that matplotlib reads."""
    return _Tex().doprint(expression)


def plus_minus(value: float, error: float) -> str:
    """Write a value with its error, to two digits of the error: ``0.4710 ± 0.0012``.

    NaN or infinity stands for the error of a single dataset, which tells nothing of others.
    """
    if not isfinite(error):
        return f"{value:.4g} (one dataset)"
    if not error > 0:
        return f"{value:.4g} ± {error:g}"
    digits = max(0, 1 - floor(log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def significant(value: float) -> str:
    """Write a number to three significant digits: ``1.40``."""
    return f"{value:#.3g}".rstrip(".")


def scientific(value: float) -> str:
    """Write a positive number to two digits, with a power of ten where it is far from one."""
    mantissa, exponent = f"{value:.1e}".split("e")
    if abs(int(exponent)) <= 3:
        return f"{value:.2g}"
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    return f"{mantissa}×10{str(int(exponent)).translate(raised)}"
