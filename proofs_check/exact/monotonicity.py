"""E1: no pair's effective resistance is above its inference distance."""

from __future__ import annotations

from functools import partial
from itertools import combinations, pairwise

import numpy as np
import sympy as sp

from ibn.bias.ultrametric import FAMILIES, Ultrametric
from ibn.inference.gaussian import resistance
from ibn.inference.paths import inference_distance
from ibn.network import build_network
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
from ibn.topology import TOPOLOGIES, build


def e1(factor: float = 1.0, turned: bool = False, paths: float = 1) -> Claim:
    """Effective resistance is at most the inference distance.

    Parameters
    ----------
    factor : float
        The bound is factor times d.
    turned : bool
        Claim it as a lower bound instead.
    paths : float
        The two are equal iff at most this many simple paths join the pair.
    """
    relation = r"\ge" if turned else r"\le"
    return Claim(
        id="E1",
        statement=(
            "For every pair of every network the effective resistance, the exact posterior "
            "variance, is at most the inference distance; the two are equal iff exactly one "
            "simple path joins the pair."
        ),
        latex=rf"R(y_1,y_2){relation} d(y_1,y_2),\quad R=d\iff\text{{one simple path}}",
        source="this project (Rayleigh monotonicity, Thomson's principle)",
        assumptions=(
            "the Gaussian model: every edge independent evidence of its own variance",
            "parallel comparisons count as distinct paths; every variance is positive",
        ),
        readings=as_stated(
            Check(
                "spanning trees",
                "symbolic",
                partial(_spanning_trees, factor, turned),
                full="graphs on 5 nodes, not 4",
            ),
            Check("small graphs", "exhaustive", partial(_small_graphs, factor, turned, paths)),
            Check("networks", "rigorous numeric", partial(_networks, factor, turned)),
            why="cutting all but one path only raises the resistance (Rayleigh), and strictly if "
            "another path was there",
        ),
        rests_on=("T0",),
    )


def _spanning_trees(factor: float, turned: bool, context: Context) -> Finding:
    # Kirchhoff: R = forests / trees, polynomials in the conductances. R is at most the length
    # Σ 1/c of a path iff trees Σ_e Π_{f≠e} c_f - forests Π_e c_e >= 0; that holds for every
    # variance if no coefficient is negative.
    nodes = 4 if context.profile == "quick" else 5
    pairs = list(combinations(range(nodes), 2))
    conductance = {pair: sp.Symbol("c{}{}".format(*pair), positive=True) for pair in pairs}
    laplacian = sp.zeros(nodes)
    for (i, j), c in conductance.items():
        laplacian += c * sp.Matrix(
            nodes, nodes, lambda a, b, i=i, j=j: ((a == i) - (a == j)) * ((b == i) - (b == j))
        )
    trees = laplacian[1:, 1:].det(method="berkowitz")
    last = nodes - 1
    forests = laplacian[1:last, 1:last].det(method="berkowitz")
    sign = -1 if turned else 1
    gaps, negative = [], 0
    for length in range(1, nodes):  # of the path 0, 1, …, and on to the last node
        walk = [*range(length), last]
        steps = [conductance[min(s), max(s)] for s in pairwise(walk)]
        together = sp.prod(steps)
        whole = sum(together / c for c in steps)
        gap = sp.Poly(
            sp.expand(sign * (sp.nsimplify(factor) * trees * whole - forests * together)),
            *conductance.values(),
        )
        gaps.append(len(gap.terms()))
        negative += sum(bool(value < 0) for value in gap.coeffs())
    return Finding(
        decided(negative == 0),
        f"On {nodes} nodes, any variances, any path of 1 to {nodes - 1} steps: the claim is that a "
        f"polynomial in the conductances is nonnegative; it has {gaps} terms, {negative} of them "
        "with a negative coefficient.",
        {"terms": gaps, "negative": negative},
    )


def _small_graphs(factor: float, turned: bool, paths: float, context: Context) -> Finding:
    families = (
        SmallGraphs.all(4, ((), (1,), (2,), (1, 1), (1, 2))),
        SmallGraphs.all(5, ((), (1,), (3,))),
    )
    counted, broken = 0, ""
    for graphs in families:
        numerator, denominator = graphs.resistances()
        joined = denominator > 0
        graphs, numerator = graphs[joined], numerator[joined]
        first, second = np.array(graphs.pairs).T
        # R <= d as whole numbers: forests <= trees · d.
        bound = denominator[joined, None] * graphs.distances()[:, first, second].astype(np.int64)
        counted += numerator.size
        scaled = factor * bound
        bad = numerator < scaled if turned else numerator > scaled
        wrong = (numerator == bound) != (graphs.path_counts() <= paths)
        for case, label in ((bad, "bound broken"), (wrong, "equality misplaced")):
            if case.any() and not broken:
                g, pair = np.argwhere(case)[0]
                ratio = numerator[g, pair] / bound[g, pair]
                broken = (
                    f"{label} in the graph {graphs.describe(g)}, pair {graphs.pairs[pair]}: "
                    f"R/d = {ratio:.4f}, {graphs.path_counts()[g, pair]} simple paths"
                )
    sample = families[0]
    sample = sample[sample.resistances()[1] > 0]
    sample = sample[context.rng("E1 graphs").permutation(len(sample))[:300]]
    numerator, denominator = sample.resistances()
    nodes = sample.nodes * np.arange(len(sample))[:, None, None] + np.array(sample.pairs)
    network = sample.network(bridged=True)
    found = resistance(network, nodes.reshape(-1, 2)).reshape(numerator.shape)
    off = float(np.max(np.abs(found * denominator[:, None] / numerator - 1)))
    return Finding(
        decided(not broken and off < 1e-7),
        f"{counted} pairs in every connected multigraph on 4 nodes (variances 1, 2, up to two "
        "parallel edges) and graph on 5 nodes (variances 1, 3), in whole numbers: "
        + (broken or "the bound holds in each, with equality exactly where one simple path joins")
        + f". ibn.resistance agrees on {numerator.size} pairs within {off:.0e}.",
        {"pairs": counted},
    )


def _networks(factor: float, turned: bool, context: Context) -> Finding:
    rng = context.rng("E1 networks")
    least, most, counted, broken = np.inf, 0.0, 0, ""
    for family in FAMILIES:
        for name in TOPOLOGIES:
            world = Ultrametric(family=family, alpha=0.5)
            sigma2 = float(np.exp(rng.uniform(-5.0, 1.0)))
            network = build_network(world, build(name, world, 16, rng), sigma2)
            pairs = np.stack(np.triu_indices(len(network.nodes), 1), axis=1)
            pairs = pairs[network.nodes[pairs[:, 0]] != network.nodes[pairs[:, 1]]]
            ratio = resistance(network, pairs) / inference_distance(network, pairs)
            least, most = min(least, float(ratio.min())), max(most, float(ratio.max()))
            counted += len(ratio)
            bad = ratio < factor - ROUNDING if turned else ratio > factor + ROUNDING
            if bad.any() and not broken:
                worst = int(np.flatnonzero(bad)[0])
                broken = f"{family}, {name}, σ² = {sigma2:.3g}: R/d = {ratio[worst]:.4f}"
    return Finding(
        decided(not broken),
        f"{counted} pairs of {len(FAMILIES) * len(TOPOLOGIES)} networks, each family and topology: "
        f"R/d from {least:.3f} to {most:.3f}" + (f". Counterexample: {broken}." if broken else "."),
        {"least": least, "most": most},
    )
