"""Networks with few hubs, solved without iteration, against dense algebra."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibn.bias.ultrametric import Ultrametric
from ibn.inference.gaussian import mean_variance, resistance, resistance_matrix
from ibn.kernels.forest import NARROW, WIDTH
from ibn.network import build_network
from ibn.solvers import hubs as module
from ibn.solvers import reduced
from ibn.solvers.hubs import MOST_HUBS, Hubs
from ibn.solvers.reduced import ReducedSolver
from ibn.topology import build


def hub_network(rng, size, count, decades):
    """A forest whose other edges end at hubs, loops and edges among hubs among them."""
    parent = np.array([rng.integers(i + 1, size) for i in range(size - 1)] + [size - 1])
    cut = rng.choice(size, rng.integers(0, size), replace=False)
    parent[cut] = cut
    conductance = 10.0 ** rng.uniform(-decades, decades, size)
    hubs = rng.choice(size, count, replace=False)
    # Each hub has every other node, so that all hang together.
    u, v = np.repeat(hubs, size), np.tile(np.arange(size), count)
    some = (rng.random(len(u)) < 0.7) | (u == hubs[0])
    loops = rng.integers(0, size, 3)
    u, v = np.append(u[some], loops), np.append(v[some], loops)
    return parent, conductance, u, v, 10.0 ** rng.uniform(-decades, decades, len(u))


def dense(parent, conductance, u, v, weight):
    size = len(parent)
    child = np.flatnonzero(parent != np.arange(size))
    matrix = naive.laplacian(size, child, parent[child], conductance[child])
    return np.linalg.pinv(matrix + naive.laplacian(size, u, v, weight), hermitian=True)


@given(
    seed=st.integers(0, 2**32 - 1), size=st.integers(2, 40), share=st.floats(0, 1),
    decades=st.floats(0, 1.5), width=st.sampled_from([NARROW, WIDTH]),
)  # fmt: skip
def test_networks_of_few_hubs_as_a_dense_solution_has_them(seed, size, share, decades, width):
    rng = np.random.default_rng(seed)
    count = 1 + int(share * min(size - 1, 5))
    network = hub_network(rng, size, count, decades)
    solver = Hubs.of(*network)
    current = rng.normal(size=(size, width))
    current -= current.mean(axis=0)
    potential = dense(*network) @ current
    energy = np.einsum("ik,ik->k", current, potential)
    np.testing.assert_allclose(solver.energy(current.copy()), energy, rtol=1e-8)
    found, solution = solver.solve(current.copy())
    np.testing.assert_allclose(found, energy, rtol=1e-8)
    solution -= solution.mean(axis=0)
    np.testing.assert_allclose(solution, potential, atol=1e-8 * np.abs(potential).max())


def test_only_few_hubs_will_do():
    rng = np.random.default_rng(0)
    size = 200
    for count, few in ((MOST_HUBS, True), (MOST_HUBS + 1, False)):
        u = np.repeat(np.arange(count), size)
        v = np.tile(np.arange(size), count)
        network = np.arange(size), np.zeros(size), u, v, rng.uniform(1, 2, len(u))
        found = Hubs.of(*network)
        assert (found is not None) == few
    none = np.arange(size)
    assert Hubs.of(none, np.zeros(size), none, none, np.ones(size)) is None  # loops alone


def test_a_hub_of_millions_of_edges_is_one():
    leaves = np.arange(1, 2**21 + 10)
    forest = np.arange(len(leaves) + 1), np.zeros(len(leaves) + 1)
    found = Hubs.of(*forest, leaves, np.zeros_like(leaves), np.ones(len(leaves)))
    assert found.hubs.tolist() == [0]


@pytest.mark.parametrize("topology", ["star", "stratified-star"])
def test_stars_are_solved_without_iteration(topology, monkeypatch):
    world = Ultrametric(alpha=0.3)
    network = build_network(world, build(topology, world, 400, np.random.default_rng(1)), 0.01)
    pairs = np.random.default_rng(2).integers(0, len(network.nodes), (9, 2))
    expected = resistance_matrix(network)[pairs[:, 0], pairs[:, 1]]
    known = mean_variance(network, rel_err=0.02, rng=np.random.default_rng(3))
    monkeypatch.setattr(reduced, "DENSE_NODES", 0)
    monkeypatch.setattr(reduced, "conjugate_gradient", None)
    assert ReducedSolver.of(network)._hubs is not None
    np.testing.assert_allclose(resistance(network, pairs), expected, rtol=1e-9)
    found = mean_variance(network, rel_err=0.02, rng=np.random.default_rng(3))
    assert found.mean == pytest.approx(known.mean, rel=1e-9)


def test_a_complement_that_loses_digits_is_left_to_iterations(monkeypatch):
    rng = np.random.default_rng(5)
    network = hub_network(rng, 30, 3, 0.5)
    monkeypatch.setattr(module, "factorised", lambda matrix: None)
    assert Hubs.of(*network) is None
