"""What labels are expected to bring, in the unit that is felt: pair accuracy on new prompts.

A pair whose reward difference has prior variance v₀ and posterior variance v is judged by the
posterior mean, m ~ N(0, v₀ - v) over what the labels may say; a further label agrees with that
judgement with probability σ(|m| + √v z), z ~ N(0, 1). Both are averaged, and so is the pair, over
pairs within prompts. The scale of rewards, and so v₀, is fitted to the labels, β being 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.design import label_variance, pairs_within
from ibn.learner.reward_model import NODES, WEIGHTS, RewardModel, average_sigmoid

PAIRS = 400  # whose accuracy is averaged
SOURCES = 4000  # random pairs whose information is averaged
MOST_TIMES = 64  # as many labels as planned, beyond which a worth is not sought
Floats = NDArray[np.float64]


def expected_accuracy(prior: Floats, left: Floats) -> Floats:
    """Probability that a label agrees with the judgement, pair by pair.

    Parameters
    ----------
    prior, left : ndarray of float, shape (t,)
        Variances of the reward differences before and after the labels.
    """
    spread = np.sqrt(np.maximum(prior - left, 0.0))
    nodes, weights = NODES[::2], WEIGHTS[::2]
    half = nodes >= 0.0  # a judgement either way round is as good
    weights = np.where(nodes > 0.0, 2.0, 1.0)[half] * weights[half]
    agreed = average_sigmoid(np.outer(nodes[half], spread), np.sqrt(left))
    return weights @ agreed / weights.sum()


@dataclass(frozen=True, eq=False)
class Outlook:
    """A fitted reward model, ready to be asked what further labels would bring.

    Attributes
    ----------
    model : RewardModel
        Without own parts.
    precision : ndarray of float, shape (d, d)
        Inverse covariance of the weights.
    typical : ndarray of float, shape (d, d)
        What a label of a random pair within a prompt adds to it on average.
    pairs : ndarray of float, shape (t, d)
        Feature differences of random pairs within prompts, whose accuracy counts.
    """

    model: RewardModel
    precision: Floats
    typical: Floats
    pairs: Floats

    @classmethod
    def of(
        cls, model: RewardModel, prompt_of: NDArray[np.int64], rng: np.random.Generator
    ) -> Outlook | None:
        """Draw the pairs; ``None`` where no prompt has two responses."""
        listed = pairs_within(prompt_of)
        if not len(listed):
            return None
        sources = listed[rng.permutation(len(listed))[:SOURCES]]
        typical = information(model, sources) / len(sources)
        drawn = listed[rng.permutation(len(listed))[:PAIRS]]
        differences = model.features[drawn[:, 0]] - model.features[drawn[:, 1]]
        precision = np.linalg.inv(model.covariance).astype(np.float64)
        return cls(model, precision, typical, differences)

    def accuracy(self, more: Floats | float = 0.0) -> float:
        """Pair accuracy with more information about the weights."""
        left = np.linalg.solve(self.precision + more, self.pairs.T)
        prior = self.model.scale * np.einsum("ij,ij->i", self.pairs, self.pairs)
        variance = np.einsum("ij,ji->i", self.pairs, left)
        return float(expected_accuracy(prior, np.minimum(variance, prior)).mean())

    def worth(self, accuracy: float, labels: int) -> float:
        """Random labels that reach an accuracy, at most ``MOST_TIMES`` times as many as given."""
        low, high = 0.0, float(labels)
        while self.accuracy(high * self.typical) < accuracy and high < MOST_TIMES * labels:
            low, high = high, 2.0 * high
        for _ in range(12):
            middle = (low + high) / 2.0
            if self.accuracy(middle * self.typical) < accuracy:
                low = middle
            else:
                high = middle
        return (low + high) / 2.0


def information(model: RewardModel, pairs: NDArray[np.int64]) -> Floats:
    """Add up what labels of pairs are expected to tell of the weights, shape (d, d)."""
    a, b = np.asarray(pairs, np.int64).T
    x = model.features[a] - model.features[b]
    noise = label_variance(model, *model.difference(a, b))
    return (x / noise[:, None]).T @ x
