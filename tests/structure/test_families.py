"""Families fitted: intervals cover, the right one is selected, and doubt is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibn.bias.ultrametric import FAMILIES, Ultrametric
from ibn.errors import InputError
from ibn.structure import Structure, fit_families, structural_function_of_distances

WORLDS = [("power", 0.3), ("power", 1.0), ("logarithmic", 1.0), ("sub-logarithmic", 1.0)]


def fit_of(fits, family):
    return {fit.family: fit for fit in fits.ranked}[family]


def noisy(world, error, seed, levels=7):
    """An estimate with independent relative errors of known size."""
    cells = 2 ** np.arange(levels)
    exact = world.structural_function(cells)
    value = exact * np.exp(np.random.default_rng(seed).normal(0.0, error, levels))
    return Structure(cells, value, np.diag((error * value) ** 2), 1000)


@given(st.sampled_from(FAMILIES), st.floats(0.05, 3.0), st.floats(1e-3, 1e3))
def test_an_exact_function_is_recovered(family, alpha, scale):
    world = Ultrametric(family, alpha=alpha, scale=scale)
    exact = world.structural_function(2 ** np.arange(7))
    fits = fit_families(Structure(2 ** np.arange(7), exact, np.diag((1e-3 * exact) ** 2), 100))
    fit = fit_of(fits, family)
    assert fit.scale == pytest.approx(scale, rel=1e-3)
    assert fit.residual < 1e-4
    assert fit.world().structural_function(8) == pytest.approx(
        world.structural_function(8), rel=1e-3
    )
    if family != "sub-logarithmic":
        assert fit.alpha == pytest.approx(alpha, rel=1e-3)


@pytest.mark.parametrize(("family", "alpha"), WORLDS[:3])
def test_intervals_cover_as_often_as_they_say(family, alpha):
    world = Ultrametric(family, alpha=alpha, scale=2.0)
    fits = [fit_of(fit_families(noisy(world, 0.01, seed)), family) for seed in range(100)]
    of_alpha = sum(fit.alpha_interval[0] <= alpha <= fit.alpha_interval[1] for fit in fits)
    of_scale = sum(fit.scale_interval[0] <= 2.0 <= fit.scale_interval[1] for fit in fits)
    assert 90 <= of_alpha <= 100
    assert 90 <= of_scale <= 100


@pytest.mark.parametrize(("family", "alpha"), WORLDS)
def test_from_responses_the_family_is_selected_and_its_interval_covers(family, alpha):
    world = Ultrametric(family, alpha=alpha, scale=2.0)
    covered = selected = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        y = world.sample(512, rng)
        found = structural_function_of_distances(world.distance(y[:, None], y[None, :]), rng=rng)
        fits = fit_families(found)
        fit = fit_of(fits, family)
        low, high = fit.scale_interval if np.isnan(fit.alpha) else fit.alpha_interval
        covered += low <= (2.0 if np.isnan(fit.alpha) else alpha) <= high
        selected += fits.selected == family
    assert covered >= 10
    assert selected >= 11


def test_a_wrong_alpha_is_not_covered():
    fit = fit_families(noisy(Ultrametric("power", alpha=0.3), 0.01, 0)).power
    assert not fit.alpha_interval[0] <= 0.4 <= fit.alpha_interval[1]


def test_too_little_data_cannot_tell():
    world = Ultrametric("power", alpha=0.3)
    fits = fit_families(noisy(world, 0.3, 1, levels=4))
    assert fits.selected is None
    assert fits.words().startswith("cannot tell")


def test_where_nothing_falls_alpha_is_small_and_nothing_breaks():
    cells = 2 ** np.arange(5)
    value = np.array([1.0, 1.001, 1.0, 1.002, 1.001])
    fits = fit_families(Structure(cells, value, np.diag(np.full(5, 1e-6)), 1000))
    assert fits.power.alpha < 0.01
    assert fits.power.alpha_interval[0] < fits.power.alpha_interval[1]


def test_what_no_family_fits_has_wide_intervals():
    """A quaternary hierarchy cut in two at every level: no power law, and so it says."""
    cells = 2 ** np.arange(5)
    value = np.array([1.0, 0.9, 0.5, 0.45, 0.25])
    fits = fit_families(Structure(cells, value, np.diag((1e-3 * value) ** 2), 1000))
    assert fits.power.misfit > 100
    assert fits.power.alpha_interval[0] < 0.5 < fits.power.alpha_interval[1]
    assert fits.power.residual > 0.05


def test_a_misfit_is_told():
    world = Ultrametric("power", alpha=0.3)
    bent = noisy(world, 1e-4, 0).value * (1 + 0.001 * np.arange(7) ** 2)
    fits = fit_families(Structure(2 ** np.arange(7), bent, np.diag((1e-4 * bent) ** 2), 100))
    assert "% off" in fits.words()


@settings(max_examples=20)
@given(st.floats(0.1, 10.0))
def test_scale_alone_changes_with_the_unit(factor):
    one = noisy(Ultrametric("logarithmic", alpha=0.7), 0.02, 3)
    other = Structure(one.cells, factor * one.value, factor**2 * one.covariance, 1000)
    first, second = fit_families(one), fit_families(other)
    assert second.logarithmic.alpha == pytest.approx(first.logarithmic.alpha, rel=1e-4)
    assert second.logarithmic.scale == pytest.approx(factor * first.logarithmic.scale, rel=1e-4)
    assert first.selected == second.selected


@pytest.mark.parametrize(
    ("value", "told"), [([1.0, 0.5], "too few to fit"), ([1.0, 0.5, 0.0], "no decay to fit")]
)
def test_bad_input_is_told(value, told):
    value = np.array(value)
    with pytest.raises(InputError, match=told):
        fit_families(Structure(2 ** np.arange(len(value)), value, np.eye(len(value)), 10))
