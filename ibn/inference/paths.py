"""Inference distance: the least inference variance over all paths (theory §1)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.bias.edges import Trie
from ibn.checks import generator, positions
from ibn.errors import InputError
from ibn.estimate import Estimate, estimate_mean, require_target
from ibn.kernels.matching import match_leaves, matched_distances
from ibn.kernels.search import arcs_from_edges, path_lengths
from ibn.kernels.series import ONCE, UNUSED
from ibn.kernels.trie import locate
from ibn.network import Network
from ibn.solvers.reduction import Reduced, reduce_network
from ibn.threads import cores, in_threads

# Pairs drawn before their spread is believed: many where they are cheap, fewer in large networks,
# whose distances vary less.
MIN_PAIRS = (128, 1024)
MIN_WORK = 2**22
PART = 32  # pairs searched in one go, where several threads share them


@dataclass(frozen=True, eq=False)
class InferencePath:
    """A path of least inference variance.

    Attributes
    ----------
    nodes : ndarray of int, shape (k + 1,)
        Nodes along the path.
    edges : ndarray of int, shape (k,)
        Edges of the network along it.
    kind : ndarray of int8, shape (k,)
        ``INDUCTIVE_BIAS`` or ``HUMAN_PREFERENCE``, an edge.
    variance : ndarray of float, shape (k,)
        Inference variance of each step; they add up to the distance (theory P1).
    """

    nodes: NDArray[np.int64]
    edges: NDArray[np.int64]
    kind: NDArray[np.int8]
    variance: NDArray[np.float64]

    @property
    def distance(self) -> float:
        """Inference distance between the ends of the path."""
        return float(self.variance.sum())


def optimal_path(network: Network, source: int, target: int) -> InferencePath:
    """Find the path of least inference variance between two nodes.

    Parameters
    ----------
    network : Network
        An induced Bayesian network.
    source, target : int
        Nodes; those of responses i and j are ``network.nodes[i]`` and ``network.nodes[j]``.

    Raises
    ------
    InputError
        If no path joins them.
    """
    from scipy.sparse.csgraph import dijkstra

    network.check()
    for end in (source, target):
        positions("a node", [end], network.size, of="the network's nodes")
    matrix, edge_of = network.least()
    distance, before = dijkstra(matrix, indices=source, return_predecessors=True)
    if not np.isfinite(distance[target]):
        raise InputError(f"no path joins node {source} to node {target}")
    nodes = [target]
    while nodes[-1] != source:
        nodes.append(int(before[nodes[-1]]))
    nodes.reverse()
    steps = pairwise(nodes)
    edges = np.array([edge_of[min(step), max(step)] for step in steps], dtype=np.int64)
    return InferencePath(np.array(nodes), edges, network.kind[edges], network.variance[edges])


@dataclass(frozen=True, eq=False)
class Ports:
    """Points of a reduced network, each entered through either of two nodes."""

    entry: NDArray[np.int64]  # shape (q, 2): the two nodes, in the reduced numbering
    offset: NDArray[np.float64]  # shape (q, 2): distance from the point to each
    # stem, down: shape (q,): variance from the point to the edge it hangs on, and from there to the
    # node below
    stem: NDArray[np.float64]
    down: NDArray[np.float64]
    child: NDArray[np.int64]  # shape (q,): the node of the whole hierarchy under the point
    # shape (q,): the comparison whose reduced edge the point lies on, -1 if on none
    comparison: NDArray[np.int64]

    def __getitem__(self, index: slice) -> Ports:
        """Select ports."""
        return Ports(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class DistanceIndex:
    """A network made ready for many distance queries.

    Attributes
    ----------
    network : Network
        The network it was made of.
    reduced : Reduced
        The network without its series leaves.
    arcs : tuple of ndarray
        The reduced graph, see ``kernels.search.arcs_from_edges``.
    """

    network: Network
    reduced: Reduced
    arcs: tuple[NDArray, NDArray, NDArray, NDArray]

    @classmethod
    def of(cls, network: Network) -> DistanceIndex:
        """Reduce a network and lay out its arcs."""
        reduced = reduce_network(network)
        parent, stem = reduced.tree()
        child = np.flatnonzero(parent != np.arange(len(parent)))
        u, v, variance = reduced.others()
        arcs = arcs_from_edges(
            len(parent),
            np.concatenate([child, u]),
            np.concatenate([parent[child], v]),
            np.concatenate([stem[child], variance]),
        )
        return cls(network, reduced, arcs)

    def ports(
        self,
        child: NDArray[np.int64],
        up: NDArray[np.float64],
        down: NDArray[np.float64],
        stem: NDArray[np.float64],
    ) -> Ports:
        """Make ports of points given on the edges of the whole hierarchy.

        Parameters
        ----------
        child : ndarray of int, shape (q,)
            Lower node of the edge each point hangs on.
        up, down : ndarray of float, shape (q,)
            Variance along the edge from there to the parent and to the child.
        stem : ndarray of float, shape (q,)
            Variance from the point to the edge.
        """
        red = self.reduced
        role = red.role[child]
        above = red.number[red.parent[child]]
        below = red.number[child]
        edge = np.where(role == ONCE, red.comparison[child], -1)
        # Beyond a leaf of one comparison lie that comparison and the response it was compared with.
        beyond = np.where(red.a[edge] == child, red.b[edge], red.a[edge])
        far_once = red.role[beyond] == ONCE
        far = red.number[np.where(far_once, red.parent[beyond], beyond)]
        reach = red.sigma2[edge] + np.where(far_once, red.stem[beyond], 0.0)
        lower = np.select([role == ONCE, role == UNUSED], [far, above], below)
        lower_offset = np.select([role == ONCE, role == UNUSED], [down + reach, up], down)
        entry = np.stack([above, lower], axis=1)
        offset = np.stack([stem + up, stem + lower_offset], axis=1)
        return Ports(entry, offset, stem, down, child, edge)

    def node_ports(self, nodes: NDArray[np.int64]) -> Ports:
        """Make ports of nodes of the whole network."""
        red = self.reduced
        if self.network.trie is None:
            entry = np.repeat(nodes[:, None], 2, axis=1)
            zero = np.zeros(len(nodes))
            none = np.full(len(nodes), -1)
            return Ports(entry, np.zeros((len(nodes), 2)), zero, zero, nodes, none)
        zero = np.zeros(len(nodes))
        return self.ports(nodes, red.stem[nodes], zero, zero)

    def distances(self, x: Ports, y: Ports, direct: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distance between two rows of ports.

        Parameters
        ----------
        x, y : Ports
            The two ends of each pair.
        direct : ndarray of float, shape (p,)
            Length of the path by inductive bias alone, infinity if unknown; it must be given
            where both ends hang on the same edge of the hierarchy.
        """
        # Two ends of one comparison meet inside the reduced edge, which the search cannot see.
        same = (x.comparison >= 0) & (x.comparison == y.comparison) & (x.child != y.child)
        inside = x.stem + x.down + self.reduced.sigma2[x.comparison] + y.down + y.stem
        bound = np.where(same, np.minimum(direct, inside), direct)
        ends = x.entry, x.offset, y.entry, y.offset, bound

        def search(part: slice) -> NDArray[np.float64]:
            return path_lengths(*self.arcs, *(each[part] for each in ends))

        # Few parts: each search begins with a blank label for every node.
        cut = np.linspace(0, len(bound), min(cores(), len(bound) // PART + 1) + 1).astype(int)
        return np.concatenate(in_threads(search, map(slice, cut[:-1], cut[1:])))

    def between(self, nodes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Distance between the two nodes of each pair, shape (p, 2)."""
        direct = np.where(nodes[:, 0] == nodes[:, 1], 0.0, np.inf)
        return self.distances(self.node_ports(nodes[:, 0]), self.node_ports(nodes[:, 1]), direct)

    def sampled_pairs(
        self, count: int, rng: np.random.Generator
    ) -> tuple[Ports, Ports, NDArray[np.float64]]:
        """Draw pairs uniform on Y × Y: two rows of ports, and their direct paths.

        Y is the whole world of a hierarchy, else the network's responses, of which the two are
        distinct.
        """
        trie = self.network.trie
        if trie is not None:
            queries = trie.world.sample(2 * count, rng)
            ports = self._locate(trie, queries)
            direct = trie.world.distance(queries[:count], queries[count:])
            return ports[:count], ports[count:], direct
        m = len(self.network.nodes)
        if m < 2:
            raise InputError("a mean over pairs needs at least two responses")
        first = rng.integers(0, m, count)
        second = (first + rng.integers(1, m, count)) % m
        nodes = self.network.nodes
        unknown = np.full(count, np.inf)
        unknown[nodes[first] == nodes[second]] = 0.0
        return self.node_ports(nodes[first]), self.node_ports(nodes[second]), unknown

    def _locate(self, trie: Trie, queries: NDArray[np.uint64]) -> Ports:
        world = trie.world
        child, branch = locate(
            trie.addresses, trie.parent, trie.depth, queries, world.powers, world.digit_bits
        )
        half = world.half_variance
        hang = half[branch]  # 0 where the query is a known response
        up = half[trie.depth[trie.parent[child]]] - hang
        down = hang - half[trie.depth[child]]
        return self.ports(child, up, down, hang)


@dataclass(frozen=True, eq=False)
class MatchedIndex:
    """A hierarchy whose responses were compared at most once each, ready for distance queries.

    It is searched as it stands: there is no graph to lay out.
    """

    trie: Trie  # the hierarchy
    # partner, comparison: shape (m,): the leaf that each leaf was compared with, and their
    # comparison; -1 for none
    partner: NDArray[np.int32]
    comparison: NDArray[np.int32]
    # shape (n,): variance of each comparison, or of all where they are alike
    sigma2: NDArray[np.float64]

    @classmethod
    def of(cls, network: Network) -> MatchedIndex | None:
        """Match the leaves; None where the network is no such hierarchy."""
        trie = network.trie
        if trie is None:
            return None
        first = network.bias_edges
        partner = np.full(len(trie.addresses), -1, np.int32)
        comparison = np.full(len(trie.addresses), -1, np.int32)
        if not match_leaves(network.u[first:], network.v[first:], partner, comparison):
            return None
        sigma2 = network.variance[first:]
        alike = len(sigma2) > 0 and sigma2[0] == sigma2.min() == sigma2.max()
        return cls(trie, partner, comparison, sigma2[:1] if alike else sigma2)

    def distances(self, ends: NDArray[np.uint64]) -> NDArray[np.float64]:
        """Distance between the two responses of each pair of addresses, shape (p, 2)."""
        trie, world = self.trie, self.trie.world

        def search(pairs: NDArray[np.uint64]) -> NDArray[np.float64]:
            return matched_distances(
                trie.addresses,
                self.partner,
                self.comparison,
                self.sigma2,
                world.half_variance,
                world.powers,
                world.digit_bits,
                pairs,
                world.distance(pairs[:, 0], pairs[:, 1]),
            )

        parts = [ends[low : low + PART] for low in range(0, len(ends), PART)]
        return np.concatenate([np.empty(0), *in_threads(search, parts)])

    def sampled_pairs(self, count: int, rng: np.random.Generator) -> tuple[NDArray[np.uint64]]:
        """Draw pairs uniform on Y × Y, as ``DistanceIndex.sampled_pairs`` does."""
        ends = self.trie.world.sample(2 * count, rng)
        return (np.ascontiguousarray(ends.reshape(2, count).T),)

    def between(self, nodes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Distance between the two leaves of each pair, shape (p, 2)."""
        return self.distances(self.trie.addresses[nodes])


def _index(network: Network) -> MatchedIndex | DistanceIndex:
    return MatchedIndex.of(network) or DistanceIndex.of(network)


def inference_distance(network: Network, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Inference distance d between given pairs of responses.

    Parameters
    ----------
    network : Network
        An induced Bayesian network.
    pairs : ndarray of int, shape (p, 2)
        Positions of responses.

    Returns
    -------
    ndarray of float, shape (p,)
        In squared units of reward; infinity where no path joins the two.
    """
    network.check()
    nodes = network.nodes_of(pairs)
    return _index(network).between(nodes)


def mean_distance(
    network: Network,
    *,
    rel_err: float = 0.01,
    rng: np.random.Generator,
    max_count: int = 2**31,
    max_seconds: float = float("inf"),
) -> Estimate:
    """Mean inference distance E[d(y1, y2)], the paper's measure of reward uncertainty.

    Parameters
    ----------
    network : Network
        An induced Bayesian network. Over an ultrametric world the pairs are drawn from all of
        it, over any other bias from the network's own responses.
    rel_err : float
        Target for the standard error over the mean.
    rng : numpy.random.Generator
        Source of randomness.
    max_count, max_seconds : optional
        Caps on pairs and time.

    Returns
    -------
    Estimate
        Its ``count`` is pairs. The mean is infinite where the network is disconnected.
    """
    require_target(rel_err)
    generator(rng)
    network.check()
    index: Any = _index(network)

    def draw(count: int) -> NDArray[np.float64]:
        return index.distances(*index.sampled_pairs(count, rng))

    return estimate_mean(
        draw,
        rel_err,
        min_count=int(np.clip(MIN_WORK // network.size, *MIN_PAIRS)),
        max_count=max_count,
        max_seconds=max_seconds,
    )
