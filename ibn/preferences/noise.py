"""Label noise: the Bradley-Terry model in its continuous and binary readings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ibn.checks import generator, numbers, one_of, positive, share
from ibn.errors import InputError
from ibn.preferences.comparisons import Comparisons

READINGS = ("logistic", "fisher", "bradley-terry")


@dataclass(frozen=True)
class LabelNoise:
    """How much one label says about a reward difference.

    A label is δ ~ Logistic(r(a) - r(b), 1/β); what a person reports is its sign.

    Attributes
    ----------
    beta : float
        Inverse temperature β > 0, per unit of reward.
    reading : {"logistic", "fisher", "bradley-terry"}
        Which variance stands for one label, see :meth:`variance`.

    Raises
    ------
    InputError
        If β is not positive and finite, or the reading is unknown.
    """

    beta: float
    reading: str = "logistic"

    def __post_init__(self) -> None:
        if not 1e-100 < positive("beta", self.beta) < 1e100:  # beyond, its square is 0 or infinite
            raise InputError(f"beta must be positive and finite, not {self.beta}")
        one_of("noise reading", self.reading, READINGS)

    def variance(self, p: float = 0.5) -> float:
        """Variance σ² of one label's evidence on r(a) - r(b), in squared units of reward.

        Parameters
        ----------
        p : float
            P(a preferred), used by the Bradley-Terry reading alone.

        Returns
        -------
        float
            ``logistic``: π²/(3β²), the posterior variance of one continuous label under a flat
            prior (theory M1). ``fisher``: 3/β², what many labels add up to, the inverse Fisher
            information of a logistic location (theory P2). ``bradley-terry``: 1/(β² p(1 - p)),
            the inverse Fisher information of one binary label.
        """
        share("p", p)
        if self.reading == "logistic":
            return float(np.pi**2 / (3.0 * self.beta**2))
        if self.reading == "fisher":
            return float(3.0 / self.beta**2)
        return float(1.0 / (self.beta**2 * p * (1.0 - p)))


def simulate_labels(
    comparisons: Comparisons, rewards: NDArray[np.float64], beta: float, rng: np.random.Generator
) -> Comparisons:
    """Label comparisons from true rewards: δ logistic about the difference, winner its sign.

    Parameters
    ----------
    comparisons : Comparisons
        The pairs to label.
    rewards : ndarray, shape (m,)
        True reward of each response.
    beta : float
        Inverse temperature.
    rng : numpy.random.Generator
        Source of randomness.
    """
    rewards = numbers("rewards", rewards, (len(comparisons.responses),))
    positive("beta", beta)
    generator(rng)
    difference = rewards[comparisons.a] - rewards[comparisons.b]
    delta = rng.logistic(difference, 1.0 / beta)
    winner = np.where(delta > 0, 1, -1).astype(np.int8)
    return comparisons.labelled(delta=delta, winner=winner)


def preference_probability(difference: NDArray[np.float64], beta: float) -> NDArray[np.float64]:
    """P(a preferred to b) for reward differences r(a) - r(b): σ(β difference), Bradley-Terry."""
    return expit(beta * difference)
