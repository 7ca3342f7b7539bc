"""Simulation-based calibration: an oracle for posteriors that knows none of their algebra.

Draw rewards from the inductive bias, labels from the rewards, and a posterior from the labels:
the true reward difference must rank uniformly among posterior draws (Cook, Gelman and Rubin 2006;
Talts et al. 2018). Seeds are fixed, and each test would fail by chance once in a million seeds.
"""

from itertools import islice

import numpy as np
import pytest
from gibbs import gibbs_sweeps
from scipy.special import ndtr
from scipy.stats import chisquare, kstest

import ibn
from ibn.inference.laplace import LABELS, laplace

WORLD = ibn.Ultrametric("power", 0.5, 1.0, 2, 3)
EVERYTHING = np.arange(8, dtype=np.uint64)
PAIR = np.array([[0, 7]])
FALSE_ALARM = 1e-6
REPLICATES = 120
SWEEPS = 15


def instance(rng, beta, count=24):
    """Rewards from the bias, random comparisons labelled from them, and their network."""
    a = rng.integers(0, 8, count)
    b = (a + rng.integers(1, 8, count)) % 8
    rewards = WORLD.rewards(EVERYTHING, rng)
    labelled = ibn.simulate_labels(ibn.Comparisons(EVERYTHING, a, b), rewards, beta, rng)
    network = ibn.build_network(WORLD, labelled, ibn.LabelNoise(beta).variance())
    return rewards, labelled, network


def difference(rewards):
    return rewards[..., PAIR[0, 0]] - rewards[..., PAIR[0, 1]]


def uniform_chance(ranks):
    """p-value of ranks 0 to ``SWEEPS`` being equally likely, by quarters."""
    return chisquare(np.bincount(np.array(ranks) * 4 // (SWEEPS + 1), minlength=4)).pvalue


def gaussian_instance(rng, assumed=1.0):
    """Gaussian labels, and a network that takes their variance for ``assumed`` times theirs."""
    rewards, labelled, _ = instance(rng, 2.0)
    sigma2 = ibn.LabelNoise(2.0).variance()
    truth = rewards[labelled.a] - rewards[labelled.b]
    labelled = labelled.labelled(delta=rng.normal(truth, np.sqrt(sigma2)))
    return rewards, labelled, ibn.build_network(WORLD, labelled, assumed * sigma2)


def gaussian_levels(seed, replicates, assumed=1.0):
    """Posterior probability of a difference below the true one, from mean and resistance."""
    rng = np.random.default_rng(seed)
    levels = []
    for _ in range(replicates):
        rewards, labelled, network = gaussian_instance(rng, assumed)
        mean = difference(ibn.posterior_mean(network, labelled))
        deviation = np.sqrt(ibn.resistance(network, PAIR)[0])
        levels.append(ndtr((difference(rewards) - mean) / deviation))
    return np.array(levels)


def test_gaussian_means_and_resistances_are_calibrated():
    assert kstest(gaussian_levels(1, 2 * REPLICATES), "uniform").pvalue > FALSE_ALARM


def test_a_network_that_trusts_its_labels_too_much_is_found_out():
    assert kstest(gaussian_levels(1, 2 * REPLICATES, assumed=0.1), "uniform").pvalue < FALSE_ALARM


def test_gaussian_samples_are_calibrated():
    rng = np.random.default_rng(2)
    ranks = []
    for _ in range(REPLICATES):
        rewards, labelled, network = gaussian_instance(rng)
        draws = ibn.posterior_samples(network, SWEEPS, rng, labelled)
        ranks.append(int(np.sum(difference(draws) < difference(rewards))))
    assert uniform_chance(ranks) > FALSE_ALARM


def sweep_ranks(labels, seed, replicates, beta, assumed=None):
    """Rank of the truth in a stretch of the Gibbs chain that runs through it.

    The truth is itself a draw from the posterior, and the chain is reversible: with the truth
    at a random place of a stretch, and the chain run from it both ways, ranks are exactly
    uniform however slowly the chain mixes (Besag and Clifford 1989).
    """
    rng = np.random.default_rng(seed)
    ranks = []
    for _ in range(replicates):
        rewards, labelled, network = instance(rng, beta)
        before = int(rng.integers(0, SWEEPS + 1))
        below = 0
        for sweeps in (before, SWEEPS - before):
            chain = gibbs_sweeps(network, labelled, assumed or beta, labels, rng, rewards)
            below += sum(difference(r) < difference(rewards) for r in islice(chain, sweeps))
        ranks.append(int(below))
    return ranks


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("beta", [2.0, 8.0])
def test_gibbs_sweeps_are_calibrated_for_the_labels_people_give(labels, beta):
    assert uniform_chance(sweep_ranks(labels, 3, REPLICATES, beta)) > FALSE_ALARM


@pytest.mark.parametrize("labels", LABELS)
def test_gibbs_sweeps_at_the_wrong_temperature_are_found_out(labels):
    ranks = sweep_ranks(labels, 4, REPLICATES, 2.0, assumed=16.0)
    assert uniform_chance(ranks) < FALSE_ALARM


def laplace_scores(labels, seed, replicates, beta):
    """Standard scores of the truth under Laplace's approximation."""
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(replicates):
        rewards, labelled, network = instance(rng, beta)
        fitted = laplace(network, labelled, beta, labels)
        deviation = np.sqrt(ibn.resistance(fitted.network, PAIR)[0])
        scores.append((difference(rewards) - difference(fitted.rewards)) / deviation)
    return np.array(scores)


@pytest.mark.parametrize("labels", LABELS)
def test_laplace_is_nearly_calibrated_where_rewards_are_moderate(labels):
    """At β² × prior variance of the order of 1: within what this many replicates can tell."""
    levels = ndtr(laplace_scores(labels, 5, 2 * REPLICATES, 1.0))
    assert kstest(levels, "uniform").pvalue > FALSE_ALARM


def test_laplace_is_overconfident_for_binary_labels_where_rewards_are_extreme():
    """Why the sampler is there: at β = 32 a binary likelihood is nearly a step."""
    scores = laplace_scores("binary", 6, REPLICATES, 32.0)
    assert np.mean(scores**2) > 2.0
