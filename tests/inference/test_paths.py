import math

import naive
import networkx as nx
import numpy as np
import pytest

from ibn.bias.neighbours import NeighbourGraph
from ibn.bias.ultrametric import Ultrametric
from ibn.errors import InputError
from ibn.inference.gaussian import resistance
from ibn.inference.paths import (
    DistanceIndex,
    MatchedIndex,
    inference_distance,
    mean_distance,
    optimal_path,
)
from ibn.network import HUMAN_PREFERENCE, INDUCTIVE_BIAS, Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.topology import build

BATCHES = range(0, 300, 30)


@pytest.mark.parametrize("first", BATCHES)
def test_300_networks_distances_are_dijkstras_and_resistances_pseudo_inverses(first):
    for seed in range(first, first + 30):
        name, network = naive.random_case(seed)
        pairs = naive.all_pairs(network)
        distance = inference_distance(network, pairs)
        variance = resistance(network, pairs)
        expected = naive.distance_matrix(network).ravel()
        np.testing.assert_allclose(distance, expected, rtol=1e-6, atol=1e-14, err_msg=name)
        expected = naive.resistance_matrix(network).ravel()
        np.testing.assert_allclose(variance, expected, rtol=1e-6, atol=1e-11, err_msg=name)
        # E1, Rayleigh monotonicity: more paths than the best can only help.
        assert np.all(variance <= distance * (1 + 1e-9) + 1e-12), name


@pytest.mark.parametrize("first", BATCHES)
def test_optimal_paths_lead_from_source_to_target_in_as_many_steps_of_that_length(first):
    for seed in range(first, first + 30, 3):
        name, network = naive.random_case(seed)
        rng = np.random.default_rng(seed)
        pairs = rng.integers(0, len(network.nodes), (6, 2))
        distance = inference_distance(network, pairs)
        for (i, j), expected in zip(pairs, distance, strict=True):
            source, target = network.nodes[i], network.nodes[j]
            path = optimal_path(network, source, target)
            assert (path.nodes[0], path.nodes[-1]) == (source, target), name
            assert len(path.nodes) == len(path.edges) + 1
            ends = np.stack([network.u[path.edges], network.v[path.edges]])
            steps = np.stack([path.nodes[:-1], path.nodes[1:]])
            assert np.array_equal(np.sort(ends, axis=0), np.sort(steps, axis=0)), name
            assert np.array_equal(path.kind, network.kind[path.edges])
            assert np.array_equal(path.variance, network.variance[path.edges])
            assert path.distance == pytest.approx(path.variance.sum())
            assert path.distance == pytest.approx(expected, rel=1e-9, abs=1e-14), name


def test_resistance_is_the_distance_where_one_path_joins_two_and_less_otherwise():
    # E1's equality, and that it is strict: the inference graph of a chain of two comparisons.
    for seed in range(40):
        rng = np.random.default_rng(seed)
        network = naive.random_multigraph(rng, 9)
        graph = nx.MultiGraph(naive.graph_of(network))
        graph.remove_edges_from(list(nx.selfloop_edges(graph, keys=True)))
        pairs = naive.all_pairs(network)
        distance, variance = inference_distance(network, pairs), resistance(network, pairs)
        for (i, j), d, r in zip(pairs, distance, variance, strict=True):
            if i < j:
                alone = len(list(nx.all_simple_edge_paths(graph, i, j, cutoff=9))) == 1
                assert (r == pytest.approx(d, rel=1e-9)) == alone


def test_the_two_ends_of_a_comparison_meet_inside_it():
    world = Ultrametric(digits=6)
    responses = np.array([0, 63, 1, 62], np.uint64)
    network = build_network(world, Comparisons(responses, [0], [1]), 1e-4)
    pairs = [[0, 1], [0, 2], [2, 3]]
    up = world.distance(responses[[0]], responses[[2]])[0]
    expected = [1e-4, up, up + 1e-4 + world.distance(responses[[1]], responses[[3]])[0]]
    np.testing.assert_allclose(inference_distance(network, np.array(pairs)), expected, rtol=1e-12)


@pytest.mark.parametrize("beta", [1e4, 1e5, 1e7, 1e9])
def test_near_perfect_labels_keep_their_precision(beta):
    world = Ultrametric()
    rng = np.random.default_rng(0)
    comparisons = build("chain", world, 30, rng)
    sigma2 = math.pi**2 / (3 * beta**2)
    network = build_network(world, comparisons, sigma2)
    pairs = np.stack([comparisons.a, comparisons.b], axis=1)
    np.testing.assert_allclose(inference_distance(network, pairs), sigma2, rtol=1e-6)


def test_repeated_responses_are_one_node():
    world = Ultrametric()
    responses = np.array([7, 7, 2**40], np.uint64)
    network = build_network(world, Comparisons(responses, [0, 1, 0], [2, 2, 1]), [3e-3, 1e-3, 2e-3])
    got = inference_distance(network, np.array([[0, 1], [0, 2], [1, 2], [2, 2]]))
    np.testing.assert_allclose(got, [0.0, 1e-3, 1e-3, 0.0], atol=1e-15)


