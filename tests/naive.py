"""Naive twins: the slow, obvious versions against which fast code is tested.

And the random small networks, of every bias and topology, on which they are compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from ibn.bias.neighbours import NeighbourGraph
from ibn.bias.ultrametric import FAMILIES, Ultrametric
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.topology import TOPOLOGIES, build

# --- distances and resistances -----------------------------------------------------------------


def adjacency(size: int, u: NDArray, v: NDArray, weight: NDArray) -> NDArray[np.float64]:
    """Least weight between each two nodes, infinity where no edge joins them, 0 to oneself."""
    matrix = np.full((size, size), np.inf)
    np.minimum.at(matrix, (u, v), weight)
    matrix = np.minimum(matrix, matrix.T)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def shortest(size: int, u: NDArray, v: NDArray, weight: NDArray) -> NDArray[np.float64]:
    """Length of the shortest path between all pairs of nodes, by SciPy's Dijkstra."""
    matrix = adjacency(size, u, v, weight)
    rows, columns = np.nonzero(np.isfinite(matrix) & ~np.eye(size, dtype=bool))
    return dijkstra(csr_array((matrix[rows, columns], (rows, columns)), shape=(size, size)))


def distance_matrix(network: Network) -> NDArray[np.float64]:
    """Inference distance between all pairs of responses, by SciPy's Dijkstra."""
    whole = shortest(network.size, network.u, network.v, network.variance)
    return whole[np.ix_(network.nodes, network.nodes)]


def laplacian(size: int, u: NDArray, v: NDArray, weight: NDArray) -> NDArray[np.float64]:
    """Dense Laplacian, an edge at a time."""
    matrix = np.zeros((size, size))
    for a, b, w in zip(u, v, weight, strict=True):
        matrix[a, a] += w
        matrix[b, b] += w
        matrix[a, b] -= w
        matrix[b, a] -= w
    return matrix


def network_laplacian(network: Network) -> NDArray[np.float64]:
    """Dense Laplacian of a network, conductances 1/variance."""
    return laplacian(network.size, network.u, network.v, 1.0 / network.variance)


def _resistances(inverse: NDArray, nodes: NDArray[np.int64]) -> NDArray:
    """Resistances between nodes from any generalised inverse of the Laplacian."""
    own = inverse[nodes, nodes]
    return own[:, None] + own[None, :] - 2 * inverse[np.ix_(nodes, nodes)]


def resistance_matrix(network: Network) -> NDArray[np.float64]:
    """Effective resistance between all pairs of responses, by the dense pseudo-inverse."""
    inverse = np.linalg.pinv(network_laplacian(network), hermitian=True)
    return _resistances(inverse, network.nodes)


def precise_resistance_matrix(network: Network, digits: int = 60) -> NDArray[np.float64]:
    """Effective resistances in high precision, for variances of many orders of magnitude."""
    import mpmath

    with mpmath.workdps(digits):
        matrix = mpmath.zeros(network.size)
        for a, b, variance in zip(network.u, network.v, network.variance, strict=True):
            weight = 1 / mpmath.mpf(float(variance))
            matrix[int(a), int(a)] += weight
            matrix[int(b), int(b)] += weight
            matrix[int(a), int(b)] -= weight
            matrix[int(b), int(a)] -= weight
        last = network.size - 1  # ground one node
        inverse = np.zeros((network.size, network.size), dtype=object)
        inverse[:last, :last] = np.array((matrix[:last, :last] ** -1).tolist()).reshape(last, last)
        return _resistances(inverse, network.nodes).astype(float)


