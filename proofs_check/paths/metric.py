"""P1: inference variances add along a path, and distances are a metric."""

from __future__ import annotations

from functools import partial

import numpy as np
import sympy as sp

from ibn.inference.paths import inference_distance
from ibn.proofs_check.asymptotics import written
from ibn.proofs_check.claim import (
    ROUNDING,
    Check,
    Claim,
    Context,
    Finding,
    as_stated,
    decided,
)
from ibn.proofs_check.small_graphs import SmallGraphs


def p1(power: sp.Rational = sp.S.One, logistic: sp.Expr = sp.pi**2 / 3) -> Claim:
    """Inference variances add along a path, and d is a metric.

    Parameters
    ----------
    power : sympy.Rational
        What adds up is variance^power.
    logistic : sympy.Expr
        Variance of a logistic step over its squared scale.
    """
    return Claim(
        id="P1",
        statement=(
            "Along a path of independent steps inference variances add, logistic steps of "
            "variance π²/3 times their squared scale included; d is a metric."
        ),
        latex=r"\mathrm{Var}\Big[\sum_i X_i\Big]=\sum_i\mathrm{Var}[X_i],\quad"
        r"\mathrm{Var}[\mathrm{Logistic}(\mu,s)]=\tfrac{\pi^2}{3}s^2,\quad "
        r"d(x,z)\le d(x,y)+d(y,z)",
        source="paper (additivity of logistic variances: v1 Lemma A.10)",
        assumptions=(
            "steps along the path are independent given the evidence on it (v1 appendix A.1)",
            "every step has positive variance, so that d separates responses; between parts of "
            "the network that no path joins d is infinite",
        ),
        readings=as_stated(
            Check("cumulants", "symbolic", partial(_cumulants_add, power, logistic)),
            Check("metric axioms", "exhaustive", partial(_metric_axioms, float(power))),
            why="cumulants of independent steps add, and a least sum of positive steps is a metric",
        ),
        rests_on=("M1", "T0"),
    )


def _cumulants_add(power: sp.Rational, logistic: sp.Expr, context: Context) -> Finding:
    t, x = sp.symbols("t x")
    v, s, w = sp.symbols("v s w", positive=True)
    # With u the distribution function of a standard logistic, X = log(u / (1 - u)) and
    # E[e^(xX)] = ∫ u^x (1 - u)^(-x) du, a beta function.
    generating = sp.gammasimp(sp.beta(1 + x, 1 - x).rewrite(sp.gamma))
    closed = sp.simplify(generating - sp.pi * x / sp.sin(sp.pi * x)) == 0
    cumulants = {
        "Gaussian": v * t**2 / 2,
        "logistic s": sp.log(generating.subs(x, s * t)),
        "logistic w": sp.log(generating.subs(x, w * t)),
    }
    total = 2 * sp.series(sum(cumulants.values()), t, 0, 3).removeO().coeff(t, 2)
    claimed = v**power + (logistic * s**2) ** power + (logistic * w**2) ** power
    gap = sp.simplify(sp.expand_log(sp.expand(total) ** power - claimed))
    at = {v: sp.Integer(1), s: sp.Integer(1), w: sp.Integer(2)}
    exact, said = float(total.subs(at)), float((claimed ** (1 / power)).subs(at))
    return Finding(
        decided(closed and gap == 0),
        "The cumulant generating function of a logistic step of scale s is "
        f"{written(cumulants['logistic s'])}; independent steps add theirs, and the second "
        f"derivative at 0 "
        f"for steps Gaussian v, logistic s and logistic w is {written(sp.expand(total))}. At v = "
        f"1, s = 1, "
        f"w = 2: {exact:.4f}, claimed {said:.4f}.",
        {"exact": exact, "claimed": said},
    )


def _metric_axioms(power: float, context: Context) -> Finding:
    families = (
        SmallGraphs.all(4, ((), (1,), (4,), (9,))),
        SmallGraphs.all(5, ((), (1,), (4,))),
    )
    counted, broken = 0, ""
    for graphs in families:
        d = graphs.distances(power)
        counted += len(graphs)
        for y in range(graphs.nodes):
            via = d[:, :, y, None] + d[:, None, y, :]
            bad = np.argwhere(d > via * (1 + ROUNDING))
            if len(bad) and not broken:
                g, i, j = bad[0].tolist()
                broken = (
                    f"triangle inequality broken in the graph {graphs.describe(g)}: "
                    f"d({i},{j}) = {d[g, i, j]:g} > d({i},{y}) + d({y},{j}) = {via[g, i, j]:g}"
                )
        apart = ~np.eye(graphs.nodes, dtype=bool)
        if not (np.all(d[:, apart] > 0) and np.array_equal(d, d.transpose(0, 2, 1))):
            broken = broken or "positivity or symmetry broken"
    small = families[0]
    pairs = np.array(small.pairs)
    nodes = small.nodes * np.arange(len(small))[:, None, None] + pairs
    computed = inference_distance(small.network(), nodes.reshape(-1, 2)).reshape(len(small), -1)
    differ = computed != small.distances(power)[:, pairs[:, 0], pairs[:, 1]]
    if differ.any() and not broken:
        broken = f"ibn.inference_distance differs on {int(differ.sum())} pairs"
    return Finding(
        decided(not broken),
        f"{counted} weighted graphs on 4 and 5 nodes, all simple paths, whole-number variances: "
        + (
            broken
            or "positivity, symmetry and the triangle inequality hold in each, and "
            f"ibn.inference_distance gives the same {computed.size} distances on 4 nodes"
        )
        + ".",
        {"graphs": counted},
    )