def disconnected():
    graph = nx.Graph()
    graph.add_edge(0, 1, variance=2.0)
    graph.add_edge(2, 3, variance=1.0)
    return naive.network_of(graph)


def test_no_path_is_an_infinite_distance():
    network = disconnected()
    got = inference_distance(network, np.array([[0, 1], [1, 2], [3, 2], [0, 0]]))
    assert got.tolist() == [2.0, np.inf, 1.0, 0.0]
    with pytest.raises(InputError, match="no path joins node 0 to node 3"):
        optimal_path(network, 0, 3)
    estimate = mean_distance(network, rng=np.random.default_rng(0))
    assert estimate.mean == np.inf


def test_neighbour_graphs_in_pieces_have_infinite_distances():
    rows = np.array([[0.0], [0.1], [9.0], [9.2]])
    bias = NeighbourGraph(rows, neighbours=1, metric="euclidean", exponent=1.0, connect=False)
    network = build_network(bias, Comparisons(np.arange(4), [0], [1]), 5.0)
    got = inference_distance(network, naive.all_pairs(network)).reshape(4, 4)
    np.testing.assert_allclose(got, naive.distance_matrix(network))
    assert np.isinf(got).sum() == 8


def test_a_path_from_a_node_to_itself_has_no_edges():
    path = optimal_path(disconnected(), 1, 1)
    assert path.nodes.tolist() == [1]
    assert len(path.edges) == len(path.kind) == 0
    assert path.distance == 0.0


def test_an_optimal_path_uses_the_least_of_parallel_edges():
    network = Network(
        2,
        np.arange(2),
        np.array([0, 1, 0]),
        np.array([1, 0, 1]),
        np.array([3.0, 1.0, 2.0]),
        np.array([INDUCTIVE_BIAS, HUMAN_PREFERENCE, HUMAN_PREFERENCE], np.int8),
    )
    path = optimal_path(network, 0, 1)
    assert (path.edges.tolist(), path.kind.tolist()) == ([1], [HUMAN_PREFERENCE])


# --- pairs from the whole world ----------------------------------------------------------------


def small_world(topology, n, seed, **options):
    """A network over a world of 64 or 81 addresses, and one whose responses are all of them."""
    world = Ultrametric(**{"digits": 6, **options})
    rng = np.random.default_rng(seed)
    comparisons = build(topology, world, n, rng)
    return build_network(world, comparisons, 0.02), naive.whole_world(world, comparisons, 0.02)


SAMPLED = [
    ("chain", 2, {}),
    ("chain", 12, {}),
    ("tree", 12, {"family": "logarithmic"}),
    ("star", 9, {"family": "sub-logarithmic"}),
    ("expander", 20, {"branching": 3, "digits": 4}),
    ("kwise", 7, {"branching": 4, "digits": 3}),
    ("tree-grown", 9, {}),
    ("stratified-star", 15, {"alpha": 1.0}),
    ("chain", 1, {"branching": 8, "digits": 2}),
]


@pytest.mark.parametrize(("topology", "n", "options"), SAMPLED)
def test_sampled_pairs_have_the_distances_of_the_whole_world(topology, n, options):
    # The pairs that the estimator draws, recognised by their addresses, against Dijkstra on a
    # network over every address: queries that hang inside edges, on stems and on comparisons.
    for seed in range(6):
        network, whole = small_world(topology, n, seed, **options)
        world = network.bias
        expected = naive.distance_matrix(whole)
        queries = world.sample(6000, np.random.default_rng(seed)).astype(int)
        matched = MatchedIndex.of(network)
        first = network.bias_edges
        u, v = network.u[first:], network.v[first:]
        used = np.concatenate([u[u != v], v[u != v]])
        assert (matched is None) == (np.bincount(used, minlength=1).max() > 1)
        for index in (DistanceIndex.of(network), *([matched] if matched else [])):
            got = index.distances(*index.sampled_pairs(3000, np.random.default_rng(seed)))
            np.testing.assert_allclose(
                got, expected[queries[:3000], queries[3000:]], rtol=1e-10, atol=1e-14
            )


