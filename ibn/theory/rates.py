"""Rates and bounds of the theory, written once as sympy expressions and evaluated from there.

Every expression is in the symbols of :func:`symbols`: n comparisons, the family's exponent α and
scale I, the variance σ² of one label, the number |S| of responses a tree reuses, and M cells.
The paper's table keeps σ² fixed; here it is carried through the minimisations that it enters
(theory P6, P8, E3), and σ² = 1 gives back the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibn.errors import InputError, unknown_name

if TYPE_CHECKING:
    from sympy import Expr, Symbol

FAMILIES = ("power", "logarithmic", "sub-logarithmic")
REGIMES = ("A", "B")
INFERENCES = ("path", "exact")

# Topologies that share a rate. A star or an expander on independent draws costs the stratified
# one's order: a fresh response misses every cell of size far above 1/n with a probability that
# falls off exponentially, so the mean distance to the nearest drawn response is still O(F(n)).
_ALIASES = {
    "chain": "chain",
    "tree": "tree",
    "tree-grown": "tree",
    "star": "star",
    "stratified-star": "star",
    "expander": "expander",
    "stratified-expander": "expander",
}


class Symbols(NamedTuple):
    """The symbols every rate is written in."""

    n: Symbol
    alpha: Symbol
    scale: Symbol
    sigma2: Symbol
    leaves: Symbol
    cells: Symbol


@lru_cache
def symbols() -> Symbols:
    """Return the symbols n, α, I, σ², |S| and M, all positive."""
    from sympy import Symbol

    return Symbols(*(Symbol(s, positive=True) for s in ("n", "alpha", "I", "sigma^2", "S", "M")))


@lru_cache
def _compiled(expression: Expr) -> Callable[..., NDArray[np.float64]]:
    """Turn an expression into a NumPy function of all six symbols, in order."""
    from sympy import lambdify

    compiled: Callable[..., NDArray[np.float64]]
    compiled = lambdify(symbols(), expression, modules=[{"Max": np.maximum}, "numpy"])
    return compiled


@dataclass(frozen=True)
class Rate:
    """An order of growth, or a bound on one.

    Attributes
    ----------
    claim : str
        The id in the theory, such as ``"P5"``.
    expression : sympy.Expr
        The order, in :func:`symbols`; the constant before it is not claimed.
    bound : {"order", "upper", "lower"}
        Whether the quantity is Θ, O or Ω of the expression.
    statement : str
        What the order is that of, in words and in F, such as ``"F(|S|)"``.
    """

    claim: str
    expression: Expr
    bound: str
    statement: str

    def evaluate(
        self,
        n: ArrayLike,
        alpha: ArrayLike = 1.0,
        scale: ArrayLike = 1.0,
        sigma2: ArrayLike = 1.0,
        leaves: ArrayLike | None = None,
    ) -> NDArray[np.float64]:
        """Evaluate the expression; arguments broadcast.

        Parameters
        ----------
        n : array_like
            Number of comparisons, above e so that log log n is positive.
        alpha, scale : array_like
            Exponent and scale I of the structural function; the sub-logarithmic family has
            no exponent.
        sigma2 : array_like
            Variance of one label.
        leaves : array_like, optional
            Number |S| of responses that a tree compares, n / log n unless given.

        Raises
        ------
        InputError
            If some n is not above e.
        """
        n = np.asarray(n, dtype=float)
        if not np.all(n > np.e):
            raise InputError("a rate needs every n above e, where log log n is positive")
        if leaves is None:
            leaves = n / np.log(n)
        arrays = [np.asarray(x, dtype=float) for x in (n, alpha, scale, sigma2, leaves)]
        shape = np.broadcast_shapes(*(x.shape for x in arrays))
        return np.broadcast_to(_compiled(self.expression)(*arrays, np.nan), shape).astype(float)


def structural_function(family: str) -> Expr:
    """F(M) of a family up to a constant (theory §1, the three families; §3 for the third).

    Parameters
    ----------
    family : {"power", "logarithmic", "sub-logarithmic"}
        I·M^(-α), I·(log M)^(-α), or I/(1 + log(1 + log M)), slower than every power of 1/log M.

    Raises
    ------
    InputError
        If the family is unknown.
    """
    from sympy import log

    _, alpha, scale, _, _, cells = symbols()
    if family == "power":
        return scale * cells**-alpha
    if family == "logarithmic":
        return scale * log(cells) ** -alpha
    if family == "sub-logarithmic":
        return scale / (1 + log(1 + log(cells)))
    raise unknown_name("family", family, FAMILIES)


def rate(topology: str, family: str = "power", regime: str = "A", inference: str = "path") -> Rate:
    """Order of the mean inference distance or mean posterior variance, as the ledger has it.

    Where the paper's table is not the order but a bound, this is the order in its place; the table
    itself is :func:`claimed`.

    Parameters
    ----------
    topology : str
        ``chain``, ``tree``, ``tree-grown``, ``star`` or ``expander``, the last two also
        ``stratified-``.
    family : {"power", "logarithmic", "sub-logarithmic"}
        Decay of the structural function.
    regime : {"A", "B"}
        Few labels, where σ² is at most of the order of F at the cells that n can reach, or many.
    inference : {"path", "exact"}
        The paper's inference distance, or the posterior that uses all paths at once.

    Returns
    -------
    Rate
        Theory P5-P8 for chain and tree under paths, E2 and E3 for the exact posterior, E5 for
        designed topologies. Where E2 speaks of the power family alone, the other two follow
        from E1 and E4, which close on F(n).

    Raises
    ------
    InputError
        If a name is unknown, or the theory has no rate for the combination.

    Examples
    --------
    >>> from ibn.theory.rates import rate
    >>> rate("chain").expression
    I*log(n)/n**alpha
    """
    from sympy import log

    _check_names(family, regime, inference)
    kind = _kind(topology)
    n, alpha, scale, sigma2, leaves, cells = symbols()
    F = structural_function(family)
    if inference == "exact" and regime == "B":
        order = F.subs(cells, n)
        if family == "power":
            exponent = 1 / (1 + alpha)
            order = scale**exponent * (sigma2 / n) ** (alpha * exponent)
        return Rate("E3", order, "order", _OBJECTIVE_WORDS["E3"])
    if kind in ("star", "expander"):
        if regime == "B":
            raise InputError(
                f"the theory has no rate for {topology}, {inference} inference, regime {regime}"
            )
        cost = "2σ²" if kind == "star" else "σ² log n"
        return Rate("E5", F.subs(cells, n), "upper", f"F(n), while {cost} is far below it")
    if inference == "exact":
        claim = "E2" if family == "power" else "E1, E4"
        if kind == "tree":
            return Rate(claim, F.subs(cells, leaves), "order", "F(|S|)")
        return Rate(claim, F.subs(cells, n), "order", "F(n)")
    if family == "power" and regime == "A":
        if kind == "chain":
            words = "F(n) log n, in place of the table's upper bound"
            return Rate("P5", F.subs(cells, n) * log(n), "order", words)
        words = "F(|S|) while S is connected, in place of the table's upper bound"
        return Rate("P7", F.subs(cells, leaves), "order", words)
    return claimed(topology, family, regime)


def claimed(topology: str, family: str = "power", regime: str = "A") -> Rate:
    """Return the paper's table of rates under path inference.

    Parameters
    ----------
    topology : {"chain", "tree", "tree-grown"}
        Which row.
    family, regime : str
        As for :func:`rate`.

    Returns
    -------
    Rate
        Theory P5-P8. Its ``bound`` is what the ledger leaves of it: ``"upper"`` for chain and
        tree in regime 𝒜 of the power family, where the order is smaller, else ``"order"``.

    Raises
    ------
    InputError
        If a name is unknown or not in the table.
    """
    from sympy import Integer, log, sqrt

    _check_names(family, regime, "path")
    kind = _kind(topology)
    if kind not in ("chain", "tree"):
        raise unknown_name("topology of the table", topology, ("chain", "tree"))
    n, alpha, scale, sigma2, _, cells = symbols()
    F = structural_function(family)
    claim = {"chainA": "P5", "chainB": "P6", "treeA": "P7", "treeB": "P8"}[kind + regime]
    bound = "order"
    if family == "logarithmic":
        rate = F.subs(cells, n)
    elif family == "sub-logarithmic":
        rate = F.subs(cells, sqrt(n))
    elif regime == "A":
        bound = "upper"
        log_power = {
            "chain": log(n) ** (1 + alpha) / log(log(n)),
            "tree": log(n) ** (2 * alpha),
        }[kind]
        rate = scale * log_power / n**alpha
    else:
        exponent = alpha / (2 + alpha)
        logs = {"chain": Integer(1), "tree": log(n) ** (2 * exponent)}[kind]
        rate = scale ** (2 / (2 + alpha)) * logs * (sigma2 / n) ** exponent
    return Rate(claim, rate, bound, _OBJECTIVE_WORDS[claim])


def lower_bound(family: str = "power") -> Rate:
    """F(2n): n comparisons touch at most 2n responses, so no topology does better (theory E4)."""
    n, *_, cells = symbols()
    order = structural_function(family).subs(cells, 2 * n)
    return Rate("E4", order, "lower", "F(2n)")


def ratio(family: str = "power", regime: str = "A", inference: str = "path") -> Rate:
    """Chain over tree, the quotient of their orders (theory P9; E2 for the exact posterior).

    Above 1 the tree is the better topology. It is (|S|/n)^α log n along paths and (|S|/n)^α by the
    exact posterior for any |S|: (log n)^(1-α) and (log n)^(-α) at |S| = n / log n. Arguments and
    errors are those of :func:`rate`.
    """
    chain, tree = (rate(topology, family, regime, inference) for topology in ("chain", "tree"))
    claim = "P9" if inference == "path" else chain.claim
    return _quotient(chain, tree, claim, "order", "the order of the chain over that of the tree")


def claimed_ratio(family: str = "power", regime: str = "A") -> Rate:
    """Return the paper's headline, the quotient of its table (theory P9).

    In regime 𝒜 of the power family its ``bound`` is ``"lower"``: the ratio grows faster.
    """
    chain, tree = (claimed(topology, family, regime) for topology in ("chain", "tree"))
    bound = "order" if chain.bound == tree.bound == "order" else "lower"
    return _quotient(chain, tree, "P9", bound, "the table's chain over its tree")


def _quotient(chain: Rate, tree: Rate, claim: str, bound: str, statement: str) -> Rate:
    from sympy import powdenest

    order = powdenest(chain.expression / tree.expression, force=True)
    return Rate(claim, order, bound, statement)


def _kind(topology: str) -> str:
    if topology not in _ALIASES:
        raise unknown_name("topology with a rate", topology, _ALIASES)
    return _ALIASES[topology]


def regime_of(
    family: str, n: ArrayLike, alpha: float = 1.0, scale: float = 1.0, sigma2: float = 1.0
) -> NDArray[np.str_]:
    """Regime of each n: ``"A"`` where σ² ≤ F(n), else ``"B"`` (theory §1, variance regimes).

    The constant in "of the order of" is taken as one: near the boundary neither rate need show.
    """
    number, *_, cells = symbols()
    order = structural_function(family).subs(cells, number)
    finest = Rate("", order, "order", "").evaluate(n, alpha, scale)
    return np.where(sigma2 <= finest, *REGIMES)


_OBJECTIVE_WORDS = {
    "P5": "F(M) × max(1, log M / log(n/M)) at its least over M ≤ n / log n",
    "P6": "F(M) + σ²M²/n at its least over M",
    "P7": "F(M) at M = n / log² n",
    "P8": "F(M) + σ²(M log M)²/n at its least over M",
    "E3": "F(M) + σ²M/n at its least over M",
}


@dataclass(frozen=True)
class Objective:
    """What a rate is the minimum of, over the number M of cells.

    Attributes
    ----------
    claim : str
        The id in the theory.
    expression : sympy.Expr
        What is minimised, in :func:`symbols`.
    most_cells : sympy.Expr
        The largest M, in n, for which the construction behind the expression exists.
    statement : str
        The same in words.
    """

    claim: str
    expression: Expr
    most_cells: Expr
    statement: str


def objective(claim: str, family: str = "power") -> Objective:
    """Return the minimisation below the table of theory §5, or that of E3.

    Parameters
    ----------
    claim : {"P5", "P6", "P7", "P8", "E3"}
        Whose minimisation.
    family : {"power", "logarithmic", "sub-logarithmic"}
        Decay of the structural function.

    Notes
    -----
    P5 counts at least one hop. Without that, log M / log(n/M) tends to 0 for small M, and for
    the logarithmic family with α < 1 the minimum would fall to 1/log n, below F(n) itself.

    M is bounded where the construction needs it: P5 by mean degree log n (P3), P7 by covering
    the cells with M log M leaves and connecting those, P6 and P8 by one comparison for each pair
    of cells or of leaves, E3 by one comparison for each cell.
    """
    from sympy import Max, log, sqrt

    n, _, _, sigma2, _, M = symbols()
    F = structural_function(family)
    table = {
        "P5": (F * Max(1, log(M) / log(n / M)), n / log(n)),
        "P6": (F + sigma2 * M**2 / n, sqrt(n)),
        "P7": (F, n / log(n) ** 2),
        "P8": (F + sigma2 * (M * log(M)) ** 2 / n, sqrt(n) / log(n)),
        "E3": (F + sigma2 * M / n, n),
    }
    if claim not in table:
        raise unknown_name("claim with a minimisation", claim, table)
    return Objective(claim, *table[claim], _OBJECTIVE_WORDS[claim])


class Minimum(NamedTuple):
    """Where an objective is least, and how small it is there."""

    cells: NDArray[np.float64]
    value: NDArray[np.float64]


def minimise(
    objective: Objective,
    n: ArrayLike,
    alpha: float = 1.0,
    scale: float = 1.0,
    sigma2: float = 1.0,
) -> Minimum:
    """Minimise an objective numerically over real M between 2 and ``most_cells``.

    A grid in log M brackets the minimum and a bounded search refines it, so that a closed rate
    can be held against what it claims to be the minimum of.

    Parameters
    ----------
    objective : Objective
        From :func:`objective`.
    n : array_like
        Numbers of comparisons, each large enough that ``most_cells`` is above 2.
    alpha, scale, sigma2 : float
        As in :meth:`Rate.evaluate`.

    Returns
    -------
    Minimum
        The minimising M and the least value, of n's shape.

    Raises
    ------
    InputError
        If some n leaves no room for two cells.
    """
    from scipy.optimize import minimize_scalar

    numbers = np.asarray(n, dtype=float)
    compiled = _compiled(objective.expression)
    most = np.broadcast_to(
        _compiled(objective.most_cells)(numbers, alpha, scale, sigma2, np.nan, np.nan),
        numbers.shape,
    )
    if not np.all(most > 2):
        raise InputError(f"{objective.claim} needs n large enough for more than two cells")
    cells, least = np.empty(numbers.shape), np.empty(numbers.shape)
    for index, number in np.ndenumerate(numbers):

        def value(log_cells: ArrayLike, number: float = number) -> NDArray[np.float64]:
            return compiled(number, alpha, scale, sigma2, np.nan, np.exp(log_cells))

        grid = np.linspace(np.log(2.0), np.log(most[index]), 1025)
        at = int(np.argmin(value(grid)))
        bracket = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
        refined = minimize_scalar(value, bounds=bracket, method="bounded").x
        candidates = np.array([grid[at], refined])
        best = candidates[np.argmin(value(candidates))]
        cells[index], least[index] = np.exp(best), value(best)
    return Minimum(cells, least)


def _check_names(family: str, regime: str, inference: str) -> None:
    for kind, name, known in (
        ("family", family, FAMILIES),
        ("regime", regime, REGIMES),
        ("inference", inference, INFERENCES),
    ):
        if name not in known:
            raise unknown_name(kind, name, known)
