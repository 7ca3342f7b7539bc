"""How fast the chain's loss falls with labels, beside the exact rate of the theory (E3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError
from ibn.simulations.pools.clustered import Means
from ibn.structure import estimate_structure, fit_families

Floats = NDArray[np.float64]
EXPONENTS = np.linspace(0.05, 2.0, 79)
PARAMETERS = 3  # of the curve: c, A and ρ
MOST = 4000  # responses that the structural function is estimated from
DRAWS = 1000


def exponent(ns: Floats, curve: Floats, deviation: Floats) -> float:
    """Fit c + A n^-ρ by weighted least squares, A at least 0, and return ρ.

    >>> import numpy as np
    >>> ns = np.array([100.0, 300.0, 1000.0, 3000.0])
    >>> round(exponent(ns, 0.6 + ns**-0.5, np.ones(4)), 2)
    0.5
    """
    best, found = np.inf, float(EXPONENTS[0])
    for rho in EXPONENTS:
        design = np.column_stack([np.ones(len(ns)), ns**-rho]) / deviation[:, None]
        solution, *_ = np.linalg.lstsq(design, curve / deviation, rcond=None)
        if solution[1] < 0:
            solution = np.array([np.average(curve, weights=deviation**-2), 0.0])
        rest = float(np.sum((curve / deviation - design @ solution) ** 2))
        if rest < best * (1 - 1e-12):
            best, found = rest, float(rho)
    return found


def fall(ns: list[int], curve: Means, features: Floats, prompt_of: NDArray) -> dict[str, Any]:
    """Hold the fitted exponent of a curve beside α/(1 + α) of the features' structure.

    Parameters
    ----------
    ns : list of int
        Labels.
    curve : Means
        The chain's log loss at each.
    features : ndarray
        Of all responses.
    prompt_of : ndarray of int

    Returns
    -------
    dict
        Empty where fewer numbers of labels than parameters are compared, or no deviation is known.
    """
    at, deviation = np.array(ns, float), np.sqrt(np.diagonal(curve.covariance))
    if len(at) < PARAMETERS or not np.all(deviation > 0):
        return {}
    drawn = curve.value + curve.noise()[:DRAWS]
    each = [exponent(at, one, deviation) for one in drawn]
    low, high = np.quantile(each, [0.025, 0.975])
    found: dict[str, Any] = {
        "fitted": exponent(at, curve.value, deviation),
        "low": float(low),
        "high": float(high),
        "range": [float(EXPONENTS[0]), float(EXPONENTS[-1])],
    }
    rng = np.random.default_rng(np.random.SeedSequence(0))
    some = np.sort(rng.permutation(len(features))[:MOST])
    try:
        fits = fit_families(
            estimate_structure(features[some], rng=rng, metric="euclidean", groups=prompt_of[some])
        )
    except InputError:
        return found
    power, ends = fits.power, fits.power.alpha_interval
    return {
        **found,
        "alpha": power.alpha,
        "alpha_low": ends[0],
        "alpha_high": ends[1],
        "predicted": power.alpha / (1.0 + power.alpha),
        "words": fits.words(),
    }
