"""Every solver, against dense algebra."""

import naive
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibn.errors import InputError
from ibn.network import Network
from ibn.solvers.reduced import ReducedSolver
from ibn.solvers.two_level import Aggregates, TwoLevel


def reduced(network, most=4):
    return ReducedSolver.of(network)


def two_level(network, most=4):
    aggregates = Aggregates.of(network.size, network.u, network.v, 1.0 / network.variance, most)
    return TwoLevel.of(network, aggregates)


def relative_error(solver):
    """What the numbers that a solver computes with can give."""
    single = isinstance(solver, TwoLevel) and solver.weight.dtype == np.float32
    return 1e-4 if single else 1e-7


SOLVERS = pytest.mark.parametrize("ready", [reduced, two_level])


@SOLVERS
@pytest.mark.usefixtures("iterative")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(2, 60),
    st.integers(0, 80),
    st.integers(0, 10**6),
    st.integers(1, 12),
    st.sampled_from([1.0, 7.0]),
)
def test_solutions_equal_dense_algebra(ready, size, extra, seed, most, decades):
    network = naive.random_network(size, extra, seed, decades)
    solver = ready(network, most)
    digits = relative_error(solver)
    inflow = np.random.default_rng(seed).normal(size=(size, 11))  # more than a block
    inflow -= inflow.mean(axis=0)
    inverse = np.linalg.pinv(network.laplacian().toarray())
    energy = np.einsum("ik,ij,jk->k", inflow, inverse, inflow)
    np.testing.assert_allclose(solver.energy(inflow, 1e-9), energy, rtol=digits)
    potential = solver.potential(inflow, 1e-12)
    scale = np.abs(inverse @ inflow).max()
    np.testing.assert_allclose(potential, inverse @ inflow, atol=100 * digits * scale)
    if ready is two_level:
        assert np.all(solver.coarse_energy(inflow) <= energy * (1 + 1e-6))


@SOLVERS
@pytest.mark.usefixtures("iterative")
def test_energy_is_approached_from_below(ready):
    network = naive.random_network(400, 100, 3)
    inflow = np.zeros((400, 1))
    inflow[[0, -1], 0] = 1.0, -1.0
    solver = ready(network)
    exact = solver.energy(inflow, 1e-9)
    rough = [solver.energy(inflow, tolerance)[0] for tolerance in (0.5, 0.1, 1e-2)]
    assert np.all(np.diff(rough) >= 0)
    assert np.all(rough <= exact * (1 + 1e-5))
    assert rough[-1] == pytest.approx(exact[0], rel=0.02)


@SOLVERS
@pytest.mark.usefixtures("iterative")
def test_a_solution_out_of_reach_is_refused(ready, monkeypatch):
    node = np.arange(300)
    line = Network(300, node, node[:-1], node[1:], np.ones(299), np.zeros(299, np.int8))
    inflow = np.zeros((300, 1))
    inflow[[0, -1], 0] = 1.0, -1.0
    monkeypatch.setattr("ibn.solvers.conjugate_gradients.MOST_ITERATIONS", 5)
    with pytest.raises(InputError, match="did not converge within 5 iterations"):
        ready(line).energy(inflow, 1e-9)
