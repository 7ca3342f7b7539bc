"""Series reduction: a response used once is a resistor in series, and needs no node.

In a hierarchy most nodes of a large dataset are leaves with a single comparison. Joining the
leaf's own edge, the comparison and, often, the leaf at its other end into one edge is exact for
resistances and for distances alike, and leaves a network of inner nodes. For resistances whole
subtrees without a comparison go too: no current flows through them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ibn.kernels.series import (
    STAYS,
    assign_roles,
    count_uses,
    may_hold_cliques,
    reduced_edges,
)
from ibn.network import Network
from ibn.pair_code import pair_code


@dataclass(frozen=True, eq=False)
class Reduced:
    """A network with its series leaves taken out."""

    # parent, stem: shape (N,): the whole forest: parent of each node, its own index for a root, and
    # the variance of the edge to it (0 for a root)
    parent: NDArray[np.int32]
    stem: NDArray[np.float64]
    # a, b, sigma2: shape (n,): every edge outside the forest by its nodes before the reduction, and
    # its variance
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    sigma2: NDArray[np.float64]
    # shape (N,): ``STAYS``, ``ONCE`` (a leaf of one comparison) or ``UNUSED`` (a leaf of none; for
    # resistances also whatever has no comparison below it)
    role: NDArray[np.int8]
    kept: NDArray[np.int64]  # shape (c,): the nodes that stay, in order
    number: NDArray[np.int64]  # shape (N,): their new numbers; -1 for those taken out
    # shape (N,): of a leaf of one comparison, which it is; of other nodes anything
    comparison: NDArray[np.integer]

    @cached_property
    def leaves(self) -> NDArray[np.int64]:
        """Nodes that were taken out."""
        return np.flatnonzero(self.role != STAYS)

    def tree(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return parent and variance of each node that stays, renumbered."""
        return self.number[self.parent[self.kept]], self.stem[self.kept]

    def others(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Return ends and variance of each edge outside the forest, renumbered and in order."""
        u, v = np.empty((2, len(self.a)), np.int32)
        variance = np.empty(len(self.a))
        reduced_edges(
            self.parent, self.stem, self.a, self.b, self.sigma2, self.role, self.number,
            u, v, variance,
        )  # fmt: skip
        return u, v, variance


def reduce_network(network: Network, *, resistances: bool = False) -> Reduced:
    """Take the series leaves out of a network.

    A network without a hierarchy comes back whole, as a forest of single nodes.

    ``network``: any induced Bayesian network; ``resistances``: whether to take out what only
    distances need: subtrees without a comparison, and groups in which each response was compared
    once with each other, for the star that is electrically the same, which makes their leaves
    series leaves too.
    """
    size = network.size
    if network.trie is None:
        parent, stem = np.arange(size, dtype=np.int32), np.zeros(size)
        a, b, sigma2 = network.u, network.v, network.variance
        role, kept = np.full(size, STAYS, np.int8), np.arange(size)
        number = last = np.arange(size)
    else:
        first = network.bias_edges
        parent = network.trie.parent
        stem = np.append(network.variance[:first], 0.0)
        a, b, sigma2 = network.u[first:], network.v[first:], network.variance[first:]
        if not (real := a != b).all():
            a, b, sigma2 = a[real], b[real], sigma2[real]
        uses, last = count_uses(size, a, b)
        if resistances and may_hold_cliques(a, b, uses):
            a, b, sigma2, centres = _stars_for_cliques(size, a, b, sigma2)
            parent = np.append(parent, np.arange(size, size + centres, dtype=np.int32))
            stem = np.append(stem, np.zeros(centres))
            size += centres
            uses, last = count_uses(size, a, b)
        role, kept, number = assign_roles(parent, uses, resistances)
    return Reduced(parent, stem, a, b, sigma2, role, kept, number, last)


def _stars_for_cliques(
    size: int, a: NDArray[np.int64], b: NDArray[np.int64], sigma2: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int]:
    """Replace each clique of K >= 3 equal comparisons by a star of variance σ²/K an arm.

    Returns the comparisons, nodes from ``size`` on being the centres, and how many there are.
    """
    shape = (size, size)
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=shape)
    count, label = connected_components(graph, directed=False)
    members = np.bincount(label, minlength=count)
    group = label[a]
    edges = np.bincount(group, minlength=count)
    lightest = np.full(count, np.inf)
    heaviest = np.zeros(count)
    np.minimum.at(lightest, group, sigma2)
    np.maximum.at(heaviest, group, sigma2)
    distinct = np.zeros(len(a), bool)
    distinct[np.unique(pair_code(a, b, size), return_index=True)[1]] = True
    repeated = np.bincount(group, weights=~distinct, minlength=count) > 0
    complete = (members > 2) & (edges == members * (members - 1) // 2)
    clique = complete & (lightest == heaviest) & ~repeated
    leaf = np.flatnonzero(clique[label])
    centre = size + np.cumsum(clique)[label[leaf]] - 1
    arm = lightest[label[leaf]] / members[label[leaf]]
    rest = ~clique[group]
    return (
        np.concatenate([a[rest], leaf]),
        np.concatenate([b[rest], centre]),
        np.concatenate([sigma2[rest], arm]),
        int(clique.sum()),
    )
