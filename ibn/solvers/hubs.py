"""Networks whose other edges all end at a few hubs, solved without iteration.

Hold the hubs at fixed potentials, and each of those edges ties a node of the forest to ground: two
sweeps solve for the rest. What the hubs then lack is one dense system of their own, the Schur
complement, whose entries are sums of positive terms, so that no digits are lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from scipy.sparse import csr_array

from ibn.kernels.forest import WIDTH, factor, pass_up, sweep_down, sweep_up
from ibn.kernels.series import count_uses
from ibn.laplacian import grounded
from ibn.solvers.cholesky import factorised

MOST_HUBS = 32  # each costs one solve in advance
LEAST_SHARE = 1024  # of so many edges a hub has one


@dataclass(frozen=True, eq=False)
class Hubs:
    """A connected network, a forest once its hubs are taken out."""

    hubs: NDArray[np.int64]  # shape (h,): their nodes
    parent: NDArray[np.integer]  # shape (N,): of each node, a hub being nobody's
    # pivot, share: shape (N,): from :func:`ibn.kernels.forest.factor`
    pivot: NDArray[np.float64]
    share: NDArray[np.float64]
    # of more hubs than one: conductances between them and the forest, shape (h, N), and the factor
    # of their Schur complement
    links: csr_array | None = None
    factor: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls,
        parent: NDArray[np.integer],
        conductance: NDArray[np.float64],
        u: NDArray[np.integer],
        v: NDArray[np.integer],
        weight: NDArray[np.float64],
    ) -> Hubs | None:
        """Find the hubs; None where there are none, or too many.

        ``parent``, ``conductance``, shape (N,): a forest; ``u``, ``v``, ``weight``: other edges.
        """
        size = len(parent)
        hubs = _cover(size, u, v)
        if hubs is None:
            return None
        place = np.full(size, -1, np.int8)
        place[hubs] = np.arange(len(hubs))
        child = np.flatnonzero(((place >= 0) | (place[parent] >= 0)) & (parent != np.arange(size)))
        cut = np.array(parent)
        cut[child] = child
        u, v = np.append(u, child), np.append(v, parent[child])
        weight = np.append(weight, conductance[child])
        made = cls(hubs, cut, *factor(cut, conductance, u, v, weight))
        return made if len(hubs) == 1 else made._joined(place[u], place[v], u, v, weight)

    def _joined(
        self,
        at_u: NDArray[np.int8],
        at_v: NDArray[np.int8],
        u: NDArray[np.integer],
        v: NDArray[np.integer],
        weight: NDArray[np.float64],
    ) -> Hubs | None:
        """Add what several hubs need; None where that loses digits.

        ``at_u``, ``at_v``: places of the edges' ends among the hubs, -1 for others.
        """
        across, among = (at_u < 0) != (at_v < 0), (at_u >= 0) & (at_v >= 0)
        outer, inner = np.where(at_u < 0, (at_v, u), (at_u, v))[:, across]
        shape = (len(self.hubs), len(self.parent))
        links = csr_array((weight[across], (outer, inner)), shape=shape)
        through = self._through(links)
        first, second = np.triu_indices(len(self.hubs), 1)
        complement = factorised(
            grounded(
                len(self.hubs),
                np.append(at_u[among], first),
                np.append(at_v[among], second),
                np.append(weight[among], through[first, second]),
            )
        )
        return None if complement is None else replace(self, links=links, factor=complement)

    def _through(self, links: csr_array) -> NDArray[np.float64]:
        """Conductance from each hub to each other by way of the forest, shape (h, h)."""
        count = len(self.hubs)
        through = np.zeros((count, count))
        for low in range(0, count, WIDTH):
            block = np.arange(low, min(low + WIDTH, count))
            held = np.zeros((count, WIDTH))
            held[block, block - low] = 1.0
            _, potential = self._sweeps(links.T @ held)
            through[:, block] = (links @ potential)[:, : len(block)]
        return through

    def energy(self, current: NDArray[np.float64]) -> NDArray[np.float64]:
        """Energy dissipated by currents, a block of columns that each add up to 0; used up."""
        if self.links is not None:
            return self._settled(current)[0]
        current[self.hubs] = 0.0
        energy, columns = np.zeros(current.shape[1]), (0,) * current.shape[1]
        pass_up(self.parent, self.pivot, self.share, current, energy, columns)
        return energy

    def solve(self, current: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray]:
        """Energy dissipated by currents, and the potentials that they cause; both as above."""
        if self.links is None:
            return self._sweeps(current)
        energy, held = self._settled(current)
        # Once more with the hubs where they are, since a sum of two solutions would lose digits.
        potential = self._sweeps(current + self.links.T @ held)[1]
        potential[self.hubs] = held
        return energy, potential

    def _settled(self, current: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray]:
        """Energy dissipated by currents, and the potentials of several hubs."""
        assert self.links is not None
        into = current[self.hubs]
        energy, potential = self._sweeps(current)
        lacking = into + self.links @ potential
        held = cho_solve((self.factor, True), lacking, check_finite=False)
        return energy + np.einsum("hk,hk->k", lacking, held), held

    def _sweeps(self, current: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
        """Energy and potentials with the hubs held at 0."""
        current[self.hubs] = 0.0
        z, energy, none = np.empty_like(current), *np.zeros((2, current.shape[1]))
        columns = (0,) * len(none)
        sweep_up(self.parent, self.pivot, self.share, current, none, z, energy, columns)
        sweep_down(self.parent, self.pivot, self.share, z, none, np.zeros_like(z), columns)
        return energy, z


def _cover(size: int, u: NDArray[np.integer], v: NDArray[np.integer]) -> NDArray[np.int64] | None:
    """Busiest nodes, as many as it takes for each edge but a loop to end at one of them.

    None where that is none of them, or more than ``MOST_HUBS``.
    """
    uses = count_uses(size, u, v)[0]
    if uses.max(initial=0) < len(u) / MOST_HUBS:  # too many are needed, without looking further
        return None
    busy = np.flatnonzero(uses >= len(u) / LEAST_SHARE)
    busy = busy[np.argsort(-uses[busy], kind="stable")][:MOST_HUBS]
    rank = np.full(size, MOST_HUBS, np.int8)
    rank[busy] = np.arange(len(busy))
    needed = np.minimum(rank[u], rank[v])[u != v].max(initial=-1) + 1
    return busy[:needed] if 0 < needed <= MOST_HUBS else None
