"""The posterior over the responses' rewards: all of it where it fits, random samples where not.

Both kinds answer the same questions about posterior variances of reward differences: the mean
within and across prompts, of each prompt, of each response and of given pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.pairs import PromptPairs
from ibn.estimate import Estimate
from ibn.network import Network
from ibn.posterior import posterior_samples, resistance_matrix


class Posterior(Protocol):
    """What the audit asks of a posterior; every variance is of a reward difference."""

    @property
    def pairs(self) -> PromptPairs:
        """The pairs it is asked about."""
        ...

    def scaled(self, factor: float) -> Posterior:
        """Return the posterior of a network all of whose variances are ``factor`` times these."""
        ...

    def overall(self) -> Estimate:
        """Mean variance over all pairs."""
        ...

    def within(self) -> Estimate:
        """Mean variance over the pairs within a prompt."""
        ...

    def across(self) -> Estimate:
        """Mean variance over the pairs across prompts."""
        ...

    def of_prompts(self) -> NDArray[np.float64]:
        """Mean variance over the pairs within each prompt; NaN where there are none."""
        ...

    def of_responses(self) -> NDArray[np.float64]:
        """Mean variance of each response against all others."""
        ...

    def of_pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Variance of each of these pairs of responses, shape (p, 2)."""
        ...


def _average(total: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


@dataclass(frozen=True, eq=False)
class ExactPosterior:
    """Posterior variances of all pairs, from one dense factorisation.

    Attributes
    ----------
    pairs : PromptPairs
        The pairs it is asked about.
    variance : ndarray, shape (m, m)
        Of the reward difference of each two responses.
    """

    pairs: PromptPairs
    variance: NDArray[np.float64]

    @classmethod
    def of(cls, network: Network, pairs: PromptPairs) -> ExactPosterior:
        """Solve a connected network."""
        return cls(pairs, resistance_matrix(network))

    def scaled(self, factor: float) -> ExactPosterior:
        """Return the posterior of a network all of whose variances are ``factor`` times these."""
        return replace(self, variance=factor * self.variance)

    def _prompt_totals(self) -> NDArray[np.float64]:
        """Sum of variances over the pairs within each prompt."""
        prompt = self.pairs.prompt_of
        columns = np.add.reduceat(self.variance[self.pairs.order], self.pairs.start, axis=0)
        return np.bincount(prompt, weights=columns[prompt, np.arange(len(prompt))]) / 2.0

    def overall(self) -> Estimate:
        """Mean variance over all pairs, without error."""
        count = self.pairs.within + self.pairs.across
        return Estimate(float(self.variance.sum()) / 2.0 / count, 0.0, count)

    def within(self) -> Estimate:
        """Mean variance over the pairs within a prompt, without error."""
        count = self.pairs.within
        return Estimate(float(self._prompt_totals().sum()) / count, 0.0, count)

    def across(self) -> Estimate:
        """Mean variance over the pairs across prompts, without error."""
        count = self.pairs.across
        rest = self.variance.sum() / 2.0 - self._prompt_totals().sum()
        return Estimate(float(rest) / count, 0.0, count)

    def of_prompts(self) -> NDArray[np.float64]:
        """Mean variance over the pairs within each prompt; NaN where there are none."""
        return _average(self._prompt_totals(), self.pairs.within_of)

    def of_responses(self) -> NDArray[np.float64]:
        """Mean variance of each response against all others."""
        return self.variance.sum(axis=0) / (len(self.variance) - 1)

    def of_pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Variance of each of these pairs of responses, shape (p, 2)."""
        return self.variance[pairs[:, 0], pairs[:, 1]]


@dataclass(frozen=True, eq=False)
class SampledPosterior:
    """Independent samples of the responses' rewards from the posterior.

    The mean square of a reward difference over k samples estimates its variance with relative
    standard error √(2/k): a Johnson-Lindenstrauss sketch of effective resistances (Spielman and
    Srivastava 2011). Means over many pairs are far more precise, and each sample gives an
    independent draw of them.

    Attributes
    ----------
    pairs : PromptPairs
        The pairs it is asked about.
    samples : ndarray, shape (k, m)
        Rewards, each row centred.
    """

    pairs: PromptPairs
    samples: NDArray[np.float64]

    @classmethod
    def of(
        cls, network: Network, pairs: PromptPairs, count: int, rng: np.random.Generator
    ) -> SampledPosterior:
        """Draw samples from a connected network's posterior."""
        return cls(pairs, posterior_samples(network, count, rng))

    def scaled(self, factor: float) -> SampledPosterior:
        """Return the posterior of a network all of whose variances are ``factor`` times these."""
        return replace(self, samples=np.sqrt(factor) * self.samples)

    def _totals(self) -> NDArray[np.float64]:
        """Sum of squared differences over all pairs, a sample."""
        return self.samples.shape[1] * np.einsum("ki,ki->k", self.samples, self.samples)

    def _prompt_totals(self) -> NDArray[np.float64]:
        """Sum of squared differences over the pairs within each prompt, shape (k, prompts)."""
        sorted_ = self.samples[:, self.pairs.order]
        sums = np.add.reduceat(sorted_, self.pairs.start, axis=1)
        squares = np.add.reduceat(sorted_**2, self.pairs.start, axis=1)
        return self.pairs.size * squares - sums**2

    def draws(self, kind: str, prompts: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Mean squared difference in each sample, over pairs of a kind, shape (k,).

        Parameters
        ----------
        kind : {"within", "across"}
            Pairs within a prompt, or across prompts.
        prompts : ndarray of int, optional
            Only pairs within these.
        """
        if kind == "across":
            rest = self._totals() - self._prompt_totals().sum(axis=1)
            return rest / self.pairs.across
        some = slice(None) if prompts is None else prompts
        return self._prompt_totals()[:, some].sum(axis=1) / self.pairs.within_of[some].sum()

    def overall(self) -> Estimate:
        """Mean variance over all pairs."""
        return Estimate.of(self._totals() / (self.pairs.within + self.pairs.across))

    def within(self) -> Estimate:
        """Mean variance over the pairs within a prompt."""
        return Estimate.of(self.draws("within"))

    def across(self) -> Estimate:
        """Mean variance over the pairs across prompts."""
        return Estimate.of(self.draws("across"))

    def of_prompts(self) -> NDArray[np.float64]:
        """Mean variance over the pairs within each prompt; NaN where there are none."""
        return _average(self._prompt_totals().mean(axis=0), self.pairs.within_of)

    def of_responses(self) -> NDArray[np.float64]:
        """Mean variance of each response against all others."""
        k, m = self.samples.shape
        squares = np.einsum("ki,ki->i", self.samples, self.samples)
        return (m * squares + squares.sum()) / (k * (m - 1))

    def of_pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Variance of each of these pairs of responses, shape (p, 2)."""
        result = np.zeros(len(pairs))
        for sample in self.samples:
            result += (sample[pairs[:, 0]] - sample[pairs[:, 1]]) ** 2
        return result / len(self.samples)
