"""The formulas of claim T5 against counting, simulation and each other."""

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ibn.bias.ultrametric import Ultrametric
from ibn.inference.paths import mean_distance
from ibn.network import build_network
from ibn.proofs_check.measured import chain_lower_bound, mean_nearest
from ibn.proofs_check.rates.giant_component import (
    giant_share,
    hops,
    least_distance,
    most_giant_leaves,
    rank,
    time_to_giant,
)
from ibn.topology import build


@pytest.mark.parametrize("degree", [0.5, 1.0, 1.5, 2.0, 6.0])
def test_share_and_rank_are_those_of_a_random_graph(degree):
    rng, size = np.random.default_rng(0), 40_000
    a, b = rng.integers(0, size, (2, int(degree * size / 2)))
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(size, size))
    count, label = connected_components(graph, directed=False)
    share = np.bincount(label).max() / size
    assert share == pytest.approx(float(giant_share(degree)), abs=0.06 if degree == 1 else 0.02)
    assert (size - count) / len(a) == pytest.approx(rank(degree), abs=0.01)


def test_most_giant_leaves_is_stationary():
    best = most_giant_leaves()
    outside = 1.0 - best.share
    assert 2 * outside * np.log(1 / outside) == pytest.approx(best.share, abs=1e-4)
    assert np.exp(-2 * best.compared * best.share) == pytest.approx(outside, abs=1e-4)


@pytest.mark.parametrize("grown", [False, True])
@pytest.mark.parametrize("compared", [0.7, 2.0])
def test_the_time_to_the_giant_component_is_half_of_what_is_measured(compared, grown):
    world, n, rng = Ultrametric("power", alpha=0.3), 2**14, np.random.default_rng(1)
    leaves = round(n / compared)
    topology = "tree-grown" if grown else "tree"
    each = [
        mean_distance(
            build_network(world, build(topology, world, n, rng, leaves=leaves), 1e-9),
            rel_err=0.01,
            rng=rng,
        ).mean
        for _ in range(3)
    ]
    ends = time_to_giant(world, leaves, 2 * n / leaves, grown)
    assert 2 * ends == pytest.approx(np.mean(each), rel=0.03)


def test_small_components_only_shorten_the_way():
    world, n = Ultrametric("power", alpha=0.5), 2**14
    for leaves in (n // 4, n, round(1.6 * n)):
        degree = 2 * n / leaves
        ends = time_to_giant(world, leaves, degree)
        assert 0.985 * mean_nearest(world, leaves) < ends
        assert ends < 1.01 * mean_nearest(world, leaves * float(giant_share(degree)))


@pytest.mark.parametrize("degree", [3.0, 6.0])
def test_hops_are_those_of_a_random_graph(degree):
    from scipy.sparse.csgraph import dijkstra

    rng, size = np.random.default_rng(2), 20_000
    a, b = rng.integers(0, size, (2, int(degree * size / 2)))
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(size, size)).tocsr()
    _, label = connected_components(graph, directed=False)
    giant = np.flatnonzero(label == np.bincount(label).argmax())
    sources = rng.choice(giant, 8)
    steps = dijkstra(graph, directed=False, indices=sources, unweighted=True)[:, giant]
    assert hops(size, degree) == pytest.approx(steps.mean(), rel=0.03)


def test_the_lower_bound_is_the_chains_where_leaves_abound():
    world, n = Ultrametric("power", alpha=0.3), 2**20
    chain = float(chain_lower_bound(world, np.array([float(n)]))[0])
    assert least_distance(world, n, 1e9 * n, 1e-12) > 0.5 * chain
    assert least_distance(world, n, n, 1.0) > least_distance(world, n, n, 1e-6)
