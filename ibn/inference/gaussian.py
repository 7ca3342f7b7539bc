"""The exact Gaussian posterior of a network: every path at once (theory §6).

With each edge a resistor of its variance, the posterior variance of r(y1) - r(y2) is the
effective resistance between y1 and y2, and posterior means are potentials. Small networks are
solved densely, large ones by conjugate gradients; the two agree.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from ibn.checks import generator, whole
from ibn.errors import InputError
from ibn.estimate import Estimate, estimate_mean, require_target
from ibn.kernels.forest import blocks
from ibn.kernels.pairwise import pairwise_resistance
from ibn.kernels.trie import inject_pairs, locate
from ibn.laplacian import grounded
from ibn.network import Network
from ibn.preferences.comparisons import Comparisons
from ibn.solvers.cholesky import factorised
from ibn.solvers.reduced import BLOCK, TIGHT, ReducedSolver, require_connected
from ibn.solvers.star_mesh import EVEN, StarMesh, stiff_error
from ibn.threads import in_threads

# Draws made before their spread is believed: many where they are cheap, few in large networks,
# where each is itself a mean over many cells and so nearly normal.
MIN_PROBES = (4, 64)
MIN_WORK = 2**18
LEAST_PAIRS, MOST_PAIRS = 2**10, 2**17
THREADED = 2**12  # pairs a draw from which threads save more than they cost
FINER = 50.0  # than the target: conjugate gradients approach the energy from below, a bias


def resistance(network: Network, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Posterior variance of r(y1) - r(y2) for given pairs: the effective resistance.

    Parameters
    ----------
    network : Network
        An induced Bayesian network.
    pairs : ndarray of int, shape (p, 2)
        Positions of responses.

    Returns
    -------
    ndarray of float, shape (p,)
        In squared units of reward.

    Raises
    ------
    InputError
        If the network is not connected.
    """
    solver = ReducedSolver.of(network)
    nodes = network.nodes_of(pairs)
    if solver.mesh is not None:
        return solver.mesh.resistances(nodes)
    result = np.empty(len(nodes))
    for low in range(0, len(nodes), BLOCK):
        block = nodes[low : low + BLOCK]
        inflow = np.zeros((network.size, len(block)))
        columns = np.arange(len(block))
        inflow[block[:, 0], columns] += 1.0
        inflow[block[:, 1], columns] -= 1.0
        result[low : low + BLOCK] = solver.energy(inflow)
    return result


def resistance_matrix(network: Network) -> NDArray[np.float64]:
    """Posterior variance of r(y1) - r(y2) for all pairs of responses, densely.

    Parameters
    ----------
    network : Network
        A connected induced Bayesian network, small enough for a dense matrix over its nodes.

    Returns
    -------
    ndarray of float, shape (m, m)
        In squared units of reward.

    Raises
    ------
    InputError
        If the network is not connected.
    """
    require_connected(network)
    matrix = grounded(network.size, network.u, network.v, 1.0 / network.variance)
    # On one thread: at these sizes more of them wait for each other longer than they compute.
    with threadpool_limits(1, user_api="blas"):
        factor = factorised(matrix)
        if factor is None:
            return StarMesh.of(network).all_resistances()
        inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    return pairwise_resistance(inverse, network.nodes)


