"""Pólya-Gamma draws, against the Laplace transform that defines them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import kstest

from ibn import polya_gamma


def log_transform(b, x, t):
    """Log E[exp(-tω)] over ω ~ PG(b, x), exactly: (cosh(x/2)/cosh(√(x²/4 + t/2)))^b."""
    log_cosh = lambda z: np.logaddexp(z, -z)  # noqa: E731
    return b * (log_cosh(x / 2) - log_cosh(np.sqrt(x**2 / 4 + t / 2)))


def drawn_log_transform(b, x, t):
    """The same for what ``draw`` draws: a product over its gamma variables."""
    scale = polya_gamma._terms(np.array([x]))
    shape, unit = polya_gamma._rest(b, np.array([x]), scale)
    return -b * np.log1p(t * scale).sum() - shape[0] * np.log1p(t * unit[0])


@pytest.mark.parametrize("b", [1.0, 2.0])
@pytest.mark.parametrize(
    ("x", "tolerance"),
    [(0.0, 1e-8), (0.04, 1e-8), (0.06, 1e-8), (2.0, 2e-8), (10.0, 1e-6), (100.0, 1e-3)],
)
def test_the_law_of_a_draw_is_right_to_the_tails(b, x, tolerance):
    for t in np.array([0.01, 0.1, 1.0, 10.0]) / polya_gamma.mean(b, np.array([x]))[0]:
        assert abs(drawn_log_transform(b, x, t) - log_transform(b, x, t)) < tolerance


@pytest.mark.parametrize("b", [1.0, 2.0])
def test_moments_are_derivatives_of_the_log_transform(b):
    for x in (0.3, 1.0, 5.0, 20.0):
        mean = polya_gamma.mean(b, np.array([x]))[0]
        step = 1e-3 / mean
        left, middle, right = (log_transform(b, x, t) for t in (-step, 0.0, step))
        assert_allclose(mean, (left - right) / (2 * step), rtol=1e-5)
        spread = (left - 2 * middle + right) / step**2
        assert_allclose(polya_gamma.variance(b, np.array([x]))[0], spread, rtol=1e-4)


@pytest.mark.parametrize("x", [0.0, -0.05, 0.05])
def test_moments_are_even_and_join_where_the_formula_changes(x):
    near = np.array([x * 0.999, x * 1.001])
    for moment in (polya_gamma.mean, polya_gamma.variance):
        assert_allclose(moment(1.0, near), moment(1.0, -near), rtol=0)
        assert_allclose(*moment(1.0, near), rtol=1e-4)


@pytest.mark.parametrize("b", [1.0, 2.0])
def test_draws_have_these_moments(b):
    rng = np.random.default_rng(0)
    x = np.full(40_000, 1.5)
    draws = polya_gamma.draw(b, x, rng)
    stderr = np.sqrt(polya_gamma.variance(b, x[:1])[0] / len(x))
    assert abs(draws.mean() - polya_gamma.mean(b, x[:1])[0]) < 5 * stderr
    assert draws.var() == pytest.approx(polya_gamma.variance(b, x[:1])[0], rel=0.1)


def test_mixing_gaussians_over_draws_gives_the_logistic_law():
    """Its density is E[exp(-ωx²/2)]/4: a Gaussian of precision ω, weighed by 1/√ω."""
    rng = np.random.default_rng(1)
    precision = polya_gamma.draw(2.0, np.zeros(60_000), rng)
    precision = precision[rng.random(len(precision)) < np.sqrt(precision.min() / precision)]
    noise = rng.normal(size=len(precision)) / np.sqrt(precision)
    assert kstest(noise, "logistic").pvalue > 1e-4
