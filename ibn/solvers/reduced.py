"""Networks solved after their series leaves are taken out, densely or by conjugate gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve

from ibn.errors import InputError
from ibn.kernels.forest import WIDTH, blocks, factor, multiply, padded, sweep_down, sweep_up
from ibn.kernels.series import eliminate_leaves, leaves_above, restore_leaves
from ibn.laplacian import grounded
from ibn.network import Network
from ibn.solvers.cholesky import factorised
from ibn.solvers.conjugate_gradients import conjugate_gradient
from ibn.solvers.energy_bounds import EnergyBounds
from ibn.solvers.hubs import Hubs
from ibn.solvers.reduction import Reduced, reduce_network
from ibn.solvers.star_mesh import EVEN, MOST_NODES, StarMesh, spread, stiff_error
from ibn.threads import in_threads

Item = TypeVar("Item")
Found = TypeVar("Found")

DENSE_NODES = 1500  # up to here one dense factorisation is faster than iterations,
FEW_DENSE_NODES = 400  # or up to here, where few currents are solved for,
FEW = 32  # which is so many
BLOCK = 2 * WIDTH  # right-hand sides at hand at a time, for two threads
THREADED = 2**16  # numbers of currents from which two threads save more than they cost
TIGHT = 1e-10  # relative error of an energy that is to be as good as exact
PROMISED = 1e-9  # relative error of an energy of a stiff network
POTENTIAL = 1e-6  # error of a potential of a large, stiff network, beside their range
ROUNDING = 1e-14  # of the difference between two bounds on an energy
QUICK = 20_000  # nodes up to which whatever is iterated is bounded
CLEAR = 1e5  # spread of variances up to which conjugate gradients tell their own error
SLACK = 2.0  # times a looser tolerance, that its energies may be off


@dataclass(frozen=True, eq=False)
class Forest:
    """The Laplacian of a forest and other edges, preconditioned by the forest."""

    # parent, conductance: shape (N,): each node's parent (its own index for a root) and the
    # conductance of that edge
    parent: NDArray[np.integer]
    conductance: NDArray[np.float64]
    # u, v, weight: shape (e,): the other edges and their conductances; loops are harmless
    u: NDArray[np.integer]
    v: NDArray[np.integer]
    weight: NDArray[np.float64]
    # pivot, share: shape (N,): from :func:`ibn.kernels.forest.factor`
    pivot: NDArray[np.float64]
    share: NDArray[np.float64]
    patience = 16  # what a slow start along a path needs
    delay = 0

    @classmethod
    def of(cls, *edges: NDArray) -> Forest:
        """Factorise the preconditioner of ``parent``, ``conductance``, ``u``, ``v``, ``weight``."""
        return cls(*edges, *factor(*edges))

    def multiply(self, x: NDArray, y: NDArray, product: NDArray) -> None:
        """See :class:`ibn.solvers.conjugate_gradients.System`."""
        columns = (0,) * x.shape[1]
        multiply(self.parent, self.conductance, self.u, self.v, self.weight, x, y, product, columns)

    def measure(self, r: NDArray, drift: NDArray, z: NDArray, product: NDArray) -> None:
        """See :class:`ibn.solvers.conjugate_gradients.System`."""
        sweep_up(self.parent, self.pivot, self.share, r, drift, z, product, (0,) * r.shape[1])

    def turn(self, z: NDArray, beta: NDArray, direction: NDArray) -> None:
        """See :class:`ibn.solvers.conjugate_gradients.System`."""
        sweep_down(self.parent, self.pivot, self.share, z, beta, direction, (0,) * z.shape[1])


@dataclass(frozen=True, eq=False)
class ReducedSolver:
    """A network made ready for many right-hand sides.

    Attributes
    ----------
    network : Network
        A connected network.
    reduced : Reduced
        The network without its series leaves and with its cliques as stars.
    small : bool
        Whether it is solved by one dense factorisation.
    """

    network: Network
    reduced: Reduced
    small: bool

    @classmethod
    def of(cls, network: Network, currents: float = np.inf) -> ReducedSolver:
        """Reduce a network, in which so many currents, at most, will be solved for.

        Raises
        ------
        InputError
            If the network is not connected, so that some variances are infinite.
        """
        require_connected(network)
        reduced = reduce_network(network, resistances=True)
        most = DENSE_NODES if currents > FEW else min(FEW_DENSE_NODES, DENSE_NODES)
        return cls(network, reduced, len(reduced.kept) <= most)

    @cached_property
    def _edges(self) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
        """Forest and other edges of the reduced network, with conductances."""
        parent, stem = self.reduced.tree()
        u, v, variance = self.reduced.others()
        conductance = np.divide(1.0, stem, out=np.zeros_like(stem), where=stem > 0)
        return parent.astype(np.int32), conductance, u, v, 1.0 / variance

    @cached_property
    def forest(self) -> Forest:
        """The reduced network as conjugate gradients take it."""
        return Forest.of(*self._edges)

    @cached_property
    def _hubs(self) -> Hubs | None:
        """The network as it is solved without iteration, where it has few hubs and is not small."""
        return None if self.small else Hubs.of(*self._edges)

    @cached_property
    def _dense(self) -> NDArray[np.float64] | None:
        """Cholesky factor of the Laplacian with its null space filled in.

        None where that is too large, or loses digits.
        """
        if not self.small:
            return None
        size = len(self.reduced.kept)
        parent, conductance, u, v, weight = self._edges
        child = np.flatnonzero(parent != np.arange(size))
        ends = np.append(child, u), np.append(parent[child], v)
        return factorised(grounded(size, *ends, np.append(conductance[child], weight)))

    @cached_property
    def mesh(self) -> StarMesh | None:
        """The network as it keeps all digits, where nothing else does and it is small enough."""
        if self.network.size > MOST_NODES:
            return None
        lossy = self.small and self._dense is None
        return StarMesh.of(self.network) if lossy or spread(self.network) > EVEN else None

    @cached_property
    def _bounds(self) -> EnergyBounds | None:
        """What tells whether a large, stiff network was solved; None where there is no doubt."""
        limit = CLEAR if self.network.size > QUICK else 1.0  # there bounds cost next to nothing
        limit = EVEN if self._dense is not None else limit
        if self.mesh is None and spread(self.network) > limit:
            return EnergyBounds.of(self.network)
        return None

    def _room(self, inflow: NDArray[np.float64]) -> NDArray[np.float64]:
        """Copy inflow into an array with rows for all nodes of the reduction."""
        flow = np.zeros((len(self.reduced.role), inflow.shape[1]))
        flow[: len(inflow)] = inflow
        return flow

    def _reduce(
        self, flow: NDArray[np.float64], nodes: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Reduce current to the nodes that stay, in place; also the energy dissipated elsewhere.

        ``nodes``: they and their parents are all those at which there is current; by default any.
        """
        red = self.reduced
        leaves = red.leaves if nodes is None else leaves_above(red.parent, red.role, nodes)
        dissipated = eliminate_leaves(
            leaves, red.comparison, red.parent, red.stem, red.a, red.b, red.sigma2, red.role, flow
        )
        kept = red.kept
        if len(kept) and kept[-1] - kept[0] + 1 == len(kept):  # a view will do
            return flow[kept[0] : kept[-1] + 1], dissipated
        return flow[kept], dissipated

    def _solve(
        self, current: NDArray[np.float64], tolerance: float, with_potential: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.floating]]:
        if self._dense is not None:
            potential = cho_solve((self._dense, True), current, check_finite=False)
            return np.einsum("ik,ik->k", current, potential), potential
        columns, r = slice(current.shape[1]), padded(current)
        if self._hubs is None:
            energy, potential = conjugate_gradient(self.forest, r, tolerance, with_potential)
        elif with_potential:
            energy, potential = self._hubs.solve(r)
        else:
            energy, potential = self._hubs.energy(r), r[:0]
        return energy[columns], potential[:, columns]

    def energy(self, inflow: NDArray[np.float64], tolerance: float = TIGHT) -> NDArray[np.float64]:
        """Energy inflow' L⁺ inflow dissipated by currents injected at the nodes, shape (k,).

        Parameters
        ----------
        inflow : ndarray of float, shape (size, k)
            Current at each node, each column adding up to 0.
        tolerance : float
            Relative error allowed; the energy is approached from below.
        """
        if self.mesh is not None:
            return self.mesh.energy(inflow)

        def solve(block: NDArray[np.float64]) -> NDArray[np.float64]:
            if self._bounds is not None:
                return self._bounded(block, tolerance)[0]
            return self.whole_energy(self._room(block), tolerance)

        parts = [inflow[:, part] for part in blocks(inflow.shape[1])]
        return np.concatenate([np.zeros(0), *self.share(solve, parts)])

    def prepare(self) -> None:
        """Make what all solves have in common: a factor, the hubs, or a forest."""
        if self.mesh is None and self._dense is None and self._hubs is None:
            _ = self.forest

    def share(self, work: Callable[[Item], Found], parts: list[Item]) -> Iterable[Found]:
        """Apply to each block what solves for it, in threads where they save more than they cost.

        What solves in common is made first.
        """
        self.prepare()
        large = len(self.reduced.kept) * WIDTH > THREADED
        return in_threads(work, parts) if large else map(work, parts)

    def whole_energy(
        self,
        flow: NDArray[np.float64],
        tolerance: float,
        nodes: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Energy of a block of currents, with a row for every node of the reduction; used up.

        ``nodes``: as for :meth:`_reduce`.
        """
        if self.mesh is not None:
            return self.mesh.probe_energy(flow[: self.network.size])
        # At a rougher tolerance rounding shows later; but iterations that seem to have converged
        # may not have, which costs little to find out in a network that is not large.
        doubt = np.sqrt(tolerance / TIGHT) * EVEN if self.network.size > QUICK else 1.0
        if self._bounds is not None and spread(self.network) > doubt:
            return self._bounded(flow[: self.network.size], tolerance)[0]
        current, dissipated = self._reduce(flow, nodes)
        return dissipated + self._solve(current, tolerance, with_potential=False)[0]

    def potential(
        self,
        inflow: NDArray[np.float64],
        tolerance: float = TIGHT**1.5,
        *,
        checked: bool = True,
    ) -> NDArray[np.float64]:
        """Potentials L⁺ inflow at every node, each column centred, shape (size, k).

        ``inflow`` is as for :meth:`energy`, and so is ``tolerance``: in the energy's norm the
        potentials' own is its root. ``checked``: whether potentials of a large, stiff network are
        refused where they may be in error; not where the next step corrects the error of this.
        """
        if self.mesh is not None:
            return self.mesh.potential(inflow)
        result = np.empty_like(inflow)
        for low in range(0, inflow.shape[1], WIDTH):
            block = inflow[:, low : low + WIDTH]
            if checked and self._bounds is not None and spread(self.network) > CLEAR:
                result[:, low : low + WIDTH] = self._bounded_potential(block, tolerance)
            else:
                result[:, low : low + WIDTH] = self._potential(block, tolerance)
        return result - result.mean(axis=0)

    def _potential(self, inflow: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """Potentials of one block, not centred."""
        red, size = self.reduced, len(inflow)
        current, _ = self._reduce(self._room(inflow))
        _, reduced = self._solve(current, tolerance, with_potential=True)
        result = np.empty_like(inflow)
        for j in range(inflow.shape[1]):
            whole = np.zeros(len(red.role))
            whole[red.kept] = reduced[:, j]
            flow = np.append(inflow[:, j], np.zeros(len(whole) - size))
            restore_leaves(red.parent, red.stem, red.a, red.b, red.sigma2, red.role, flow, whole)
            result[:, j] = whole[:size]
        return result

    def _bounded(
        self, inflow: NDArray[np.float64], tolerance: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Solve one block: bounds on its energy, and potentials that are centred.

        Raises InputError where the bounds are too far apart.
        """
        assert self._bounds is not None
        allowed = PROMISED if tolerance <= TIGHT else max(PROMISED, SLACK * tolerance)
        # Bounds that do not meet may need better potentials only.
        for finer in (1.0, 1e-3, 1e-6):
            potential = self._potential(inflow, finer * tolerance)
            potential -= potential.mean(axis=0)
            lower, upper = self._bounds(potential, inflow)
            if (upper - lower <= allowed * upper).all():
                return lower, upper, potential
        raise stiff_error(self.network)

    def _bounded_potential(
        self, inflow: NDArray[np.float64], tolerance: float
    ) -> NDArray[np.float64]:
        """Potentials of one block, none of them off by ``POTENTIAL`` of what they range over."""
        assert self._bounds is not None
        lower, upper, potential = self._bounded(inflow, tolerance)
        # What is missing from the energy is that of the potentials' error, which a difference of
        # potentials over a resistance takes as much of as Cauchy and Schwarz allow.
        missing = np.maximum(upper - lower, ROUNDING * upper)
        error = np.sqrt(missing * self._bounds.widest)
        if not (error <= POTENTIAL * np.ptp(potential, axis=0)).all():
            raise stiff_error(self.network)
        return potential


def require_connected(network: Network) -> None:
    """Raise InputError if some reward differences of a network are not identified."""
    network.check()
    if network.trie is None and network.components().max(initial=0) > 0:
        raise InputError(
            "the network is not connected, so some reward differences are not identified",
            fix="ask the neighbour graph to connect, or treat each component by itself",
        )
