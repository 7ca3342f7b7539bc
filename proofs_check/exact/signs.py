"""What binary labels say where β → ∞: the signs of reward differences, and nothing else.

The posterior is then a Gaussian truncated to half-spaces. Expectation propagation (Minka 2001;
Rasmussen and Williams 2006, §3.6) approximates its moments, elliptical slice sampling restricted
to the half-spaces (Murray, Adams and MacKay 2010; Gessner, Kanjilal and Hennig 2020) walks through
it exactly; each is held against the other, and the first against the truth it was not shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import log_ndtr

from ibn.bias.ultrametric import Ultrametric
from ibn.estimate import Estimate
from ibn.preferences.comparisons import Comparisons
from ibn.proofs_check.claim import Context
from ibn.proofs_check.exact.freedom import difference_covariance

MOST_SWEEPS = 400
DAMPING = 0.5
TOLERANCE = 1e-4  # of the means, in posterior deviations
WALKS = 8
LEAST_PRECISION = 1e-9  # of a site, over the prior's own; it is never negative


@dataclass(frozen=True, eq=False)
class Truncated:
    """Gaussian approximation of N(0, K) truncated to x > 0: one Gaussian site a half-space.

    Attributes
    ----------
    covariance : ndarray, shape (n, n)
        K.
    precision, shift : ndarray, shape (n,)
        Each site is proportional to exp(-precision x²/2 + shift x).
    mean, variance : ndarray, shape (n,)
        Approximate posterior moments of each x.
    """

    covariance: NDArray[np.float64]
    precision: NDArray[np.float64]
    shift: NDArray[np.float64]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]

    def explained(self, cross: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
        """Posterior mean of other differences, and what the labels take off their variance.

        Parameters
        ----------
        cross : ndarray, shape (n, q)
            Their prior covariance with each x.
        """
        root = np.sqrt(self.precision)
        factor = cho_factor(np.eye(len(root)) + root[:, None] * self.covariance * root, lower=True)
        scaled = root[:, None] * cross
        taken = np.einsum("eq,eq->q", scaled, cho_solve(factor, scaled))
        return cross.T @ (self.shift - self.precision * self.mean), taken


def expectation_propagation(covariance: NDArray[np.float64]) -> Truncated:
    """Match the moments of N(0, K) truncated to x > 0, one half-space at a time, in parallel.

    Raises
    ------
    RuntimeError
        If the means have not settled after ``MOST_SWEEPS`` sweeps.
    """
    size = len(covariance)
    precision, shift = np.full(size, LEAST_PRECISION), np.zeros(size)
    mean, variance = np.zeros(size), np.diag(covariance).copy()
    for _ in range(MOST_SWEEPS):
        cavity = 1.0 / (1.0 / variance - precision)
        centre = cavity * (mean / variance - shift)
        z = centre / np.sqrt(cavity)
        pull = np.exp(-0.5 * z**2 - 0.5 * np.log(2.0 * np.pi) - log_ndtr(z))
        tilted = cavity * np.maximum(1.0 - pull * (z + pull), 1e-12)
        wanted = np.maximum(1.0 / tilted - 1.0 / cavity, LEAST_PRECISION)
        moved = (centre + np.sqrt(cavity) * pull) / tilted - centre / cavity
        precision = precision + DAMPING * (wanted - precision)
        shift = shift + DAMPING * (moved - shift)
        root = np.sqrt(precision)
        factor = np.linalg.cholesky(np.eye(size) + root[:, None] * covariance * root)
        # K less the square of this is the posterior covariance, of which the diagonal is wanted.
        taken = solve_triangular(factor, root[:, None] * covariance, lower=True)
        before, mean = mean, covariance @ shift - taken.T @ (taken @ shift)
        variance = np.diag(covariance) - np.einsum("ij,ij->j", taken, taken)
        if np.max(np.abs(mean - before) / np.sqrt(variance)) < TOLERANCE:
            return Truncated(covariance, precision, shift, mean, variance)
    raise RuntimeError(f"expectation propagation has not settled after {MOST_SWEEPS} sweeps")


def slice_sweeps(
    root: NDArray[np.float64], start: NDArray[np.float64], rng: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Walk through N(0, root root') truncated to x > 0, for ever; reversible, nothing rejected.

    On the ellipse x cos θ + u sin θ through the state and a fresh u each half-space admits a half
    turn about its own angle, so that all admit one interval, which contains θ = 0.

    Parameters
    ----------
    root : ndarray, shape (n, n)
        Any root of the covariance.
    start : ndarray, shape (..., n)
        States of independent walks, all positive.
    """
    x = np.array(start, dtype=float)
    while True:
        u = rng.normal(size=x.shape) @ root.T
        angle = np.arctan2(u, x)
        low = angle.max(axis=-1, keepdims=True) - np.pi / 2
        high = angle.min(axis=-1, keepdims=True) + np.pi / 2
        theta = rng.uniform(low, high)
        x = x * np.cos(theta) + u * np.sin(theta)
        yield x


