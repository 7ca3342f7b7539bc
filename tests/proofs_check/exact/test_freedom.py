"""The bounds that count degrees of freedom, against whole small worlds."""

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibn.bias.ultrametric import Ultrametric
from ibn.inference.gaussian import resistance_matrix
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons
from ibn.proofs_check.exact.freedom import (
    difference_covariance,
    noisy_at_least,
    noisy_at_most,
    spent,
    spent_at_most,
)
from ibn.topology import build


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 12),
    alpha=st.floats(0.1, 2.0),
    sigma2=st.floats(1e-3, 1e2),
)
def test_leverages_are_what_a_comparison_takes_off_and_are_bounded(seed, n, alpha, sigma2):
    world = Ultrametric(alpha=alpha, digits=8)
    comparisons = build("chain", world, n, np.random.default_rng(seed))
    leverage = spent(world, comparisons, sigma2)
    assert leverage.sum() <= spent_at_most(world, n, sigma2).min() * (1 + 1e-9)
    rest = Comparisons(comparisons.responses, comparisons.a[1:], comparisons.b[1:])
    network = build_network(world, rest, sigma2)
    without = naive.resistance_matrix(network)[comparisons.a[0], comparisons.b[0]]
    assert leverage[0] == pytest.approx(without / (without + sigma2), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("topology", "sigma2"),
    [("chain", 0.03), ("chain", 1.0), ("chain", 30.0), ("tree", 0.3), ("stratified-star", 1.0)],
)
def test_bounds_enclose_the_mean_over_a_whole_small_world(topology, sigma2):
    """Every pair of 64 responses; the upper bound is a chain's, and a mean over datasets."""
    world = Ultrametric(alpha=0.5, digits=6)
    rng = np.random.default_rng(0)
    means = []
    for _ in range(12):
        comparisons = build(topology, world, 12, rng)
        means.append(resistance_matrix(naive.whole_world(world, comparisons, sigma2)).mean())
    assert min(means) >= noisy_at_least(world, 12, sigma2)
    if topology == "chain":
        assert np.mean(means) <= noisy_at_most(world, 12, sigma2)


def test_covariance_of_differences_is_that_of_rewards():
    world = Ultrametric(alpha=0.7)
    rng = np.random.default_rng(0)
    responses = world.sample(6, rng)
    ends = responses[:3], responses[3:]
    draws = np.stack([world.rewards(responses, rng) for _ in range(4_000)])
    found = np.cov(draws[:, :3] - draws[:, 3:], rowvar=False)
    assert np.allclose(found, difference_covariance(world, ends, ends), atol=0.12)
