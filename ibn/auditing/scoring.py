"""Scores of predicted probabilities against the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.estimate import Estimate
from ibn.learner.log_loss import log_losses

BINS = 10
FIFTHS = 5
REFERENCE_DRAWS = 400


@dataclass(frozen=True)
class Scores:
    """How well held-out labels were predicted; each a mean over splits with its standard error."""

    log_loss: Estimate  # mean of -log P(label), natural logarithm; ln 2 = 0.693 knows nothing
    accuracy: Estimate  # share of labels that agree with the more probable side; ties count half
    # Expected calibration error of a split, see :func:`calibration_error`. Few labels a bin make it
    # large by chance.
    calibration_error: Estimate
    pooled_calibration_error: float  # the same over the held-out comparisons of all splits together
    # the pooled error's expectation, were every predicted probability right: labels drawn from the
    # predictions (the mean over draws, with their standard deviation for ``stderr``)
    by_chance: Estimate


@dataclass(frozen=True, eq=False)
class Bin:
    """Held-out comparisons of like confidence."""

    # low, high: bounds of the probability given to the more probable side
    low: float
    high: float
    count: int  # comparisons
    # confidence, accuracy: mean of that probability, and the share of labels that agree; NaN where
    # there are none
    confidence: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class Fifth:
    """A fifth of the held-out comparisons, by how uncertain their labels were predicted to be."""

    uncertainty: float  # mean of the measure
    accuracy: Estimate  # share of labels predicted rightly, with its binomial standard error


def reliability(probability: NDArray[np.float64], target: NDArray[np.float64]) -> list[Bin]:
    """Bin comparisons by the probability of the more probable side: 10 equal bins of [1/2, 1]."""
    confidence = np.maximum(probability, 1.0 - probability)
    hits = hits_of(probability, target)
    cell = np.minimum(((confidence - 0.5) * 2 * BINS).astype(int), BINS - 1)
    found = []
    for number in range(BINS):
        own = cell == number
        count = int(own.sum())
        means = (float(x[own].mean()) if count else np.nan for x in (confidence, hits))
        bounds = (0.5 + number / (2 * BINS), 0.5 + (number + 1) / (2 * BINS))
        found.append(Bin(*bounds, count, *means))
    return found


def calibration_error(probability: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    """Average |accuracy - confidence| over the bins of :func:`reliability`, weighted by count.

    The expected calibration error (Guo et al. 2017).
    """
    cells = [cell for cell in reliability(probability, target) if cell.count]
    total = sum(cell.count * abs(cell.accuracy - cell.confidence) for cell in cells)
    return total / len(probability)


def hits_of(probability: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where the label agrees with the more probable side, 1/2 for ties and undecided."""
    return 0.5 + np.sign(probability - 0.5) * (target - 0.5)


def by_split(values: NDArray[np.float64], part: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean of the values in each part."""
    return np.bincount(part, values) / np.bincount(part)


def scores_of(
    probability: NDArray[np.float64],
    target: NDArray[np.float64],
    part: NDArray[np.int64],
    rng: np.random.Generator,
) -> Scores:
    """Score predictions, split by split and pooled; ``rng`` draws what chance alone would do."""
    errors = [
        calibration_error(probability[part == k], target[part == k]) for k in range(part.max() + 1)
    ]
    tied = target == 0.5
    chance = [
        calibration_error(probability, np.where(tied, 0.5, rng.random(len(target)) < probability))
        for _ in range(REFERENCE_DRAWS)
    ]
    return Scores(
        log_loss=Estimate.of(by_split(log_losses(probability, target), part)),
        accuracy=Estimate.of(by_split(hits_of(probability, target), part)),
        calibration_error=Estimate.of(np.array(errors)),
        pooled_calibration_error=calibration_error(probability, target),
        by_chance=Estimate(float(np.mean(chance)), float(np.std(chance)), REFERENCE_DRAWS),
    )


def fifths_of(
    measure: NDArray[np.float64], hits: NDArray[np.float64], rng: np.random.Generator
) -> list[Fifth]:
    """Cut into fifths, the most uncertain first; equal measures in random order."""
    order = np.lexsort([rng.random(len(measure)), -measure])
    found = []
    for some in np.array_split(order, FIFTHS):
        rate, count = float(hits[some].mean()), len(some)
        error = float(np.sqrt(rate * (1.0 - rate) / count))
        found.append(Fifth(float(measure[some].mean()), Estimate(rate, error, count)))
    return found
