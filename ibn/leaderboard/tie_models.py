"""What a battle may end in, given log-odds: Bradley-Terry, and two models of ties.

Each model gives, for log-odds η of a against b and its tie parameter τ, the probability of a win,
a tie and a loss, the slope of each one's logarithm in η and in τ, and the Fisher information on η.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Slopes:
    """Of the log-likelihood of one battle a row, by outcome: win, tie, loss.

    Attributes
    ----------
    log_chance, slope, tie_slope : ndarray of float, shape (3, n)
        Log probability of each outcome, its slopes in η and τ.
    information : ndarray of float, shape (n,)
        Fisher information on η.
    """

    log_chance: Floats
    slope: Floats
    tie_slope: Floats
    information: Floats


class OutcomeModel(Protocol):
    """How log-odds become outcomes."""

    @property
    def tied(self) -> bool:
        """Whether the model has a tie parameter."""
        ...

    def at(self, log_odds: Floats, tie: float) -> Slopes:
        """Evaluate at log-odds η, shape (n,), and tie parameter τ."""
        ...


@dataclass(frozen=True)
class HalfWins:
    """Bradley-Terry: P(a wins) = σ(η); a tie counts as half a win and half a loss."""

    tied: bool = False

    def at(self, log_odds: Floats, tie: float = 0.0) -> Slopes:
        """Evaluate; the tie parameter is not used."""
        chance = expit(log_odds)
        win, loss = log_expit(log_odds), log_expit(-log_odds)
        return Slopes(
            log_chance=np.stack([win, (win + loss) / 2.0, loss]),
            slope=np.stack([1.0 - chance, 0.5 - chance, -chance]),
            tie_slope=np.zeros((3, len(chance))),
            information=chance * (1.0 - chance),
        )


@dataclass(frozen=True)
class Davidson:
    """Chances of win, tie and loss are as e^(η/2), e^τ and e^(-η/2) (Davidson 1970)."""

    tied: bool = True

    def at(self, log_odds: Floats, tie: float) -> Slopes:
        """Evaluate."""
        scale = np.stack([log_odds / 2.0, np.full_like(log_odds, tie), -log_odds / 2.0])
        log_chance = scale - np.logaddexp.reduce(scale, axis=0)
        win, even, loss = np.exp(log_chance)
        mean = (win - loss) / 2.0
        slope = np.array([[0.5], [0.0], [-0.5]]) - mean
        information = (win + loss) / 4.0 - mean**2
        return Slopes(
            log_chance=log_chance,
            slope=slope,
            tie_slope=np.array([[0.0], [1.0], [0.0]]) - even,
            information=information,
        )


@dataclass(frozen=True)
class RaoKupper:
    """A win needs an advantage of λ = e^τ: P(a wins) = σ(η - λ), P(b wins) = σ(-η - λ)."""

    tied: bool = True

    def at(self, log_odds: Floats, tie: float) -> Slopes:
        """Evaluate."""
        margin = float(np.exp(tie))
        win, loss = expit(log_odds - margin), expit(-log_odds - margin)
        log_win, log_loss = log_expit(log_odds - margin), log_expit(-log_odds - margin)
        by_margin = np.stack(
            [
                win - 1.0,
                win + loss - 2.0 + 2.0 / -np.expm1(-2.0 * margin),
                loss - 1.0,
            ]
        )
        return Slopes(
            log_chance=np.stack(
                [
                    log_win,
                    2.0 * margin + np.log(-np.expm1(-2.0 * margin)) + log_win + log_loss,
                    log_loss,
                ]
            ),
            slope=np.stack([1.0 - win, loss - win, loss - 1.0]),
            tie_slope=margin * by_margin,
            information=(1.0 - win) * (1.0 - loss) * (win + loss),
        )


MODELS: dict[str, OutcomeModel] = {
    "half": HalfWins(),
    "drop": HalfWins(),
    "davidson": Davidson(),
    "rao-kupper": RaoKupper(),
}
