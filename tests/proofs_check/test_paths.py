import numpy as np
import pytest
from scipy.sparse.csgraph import shortest_path

from proofs_check.claim import FAILS, METHODS, Context
from proofs_check.paths import (
    CLAIMS,
    MUTANTS,
    _expected_variance,
    _log_cut_bound,
    _mean_hops,
    _random_graph,
)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_variant_fails(name):
    """One check that fails decides; those after it need not run."""
    claim = MUTANTS[name]()
    assert any(check.run(Context()).verdict == FAILS for check in claim.checks)


@pytest.mark.parametrize("build", CLAIMS)
def test_claims_are_well_formed(build):
    claim = build()
    assert build.__name__ == claim.id.lower()
    assert all(check.method in METHODS for check in claim.checks)
    assert len({check.name for check in claim.checks}) == len(claim.checks)


@pytest.mark.parametrize("build", CLAIMS)
def test_what_does_not_draw_at_random_holds(build):
    for check in build().checks:
        if check.method != "Monte Carlo":
            assert check.run(Context()).verdict == "holds", check.name


def test_two_logistic_labels_leave_half_the_variance_of_one():
    found = _expected_variance(2, 20_000, np.random.default_rng(0))
    assert abs(found.mean - np.pi**2 / 3) < 4 * found.stderr


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
