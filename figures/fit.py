"""Rates held against measurements: the one constant a rate leaves open, and what remains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibn.errors import InputError
from ibn.figures.measurements import Curve, Rows, World, curve
from ibn.theory.rates import Rate, rate, ratio

LEAST_N = 10
"""Where rates begin to be compared: log log n is positive from e on, and tiny there."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A measured curve and the rate that the theory has for it.

    Attributes
    ----------
    name : str
        What was measured: a topology, or the quotient of two.
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
    def drift(self) -> tuple[float, float]:
        """Measured over rate at the largest n relative to the smallest, and its standard error.

        1 is what the rate says in the limit.
        """
        ends = self._far[[0, -1]]
        drift = self._quotients[-1] / self._quotients[0]
        relative = self.curve.stderr[ends] / self.curve.mean[ends]
        return float(drift), float(drift * np.hypot(*relative))

    def line(self, points: int = 100) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Points of the anchored rate between the sizes at which it is compared."""
        low, high = self.curve.n[self._far[[0, -1]]]
        n = np.geomspace(low, high, points)
        return n, self.constant * self._order(n)


def fit(rows: Rows, world: World, topology: str, inference: str) -> Fit | None:
    """Hold the rows of one topology and inference against their rate.

    Parameters
    ----------
    rows : structured ndarray
        Rows of one world.
    world : World
        That world.
    topology, inference : str
        Which rows.

    Returns
    -------
    Fit or None
        None unless measured at two sizes that are large enough for rates.
    """
    return _fit(
        topology, world, curve(rows, topology, inference), partial(rate, topology), inference
    )


def fit_ratio(rows: Rows, world: World, inference: str) -> Fit | None:
    """Hold chain over tree against the quotient of their rates (theory P9, E2).

    Parameters and returned value are those of :func:`fit`.
    """
    quotient = curve(rows, "chain", inference) / curve(rows, "tree", inference)
    return _fit("chain / tree", world, quotient, ratio, inference)


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
