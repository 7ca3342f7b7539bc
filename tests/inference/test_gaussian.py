import math

import naive
import networkx as nx
import numpy as np
import pytest
from scipy import stats

from ibn.bias.neighbours import NeighbourGraph
from ibn.bias.ultrametric import Ultrametric
from ibn.errors import InputError
from ibn.inference.gaussian import (
    mean_variance,
    posterior_mean,
    posterior_samples,
    resistance,
    resistance_matrix,
)
from ibn.inference.paths import inference_distance
from ibn.network import Network, build_network
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import LabelNoise
from ibn.solvers.reduced import ReducedSolver
from ibn.topology import TOPOLOGIES, build

CASES = len(naive.CASES)


def balanced(rng, size, columns):
    current = rng.normal(size=(size, columns))
    return current - current.mean(axis=0)


def dense_potential(network, inflow):
    return np.linalg.pinv(naive.network_laplacian(network), hermitian=True) @ inflow


# --- given pairs -------------------------------------------------------------------------------

# That 300 networks of every bias and topology have the resistances of the dense pseudo-inverse,
# none above the distance, is shown in test_distance.py.


@pytest.mark.usefixtures("iterative")
@pytest.mark.parametrize("first", range(0, 3 * CASES, CASES))
def test_conjugate_gradients_give_the_dense_resistances(first):
    for seed in range(2000 + first, 2000 + first + CASES):
        name, network = naive.random_case(seed, 20)
        pairs = np.random.default_rng(seed).permutation(naive.all_pairs(network))[:40]
        expected = naive.resistance_matrix(network)[pairs[:, 0], pairs[:, 1]]
        got = resistance(network, pairs)
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("path", ["dense", "iterative"])
@pytest.mark.parametrize("first", range(0, 2 * CASES, CASES))
def test_potentials_are_those_of_the_pseudo_inverse(path, first, request):
    if path == "iterative":
        request.getfixturevalue("iterative")
    for seed in range(4000 + first, 4000 + first + CASES):
        name, network = naive.random_case(seed, 20)
        inflow = balanced(np.random.default_rng(seed), network.size, 11)  # more than one block
        inflow[:, 3] = 0.0
        solver = ReducedSolver.of(network)
        expected = dense_potential(network, inflow)
        got = solver.potential(inflow)
        spread = np.abs(expected).max()
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7 * spread, err_msg=name)
        energy = np.einsum("ik,ik->k", inflow, expected)
        np.testing.assert_allclose(
            solver.energy(inflow), energy, rtol=1e-6, atol=1e-11, err_msg=name
        )


def test_the_matrix_of_all_resistances():
    for seed in range(CASES):
        name, network = naive.random_case(seed)
        np.testing.assert_allclose(
            resistance_matrix(network),
            naive.resistance_matrix(network),
            rtol=1e-6,
            atol=1e-11,
            err_msg=name,
        )


def test_parallel_comparisons_add_their_evidence():
    # k comparisons of the same pair are one of variance σ²/k (theory P2), beside the prior's g(0).
    for k in (1, 2, 10):
        world = Ultrametric()
        ends = np.array([0, world.powers[-2]], np.uint64)
        network = build_network(world, Comparisons(ends, [0] * k, [1] * k), 0.5)
        got = resistance(network, np.array([[0, 1]]))
        assert got[0] == pytest.approx(1 / (1 / 1.0 + k / 0.5))


@pytest.mark.parametrize("path", ["dense", "iterative"])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_extreme_temperatures(topology, path, request):
    if path == "iterative":
        request.getfixturevalue("iterative")
    for beta in (1e-2, 1e5):
        rng = np.random.default_rng(7)
        comparisons = build(topology, Ultrametric(alpha=0.5), 9, rng)
        network = build_network(Ultrametric(alpha=0.5), comparisons, LabelNoise(beta).variance())
        expected = naive.precise_resistance_matrix(network)
        pairs = naive.all_pairs(network)
        got = resistance(network, pairs).reshape(expected.shape)
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-14)
        assert np.all(got.ravel() <= inference_distance(network, pairs) * (1 + 1e-9) + 1e-14)
        if path == "dense":
            np.testing.assert_allclose(resistance_matrix(network), expected, rtol=1e-6, atol=1e-14)


