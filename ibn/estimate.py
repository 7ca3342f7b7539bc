"""Monte Carlo numbers: an estimate is never without its standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibn.checks import positive, real, share
from ibn.errors import InputError


@dataclass(frozen=True)
class Estimate:
    """A Monte Carlo estimate.

    Attributes
    ----------
    mean : float
        The sample mean.
    stderr : float
        Its standard error: sample standard deviation over the root of ``count``.
    count : float
        Independent draws averaged; of what several averages make, one more than the effective
        degrees of freedom of its error, which need not be whole.
    seconds : float
        Wall-clock time taken.
    """

    mean: float
    stderr: float
    count: float
    seconds: float = 0.0

    def __post_init__(self) -> None:
        for name in ("mean", "stderr", "count", "seconds"):
            real(name, getattr(self, name))
        if self.stderr < 0 or self.count < 0:
            raise InputError(f"a negative {'stderr' if self.stderr < 0 else 'count'}")

    @classmethod
    def of(cls, draws: NDArray[np.float64], seconds: float = 0.0) -> Estimate:
        """Summarise independent draws; where one is infinite, so are mean and error."""
        count = len(draws)
        if not np.isfinite(draws).all():
            return cls(float(np.mean(draws)), float("inf"), count, seconds)
        stderr = float(np.std(draws, ddof=1) / np.sqrt(count)) if count > 1 else float("inf")
        return cls(float(np.mean(draws)), stderr, count, seconds)

    @property
    def relative_error(self) -> float:
        """Standard error over the size of the mean; 0 where both are 0."""
        if self.stderr == 0.0:
            return 0.0
        if np.isinf(self.mean):
            return float("inf")
        return self.stderr / abs(self.mean) if self.mean else float("inf")

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Student-t confidence interval for the expectation.

        Parameters
        ----------
        level : float
            Coverage, between 0 and 1.
        """
        half = self.margin(share("level", level))
        return (self.mean - half, self.mean + half)

    def margin(self, level: float = 0.95) -> float:
        """Half the width of :meth:`interval`; 0 where there is no sampling error."""
        if self.stderr == 0.0:
            return 0.0
        if self.count < 2:
            return float("inf")
        from scipy.special import stdtrit  # slow to load, and workers have no need of it

        return float(stdtrit(self.count - 1, 0.5 + level / 2)) * self.stderr


def combined(mean: float, variances: ArrayLike, counts: ArrayLike) -> Estimate:
    """Estimate whose variance is a sum of parts, each itself estimated from a few draws.

    Parameters
    ----------
    mean : float
        What is estimated.
    variances : array_like, shape (k,)
        The part of each in the variance of the mean.
    counts : array_like, shape (k,)
        Draws that each was estimated from.

    Returns
    -------
    Estimate
        With the effective degrees of freedom of Welch (1938) and Satterthwaite (1946); where one
        part is of a single draw, its error is not known and infinite.

    Examples
    --------
    >>> combined(2.0, [0.01, 0.03], [8, 8]).interval()
    """
    parts, free = np.asarray(variances, dtype=float), np.asarray(counts, dtype=float) - 1.0
    total = float(parts.sum())
    if np.any(free < 1) or not np.isfinite(total):
        return Estimate(float(mean), float("inf"), 1)
    freedom = total**2 / float(np.sum(parts**2 / free)) if total else float(free.sum())
    return Estimate(float(mean), float(np.sqrt(total)), 1.0 + freedom)


def quotient(top: Estimate, bottom: Estimate) -> Estimate:
    """Divide independent estimates; their relative variances add."""
    mean = top.mean / bottom.mean
    variances = [(mean * one.relative_error) ** 2 for one in (top, bottom)]
    return combined(mean, variances, [top.count, bottom.count])


def slope(n: ArrayLike, points: Sequence[Estimate]) -> Estimate:
    """Fit the exponent of n: least squares of the logarithms of independent means.

    Parameters
    ----------
    n : array_like, shape (k,)
        Numbers of comparisons.
    points : sequence of Estimate, length k
        The means, each over the datasets of its n.
    """
    logs = np.log(np.asarray(n, dtype=float))
    weights = (logs - logs.mean()) / np.sum((logs - logs.mean()) ** 2)
    value = float(weights @ np.log([one.mean for one in points]))
    variances = (weights * [one.relative_error for one in points]) ** 2
    return combined(value, variances, [one.count for one in points])


LEAST_TARGET = 1e-9
"""The least relative error to ask for: rounding is not far below it."""


def require_target(rel_err: float) -> None:
    """Raise InputError unless a relative standard error can be asked for."""
    if not positive("rel_err", rel_err) >= LEAST_TARGET:
        raise InputError(f"rel_err is {rel_err}", fix=f"at least {LEAST_TARGET:g}")


def estimate_mean(
    draw: Callable[[int], NDArray[np.float64]],
    rel_err: float,
    *,
    min_count: int,
    max_count: int = 2**31,
    max_seconds: float = float("inf"),
) -> Estimate:
    """Average independent draws until the relative standard error is small enough.

    Stopping the moment an estimated error dips below its target favours runs whose error is
    underestimated, so that intervals cover too little. Sampling therefore goes on until the
    target would hold were the estimated error too small by two of its own standard deviations,
    ``1 / sqrt(2 (count - 1))`` each.

    Parameters
    ----------
    draw : callable
        ``draw(k)`` returns k fresh independent draws.
    rel_err : float
        Target for standard error over mean, at least 1e-9.
    min_count : int
        Draws taken before the error is believed; from there on the next batch is what seems to
        be missing, at most as many as there are.
    max_count, max_seconds : optional
        Caps; an estimate they cut short has ``relative_error`` above the target.

    Raises
    ------
    InputError
        If the target is out of range.
    """
    require_target(rel_err)
    start = time.perf_counter()
    draws = draw(min(min_count, max_count))
    while True:
        count = len(draws)
        result = Estimate.of(draws, time.perf_counter() - start)
        slack = 1.0 + 2.0 / np.sqrt(2.0 * max(count - 1, 1))
        excess = result.relative_error * slack / rel_err
        if (
            excess <= 1.0
            or np.isinf(result.mean)
            or count >= max_count
            or result.seconds >= max_seconds
        ):
            return result
        missing = count * (min(excess, 2.0) ** 2 - 1.0)
        wanted = max(min_count, min(count, int(missing) + 1))
        draws = np.concatenate([draws, draw(min(wanted, max_count - count))])
