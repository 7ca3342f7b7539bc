"""Inference paths: metric, parallel comparisons, random graphs, error bound (claims P1 to P4)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import sympy as sp

from ibn.proofs_check.claim import Claim
from ibn.proofs_check.paths.error_bound import p4
from ibn.proofs_check.paths.metric import p1
from ibn.proofs_check.paths.parallel import p2
from ibn.proofs_check.paths.random_graphs import p3

CLAIMS: tuple[Callable[[], Claim], ...] = (p1, p2, p3, p4)

# Wrong variants of the claims, each with the check that must notice it.
MUTANTS: dict[str, tuple[Callable[[], Claim], str]] = {
    "P1: standard deviations add": (partial(p1, power=sp.Rational(1, 2)), "cumulants"),
    "P1: logistic variance off by π²/9": (partial(p1, logistic=sp.Integer(3)), "cumulants"),
    "P2: σ² of many labels off by π²/9": (
        partial(p2, limit=sp.pi**2 / 3),
        "information of a label",
    ),
    "P2: variance falls as 1/√k": (partial(p2, power=0.5), "Gaussian labels"),
    "P2: exponent of k off by 0.1": (partial(p2, power=0.9), "Gaussian labels"),
    "P2: a binary label carries at most β²/5": (
        partial(p2, binary=sp.Rational(1, 5)),
        "information of a label",
    ),
    "P3: connected from half of log M on": (partial(p3, threshold=0.5), "isolated cells"),
    "P3: threshold at 1.5 log M": (partial(p3, threshold=1.5), "isolated cells"),
    "P3: distance without log k": (partial(p3, degree=0.0), "first moment"),
    "P3: distance constant in M": (partial(p3, cells=0.0, degree=0.0), "first moment"),
    "P3: exponent of log M off by 0.1": (partial(p3, cells=0.9), "first moment"),
    "P4: inequality turned": (partial(p4, turned=True), "covariance algebra"),
    "P4: bound of d/4": (partial(p4, factor=0.25), "covariance algebra"),
}
