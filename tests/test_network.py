import math

import naive
import networkx as nx
import numpy as np
import pytest

from ibn.bias.ultrametric import Ultrametric
from ibn.errors import InputError
from ibn.network import HUMAN_PREFERENCE, INDUCTIVE_BIAS, build_network
from ibn.preferences.comparisons import Comparisons

CASES = [naive.random_case(seed) for seed in range(len(naive.CASES))]
NETWORKS = [network for _, network in CASES]
NAMES = [name for name, _ in CASES]


def test_bias_and_comparisons_are_joined():
    world = Ultrametric(digits=4)
    responses = np.array([3, 9, 3, 14], np.uint64)
    comparisons = Comparisons(responses, [0, 1, 1], [1, 3, 3])
    sigma2 = np.array([0.5, 0.25, 0.75])
    network = build_network(world, comparisons, sigma2)
    laid = world.edges(responses)
    assert network.size == laid.size
    assert network.bias_edges == len(laid.u)
    assert network.nodes.tolist() == [0, 1, 0, 2]
    assert network.kind.tolist() == [INDUCTIVE_BIAS] * len(laid.u) + [HUMAN_PREFERENCE] * 3
    assert network.u[-3:].tolist() == [0, 1, 1]
    assert network.v[-3:].tolist() == [1, 2, 2]
    assert np.array_equal(network.variance[-3:], sigma2)
    assert np.array_equal(network.variance[:-3], laid.variance)
    assert network.bias is world
    assert network.responses is responses


def test_one_noise_variance_serves_all_comparisons():
    network = build_network(
        Ultrametric(), Comparisons(np.arange(4, dtype=np.uint64), [0, 1], [2, 3]), 0.1
    )
    assert network.variance[-2:].tolist() == [0.1, 0.1]


@pytest.mark.parametrize("sigma2", [0.0, -1.0, math.nan, math.inf, [0.1, 0.0]])
def test_noise_variances_must_be_positive_and_finite(sigma2):
    comparisons = Comparisons(np.arange(4, dtype=np.uint64), [0, 1], [2, 3])
    with pytest.raises(InputError, match="noise variance must be positive"):
        build_network(Ultrametric(), comparisons, sigma2)


def test_noise_variances_of_the_wrong_number_are_refused():
    comparisons = Comparisons(np.arange(4, dtype=np.uint64), [0, 1], [2, 3])
    with pytest.raises(InputError, match="noise variance"):
        build_network(Ultrametric(), comparisons, np.ones(3))


@pytest.mark.parametrize("network", NETWORKS, ids=NAMES)
def test_parallel_comparisons_are_kept_and_add_up_in_the_laplacian(network):
    matrix = network.laplacian().toarray()
    np.testing.assert_allclose(matrix, naive.network_laplacian(network), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(matrix.sum(axis=0), 0.0, atol=1e-12 * np.abs(matrix).max())


@pytest.mark.parametrize("network", NETWORKS, ids=NAMES)
def test_least_keeps_the_least_of_parallel_edges(network):
    matrix, edge = network.least()
    expected = naive.adjacency(network.size, network.u, network.v, network.variance)
    got = matrix.toarray()
    np.testing.assert_array_equal(got[got > 0], expected[got > 0])
    assert np.array_equal(got > 0, np.isfinite(expected) & (expected > 0))
    for (a, b), i in edge.items():
        assert a < b
        assert {int(network.u[i]), int(network.v[i])} == {a, b}
        assert network.variance[i] == expected[a, b]


def test_components_are_networkx_components():
    apart = nx.Graph([(0, 1), (2, 3), (3, 4)])
    nx.set_edge_attributes(apart, 0.5, "variance")
    for network in [*NETWORKS, naive.network_of(apart)]:
        graph = naive.graph_of(network)
        label = network.components()
        parts = {frozenset(np.flatnonzero(label == i).tolist()) for i in np.unique(label)}
        assert parts == {frozenset(part) for part in nx.connected_components(graph)}
