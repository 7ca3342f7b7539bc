"""Mean uncertainty within and across prompts, of one network or of a whole topology."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from ibn.auditing.pairs import PromptPairs
from ibn.auditing.posterior import Posterior, SampledPosterior
from ibn.auditing.uncertainty import PairUncertainty, Uncertainty
from ibn.bias.edges import Bias, BiasEdges
from ibn.distance import inference_distance
from ibn.estimate import Estimate, estimate_mean
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.topology import build

DISTANCE_REL_ERR = 0.02
DISTANCE_PAIRS = 2048
BLOCK_ROWS = 256
LISTED_PAIRS = 2**20
WITHIN = "within-prompt"


@dataclass(frozen=True, eq=False)
class Laid:
    """A bias whose edges are laid already.

    Attributes
    ----------
    laid : BiasEdges
        The edges among all responses.
    """

    laid: BiasEdges

    def edges(self, responses: NDArray) -> BiasEdges:
        """Return them; ``responses`` are those that they were laid among."""
        return self.laid

    def scaled(self, factor: float) -> Laid:
        """Return the same edges with ``factor`` times the variance."""
        old = self.laid
        return Laid(BiasEdges(old.size, old.nodes, old.u, old.v, factor * old.variance))


def measure(
    network: Network,
    posterior: Posterior,
    rng: np.random.Generator,
    *,
    exact: bool,
) -> Uncertainty:
    """Measure what one network leaves uncertain.

    Parameters
    ----------
    network : Network
        Connected, over the responses that ``posterior.pairs`` is about.
    posterior : Posterior
        Its posterior.
    rng : numpy.random.Generator
        Source of randomness.
    exact : bool
        Whether distances, too, cover all pairs, rather than random ones.
    """
    pairs = posterior.pairs
    if exact:
        within, across = _exact_distances(network, pairs)
    else:
        within = _sampled_distance(network, pairs.sample_within, pairs.within, rng)
        across = _sampled_distance(network, pairs.sample_across, pairs.across, rng)
    return Uncertainty(
        PairUncertainty(posterior.within(), within) if within else None,
        PairUncertainty(posterior.across(), across) if across else None,
    )


def _exact_distances(
    network: Network, pairs: PromptPairs
) -> tuple[Estimate | None, Estimate | None]:
    """Mean distance within and across prompts over all pairs."""
    matrix, _ = network.least()
    prompt, nodes = pairs.prompt_of, network.nodes
    total = within = 0.0
    for low in range(0, len(nodes), BLOCK_ROWS):
        block = slice(low, low + BLOCK_ROWS)
        distance = dijkstra(matrix, indices=nodes[block])[:, nodes]
        total += distance.sum()
        within += distance[prompt[block, None] == prompt].sum()
    sums = ((within / 2, pairs.within), ((total - within) / 2, pairs.across))
    first, second = (Estimate(s / count, 0.0, count) if count else None for s, count in sums)
    return first, second


def _sampled_distance(
    network: Network,
    sample: Callable[[int, np.random.Generator], NDArray[np.int64]],
    available: int,
    rng: np.random.Generator,
) -> Estimate | None:
    """Mean distance over random pairs, to 2 % or as well as a few thousand pairs tell."""
    if not available:
        return None
    return estimate_mean(
        lambda count: inference_distance(network, sample(count, rng)),
        DISTANCE_REL_ERR,
        min_count=512,
        max_count=DISTANCE_PAIRS,
    )


@dataclass(frozen=True, eq=False)
class FiniteWorld:
    """The responses at hand, as a world that topologies draw from.

    Draws use each response once before any is used again, so that a chain on enough responses
    is a chain; a topology that asks for more responses than there are uses each equally often,
    within one.

    Attributes
    ----------
    order : ndarray of int, shape (m,)
        The responses in an order that keeps similar ones together: that of a k-d tree.
    """

    order: NDArray[np.int64]

    @classmethod
    def of(cls, embeddings: NDArray[np.floating]) -> FiniteWorld:
        """Order the rows of an embedding matrix."""
        return cls(np.asarray(cKDTree(embeddings, leafsize=8).indices, np.int64))

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


def spend(
    name: str, world: FiniteWorld, pairs: PromptPairs, n: int, rng: np.random.Generator
) -> Comparisons:
    """Spend n comparisons on the responses at hand.

    Parameters
    ----------
    name : str
        One of ``ibn.topology.TOPOLOGIES``, or ``within-prompt``: random pairs within prompts, each
        once before any is used again.
    world : FiniteWorld
        The responses.
    pairs : PromptPairs
        Their pairs.
    n : int
        Comparisons.
    rng : numpy.random.Generator
        Source of randomness.
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


def measure_topology(
    name: str,
    world: FiniteWorld,
    pairs: PromptPairs,
    n: int,
    bias: Bias,
    noise_variance: float,
    rng: np.random.Generator,
    *,
    replicates: int,
) -> Uncertainty:
    """Measure what n comparisons under a topology leave uncertain, on average over its draws.

    Parameters
    ----------
    name, world, pairs, n
        As for :func:`spend`.
    bias : Bias
        The inductive bias among all responses.
    noise_variance : float
        σ² of a label.
    rng : numpy.random.Generator
        Source of randomness.
    replicates : int
        Independent draws of the topology, at least 2; standard errors are between them.
    """
    samples = int(np.clip(2**15 // len(world.order), 1, 8))
    draws: dict[str, list[float]] = {}

    def note(key: str, value: float) -> None:
        draws.setdefault(key, []).append(value)

    for _ in range(replicates):
        network = build_network(bias, spend(name, world, pairs, n, rng), noise_variance)
        posterior = SampledPosterior.of(network, pairs, samples, rng)
        if pairs.within:
            note("within variance", posterior.within().mean)
            some = pairs.list_within(256, rng)
            note("within distance", float(inference_distance(network, some).mean()))
        if pairs.across:
            note("across variance", posterior.across().mean)
            some = pairs.sample_across(256, rng)
            note("across distance", float(inference_distance(network, some).mean()))
    found = {key: Estimate.of(np.array(values)) for key, values in draws.items()}

    def pick(kind: str) -> PairUncertainty | None:
        if f"{kind} variance" not in found:
            return None
        return PairUncertainty(found[f"{kind} variance"], found[f"{kind} distance"])

    return Uncertainty(pick("within"), pick("across"))
