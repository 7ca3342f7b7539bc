import numpy as np
import pytest
from scipy.sparse.csgraph import shortest_path

from ibn.proofs_check.paths.random_graphs import _log_cut_bound, _mean_hops, _random_graph


def test_random_graph_has_the_degree_asked_for_and_no_parallel_edges():
    graph = _random_graph(2_000, 10.0, np.random.default_rng(0))
    assert graph.data.max() == 1.0
    assert abs(graph - graph.T).nnz == 0
    assert graph.diagonal().sum() == 0
    assert graph.nnz / 2_000 == pytest.approx(10.0, rel=0.05)


def test_mean_hops_are_those_of_a_shortest_path_search():
    graph = _random_graph(60, 5.0, np.random.default_rng(1))
    hops = shortest_path(graph, unweighted=True)
    every = [
        np.mean(row[np.isfinite(row) & (row > 0)]) for row in hops if np.isfinite(row).sum() > 1
    ]
    found = _mean_hops(graph, 40, np.random.default_rng(2))
    connected = found[found > 0]
    assert all(np.isclose(value, every).any() for value in connected)


def test_cut_bound_on_three_cells_is_the_sum_over_isolated_ones():
    p = 2 * np.log(3) / 3
    assert np.exp(_log_cut_bound(3, 2.0)) == pytest.approx(3 * (1 - p) ** 2)
