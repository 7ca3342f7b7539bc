"""The posterior of weights, given labels of pairs that depend on differences of features.

A label of the pair (a, b) depends on xᵀw with x = φ(a) - φ(b) and w ~ N(0, scale · I). A Newton
step costs min(pairs, responses) · d² + d³.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, lapack
from scipy.sparse import csr_array
from scipy.special import expit, log_expit

from ibn.errors import InputError, unknown_name
from ibn.preferences.comparisons import Comparisons

LABELS = ("binary", "gaussian")
MOST_STEPS = 100
TOLERANCE = 1e-8  # of the mode, in posterior standard deviations
ROUNDING = 1e-12  # of the log-posterior
BLOCK = 4096


@dataclass(frozen=True, eq=False)
class PairLabels:
    """Labels by pair: repeated comparisons of the same two responses are added up.

    Attributes
    ----------
    features : ndarray of float, shape (m, d)
        Φ.
    a, b : ndarray of int, shape (k,)
        The distinct pairs.
    plus, minus : ndarray of float, shape (k,)
        Binary labels for a and for b, a tie half of each; for Gaussian labels their number and
        their sum.
    square : float
        Sum of squared Gaussian labels.
    """

    features: NDArray[np.float64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    plus: NDArray[np.float64]
    minus: NDArray[np.float64]
    square: float = 0.0

    @classmethod
    def of(cls, features: NDArray[np.float64], comparisons: Comparisons, labels: str) -> PairLabels:
        """Read the labels of comparisons among the rows of Φ.

        Raises
        ------
        InputError
            If the kind of labels is unknown, they are missing or not finite, or Φ has another
            number of rows than there are responses.
        """
        if labels not in LABELS:
            raise unknown_name("kind of labels", labels, LABELS)
        name = "winner" if labels == "binary" else "delta"
        label = getattr(comparisons, name)
        if label is None:
            raise InputError(f"{labels} labels need {name} for every comparison")
        m = len(comparisons.responses)
        if features.ndim != 2 or len(features) != m:
            raise InputError(f"features of shape {features.shape} for {m} responses")
        if not len(label):
            raise InputError("there are no comparisons to learn from")
        label = np.asarray(label, dtype=float)
        if not np.isfinite(label).all():
            raise InputError(f"label {np.flatnonzero(~np.isfinite(label))[0]} is not finite")
        a, b = comparisons.a, comparisons.b
        label = np.where(a < b, label, -label)
        key = np.minimum(a, b) * m + np.maximum(a, b)
        pair, at = np.unique(key, return_inverse=True)
        if labels == "binary":
            parts = ((1.0 + label) / 2.0, (1.0 - label) / 2.0)
        else:
            parts = (np.ones_like(label), label)
        plus, minus = (np.bincount(at, part, len(pair)).astype(float) for part in parts)
        return cls(features, pair // m, pair % m, plus, minus, float(label @ label))

    def gap(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Reward difference of each pair under these weights."""
        reward = self.features @ weights
        return reward[self.a] - reward[self.b]

    def pull(self, force: NDArray[np.float64]) -> NDArray[np.float64]:
        """Σ force x over the pairs, shape (d,)."""
        m = len(self.features)
        return self.features.T @ (np.bincount(self.a, force, m) - np.bincount(self.b, force, m))

    def information(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Σ weight x xᵀ over the pairs, shape (d, d)."""
        m, d = self.features.shape
        if len(self.a) >= m:  # Φᵀ L Φ with L the weighted Laplacian of the pairs
            ends = np.concatenate([self.a, self.b]), np.concatenate([self.b, self.a])
            off = csr_array((np.concatenate([weight, weight]), ends), shape=(m, m))
            degree = np.bincount(ends[0], np.concatenate([weight, weight]), m)
            return self.features.T @ (degree[:, None] * self.features - off @ self.features)
        total = np.zeros((d, d))
        for low in range(0, len(self.a), BLOCK):
            block = slice(low, low + BLOCK)
            x = self.features[self.a[block]] - self.features[self.b[block]]
            total += (x.T * weight[block]) @ x
        return total


@dataclass(frozen=True, eq=False)
class WeightPosterior:
    """What :func:`infer` finds: mode, Cholesky factor of the precision there, log evidence."""

    mean: NDArray[np.float64]
    factor: tuple[NDArray[np.float64], bool]
    log_evidence: float

    def covariance(self) -> NDArray[np.float64]:
        """Inverse of the precision, shape (d, d)."""
        inverse, _ = lapack.dpotri(self.factor[0], lower=self.factor[1])
        lower = np.tril(inverse)
        return lower + np.tril(lower, -1).T


@dataclass(frozen=True)
class Settings:
    """Hyperparameters of the posterior; see ``ibn.reward_model.RewardModel``."""

    scale: float
    beta: float = 1.0
    lapse: float = 0.0
    noise_variance: float = np.nan


def infer(
    labels: PairLabels,
    kind: str,
    settings: Settings,
    start: NDArray[np.float64] | None = None,
) -> WeightPosterior:
    """Find the posterior of the weights.

    Parameters
    ----------
    labels : PairLabels
        The data.
    kind : {"binary", "gaussian"}
        What the labels are.
    settings : Settings
        Hyperparameters.
    start : ndarray of float, shape (d,), optional
        Where the search for the mode of binary labels begins.
    """
    if kind == "gaussian":
        return _exact(labels, settings.scale, settings.noise_variance)
    return _laplace(labels, settings, start)


def _exact(labels: PairLabels, scale: float, noise: float) -> WeightPosterior:
    """Bayesian linear regression (Rasmussen and Williams 2006, §2.1)."""
    d, n = labels.features.shape[1], labels.plus.sum()
    precision = labels.information(labels.plus) / noise
    precision[np.diag_indices(d)] += 1.0 / scale
    factor = cho_factor(precision, lower=True)
    pull = labels.pull(labels.minus) / noise
    mean = cho_solve(factor, pull)
    fit = labels.square / noise - pull @ mean
    volume = d * np.log(scale) + _log_det(factor) + n * np.log(2.0 * np.pi * noise)
    return WeightPosterior(mean, factor, -0.5 * float(fit + volume))


def _laplace(
    labels: PairLabels, settings: Settings, start: NDArray[np.float64] | None
) -> WeightPosterior:
    """Newton's method; with a lapse rate the curvature of a surprising label is negative."""
    scale, beta, lapse = settings.scale, settings.beta, settings.lapse
    d = labels.features.shape[1]
    weights = np.zeros(d) if start is None else start

    def log_posterior(weights: NDArray[np.float64]) -> float:
        x = beta * labels.gap(weights)
        return float(
            labels.plus @ _log_probability(x, lapse)
            + labels.minus @ _log_probability(-x, lapse)
            - weights @ weights / (2.0 * scale)
        )

    now = log_posterior(weights)
    for _ in range(MOST_STEPS):
        x = beta * labels.gap(weights)
        (up, up_curvature), (down, down_curvature) = _derivatives(x, lapse), _derivatives(-x, lapse)
        gradient = labels.pull(beta * (labels.plus * up - labels.minus * down)) - weights / scale
        curvature = beta**2 * (labels.plus * up_curvature + labels.minus * down_curvature)
        try:
            factor = _precision(labels, curvature, scale)
        except LinAlgError:  # not yet where the posterior is concave
            factor = _precision(labels, np.maximum(curvature, 0.0), scale)
        move = cho_solve(factor, gradient)
        gain = float(gradient @ move)  # squared length of the move in posterior deviations
        if gain <= TOLERANCE**2 * d:
            volume = d * np.log(scale) + _log_det(factor)
            return WeightPosterior(weights, factor, now - 0.5 * float(volume))
        length = 1.0
        slack = ROUNDING * abs(now)
        while (then := log_posterior(weights + length * move)) < now + length * gain / 4.0 - slack:
            length /= 2.0
        weights, now = weights + length * move, then
    raise InputError(
        f"the posterior's mode was not found within {MOST_STEPS} steps",
        mend="check the scale and beta, or set the lapse rate to 0",
    )


def _precision(
    labels: PairLabels, curvature: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.float64], bool]:
    precision = labels.information(curvature)
    precision[np.diag_indices(len(precision))] += 1.0 / scale
    return cho_factor(precision, lower=True, overwrite_a=True)


def _log_det(factor: tuple[NDArray[np.float64], bool]) -> float:
    return float(2.0 * np.log(np.diagonal(factor[0])).sum())


def _log_probability(x: NDArray[np.float64], lapse: float) -> NDArray[np.float64]:
    """log(ε + (1 - 2ε) σ(x))."""
    if lapse == 0.0:
        return log_expit(x)
    return np.log(lapse + (1.0 - 2.0 * lapse) * expit(x))


def _derivatives(
    x: NDArray[np.float64], lapse: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First derivative of :func:`_log_probability`, and minus its second."""
    share, other = expit(x), expit(-x)
    if lapse == 0.0:
        return other, share * other
    probability = lapse + (1.0 - 2.0 * lapse) * share
    slope = (1.0 - 2.0 * lapse) * share * other / probability
    return slope, slope**2 - slope * (other - share)
