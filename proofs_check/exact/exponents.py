"""Exponents of n and of log n, fitted to measured means, with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

NO_NOISE = 1e-6  # σ² over F where the limit of small σ² is meant

Interval = tuple[float, float]


def exponents(
    n: Sequence[float], values: NDArray[np.float64], level: float, terms: Sequence[str]
) -> list[Interval]:
    """Fit log(value) = constant + e log n + l log log n by least squares.

    Parameters
    ----------
    n : sequence of float
        Sizes.
    values : ndarray, shape (replicates, sizes)
        Independent measurements.
    level : float
        Coverage of each interval. Their widths follow from the residuals of each point by
        itself (HC3, MacKinnon and White 1985), for the spread may depend on n.
    terms : sequence of {"n", "log n"}
        Which exponents to fit; the others are held at 0.
    """
    logs = np.log(np.asarray(n, dtype=float))
    columns = {"n": logs, "log n": np.log(logs)}
    design = np.stack([np.ones_like(logs), *(columns[term] for term in terms)], axis=1)
    design = np.tile(design, (len(values), 1))
    target = np.log(values).ravel()
    inverse = np.linalg.pinv(design)
    fitted = inverse @ target
    leverage = np.einsum("ij,ji->i", design, inverse)
    residual = (target - design @ fitted) / (1.0 - leverage)
    half = np.sqrt(inverse**2 @ residual**2)
    half *= student.isf((1.0 - level) / 2.0, len(target) - design.shape[1])
    return [(float(x - h), float(x + h)) for x, h in zip(fitted[1:], half[1:], strict=True)]


def measured(
    measure: Callable[[int, float], float],
    n: Sequence[int],
    order: NDArray[np.float64],
    replicates: int,
) -> NDArray[np.float64]:
    """Measure a mean over its supposed order, given n and a σ² far below.

    Returns
    -------
    ndarray of float, shape (replicates, sizes)
    """
    return np.array(
        [
            [measure(size, NO_NOISE * f) / f for size, f in zip(n, order, strict=True)]
            for _ in range(replicates)
        ]
    )


def contains(interval: Interval, value: float) -> bool:
    """Tell whether an interval covers a value."""
    return interval[0] <= value <= interval[1]


def show(interval: Interval) -> str:
    """Write an interval of an exponent."""
    return f"[{interval[0]:+.3f}, {interval[1]:+.3f}]"
