"""Two reward models, linear in features, of labelled pairs: ours, and scikit-learn's.

Rows ``x`` are feature differences turned so that the preferred response comes first: every label
then says that x · w is positive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, log_expit

SCALES = np.exp(np.linspace(np.log(0.03), np.log(300.0), 13))  # prior variances of a weight
SPREAD = 1.5  # of the log scale's prior, about the median 1
NEWTON_STEPS = 25
FOLDS = 3
PENALTIES = (0.03, 0.3, 3.0)  # scikit-learn's C


@dataclass(frozen=True, eq=False)
class Belief:
    """A Gaussian belief about the weights."""

    mean: NDArray[np.float64]  # shape (d,)
    covariance: NDArray[np.float64]  # shape (d, d)
    scale: float  # prior variance of a weight
    evidence: float

    def chance(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """P(the first is preferred) of differences, shape (k,), averaged over the belief."""
        variance = np.einsum("ij,ij->i", x @ self.covariance, x)
        return expit(x @ self.mean / np.sqrt(1.0 + np.pi / 8.0 * variance))


def laplace(x: NDArray[np.float64], scale: float, start: NDArray[np.float64] | None) -> Belief:
    """Find the mode of a Bayesian logistic regression, and its curvature there."""
    d = x.shape[1]
    mean = np.zeros(d) if start is None else start
    value = _posterior(x, mean, scale)
    for _ in range(NEWTON_STEPS):
        short = expit(-(x @ mean))
        pull = x.T @ short - mean / scale
        factor = _precision(x, short, scale)
        step = cho_solve(factor, pull, check_finite=False)
        size, better = 1.0, _posterior(x, mean + step, scale)
        while better < value - 1e-9 and size > 1e-3:
            size /= 2.0
            better = _posterior(x, mean + size * step, scale)
        mean, gain, value = mean + size * step, better - value, better
        if gain < 1e-6:
            break
    factor = _precision(x, expit(-(x @ mean)), scale)
    volume = d * np.log(scale) + 2.0 * np.log(np.diagonal(factor[0])).sum()
    covariance = cho_solve(factor, np.eye(d), check_finite=False)
    return Belief(mean, covariance, scale, value - 0.5 * volume)


def _posterior(x: NDArray[np.float64], mean: NDArray[np.float64], scale: float) -> float:
    return float(log_expit(x @ mean).sum() - mean @ mean / scale / 2.0)


def _precision(
    x: NDArray[np.float64], short: NDArray[np.float64], scale: float
) -> tuple[NDArray[np.float64], bool]:
    precision = (x * (short * (1.0 - short))[:, None]).T @ x
    precision[np.diag_indices(len(precision))] += 1.0 / scale
    return cho_factor(precision, lower=True, overwrite_a=True, check_finite=False)


def bayesian(x: NDArray[np.float64], near: float | None = None, spread: float = SPREAD) -> Belief:
    """Fit the scale by evidence under a log-normal prior; return the belief there.

    ``near``: a scale to climb from.
    """
    if not len(x):
        d = x.shape[1]
        return Belief(np.zeros(d), np.eye(d), 1.0, 0.0)
    found: dict[int, Belief] = {}

    def score(k: int) -> float:
        if not 0 <= k < len(SCALES):
            return -np.inf
        if k not in found:
            beside = min(found, key=lambda j: abs(j - k), default=None)
            start = None if beside is None else found[beside].mean
            found[k] = laplace(x, float(SCALES[k]), start)
        return found[k].evidence - 0.5 * (np.log(SCALES[k]) / spread) ** 2

    k = int(np.argmin(np.abs(np.log(SCALES) - np.log(near or 1.0))))
    while True:
        best = max((k, k - 1, k + 1), key=score)
        if best == k:
            return found[k]
        k = best


def cross_validated(x: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the weights of scikit-learn's logistic regression, its penalty cross-validated."""
    from sklearn.linear_model import LogisticRegression

    if len(x) < 2 * FOLDS:
        return np.zeros(x.shape[1])
    turned = rng.permutation(np.where(np.arange(len(x)) % 2, 1.0, -1.0))
    rows, part = x * turned[:, None], rng.permutation(len(x)) % FOLDS

    def fitted(some: NDArray[np.bool_], penalty: float) -> NDArray[np.float64]:
        model = LogisticRegression(
            C=penalty, fit_intercept=False, solver="newton-cholesky", tol=1e-3
        )
        return model.fit(rows[some], turned[some]).coef_[0]

    def loss(penalty: float) -> float:
        return -sum(
            float(log_expit(x[part == k] @ fitted(part != k, penalty)).sum()) for k in range(FOLDS)
        )

    return fitted(part >= 0, min(PENALTIES, key=loss))
