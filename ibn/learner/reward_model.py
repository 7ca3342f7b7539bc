"""The Bayesian reward model over features, given comparisons.

r = Φ w + u with weights w ~ N(0, scale · I) and, for each response, an own part
u ~ N(0, own variance) that no feature explains. A label of the pair (a, b) depends on
Δ = r(a) - r(b):

- ``binary`` labels: P(a preferred) = ε + (1 - 2ε) σ(β Δ), Bradley-Terry where the lapse rate ε,
  the probability that a label is flipped, is 0. A tie counts as half a label for each side.
  The posterior is Laplace's: the mode, and the inverse of the exact Hessian there (MacKay 1992;
  Rasmussen and Williams 2006, §3.4).
- ``gaussian`` labels: delta ~ N(Δ, noise variance). The posterior is exact.

Without own parts, several comparisons of one response count as independent evidence about the
features, and a response that wins them all for reasons of its own makes the fit overconfident.
Where every response is compared once, own parts look like label noise. From binary
labels, where each response has but a few, Laplace's evidence underrates the own variance, as it
does every variance component of binary data (Breslow and Lin 1995).

Binary labels know rewards in units of 1/β alone: only β² · scale is identified. β is therefore
given and fixes the unit (1 by default: rewards in nats of log-odds), and scale is fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ibn.bias.neighbours import check_embeddings
from ibn.checks import numbers, one_of, positions, positive
from ibn.errors import InputError, unknown_name
from ibn.learner.features import KERNELS, MOST_LANDMARKS, FeatureMap, feature_map
from ibn.learner.hyperparameters import Hyperparameter, Search
from ibn.learner.weights import BLOCK, LABELS, PairLabels, Settings, infer
from ibn.preferences.comparisons import Comparisons

CHOICES = (*KERNELS, "best")
SCALE_SPREAD = 1.5  # of log β² scale, of the prior that plans use
UNLABELLED_SCALE = 1.0  # before any label: log-odds of a deviation of 1, as many datasets have
NODES = np.arange(-8.0, 8.0 + 1 / 16, 1 / 8)  # of the trapezoid rule over a standard Gaussian
WEIGHTS = np.exp(-(NODES**2) / 2.0) / np.exp(-(NODES**2) / 2.0).sum()


@dataclass(frozen=True, eq=False)
class RewardModel:
    """A Gaussian posterior over the weights of features.

    Attributes
    ----------
    mean : ndarray of float, shape (d,)
        Posterior mean of the weights: the mode, for binary labels.
    covariance : ndarray of float, shape (d, d)
        Posterior covariance of the weights.
    features : ndarray of float, shape (m, d)
        Φ of the responses that ``rewards``, ``difference`` and ``probability`` speak about.
    scale : float
        Prior variance of each weight.
    beta : float
        Inverse temperature of binary labels.
    lapse : float
        ε, probability that a binary label is flipped.
    labels : {"binary", "gaussian"}
        Which labels were read.
    noise_variance : float
        Of a Gaussian label; NaN for binary ones.
    own_variance : float
        Prior variance of each response's own part.
    log_evidence : float
        Log marginal likelihood of the labels, Laplace's for binary ones.
    feature_map : FeatureMap, optional
        What made Φ of embeddings.
    hyperparameters : mapping of str to Hyperparameter
        What was fitted, by name: scale, lapse,
        noise_variance, own_variance, width.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    features: NDArray[np.float64]
    scale: float
    beta: float
    lapse: float
    labels: str
    noise_variance: float
    own_variance: float
    log_evidence: float
    feature_map: FeatureMap | None = None
    hyperparameters: Mapping[str, Hyperparameter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        mean = numbers("mean", self.mean)
        d = len(mean)
        parts = {
            "mean": mean,
            "covariance": numbers("covariance", self.covariance, (d, d)),
            "features": numbers("features", self.features, (None, d)),
        }
        for name, values in parts.items():
            object.__setattr__(self, name, values)
        one_of("kind of labels", self.labels, LABELS)
        positive("scale", self.scale)
        positive("beta", self.beta)
        positive("own_variance", self.own_variance, zero=True)
        if not 0.0 <= positive("lapse", self.lapse, zero=True) < 0.5:
            raise InputError(f"the lapse rate must lie between 0 and 1/2, not {self.lapse}")
        if self.labels == "gaussian":
            positive("noise_variance", self.noise_variance)

    def at(self, embeddings: NDArray[np.floating]) -> RewardModel:
        """Return the same posterior, speaking about other responses, by their embeddings.

        Raises
        ------
        InputError
            If the model was made from features alone, or the number of columns differs.
        """
        if self.feature_map is None:
            raise InputError("this reward model knows no embeddings, only features")
        return replace(self, features=self.feature_map.features(embeddings))

    def rewards(self, features: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Posterior mean of what features explain of rewards, shape (m,), up to a shift.

        Parameters
        ----------
        features : ndarray of float, shape (m, d), optional
            Of other responses; by default the model's own.
        """
        if features is None:
            return self.features @ self.mean
        return numbers("features", features, (None, len(self.mean))) @ self.mean

    def difference(
        self, a: NDArray[np.int64], b: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Posterior mean and variance of r(a) - r(b), own parts as of responses not yet compared.

        Parameters
        ----------
        a, b : ndarray of int, shape (k,)
            Rows of ``features``.

        Returns
        -------
        mean, variance : ndarray of float, shape (k,)
        """
        rows = len(self.features)
        a = positions("a", [a] if np.isscalar(a) else a, rows, of="the rows of features")
        b = positions("b", [b] if np.isscalar(b) else b, rows, a.shape, of="the rows of features")
        rewards = self.rewards()
        variance = np.empty(len(a))
        for low in range(0, len(a), BLOCK):
            block = slice(low, low + BLOCK)
            x = self.features[a[block]] - self.features[b[block]]
            variance[block] = np.einsum("ij,ij->i", x @ self.covariance, x)
        own = np.where(a == b, 0.0, 2.0 * self.own_variance)
        return rewards[a] - rewards[b], np.maximum(variance, 0.0) + own

    def probability(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
        """P(a label prefers a to b): σ(β (r(a) - r(b))) averaged over the posterior.

        The lapse rate is part of it, since a label may be flipped. For models of Gaussian
        labels, that a label is positive.

        Parameters
        ----------
        a, b : ndarray of int, shape (k,)
            Rows of ``features``.
        """
        mean, variance = self.difference(a, b)
        if self.labels == "gaussian":
            from scipy.stats import norm

            return norm.cdf(mean / np.sqrt(variance + self.noise_variance))
        return self.lapse + (1.0 - 2.0 * self.lapse) * average_sigmoid(
            self.beta * mean, self.beta * np.sqrt(variance)
        )


def average_sigmoid(
    mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """E σ(x) over x ~ N(mean, deviation²), elementwise.

    By the trapezoid rule with step s/8 of a deviation, s being 4, 2 or 1. σ is analytic within π of
    the real axis, so the rule is in error by about 2 exp(-16 π²/(s deviation)): below 1e-11 as s is
    chosen up to a deviation of 5, and 3e-7 at 10.
    """
    found = np.zeros(np.broadcast(mean, deviation).shape)
    widest = np.max(deviation, initial=0.0)
    every = 4 if widest <= 1.25 else 2 if widest <= 2.5 else 1
    nodes, weights = NODES[::every], WEIGHTS[::every] / WEIGHTS[::every].sum()
    for node, weight in zip(nodes, weights, strict=True):
        found += weight * expit(mean + deviation * node)
    return found


def posterior(
    features: NDArray[np.float64],
    comparisons: Comparisons,
    *,
    scale: float,
    labels: str = "binary",
    beta: float = 1.0,
    lapse: float = 0.0,
    noise_variance: float | None = None,
    own_variance: float = 0.0,
) -> RewardModel:
    """Compute the posterior for hyperparameters that are known.

    Parameters
    ----------
    features : ndarray of float, shape (m, d)
        Φ, a row a response.
    comparisons : Comparisons
        Labelled.
    scale : float
        Prior variance of each weight.
    labels : {"binary", "gaussian"}
        Whether to read ``winner`` or ``delta``.
    beta, lapse, noise_variance, own_variance : float
        See :class:`RewardModel`; Gaussian labels need the last.

    Raises
    ------
    InputError
        If labels are missing or a parameter is out of range.
    """
    for name, value in (("scale", scale), ("beta", beta)):
        if not 1e-100 < value < 1e100:
            raise InputError(f"{name} must be positive and finite, not {value}")
    if not 0.0 <= lapse < 0.5:
        raise InputError(f"the lapse rate must lie between 0 and 1/2, not {lapse}")
    noise = np.nan if noise_variance is None else noise_variance
    if labels == "gaussian" and not 1e-100 < noise < 1e100:
        raise InputError(f"Gaussian labels need a positive noise variance, not {noise_variance}")
    if not 0.0 <= own_variance < 1e100:
        raise InputError(f"the own variance must not be negative, not {own_variance}")
    features = np.asarray(features, dtype=np.float64)
    read = PairLabels.of(features, comparisons, labels)
    return _model(features, read, Settings(scale, beta, lapse, noise, own_variance))


def require_beta(beta: float) -> None:
    """Raise InputError for a β that makes labels all but worthless or faultless."""
    if not 1e-5 <= positive("beta", beta) <= 1e5:  # beyond, solving would lose digits
        raise InputError(f"beta is {beta:g}", fix="from 1e-5 to 1e5")


def fit(
    embeddings: NDArray[np.floating],
    comparisons: Comparisons,
    *,
    kernel: str = "linear",
    labels: str = "binary",
    beta: float = 1.0,
    lapse: float | None = 0.0,
    own_variance: float | None = None,
    landmarks: int = MOST_LANDMARKS,
    intervals: bool = True,
    scale_spread: float | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda message: None,
) -> RewardModel:
    """Fit scale, kernel width and label noise by marginal likelihood; return the posterior there.

    Parameters
    ----------
    embeddings : ndarray, shape (m, p)
        A row a response.
    comparisons : Comparisons
        Labelled, over those responses.
    kernel : {"linear", "rbf", "best"}
        See ``ibn.learner.features``; ``best`` is the one of greater evidence.
    labels : {"binary", "gaussian"}
        Whether to read ``winner`` or ``delta``. For Gaussian labels the noise variance is fitted.
    beta : float
        Inverse temperature of binary labels: the unit of reward. Only β² · scale is identified.
    lapse : float, optional
        Probability ε that a binary label is flipped; ``None`` fits it. What identifies it beside
        the scale is that labels of clear differences, too, are then wrong; where the data have
        few such, its interval is wide.
    own_variance : float, optional
        Of each response's own part. ``None`` fits it where that is possible: where a tenth of the
        comparisons share a response with another, and no more than 2000 responses hang together
        by comparisons; elsewhere it is 0.
    landmarks : int
        With more responses than this the RBF kernel is approximated (Nyström).
    intervals : bool
        Whether to measure the uncertainty of the hyperparameters, at several times the cost;
        without, their intervals are NaN.
    scale_spread : float, optional
        Standard deviation of log β² scale about 0, where the scale has a log-normal prior: few
        labels leave it open over decades.
    seed : int
        Of the landmarks.
    progress : callable, optional
        Called with what goes on.

    Returns
    -------
    RewardModel
        With ``feature_map`` and ``hyperparameters``.

    Raises
    ------
    InputError
        If embeddings, labels or parameters cannot be used.
    """
    if kernel not in CHOICES:
        raise unknown_name("kernel", kernel, CHOICES)
    require_beta(beta)
    if lapse is not None and not 0.0 <= lapse < 0.5:
        raise InputError(f"the lapse rate must lie between 0 and 1/2, not {lapse}")
    if own_variance is not None and not 0.0 <= own_variance < 1e100:
        raise InputError(f"the own variance must not be negative, not {own_variance}")
    points = check_embeddings(embeddings, rows=len(comparisons.responses))
    found = []
    for name in KERNELS if kernel == "best" else (kernel,):
        progress(f"fitting a reward model, {name} kernel")
        search = Search(
            name,
            points,
            comparisons,
            labels,
            beta,
            lapse,
            own_variance,
            landmarks,
            seed,
            scale_spread,
        )
        best = search.best()
        hyperparameters = search.intervals(best) if intervals else search.bare(best)
        mapped, features, read = search.with_width(search.values(best).get("width"))
        model = _model(features, read, search.settings(best))
        found.append(replace(model, feature_map=mapped, hyperparameters=hyperparameters))
    return max(found, key=lambda model: model.log_evidence)


def before_labels(
    embeddings: NDArray[np.floating],
    *,
    kernel: str = "linear",
    beta: float = 1.0,
    scale: float = UNLABELLED_SCALE,
    landmarks: int = MOST_LANDMARKS,
    seed: int = 0,
) -> RewardModel:
    """Return what is known before any label: the prior.

    Parameters
    ----------
    embeddings, kernel, beta, landmarks, seed
        As for :func:`fit`; "best" is linear, since no evidence can choose.
    scale : float
        Variance of the reward difference of two random responses.

    Raises
    ------
    InputError
        If embeddings, the kernel or β cannot be used.
    """
    if kernel not in CHOICES:
        raise unknown_name("kernel", kernel, CHOICES)
    require_beta(beta)
    points = check_embeddings(embeddings)
    name = KERNELS[0] if kernel == "best" else kernel
    mapped = feature_map(name, points, None, landmarks=landmarks, seed=seed)
    features = mapped.features(points)
    d = features.shape[1]
    return RewardModel(
        mean=np.zeros(d),
        covariance=scale * np.eye(d),
        features=features,
        scale=scale,
        beta=beta,
        lapse=0.0,
        labels="binary",
        noise_variance=np.nan,
        own_variance=0.0,
        log_evidence=0.0,
        feature_map=mapped,
    )


def _model(features: NDArray[np.float64], read: PairLabels, settings: Settings) -> RewardModel:
    found = infer(read, settings)
    return RewardModel(
        mean=found.mean,
        covariance=found.covariance(),
        features=features,
        labels=read.kind,
        log_evidence=found.log_evidence,
        **asdict(settings),
    )