@pytest.mark.parametrize("branching", [2, 3, 4, 10])
def test_disjoint_comparisons_of_unlike_variance_have_dijkstras_distances(branching):
    digits = {2: 7, 3: 4, 4: 3, 10: 2}[branching]
    for seed in range(12):
        rng = np.random.default_rng(seed)
        world = Ultrametric(branching=branching, digits=digits, alpha=rng.uniform(0.1, 1.5))
        size = int(world.powers[-1])
        responses = rng.permutation(size)[: rng.integers(3, size)].astype(np.uint64)
        n = rng.integers(1, len(responses) // 2 + 1)
        a, b = np.arange(n), np.arange(n, 2 * n)  # the rest was never compared
        sigma2 = 10.0 ** rng.uniform(-4, 0, n)
        network = build_network(world, Comparisons(responses, a, b), sigma2)
        whole = Comparisons(np.arange(size, dtype=np.uint64), responses[a], responses[b])
        expected = naive.distance_matrix(build_network(world, whole, sigma2))
        index = MatchedIndex.of(network)
        ends = np.stack(np.meshgrid(*[np.arange(size, dtype=np.uint64)] * 2), axis=-1)
        ends = ends.reshape(-1, 2)[rng.permutation(size * size)[:3000]]
        at = ends.astype(int)
        np.testing.assert_allclose(
            index.distances(ends), expected[at[:, 0], at[:, 1]], rtol=1e-12, atol=1e-15
        )


def test_a_search_outgrows_its_tables():
    # Steps of one size: everything lies within a search's reach, and all of it is visited.
    world = Ultrametric("logarithmic", alpha=1e-3)
    rng = np.random.default_rng(0)
    network = build_network(world, build("chain", world, 20_000, rng), 1e-9)
    pairs = rng.integers(0, 40_000, (20, 2))
    index = DistanceIndex.of(network)
    np.testing.assert_allclose(
        inference_distance(network, pairs), index.between(network.nodes[pairs]), rtol=1e-12
    )


def test_distances_are_the_same_on_any_number_of_threads(monkeypatch):
    from ibn import threads

    world = Ultrametric()
    network = build_network(world, build("chain", world, 500, np.random.default_rng(0)), 1e-6)
    pairs = np.random.default_rng(1).integers(0, 1000, (200, 2))
    found = []
    for number in (1, 2, 5):
        monkeypatch.setattr(threads.numba.config, "NUMBA_NUM_THREADS", number)
        found.append(inference_distance(network, pairs))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def finite_pool(seed, topology="tree", n=30):
    rng = np.random.default_rng(seed)
    bias = NeighbourGraph(rng.normal(size=(25, 3)), neighbours=3)
    rows = np.arange(25)
    drawn = build(topology, naive.Pool(25), n, rng)
    a, b = drawn.responses[drawn.a], drawn.responses[drawn.b]
    told = a != b
    return build_network(bias, Comparisons(rows, a[told], b[told]), 0.02)


def mean_over_distinct(matrix):
    m = len(matrix)
    return matrix.sum() / (m * (m - 1))


def coverage(estimate, exact, trials=1000):
    covered = 0
    for trial in range(trials):
        low, high = estimate(np.random.default_rng([11, trial])).interval()
        covered += low <= exact <= high
    return covered / trials


@pytest.mark.parametrize(
    ("topology", "n", "options", "rel_err"),
    [
        ("chain", 12, {}, 0.03),
        ("chain", 20, {"alpha": 1.0}, 0.02),
        ("tree", 12, {"family": "logarithmic"}, 0.03),
        ("tree-grown", 15, {"branching": 3, "digits": 4}, 0.03),
    ],
)
def test_intervals_of_the_mean_distance_cover_it(topology, n, options, rel_err):
    network, whole = small_world(topology, n, 1, **options)
    exact = naive.distance_matrix(whole).mean()
    share = coverage(lambda rng: mean_distance(network, rel_err=rel_err, rng=rng), exact)
    assert 0.93 <= share <= 0.97


def test_intervals_of_the_mean_distance_cover_it_over_finitely_many_responses():
    network = finite_pool(0)
    exact = mean_over_distinct(naive.distance_matrix(network))
    share = coverage(lambda rng: mean_distance(network, rel_err=0.03, rng=rng), exact)
    assert 0.93 <= share <= 0.97


def test_the_mean_distance_is_unbiased():
    for topology, n in (("chain", 10), ("tree", 20), ("star", 12), ("kwise", 12)):
        network, whole = small_world(topology, n, 5)
        exact = naive.distance_matrix(whole).mean()
        estimate = mean_distance(network, rel_err=0.002, rng=np.random.default_rng(1))
        assert estimate.relative_error <= 0.002
        assert abs(estimate.mean - exact) < 4.5 * estimate.stderr


def test_the_same_seed_gives_the_same_mean_distance():
    network, _ = small_world("chain", 20, 0)
    first, again, other = (
        mean_distance(network, rel_err=0.05, rng=np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert (first.mean, first.stderr, first.count) == (again.mean, again.stderr, again.count)
    assert first.mean != other.mean


def test_pairs_are_capped():
    network, _ = small_world("chain", 20, 0)
    estimate = mean_distance(network, rel_err=1e-6, rng=np.random.default_rng(0), max_count=77)
    assert estimate.count == 77


def test_one_response_has_no_pairs():
    graph = nx.Graph()
    graph.add_edge(0, 1, variance=1.0)
    network = naive.network_of(graph)
    alone = Network(2, network.nodes[:1], network.u, network.v, network.variance, network.kind)
    with pytest.raises(InputError, match="two responses"):
        mean_distance(alone, rng=np.random.default_rng(0))


@pytest.mark.parametrize("pairs", [[[0, 9]], [[-1, 0]], [0, 1], [[0, 1, 2]]])
def test_pairs_must_name_responses(pairs):
    network = disconnected()
    with pytest.raises(InputError, match="pair"):
        inference_distance(network, np.array(pairs))
