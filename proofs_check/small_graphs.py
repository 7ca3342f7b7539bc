"""All small weighted multigraphs at once, for checks that leave no instance out.

One row a graph, one column a pair of nodes; variances are whole numbers, so that everything
here is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations
from math import lcm

import numpy as np
from numpy.typing import NDArray

from ibn.network import Network


@dataclass(frozen=True, eq=False)
class SmallGraphs:
    """Every graph on some nodes whose pairs of nodes are each joined in one of given ways.

    Attributes
    ----------
    nodes : int
        Number of nodes.
    joints : sequence of tuple of int
        Ways to join two nodes: the variances of the parallel edges, ``()`` for none.
    rows : ndarray of int, shape (graphs, pairs)
        How each graph joins each pair, as positions in ``joints``.
    """

    nodes: int
    joints: Sequence[tuple[int, ...]]
    rows: NDArray[np.int64]

    @classmethod
    def all(cls, nodes: int, joints: Sequence[tuple[int, ...]]) -> SmallGraphs:
        """Enumerate them."""
        pairs = nodes * (nodes - 1) // 2
        rows = np.indices((len(joints),) * pairs).reshape(pairs, -1).T
        return cls(nodes, joints, rows)

    def __len__(self) -> int:
        """Return the number of graphs."""
        return len(self.rows)

    def __getitem__(self, index: NDArray) -> SmallGraphs:
        """Select graphs."""
        return SmallGraphs(self.nodes, self.joints, self.rows[index])

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of nodes, in the order of the columns."""
        return list(combinations(range(self.nodes), 2))

    @property
    def unit(self) -> int:
        """Least common multiple of the variances: conductances are counted in 1/unit."""
        return lcm(*(variance for joint in self.joints for variance in joint))

    def _table(self, values: Sequence[float]) -> NDArray[np.float64]:
        return np.array(values)[self.rows]

    @property
    def least(self) -> NDArray[np.float64]:
        """Least variance of a step between each pair; infinite where no edge joins it."""
        return self._table([min(joint, default=np.inf) for joint in self.joints])

    @property
    def edges(self) -> NDArray[np.int64]:
        """Number of parallel edges of each pair."""
        return self._table([len(joint) for joint in self.joints]).astype(np.int64)

    @property
    def conductance(self) -> NDArray[np.int64]:
        """Conductance of each pair, in 1/unit."""
        total = [sum(self.unit // variance for variance in joint) for joint in self.joints]
        return self._table(total).astype(np.int64)

    def paths(self, source: int, target: int) -> Iterator[list[int]]:
        """Yield every simple path of the complete graph, as the columns it runs over."""
        column = {pair: i for i, pair in enumerate(self.pairs)}
        others = [node for node in range(self.nodes) if node not in (source, target)]
        for length in range(len(others) + 1):
            for middle in permutations(others, length):
                walk = (source, *middle, target)
                yield [column[min(step), max(step)] for step in pairwise(walk)]

    def distances(self, power: float = 1.0) -> NDArray[np.float64]:
        """Least length over all simple paths, by definition: no shortest-path algorithm.

        Parameters
        ----------
        power : float
            The length of a path is (Σ variance^power)^(1/power): 1 adds variances up, 1/2
            standard deviations.

        Returns
        -------
        ndarray of float, shape (graphs, nodes, nodes)
            Whole numbers or infinity where power is 1.
        """
        step = self.least**power
        result = np.zeros((len(self), self.nodes, self.nodes))
        for i, j in self.pairs:
            totals = [step[:, path].sum(axis=1) for path in self.paths(i, j)]
            result[:, i, j] = result[:, j, i] = np.min(totals, axis=0) ** (1.0 / power)
        return result

    def path_counts(self) -> NDArray[np.int64]:
        """Count the simple paths of each pair, shape (graphs, pairs); parallel edges count."""
        edges = self.edges
        counts = [
            sum(edges[:, path].prod(axis=1) for path in self.paths(i, j)) for i, j in self.pairs
        ]
        return np.stack(counts, axis=1)

    def resistances(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Effective resistance of each pair as numerator and denominator.

        The numerator counts spanning forests that part the two, the denominator spanning trees
        (Kirchhoff), weighted by conductance; the denominator is 0 where the graph is in parts.

        Returns
        -------
        numerator : ndarray of int, shape (graphs, pairs)
        denominator : ndarray of int, shape (graphs,)
        """
        conductance = self.conductance
        laplacian = np.zeros((len(self), self.nodes, self.nodes), np.int64)
        for column, (i, j) in enumerate(self.pairs):
            laplacian[:, i, j] = laplacian[:, j, i] = -conductance[:, column]
            laplacian[:, i, i] += conductance[:, column]
            laplacian[:, j, j] += conductance[:, column]
        forests = []
        for pair in self.pairs:
            rest = [node for node in range(self.nodes) if node not in pair]
            forests.append(_determinant(laplacian[:, rest][:, :, rest]))
        return self.unit * np.stack(forests, axis=1), _determinant(laplacian[:, 1:, 1:])

    def network(self, *, bridged: bool = False) -> Network:
        """Put all graphs side by side: node i of graph g is node ``g * nodes + i``.

        Parameters
        ----------
        bridged : bool
            Join each graph to the next by a bridge, which makes one connected network of
            connected graphs and changes no distance or resistance inside a graph.
        """
        u, v, variance = [], [], []
        base = self.nodes * np.arange(len(self))
        for column, (i, j) in enumerate(self.pairs):
            for way, joint in enumerate(self.joints):
                here = base[self.rows[:, column] == way]
                for weight in joint:
                    u.append(here + i)
                    v.append(here + j)
                    variance.append(np.full(len(here), float(weight)))
        if bridged:
            u.append(base[1:] - 1)
            v.append(base[1:])
            variance.append(np.ones(len(self) - 1))
        ends = np.concatenate(u), np.concatenate(v)
        size = self.nodes * len(self)
        kind = np.ones(len(ends[0]), np.int8)
        return Network(size, np.arange(size), *ends, np.concatenate(variance), kind)

    def describe(self, graph: int) -> str:
        """Write one graph down, such as ``0-1: 2, 1-2: 1+4``."""
        parts = []
        for (i, j), way in zip(self.pairs, self.rows[graph], strict=True):
            if joint := self.joints[way]:
                parts.append(f"{i}-{j}: {'+'.join(map(str, joint))}")
        return ", ".join(parts)


def _determinant(matrices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Expand determinants of small matrices of whole numbers: exact."""
    size = matrices.shape[1]
    if size == 0:
        return np.ones(len(matrices), np.int64)
    if size == 1:
        return matrices[:, 0, 0]
    total = np.zeros(len(matrices), np.int64)
    for column in range(size):
        rest = [k for k in range(size) if k != column]
        minor = _determinant(matrices[:, 1:][:, :, rest])
        total += (-1) ** column * matrices[:, 0, column] * minor
    return total
