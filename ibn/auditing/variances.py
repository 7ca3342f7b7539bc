"""Posterior variances of reward differences: of all pairs where that fits, else by sampling.

Both kinds answer the same questions: the mean within and across prompts, of each prompt, of each
response and of given pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ibn.auditing.effort import effort_for
from ibn.auditing.pairs import PromptPairs
from ibn.estimate import Estimate
from ibn.inference.gaussian import resistance_matrix
from ibn.kernels.aggregates import WIDTH
from ibn.network import Network
from ibn.solvers.two_level import Aggregates, TwoLevel
from ibn.threads import in_threads

SAMPLE_TOLERANCE = 1e-6  # of the energy of a sample, most of which is in small differences
PROBE_TOLERANCE = 5e-3  # of a probe's energy, beside errors of sampling of a hundredth or so


def _average(total: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


@dataclass(frozen=True, eq=False)
class ExactVariances:
    """Posterior variances of all pairs, from one dense factorisation."""

    pairs: PromptPairs
    variance: NDArray[np.float64]  # shape (m, m): of the reward difference of each two responses

    @classmethod
    def of(cls, network: Network, pairs: PromptPairs) -> ExactVariances:
        """Solve a connected network."""
        return cls(pairs, resistance_matrix(network))

    def scaled(self, factor: float) -> ExactVariances:
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

    def solve_pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Variance of each of these pairs of responses, which is known already."""
        return self.of_pairs(pairs)


