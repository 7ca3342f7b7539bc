"""Posterior variances of a network without a hierarchy, by conjugate gradients over levels.

Where parts of a neighbour graph hang together by few edges, the differences between those parts
are what conjugate gradients with Jacobi's preconditioner find last, after a thousand iterations.
Here a coarse Laplacian over aggregates of nodes, factorised once, finds them at once: an additive
two-level preconditioner (Nicolaides 1987) with aggregates made by matching along heavy edges. The
groups between nodes and aggregates that matching passes through take part, each by itself, as the
levels of Bramble, Pasciak and Xu (1990) do.

The coarse solution is also a control variate. Its energy takes part in all that of a random probe
that is due to few, slow modes, and has a known expectation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lapack
from scipy.sparse import coo_array

from ibn.kernels.aggregates import (
    WIDTH,
    add_up,
    conductance_out,
    match,
    multiply,
    precondition,
    rows_of_edges,
)
from ibn.kernels.steps import turn
from ibn.laplacian import grounded
from ibn.network import Network
from ibn.solvers.conjugate_gradients import conjugate_gradient
from ibn.solvers.energy_bounds import EnergyBounds
from ibn.solvers.star_mesh import spread, stiff_error

AGGREGATES = 2304  # at most: their dense matrix is factorised for every network
LEAST = 8  # nodes an aggregate, at least, on average
EXCESS = 2  # times the mean that an aggregate may hold
STRONG = 0.25  # of the strongest tie of a node, from which on others are matched along
STALLED = 0.9  # share of the groups left by a round of matching, from which on any tie will do
DAMPING = 0.5  # of the levels between nodes and aggregates, which overlap with them
SLACK = 2.0  # times the tolerance that two bounds on an energy may be apart
CLOSER = 1e-3  # times the tolerance that is tried next where they are not
FINEST = 1e-16  # the last that is tried
MOST_SPREAD = 1e14  # of variances; beyond, iterations without end find nothing
SINGLE = 1e5  # spread of conductances up to which single precision will do


@dataclass(frozen=True, eq=False)
class Aggregates:
    """Groups of nodes that a graph ties closely."""

    of_node: NDArray[np.int64]  # shape (N,): the aggregate of each node
    count: int  # how many there are
    # shape (N,): place of each node where nodes are sorted by aggregate, which keeps neighbours
    # together in memory
    place: NDArray[np.int64]
    # shape (T,): the group of each node in that order, then the group of groups of each of these
    # and so on, all numbered in a row from the nodes to the aggregates, which have none
    parent: NDArray[np.int32]

    @classmethod
    def of(
        cls,
        size: int,
        u: NDArray[np.int64],
        v: NDArray[np.int64],
        conductance: NDArray[np.float64],
        most: int | None = None,
    ) -> Aggregates:
        """Match nodes along heavy edges, then the pairs, and so on.

        ``size``: nodes; ``u``, ``v``, ``conductance``, shape (e,): edges; ``most``: aggregates
        wanted at most; more where the graph has as many components.
        """
        most = max(1, min(AGGREGATES, size // LEAST)) if most is None else most
        label = np.arange(size)
        held = np.ones(size, np.int64)
        nested, share = [label], STRONG
        while len(held) > most:
            start, head, weight = rows_of_edges(len(held), u, v, conductance)
            pair = match(start, head, weight, held, max(2, EXCESS * size // most), share)
            count = int(pair.max()) + 1
            if share and count > STALLED * len(held):
                share = 0.0
                continue
            if count == len(held):
                break
            held = np.bincount(pair, weights=held, minlength=count).astype(np.int64)
            label = pair[label]
            nested.append(label)
            u, v, conductance = _contract(count, pair[u], pair[v], conductance)
        order = np.lexsort(nested)
        place = np.empty(size, np.int64)
        place[order] = np.arange(size)
        begins, parent, below = [], [], 0
        for level in (nested[0], *nested[1:-1], label):
            begins.append(np.append(True, np.diff(level[order]) != 0))
        for lower, upper in pairwise(begins):
            below += int(np.count_nonzero(lower))
            parent.append(below - 1 + np.cumsum(upper)[lower])
        return cls(label, len(held), place, np.concatenate(parent).astype(np.int32))

    def placed(self, network: Network) -> Network:
        """Renumber the nodes of a network in that order: a search finds neighbours nearby."""
        place = self.place
        return replace(network, nodes=place[network.nodes], u=place[network.u], v=place[network.v])


def _contract(
    count: int, u: NDArray[np.int64], v: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Merge parallel edges and drop loops."""
    apart = u != v
    ends = np.minimum(u, v)[apart], np.maximum(u, v)[apart]
    merged = coo_array((weight[apart], ends), shape=(count, count)).tocsr().tocoo()
    u, v = (end.astype(np.int64) for end in merged.coords)
    return u, v, merged.data


