"""Posteriors of continuous logistic and binary labels: mode, curvature and sampler."""

from itertools import islice

import numpy as np
import pytest
from gibbs import gibbs_sweeps
from numpy.testing import assert_allclose
from scipy.optimize import approx_fprime, minimize
from scipy.special import expit, log_expit
from scipy.stats import logistic

import ibn
from ibn.errors import InputError
from ibn.inference.laplace import LABELS, Likelihood, laplace
from ibn.network import Network
from ibn.topology import build


def labelled_network(topology, n, beta, seed, digits=4):
    rng = np.random.default_rng(seed)
    world = ibn.Ultrametric("power", 0.5, 1.0, 2, digits)
    comparisons = build(topology, world, n, rng, leaves=8 if topology == "tree" else None)
    apart = comparisons.responses[comparisons.a] != comparisons.responses[comparisons.b]
    comparisons = ibn.Comparisons(comparisons.responses, comparisons.a[apart], comparisons.b[apart])
    everything = np.arange(2**digits, dtype=np.uint64)
    rewards = world.rewards(everything, rng)[comparisons.responses.astype(int)]
    comparisons = ibn.simulate_labels(comparisons, rewards, beta, rng)
    return ibn.build_network(world, comparisons, ibn.LabelNoise(beta).variance()), comparisons


def naive_cost(network, comparisons, beta, labels):
    """Minus the log-posterior over all nodes, from textbook densities."""
    first = network.bias_edges
    u, v = network.u, network.v

    def cost(node):
        gap = node[u] - node[v]
        prior = (gap[:first] ** 2 / (2 * network.variance[:first])).sum()
        if labels == "logistic":
            return prior - logistic.logpdf(comparisons.delta, gap[first:], 1 / beta).sum()
        return prior - log_expit(beta * comparisons.winner * gap[first:]).sum()

    return cost


@pytest.mark.parametrize("labels", LABELS)
def test_derivatives_are_those_of_textbook_densities(labels):
    rng = np.random.default_rng(0)
    beta, d = 1.7, rng.normal(size=9)
    comparisons = ibn.Comparisons(
        np.arange(2),
        np.zeros(9, int),
        np.ones(9, int),
        delta=rng.normal(size=9),
        winner=rng.choice([-1, 1], 9).astype(np.int8),
    )
    likelihood = Likelihood.of(comparisons, beta, labels)
    if labels == "logistic":
        density = logistic.logpdf(comparisons.delta, d, 1 / beta) - np.log(beta)
    else:
        density = log_expit(beta * comparisons.winner * d)
    assert_allclose(likelihood.log_density(d), density, atol=1e-12)
    step = 1e-5
    slope = (likelihood.log_density(d + step) - likelihood.log_density(d - step)) / (2 * step)
    assert_allclose(likelihood.slope(d), slope, atol=1e-8)
    curvature = (likelihood.slope(d - step) - likelihood.slope(d + step)) / (2 * step)
    assert_allclose(likelihood.curvature(d), curvature, atol=1e-8)


def test_a_tie_is_half_a_label_for_each_side():
    tied = ibn.Comparisons(
        np.arange(2), np.array([0]), np.array([1]), winner=np.zeros(1, dtype=np.int8)
    )
    d = np.array([0.7])
    found = Likelihood.of(tied, 2.0, "binary").log_density(d)
    assert_allclose(found, 0.5 * (log_expit(2.0 * d) + log_expit(-2.0 * d)))


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(("topology", "n", "beta"), [("chain", 6, 1.0), ("tree", 40, 4.0)])
def test_the_mode_is_where_an_optimiser_ends_up(labels, topology, n, beta):
    network, comparisons = labelled_network(topology, n, beta, seed=1)
    cost = naive_cost(network, comparisons, beta, labels)
    found = laplace(network, comparisons, beta, labels)
    other = minimize(cost, np.zeros(network.size), options={"gtol": 1e-7}).x[network.nodes]
    assert_allclose(found.rewards, other - other.mean(), atol=1e-4)


@pytest.mark.parametrize("labels", LABELS)
def test_the_variances_are_those_of_the_hessian_at_the_mode(labels):
    network, comparisons = labelled_network("tree", 12, 2.0, seed=2, digits=3)
    found = laplace(network, comparisons, 2.0, labels)
    cost = naive_cost(network, comparisons, 2.0, labels)
    start = minimize(cost, np.zeros(network.size), options={"gtol": 1e-9}).x
    slope = lambda x: approx_fprime(x, cost, 1e-5)  # noqa: E731
    hessian = np.array(
        [(slope(start + 1e-4 * e) - slope(start - 1e-4 * e)) / 2e-4 for e in np.eye(network.size)]
    )
    inverse = np.linalg.pinv((hessian + hessian.T) / 2, rcond=1e-4)
    i, j = network.nodes[0], network.nodes[-1]
    expected = inverse[i, i] + inverse[j, j] - 2 * inverse[i, j]
    pair = np.array([[0, len(network.nodes) - 1]])
    assert_allclose(ibn.resistance(found.network, pair), expected, rtol=1e-2)