def test_fast_decay_keeps_its_precision():
    # α = 2: variances of a trie fall by B^(-2) a level, over eight orders of magnitude here.
    world = Ultrametric(alpha=2.0)
    rng = np.random.default_rng(5)
    start = world.sample(1, rng)
    responses = start ^ (np.uint64(1) << np.arange(44, 60, dtype=np.uint64))
    network = build_network(world, Comparisons(responses, [0, 3, 5], [9, 12, 15]), 1e-3)
    expected = naive.precise_resistance_matrix(network)
    got = resistance(network, naive.all_pairs(network)).reshape(expected.shape)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-16)


def symmetric_graphs():
    for graph in (
        nx.complete_graph(6),
        nx.cycle_graph(9),
        nx.hypercube_graph(4),
        nx.star_graph(8),
        nx.path_graph(2),
        nx.complete_bipartite_graph(3, 5),
        nx.petersen_graph(),
        nx.barbell_graph(4, 2),
    ):
        nx.set_edge_attributes(graph, 0.7, "variance")
        yield naive.network_of(graph)


@pytest.mark.usefixtures("iterative")
def test_symmetric_graphs_are_solved_iteratively():
    for network in symmetric_graphs():
        expected = naive.resistance_matrix(network).ravel()
        got = resistance(network, naive.all_pairs(network))
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-11)
        inflow = balanced(np.random.default_rng(0), network.size, 8)
        np.testing.assert_allclose(
            ReducedSolver.of(network).potential(inflow), dense_potential(network, inflow), atol=1e-8
        )


def test_a_large_trie_with_few_comparisons(monkeypatch):
    # The preconditioner is all but exact here, and iterations must stop in time.
    world = Ultrametric()
    for seed in range(3):
        rng = np.random.default_rng(seed)
        network = build_network(world, Comparisons(world.sample(2000, rng), [0, 2], [1, 3]), 0.01)
        pairs = np.array([[0, 1], [0, 2], [5, 6], [1, 3], [9, 0]])
        expected = resistance(network, pairs)
        monkeypatch.setattr("ibn.solvers.reduced.DENSE_NODES", 0)
        iterated = resistance(network, pairs)
        monkeypatch.undo()
        np.testing.assert_allclose(iterated, expected, rtol=1e-6)


def test_disconnected_networks_are_refused():
    graph = nx.Graph()
    graph.add_edge(0, 1, variance=1.0)
    graph.add_edge(2, 3, variance=1.0)
    network = naive.network_of(graph)
    rng = np.random.default_rng(0)
    for use in (
        lambda: resistance(network, np.array([[0, 1]])),
        lambda: resistance_matrix(network),
        lambda: mean_variance(network, rng=rng),
        lambda: posterior_samples(network, 2, rng),
    ):
        with pytest.raises(InputError, match="not connected"):
            use()


# --- the mean over random pairs ----------------------------------------------------------------


def small_world(topology, n, seed, sigma2=0.02, **options):
    """A network over a world of 64 addresses or so, and one whose responses are all of them."""
    world = Ultrametric(**{"digits": 6, **options})
    comparisons = build(topology, world, n, np.random.default_rng(seed))
    return build_network(world, comparisons, sigma2), naive.whole_world(world, comparisons, sigma2)


def finite_pool(seed):
    rng = np.random.default_rng(seed)
    bias = NeighbourGraph(rng.normal(size=(21, 3)), neighbours=3)
    a = rng.integers(0, 21, 30)
    comparisons = Comparisons(np.arange(21), a, (a + rng.integers(1, 21, 30)) % 21)
    return build_network(bias, comparisons, 0.02)


def mean_over_distinct(matrix):
    m = len(matrix)
    return matrix.sum() / (m * (m - 1))


def coverage(network, exact, rel_err, trials=1000):
    covered = 0
    for trial in range(trials):
        rng = np.random.default_rng([12, trial])
        low, high = mean_variance(network, rel_err=rel_err, rng=rng).interval()
        covered += low <= exact <= high
    return covered / trials


@pytest.mark.parametrize(
    ("topology", "n", "options", "rel_err"),
    [
        ("chain", 14, {}, 0.1),
        ("chain", 14, {}, 0.03),
        ("tree", 24, {"family": "logarithmic"}, 0.1),
        ("tree", 24, {"family": "logarithmic"}, 0.05),
        ("kwise", 18, {"branching": 3, "digits": 4}, 0.1),
    ],
)
def test_intervals_of_the_mean_variance_cover_it(topology, n, options, rel_err):
    network, whole = small_world(topology, n, 1, **options)
    exact = naive.resistance_matrix(whole).mean()
    assert 0.93 <= coverage(network, exact, rel_err) <= 0.97


