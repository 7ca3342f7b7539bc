"""What-if: the mean posterior variance under changed comparisons, on the same random numbers.

A sample of the posterior perturbs every edge by its own noise and solves (perturb and optimise,
Papandreou and Yuille 2010). Where the edges that two sets of comparisons share get the same
noise, the two means move together, and their difference is far more precise than either
(common random numbers; Glasserman, *Monte Carlo Methods in Financial Engineering*, §4.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.pairs import PromptPairs
from ibn.auditing.similarity import FixedBias
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.solvers.two_level import TwoLevel

TOLERANCE = 1e-6  # of a solution's energy
MOST_SAMPLES, LEAST_SAMPLES = 64, 8
WORK = 2**17  # responses times samples: as many samples as that leaves


@dataclass(frozen=True, eq=False)
class Change:
    """A change of a dataset's comparisons."""

    name: str  # what is changed, in a few words
    # The comparisons that stay; by default all. One named twice has two labels.
    keep: NDArray[np.int64] | None = None
    add: NDArray[np.int64] | None = None  # shape (p, 2): comparisons of these pairs in addition
    # sigma2, add_sigma2: variance of a label, and of one added; by default as it is
    sigma2: float | None = None
    add_sigma2: float | None = None


AS_IS = Change("as things are")


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of the responses' rewards from a posterior, one of several that share their noise."""

    pairs: PromptPairs  # the pairs that means are over
    rewards: NDArray[np.float64]  # shape (k, m)

    def draws(self, kind: str, prompts: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Mean squared difference over pairs, an estimate of their mean variance a sample.

        Pairs are those "within" prompts, of which some may be named, or "across" prompts.
        """
        pairs, m = self.pairs, self.rewards.shape[1]
        ordered = self.rewards[:, pairs.order]
        within = pairs.size * np.add.reduceat(ordered**2, pairs.start, axis=1)
        within -= np.add.reduceat(ordered, pairs.start, axis=1) ** 2
        if kind == "across":
            squares = m * np.einsum("ki,ki->k", ordered, ordered) - ordered.sum(axis=1) ** 2
            return (squares - within.sum(axis=1)) / pairs.across
        some = slice(None) if prompts is None else prompts
        return within[:, some].sum(axis=1) / pairs.within_of[some].sum()


@dataclass(frozen=True, eq=False)
class Scenarios:
    """A dataset's network, ready to be asked what if."""

    bias: FixedBias  # the inductive bias among all responses
    comparisons: Comparisons
    sigma2: float  # variance of a label
    pairs: PromptPairs  # the pairs of responses that means are over
    # shape (k, edges + comparisons): standard normal noise of each sample's edges and comparisons
    noise: NDArray[np.float64]
    seed: int  # of the noise of what is added: the same in every question

    @classmethod
    def of(
        cls,
        bias: FixedBias,
        comparisons: Comparisons,
        sigma2: float,
        pairs: PromptPairs,
        rng: np.random.Generator,
    ) -> Scenarios:
        """Draw the noise, of as many samples as the size of the dataset asks for."""
        m = len(pairs.prompt_of)
        count = int(np.clip(WORK // m, LEAST_SAMPLES, MOST_SAMPLES))
        noise = rng.normal(size=(count, len(bias.fixed.u) + len(comparisons)))
        return cls(bias, comparisons, sigma2, pairs, noise, int(rng.integers(2**63)))

    def samples(self, change: Change, tolerance: float = TOLERANCE) -> Samples:
        """Sample the posterior under changed comparisons, each sample's energy to a tolerance."""
        old, bias_edges = self.comparisons, len(self.bias.fixed.u)
        which = np.arange(len(old)) if change.keep is None else change.keep
        extra = np.empty((0, 2), np.int64) if change.add is None else change.add
        repeated = np.ones(len(which), bool)
        repeated[np.unique(which, return_index=True)[1]] = False
        own = change.sigma2 or self.sigma2
        network = build_network(
            self.bias,
            Comparisons(
                old.responses,
                np.concatenate([old.a[which], extra[:, 0]]),
                np.concatenate([old.b[which], extra[:, 1]]),
            ),
            np.repeat([own, change.add_sigma2 or own], [len(which), len(extra)]),
        )
        fresh = np.random.default_rng(self.seed)
        count = len(self.noise)
        kept = self.noise[:, bias_edges + which]
        kept[:, repeated] = fresh.normal(size=(count, repeated.sum()))
        added = fresh.normal(size=(count, len(extra)))
        inflow = np.empty((network.size, count))
        deviation = 1.0 / np.sqrt(network.variance)
        parts = zip(self.noise[:, :bias_edges], kept, added, strict=True)
        for column, noise in zip(inflow.T, parts, strict=True):
            column[:] = network.currents(deviation * np.concatenate(noise))
        system = TwoLevel.of(network, self.bias.aggregates)
        return Samples(self.pairs, system.potential(inflow, tolerance).T)
