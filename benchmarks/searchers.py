"""Graph libraries that search from single sources, behind one signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from ibn.network import Network

Search = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]
"""Sources, targets → distances, shape (sources, targets)."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A simple weighted graph: the least of parallel edges, no loops."""

    size: int
    u: NDArray[np.int64]
    v: NDArray[np.int64]
    length: NDArray[np.float64]

    @classmethod
    def of(cls, network: Network) -> Graph:
        """Take what paths need of a network."""
        low = np.minimum(network.u, network.v).astype(np.int64)
        high = np.maximum(network.u, network.v).astype(np.int64)
        key = low * network.size + high
        order = np.lexsort((network.variance, key))
        first = np.append(True, np.diff(key[order]) > 0)
        edge = order[first]
        edge = edge[low[edge] != high[edge]]
        return cls(network.size, low[edge], high[edge], network.variance[edge])

    @cached_property
    def matrix(self) -> csr_array:
        """The symmetric matrix of lengths."""
        rows, columns = np.append(self.u, self.v), np.append(self.v, self.u)
        return csr_array((np.tile(self.length, 2), (rows, columns)), shape=(self.size, self.size))


def _scipy(graph: Graph) -> Search:
    matrix = graph.matrix
    return lambda sources, targets: dijkstra(matrix, indices=sources)[:, targets]


def _networkit(graph: Graph) -> Search:
    networkit = import_module("networkit")
    loaded = networkit.GraphFromCoo(
        (graph.length, (graph.u, graph.v)), n=graph.size, weighted=True, directed=False
    )

    def search(sources: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.float64]:
        run = networkit.distance.SPSP(loaded, sources.tolist(), targets.tolist())
        run.run()
        return np.array(run.getDistances())

    return search


def _igraph(graph: Graph) -> Search:
    loaded = import_module("igraph").Graph(n=graph.size, edges=np.stack([graph.u, graph.v], 1))
    lengths = graph.length.tolist()

    def search(sources: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.float64]:
        found = loaded.distances(sources.tolist(), targets.tolist(), weights=lengths)
        return np.array(found)

    return search


def _rustworkx(graph: Graph) -> Search:
    rustworkx = import_module("rustworkx")
    loaded = rustworkx.PyGraph()
    loaded.add_nodes_from(range(graph.size))
    edges = zip(graph.u.tolist(), graph.v.tolist(), graph.length.tolist(), strict=True)
    loaded.add_edges_from(list(edges))

    def search(sources: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.float64]:
        rows = []
        for source in sources.tolist():
            found = rustworkx.dijkstra_shortest_path_lengths(loaded, source, float)
            rows.append([0.0 if t == source else found[t] for t in targets.tolist()])
        return np.array(rows)

    return search


def _networkx(graph: Graph) -> Search:
    networkx = import_module("networkx")
    loaded = networkx.Graph()
    edges = zip(graph.u.tolist(), graph.v.tolist(), graph.length.tolist(), strict=True)
    loaded.add_weighted_edges_from(edges)

    def search(sources: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.float64]:
        rows = []
        for source in sources.tolist():
            found = networkx.single_source_dijkstra_path_length(loaded, source)
            rows.append([found[t] for t in targets.tolist()])
        return np.array(rows)

    return search


@dataclass(frozen=True)
class Searcher:
    """A library that searches from single sources.

    Attributes
    ----------
    name : str
        As the table shows it.
    module : str
        What is imported.
    load : callable
        Takes a graph into the library's own form and returns the search.
    most_edges : int, optional
        Edges beyond which the library's objects would fill the memory.
    """

    name: str
    module: str
    load: Callable[[Graph], Search]
    most_edges: int | None = None

    def why_absent(self, graph: Graph) -> str | None:
        """Say why it cannot take part, or None if it can."""
        if find_spec(self.module) is None:
            return "not installed"
        if self.most_edges is not None and len(graph.u) > self.most_edges:
            return f"its graphs of more than {self.most_edges:,} edges take too much memory"
        return None


SEARCHERS = (
    Searcher("SciPy dijkstra", "scipy", _scipy),
    Searcher("NetworKit SPSP, all cores", "networkit", _networkit),
    Searcher("igraph distances", "igraph", _igraph),
    Searcher("rustworkx dijkstra", "rustworkx", _rustworkx),
    Searcher("NetworkX dijkstra", "networkx", _networkx, most_edges=1_000_000),
)
