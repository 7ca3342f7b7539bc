"""Rates held against measurements: the one constant a rate leaves open, and what remains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibn.errors import InputError
from ibn.estimate import Estimate, quotient, slope
from ibn.figures.measurements import Curve, Rows, World, curve
from ibn.theory.rates import Rate, rate, ratio

FEW, BEST = "n / log n", "n"
LEAVES: dict[str, Callable[[int], float] | None] = {FEW: None, BEST: float}
"""|S| of the trees that figures show: the paper's, and near the best along paths (claim T5)."""
LEAST_N = 10
"""Where rates begin to be compared: log log n is positive from e on, and tiny there."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A measured curve and the rate that the theory has for it.

    Attributes
    ----------
    name : str
        What was measured: a topology, or |S| of the tree that a chain is divided by.
    world : World
        Where.
    curve : Curve
        The measurements.
    regimes : list of str
        Regimes of the sizes measured, ``"A"``, ``"B"`` or both.
    rate : Rate or None
        The theory's rate; None where it has none, or the sizes lie in both regimes.
    """

    name: str
    world: World
    curve: Curve
    regimes: list[str]
    rate: Rate | None

    @property
    def _far(self) -> NDArray[np.intp]:
        """Positions of the sizes at which rates are compared."""
        return np.flatnonzero(self.curve.n >= LEAST_N)

    @property
    def _quotients(self) -> NDArray[np.float64]:
        """Measured over rate at those sizes."""
        return self.curve.mean[self._far] / self._order(self.curve.n[self._far])

    def _order(self, n: ArrayLike) -> NDArray[np.float64]:
        assert self.rate is not None
        # |S| between the measured sizes: a straight line in log-log.
        logs = np.log(self.curve.n), np.log(np.maximum(self.curve.leaves, 1))
        leaves = np.exp(np.interp(np.log(n), *logs))
        return self.world.evaluate(self.rate, n, leaves)

    @property
    def constant(self) -> float:
        """Geometric mean of measured over rate: the constant that anchors the drawn rate."""
        return float(np.exp(np.mean(np.log(self._quotients))))

    @property
    def drift(self) -> Estimate:
        """Measured over rate at the largest n relative to the smallest; 1 if the rate holds."""
        first, last = (self.curve.points[i] for i in self._far[[0, -1]])
        measured = quotient(last, first)
        rate = self._quotients[-1] / self._quotients[0] / measured.mean
        return Estimate(rate * measured.mean, rate * measured.stderr, measured.count)

    @property
    def exponent(self) -> Estimate:
        """Least-squares slope of log uncertainty in log n, its error over datasets."""
        return slope(self.curve.n[self._far], [self.curve.points[i] for i in self._far])

    def line(self, points: int = 100) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Points of the anchored rate between the sizes at which it is compared."""
        low, high = self.curve.n[self._far[[0, -1]]]
        n = np.geomspace(low, high, points)
        return n, self.constant * self._order(n)


def fit(rows: Rows, world: World, topology: str, inference: str, rule: str = FEW) -> Fit | None:
    """Hold the rows of one topology and inference against their rate.

    Parameters
    ----------
    rows : structured ndarray
        Rows of one world.
    world : World
        That world.
    topology, inference : str
        Which rows.
    rule : str
        |S| of a tree, one of ``LEAVES``.

    Returns
    -------
    Fit or None
        None unless measured at two sizes that are large enough for rates.
    """
    named = topology if rule == FEW else f"{topology}, |S| = {rule}"
    measured = curve(rows, topology, inference, LEAVES[rule])
    return _fit(named, world, measured, partial(rate, topology), inference)


def fit_ratio(rows: Rows, world: World, inference: str, rule: str = FEW) -> Fit | None:
    """Hold chain over tree against the quotient of their rates (theory P9, E2).

    Parameters and returned value are those of :func:`fit`.
    """
    measured = curve(rows, "chain", inference) / curve(rows, "tree", inference, LEAVES[rule])
    return _fit(f"|S| = {rule}", world, measured, ratio, inference)


def _fit(
    name: str, world: World, measured: Curve, rate_of: Callable[..., Rate], inference: str
) -> Fit | None:
    far = measured.n[measured.n >= LEAST_N]
    if len(far) < 2:
        return None
    regimes, known = world.regimes(far), None
    if len(regimes) == 1:
        try:
            known = rate_of(world.family, regimes[0], inference)
        except InputError:  # the theory has none for this topology and regime
            known = None
    return Fit(name, world, measured, regimes, known)
