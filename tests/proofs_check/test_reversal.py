"""E2 and E3: mutants that fail, and the bounds and samplers behind the verdicts."""

from functools import partial
from itertools import islice

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import chisquare, norm

from ibn.bias.ultrametric import Ultrametric
from ibn.network import build_network
from ibn.posterior import resistance_matrix
from ibn.preferences.comparisons import Comparisons
from ibn.topology import build
from proofs_check import minimax, reversal
from proofs_check.claim import FAILS, METHODS, Context
from proofs_check.freedom import (
    difference_covariance,
    noisy_at_least,
    noisy_at_most,
    spent,
    spent_at_most,
)
from proofs_check.reversal import ALPHA, TENTH, Reversal
from proofs_check.signs import expectation_propagation, learn, slice_sweeps

ONE = TENTH * 10
CLAIMS = (*reversal.CLAIMS, *minimax.CLAIMS)
MUTANTS = {**reversal.MUTANTS, **minimax.MUTANTS}


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


@pytest.mark.parametrize(
    "run",
    [
        partial(reversal._chain, Reversal(chain_power=-ALPHA - TENTH), reversal.FEW),
        partial(reversal._chain, Reversal(chain_power=-ALPHA + TENTH), reversal.FEW),
        partial(reversal._chain, Reversal(chain_log=ONE), reversal.FEW),
        partial(reversal._tree, Reversal(leaf_power=-ALPHA - TENTH)),
        partial(reversal._reversed, Reversal(ratio_log=ALPHA)),
        partial(reversal._reversed, Reversal(ratio_log=0 * ONE)),
        partial(minimax._measured, -ALPHA / (1 + ALPHA) - TENTH),
        partial(minimax._measured, -ALPHA / (2 + ALPHA)),
    ],
)
def test_measurement_alone_refutes_a_wrong_variant(run):
    assert run((Ultrametric(alpha=1.0),), Context()).verdict == FAILS


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


def test_one_sign_is_learned_exactly():
    fitted = expectation_propagation(np.array([[2.0]]))
    assert fitted.mean[0] == pytest.approx(np.sqrt(2.0 * 2.0 / np.pi), rel=1e-3)
    assert fitted.variance[0] == pytest.approx(2.0 * (1.0 - 2.0 / np.pi), rel=1e-3)


def orthant_moment(correlation, power):
    """E[x^power | x, y > 0] of a bivariate normal, by quadrature."""
    scale = np.sqrt(1.0 - correlation**2)

    def weight(x, k):
        return x**k * norm.pdf(x) * norm.cdf(correlation * x / scale)

    return quad(weight, 0, np.inf, args=(power,))[0] / quad(weight, 0, np.inf, args=(0,))[0]


@pytest.mark.parametrize("correlation", [-0.5, 0.3, 0.9])
def test_two_signs_against_quadrature(correlation):
    covariance = np.array([[1.0, correlation], [correlation, 1.0]])
    first, second = (orthant_moment(correlation, power) for power in (1, 2))
    fitted = expectation_propagation(covariance)
    assert fitted.mean[0] == pytest.approx(first, rel=0.03)
    # The more alike two half-spaces are, the more the approximation trusts both.
    assert 0.85 < fitted.variance[0] / (second - first**2) < 1.02
    walk = slice_sweeps(np.linalg.cholesky(covariance), np.ones((200, 2)), np.random.default_rng(0))
    states = np.stack(list(islice(walk, 400)))[50:, :, 0]
    error = states.mean(axis=0).std() / np.sqrt(200)
    assert abs(states.mean() - first) < 5 * error
    assert states.var() == pytest.approx(second - first**2, rel=0.1)


def sign_ranks(seed, replicates, scale=1.0):
    """Rank of a true difference among a stretch of the slice sampler that runs through it.

    Both ways from the truth, which is itself a posterior draw: uniform however slowly the sampler
    mixes (Besag and Clifford 1989). ``scale`` puts a wrong prior in.
    """
    rng = np.random.default_rng(seed)
    world, sweeps, ranks = Ultrametric(alpha=0.5, digits=4), 15, []
    for _ in range(replicates):
        comparisons = build("chain", world, 6, rng)
        rewards = world.rewards(comparisons.responses, rng)
        gap = rewards[comparisons.a] - rewards[comparisons.b]
        if np.any(gap == 0.0):  # the same response twice
            continue
        address = comparisons.responses
        first = address[np.where(gap > 0, comparisons.a, comparisons.b)]
        second = address[np.where(gap > 0, comparisons.b, comparisons.a)]
        covariance = scale * difference_covariance(world, (first, second), (first, second))
        root = np.linalg.cholesky(covariance + 1e-9 * np.eye(6))
        before = int(rng.integers(0, sweeps + 1))
        below = 0
        for count in (before, sweeps - before):
            walk = slice_sweeps(root, np.abs(gap), rng)
            below += sum(bool(x[0] < abs(gap[0])) for x in islice(walk, count))
        ranks.append(below)
    return chisquare(np.bincount(np.array(ranks) // 4, minlength=4)).pvalue


def test_slice_sampling_is_calibrated():
    assert sign_ranks(0, 1500) > 1e-6


def test_slice_sampling_under_a_wrong_prior_is_found_out():
    assert sign_ranks(0, 1500, scale=2.0) < 1e-6


def test_what_signs_teach_is_calibrated():
    """The error on the truth is the variance claimed, within what this many datasets tell."""
    world, rng = Ultrametric(alpha=0.5), np.random.default_rng(0)
    got = [learn(world, build("tree", world, 24, rng), rng, 64) for _ in range(150)]
    off = np.array([x.error - x.variance for x in got])
    assert abs(off.mean()) < 4.5 * off.std() / np.sqrt(len(off))
    assert np.mean([x.variance for x in got]) < 0.9 * world.structural_function(1)
