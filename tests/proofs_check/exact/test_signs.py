"""What signs teach: expectation propagation and slice sampling."""

from itertools import islice

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chisquare, norm

from ibn.bias.ultrametric import Ultrametric
from ibn.proofs_check.exact.freedom import difference_covariance
from ibn.proofs_check.exact.signs import expectation_propagation, learn, slice_sweeps
from ibn.topology import build


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
