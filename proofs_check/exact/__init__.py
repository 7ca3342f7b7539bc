"""What paths leave out: exact inference, which uses all paths at once (claims E1 to E6)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sympy import Integer, Rational

from ibn.proofs_check.claim import Claim
from ibn.proofs_check.exact.designed import e5
from ibn.proofs_check.exact.lower_bound import e4
from ibn.proofs_check.exact.minimax import e3
from ibn.proofs_check.exact.monotonicity import e1
from ibn.proofs_check.exact.prediction import e6
from ibn.proofs_check.exact.reversal import Reversal, e2
from ibn.theory.rates import symbols

_, ALPHA, _, _, _, _ = symbols()
ZERO, ONE, TENTH = Integer(0), Integer(1), Rational(1, 10)

CLAIMS: tuple[Callable[[], Claim], ...] = (e1, e2, e3, e4, e5, e6)

MUTANTS: dict[str, Callable[[], Claim]] = {
    "E1: inequality turned": partial(e1, turned=True),
    "E1: R at most 0.9 d": partial(e1, factor=0.9),
    "E1: equality always": partial(e1, paths=float("inf")),
    "E1: equality with two paths": partial(e1, paths=2),
    "E2: chain's exponent off by 0.1": partial(e2, Reversal(chain_power=-ALPHA - TENTH)),
    "E2: chain's exponent off by -0.1": partial(e2, Reversal(chain_power=-ALPHA + TENTH)),
    "E2: the path's logarithm in a chain": partial(e2, Reversal(chain_log=ONE)),
    "E2: tree's exponent off by 0.1": partial(e2, Reversal(leaf_power=-ALPHA - TENTH)),
    "E2: order not reversed": partial(e2, Reversal(ratio_log=ALPHA)),
    "E2: logarithm of the ratio dropped": partial(e2, Reversal(ratio_log=ZERO)),
    "E2: the paths' ratio": partial(e2, Reversal(ratio_log=1 - ALPHA)),
    "E2: half the freedom": partial(e2, freedom=0.5),
    "E2: signs as good as numbers": partial(e2, Reversal(binary_power=-ALPHA)),
    "E3: exponent of n off by 0.1": partial(e3, n_power=-ALPHA / (1 + ALPHA) - TENTH),
    "E3: exponent of n off by -0.1": partial(e3, n_power=-ALPHA / (1 + ALPHA) + TENTH),
    "E3: the path's exponent": partial(e3, n_power=-ALPHA / (2 + ALPHA)),
    "E3: exponent of I off by 0.1": partial(e3, scale_power=1 / (1 + ALPHA) - TENTH),
    "E3: half the freedom": partial(e3, freedom=0.5),
    "E4: constant 2": partial(e4, constant=2.0),
    "E4: exponent off by 0.1": partial(e4, exponent=0.9),
    "E4: F(n/50)": partial(e4, cells=1 / 50),
    "E4: log n added": partial(e4, logs=1.0),
    "E5: exponent off by 0.1": partial(e5, exponent=-0.1),
    "E5: log n added": partial(e5, logs=1.0),
    "E5: tree beaten by (log n)^(2α)": partial(e5, gain=2.0),
    "E5: tree not beaten": partial(e5, gain=0.0),
    "E5: inequality turned": partial(e5, gain=-1.0),
    "E5: one step in a star": partial(e5, star_steps=1.0),
    "E5: expander's steps bounded": partial(e5, expander_base=float("inf")),
    "E6: the distance ranks better": partial(e6, better="distance"),
}