def test_intervals_of_the_mean_variance_cover_it_over_finitely_many_responses():
    network = finite_pool(0)
    exact = mean_over_distinct(naive.resistance_matrix(network))
    assert 0.93 <= coverage(network, exact, 0.05) <= 0.97


@pytest.mark.parametrize("path", ["dense", "iterative"])
@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_mean_variance_is_unbiased(topology, path, request):
    if path == "iterative":
        request.getfixturevalue("iterative")
    for n in (2, 17):
        network, whole = small_world(topology, n, 5)
        exact = naive.resistance_matrix(whole).mean()
        estimate = mean_variance(network, rel_err=0.01, rng=np.random.default_rng(n))
        assert estimate.relative_error <= 0.01
        # Iterations stop where what is missing is small beside the standard error.
        assert abs(estimate.mean - exact) < 4.5 * estimate.stderr


@pytest.mark.usefixtures("iterative")
def test_slow_convergence_does_not_bias_the_mean():
    # A line of 2,500 responses: iterations approach the energy by small steps for a long time.
    graph = nx.path_graph(2500)
    nx.set_edge_attributes(graph, 1.0, "variance")
    network = naive.network_of(graph)
    estimate = mean_variance(network, rel_err=0.2, rng=np.random.default_rng(0))
    exact = 2501 / 3
    assert abs(estimate.mean - exact) < 4.5 * estimate.stderr + 0.02 * exact


@pytest.mark.parametrize("odd", [2, 3, 5])
def test_few_responses_and_odd_numbers_of_them(odd):
    graph = nx.path_graph(odd)
    nx.set_edge_attributes(graph, 2.0, "variance")
    network = naive.network_of(graph)
    exact = mean_over_distinct(naive.resistance_matrix(network))
    estimate = mean_variance(network, rel_err=0.01, rng=np.random.default_rng(0))
    assert abs(estimate.mean - exact) <= 4.5 * estimate.stderr + 1e-12


def test_one_response_has_no_pairs():
    graph = nx.Graph()
    graph.add_edge(0, 1, variance=1.0)
    network = naive.network_of(graph)
    alone = Network(2, network.nodes[:1], network.u, network.v, network.variance, network.kind)
    with pytest.raises(InputError, match="two responses"):
        mean_variance(alone, rng=np.random.default_rng(0))


