"""The paper's rates for the mean inference distance of chain and tree (claims P5 to P9).

Each is decided twice: derived from the minimisation stated beside it, and measured.
"""

from __future__ import annotations

from collections.abc import Callable

from sympy import Integer, Rational, log

from ibn.proofs_check.claim import Claim
from ibn.proofs_check.rates.best_leaves import t5
from ibn.proofs_check.rates.few_labels import p5, p7
from ibn.proofs_check.rates.headline import p9
from ibn.proofs_check.rates.many_labels import p6, p8
from ibn.theory.rates import symbols

N, ALPHA, _, _, _, _ = symbols()
ZERO, ONE, TENTH = Integer(0), Integer(1), Rational(1, 10)

CLAIMS: tuple[Callable[[], Claim], ...] = (p5, p6, p7, p8, p9, t5)

# Wrong variants of the claims, each with the check that must notice it.
MUTANTS: dict[str, tuple[Callable[[], Claim], str]] = {
    "P5: exponent of n off by 0.1": (lambda: p5(n_power=-ALPHA - TENTH), "least of the objective"),
    "P5: exponent of n off by -0.1": (lambda: p5(n_power=-ALPHA + TENTH), "least of the objective"),
    "P5: a power of log n dropped": (lambda: p5(log_power=ALPHA), "least of the objective"),
    "P5: log log n dropped": (lambda: p5(loglog_power=ZERO), "least of the objective"),
    "P5: the tree's logarithm": (
        lambda: p5(log_power=2 * ALPHA, loglog_power=ZERO),
        "least of the objective",
    ),
    "P5: logarithmic family off by 0.1": (
        lambda: p5(log_family_power=-ALPHA - TENTH),
        "least of the objective",
    ),
    "P5: distance grows half as fast": (
        lambda: p5(pace=0.5),
        "the order it has: I n^(-α) log n",
    ),
    "P6: exponent of n off by 0.1": (
        lambda: p6(n_power=-ALPHA / (2 + ALPHA) - TENTH),
        "least of the objective",
    ),
    "P6: the tree's logarithm": (
        lambda: p6(log_power=2 * ALPHA / (2 + ALPHA)),
        "least of the objective",
    ),
    "P6: exponent of I off by 0.1": (
        lambda: p6(scale_power=2 / (2 + ALPHA) - TENTH),
        "the library's formula",
    ),
    "P6: a label costs four times as much": (
        lambda: p6(label_share=4.0),
        "small α, measured against its law",
    ),
    "P6: exact inference's exponent": (
        lambda: p6(n_power=-ALPHA / (1 + ALPHA)),
        "least of the objective",
    ),
    "P7: exponent of n off by 0.1": (lambda: p7(n_power=-ALPHA - TENTH), "least of the objective"),
    "P7: coupon collector's logarithm dropped": (
        lambda: p7(log_power=ALPHA),
        "least of the objective",
    ),
    "P7: the chain's logarithm": (lambda: p7(log_power=1 + ALPHA), "least of the objective"),
    "P7: logarithmic family off by 0.1": (
        lambda: p7(log_family_power=-ALPHA + TENTH),
        "least of the objective",
    ),
    "P7: the nearest leaf at |S|^(-2α)": (
        lambda: p7(leaf_power=-2 * ALPHA),
        "the order it has: F(|S|)",
    ),
    "P8: exponent of n off by 0.1": (
        lambda: p8(n_power=-ALPHA / (2 + ALPHA) + TENTH),
        "least of the objective",
    ),
    "P8: logarithm dropped": (lambda: p8(log_power=ZERO), "least of the objective"),
    "P8: logarithm off by 0.1": (
        lambda: p8(log_power=2 * ALPHA / (2 + ALPHA) + TENTH),
        "least of the objective",
    ),
    "P8: a label costs four times as much": (
        lambda: p8(label_share=2.0),
        "measured, comparisons combined",
    ),
    "P9: chain and tree swapped": (
        lambda: p9(log_power=ALPHA - 1, loglog_power=ONE),
        "quotient of the table, fixed α",
    ),
    "P9: power of log n off by 0.1": (
        lambda: p9(log_power=Rational(11, 10) - ALPHA),
        "quotient of the table, fixed α",
    ),
    "P9: ratio linear in log n": (
        lambda: p9(log_power=2 - ALPHA),
        "quotient of the table, fixed α",
    ),
    "P9: no logarithm in regime ℬ": (
        lambda: p9(noisy_log_power=Rational(0)),
        "quotient of the table, regime ℬ",
    ),
    "P9: a logarithm in the other families": (
        lambda: p9(elsewhere_log_power=1.0),
        "elsewhere, measured",
    ),
    "P9: log log n dropped from the ceiling": (
        lambda: p9(ceiling=log(N)),
        "at most log n/log log n over all α",
    ),
    "T5: as many leaves as comparisons": (
        lambda: t5(leaves=1.0),
        "where the giant component is largest",
    ),
    "T5: a comparison costs four times as much": (
        lambda: t5(label_share=4.0),
        "formula against a scan of |S|, independent leaves",
    ),
    "T5: no logarithm past F/log n": (lambda: t5(log_power=0.0), "order past F/log n"),
    "T5: grown leaves no better than the chain": (
        lambda: t5(grown_better=False),
        "grown leaves beat the chain",
    ),
    "T5: the chain beaten": (lambda: t5(exact_least=1.2), "no |S| beats the chain"),
}
