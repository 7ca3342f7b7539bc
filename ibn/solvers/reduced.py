"""Networks solved after their series leaves are taken out, densely or by conjugate gradients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from ibn.errors import InputError
from ibn.kernels.conjugate_gradients import (
    conjugate_gradient,
    eliminate_leaves,
    factor,
    restore_leaves,
)
from ibn.network import Network
from ibn.solvers.laplacian import fill_null_space
from ibn.solvers.reduction import Reduced, reduce_network
from ibn.threads import in_threads

DENSE_NODES = 1500
BLOCK = 8
MOST_ITERATIONS = 20_000
TIGHT = 1e-10
STIFF = "variances differ by too many orders of magnitude; check beta and scale"


@dataclass(frozen=True, eq=False)
class Solver:
    """A network made ready for many right-hand sides.

    Attributes
    ----------
    network : Network
        A connected network.
    reduced : Reduced
        The network without its series leaves and with its cliques as stars.
    """

    network: Network
    reduced: Reduced

    @classmethod
    def of(cls, network: Network) -> Solver:
        """Reduce a network.

        Raises
        ------
        InputError
            If the network is not connected, so that some variances are infinite.
        """
        require_connected(network)
        return cls(network, reduce_network(network, cliques=True))

    @cached_property
    def _system(self) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
        """Forest and other edges of the reduced network, with conductances."""
        parent, stem = self.reduced.tree()
        u, v, variance = self.reduced.others()
        conductance = np.divide(1.0, stem, out=np.zeros_like(stem), where=stem > 0)
        return parent, conductance, u, v, 1.0 / variance

    @cached_property
    def _factors(self) -> tuple[NDArray, NDArray]:
        """Make the preconditioner."""
        return factor(*self._system)

    @cached_property
    def _dense(self) -> tuple[NDArray, bool] | None:
        """Cholesky factor of the Laplacian with its null space filled in; None if too large."""
        size = len(self.reduced.kept)
        if size > DENSE_NODES:
            return None
        parent, conductance, u, v, weight = self._system
        matrix = np.zeros((size, size))
        child = np.flatnonzero(parent != np.arange(size))
        tails = np.concatenate([child, u])
        tips = np.concatenate([parent[child], v])
        weights = np.concatenate([conductance[child], weight])
        np.add.at(matrix, (tails, tails), weights)
        np.add.at(matrix, (tips, tips), weights)
        np.add.at(matrix, (tails, tips), -weights)
        np.add.at(matrix, (tips, tails), -weights)
        fill_null_space(matrix)
        return cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)

    def _room(self, inflow: NDArray[np.float64]) -> NDArray[np.float64]:
        """Copy inflow into an array with rows for all nodes of the reduction."""
        flow = np.zeros((len(self.reduced.role), inflow.shape[1]))
        flow[: len(inflow)] = inflow
        return flow

    def _reduce(self, flow: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Reduce current to the nodes that stay, in place; also the energy spent elsewhere."""
        red = self.reduced
        spent = eliminate_leaves(red.parent, red.stem, red.a, red.b, red.sigma2, red.role, flow)
        kept = red.kept
        if len(kept) and kept[-1] - kept[0] + 1 == len(kept):  # a view will do
            return flow[kept[0] : kept[-1] + 1], spent
        return flow[kept], spent

    def _solve(
        self, current: NDArray[np.float64], tolerance: float, with_potential: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self._dense is not None:
            potential = cho_solve(self._dense, current, check_finite=False)
            return np.einsum("ik,ik->k", current, potential), potential
        energy, potential, iterations = conjugate_gradient(
            *self._system, current, tolerance, MOST_ITERATIONS, with_potential, self._factors
        )
        if iterations > MOST_ITERATIONS:
            raise InputError(
                f"the posterior did not converge within {MOST_ITERATIONS} iterations", fix=STIFF
            )
        return energy, potential

    def energy(self, inflow: NDArray[np.float64], tolerance: float = TIGHT) -> NDArray[np.float64]:
        """Energy inflow' L⁺ inflow dissipated by currents injected at the nodes.

        Parameters
        ----------
        inflow : ndarray of float, shape (size, k)
            Current at each node, each column adding up to 0.
        tolerance : float
            Relative error allowed.

        Returns
        -------
        ndarray of float, shape (k,)
        """
        result = np.empty(inflow.shape[1])
        for low in range(0, inflow.shape[1], BLOCK):
            result[low : low + BLOCK] = self._energy(
                self._room(inflow[:, low : low + BLOCK]), tolerance
            )
        return result

    def _energy(self, flow: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """Energy of a block of currents, with a row for every node of the reduction; used up."""
        current, spent = self._reduce(flow)
        # In halves, so that two threads can share them; the same halves whether they do.
        middle = -(-current.shape[1] // 2)
        _ = self._factors if self._dense is None else None  # made once, before the threads begin
        halves = [half for half in (current[:, :middle], current[:, middle:]) if half.size]
        energies = in_threads(lambda half: self._solve(half, tolerance, False)[0], halves)
        return spent + np.concatenate([np.zeros(0), *energies])

    def potential(
        self, inflow: NDArray[np.float64], tolerance: float = TIGHT**1.5
    ) -> NDArray[np.float64]:
        """Potentials L⁺ inflow at every node, each column centred over the nodes.

        Parameters
        ----------
        inflow : ndarray of float, shape (size, k)
            Current at each node, each column adding up to 0.
        tolerance : float
            Relative error allowed of the energy; in the energy's norm the potentials' own is
            its root.

        Returns
        -------
        ndarray of float, shape (size, k)
        """
        red, size = self.reduced, len(inflow)
        result = np.empty_like(inflow)
        for low in range(0, inflow.shape[1], BLOCK):
            block = inflow[:, low : low + BLOCK]
            current, _ = self._reduce(self._room(block))
            _, reduced = self._solve(current, tolerance, with_potential=True)
            for j in range(block.shape[1]):
                whole = np.zeros(len(red.role))
                whole[red.kept] = reduced[:, j]
                flow = np.append(block[:, j], np.zeros(len(whole) - size))
                restore_leaves(
                    red.parent, red.stem, red.a, red.b, red.sigma2, red.role, flow, whole
                )
                result[:, low + j] = whole[:size]
        return result - result.mean(axis=0)


def require_connected(network: Network) -> None:
    """Raise InputError if some reward differences of a network are not identified."""
    """Raise InputError if some reward differences of a network are not identified."""
    if network.trie is None and network.components().max(initial=0) > 0:
        raise InputError(
            "the network is not connected, so some reward differences are not identified",
            fix="ask the neighbour graph to connect, or treat each component by itself",
        )
