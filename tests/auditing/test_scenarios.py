"""What-if means against dense posteriors, and that shared noise makes changes precise."""

import numpy as np
import pytest

from ibn.auditing.pairs import PromptPairs
from ibn.auditing.scenarios import AS_IS, Change, Scenarios
from ibn.auditing.similarity import FixedBias
from ibn.auditing.variances import ExactVariances
from ibn.bias.neighbours import NeighbourGraph
from ibn.estimate import Estimate
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons

M, N, SIGMA2 = 40, 60, 1.5
EXTRA = np.array([[0, 1], [2, 3], [0, 5]])


@pytest.fixture(scope="module")
def scenarios():
    rng = np.random.default_rng(0)
    laid = NeighbourGraph(rng.normal(size=(M, 3)), 4).edges(np.arange(M))
    a = rng.integers(0, M, N)
    b = (a + rng.integers(1, M, N)) % M
    pairs = PromptPairs(np.arange(M) // 4)
    comparisons = Comparisons(np.arange(M), a, b)
    return Scenarios.of(FixedBias(laid), comparisons, SIGMA2, pairs, np.random.default_rng(1))


def exact(scenarios, which, extra, sigma2, extra_sigma2, kind):
    old = scenarios.comparisons
    changed = Comparisons(
        np.arange(M),
        np.concatenate([old.a[which], extra[:, 0]]),
        np.concatenate([old.b[which], extra[:, 1]]),
    )
    noise = np.repeat([sigma2, extra_sigma2], [len(which), len(extra)])
    network = build_network(scenarios.bias, changed, noise)
    return getattr(ExactVariances.of(network, scenarios.pairs), kind)().mean


@pytest.mark.parametrize("kind", ["within", "across"])
@pytest.mark.parametrize(
    ("options", "which", "extra", "sigma2", "extra_sigma2"),
    [
        ({}, np.arange(N), EXTRA[:0], SIGMA2, SIGMA2),
        ({"add": EXTRA}, np.arange(N), EXTRA, SIGMA2, SIGMA2),
        ({"keep": np.arange(20)}, np.arange(20), EXTRA[:0], SIGMA2, SIGMA2),
        ({"keep": np.repeat(np.arange(9), 2)}, np.repeat(np.arange(9), 2), EXTRA[:0], SIGMA2, 1),
        ({"sigma2": 0.5}, np.arange(N), EXTRA[:0], 0.5, 0.5),
        ({"add": EXTRA, "add_sigma2": 0.1}, np.arange(N), EXTRA, SIGMA2, 0.1),
    ],
)
def test_changed_means_are_those_of_the_dense_posterior(
    scenarios, kind, options, which, extra, sigma2, extra_sigma2
):
    now = exact(scenarios, np.arange(N), EXTRA[:0], SIGMA2, SIGMA2, kind)
    then = exact(scenarios, which, extra, sigma2, extra_sigma2, kind)
    drawn = scenarios.samples(Change("tried", **options)).draws(kind)
    value = Estimate.of(drawn)
    assert abs(value.mean - then) < 4 * value.stderr
    change = Estimate.of(drawn - scenarios.samples(AS_IS).draws(kind))
    assert abs(change.mean - (then - now)) <= 4 * change.stderr + 1e-5


def test_shared_noise_makes_small_changes_precise(scenarios):
    value = Estimate.of(scenarios.samples(AS_IS).draws("within"))
    change = Estimate.of(
        scenarios.samples(Change("tried", add=EXTRA[:1])).draws("within")
        - scenarios.samples(AS_IS).draws("within")
    )
    assert change.stderr < value.stderr / 4


def test_means_over_some_prompts(scenarios):
    some = np.array([1, 4])
    posterior = scenarios.samples(AS_IS)
    expected = [
        (posterior.rewards[:, i] - posterior.rewards[:, j]) ** 2
        for prompt in some
        for i in range(4 * prompt, 4 * prompt + 4)
        for j in range(i)
        if j >= 4 * prompt
    ]
    np.testing.assert_allclose(posterior.draws("within", some), np.mean(expected, axis=0))
