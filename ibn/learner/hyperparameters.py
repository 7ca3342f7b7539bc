"""Hyperparameters of a reward model, fitted by marginal likelihood, with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, logit

from ibn.learner.features import FeatureMap, feature_map, typical_distance
from ibn.learner.weights import PairLabels, Settings, WeightPosterior, infer
from ibn.preferences.comparisons import Comparisons

WIDTHS = (0.5, 1.0, 2.0, 4.0)  # first looks, in typical distances between embeddings
WIDEST = 16.0  # the width may differ from the typical distance by this factor
LARGEST = 1e4  # β² · scale may differ from 1 by this factor; so may a Gaussian label's variances
LAPSES = (1e-3, 0.8)  # range of 2ε
DROP = 1.9207  # of the log evidence at the end of a 95 % interval: half the quantile of χ²₁
STEP = 0.1  # of the logarithms, for the curvature
SLOPE_STEP = 1e-4
LEAST_SHARED = 0.1  # comparisons whose response has others, for own parts to be fitted
LARGEST_COMPONENT = 2000  # beyond, eliminating own parts can fill matrices
KEPT = 2  # widths whose features are kept


@dataclass(frozen=True)
class Hyperparameter:
    """A fitted hyperparameter and its uncertainty.

    Attributes
    ----------
    value : float
        Where the log evidence is greatest.
    low, high : float
        95 % interval: Gaussian in the logarithm (for the lapse rate, in the log-odds of 2ε), from
        the curvature of the log evidence. Where the evidence is greatest at the end of the range
        searched, that end, and where the log evidence has dropped by 1.92.
    stderr : float
        Standard error of the logarithm (log-odds); infinite at the end of the range.
    """

    value: float
    low: float
    high: float
    stderr: float


@dataclass(frozen=True)
class Axis:
    """A hyperparameter as it is searched: by its logarithm, or a lapse rate ε by logit 2ε."""

    name: str
    low: float
    high: float
    start: float

    def value(self, at: float) -> float:
        """Hyperparameter at a point of the axis."""
        return float(expit(at) / 2.0 if self.name == "lapse" else np.exp(at))


@dataclass(eq=False)
class Search:
    """The log evidence as a function of hyperparameters, and its maximum.

    Fields are as for ``ibn.learner.reward_model.fit``; ``kept`` are the features of the widths
    last used, and ``modes`` the mode found last.
    """

    kernel: str
    points: NDArray[np.floating]
    comparisons: Comparisons
    labels: str
    beta: float
    lapse: float | None
    own_variance: float | None
    landmarks: int
    seed: int
    scale_spread: float | None = None  # of a Gaussian prior of log β² scale about 0
    kept: dict[float | None, tuple[FeatureMap, NDArray[np.float64], PairLabels]] = field(
        default_factory=dict
    )
    modes: dict[float | None, WeightPosterior] = field(default_factory=dict)

    @cached_property
    def axes(self) -> Sequence[Axis]:
        """The hyperparameters to fit."""

        def positive(name: str, centre: float, reach: float) -> Axis:
            return Axis(name, *np.log([centre / reach, centre * reach, centre]).tolist())

        square, delta = 1.0 / self.beta**2, self.comparisons.delta
        if self.labels == "gaussian" and delta is not None and np.any(delta):
            square = float(np.mean(delta**2))
        axes = [positive("scale", square, LARGEST)]
        if self.labels == "gaussian":
            axes.append(positive("noise_variance", square / 2.0, LARGEST))
        elif self.lapse is None:
            axes.append(Axis("lapse", *logit([*LAPSES, 0.1]).tolist()))
        if self.own_variance is None and own_parts_show(self.comparisons):
            axes.append(positive("own_variance", square / 4.0, LARGEST))
        if self.kernel == "rbf":
            width = typical_distance(self.points, seed=self.seed)
            axes.append(positive("width", width, WIDEST))
        return axes

    def values(self, at: NDArray[np.float64]) -> dict[str, float]:
        """Hyperparameters at a point of the axes."""
        return {axis.name: axis.value(x) for axis, x in zip(self.axes, at, strict=True)}

    def settings(self, at: NDArray[np.float64]) -> Settings:
        """Hyperparameters at a point of the axes, those of the features left out."""
        values = {
            "beta": self.beta,
            "lapse": self.lapse or 0.0,
            "own_variance": self.own_variance or 0.0,
            **self.values(at),
        }
        values.pop("width", None)
        return Settings(**values)

    def with_width(self, width: float | None) -> tuple[FeatureMap, NDArray[np.float64], PairLabels]:
        """Features of a kernel width and the labels over them; those last used are kept."""
        if width not in self.kept:
            while len(self.kept) >= KEPT:
                self.kept.pop(next(iter(self.kept)))
            mapped = feature_map(
                self.kernel, self.points, width, landmarks=self.landmarks, seed=self.seed
            )
            features = mapped.features(self.points)
            read = PairLabels.of(features, self.comparisons, self.labels)
            self.kept[width] = mapped, features, read
        self.kept[width] = self.kept.pop(width)  # the last used comes last
        return self.kept[width]

    def posterior(self, at: NDArray[np.float64]) -> WeightPosterior:
        """Posterior of the weights there; the mode is sought from the last one of that width."""
        width = self.values(at).get("width")
        read = self.with_width(width)[2]
        found = infer(read, self.settings(at), self.modes.get(width))
        self.modes = {width: found}
        return found

    def evidence(self, at: NDArray[np.float64]) -> float:
        """Log marginal likelihood there."""
        return self.posterior(at).log_evidence

    def prior(self, at: NDArray[np.float64]) -> float:
        """Log density of the scale there, up to a constant; 0 where it has no prior."""
        if self.scale_spread is None:
            return 0.0
        scale = self.values(at)["scale"] * self.beta**2
        return -0.5 * float(np.log(scale) / self.scale_spread) ** 2

    def best(self) -> NDArray[np.float64]:
        """Maximise the log evidence, times the scale's prior where it has one."""
        start = np.array([axis.start for axis in self.axes])
        if self.axes[-1].name == "width":  # the evidence can have several maxima in it
            looks = [np.append(start[:-1], start[-1] + np.log(factor)) for factor in WIDTHS]
            start = max(looks, key=self.evidence)
        return self.maximise(start, range(len(self.axes)))

    def maximise(self, start: NDArray[np.float64], free: Sequence[int]) -> NDArray[np.float64]:
        """Maximise over the free axes, the others held where they are."""
        free = list(free)
        at = start.copy()
        if not free:
            return at

        def cost(x: NDArray[np.float64]) -> float:
            at[free] = x
            return -self.evidence(at) - self.prior(at)

        found = minimize(
            cost,
            start[free],
            method="L-BFGS-B",
            bounds=[(self.axes[i].low, self.axes[i].high) for i in free],
            options={"eps": SLOPE_STEP, "ftol": 1e-10, "gtol": 1e-3, "maxls": 30},
        )
        at[free] = found.x
        return at

    def bare(self, best: NDArray[np.float64]) -> dict[str, Hyperparameter]:
        """Hyperparameters without their uncertainty."""
        return {
            name: Hyperparameter(value, np.nan, np.nan, np.nan)
            for name, value in self.values(best).items()
        }

    def intervals(self, best: NDArray[np.float64]) -> dict[str, Hyperparameter]:
        """95 % interval of each hyperparameter."""
        inside = [
            i for i, axis in enumerate(self.axes) if axis.low + STEP < best[i] < axis.high - STEP
        ]
        deviation = np.full(len(best), np.inf)
        hessian = self._hessian(best, inside)
        if inside and np.linalg.eigvalsh(hessian).max() < 0:
            deviation[inside] = np.sqrt(np.diagonal(np.linalg.inv(-hessian)))
        found = {}
        for i, axis in enumerate(self.axes):
            if np.isfinite(deviation[i]):
                reach = 1.96 * deviation[i]
                ends = max(best[i] - reach, axis.low), min(best[i] + reach, axis.high)
            else:
                ends = self._drop(best, i, axis.low), self._drop(best, i, axis.high)
            low, high = (axis.value(end) for end in ends)
            found[axis.name] = Hyperparameter(axis.value(best[i]), low, high, float(deviation[i]))
        return found

    def _hessian(self, best: NDArray[np.float64], axes: Sequence[int]) -> NDArray[np.float64]:
        """Second derivatives of the log evidence, by central differences."""
        moves = np.eye(len(best))[list(axes)] * STEP
        centre = self.evidence(best)
        hessian = np.empty((len(moves), len(moves)))
        for i, move in enumerate(moves):
            sides = self.evidence(best + move) + self.evidence(best - move)
            hessian[i, i] = sides - 2.0 * centre
            for j, other in enumerate(moves[:i]):
                same = self.evidence(best + move + other) + self.evidence(best - move - other)
                cross = self.evidence(best + move - other) + self.evidence(best - move + other)
                hessian[i, j] = hessian[j, i] = (same - cross) / 4.0
        return hessian / STEP**2

    def _drop(self, best: NDArray[np.float64], axis: int, end: float) -> float:
        """Where the profile of the log evidence along an axis has dropped, or its end."""
        others = [i for i in range(len(best)) if i != axis]
        aim = self.evidence(best) - DROP

        def above(x: float) -> float:
            at = best.copy()
            at[axis] = x
            return self.evidence(self.maximise(at, others)) - aim

        if above(end) > 0:
            return end
        return float(brentq(above, best[axis], end, xtol=0.02))


def own_parts_show(comparisons: Comparisons) -> bool:
    """Whether own parts differ from label noise, and are eliminated at little cost."""
    m, uses = len(comparisons.responses), comparisons.uses
    shared = np.maximum(uses[comparisons.a], uses[comparisons.b]) > 1
    pairs = csr_array((np.ones(len(comparisons)), (comparisons.a, comparisons.b)), shape=(m, m))
    component = connected_components(pairs, directed=False)[1]
    return bool(
        shared.sum() >= LEAST_SHARED * len(shared)
        and np.bincount(component).max() <= LARGEST_COMPONENT
    )
