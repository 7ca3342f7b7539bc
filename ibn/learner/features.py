"""Feature kernels: inductive biases under which rewards are linear in features.

The second seam through which an inductive bias meets the comparisons. A neighbour graph or a
hierarchy lays edges (``ibn.bias.edges``); a feature kernel says r = Φ w with weights
w ~ N(0, scale · I), so that Var[r(y) - r(y')] = scale · |φ(y) - φ(y')|². Every two responses
depend on each other under such a prior: it has no sparse graph, and inference goes through the
d weights instead (``ibn.learner.reward_model``), which is exact. With the embeddings themselves for
features it is the Bayesian last-layer reward model.

Features are scaled so that |φ(y) - φ(y')|² averages 1 over pairs of responses. Then ``scale`` is
the variance, before any label, of the reward difference of two random responses, at every kernel
and width, as in ``ibn audit``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ibn.bias.neighbours import check_embeddings
from ibn.errors import InputError, unknown_name

KERNELS = ("linear", "rbf")
MOST_LANDMARKS = 512
NEGLIGIBLE = 1e-10  # eigenvalues of a kernel matrix below this share of its trace are left out
SAMPLED_PAIRS = 4096


class FeatureMap(Protocol):
    """Anything that turns embeddings into features with independent weights."""

    def features(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return Φ, shape (m, d), of embeddings, shape (m, p)."""
        ...


@dataclass(frozen=True, eq=False)
class LinearFeatures:
    """φ(x) = (x - centre) / divisor: a reward linear in the embedding."""

    # centre, divisor: shape (p,): centring changes no reward difference
    centre: NDArray[np.float64]
    divisor: NDArray[np.float64]

    def features(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return Φ, shape (m, p), of embeddings, shape (m, p)."""
        return (_columns(embeddings, len(self.centre)) - self.centre) / self.divisor


@dataclass(frozen=True, eq=False)
class RBFFeatures:
    """Features of the kernel k(x, x') = exp(-|x - x'|² / (2 width²)), up to their common scale.

    φ(x) = k(x, landmarks) · projection - centre. Where all responses are landmarks this is exact:
    the inner products of features are those of the kernel, up to the centring. With fewer it is
    Nyström's approximation, the best in the span of the landmarks (Williams and Seeger 2001).
    """

    width: float  # length scale, in units of the embedding
    landmarks: NDArray[np.float64]  # shape (k, p): embeddings
    # shape (k, d): an inverse root of the landmarks' kernel matrix, directions of negligible
    # eigenvalues left out, times the common scale
    projection: NDArray[np.float64]
    centre: NDArray[np.float64]  # shape (d,): mean feature of the responses
    exact: bool  # whether all responses are landmarks

    def features(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return Φ, shape (m, d), of embeddings, shape (m, p)."""
        points = _columns(embeddings, self.landmarks.shape[1])
        return _rbf(points, self.landmarks, self.width) @ self.projection - self.centre


def linear_features(embeddings: NDArray[np.floating]) -> LinearFeatures:
    """Make the linear kernel's features: the embeddings, centred and scaled as a whole.

    Parameters
    ----------
    embeddings : ndarray, shape (m, p)
        Of the responses, m >= 2.

    Raises
    ------
    InputError
        If embeddings are no matrix of finite numbers, or all rows are the same.
    """
    points = check_embeddings(embeddings).astype(np.float64, copy=False)
    return LinearFeatures(points.mean(axis=0), np.full(points.shape[1], _unit(points)))


def rbf_features(
    embeddings: NDArray[np.floating],
    width: float | None = None,
    *,
    landmarks: int = MOST_LANDMARKS,
    seed: int = 0,
) -> RBFFeatures:
    """Make the features of an RBF kernel (squared exponential).

    Parameters
    ----------
    embeddings : ndarray, shape (m, p)
        Of the responses, m >= 2.
    width : float, optional
        Length scale; by default :func:`typical_distance`.
    landmarks : int
        With at most this many responses the features are exact, else Nyström's from as many
        landmarks, drawn from the responses.
    seed : int
        Of the draw.

    Raises
    ------
    InputError
        If embeddings are no matrix of finite numbers, all rows are the same, or a parameter is
        out of range.
    """
    points = check_embeddings(embeddings).astype(np.float64, copy=False)
    if landmarks < 2:
        raise InputError(f"there must be at least 2 landmarks, not {landmarks}")
    if width is None:
        width = typical_distance(points, seed=seed)
    if not (np.isfinite(width) and width > 0):
        raise InputError(f"the width must be positive and finite, not {width}")
    exact = len(points) <= landmarks
    chosen = points
    if not exact:
        rng = np.random.default_rng(seed)
        chosen = points[np.sort(rng.choice(len(points), landmarks, replace=False))]
    value, vector = np.linalg.eigh(_rbf(chosen, chosen, width))
    kept = value > NEGLIGIBLE * len(chosen)
    projection = vector[:, kept] / np.sqrt(value[kept])
    raw = _rbf(points, chosen, width) @ projection
    unit = _unit(raw)
    return RBFFeatures(width, chosen, projection / unit, raw.mean(axis=0) / unit, exact)


def feature_map(
    kernel: str,
    embeddings: NDArray[np.floating],
    width: float | None = None,
    *,
    landmarks: int = MOST_LANDMARKS,
    seed: int = 0,
) -> LinearFeatures | RBFFeatures:
    """Make the features of a kernel by its name, ``linear`` or ``rbf``.

    Raises
    ------
    InputError
        If there is no such kernel, or its maker refuses the rest.
    """
    if kernel not in KERNELS:
        raise unknown_name("kernel", kernel, KERNELS)
    if kernel == "linear":
        return linear_features(embeddings)
    return rbf_features(embeddings, width, landmarks=landmarks, seed=seed)


def typical_distance(embeddings: NDArray[np.floating], *, seed: int = 0) -> float:
    """Median distance between two different embeddings, from random pairs.

    Raises
    ------
    InputError
        If no two of the pairs drawn differ.
    """
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, len(embeddings), (2, SAMPLED_PAIRS))
    distance = np.linalg.norm(embeddings[a] - embeddings[b], axis=1)
    if not distance.any():
        raise InputError("all embeddings are the same")
    return float(np.median(distance[distance > 0]))


def _rbf(x: NDArray[np.float64], y: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Kernel matrix, in place: it is the largest array there is."""
    kernel = x @ y.T
    kernel *= 2.0
    kernel -= np.einsum("ij,ij->i", x, x)[:, None]
    kernel -= np.einsum("ij,ij->i", y, y)
    np.minimum(kernel, 0.0, out=kernel)  # rounding can make a squared distance negative
    kernel /= 2.0 * width**2
    return np.exp(kernel, out=kernel)


def _unit(rows: NDArray[np.float64]) -> float:
    """Root of the mean squared distance between two rows."""
    unit = float(np.sqrt(2.0 * rows.var(axis=0, ddof=1).sum())) if len(rows) > 1 else 0.0
    if not unit > 0:
        raise InputError("all embeddings are the same", fix="give embeddings that differ")
    return unit


def _columns(embeddings: NDArray[np.floating], wanted: int) -> NDArray[np.float64]:
    if embeddings.ndim != 2 or embeddings.shape[1] != wanted:
        raise InputError(f"embeddings of shape {embeddings.shape}, not of {wanted} columns")
    return embeddings.astype(np.float64, copy=False)