@dataclass(frozen=True, eq=False)
class TwoLevel:
    """A connected network made ready for many right-hand sides."""

    aggregates: Aggregates  # the coarse level
    unit: float  # variance that the arrays below are in units of
    # start, head, weight: the graph in compressed sparse rows, nodes in the aggregates' order
    start: NDArray[np.int64]
    head: NDArray[np.int32]
    weight: NDArray[np.floating]
    # shape (T,): one over the conductance out of each node, and out of each group between nodes and
    # aggregates, damped
    inverse: NDArray[np.floating]
    label: NDArray[np.int64]  # shape (N,): the aggregate of each node, in that order
    # Cholesky factor of the coarse Laplacian, its null space filled in
    factor: tuple[NDArray[np.float64], bool]
    network: Network
    bounds: EnergyBounds | None  # in the same unit; ``None`` where variances are even
    patience = 0
    delay = 4  # preconditioned so well that errors fall at a steady rate after a few iterations

    @classmethod
    def of(cls, network: Network, aggregates: Aggregates) -> TwoLevel:
        """Lay out a network and factorise its coarse Laplacian.

        ``network``: connected; ``aggregates``: of its nodes; those of its inductive bias will do.
        Raises InputError if variances differ by too much.
        """
        if spread(network) > MOST_SPREAD:
            raise stiff_error(network)
        unit = float(np.median(network.variance))
        conductance = unit / network.variance
        even = spread(network) <= SINGLE
        kind = np.float32 if even else np.float64
        u, v = aggregates.place[network.u], aggregates.place[network.v]
        start, head, weight = rows_of_edges(network.size, u, v, conductance.astype(kind))
        out = conductance_out(aggregates.parent, u, v, conductance)
        label = np.empty(network.size, np.int64)
        label[aggregates.place] = aggregates.of_node
        coarse = grounded(aggregates.count, label[u], label[v], conductance)
        try:
            factor = cho_factor(coarse, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            raise stiff_error(network) from None
        inverse = np.divide(1.0, out, out=np.zeros(len(out)), where=out > 0)
        inverse[network.size :] *= DAMPING
        bounds = None
        if not even:
            bounds = EnergyBounds.of(replace(network, variance=1.0 / conductance))
        inverse = inverse.astype(kind)
        return cls(aggregates, unit, start, head, weight, inverse, label, factor, network, bounds)

    def energy(self, inflow: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """Energy dissipated by currents, as ``ReducedSolver.energy`` has it."""
        return np.concatenate([self._solve(b, tolerance, False)[0] for b in _blocks(inflow)])

    def potential(self, inflow: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """Potentials under currents, as ``ReducedSolver.potential`` has them."""
        found = [self._solve(block, tolerance, True)[1] for block in _blocks(inflow)]
        potential = np.concatenate(found, axis=1)
        return potential - potential.mean(axis=0)

    def coarse_energy(self, inflow: NDArray[np.float64]) -> NDArray[np.float64]:
        """Energy that the coarse level alone accounts for, never more than all of it.

        ``inflow``, shape (size, k): as for :meth:`energy`.
        """
        shape = (self.aggregates.count, inflow.shape[1])
        total = np.zeros(shape)
        np.add.at(total, self.aggregates.of_node, inflow)
        solved = cho_solve(self.factor, total, check_finite=False)
        return self.unit * np.einsum("ik,ik->k", total, solved)

    def mean_coarse_energy(self) -> float:
        """Mean over all pairs of nodes of the coarse energy of a unit current from one to another.

        It is that of all effective resistances between aggregates, weighted by their nodes.
        """
        inverse, info = lapack.dpotri(self.factor[0], lower=1)
        if info != 0:
            raise stiff_error(self.network)
        size = len(self.label)
        held = np.bincount(self.label, minlength=self.aggregates.count).astype(float)
        own = np.diag(inverse)
        lower = np.tril(inverse)
        crossed = 2.0 * held @ (lower @ held) - (held * held) @ own
        total = size * (held @ own) - crossed  # over unordered pairs
        return self.unit * float(total) / (size * (size - 1) / 2.0)

    def _solve(
        self, inflow: NDArray[np.float64], tolerance: float, with_potential: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Solve for at most ``WIDTH`` columns, stiff networks until two bounds meet."""
        if self.bounds is None:
            return self._iterate(inflow, tolerance, with_potential)
        aim = tolerance
        while aim > FINEST:
            _, potential = self._iterate(inflow, aim, True)
            lower, upper = self.unit * np.array(self.bounds(potential / self.unit, inflow))
            if (upper - lower <= SLACK * tolerance * upper).all():
                return upper, potential
            aim *= CLOSER
        raise stiff_error(self.network)

    def _iterate(
        self, inflow: NDArray[np.float64], tolerance: float, with_potential: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        place = self.aggregates.place
        r = np.zeros((len(inflow), WIDTH), self.weight.dtype)
        r[place, : inflow.shape[1]] = inflow
        energy, potential = conjugate_gradient(self, r, tolerance, with_potential)
        columns = slice(inflow.shape[1])
        whole = potential[place[: len(potential)], columns].astype(np.float64)
        return self.unit * energy[columns], self.unit * whole

    def multiply(self, x: NDArray, y: NDArray, product: NDArray) -> None:
        """See :class:`ibn.solvers.conjugate_gradients.System`."""
        multiply(self.start, self.head, self.weight, x, y, product)

    def measure(self, r: NDArray, drift: NDArray, z: NDArray, product: NDArray) -> None:
        """See :class:`ibn.solvers.conjugate_gradients.System`."""
        parent, count = self.aggregates.parent, self.aggregates.count
        above = np.empty((len(parent) + count - len(r), WIDTH), r.dtype)
        add_up(parent, drift, r, above)
        coarse = above[-count:].astype(np.float64)
        above[-count:] = cho_solve(self.factor, coarse, overwrite_b=True, check_finite=False)
        precondition(parent, self.inverse, above, r, z, product)

    def turn(self, z: NDArray, beta: NDArray, direction: NDArray) -> None:
        """See :class:`ibn.solvers.conjugate_gradients.System`."""
        turn(z, beta, direction)


def _blocks(inflow: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return [inflow[:, low : low + WIDTH] for low in range(0, inflow.shape[1], WIDTH)]
