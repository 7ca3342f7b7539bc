import math

import numpy as np
import pytest
from scipy import integrate, stats

from ibn.errors import InputError
from ibn.preferences.comparisons import Comparisons
from ibn.preferences.noise import READINGS, LabelNoise, preference_probability, simulate_labels


@pytest.mark.parametrize("beta", [0.1, 1.0, 1814.0])
def test_the_logistic_reading_is_the_variance_of_the_logistic_distribution(beta):
    assert LabelNoise(beta).variance() == pytest.approx(stats.logistic(scale=1 / beta).var())


@pytest.mark.parametrize("beta", [0.5, 3.0])
def test_the_fisher_reading_is_the_inverse_information_of_a_location(beta):
    scale = 1 / beta

    def integrand(x):
        score = math.tanh(x / (2 * scale)) / scale  # d/dx of -log density
        return score**2 * stats.logistic.pdf(x, scale=scale)

    information, _ = integrate.quad(integrand, -40 * scale, 40 * scale)
    assert LabelNoise(beta, "fisher").variance() == pytest.approx(1 / information, rel=1e-6)


@pytest.mark.parametrize("p", [0.5, 0.2, 0.99])
def test_the_bradley_terry_reading_is_the_inverse_information_of_a_binary_label(p):
    beta, step = 2.0, 1e-4
    difference = math.log(p / (1 - p)) / beta
    win = preference_probability(np.array([difference - step, difference, difference + step]), beta)
    slope = (win[2] - win[0]) / (2 * step)
    information = slope**2 / (win[1] * (1 - win[1]))
    assert LabelNoise(beta, "bradley-terry").variance(p) == pytest.approx(1 / information, rel=1e-5)


def test_readings_are_ordered_as_theory_p2_says():
    logistic, fisher, binary = (LabelNoise(1.0, reading).variance() for reading in READINGS)
    assert fisher < logistic < binary == 4.0


@pytest.mark.parametrize("beta", [0.0, -1.0, math.nan, math.inf])
def test_beta_must_be_positive_and_finite(beta):
    with pytest.raises(InputError, match="beta must be positive and finite"):
        LabelNoise(beta)


def test_an_unknown_reading_gets_a_suggestion():
    with pytest.raises(InputError, match=r"unknown noise reading 'fischer'.*'fisher'"):
        LabelNoise(1.0, "fischer")


def test_simulated_labels_are_logistic_about_the_difference():
    rng = np.random.default_rng(0)
    n, beta = 20_000, 2.5
    rewards = rng.normal(size=50)
    a = rng.integers(0, 50, n)
    bare = Comparisons(np.arange(50), a, (a + rng.integers(1, 50, n)) % 50)
    labelled = simulate_labels(bare, rewards, beta, rng)
    difference = rewards[bare.a] - rewards[bare.b]
    noise = labelled.delta - difference
    assert stats.kstest(noise, stats.logistic(scale=1 / beta).cdf).pvalue > 1e-4
    assert np.array_equal(labelled.winner, np.where(labelled.delta > 0, 1, -1))
    # Bradley-Terry (theory M1): wins are as often as they should be, whatever the difference.
    p = preference_probability(difference, beta)
    for low in (0.0, 0.25, 0.5, 0.75):
        some = (p >= low) & (p < low + 0.25)
        wins, spread = (labelled.winner[some] > 0).sum(), (p * (1 - p))[some].sum()
        assert abs(wins - p[some].sum()) < 4.5 * math.sqrt(spread)


def test_preference_probability_is_stable_at_the_extremes():
    p = preference_probability(np.array([-1e4, 0.0, 1e4]), 5.0)
    assert p.tolist() == [0.0, 0.5, 1.0]