@dataclass(frozen=True)
class Learned:
    """What the signs of one dataset teach, by expectation propagation.

    Attributes
    ----------
    variance : float
        Mean posterior variance it claims for r(y1) - r(y2) over fresh pairs.
    error : float
        Mean squared error of its posterior mean there: in expectation an upper bound on the exact
        posterior variance, whatever the approximation is worth.
    """

    variance: float
    error: float


def learn(
    world: Ultrametric, comparisons: Comparisons, rng: np.random.Generator, pairs: int
) -> Learned:
    """Draw rewards, read the sign of each comparison, and learn from the signs alone."""
    told = len(comparisons.responses)
    fresh = world.sample(2 * pairs, rng)
    everything = np.concatenate([comparisons.responses, fresh])
    rewards = world.rewards(everything, rng)
    winner = np.where(rewards[comparisons.a] > rewards[comparisons.b], 1, -1)
    first = np.where(winner > 0, comparisons.a, comparisons.b)
    second = np.where(winner > 0, comparisons.b, comparisons.a)
    # A sign heard twice says nothing new, but the approximation would count it twice.
    first, second = np.unique(np.stack([first, second]), axis=1)
    ends = everything[first], everything[second]
    queries = fresh[:pairs], fresh[pairs:]
    truth = rewards[told : told + pairs] - rewards[told + pairs :]
    fitted = expectation_propagation(difference_covariance(world, ends, ends))
    mean, taken = fitted.explained(difference_covariance(world, ends, queries))
    variance = world.distance(*queries) - taken
    return Learned(float(variance.mean()), float(np.mean((mean - truth) ** 2)))


def compare_with_walks(
    world: Ultrametric,
    comparisons: Comparisons,
    context: Context,
    datasets: int,
    sweeps: int = 1500,
) -> Estimate:
    """Quotient of the two variances of a compared difference, expectation propagation over walks.

    Each dataset draws rewards of its own, and its walks start at them: a draw from the posterior.
    """
    rng = context.rng(f"walks {world}")
    address = comparisons.responses
    quotients = []
    for _ in range(datasets):
        rewards = world.rewards(address, rng)
        won = rewards[comparisons.a] > rewards[comparisons.b]
        first = address[np.where(won, comparisons.a, comparisons.b)]
        second = address[np.where(won, comparisons.b, comparisons.a)]
        covariance = difference_covariance(world, (first, second), (first, second))
        truth = np.abs(rewards[comparisons.a] - rewards[comparisons.b])
        root = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
        walk = slice_sweeps(root, np.tile(truth, (WALKS, 1)), rng)
        states = np.stack([next(walk) for _ in range(sweeps)])[sweeps // 4 :]
        walked = states.reshape(-1, len(truth)).var(axis=0)
        quotients.append(expectation_propagation(covariance).variance.sum() / walked.sum())
    return Estimate.of(np.array(quotients))
