import naive
import networkx as nx
import numpy as np
import pytest

from ibn.proofs_check.small_graphs import SmallGraphs, _determinant

JOINTS = ((), (1,), (2,), (1, 2))


@pytest.fixture(scope="module")
def sample():
    graphs = SmallGraphs.all(4, JOINTS)
    assert len(graphs) == 4**6
    connected = graphs[graphs.resistances()[1] > 0]
    return connected[np.random.default_rng(0).permutation(len(connected))[:40]]


def one(graphs, g):
    return graphs[np.array([g])]


def test_determinants_are_exact():
    matrices = np.random.default_rng(0).integers(-5, 6, (50, 4, 4))
    assert np.allclose(_determinant(matrices), np.linalg.det(matrices))


def test_distances_are_those_of_dijkstra(sample):
    for g in range(len(sample)):
        expected = naive.distance_matrix(one(sample, g).network())
        assert np.array_equal(sample.distances()[g], expected)


def test_standard_deviations_add_where_asked_to():
    chain = SmallGraphs(3, ((), (4,), (9,)), np.array([[1, 0, 2]]))  # 0-1: 4, 1-2: 9
    assert chain.distances(0.5)[0, 0, 2] == pytest.approx(25.0)
    assert chain.describe(0) == "0-1: 4, 1-2: 9"


def test_resistances_are_those_of_the_pseudo_inverse(sample):
    numerator, denominator = sample.resistances()
    first, second = np.array(sample.pairs).T
    for g in range(len(sample)):
        expected = naive.resistance_matrix(one(sample, g).network())[first, second]
        assert np.allclose(numerator[g] / denominator[g], expected)


def test_path_counts_are_those_of_networkx(sample):
    counts = sample.path_counts()
    for g in range(len(sample)):
        graph = naive.graph_of(one(sample, g).network())
        expected = [len(list(nx.all_simple_edge_paths(graph, i, j))) for i, j in sample.pairs]
        assert counts[g].tolist() == expected


def test_bridges_change_nothing_inside_a_graph(sample):
    whole = naive.resistance_matrix(sample.network(bridged=True))
    numerator, denominator = sample.resistances()
    for g in range(len(sample)):
        for column, (i, j) in enumerate(sample.pairs):
            found = whole[4 * g + i, 4 * g + j]
            assert found == pytest.approx(numerator[g, column] / denominator[g])
