"""The posterior of a reward model's weights, given labels of pairs.

A label of the pair (a, b) depends on r(a) - r(b) with r = Φ w + u: weights w ~ N(0, scale · I),
and an own part u ~ N(0, own variance) of each response, which no feature explains. A Newton step
eliminates the own parts by a sparse factorisation, cheap where comparisons stay within prompts,
and costs min(pairs, responses) · d² + d³ besides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, lapack
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import SuperLU, splu
from scipy.special import expit, log_expit

from ibn.errors import InputError, unknown_name
from ibn.laplacian import currents, laplacian
from ibn.newton import climb
from ibn.pair_code import pair_code, pair_of
from ibn.preferences.comparisons import Comparisons

LABELS = ("binary", "gaussian")
TOLERANCE = 1e-8  # of the mode, in posterior standard deviations
FIX = "check the scale and beta, or set the lapse rate to 0"
BLOCK = 4096
Factor = tuple[NDArray[np.float64], bool]  # as scipy.linalg.cho_factor returns it


@dataclass(frozen=True)
class Settings:
    """Hyperparameters of the posterior; see ``ibn.learner.reward_model.RewardModel``."""

    scale: float
    beta: float = 1.0
    lapse: float = 0.0
    noise_variance: float = np.nan
    own_variance: float = 0.0


@dataclass(frozen=True, eq=False)
class PairLabels:
    """Labels by pair: repeated comparisons of the same two responses are added up."""

    kind: str  # {"binary", "gaussian"}: of the labels
    features: NDArray[np.float64]  # shape (m, d): φ of the responses that are compared
    # a, b: shape (k,): the distinct pairs
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    # plus, minus: shape (k,): binary labels for a and for b, a tie half of each; for Gaussian
    # labels their number and their sum
    plus: NDArray[np.float64]
    minus: NDArray[np.float64]
    square: float = 0.0  # sum of squared Gaussian labels

    @classmethod
    def of(cls, features: NDArray[np.float64], comparisons: Comparisons, labels: str) -> PairLabels:
        """Read the labels of comparisons among the rows of Φ.

        Raises InputError if the kind of labels is unknown, they are missing or not finite, or Φ has
        another number of rows than there are responses.
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
        if comparisons.share is not None and labels == "binary":
            label = 2.0 * comparisons.share - 1.0  # a soft label is a fraction of a win for each
        label = np.asarray(label, dtype=float)
        if not np.isfinite(label).all():
            raise InputError(f"label {np.flatnonzero(~np.isfinite(label))[0]} is not finite")
        a, b = comparisons.a, comparisons.b
        label = np.where(a < b, label, -label)
        pair, at = np.unique(pair_code(a, b, m), return_inverse=True)
        weight = np.ones_like(label) if comparisons.weight is None else comparisons.weight
        if labels == "binary":
            parts = ((1.0 + label) / 2.0, (1.0 - label) / 2.0)
        else:
            parts = (np.ones_like(label), label)
        plus, minus = (np.bincount(at, weight * part, len(pair)).astype(float) for part in parts)
        used, ends = np.unique(np.stack(pair_of(pair, m)), return_inverse=True)
        rows = features if len(used) == m else features[used]
        first, second = ends.reshape(2, -1)
        return cls(labels, rows, first, second, plus, minus, float(weight @ label**2))

    def gap(self, reward: NDArray[np.float64]) -> NDArray[np.float64]:
        """Reward difference of each pair."""
        return reward[self.a] - reward[self.b]

    def inflow(self, force: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pull of the pairs' forces on each response's reward, shape (m,)."""
        return currents(len(self.features), self.a, self.b, force)

    def laplacian(self, weight: NDArray[np.float64]) -> csr_array:
        """Weighted Laplacian of the pairs, shape (m, m)."""
        return laplacian(len(self.features), self.a, self.b, weight)

    def information(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Σ weight x xᵀ over the pairs, x = φ(a) - φ(b); shape (d, d)."""
        m, d = self.features.shape
        if len(self.a) >= m:
            return self.features.T @ (self.laplacian(weight) @ self.features)
        total = np.zeros((d, d))
        for low in range(0, len(self.a), BLOCK):
            block = slice(low, low + BLOCK)
            x = self.features[self.a[block]] - self.features[self.b[block]]
            total += (x.T * weight[block]) @ x
        return total

    def log_likelihood(self, gap: NDArray[np.float64], settings: Settings) -> float:
        """Log-likelihood of all labels."""
        if self.kind == "gaussian":
            noise = settings.noise_variance
            square = self.square - 2.0 * self.minus @ gap + self.plus @ gap**2
            return float(-0.5 * (square / noise + self.plus.sum() * np.log(2.0 * np.pi * noise)))
        x, lapse = settings.beta * gap, settings.lapse
        return float(
            self.plus @ _log_probability(x, lapse) + self.minus @ _log_probability(-x, lapse)
        )

    def derivatives(
        self, gap: NDArray[np.float64], settings: Settings
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """First derivative of each pair's log-likelihood in its gap, and minus the second."""
        if self.kind == "gaussian":
            weight = self.plus / settings.noise_variance
            return self.minus / settings.noise_variance - weight * gap, weight
        beta, lapse = settings.beta, settings.lapse
        up, up_curvature = _derivatives(beta * gap, lapse)
        down, down_curvature = _derivatives(-beta * gap, lapse)
        slope = beta * (self.plus * up - self.minus * down)
        return slope, beta**2 * (self.plus * up_curvature + self.minus * down_curvature)


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


@dataclass(frozen=True, eq=False)
class WeightPosterior:
    """What :func:`infer` finds."""

    mean: NDArray[np.float64]  # shape (d,): mode of the weights
    own: NDArray[np.float64]  # shape (m,): mode of the own part of each response that is compared
    # Cholesky factor of the precision of the weights there, own parts integrated out
    factor: Factor
    log_evidence: float  # log marginal likelihood

    def covariance(self) -> NDArray[np.float64]:
        """Inverse of the precision, shape (d, d)."""
        inverse, _ = lapack.dpotri(self.factor[0], lower=self.factor[1])
        lower = np.tril(inverse)
        return lower + np.tril(lower, -1).T


@dataclass(frozen=True, eq=False)
class _Precision:
    """Factorised precision of weights and own parts, in blocks."""

    factor: Factor
    log_det: float
    own: SuperLU | None
    coupled: NDArray[np.float64]
    solved: NDArray[np.float64]

    @classmethod
    def of(
        cls, labels: PairLabels, curvature: NDArray[np.float64], settings: Settings
    ) -> _Precision:
        """Factorise, or raise LinAlgError where it is not positive definite."""
        features, own = labels.features, None
        coupled = solved = np.empty(0)
        if settings.own_variance:
            stiffness = 1.0 / settings.own_variance
            laplacian = labels.laplacian(curvature)
            try:
                own = splu(
                    csc_array(laplacian + stiffness * eye_array(len(features))),
                    permc_spec="MMD_AT_PLUS_A",
                    diag_pivot_thresh=0.0,
                    options={"SymmetricMode": True},
                )
            except RuntimeError:
                raise LinAlgError("the own parts' precision is singular") from None
            if own.U.diagonal().min() <= 0:
                raise LinAlgError("the own parts' precision is not positive definite")
            coupled = laplacian @ features
            solved = own.solve(coupled)
            # L - L (L + I/τ²)⁻¹ L = (L + I/τ²)⁻¹ L / τ², so one product gives the Schur complement
            precision = stiffness * (features.T @ solved)
        else:
            precision = labels.information(curvature)
        precision[np.diag_indices(len(precision))] += 1.0 / settings.scale
        if not np.isfinite(precision).all():
            raise LinAlgError("the weights' precision is beyond the largest number")
        factor = cho_factor(precision, lower=True)
        log_det = 2.0 * np.log(np.diagonal(factor[0])).sum()
        if own is not None:
            log_det += np.log(own.U.diagonal()).sum()
        return cls(factor, float(log_det), own, coupled, solved)

    def solve(
        self, weights: NDArray[np.float64], own: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Solve for weights and own parts."""
        if self.own is None:
            return cho_solve(self.factor, weights), np.zeros_like(own)
        first = self.own.solve(own)
        move = cho_solve(self.factor, weights - self.coupled.T @ first)
        return move, first - self.solved @ move


def infer(
    labels: PairLabels, settings: Settings, start: WeightPosterior | None = None
) -> WeightPosterior:
    """Find the mode of the posterior by Newton's method, and its curvature there.

    ``labels``: the data; ``settings``: hyperparameters; ``start``: of the same features: where to
    begin. Raises InputError if no mode is found.
    """
    (m, d), k = labels.features.shape, len(labels.a)
    own_variance = settings.own_variance
    weights, own = np.zeros(d), np.zeros(m)
    if start is not None:
        weights, own = start.mean, start.own if own_variance else own

    def parts(point: NDArray[np.float64]) -> tuple[NDArray, NDArray, NDArray]:
        return point[:d], point[d:-k], point[-k:]

    def with_gap(weights: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
        # Gaps are linear in the rest, and cost more to find anew than to move along.
        return np.concatenate([weights, own, labels.gap(labels.features @ weights + own)])

    def log_posterior(point: NDArray[np.float64]) -> float:
        weights, own, gap = parts(point)
        prior = weights @ weights / settings.scale
        prior += own @ own / own_variance if own_variance else 0.0
        return labels.log_likelihood(gap, settings) - 0.5 * float(prior)

    def newton(point: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, _Precision]:
        weights, own, gap = parts(point)
        slope, curvature = labels.derivatives(gap, settings)
        inflow = labels.inflow(slope)
        pull = labels.features.T @ inflow - weights / settings.scale
        own_pull = inflow - own / own_variance if own_variance else np.zeros(m)
        try:
            precision = _Precision.of(labels, curvature, settings)
        except LinAlgError:  # a lapse rate bends the likelihood: not yet where it is concave
            try:
                precision = _Precision.of(labels, np.maximum(curvature, 0.0), settings)
            except LinAlgError:
                raise InputError("the posterior of the weights is singular", fix=FIX) from None
        move, own_move = precision.solve(pull, own_pull)
        return with_gap(move, own_move), float(pull @ move + own_pull @ own_move), precision

    top = climb(with_gap(weights, own), log_posterior, newton, TOLERANCE**2 * d, FIX)
    weights, own, _ = parts(top.point)
    volume = d * np.log(settings.scale) + top.local.log_det
    volume += m * np.log(own_variance) if own_variance else 0.0
    return WeightPosterior(weights, own, top.local.factor, top.value - 0.5 * float(volume))
