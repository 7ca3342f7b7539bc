"""Whether predicted variance predicts the error, as a model of four times the data sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from ibn.auditing.evaluation import deal, groups_of, prior_variance, restrict
from ibn.auditing.scoring import by_split
from ibn.estimate import Estimate
from ibn.learner.reward_model import fit
from ibn.preferences.comparisons import Comparisons

IDEAL_DRAWS = 200


@dataclass(frozen=True)
class Correlation:
    """A rank correlation with a 95 % bootstrap interval over groups of comparisons.

    Attributes
    ----------
    value, low, high : float
        Spearman's coefficient and its interval.
    expected : float
        What it would be, were the model exactly right: squared errors are then as random as
        the square of a Gaussian.
    """

    value: float
    low: float
    high: float
    expected: float


@dataclass(frozen=True)
class AgainstMore:
    """A reward model's error against one of four times the data, and what it predicted.

    Attributes
    ----------
    comparisons : int
        Held-out comparisons, all splits.
    remaining, variance : Correlation
        Of the squared error with the posterior variance over the prior one, each squared error
        likewise; and plainly of squared error and posterior variance.
    ratio : Estimate
        Mean squared error over the mean of the difference of the two models' variances, which is
        1 where the model is right; over splits.
    """

    comparisons: int
    remaining: Correlation
    variance: Correlation
    ratio: Estimate

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return asdict(self)


def against_more(
    embeddings: NDArray[np.floating],
    comparisons: Comparisons,
    prompt_of: NDArray[np.int64],
    *,
    splits: int = 5,
    kernel: str = "linear",
    resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[str], None] = lambda message: None,
) -> AgainstMore:
    """Hold a reward model's predicted variance against its error, as a larger one sees it.

    In each split prompts are held out; one model is fitted to a random quarter of the others'
    prompts, one to all. The squared difference of their mean reward differences, over the
    held-out comparisons, is the error; the small model's posterior variance is what it predicted.
    Since the small model's data are among the large one's, the expected squared error of a right
    model is the difference of the two variances.

    Parameters
    ----------
    embeddings, comparisons, prompt_of, splits, kernel, seed, progress
        As for :func:`evaluate`.
    resamples : int
        Bootstrap resamples, of whole groups.

    Raises
    ------
    InputError
        As for :func:`evaluate`.
    """
    group, _ = groups_of(comparisons, prompt_of, splits)
    rng = np.random.default_rng([seed, 4])
    part = deal(group, splits, np.random.default_rng(seed))
    n = len(comparisons)
    options: dict[str, Any] = {"kernel": kernel, "intervals": False, "seed": seed}
    error, variance, prior, expected = np.empty((4, n))
    for number in range(splits):
        progress(f"split {number + 1} of {splits}: a quarter of the data, and all")
        held = part == number
        quarter = deal(group, 4, rng) == 0
        small = fit(embeddings, restrict(comparisons, ~held & quarter), **options)
        large = fit(embeddings, restrict(comparisons, ~held), **options)
        a, b = comparisons.a[held], comparisons.b[held]
        mean, variance[held] = small.difference(a, b)
        own = 2.0 * small.own_variance
        variance[held] -= own
        prior[held] = prior_variance(small, a, b) - own
        better, rest = large.difference(a, b)
        error[held] = (mean - better) ** 2
        expected[held] = variance[held] - (rest - 2.0 * large.own_variance)
    unit = np.where(prior > 0, prior, 1.0)  # the same embedding twice has no variance
    ratios = by_split(error, part) / by_split(expected, part)
    return AgainstMore(
        comparisons=n,
        remaining=_correlate(error / unit, variance / unit, group, resamples, rng),
        variance=_correlate(error, variance, group, resamples, rng),
        ratio=Estimate.of(ratios),
    )


def _correlate(
    error: NDArray[np.float64],
    predicted: NDArray[np.float64],
    group: NDArray[np.int64],
    resamples: int,
    rng: np.random.Generator,
) -> Correlation:
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)

    def rank(some: NDArray[np.int64]) -> float:
        return float(spearmanr(error[some], predicted[some]).statistic)

    draws = []
    for _ in range(resamples):
        drawn = rng.integers(0, len(members), len(members))
        draws.append(rank(np.concatenate([members[i] for i in drawn])))
    ideal = predicted * rng.normal(size=(IDEAL_DRAWS, len(predicted))) ** 2
    low, high = np.quantile(draws, [0.025, 0.975])
    expected = float(np.mean([spearmanr(row, predicted).statistic for row in ideal]))
    return Correlation(rank(order), float(low), float(high), expected)
