"""Which family a structural function belongs to, and with what exponent α and scale I."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import least_squares
from scipy.special import ndtri, stdtrit

from ibn.bias.ultrametric import FAMILIES, Ultrametric
from ibn.errors import InputError
from ibn.structure.function import Structure

DECISIVE = 6.0  # of AIC between the best family and the next: odds of e³ ≈ 20
MISFIT_NAMED = 3.0  # χ² per degree of freedom from which on words mention it
ALPHAS = (1e-4, 15.0)
BRANCHING = 2

Interval = tuple[float, float]


@dataclass(frozen=True)
class FamilyFit:
    """A family fitted to an estimated structural function.

    Attributes
    ----------
    family : str
        One of :data:`ibn.bias.ultrametric.FAMILIES`.
    alpha : float
        Its exponent; NaN for the sub-logarithmic family, which has none.
    alpha_interval : tuple of float
        At ``Fits.level``.
    scale : float
        I, in squared units of reward.
    scale_interval : tuple of float
        At ``Fits.level``.
    misfit : float
        χ² over its degrees of freedom: about 1 where only sampling error parts family and
        estimate. Where it is above 1, intervals are wider by its root.
    residual : float
        Largest |log(estimate / fit)| over the numbers of cells.
    aic : float
        Quasi-AIC, see :func:`fit_families`; smaller is better.
    """

    family: str
    alpha: float
    alpha_interval: Interval
    scale: float
    scale_interval: Interval
    misfit: float
    residual: float
    aic: float

    def world(self) -> Ultrametric:
        """Return the binary ultrametric world that has this structural function."""
        alpha = 1.0 if np.isnan(self.alpha) else self.alpha
        return Ultrametric(self.family, alpha=alpha, scale=self.scale, branching=BRANCHING)


@dataclass(frozen=True)
class Fits:
    """All families fitted.

    Attributes
    ----------
    power, logarithmic, sub_logarithmic : FamilyFit
        One a family.
    selected : str or None
        The best family, where the data can tell it from the others: None where another is
        within 6 of its quasi-AIC (odds below about 20 to 1).
    level : float
        Coverage of the intervals.
    """

    power: FamilyFit
    logarithmic: FamilyFit
    sub_logarithmic: FamilyFit
    selected: str | None
    level: float

    @property
    def ranked(self) -> tuple[FamilyFit, ...]:
        """From the best to the worst by quasi-AIC."""
        return tuple(sorted((self.power, self.logarithmic, self.sub_logarithmic), key=_aic))

    def words(self) -> str:
        """Say which family it is, or which ones are alike."""
        best = self.ranked[0]
        close = [fit.family for fit in self.ranked if fit.aic < best.aic + DECISIVE]
        if len(close) > 1:
            return f"cannot tell {' from '.join(close)} over this range of M"
        words = f"{best.family} family, of the three"
        if best.misfit > MISFIT_NAMED:
            words += f"; up to {best.residual:.1%} off, {best.misfit:.3g} × what sampling explains"
        return words


def fit_families(structure: Structure, *, level: float = 0.95) -> Fits:
    """Fit each family to an estimated structural function and select among them.

    A family's F is that of the binary ultrametric world (theory §3), exact at every M = 2^k:
    I·M^(-α) up to a constant, and for the slower families the mean over depths that a cell has.
    Generalised least squares in log F, with the covariance of the estimate; where even the best
    family leaves more than sampling explains, χ² is divided by what it leaves per degree of
    freedom before AIC compares the families (quasi-AIC, Burnham & Anderson 2002, §2.5).

    Parameters
    ----------
    structure : Structure
        From :func:`ibn.structure.estimate_structure`, with at least three numbers of cells.
    level : float
        Coverage of the intervals, between 0 and 1.

    Raises
    ------
    InputError
        If there are fewer than three numbers of cells, or an F(M) is not positive.
    """
    value = structure.value
    if len(value) < 3:
        raise InputError(
            f"{len(value)} numbers of cells are too few to fit a family", fix="give at least 3"
        )
    if not np.all(value > 0):
        raise InputError("a cell's responses are all at distance 0: there is no decay to fit")
    whiten = _whitening(structure.covariance / np.outer(value, value))
    found = [_fit(family, structure, whiten) for family in FAMILIES]
    inflation = max(1.0, min(chi2 / dof for _, _, chi2, dof in found))
    power, logarithmic, sub_logarithmic = (
        _describe(family, structure, *one, inflation, level)
        for family, one in zip(FAMILIES, found, strict=True)
    )
    best, second, _ = sorted((power, logarithmic, sub_logarithmic), key=_aic)
    selected = best.family if second.aic - best.aic >= DECISIVE else None
    return Fits(power, logarithmic, sub_logarithmic, selected, level)


def _aic(fit: FamilyFit) -> float:
    return fit.aic


def _whitening(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """W with W C Wᵀ = 1; directions that the jackknife cannot resolve get its noise floor."""
    values, vectors = eigh(covariance)
    return (vectors / np.sqrt(np.maximum(values, 1e-6 * values[-1]))).T


def _fit(
    family: str, structure: Structure, whiten: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, int]:
    """Least squares in log I and, where there is one, log α: both, their covariance, χ², dof."""
    target = np.log(structure.value)
    has_alpha = family != "sub-logarithmic"

    def residual(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        return whiten @ (target - parameters[0] - _shape(family, parameters[1:], structure.cells))

    start = np.array([target[0], np.log(0.3)])[: 1 + has_alpha]
    low = [-np.inf, np.log(ALPHAS[0])][: 1 + has_alpha]
    high = [np.inf, np.log(ALPHAS[1])][: 1 + has_alpha]
    result = least_squares(residual, start, bounds=(low, high), x_scale="jac")
    covariance = np.linalg.pinv(result.jac.T @ result.jac)
    return result.x, covariance, float(2.0 * result.cost), len(target) - len(start)


def _shape(
    family: str, log_alpha: NDArray[np.float64], cells: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Log F at scale 1."""
    alpha = float(np.exp(log_alpha[0])) if log_alpha.size else 1.0
    return np.log(Ultrametric(family, alpha=alpha, branching=BRANCHING).structural_function(cells))


def _describe(
    family: str,
    structure: Structure,
    parameters: NDArray[np.float64],
    covariance: NDArray[np.float64],
    chi2: float,
    dof: int,
    inflation: float,
    level: float,
) -> FamilyFit:
    misfit = chi2 / dof
    tail = 0.5 + level / 2.0
    # The error that a misfit shows has few degrees of freedom behind it.
    width = float(ndtri(tail) if misfit <= 1.0 else np.sqrt(misfit) * stdtrit(dof, tail))
    half = width * np.sqrt(np.diag(covariance))
    with np.errstate(over="ignore"):  # where F hardly falls, α may be anything
        low, high = np.exp(parameters - half), np.exp(parameters + half)
    middle = np.exp(parameters)
    left = np.log(structure.value) - parameters[0]
    left -= _shape(family, parameters[1:], structure.cells)
    has_alpha = len(parameters) > 1
    return FamilyFit(
        family=family,
        alpha=float(middle[1]) if has_alpha else float("nan"),
        alpha_interval=(float(low[1]), float(high[1])) if has_alpha else (float("nan"),) * 2,
        scale=float(middle[0]),
        scale_interval=(float(low[0]), float(high[0])),
        misfit=misfit,
        residual=float(np.abs(left).max()),
        aic=chi2 / inflation + 2.0 * len(parameters),
    )
