"""Posterior variances of a network without a hierarchy, by conjugate gradients over two levels.

Where parts of a neighbour graph hang together by few edges, the differences between those parts
are what conjugate gradients with Jacobi's preconditioner find last, after a thousand iterations.
Here a coarse Laplacian over aggregates of nodes, factorised once, finds them at once: an additive
two-level preconditioner (Nicolaides 1987) with aggregates made by matching along heavy edges.

The coarse solution is also a control variate. Its energy takes part in all that of a random probe
that is due to few, slow modes, and has a known expectation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lapack
from scipy.sparse import coo_array

from ibn.kernels.aggregates import (
    WIDTH,
    add_up,
    match,
    multiply,
    precondition,
    rows_of_edges,
)
from ibn.kernels.steps import turn
from ibn.laplacian import degrees, grounded
from ibn.network import Network
from ibn.solvers.conjugate_gradients import conjugate_gradient
from ibn.solvers.energy_bounds import EnergyBounds
from ibn.solvers.star_mesh import spread, stiff_error

AGGREGATES = 2304  # at most: their dense matrix is factorised for every network
LEAST = 8  # nodes an aggregate, at least, on average
EXCESS = 2  # times the mean that an aggregate may hold
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
        nested = [label]
        while len(held) > most:
            start, head, weight = rows_of_edges(len(held), u, v, conductance)
            pair = match(start, head, weight, held, max(2, EXCESS * size // most))
            count = int(pair.max()) + 1
            if count == len(held):
                break
            held = np.bincount(pair, weights=held, minlength=count).astype(np.int64)
            label = pair[label]
            nested.append(label)
            u, v, conductance = _contract(count, pair[u], pair[v], conductance)
        place = np.empty(size, np.int64)
        place[np.lexsort(nested)] = np.arange(size)
        return cls(label, len(held), place)


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
    inverse: NDArray[np.floating]  # shape (N,): one over each node's total conductance
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
        degree = degrees(network.size, u, v, conductance)
        label = np.empty(network.size, np.int64)
        label[aggregates.place] = aggregates.of_node
        coarse = grounded(aggregates.count, label[u], label[v], conductance)
        try:
            factor = cho_factor(coarse, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            raise stiff_error(network) from None
        inverse = np.divide(1.0, degree, out=np.zeros(network.size), where=degree > 0)
        inverse = inverse.astype(kind)
        bounds = None
        if not even:
            bounds = EnergyBounds.of(replace(network, variance=1.0 / conductance))
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
        coarse = np.empty((self.aggregates.count, WIDTH))
        add_up(self.label, drift, r, coarse)
        solved = cho_solve(self.factor, coarse, check_finite=False).astype(r.dtype)
        precondition(self.inverse, self.label, solved, r, z, product)

    def turn(self, z: NDArray, beta: NDArray, direction: NDArray) -> None:
        """See :class:`ibn.solvers.conjugate_gradients.System`."""
        turn(z, beta, direction)


def _blocks(inflow: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return [inflow[:, low : low + WIDTH] for low in range(0, inflow.shape[1], WIDTH)]
