"""What an audit is asked, checked before any work is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from ibn.bias.neighbours import METRICS
from ibn.errors import InputError, unknown_name
from ibn.preferences.noise import LabelNoise
from ibn.topology import TOPOLOGIES

WITHIN = "within-prompt"
COMPARED = (
    *("chain", "tree", "star", "expander", "kwise"),
    *("stratified-star", "stratified-expander", WITHIN),
)
KNOWN = (*(name for name in TOPOLOGIES if name != "tree-grown"), WITHIN)
EXACT_RESPONSES = 4000  # up to which the dense matrix of all pairs takes seconds

Progress = Callable[[str], None]


@dataclass(frozen=True)
class AuditSettings:
    """What an audit is asked.

    Attributes
    ----------
    beta : float
        Inverse temperature of the labels, per unit of reward.
    noise : {"bradley-terry", "logistic", "fisher"}
        Reading of a label's noise: a binary label (at P = 1/2, 4/β²) or a continuous one.
    bias_scale : float
        Prior variance of the reward difference of two random responses. The default, 2, is that
        of rewards of unit variance; only its product with β² matters, besides the unit.
    neighbours : int
        Nearest neighbours that each response is tied to.
    metric : {"cosine", "euclidean"}
        Distance between embeddings.
    topologies : sequence of str
        Topologies to compare with: names of ``ibn.topology.TOPOLOGIES`` except ``tree-grown``,
        and ``within-prompt``: random pairs that answer the same prompt.
    replicates : int
        Independent draws of each topology, at least 2.
    listed : int
        How many of the most uncertain pairs and prompts to list.
    exact : int
        Up to this many responses all pairs are computed; with more, means come with a sampling
        error and the listed prompts are found by a sketch.
    labels : bool
        Whether to fit a reward model to what the labels say, too, for held-out log loss,
        calibration, label noise and plans.
    seed : int
        Seed of everything random.

    Raises
    ------
    InputError
        If one of them cannot be used.
    """

    beta: float = 1.0
    noise: str = "bradley-terry"
    bias_scale: float = 2.0
    neighbours: int = 10
    metric: str = "cosine"
    topologies: Sequence[str] = COMPARED
    replicates: int = 8
    listed: int = 10
    exact: int = EXACT_RESPONSES
    labels: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        LabelNoise(self.beta, self.noise)
        scale = self.bias_scale
        if not 1e-100 <= scale <= 1e100:
            raise InputError(f"the bias scale must be positive and of moderate size, not {scale}")
        if not 1e-5 <= self.beta * np.sqrt(scale) <= 1e5:  # beyond, solving would lose digits
            raise InputError(
                f"beta {self.beta} and bias scale {scale} make labels all but worthless or "
                "faultless",
                fix="beta² times the scale must lie between 1e-10 and 1e10",
            )
        if self.replicates < 2:
            raise InputError(f"replicates must be at least 2, not {self.replicates}")
        if self.metric not in METRICS:
            raise unknown_name("metric", self.metric, METRICS)
        for name in self.topologies:
            if name not in KNOWN:
                raise unknown_name("topology", name, KNOWN)

    @property
    def noise_variance(self) -> float:
        """σ² of a label."""
        return LabelNoise(self.beta, self.noise).variance()

    @property
    def agreement(self) -> float:
        """How often a label picks the better of two random responses."""
        return agreement_of(self.beta, self.bias_scale)


def agreement_of(beta: float, bias_scale: float) -> float:
    """P(a label picks the better of two random responses): E σ(β |Δ|), Δ ~ N(0, bias scale)."""
    deviation = beta * np.sqrt(bias_scale)
    probability, _ = quad(lambda z: 2.0 * norm.pdf(z) / (1.0 + np.exp(-deviation * z)), 0.0, 10.0)
    return probability


def beta_of(agreement: float, bias_scale: float) -> float:
    """Inverse temperature at which labels agree so often with the better of two responses."""
    return brentq(lambda x: agreement_of(np.exp(x), bias_scale) - agreement, -20.0, 20.0, xtol=1e-9)