def mean_variance(
    network: Network,
    *,
    rel_err: float = 0.01,
    rng: np.random.Generator,
    max_count: int = 2**31,
    max_seconds: float = float("inf"),
) -> Estimate:
    """Mean posterior variance of r(y1) - r(y2) over random pairs of responses.

    One draw injects unit currents at q/2 random responses, takes them out at q/2 others and
    reads the energy dissipated. Cross terms between pairs vanish in expectation, so that 2/q
    times the energy is an unbiased estimate of the mean over pairs: a randomised trace
    (Hutchinson 1989) whose probes are themselves fresh samples of the response space.

    Parameters
    ----------
    network : Network
        A connected induced Bayesian network. Over an ultrametric world the pairs are drawn from
        all of it, over any other bias from the network's own responses, without repeats.
    rel_err : float
        Target for the standard error over the mean.
    rng : numpy.random.Generator
        Source of randomness.
    max_count, max_seconds : optional
        Caps on draws and time.

    Returns
    -------
    Estimate
        Its ``count`` is draws, each one linear solve.

    Raises
    ------
    InputError
        If the network is not connected.
    """
    require_target(rel_err)
    generator(rng)
    solver = ReducedSolver.of(network, max_count)
    if solver.mesh is not None and network.trie is None and len(network.nodes) > 1:
        return _mean_over_all(solver.mesh)
    tolerance = rel_err / FINER
    pairs = pairs_a_draw(network, rel_err)

    def draw(count: int) -> NDArray[np.float64]:
        values: list[NDArray[np.float64]] = []
        for low in range(0, count, BLOCK):
            drawn = [
                draw_probes(network, len(solver.reduced.role), part.stop - part.start, pairs, rng)
                for part in blocks(min(BLOCK, count - low))
            ]
            values += solver.share(lambda probes: probes.energy(solver, tolerance), drawn)
        return np.concatenate(values) / pairs

    return estimate_mean(
        draw,
        rel_err,
        min_count=int(np.clip(MIN_WORK // network.size, *MIN_PROBES)),
        max_count=max_count,
        max_seconds=max_seconds,
    )


def _mean_over_all(mesh: StarMesh) -> Estimate:
    """Mean over all pairs of responses, without error: of a stiff network all are known."""
    start = time.perf_counter()
    variance = mesh.all_resistances()
    pairs = len(variance) * (len(variance) - 1)
    return Estimate(float(variance.sum()) / pairs, 0.0, pairs / 2, time.perf_counter() - start)


def pairs_a_draw(network: Network, rel_err: float) -> int:
    """Pairs that one draw averages: as many as the precision asks for, if there are so many."""
    pairs = len(network.nodes) // 2
    if network.trie is not None:
        # A resistance varies by less than its mean, so that these leave a draw below the target.
        return min(max(pairs, 1), MOST_PAIRS, max(int(rel_err**-2), LEAST_PAIRS))
    if not pairs:
        raise InputError("a mean over pairs needs at least two responses")
    return pairs


@dataclass(frozen=True, eq=False)
class Probes:
    """Random currents, a column a draw."""

    inflow: NDArray[np.float64]  # shape (N, k): at the nodes of the reduction
    outside: NDArray[np.float64]  # shape (k,): energy lost outside them
    nodes: NDArray[np.int64] | None  # with their parents, where it is; None for anywhere

    def energy(self, solver: ReducedSolver, tolerance: float) -> NDArray[np.float64]:
        """Energy that each dissipates, shape (k,)."""
        return solver.whole_energy(self.inflow, tolerance, self.nodes) + self.outside


def draw_probes(
    network: Network, size: int, count: int, pairs: int, rng: np.random.Generator
) -> Probes:
    """Draw ``count`` times unit currents at as many random pairs."""
    inflow = np.zeros((size, count))
    trie = network.trie
    if trie is None:
        for column in inflow.T:
            order = rng.permutation(network.nodes)
            np.add.at(column, order[:pairs], 1.0)
            np.add.at(column, order[pairs : 2 * pairs], -1.0)
        return Probes(inflow, np.zeros(count), None)
    world = trie.world
    ends = [world.sample(2 * pairs, rng) for _ in range(count)]

    def inject(j: int) -> tuple[float, NDArray[np.int64]]:
        order = np.argsort(ends[j])  # neighbours are found faster in turn
        child, branch = np.empty((2, len(order)), np.int64)
        child[order], branch[order] = locate(
            trie.addresses, trie.parent, trie.depth, ends[j][order], world.powers, world.digit_bits
        )
        point = ends[j], child, branch
        energy = inject_pairs(
            trie.parent,
            trie.depth,
            tuple(part[:pairs] for part in point),
            tuple(part[pairs:] for part in point),
            world.half_variance,
            world.powers,
            world.digit_bits,
            inflow[:, j],
        )
        return energy, child[order]

    apart = in_threads if pairs >= THREADED else map
    outside, nodes = zip(*apart(inject, range(count)), strict=True)
    return Probes(inflow, np.array(outside), np.concatenate(nodes))


def _require_within(network: Network, variance: NDArray[np.float64], factor: float) -> None:
    """Refuse currents so strong that their rounding errors, passing through, would be seen."""
    if len(variance) and network.variance.max() > factor * variance.min():
        raise stiff_error(network)


def posterior_mean(network: Network, comparisons: Comparisons) -> NDArray[np.float64]:
    """Posterior mean of the responses' rewards given continuous labels.

    Parameters
    ----------
    network : Network
        A connected network built from ``comparisons``.
    comparisons : Comparisons
        Labelled with ``delta``.

    Returns
    -------
    ndarray of float, shape (m,)
        Rewards, centred over the responses: only differences are identified.

    Raises
    ------
    InputError
        If labels are missing or the network is not connected.
    """
    if comparisons.delta is None:
        raise InputError("a posterior mean needs continuous labels (delta)")
    if len(comparisons) != len(network.u) - network.bias_edges:
        raise InputError(
            f"{len(comparisons)} comparisons, but a network of "
            f"{len(network.u) - network.bias_edges}"
        )
    label = np.zeros(len(network.u))
    label[network.bias_edges :] = comparisons.delta
    solver = ReducedSolver.of(network)
    if solver.mesh is not None:
        reward = solver.mesh.rewards(label)
    else:
        _require_within(network, network.variance[network.bias_edges :], EVEN)
        inflow = network.currents(label / network.variance)
        reward = solver.potential(inflow[:, None])[:, 0]
    return reward[network.nodes] - reward[network.nodes].mean()


def posterior_samples(
    network: Network,
    count: int,
    rng: np.random.Generator,
    comparisons: Comparisons | None = None,
    *,
    tolerance: float = TIGHT,
) -> NDArray[np.float64]:
    """Draw the responses' rewards from the posterior.

    Each sample perturbs every edge's evidence by its own noise and solves (perturb and
    optimise, Papandreou and Yuille 2010), which is exact for Gaussian models.

    Parameters
    ----------
    network : Network
        A connected network.
    count : int
        Samples.
    rng : numpy.random.Generator
        Source of randomness.
    comparisons : Comparisons, optional
        Labelled with ``delta``; without them the samples are about 0.
    tolerance : float
        Relative error allowed of a sample's energy, see ``ReducedSolver``.

    Returns
    -------
    ndarray of float, shape (count, m)
        Rewards, each row centred over the responses.

    Raises
    ------
    InputError
        If the network is not connected.
    """
    noise = generator(rng).normal(
        0.0, 1.0 / np.sqrt(network.variance), (whole("count", count), len(network.u))
    )
    solver = ReducedSolver.of(network)
    if solver.mesh is not None:
        drawn = [solver.mesh.rewards(row * network.variance) for row in noise]
        reward = np.reshape(drawn, (count, network.size))[:, network.nodes]
    else:
        _require_within(network, network.variance, EVEN**2)
        inflow = np.stack([network.currents(row) for row in noise], axis=1)
        reward = solver.potential(inflow, tolerance)[network.nodes].T
    reward = reward - reward.mean(axis=1, keepdims=True)
    return reward if comparisons is None else reward + posterior_mean(network, comparisons)