def schur(
    matrix: NDArray[np.float64], keep: NDArray[np.int64], current: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Eliminate all other unknowns densely: equivalent current at those kept, energy spent."""
    rest = np.setdiff1d(np.arange(len(matrix)), keep)
    potential = np.linalg.solve(matrix[np.ix_(rest, rest)], current[rest])
    inflow = current[keep] - matrix[np.ix_(keep, rest)] @ potential
    return inflow, float(current[rest] @ potential)


def condition(
    prior: NDArray[np.float64],
    comparisons: Comparisons,
    nodes: NDArray[np.int64],
    noise_variance: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Posterior mean of node rewards by textbook Gaussian conditioning on the labels."""
    design = np.zeros((len(comparisons), len(prior)))
    for row, a, b in zip(design, comparisons.a, comparisons.b, strict=True):
        row[nodes[a]] += 1.0
        row[nodes[b]] -= 1.0
    evidence = design @ prior @ design.T + np.diag(noise_variance)
    return prior @ design.T @ np.linalg.solve(evidence, comparisons.delta)


# --- tries -------------------------------------------------------------------------------------


def digits_of(address: int, branching: int, digits: int) -> tuple[int, ...]:
    """Digits of an address, most significant first."""
    return tuple(int(address) // branching**k % branching for k in range(digits - 1, -1, -1))


def shared(x: tuple[int, ...], y: tuple[int, ...]) -> int:
    """How many leading digits two addresses share."""
    same = [a == b for a, b in zip(x, y, strict=True)]
    return same.index(False) if False in same else len(same)


def prefix_trie(words: list[tuple[int, ...]]) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Compressed trie of distinct words as a map from each node's prefix to its parent's.

    Nodes are the words, every prefix after which at least two digits follow, and the root, the
    empty prefix, which is its own parent.
    """
    following: dict[tuple[int, ...], set[int]] = {}
    for word in words:
        for k in range(len(word)):
            following.setdefault(word[:k], set()).add(word[k])
    nodes = {()} | set(words) | {prefix for prefix, digit in following.items() if len(digit) > 1}
    return {
        node: next((node[:k] for k in range(len(node) - 1, -1, -1) if node[:k] in nodes), ())
        for node in nodes
    }


def node_prefixes(
    addresses: NDArray[np.uint64],
    parent: NDArray[np.int32],
    depth: NDArray[np.int16],
    branching: int,
    digits: int,
) -> list[tuple[int, ...]]:
    """Prefix of each node of a trie, read off any leaf below it."""
    prefix = [digits_of(address, branching, digits) for address in addresses]
    below = list(prefix) + [()] * (len(parent) - len(prefix))
    for node in range(len(parent) - 1):
        below[parent[node]] = below[node]
    return [word[:k] for word, k in zip(below, depth.tolist(), strict=True)]


# --- small networks ----------------------------------------------------------------------------


def whole_world(world: Ultrametric, comparisons: Comparisons, noise_variance: float) -> Network:
    """Network whose responses are every address of a small world, in order.

    Two responses of the same address become one; a comparison between them says nothing.
    """
    everything = np.arange(int(world.powers[-1]), dtype=np.uint64)
    address = comparisons.responses.astype(np.int64)
    a, b = address[comparisons.a], address[comparisons.b]
    told = a != b
    return build_network(world, Comparisons(everything, a[told], b[told]), noise_variance)


@dataclass(frozen=True)
class Pool:
    """A world of finitely many rows."""

    rows: int

    def sample(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw rows uniformly and independently."""
        return rng.integers(0, self.rows, count)


POOLED = ("chain", "tree", "star", "expander", "kwise")
CASES = (
    *((family, topology) for family in FAMILIES for topology in TOPOLOGIES),
    *((f"neighbours-{mode}", topology) for mode in ("symmetric", "mutual") for topology in POOLED),
    ("any graph", "any graph"),
)


def random_case(seed: int, most: int = 40) -> tuple[str, Network]:
    """A small random network and its name; consecutive seeds go round every bias and topology."""
    rng = np.random.default_rng(seed)
    bias_name, topology = CASES[seed % len(CASES)]
    n = int(rng.integers(1, most + 1))
    noise = float(np.exp(rng.uniform(-5, 1)))
    name = f"seed {seed}: {bias_name}, {topology}, n = {n}"
    if bias_name == "any graph":
        return name, random_multigraph(rng, n + 2)
    if bias_name in FAMILIES:
        branching = int(rng.integers(2, 6))
        most_digits = Ultrametric(branching=branching).digits
        digits = int(rng.choice([3, 8, most_digits]))
        bias = world = Ultrametric(
            family=bias_name,
            alpha=float(rng.uniform(0.1, 1.0)),
            scale=float(rng.uniform(0.5, 5.0)),
            branching=branching,
            digits=max(digits, 6) if topology == "tree-grown" else digits,
        )
        name += f", B = {branching}, K = {digits}"
    else:
        rows = int(rng.integers(2, 60))
        world = Pool(rows)
        bias = NeighbourGraph(
            rng.normal(size=(rows, 3)),
            neighbours=int(rng.integers(1, 5)),
            metric=str(rng.choice(["cosine", "euclidean"])),
            mode=bias_name.removeprefix("neighbours-"),
            exponent=float(rng.choice([1.0, 2.0])),
        )
    comparisons = build(topology, world, n, rng)
    variances = noise if rng.random() < 0.7 else noise * rng.uniform(0.5, 2.0, n)
    return name, build_network(bias, comparisons, variances)


def random_multigraph(rng: np.random.Generator, size: int) -> Network:
    """A connected multigraph of random variances, with parallel edges and of both kinds."""
    graph = nx.MultiGraph()
    for node in range(1, size):
        graph.add_edge(int(rng.integers(node)), node)
    for _ in range(size):
        a, b = rng.integers(size, size=2).tolist()
        graph.add_edge(a, b)
    for _, _, data in graph.edges(data=True):
        data["variance"] = float(np.exp(rng.normal()))
        data["kind"] = str(rng.choice(["inductive bias", "human preference"]))
    return network_of(graph)


def network_of(graph: nx.Graph) -> Network:
    """A network whose nodes are responses; edges carry ``variance`` and, if not bias, ``kind``."""
    number = {node: i for i, node in enumerate(graph.nodes)}
    edges = [
        (int(data.get("kind") == "human preference"), number[a], number[b], data["variance"])
        for a, b, data in graph.edges(data=True)
    ]
    kind, u, v, variance = np.array(sorted(edges, key=lambda edge: edge[0])).reshape(-1, 4).T
    u, v = u.astype(np.int64), v.astype(np.int64)
    return Network(len(number), np.arange(len(number)), u, v, variance, kind.astype(np.int8))


def graph_of(network: Network) -> nx.MultiGraph:
    """A multigraph whose edges carry ``variance``, ``conductance`` and ``kind``."""
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(network.size))
    names = ("inductive bias", "human preference")
    columns = (network.u.tolist(), network.v.tolist(), network.variance.tolist(), network.kind)
    for a, b, variance, kind in zip(*columns, strict=True):
        graph.add_edge(a, b, variance=variance, conductance=1 / variance, kind=names[kind])
    return graph


def all_pairs(network: Network) -> NDArray[np.int64]:
    """Every pair of responses, each with itself included, as rows."""
    m = len(network.nodes)
    return np.stack(np.divmod(np.arange(m * m), m), axis=1)


def random_network(size, extra, seed, decades=1.0):
    """A random spanning tree and more edges, variances over some decades."""
    rng = np.random.default_rng(seed)
    tree = np.array([rng.integers(0, i) for i in range(1, size)], np.int64)
    u = np.concatenate([np.arange(1, size), rng.integers(0, size, extra)])
    v = np.concatenate([tree, rng.integers(0, size, extra)])
    u, v = u[keep := u != v], v[keep]
    variance = 10.0 ** rng.uniform(-decades / 2, decades / 2, len(u))
    return Network(size, np.arange(size), u, v, variance, np.zeros(len(u), np.int8))
