"""What planned labels are expected to bring on new prompts, beside random ones.

Rewards are drawn from the belief so far; labels of the planned and of random comparisons, and of
pairs held out, are drawn from these rewards; the belief takes the labels in, and is held against
the pairs held out. The belief is of a model that real rewards follow only in part, so that
gains are forecast too large: they are shrunk, and their intervals widened, by factors that were
set once, on six splits of HH, half of AlpacaEval, GSM8K and translations, before the share of
random picks grew with the labels. ``python -m benchmarks labels`` holds them against other sets,
where they predict nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, qr, solve_triangular
from scipy.special import expit

from ibn.learner.reward_model import RewardModel

DRAWS = 100
HELD_OUT = 400  # pairs that each draw is held against
# By what a forecast's mean, and the width of its interval, are multiplied.
LOSS_CORRECTION = (0.25, 1.2)
ACCURACY_CORRECTION = (0.75, 1.0)
LEVEL = 0.8
STEPS = 30  # of Newton's method, at most
LARGE = 1e10  # of a precision, to which the prior's 1 adds too few digits from there on
SMALLEST, ENOUGH = 1e-12, 1e-8  # of a step, and of what one gains in log posterior


@dataclass(frozen=True, eq=False)
class Gain:
    """A gain over random labels: forecast, and its 80 % interval."""

    mean: float
    low: float
    high: float

    def corrected(self, shrink: float, widen: float) -> Gain:
        """Shrink the mean and widen the interval about it."""
        mean = shrink * self.mean
        low, high = mean - widen * (self.mean - self.low), mean + widen * (self.high - self.mean)
        return Gain(mean, low, high)


@dataclass(frozen=True, eq=False)
class Forecast:
    """What planned labels bring beyond as many random ones, on new prompts."""

    log_loss: Gain  # by how much it is lower
    accuracy: Gain  # by how much it is higher, of pairs


def updated(
    mean: NDArray[np.float64],
    root: NDArray[np.float64],
    x: NDArray[np.float64],
    won: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take binary labels into a Gaussian belief, by Laplace's method.

    ``root``: shape (d, d), times its own transpose the covariance; ``x``: shape (k, d), differences
    of features; ``won``: shape (k,), 1 where the first is preferred and 0 otherwise. Returns the
    mode and a root of its covariance.
    """
    sign = 2.0 * won - 1.0
    offset, turned = sign * (x @ mean), sign[:, None] * (x @ root)

    # In units of the belief, whose precision is then 1: it may be 10^18 times finer than a label.
    def value(z: NDArray[np.float64]) -> float:
        return -float(np.logaddexp(0.0, -(offset + turned @ z)).sum() + 0.5 * z @ z)

    z = np.zeros(len(mean))
    best = value(z)
    for _ in range(STEPS):
        short = expit(-(offset + turned @ z))
        factor = _precision(turned, short)
        step = cho_solve((factor, False), turned.T @ short - z)
        while (higher := value(z + step)) < best and np.abs(step).max() > SMALLEST:
            step /= 2.0
        if higher < best:
            break
        z, gained, best = z + step, higher - best, higher
        if gained < ENOUGH:
            break
    factor = _precision(turned, expit(-(offset + turned @ z)))
    return mean + root @ z, solve_triangular(factor, root.T, trans="T").T


def _precision(turned: NDArray[np.float64], short: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upper triangular factor of the precision: of 1, and of the labels' curvature."""
    rows = turned * np.sqrt(short * (1.0 - short))[:, None]
    precision = np.eye(rows.shape[1]) + rows.T @ rows
    if precision.max() < LARGE:
        return np.asarray(cholesky(precision))
    (factor,) = qr(np.concatenate([rows, np.eye(len(precision))]), mode="r")
    return np.asarray(factor[: len(precision)])


def forecast(
    model: RewardModel,
    planned: NDArray[np.int64],
    random: Callable[[np.random.Generator], NDArray[np.int64]],
    targets: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    corrected: bool = True,
) -> Forecast:
    """Forecast the gain of planned over random comparisons by drawing rewards and labels.

    Parameters
    ----------
    model : RewardModel
        The belief so far, of binary labels.
    planned : ndarray of int, shape (K, 2)
        Planned comparisons, positions of responses.
    random : callable
        Draws as many random ones.
    targets : ndarray of int, shape (T, 2)
        Pairs that matter, or a random sample of them.
    rng : numpy.random.Generator
        Of everything random.
    draws : int
        Of rewards and labels.
    corrected : bool
        Whether to shrink gains by what real labels gave; otherwise they are the model's.
    """
    root = np.asarray(np.linalg.cholesky(model.covariance), dtype=np.float64)
    x = _differences(model, planned)
    gains = np.empty((draws, 2))
    for gain in gains:
        truth = model.mean + root @ rng.normal(size=len(root))
        held = _differences(model, targets[rng.integers(0, len(targets), HELD_OUT)])
        turned = held * (2.0 * _labels(held, truth, rng) - 1.0)[:, None]
        scores = []
        for some in (x, _differences(model, random(rng))):
            mode, after = updated(model.mean, root, some, _labels(some, truth, rng))
            variance = np.sum((turned @ after) ** 2, axis=1)
            logit = turned @ mode / np.sqrt(1.0 + np.pi / 8.0 * variance)
            scores.append([np.mean(np.logaddexp(0.0, -logit)), np.mean(logit > 0)])
        gain[:] = scores[1][0] - scores[0][0], scores[0][1] - scores[1][1]
    loss, accuracy = (_gain(column) for column in gains.T)
    if corrected:
        loss = loss.corrected(*LOSS_CORRECTION)
        accuracy = accuracy.corrected(*ACCURACY_CORRECTION)
    return Forecast(loss, accuracy)


def _differences(model: RewardModel, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    return model.beta * (model.features[pairs[:, 0]] - model.features[pairs[:, 1]])


def _labels(
    x: NDArray[np.float64], truth: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    return (rng.random(len(x)) < expit(x @ truth)).astype(float)


def _gain(draws: NDArray[np.float64]) -> Gain:
    low, high = np.quantile(draws, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Gain(float(draws.mean()), float(low), float(high))