@dataclass(frozen=True, eq=False)
class Probes:
    """Independent estimates of the mean variance."""

    overall: NDArray[np.float64]  # shape (k,): over all pairs
    # shape (k,): over the pairs within a prompt; ``None`` where there are none
    within: NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class SampledVariances:
    """Random probes of the posterior for means, and samples from it for single pairs.

    The mean square of a reward difference over k samples estimates its variance with relative
    standard error √(2/k): a Johnson-Lindenstrauss sketch of effective resistances (Spielman and
    Srivastava 2011). It tells which pairs are uncertain; means over many pairs come from probes,
    which are far more precise.
    """

    pairs: PromptPairs
    system: TwoLevel  # the network, made ready for solving
    probes: Probes
    samples: NDArray[np.float64]  # shape (k, m): rewards, each row centred
    # pairs solved for already, and their variances
    solved: dict[tuple[int, int], float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        network: Network,
        pairs: PromptPairs,
        count: int,
        rng: np.random.Generator,
        aggregates: Aggregates | None = None,
        samples: int | None = None,
    ) -> SampledVariances:
        """Probe a connected network of a node a response, in order.

        Each mean gets at least ``count`` probes, which come in blocks, and as many samples by
        default; without any, only means can be asked for. ``aggregates`` are the coarse
        level, by default the network's own.
        """
        if aggregates is None:
            conductance = 1.0 / network.variance
            aggregates = Aggregates.of(network.size, network.u, network.v, conductance)
        system = TwoLevel.of(network, aggregates)
        coarse_mean = system.mean_coarse_energy()
        blocks = -(-count // (WIDTH - columns_within(pairs)))
        wanted = count if samples is None else samples
        width = [min(WIDTH, wanted - low) for low in range(0, wanted, WIDTH)]
        streams = rng.spawn(blocks + len(width))
        tolerance = effort_for(network.size).tolerance if pairs.within else SAMPLE_TOLERANCE
        made = in_threads(lambda r: probe(system, coarse_mean, pairs, r), streams[:blocks])
        drawn = in_threads(
            lambda job: _sample(network, system, tolerance, *job),
            list(zip(width, streams[blocks:], strict=True)),
        )
        found = Probes(
            np.concatenate([each.overall for each in made]),
            np.concatenate([each.within for each in made if each.within is not None])
            if pairs.within
            else None,
        )
        return cls(pairs, system, found, np.concatenate([np.empty((0, network.size)), *drawn]))

    def overall(self) -> Estimate:
        """Mean variance over all pairs."""
        return Estimate.of(self.probes.overall)

    def within(self) -> Estimate:
        """Mean variance over the pairs within a prompt."""
        assert self.probes.within is not None
        return Estimate.of(self.probes.within)

    def across(self) -> Estimate:
        """Mean variance over the pairs across prompts: what is left of all pairs."""
        inside, outside = self.pairs.within, self.pairs.across
        every = self.overall()
        own = self.within() if inside else Estimate(0.0, 0.0, every.count)
        mean = ((inside + outside) * every.mean - inside * own.mean) / outside
        stderr = float(np.hypot((inside + outside) * every.stderr, inside * own.stderr)) / outside
        return Estimate(mean, stderr, min(every.count, own.count))

    def scaled(self, factor: float) -> SampledVariances:
        """Return the posterior of a network all of whose variances are ``factor`` times these."""
        within = self.probes.within
        return replace(
            self,
            system=replace(self.system, unit=factor * self.system.unit),
            probes=Probes(
                factor * self.probes.overall, None if within is None else factor * within
            ),
            samples=np.sqrt(factor) * self.samples,
            solved={},
        )

    def of_prompts(self) -> NDArray[np.float64]:
        """Mean variance over the pairs within each prompt; NaN where there are none."""
        total = np.zeros(len(self.pairs.size))
        for sample in self.samples:
            ordered = sample[self.pairs.order]
            total += self.pairs.size * np.add.reduceat(ordered**2, self.pairs.start)
            total -= np.add.reduceat(ordered, self.pairs.start) ** 2
        return _average(total / len(self.samples), self.pairs.within_of)

    def of_responses(self) -> NDArray[np.float64]:
        """Mean variance of each response against all others."""
        k, m = self.samples.shape
        squares = np.einsum("ki,ki->i", self.samples, self.samples)
        return (m * squares + squares.sum()) / (k * (m - 1))

    def of_pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Variance of each of these pairs of responses, shape (p, 2), by the sketch."""
        result = np.zeros(len(pairs))
        for sample in self.samples:
            result += (sample[pairs[:, 0]] - sample[pairs[:, 1]]) ** 2
        return result / len(self.samples)

    def solve_pairs(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Variance of each of these pairs of responses, shape (p, 2), without sampling error."""
        keys = [(int(low), int(high)) for low, high in np.sort(pairs, axis=1)]
        tolerance = effort_for(self.samples.shape[1]).pair_tolerance
        fresh = [key for key in dict.fromkeys(keys) if key not in self.solved]

        def solve(low: int) -> NDArray[np.float64]:
            block = np.array(fresh[low : low + WIDTH])
            inflow = np.zeros((self.samples.shape[1], len(block)))
            inflow[block[:, 0], np.arange(len(block))] = 1.0
            inflow[block[:, 1], np.arange(len(block))] = -1.0
            return self.system.energy(inflow, tolerance)

        found = in_threads(solve, range(0, len(fresh), WIDTH))
        variances = np.concatenate([np.empty(0), *found]).tolist()
        self.solved.update(zip(fresh, variances, strict=True))
        return np.array([self.solved[key] for key in keys])


Variances = ExactVariances | SampledVariances


def variances_of(
    network: Network,
    pairs: PromptPairs,
    rng: np.random.Generator,
    aggregates: Aggregates,
    *,
    exact: bool,
    samples: int,
) -> Variances:
    """Compute the variances of all pairs, or probe for means and draw samples for single pairs."""
    if exact:
        return ExactVariances.of(network, pairs)
    probes, stream = effort_for(network.size).probes, rng.spawn(1)[0]
    return SampledVariances.of(network, pairs, probes, stream, aggregates, samples)


def columns_within(pairs: PromptPairs) -> int:
    """Columns of a block that probe the pairs within prompts; the others probe all pairs."""
    share = effort_for(len(pairs.prompt_of)).probes_within if pairs.within else 0.0
    return round(share * WIDTH)


def probe(
    system: TwoLevel, coarse_mean: float, pairs: PromptPairs, rng: np.random.Generator
) -> Probes:
    """Make one block of probes, which are solved for together.

    A probe injects random currents at all responses at once; the energy it dissipates estimates
    a trace of the network's inverse (Hutchinson 1989), here a mean of effective resistances. It
    needs no more digits of the solution than the mean itself. The coarse level's part of each
    probe over all pairs, which is most of its spread, is replaced by its known mean,
    ``system.mean_coarse_energy()``: a control variate.
    """
    m = len(pairs.prompt_of)
    count = WIDTH - columns_within(pairs)
    inflow = np.zeros((m, WIDTH))
    half = m // 2
    for column in inflow.T[:count]:
        order = rng.permutation(m)
        column[order[:half]] = 1.0
        column[order[half : 2 * half]] = -1.0
    for column in inflow.T[count:]:
        column[:] = _pairs_within(pairs, rng)
    energy = system.energy(inflow, PROBE_TOLERANCE)
    coarse = system.coarse_energy(inflow[:, :count])
    overall = (energy[:count] - coarse) / half + coarse_mean
    return Probes(overall, energy[count:] / pairs.within if pairs.within else None)


def _pairs_within(pairs: PromptPairs, rng: np.random.Generator) -> NDArray[np.float64]:
    """Currents through random disjoint pairs within each prompt, their directions random.

    Each prompt's currents are such that the mean of their energy is the sum of the variances of
    all its pairs; between prompts the directions cancel on average.
    """
    order = np.argsort(pairs.prompt_of + 0.5 * rng.random(len(pairs.prompt_of)))
    used = pairs.size // 2
    first = np.repeat(pairs.start, used) + 2 * (np.arange(used.sum()) - _begin(used))
    each = np.sqrt(pairs.within_of / np.maximum(used, 1))
    current = np.repeat(each, used) * rng.choice([-1.0, 1.0], len(first))
    inflow = np.zeros(len(order))
    inflow[order[first]] = current
    inflow[order[first + 1]] = -current
    return inflow


def _begin(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each run begins, for every member of runs of these lengths."""
    return np.repeat(np.cumsum(count) - count, count)


def _sample(
    network: Network, system: TwoLevel, tolerance: float, count: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw rewards from the posterior, shape (count, m), as ``posterior_samples`` does."""
    inflow = np.empty((network.size, count))
    deviation = 1.0 / np.sqrt(network.variance)
    for column in inflow.T:
        column[:] = network.currents(deviation * rng.normal(size=len(deviation)))
    return system.potential(inflow, tolerance).T