@pytest.mark.parametrize("labels", LABELS)
def test_the_search_ends_in_a_cold_world(labels):
    """β = 1814 in the infinite hierarchy, where binary likelihoods are nearly steps."""
    rng = np.random.default_rng(3)
    world = ibn.Ultrametric("power", 0.3)
    comparisons = build("tree", world, 1000, rng)
    rewards = world.rewards(comparisons.responses, rng)
    comparisons = ibn.simulate_labels(comparisons, rewards, 1814.0, rng)
    network = ibn.build_network(world, comparisons, ibn.LabelNoise(1814.0).variance())
    found = laplace(network, comparisons, 1814.0, labels)
    assert np.corrcoef(found.rewards, rewards)[0, 1] > 0.9
    assert found.steps < 60


def test_the_iterative_solver_finds_the_same_mode(iterative):
    network, comparisons = labelled_network("tree", 60, 2.0, seed=4)
    found = laplace(network, comparisons, 2.0, "binary").rewards
    cost = naive_cost(network, comparisons, 2.0, "binary")
    other = minimize(cost, np.zeros(network.size), options={"gtol": 1e-7}).x[network.nodes]
    assert_allclose(found, other - other.mean(), atol=1e-4)


def test_without_inductive_bias_the_mode_is_the_maximum_of_the_likelihood():
    winner = np.array([1, 1, 1, -1], np.int8)
    a, b = np.zeros(4, int), np.ones(4, int)
    network = Network(2, np.arange(2), a, b, np.ones(4), np.ones(4, np.int8))
    comparisons = ibn.Comparisons(np.arange(2), a, b, winner=winner)
    found = laplace(network, comparisons, 2.0, "binary").rewards
    assert expit(2.0 * (found[0] - found[1])) == pytest.approx(0.75)


def first_sweep(*arguments):
    return next(gibbs_sweeps(*arguments))


@pytest.mark.parametrize("run", [laplace, first_sweep])
def test_a_dominated_response_without_inductive_bias_is_refused(run):
    a, b = np.array([0, 1]), np.array([1, 2])
    network = Network(3, np.arange(3), a, b, np.ones(2), np.ones(2, np.int8))
    comparisons = ibn.Comparisons(np.arange(3), a, b, winner=np.ones(2, np.int8))
    extra = () if run is laplace else (np.random.default_rng(0), np.zeros(3))
    with pytest.raises(InputError, match="no mode"):
        run(network, comparisons, 1.0, "binary", *extra)


def posterior_by_quadrature(likelihood, prior_variance):
    """Mean and variance of one reward difference under a Gaussian prior."""
    d = np.linspace(-12, 12, 20_001)
    log_density = likelihood.log_density(d) - d**2 / (2 * prior_variance)
    weight = np.exp(log_density - log_density.max())
    mean = weight @ d / weight.sum()
    return mean, weight @ (d - mean) ** 2 / weight.sum()


@pytest.mark.parametrize(
    ("labels", "beta"), [("logistic", 1.0), ("logistic", 5.0), ("binary", 1.0), ("binary", 5.0)]
)
def test_sweeps_have_the_moments_of_the_exact_posterior(labels, beta):
    """One comparison of two responses, where the posterior is an integral in one variable."""
    u, v = np.array([0, 0]), np.array([1, 1])
    network = Network(2, np.arange(2), u, v, np.array([2.0, 1.0]), np.array([0, 1], np.int8))
    comparisons = ibn.Comparisons(
        np.arange(2),
        np.array([0]),
        np.array([1]),
        delta=np.array([1.5]),
        winner=np.ones(1, dtype=np.int8),
    )
    mean, variance = posterior_by_quadrature(Likelihood.of(comparisons, beta, labels), 2.0)
    rng = np.random.default_rng(6)
    chain = gibbs_sweeps(network, comparisons, beta, labels, rng, np.zeros(2))
    draws = np.array([r[0] - r[1] for r in islice(chain, 50, 2050)])
    batches = draws.reshape(40, -1)
    for found, exact in ((batches.mean(axis=1), mean), (batches.var(axis=1), variance)):
        assert abs(found.mean() - exact) < 5 * found.std(ddof=1) / np.sqrt(40) + 0.02 * variance


@pytest.mark.parametrize("labels", LABELS)
def test_samples_spread_by_the_approximations_variance(labels):
    network, comparisons = labelled_network("tree", 20, 2.0, seed=7)
    found = laplace(network, comparisons, 2.0, labels)
    draws = found.samples(4000, np.random.default_rng(8))
    gaps = draws[:, 0] - draws[:, 1]
    expected = ibn.resistance(found.network, np.array([[0, 1]]))[0]
    assert gaps.var() == pytest.approx(expected, rel=0.12)
    assert gaps.mean() == pytest.approx(found.rewards[0] - found.rewards[1], abs=0.1)


@pytest.mark.parametrize(
    ("labels", "beta", "message"),
    [("ordinal", 1.0, "kind of labels"), ("logistic", 1.0, "delta"), ("binary", -1.0, "beta")],
)
def test_bad_input_is_refused(labels, beta, message):
    network, comparisons = labelled_network("tree", 5, 1.0, seed=9)
    unlabelled = comparisons.labelled(winner=comparisons.winner)
    with pytest.raises(InputError, match=message):
        laplace(network, unlabelled, beta, labels)
