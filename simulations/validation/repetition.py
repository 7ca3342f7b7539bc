"""What one repetition of the protocol found: reward models, policies and their gold scores."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ModelResult:
    """One reward model, what it cost and how it does."""

    # what it was trained on: at equal comparisons or at equal tokens generated
    topology: str
    budget: str
    share: float  # of the comparisons that the budget allows
    seed: int
    # labels, and their share of the tokens generated for all that there are
    comparisons: int
    tokens: int
    # tokens that an annotator reads a comparison, without the shared prefix and with it
    read: float
    read_whole: float
    # as in reward.Examined
    accuracy: float
    error: float
    distance: float
    variance: float
    kernel_variance: float


@dataclass(frozen=True)
class Policy:
    """How responses are chosen."""

    name: str  # tree, chain or base
    decoder: str = ""  # best-of-n, rft, policy-optimisation or, for the base model, nothing
    budget: str = ""  # at equal comparisons or equal tokens
    draws: int = 1  # N; for what is trained, of the responses to a training prompt


BASE = Policy("base")


@dataclass(frozen=True, eq=False)
class Repetition:
    """One seed's outcome."""

    seed: int
    models: list[ModelResult] = field(default_factory=list)  # one a topology, budget and share
    # shape (test, times): gold scores of each policy's responses to each test prompt. Columns of
    # two policies that choose among draws belong together: they chose among the same
    scores: dict[Policy, NDArray[np.float64]] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Say the same in what JSON can hold."""
        return {
            "seed": self.seed,
            "models": [asdict(model) for model in self.models],
            "scores": [[asdict(policy), scores.tolist()] for policy, scores in self.scores.items()],
        }

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> Repetition:
        """Read what :meth:`record` wrote."""
        return cls(
            record["seed"],
            [ModelResult(**model) for model in record["models"]],
            {Policy(**policy): np.array(scores) for policy, scores in record["scores"]},
        )
