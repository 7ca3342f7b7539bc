"""Stiff networks solved densely without a loss of digits, however many orders variances span.

Where variances of 1e-16 and 1 stand in series, the Laplacian in double precision no longer knows
the second. A network is therefore kept as its conductances, all positive, and its nodes are
eliminated by sums, products and quotients of those (``ibn.kernels.elimination``): a resistance has
a relative error of some rounding errors a node. Labels travel with the edges that they are of,
since the currents of a stiff edge at its two ends would cancel but for their rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ibn.errors import InputError
from ibn.kernels.elimination import (
    all_resistances,
    eliminate_panel,
    eliminate_pulls,
    hand_on,
    restore,
)
from ibn.network import Network
from ibn.solvers.energy_bounds import EnergyBounds

MOST_NODES = 2000  # that one dense elimination is to have
PANEL = 48  # nodes eliminated at a time: one matrix product takes their effect to the rest
LEAF = 48  # terminals up to which each is grounded in turn
EVEN = 1e6  # spread of variances up to which plain arithmetic loses no digit that matters
WIDEST = 1e200  # spread of variances beyond which conductances may overflow


def spread(network: Network) -> float:
    """Greatest variance over the least; 1 for a network without edges."""
    variance = network.variance
    return float(variance.max() / variance.min()) if len(variance) else 1.0


def stiff_error(network: Network) -> InputError:
    """Build the error for a network whose variances are too far apart, naming the two extremes."""
    low, high = int(np.argmin(network.variance)), int(np.argmax(network.variance))

    def named(edge: int) -> str:
        first = network.bias_edges
        kind = f"comparison {edge - first}" if edge >= first else f"inductive-bias edge {edge}"
        return f"{network.variance[edge]:.3g} of {kind}"

    return InputError(
        f"variances from {named(low)} to {named(high)} are too far apart for a network of "
        f"{network.size} nodes",
        fix=f"bring them within a factor of {EVEN:g} by beta, the scale or the floor; up to "
        f"{MOST_NODES} nodes {WIDEST:g} will do",
    )


@dataclass(frozen=True, eq=False)
class StarMesh:
    """A connected network as a dense matrix of conductances."""

    network: Network
    unit: float  # variance that conductances are one over
    # shape (N,): place of each node in the order of elimination; responses come last, so that their
    # rewards are relative to one of them and lose nothing to what lies far from them all
    place: NDArray[np.int64]
    conductance: NDArray[np.float64]  # shape (N, N): by place, 0 on the diagonal

    @classmethod
    def of(cls, network: Network) -> StarMesh:
        """Lay a connected network out; an InputError if it is too large or too stiff for that."""
        if network.size > MOST_NODES or not spread(network) <= WIDEST:
            raise stiff_error(network)
        low, high = np.log(network.variance.min()), np.log(network.variance.max())
        unit = float(np.exp((low + high) / 2.0))
        last = np.zeros(network.size, bool)
        last[network.nodes] = True
        place = np.empty(network.size, np.int64)
        place[np.argsort(last, kind="stable")] = np.arange(network.size)
        return cls(network, unit, place, _laid_out(network, place, unit / network.variance))

    @cached_property
    def _eliminated(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """All nodes but the last taken out: their conductances and the sums of those."""
        left = self.conductance.copy()
        return left, eliminate(left, len(left) - 1)

    def resistances(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Effective resistance between the two nodes of each pair, shape (p, 2)."""
        return self.unit * _resistances(self.conductance, self.place[pairs])

    def all_resistances(self) -> NDArray[np.float64]:
        """Effective resistance between all pairs of responses, shape (m, m)."""
        nodes, place = np.unique(self.network.nodes, return_inverse=True)
        first, second = np.triu_indices(len(nodes), 1)
        matrix = np.zeros((len(nodes), len(nodes)))
        matrix[first, second] = self.resistances(np.stack([nodes[first], nodes[second]], axis=1))
        matrix += matrix.T
        return matrix[np.ix_(place, place)]

    def rewards(self, label: NDArray[np.float64]) -> NDArray[np.float64]:
        """Most likely rewards at the nodes, up to a shift, given what each edge says of its ends.

        ``label``, shape (e,): by how much the edge says that its end u exceeds its end v.
        """
        left, total, current = self._labelled(label)
        return restore(left, total, current[:, None])[self.place, 0]

    def potential(self, inflow: NDArray[np.float64]) -> NDArray[np.float64]:
        """Potentials under currents, as ``ReducedSolver.potential`` has them."""
        found = [self.rewards(label) for label in self._as_labels(inflow).T]
        potential = np.reshape(found, inflow.shape[::-1]).T
        return potential - potential.mean(axis=0)

    def energy(self, inflow: NDArray[np.float64]) -> NDArray[np.float64]:
        """Energy of currents, as ``ReducedSolver.energy`` has it."""
        found = np.empty(inflow.shape[1])
        for c, label in enumerate(self._as_labels(inflow).T):
            _, total, current = self._labelled(label)
            found[c] = float((current[:-1] / total) @ current[:-1]) / self.unit
        return found

    def probe_energy(self, inflow: NDArray[np.float64]) -> NDArray[np.float64]:
        """Energy of currents at many nodes at once, good beside a mean over pairs of those nodes.

        Currents that cancel leave rounding errors, which matter only where all of them do.
        """
        current = np.empty(inflow.shape)
        current[self.place] = inflow
        return self.unit * hand_on(*self._eliminated, current)

    def _labelled(
        self, label: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Eliminate all nodes but the last, and with them labels; see :func:`eliminate`.

        Returns what is left of the conductances, their sums, and the current, times ``unit``, that
        labels inject at each node when its turn comes.
        """
        strength = (self.unit / self.network.variance) * label
        pull = _laid_out(self.network, self.place, strength, antisymmetric=True)
        left = self.conductance.copy()
        total = eliminate(left, len(left) - 1, pull)
        return left, total, np.triu(pull, 1).sum(axis=1)

    def _as_labels(self, inflow: NDArray[np.float64]) -> NDArray[np.float64]:
        """Labels on a spanning tree of stiff edges that inject the same currents, shape (e, k).

        So currents that cancel within a part of the network leave nothing outside it.
        """
        flow = EnergyBounds.of(self.network).tree_flow(inflow)
        return flow * self.network.variance[:, None]


def _laid_out(
    network: Network,
    place: NDArray[np.int64],
    weight: NDArray[np.float64],
    antisymmetric: bool = False,
) -> NDArray[np.float64]:
    """Add each edge's weight up at its two entries of a matrix, of other sign at (v, u) if asked.

    The diagonal stays 0.
    """
    size, u, v = network.size, place[network.u], place[network.v]
    apart = u != v
    entry = np.append(u[apart] * size + v[apart], v[apart] * size + u[apart])
    both = np.append(weight[apart], -weight[apart] if antisymmetric else weight[apart])
    return np.bincount(entry, both, size**2).astype(np.float64).reshape(size, size)


def eliminate(
    conductance: NDArray[np.float64], count: int, pull: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Take the first ``count`` nodes out of a network, in place.

    ``conductance``, shape (N, N): symmetric, 0 on the diagonal; the rows from ``count`` on become
    those of the network left, the rows before hold each node's conductances when its turn came, to
    the right of the diagonal; ``pull``, shape (N, N): antisymmetric: of labels, see
    ``eliminate_pulls``, treated alike. Returns shape (count,): the sum of each such row.
    """
    total = np.empty(count)
    for low in range(0, count, PANEL):
        high = min(low + PANEL, count)
        panel, here = conductance[low:high, low:], total[low:high]
        eliminate_panel(panel, here)
        part, rest = panel[:, high - low :], conductance[high:, high:]
        share = (part / here[:, None]).T
        rest += share @ part
        np.fill_diagonal(rest, 0.0)
        if pull is not None:
            pulls = pull[low:high, low:]
            eliminate_pulls(panel, here, pulls)
            moved = share @ pulls[:, high - low :]
            pull[high:, high:] += moved - moved.T
    return total


def _resistances(conductance: NDArray[np.float64], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Resistances between pairs of nodes, by halving what is left between as often as it takes.

    All nodes that no pair names go. Then the rest is cut in four, and each two quarters are looked
    at alone, the others eliminated: six networks of half the size.
    """
    ends, at = np.unique(pairs, return_inverse=True)
    at = at.reshape(pairs.shape)
    n = len(ends)
    if n < 2:
        return np.zeros(len(pairs))
    if n < len(conductance):
        gone = np.setdiff1d(np.arange(len(conductance)), ends)
        order = np.append(gone, ends)
        conductance = conductance[np.ix_(order, order)]
        eliminate(conductance, len(gone))
        conductance = conductance[len(gone) :, len(gone) :]
    if n <= LEAF:
        return all_resistances(np.ascontiguousarray(conductance))[at[:, 0], at[:, 1]]
    found = np.empty(len(pairs))
    quarter = at * 4 // n
    undone = np.ones(len(pairs), bool)
    for two in combinations(range(4), 2):
        mine = np.flatnonzero(undone & np.isin(quarter, two).all(axis=1))
        if mine.size:
            found[mine] = _resistances(conductance, at[mine])
            undone[mine] = False
    return found