def test_the_same_seed_gives_the_same_mean_variance():
    network, _ = small_world("chain", 20, 0)
    first, again, other = (
        mean_variance(network, rel_err=0.05, rng=np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert (first.mean, first.stderr, first.count) == (again.mean, again.stderr, again.count)
    assert first.mean != other.mean


def test_draws_are_capped():
    network, _ = small_world("chain", 20, 0)
    estimate = mean_variance(network, rel_err=1e-6, rng=np.random.default_rng(0), max_count=13)
    assert estimate.count == 13


# --- posterior means and samples ---------------------------------------------------------------


def labelled_case(seed, most=15):
    """A random network whose comparisons carry Gaussian labels, with those comparisons."""
    name, network = naive.random_case(seed, most)
    rng = np.random.default_rng(seed)
    first = network.bias_edges
    position = {node: i for i, node in reversed(list(enumerate(network.nodes.tolist())))}
    a = np.array([position[i] for i in network.u[first:].tolist()], int)
    b = np.array([position[i] for i in network.v[first:].tolist()], int)
    told = a != b  # two responses of one node: their comparison says nothing
    comparisons = Comparisons(np.arange(len(network.nodes)), a[told], b[told])
    kept = np.concatenate([np.ones(first, bool), told])
    network = Network(
        network.size,
        network.nodes,
        network.u[kept],
        network.v[kept],
        network.variance[kept],
        network.kind[kept],
        network.trie,
        network.bias,
        network.responses,
    )
    return name, network, comparisons.labelled(delta=rng.normal(size=len(comparisons)))


def prior_covariance(network):
    """Covariance of node rewards under the inductive bias alone, up to a common shift."""
    first = network.bias_edges
    return np.linalg.pinv(
        naive.laplacian(
            network.size, network.u[:first], network.v[:first], 1 / network.variance[:first]
        ),
        hermitian=True,
    )


@pytest.mark.parametrize("path", ["dense", "iterative"])
def test_the_posterior_mean_is_gaussian_conditioning(path, request):
    if path == "iterative":
        request.getfixturevalue("iterative")
    for seed in range(6000, 6000 + 2 * CASES):
        if naive.CASES[seed % CASES][0] == "any graph":
            continue  # its inductive bias need not connect
        name, network, comparisons = labelled_case(seed)
        sigma2 = network.variance[network.bias_edges :]
        node_mean = naive.condition(prior_covariance(network), comparisons, network.nodes, sigma2)
        expected = node_mean[network.nodes] - node_mean[network.nodes].mean()
        got = posterior_mean(network, comparisons)
        assert got.sum() == pytest.approx(0.0, abs=1e-9)
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-8, err_msg=name)


def test_the_posterior_mean_needs_labels_and_their_number():
    _, network, comparisons = labelled_case(6000)
    with pytest.raises(InputError, match="continuous labels"):
        posterior_mean(network, comparisons.labelled())
    others = Comparisons(comparisons.responses, [0], [1], delta=np.ones(1))
    if len(others) != len(comparisons):
        with pytest.raises(InputError, match="comparisons"):
            posterior_mean(network, others)


def centred_covariance(network):
    """Posterior covariance of the responses' rewards, centred over the responses."""
    inverse = np.linalg.pinv(naive.network_laplacian(network), hermitian=True)
    m = len(network.nodes)
    centre = np.eye(m) - 1 / m
    return centre @ inverse[np.ix_(network.nodes, network.nodes)] @ centre


@pytest.mark.parametrize("seed", [0, 8, 13, 35, CASES - 1])
def test_samples_have_the_posterior_covariance(seed):
    name, network = naive.random_case(seed, 12)
    count = 4000
    samples = posterior_samples(network, count, np.random.default_rng(seed))
    assert samples.shape == (count, len(network.nodes))
    np.testing.assert_allclose(samples.sum(axis=1), 0.0, atol=1e-9)
    value, vector = np.linalg.eigh(centred_covariance(network))
    free = value > 1e-9 * value.max()
    np.testing.assert_allclose(samples @ vector[:, ~free], 0.0, atol=1e-6)
    white = samples @ vector[:, free] / np.sqrt(value[free])
    # Standard normal in every direction: lengths, means and products, each to a chance of 1e-6.
    rank = free.sum()
    low, high = stats.chi2.ppf([5e-7, 1 - 5e-7], count * rank)
    assert low < (white**2).sum() < high, name
    assert (white.mean(axis=0) ** 2).sum() * count < stats.chi2.ppf(1 - 1e-6, rank), name
    product = (white.T @ white / np.sqrt(count))[np.triu_indices(rank, 1)]
    if len(product):
        assert (product**2).sum() < 1.1 * stats.chi2.ppf(1 - 1e-6, len(product)), name
    assert stats.kstest(white.ravel(), "norm").pvalue > 1e-6, name


def test_samples_are_about_the_posterior_mean():
    _, network, comparisons = labelled_case(6001)
    rng = np.random.default_rng(2)
    bare = posterior_samples(network, 3, np.random.default_rng(2))
    about = posterior_samples(network, 3, rng, comparisons)
    np.testing.assert_allclose(about - bare, np.tile(posterior_mean(network, comparisons), (3, 1)))


@pytest.mark.parametrize("topology", ["chain", "tree", "kwise"])
def test_simulation_based_calibration(topology):
    # Rewards from the prior, labels from the rewards, samples from the posterior: the rank of a
    # true difference among those of the samples is uniform (Cook, Gelman and Rubin 2006).
    world = Ultrametric(alpha=0.4)
    rng = np.random.default_rng(17)
    draws, rank = 19, []
    for _ in range(400):
        comparisons = build(topology, world, 8, rng)
        network = build_network(world, comparisons, 0.1)
        truth = world.rewards(comparisons.responses, rng)
        noise = rng.normal(0.0, math.sqrt(0.1), len(comparisons))
        labelled = comparisons.labelled(delta=truth[comparisons.a] - truth[comparisons.b] + noise)
        samples = posterior_samples(network, draws, rng, labelled)
        i, j = rng.choice(len(truth), 2, replace=False)
        rank.append(np.sum(samples[:, i] - samples[:, j] < truth[i] - truth[j]))
    assert stats.chisquare(np.bincount(rank, minlength=draws + 1)).pvalue > 1e-4
