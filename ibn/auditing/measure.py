"""Mean uncertainty within and across prompts, of one network or of a whole topology."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from ibn.auditing.effort import effort_for
from ibn.auditing.pairs import PromptPairs
from ibn.auditing.uncertainty import PairUncertainty, Uncertainty
from ibn.auditing.variances import Posterior, SampledPosterior
from ibn.bias.edges import BiasEdges
from ibn.bias.nearest import leading_components
from ibn.estimate import Estimate, estimate_mean
from ibn.inference.paths import DistanceIndex
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.solvers.two_level import Aggregates
from ibn.threads import cores, in_threads
from ibn.topology import build

REL_ERR = 0.02
ORDER_COORDINATES = 16
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
        scaled = Laid(BiasEdges(old.size, old.nodes, old.u, old.v, factor * old.variance))
        scaled.__dict__["aggregates"] = self.aggregates  # which depend on ratios alone
        return scaled

    @cached_property
    def aggregates(self) -> Aggregates:
        """The coarse level that serves every network over these edges."""
        laid = self.laid
        return Aggregates.of(laid.size, laid.u, laid.v, 1.0 / laid.variance)


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
        index = DistanceIndex.of(network)
        effort = effort_for(len(network.nodes))
        inside, outside = effort.distances_within, effort.distances_across
        within = _sampled_distance(index, pairs.sample_within, pairs.within, inside, rng)
        across = _sampled_distance(index, pairs.sample_across, pairs.across, outside, rng)
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


def _distances(index: DistanceIndex, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Inference distances of pairs of responses."""
    a, b = index.network.nodes_of(pairs).T
    direct = np.where(a == b, 0.0, np.inf)
    return index.distances(index.node_ports(a), index.node_ports(b), direct)


def _sampled_distance(
    index: DistanceIndex,
    sample: Callable[[int, np.random.Generator], NDArray[np.int64]],
    available: int,
    bounds: tuple[int, int],
    rng: np.random.Generator,
) -> Estimate | None:
    """Mean distance over random pairs, to 2 % or as well as the most allowed tell."""
    if not available:
        return None

    def draw(count: int) -> NDArray[np.float64]:
        shares = np.array_split(sample(count, rng), cores())
        return np.concatenate(in_threads(lambda share: _distances(index, share), shares))

    least, most = bounds
    return estimate_mean(draw, REL_ERR, min_count=least, max_count=most)


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


def measure_topologies(
    names: Sequence[str],
    world: FiniteWorld,
    pairs: PromptPairs,
    n: int,
    bias: Laid,
    noise_variance: float,
    rng: np.random.Generator,
    *,
    replicates: int,
    progress: Callable[[str], None] = lambda message: None,
) -> dict[str, Uncertainty]:
    """Measure what n comparisons under topologies leave uncertain, on average over their draws.

    Parameters
    ----------
    names : sequence of str
        Topologies, as for :func:`spend`.
    world, pairs, n
        As for :func:`spend`.
    bias : Laid
        The inductive bias among all responses.
    noise_variance : float
        σ² of a label.
    rng : numpy.random.Generator
        Source of randomness.
    replicates : int
        Independent draws of each topology, at least 2; standard errors are between them. With
        more than 20,000 responses there are only as many as bring the errors of mean variances to
        2 %, though at least two.
    progress : callable, optional
        Told what comes next.
    """
    streams = dict(zip(names, (r.spawn(replicates) for r in rng.spawn(len(names))), strict=True))
    draws: dict[str, list[dict[str, float]]] = {name: [] for name in names}

    def draw(job: tuple[str, int]) -> dict[str, float]:
        name, replicate = job
        progress(f"{n} comparisons as {name}, draw {replicate + 1}")
        stream = streams[name][replicate]
        return _draw(name, world, pairs, n, bias, noise_variance, stream)

    wanted = min(effort_for(len(world.order)).draws or replicates, replicates)
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


def _draw(
    name: str,
    world: FiniteWorld,
    pairs: PromptPairs,
    n: int,
    bias: Laid,
    noise_variance: float,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Measure one draw of a topology."""
    m = len(world.order)
    network = build_network(bias, spend(name, world, pairs, n, rng), noise_variance)
    probes = int(np.clip(2**15 // m, 1, 8))
    posterior = SampledPosterior.of(network, pairs, probes, rng, bias.aggregates, samples=0)
    index = DistanceIndex.of(network)
    effort = effort_for(m)
    found = {}
    if pairs.within:
        found["within variance"] = posterior.within().mean
        inside = pairs.list_within(effort.draw_within, rng)
        found["within distance"] = float(_distances(index, inside).mean())
    if pairs.across:
        found["across variance"] = posterior.across().mean
        outside = pairs.sample_across(effort.draw_across, rng)
        found["across distance"] = float(_distances(index, outside).mean())
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
