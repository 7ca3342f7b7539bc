"""Stiff networks are right to 1e-9 or refused, against exact rational arithmetic."""

import numpy as np
import pytest
from stiff_networks import LOOSE, POTENTIAL, PROMISED, as_large, errors, variances

from ibn.errors import InputError
from ibn.inference.gaussian import (
    mean_variance,
    posterior_mean,
    posterior_samples,
    resistance,
    resistance_matrix,
)
from ibn.kernels.elimination import all_resistances
from ibn.network import Network
from ibn.preferences.comparisons import Comparisons
from ibn.solvers import star_mesh
from ibn.solvers.reduced import ReducedSolver
from ibn.solvers.star_mesh import StarMesh


def series(*variance):
    count = len(variance)
    nodes = np.arange(count + 1)
    return Network(count + 1, nodes, nodes[:-1], nodes[1:], variance, np.zeros(count, np.int8))


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_small_networks_are_right_whatever_the_spread(first):
    for seed in range(first, first + 20):
        kind, found = errors(seed)
        for name, error in found.items():
            assert (error is None) == (kind == "apart"), (seed, name)
            assert error is None or error <= PROMISED, (seed, name, error)


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_large_networks_are_right_or_refused(first):
    with as_large():
        for seed in range(first, first + 20):
            for name, error in errors(seed)[1].items():
                if name != "mean_variance" and error is not None:
                    promised = POTENTIAL if name in LOOSE else PROMISED
                    assert error <= promised, (seed, name, error)


@pytest.mark.parametrize("variance", [1e-10, 1e-16, 1e-18, 1e-30, 1e-100])
def test_variances_in_series_add_up(variance):
    network = series(variance, 1.0)
    found = resistance(network, [[0, 2], [1, 2], [0, 1]])
    np.testing.assert_allclose(found, [1.0 + variance, 1.0, variance], rtol=1e-14)
    found = resistance_matrix(network)[0]
    np.testing.assert_allclose(found, [0.0, variance, 1.0 + variance], rtol=1e-14)


def test_a_spread_beyond_all_is_refused_by_its_edges():
    with pytest.raises(InputError, match=r"1e-250 of inductive-bias edge 0 to 1 of .* edge 1 "):
        resistance(series(1e-250, 1.0), [[0, 2]])


def test_a_loop_leaves_no_rounding_error():
    network = Network(2, [0, 1], [0, 1], [0, 0], [1e-16, 0.5], np.zeros(2, np.int8))
    assert resistance_matrix(network)[0, 1] == pytest.approx(0.5, rel=1e-14)


def test_halving_finds_what_grounding_each_node_finds():
    rng = np.random.default_rng(0)
    n = 3 * star_mesh.LEAF
    u, v = np.triu_indices(n, 1)
    some = rng.random(len(u)) < 0.2
    u, v = np.append(u[some], np.arange(1, n)), np.append(v[some], np.zeros(n - 1, int))
    network = Network(n, np.arange(n), u, v, variances(len(u), rng), np.zeros(len(u), np.int8))
    mesh = StarMesh.of(network)
    expected = mesh.unit * all_resistances(mesh.conductance)[np.ix_(mesh.place, mesh.place)]
    np.testing.assert_allclose(mesh.all_resistances(), expected, rtol=1e-11)
    few = np.array([[0, 1], [7, 100], [5, 5]])
    np.testing.assert_allclose(mesh.resistances(few), expected[few[:, 0], few[:, 1]], rtol=1e-11)


def test_a_chain_too_long_for_digits_is_solved_by_elimination():
    # Its condition number is 1e7 although its variances are even: Cholesky alone would lose 1e-9.
    network = series(*np.ones(1200))
    pairs = np.array([[0, 1], [600, 601], [0, 1200], [3, 9]])
    np.testing.assert_allclose(resistance(network, pairs), [1, 1, 1200, 6], rtol=1e-11)


def test_a_large_stiff_network_is_solved_within_bounds_or_refused(monkeypatch):
    for module in ("ibn.solvers.reduced", "ibn.solvers.star_mesh"):
        monkeypatch.setattr(f"{module}.MOST_NODES", 100)
    variance = 10.0 ** np.random.default_rng(0).uniform(-15, 15, 300)
    network = series(*variance)
    with pytest.raises(InputError, match=r"too far apart|did not converge"):
        resistance(network, [[0, 300], [10, 11]])
    tame = series(*10.0 ** np.random.default_rng(0).uniform(-4, 4, 300))
    found = resistance(tame, [[0, 300], [10, 11]])
    np.testing.assert_allclose(found, [tame.variance.sum(), tame.variance[10]], rtol=1e-9)
    with pytest.raises(InputError, match="for a network of 301 nodes"):
        resistance_matrix(network)
    with pytest.raises(InputError, match="301 nodes"):
        posterior_samples(network, 1, np.random.default_rng(0))


def test_labels_of_a_large_stiff_network_are_refused(monkeypatch):
    for module in ("ibn.solvers.reduced", "ibn.solvers.star_mesh"):
        monkeypatch.setattr(f"{module}.MOST_NODES", 1)
    comparisons = Comparisons(np.arange(3), [0], [2], delta=[1.0])
    kind = np.array([0, 0, 1], np.int8)
    network = Network(3, np.arange(3), [0, 1, 0], [1, 2, 2], [1.0, 1.0, 1e-12], kind)
    monkeypatch.setattr("ibn.solvers.reduced.DENSE_NODES", 0)
    with pytest.raises(InputError, match=r"1e-12 of comparison 0 to 1 of inductive-bias edge 0"):
        posterior_mean(network, comparisons)


def test_the_mean_variance_of_a_stiff_network_has_no_error():
    found = mean_variance(series(1e-20, 1.0, 1e20), rng=np.random.default_rng(0))
    assert found.stderr == 0.0
    assert found.mean == pytest.approx((3e20 + 4.0) / 6.0, rel=1e-12)
    assert found.count == 6


def test_energy_within_stiff_parts_is_not_lost_between_them():
    network = series(1e-30, 1e30, 1e-30)
    inflow = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    assert ReducedSolver.of(network).energy(inflow) == pytest.approx([2e-30], rel=1e-12)
