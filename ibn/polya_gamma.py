"""Pólya-Gamma variables: the random precisions that make logistic likelihoods Gaussian.

cosh(x/2)^(-b) = E[exp(-ω x²/2)] over ω ~ PG(b, 0), and given x the precision is PG(b, x)
(Polson, Scott and Windle 2013).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TERMS = 32
SMALL = 0.05


def mean(b: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of PG(b, x): b tanh(x/2)/(2x)."""
    x = np.abs(x)
    near = b / 4.0 * (1.0 - x**2 / 12.0 + x**4 / 120.0)
    return np.divide(b * np.tanh(x / 2.0), 2.0 * x, where=x > SMALL, out=near)


def variance(b: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variance of PG(b, x): b (sinh x - x)/(4x³ cosh²(x/2))."""
    x = np.abs(x)
    near = b / 24.0 * (1.0 - x**2 / 5.0 + 17.0 * x**4 / 560.0)
    decay = np.exp(-x)
    spread = 2.0 * b * ((1.0 - decay**2) / 2.0 - x * decay) / (1.0 + decay) ** 2
    return np.divide(spread, 2.0 * x**3, where=x > SMALL, out=near)


def _terms(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scales of the first gamma variables of the series for each x, shape (n, TERMS)."""
    k = np.arange(TERMS) + 0.5
    return 1.0 / (2.0 * np.pi**2 * k**2 + x[:, None] ** 2 / 2.0)


def draw(b: float, x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw one PG(b, x) variable for each x.

    PG(b, x) is an infinite sum of gamma variables of shape b. All of it beyond the first
    ``TERMS``, less than a millionth of the variance at x = 0, is drawn as one gamma variable of
    the same mean and variance.

    Parameters
    ----------
    b : float
        Shape.
    x : ndarray of float, shape (n,)
        Tilts.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of float, shape (n,)
    """
    scale = _terms(x)
    head = np.einsum("nk,nk->n", scale, rng.standard_gamma(b, scale.shape))
    shape, unit = _rest(b, x, scale)
    return head + unit * rng.standard_gamma(shape)


def _rest(
    b: float, x: NDArray[np.float64], scale: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shape and scale of the gamma variable that stands for the rest of the series."""
    rest_mean = mean(b, x) - b * scale.sum(axis=1)
    rest_variance = variance(b, x) - b * np.einsum("nk,nk->n", scale, scale)
    return rest_mean**2 / rest_variance, rest_variance / rest_mean
