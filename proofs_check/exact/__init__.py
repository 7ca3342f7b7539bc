"""What paths leave out: exact inference, which uses all paths at once (claims E1 to E6)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sympy import Expr, Integer, Rational

from ibn.proofs_check.claim import Claim
from ibn.proofs_check.exact.designed import e5
from ibn.proofs_check.exact.freedom import (
    noisy_at_least,
    noisy_at_most,
    quiet_at_least,
    quiet_at_most,
)
from ibn.proofs_check.exact.lower_bound import e4
from ibn.proofs_check.exact.minimax import e3
from ibn.proofs_check.exact.monotonicity import e1
from ibn.proofs_check.exact.prediction import e6
from ibn.proofs_check.exact.reversal import Reversal, e2
from ibn.theory.rates import symbols

_, ALPHA, SCALE, _, _, _ = symbols()
ZERO, ONE, TENTH = Integer(0), Integer(1), Rational(1, 10)


def _a_million_times(leaves: Expr) -> Expr:
    return 10**6 * quiet_at_least(leaves)


def _without_constant(leaves: Expr) -> Expr:
    return SCALE * leaves**-ALPHA


CLAIMS: tuple[Callable[[], Claim], ...] = (e1, e2, e3, e4, e5, e6)

# Wrong variants of the claims, each with the check that must notice it.
MUTANTS: dict[str, tuple[Callable[[], Claim], str]] = {
    "E1: inequality turned": (partial(e1, turned=True), "spanning trees"),
    "E1: R at most 0.9 d": (partial(e1, factor=0.9), "spanning trees"),
    "E1: equality always": (partial(e1, paths=float("inf")), "small graphs"),
    "E1: equality with two paths": (partial(e1, paths=2), "small graphs"),
    "E2: chain's exponent off by 0.1": (
        partial(e2, Reversal(chain_power=-ALPHA - TENTH)),
        "orders of the bounds",
    ),
    "E2: chain's exponent off by -0.1": (
        partial(e2, Reversal(chain_power=-ALPHA + TENTH)),
        "orders of the bounds",
    ),
    "E2: the path's logarithm in a chain": (
        partial(e2, Reversal(chain_log=ONE)),
        "orders of the bounds",
    ),
    "E2: tree's exponent off by 0.1": (
        partial(e2, Reversal(leaf_power=-ALPHA - TENTH)),
        "orders of the bounds",
    ),
    "E2: order not reversed": (partial(e2, Reversal(ratio_log=ALPHA)), "orders of the bounds"),
    "E2: logarithm of the ratio dropped": (
        partial(e2, Reversal(ratio_log=ZERO)),
        "orders of the bounds",
    ),
    "E2: the paths' ratio": (partial(e2, Reversal(ratio_log=1 - ALPHA)), "orders of the bounds"),
    "E2: half the freedom": (partial(e2, freedom=0.5), "degrees of freedom"),
    "E2: signs as good as numbers": (
        partial(e2, Reversal(binary_power=-ALPHA)),
        "binary labels, derived",
    ),
    "E2: bounds crossed": (
        partial(e2, bounds=(quiet_at_most, quiet_at_least)),
        "between its bounds",
    ),
    "E2: lower bound a million times too high": (
        partial(e2, bounds=(_a_million_times, quiet_at_most)),
        "between its bounds",
    ),
    "E2: upper bound without its constant": (
        partial(e2, bounds=(quiet_at_least, _without_constant)),
        "between its bounds",
    ),
    "E3: bounds crossed": (
        partial(e3, bounds=(noisy_at_most, noisy_at_least)),
        "measured, between its bounds",
    ),
    "E3: exponent of n off by 0.1": (
        partial(e3, n_power=-ALPHA / (1 + ALPHA) - TENTH),
        "least of the objective",
    ),
    "E3: exponent of n off by -0.1": (
        partial(e3, n_power=-ALPHA / (1 + ALPHA) + TENTH),
        "least of the objective",
    ),
    "E3: the path's exponent": (
        partial(e3, n_power=-ALPHA / (2 + ALPHA)),
        "least of the objective",
    ),
    "E3: exponent of I off by 0.1": (
        partial(e3, scale_power=1 / (1 + ALPHA) - TENTH),
        "least of the objective",
    ),
    "E3: half the freedom": (partial(e3, freedom=0.5), "degrees of freedom"),
    "E4: constant 2": (partial(e4, constant=2.0), "counting bound"),
    "E4: exponent off by 0.1": (partial(e4, exponent=0.9), "counting bound"),
    "E4: F(n/50)": (partial(e4, cells=1 / 50), "counting bound"),
    "E4: log n added": (partial(e4, logs=1.0), "counting bound"),
    "E5: exponent off by 0.1": (partial(e5, exponent=-0.1), "exponents"),
    "E5: log n added": (partial(e5, logs=1.0), "exponents"),
    "E5: tree beaten by (log n)^(2α)": (partial(e5, gain=2.0), "against the tree"),
    "E5: tree not beaten": (partial(e5, gain=0.0), "against the tree"),
    "E5: inequality turned": (partial(e5, gain=-1.0), "against the tree"),
    "E5: one step in a star": (partial(e5, star_steps=1.0), "path bound"),
    "E5: expander's steps bounded": (partial(e5, expander_base=float("inf")), "steps"),
    "E6: the distance ranks better": (partial(e6, better="distance"), "linear, synthetic language"),
}
