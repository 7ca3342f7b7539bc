"""What as many comparisons of the same responses would leave uncertain in other layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ibn.auditing.effort import effort_for
from ibn.auditing.pairs import PromptPairs
from ibn.auditing.settings import WITHIN, Progress
from ibn.auditing.similarity import FixedBias
from ibn.auditing.uncertainty import REL_ERR, PairUncertainty, Uncertainty
from ibn.auditing.variances import SampledVariances
from ibn.bias.nearest import leading_components
from ibn.estimate import Estimate
from ibn.inference.paths import DistanceIndex
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.threads import in_threads
from ibn.topology import build

ORDER_COORDINATES = 16  # principal components that responses are ordered by
LISTED_PAIRS = 2**20  # pairs within prompts that are listed, at most


@dataclass(frozen=True, eq=False)
class FiniteWorld:
    """The responses at hand, as a world that topologies draw from.

    Draws use each response once before any is used again, so that a chain on enough responses
    is a chain; a topology that asks for more responses than there are uses each equally often,
    within one.
    """

    # shape (m,): the responses in an order that keeps similar ones together: that of a k-d tree
    order: NDArray[np.int64]

    @classmethod
    def of(cls, embeddings: NDArray[np.floating]) -> FiniteWorld:
        """Order the rows of an embedding matrix, by its leading principal components."""
        short = leading_components(embeddings, ORDER_COORDINATES, np.random.default_rng(0))
        return cls(np.asarray(cKDTree(short, leafsize=8).indices, np.int64))

    def _rounds(self, count: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Full rounds of every response that a draw of ``count`` contains."""
        return [rng.permutation(self.order) for _ in range(count // len(self.order))]

    def sample(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw responses uniformly, without repeats as far as there are enough."""
        rest = rng.choice(self.order, count % len(self.order), replace=False)
        return np.concatenate([*self._rounds(count, rng), rest])

    def stratified(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw one response from each of ``count`` equal stretches of the order, at random."""
        m = len(self.order)
        cells = count % m
        bounds = np.arange(cells + 1) * m // max(cells, 1)
        rest = rng.permutation(self.order[rng.integers(bounds[:-1], bounds[1:])])
        return np.concatenate([*self._rounds(count, rng), rest])


def lay_out(
    name: str, world: FiniteWorld, pairs: PromptPairs, n: int, rng: np.random.Generator
) -> Comparisons:
    """Make n comparisons of the responses at hand under a topology.

    It is one of ``ibn.topology.TOPOLOGIES``, or ``within-prompt``: random pairs within prompts,
    each once before any is used again.
    """
    m = len(world.order)
    if name == WITHIN:
        listed = pairs.list_within(max(n, LISTED_PAIRS), rng)
        rounds = [rng.permutation(listed) for _ in range(-(-n // len(listed)))]
        a, b = np.concatenate(rounds)[:n].T
        return Comparisons(np.arange(m), a, b)
    drawn = build(name, world, n, rng)
    a, b = drawn.responses[drawn.a], drawn.responses[drawn.b]
    # Only a draw of more responses than there are can pair one with itself.
    same = a == b
    b[same] = (a[same] + rng.integers(1, m, np.count_nonzero(same))) % m
    return Comparisons(np.arange(m), a, b)


def measure_layouts(
    names: Sequence[str],
    world: FiniteWorld,
    pairs: PromptPairs,
    n: int,
    bias: FixedBias,
    noise_variance: float,
    rng: np.random.Generator,
    *,
    replicates: int,
    progress: Progress = lambda message: None,
) -> dict[str, Uncertainty]:
    """Measure what n comparisons under topologies leave uncertain, on average over their draws.

    ``names``: topologies, as for :func:`lay_out`; so are ``world``, ``pairs`` and ``n``; ``bias``:
    the inductive bias among all responses; ``noise_variance``: σ² of a label; ``replicates``:
    independent draws of each topology, at least 2; standard errors are between them. With more than
    20,000 responses draws end when the errors of mean variances are within 2 %.
    """
    streams = dict(zip(names, (r.spawn(replicates) for r in rng.spawn(len(names))), strict=True))
    draws: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    numbers = count(1)

    def draw(job: tuple[str, int]) -> dict[str, float]:
        name, replicate = job
        begun = next(numbers)
        # Draws that differ much ask for more of them than are foreseen.
        foreseen = max(begun, len(names) * min(wanted, replicates))
        progress(f"{n:,} comparisons in other layouts, draw {begun:,} of {foreseen:,}")
        stream = streams[name][replicate]
        comparisons = lay_out(name, world, pairs, n, stream)
        return _measure_draw(comparisons, pairs, bias, noise_variance, stream)

    wanted = max(2, int(np.ceil(effort_for(len(world.order)).draws * replicates)))
    while jobs := [
        (name, replicate)
        for name in names
        if not draws[name] or not _sure(draws[name])
        for replicate in range(len(draws[name]), min(wanted, replicates))
    ]:
        for (name, _), found in zip(jobs, in_threads(draw, jobs), strict=True):
            draws[name].append(found)
        wanted += 1
    return {name: _average(draws[name]) for name in names}


def _measure_draw(
    comparisons: Comparisons,
    pairs: PromptPairs,
    bias: FixedBias,
    noise_variance: float,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Measure what one draw of a topology leaves."""
    m = len(pairs.prompt_of)
    network = build_network(bias, comparisons, noise_variance)
    probes = int(np.clip(2**15 // m, 1, 8))  # the draws differ by more than a probe errs
    variances = SampledVariances.of(network, pairs, probes, rng, bias.aggregates, samples=0)
    index, effort = DistanceIndex.of(bias.aggregates.placed(network)), effort_for(m)
    found = {}
    if pairs.within:
        found["within variance"] = variances.within().mean
        inside = pairs.list_within(effort.draw_within, rng)
        found["within distance"] = float(index.between(index.network.nodes_of(inside)).mean())
    if pairs.across:
        found["across variance"] = variances.across().mean
        outside = pairs.sample_across(effort.draw_across, rng)
        found["across distance"] = float(index.between(index.network.nodes_of(outside)).mean())
    return found


def _estimates(draws: Sequence[dict[str, float]]) -> dict[str, Estimate]:
    return {key: Estimate.of(np.array([each[key] for each in draws])) for key in draws[0]}


def _sure(draws: Sequence[dict[str, float]]) -> bool:
    """Whether the mean variances' errors are within 2 %, were they too small by two deviations."""
    slack = 1.0 + 2.0 / np.sqrt(2.0 * max(len(draws) - 1, 1))
    return all(
        value.relative_error * slack <= REL_ERR
        for key, value in _estimates(draws).items()
        if key.endswith("variance")
    )


def _average(draws: Sequence[dict[str, float]]) -> Uncertainty:
    found = _estimates(draws)

    def pick(kind: str) -> PairUncertainty | None:
        if f"{kind} variance" not in found:
            return None
        return PairUncertainty(found[f"{kind} variance"], found[f"{kind} distance"])

    return Uncertainty(pick("within"), pick("across"))
