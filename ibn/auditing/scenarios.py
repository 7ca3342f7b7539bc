"""What-if: the mean posterior variance under changed comparisons, on the same random numbers.

A sample of the posterior perturbs every edge by its own noise and solves (perturb and optimise,
Papandreou and Yuille 2010). Where the edges that two sets of comparisons share get the same
noise, the two means move together, and their difference is far more precise than either
(common random numbers; Glasserman, *Monte Carlo Methods in Financial Engineering*, §4.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.measure import Laid
from ibn.auditing.pairs import PromptPairs
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.solvers.two_level import TwoLevel

TOLERANCE = 1e-6  # of a solution's energy
MOST_SAMPLES, LEAST_SAMPLES, WORK = 64, 8, 2**17


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of the responses' rewards from a posterior, one of several that share their noise.

    Attributes
    ----------
    pairs : PromptPairs
        The pairs that means are over.
    rewards : ndarray, shape (k, m)
    """

    pairs: PromptPairs
    rewards: NDArray[np.float64]

    def draws(self, kind: str, prompts: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Mean squared difference over pairs, an estimate of their mean variance a sample.

        Parameters
        ----------
        kind : {"within", "across"}
            Pairs within a prompt, or across prompts.
        prompts : ndarray of int, optional
            Only pairs within these.

        Returns
        -------
        ndarray, shape (k,)
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
    """A dataset's network, ready to be asked what if.

    Attributes
    ----------
    bias : Laid
        The inductive bias among all responses.
    comparisons : Comparisons
        As they are.
    sigma2 : float
        Variance of a label.
    pairs : PromptPairs
        The pairs of responses that means are over.
    noise : ndarray, shape (k, edges + comparisons)
        Standard normal noise of each sample's edges and comparisons.
    seed : int
        Of the noise of what is added: the same in every question.
    """

    bias: Laid
    comparisons: Comparisons
    sigma2: float
    pairs: PromptPairs
    noise: NDArray[np.float64]
    seed: int

    @classmethod
    def of(
        cls,
        bias: Laid,
        comparisons: Comparisons,
        sigma2: float,
        pairs: PromptPairs,
        rng: np.random.Generator,
    ) -> Scenarios:
        """Draw the noise, of as many samples as the size of the dataset asks for."""
        m = len(pairs.prompt_of)
        count = int(np.clip(WORK // m, LEAST_SAMPLES, MOST_SAMPLES))
        noise = rng.normal(size=(count, len(bias.laid.u) + len(comparisons)))
        return cls(bias, comparisons, sigma2, pairs, noise, int(rng.integers(2**63)))

    def samples(
        self,
        *,
        keep: NDArray[np.int64] | None = None,
        add: NDArray[np.int64] | None = None,
        sigma2: float | None = None,
        add_sigma2: float | None = None,
        tolerance: float = TOLERANCE,
    ) -> Samples:
        """Sample the posterior under changed comparisons.

        Parameters
        ----------
        keep : ndarray of int, optional
            The comparisons that stay; by default all. One named twice has two labels.
        add : ndarray of int, shape (p, 2), optional
            Comparisons of these pairs in addition.
        sigma2, add_sigma2 : float, optional
            Variance of a label, and of one added; by default as it is.
        tolerance : float
            Relative error allowed of each sample's energy.
        """
        old, bias_edges = self.comparisons, len(self.bias.laid.u)
        which = np.arange(len(old)) if keep is None else keep
        extra = np.empty((0, 2), np.int64) if add is None else add
        repeated = np.ones(len(which), bool)
        repeated[np.unique(which, return_index=True)[1]] = False
        own = sigma2 or self.sigma2
        network = build_network(
            self.bias,
            Comparisons(
                old.responses,
                np.concatenate([old.a[which], extra[:, 0]]),
                np.concatenate([old.b[which], extra[:, 1]]),
            ),
            np.repeat([own, add_sigma2 or own], [len(which), len(extra)]),
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
            pull = deviation * np.concatenate(noise)
            column[:] = np.bincount(network.u, pull, network.size)
            column -= np.bincount(network.v, pull, network.size)
        system = TwoLevel.of(network, self.bias.aggregates)
        return Samples(self.pairs, system.potential(inflow, tolerance).T)

    @cached_property
    def now(self) -> Samples:
        """Samples of the posterior as things are."""
        return self.samples()
