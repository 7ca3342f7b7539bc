"""Faults put into the library one at a time, each with the checks that must notice it.

``mutants`` runs them. Compiled kernels are broken where Python calls them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
from sympy import Expr, log

from ibn.estimate import Estimate
from ibn.network import Network
from ibn.preferences.comparisons import Comparisons
from ibn.theory.rates import Minimum, Rate, symbols

Change = Callable[[Any], Any]
N, ALPHA, _, SIGMA2, LEAVES, CELLS = symbols()


@dataclass(frozen=True)
class Breakage:
    """A fault of the library.

    Attributes
    ----------
    name : str
        What is wrong, beginning with the claim that must notice.
    changes : str
        The attribute that is replaced, as ``module:attribute``.
    change : callable
        From the attribute to its wrong version.
    checks : tuple of str
        Checks of the claim that must notice.
    """

    name: str
    changes: str
    change: Change
    checks: tuple[str, ...]

    def apply(self) -> None:
        """Replace the attribute, wherever it was imported to."""
        module_name, _, path = self.changes.partition(":")
        owner: Any = import_module(module_name)
        *outer, name = path.split(".")
        for part in outer:
            owner = getattr(owner, part)
        right = getattr(owner, name)
        wrong = self.change(right)
        if outer:
            raw = owner.__dict__.get(name)
            held = isinstance(raw, (classmethod, staticmethod))
            setattr(owner, name, staticmethod(wrong) if held else wrong)
            return
        for other in [m for key, m in sys.modules.items() if key.split(".")[0] == "ibn"]:
            for key, value in list(vars(other).items()):
                if value is right:
                    setattr(other, key, wrong)


# --- Ways to be wrong ----------------------------------------------------------------------------


def _returns(change: Callable[[Any], Any]) -> Change:
    """Change what a function returns."""

    def wrap(right: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **options: change(right(*args, **options))

    return wrap


def _times(factor: float) -> Change:
    return _returns(lambda value: value * factor)


def _rate_times(factor: Expr) -> Change:
    return _returns(lambda rate: replace(rate, expression=rate.expression * factor))


def _only(condition: Callable[..., bool], change: Callable[[Rate], Rate]) -> Change:
    """Change a rate for some arguments only."""

    def wrap(right: Callable[..., Rate]) -> Callable[..., Rate]:
        def wrong(*args: Any, **options: Any) -> Rate:
            rate = right(*args, **options)
            return change(rate) if condition(*args, **options) else rate

        return wrong

    return wrap


def _is(*wanted: str) -> Callable[..., bool]:
    return lambda *args, **options: set(wanted) <= {*args, *options.values()}


def _scaled(factor: Expr) -> Callable[[Rate], Rate]:
    return lambda rate: replace(rate, expression=rate.expression * factor)


def _estimate(mean: float = 1.0, stderr: float = 1.0) -> Change:
    def scaled(one: Estimate) -> Estimate:
        return replace(one, mean=one.mean * mean, stderr=one.stderr * stderr)

    return _returns(scaled)


def _argument(place: int, change: Callable[[Any], Any]) -> Change:
    """Change one positional argument of a function."""

    def wrap(right: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(*args: Any, **options: Any) -> Any:
            changed = [change(x) if i == place else x for i, x in enumerate(args)]
            return right(*changed, **options)

        return wrong

    return wrap


# --- Faults that take more than a line -----------------------------------------------------------


def _deep_g_wrong(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(world: Any, depth: Any) -> Any:
        return right(world, depth) * np.where(np.asarray(depth) > 20, 0.95, 1.0)

    return wrong


def _rule(name: str, wrong: Callable[..., Comparisons]) -> Change:
    """Replace a topology in the table of topologies."""
    return lambda rules: {**rules, name: wrong}


def _chain_with_replacement(draw: Any, n: int, rng: np.random.Generator) -> Comparisons:
    return Comparisons(draw(2 * n, rng), rng.integers(0, n, n), rng.integers(n, 2 * n, n))


def _tree_of_twice_the_leaves(
    draw: Any, n: int, rng: np.random.Generator, leaves: int | None = None
) -> Comparisons:
    count = 2 * (leaves or max(2, round(n / np.log(n))))
    a = rng.integers(0, count, n)
    return Comparisons(draw(count, rng), a, (a + rng.integers(1, count, n)) % count)


def _tree_of_neighbours(
    draw: Any, n: int, rng: np.random.Generator, leaves: int | None = None
) -> Comparisons:
    count = leaves or max(2, round(n / np.log(n)))
    a = rng.integers(0, count, n)
    return Comparisons(draw(count, rng), a, (a + 1) % count)


def _cycle(draw: Any, n: int, rng: np.random.Generator, **options: Any) -> Comparisons:
    count = max(2, n // 2)
    a = np.arange(n) % count
    return Comparisons(draw(count, rng), a, (a + 1) % count)


def _line(draw: Any, n: int, rng: np.random.Generator) -> Comparisons:
    return Comparisons(draw(n + 1, rng), np.arange(n), np.arange(1, n + 1))


def _parallel_dropped(right: Callable[..., Network]) -> Callable[..., Network]:
    def wrong(bias: Any, comparisons: Comparisons, noise: Any) -> Network:
        ends = np.sort(np.stack([comparisons.a, comparisons.b], axis=1), axis=1)
        _, first = np.unique(ends, axis=0, return_index=True)
        first.sort()
        kept = Comparisons(comparisons.responses, comparisons.a[first], comparisons.b[first])
        return right(bias, kept, noise if np.ndim(noise) == 0 else np.asarray(noise)[first])

    return wrong


def _grid_end(right: Callable[..., Minimum]) -> Callable[..., Minimum]:
    def wrong(objective: Any, n: Any, *args: Any) -> Minimum:
        least = right(objective, n, *args)
        return Minimum(2 * least.cells, 100 * least.value)

    return wrong


def _first_favoured(right: Callable[..., Comparisons]) -> Callable[..., Comparisons]:
    def wrong(comparisons: Any, rewards: Any, beta: float, rng: Any) -> Comparisons:
        labelled = right(comparisons, rewards, beta, rng)
        assert labelled.delta is not None
        return comparisons.labelled(delta=labelled.delta + 0.1)

    return wrong


def _noisier(right: Callable[..., Comparisons]) -> Callable[..., Comparisons]:
    return lambda comparisons, rewards, beta, rng: right(comparisons, rewards, beta / 1.1, rng)


def _not_uniform(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(world: Any, count: int, rng: np.random.Generator) -> Any:
        return np.minimum(right(world, count, rng), right(world, count, rng))

    return wrong


BREAKAGES: tuple[Breakage, ...] = (
    # rates
    Breakage(
        "P5: the table's rates times n",
        "ibn.theory.rates:claimed",
        _rate_times(N),
        ("the library's formula",),
    ),
    Breakage(
        "P7: the table's rates times n, for the tree",
        "ibn.theory.rates:claimed",
        _rate_times(N),
        ("the library's formula",),
    ),
    Breakage(
        "P5: the order of a chain times n",
        "ibn.theory.rates:rate",
        _rate_times(N),
        ("lower bound of a chain", "the order it has: I n^(-α) log n"),
    ),
    Breakage(
        "P5: the table's refuted rate marked as an order",
        "ibn.theory.rates:claimed",
        _returns(lambda rate: replace(rate, bound="order")),
        ("the library's formula",),
    ),
    Breakage(
        "P6: the table without σ²",
        "ibn.theory.rates:claimed",
        _returns(lambda rate: replace(rate, expression=rate.expression.subs(SIGMA2, 1))),
        ("the library's formula",),
    ),
    Breakage(
        "P8: the table without its logarithm",
        "ibn.theory.rates:claimed",
        _returns(lambda rate: replace(rate, expression=rate.expression.subs(log(N), 1))),
        ("the library's formula",),
    ),
    Breakage(
        "P7: the order of a tree times log n",
        "ibn.theory.rates:rate",
        _rate_times(log(N)),
        ("the order it has: F(|S|)",),
    ),
    Breakage(
        "P9: the headline without its log log n",
        "ibn.theory.rates:claimed_ratio",
        _rate_times(log(log(N))),
        ("in whose favour it errs",),
    ),
    Breakage(
        "P9: the ratio without its logarithm",
        "ibn.theory.rates:ratio",
        _rate_times(1 / log(N)),
        ("the order it has, derived", "the order it has, measured"),
    ),
    Breakage(
        "E2: a logarithm in a chain's exact order",
        "ibn.theory.rates:rate",
        _only(_is("chain", "exact"), _scaled(log(N))),
        ("the library's formula",),
    ),
    Breakage(
        "E3: the paths' exponent for the exact posterior",
        "ibn.theory.rates:rate",
        _only(_is("B", "exact"), _scaled(N ** (ALPHA / (1 + ALPHA) - ALPHA / (2 + ALPHA)))),
        ("least of the objective",),
    ),
    Breakage(
        "E4: the lower bound times n",
        "ibn.theory.rates:lower_bound",
        _rate_times(N),
        ("the library's formula",),
    ),
    Breakage(
        "P8: the objective of one label a cell",
        "ibn.theory.rates:objective",
        _returns(lambda one: replace(one, expression=one.expression.subs(log(CELLS), 1))),
        ("least of the objective",),
    ),
    Breakage(
        "P6: the minimiser stops short",
        "ibn.theory.rates:minimise",
        _grid_end,
        ("least of the objective",),
    ),
    Breakage(
        "T0: rates evaluated without I",
        "ibn.theory.rates:Rate.evaluate",
        _argument(3, lambda scale: 1.0),
        ("rates evaluate as they are written",),
    ),
    # labels and decoders
    Breakage(
        "M1: σ² off by 3/π²",
        "ibn.preferences.noise:LabelNoise.variance",
        _times(3 / np.pi**2),
        ("variance as the library takes it",),
    ),
    Breakage(
        "M1: labels a tenth too noisy",
        "ibn.preferences.noise:simulate_labels",
        _noisier,
        ("labels as the library simulates them",),
    ),
    Breakage(
        "M1: labels favour the response shown first",
        "ibn.preferences.noise:simulate_labels",
        _first_favoured,
        ("labels as the library simulates them",),
    ),
    Breakage(
        "M2: the Gibbs policy at nine tenths of its temperature",
        "ibn.theory.autoencoder:gibbs",
        _argument(1, lambda beta: beta / 0.9),
        ("against all policies on a grid", "DPO fitted directly"),
    ),
    Breakage(
        "M2: the objective weighs entropy by half",
        "ibn.theory.autoencoder:objective",
        _argument(2, lambda beta: 2 * beta),
        ("against all policies on a grid",),
    ),
    Breakage(
        "M2: DPO at twice its strength",
        "ibn.theory.autoencoder:direct_preference",
        _argument(3, lambda strength: 2 * strength),
        ("DPO fitted directly",),
    ),
    # networks and inference
    Breakage(
        "P2: parallel comparisons dropped",
        "ibn.network:build_network",
        _parallel_dropped,
        ("Gaussian labels",),
    ),
    Breakage(
        "P2: comparisons of twice their variance",
        "ibn.network:build_network",
        _argument(2, lambda noise: 2 * noise),
        ("Gaussian labels",),
    ),
    Breakage(
        "P1: distances a millionth too long",
        "ibn.inference.paths:inference_distance",
        _times(1 + 1e-6),
        ("metric axioms",),
    ),
    Breakage(
        "E1: resistances a millionth too large",
        "ibn.inference.gaussian:resistance",
        _times(1 + 1e-6),
        ("small graphs",),
    ),
    Breakage(
        "P4: the posterior mean shrunk by a hundredth",
        "ibn.inference.gaussian:posterior_mean",
        _times(0.99),
        ("covariance algebra",),
    ),
    Breakage(
        "E2: Laplace's variances a fifth too small",
        "ibn.inference.laplace:Likelihood.curvature",
        _times(1.25),
        ("continuous logistic labels",),
    ),
    Breakage(
        # A looser tolerance would change nothing: bounds on the energy tell, and it is solved anew.
        "T0: energies of large networks a billionth too large",
        "ibn.solvers.reduced:ReducedSolver.energy",
        _times(1 + 1e-9),
        ("solver",),
    ),
    Breakage(
        "T0: mean distances five per cent too long",
        "ibn.inference.paths:mean_distance",
        _estimate(mean=1.05),
        ("means over pairs",),
    ),
    Breakage(
        "T0: mean variances five per cent too large",
        "ibn.inference.gaussian:mean_variance",
        _estimate(mean=1.05),
        ("means over pairs",),
    ),
    Breakage(
        "T0: pairs not drawn uniformly",
        "ibn.bias.ultrametric:Ultrametric.sample",
        _not_uniform,
        ("means over pairs",),
    ),
    # the world
    Breakage(
        "T0: g(k) wrong at depth > 20 only",
        "ibn.bias.ultrametric:Ultrametric.distance_at",
        _deep_g_wrong,
        ("distances at every depth", "structural function"),
    ),
    Breakage(
        "T0: bias edges of twice their variance",
        "ibn.bias.ultrametric:trie_edges",
        _returns(lambda edges: (edges[0], 2 * edges[1])),
        ("distances at every depth",),
    ),
    Breakage(
        "T0: F without its factor 1 − 1/B",
        "ibn.bias.ultrametric:Ultrametric.structural_function",
        _times(2.0),
        ("structural function",),
    ),
    Breakage(
        "T0: rewards of nine tenths of their size",
        "ibn.bias.ultrametric:Ultrametric.rewards",
        _times(0.9),
        ("rewards",),
    ),
    Breakage(
        "T0: strata drawn independently",
        "ibn.bias.ultrametric:Ultrametric.stratified",
        lambda right: lambda world, count, rng: world.sample(count, rng),
        ("topologies",),
    ),
    # topologies
    Breakage(
        "T0: a chain with replacement",
        "ibn.topology:_RULES",
        _rule("chain", _chain_with_replacement),
        ("topologies",),
    ),
    Breakage(
        "T0: a tree of twice the leaves",
        "ibn.topology:_RULES",
        _rule("tree", _tree_of_twice_the_leaves),
        ("topologies",),
    ),
    Breakage(
        "T0: a tree that pairs neighbours",
        "ibn.topology:_RULES",
        _rule("tree", _tree_of_neighbours),
        ("topologies",),
    ),
    Breakage(
        "E5: an expander that is a cycle",
        "ibn.topology:_RULES",
        _rule("expander", _cycle),
        ("steps",),
    ),
    Breakage(
        "E5: a star that is a line",
        "ibn.topology:_RULES",
        _rule("star", _line),
        ("path bound", "steps"),
    ),
    # error bars and judgement
    Breakage(
        "T0: standard errors halved",
        "ibn.estimate:Estimate.of",
        _estimate(stderr=0.5),
        ("intervals cover",),
    ),
    Breakage(
        "T0: intervals a fifth too narrow",
        "ibn.estimate:Estimate.margin",
        _times(0.8),
        ("intervals cover",),
    ),
    Breakage(
        "T0: every limit is 1",
        "ibn.proofs_check.asymptotics:growth",
        lambda right: lambda quotient: right(quotient / quotient),
        ("limits of known quotients",),
    ),
    Breakage(
        "T0: lower-order terms may do anything",
        "ibn.proofs_check.asymptotics:LOWER_ORDER",
        lambda right: 1e3 * right,
        ("planted orders are told apart",),
    ),
    Breakage(
        "T0: no lower-order terms allowed for",
        "ibn.proofs_check.asymptotics:LOWER_ORDER",
        lambda right: 0.0 * right,
        ("planted orders are told apart",),
    ),
    # what the ledger measures with
    Breakage(
        "T0: averaged comparisons weigh σ²k",
        "ibn.proofs_check.measured:build_network",
        _argument(2, lambda noise: noise if np.ndim(noise) == 0 else 0.7**2 / np.asarray(noise)),
        ("combined comparisons",),
    ),
    Breakage(
        "T0: the nearest of twice as many",
        "ibn.proofs_check.measured:mean_nearest",
        _argument(1, lambda count: 2 * count),
        ("nearest of independent responses",),
    ),
    Breakage(
        "P5: the chain's lower bound a hundred times too high",
        "ibn.proofs_check.measured:chain_lower_bound",
        _times(100.0),
        ("the order it has: I n^(-α) log n",),
    ),
    Breakage(
        "P5: the lemmas' upper bound a tenth of itself",
        "ibn.proofs_check.lemma_bounds:at_most",
        _times(0.1),
        ("between the lemmas' bounds",),
    ),
    Breakage(
        "E2: the lemmas' lower bound ten times itself",
        "ibn.proofs_check.lemma_bounds:at_least",
        _times(10.0),
        ("between its bounds",),
    ),
    Breakage(
        "P5: λ a tenth too large",
        "ibn.proofs_check.measured:growth_rate",
        _times(1.1),
        ("the order it has: I n^(-α) log n",),
    ),
    Breakage(
        "E3: freedom counted a tenth too low",
        "ibn.proofs_check.exact.freedom:spent_at_most",
        _times(0.1),
        ("degrees of freedom",),
    ),
    Breakage(
        "E2: signs taken for twice as precise",
        "ibn.proofs_check.exact.signs:expectation_propagation",
        _returns(lambda fitted: replace(fitted, variance=0.5 * fitted.variance)),
        ("binary labels, measured",),
    ),
    Breakage(
        "E6: ranks turned",
        "ibn.simulations.language.predictors:spearman",
        _times(-1.0),
        ("linear, synthetic language",),
    ),
    Breakage(
        "M4: predictions from half the variance",
        "ibn.simulations.consistency:_variances",
        _returns(lambda found: ([0.5 * one for one in found[0]], found[1])),
        ("bridge to posterior variance, measured",),
    ),
)
