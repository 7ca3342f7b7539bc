import math

import numpy as np
import pytest
from scipy import stats

from ibn.errors import InputError
from ibn.estimate import Estimate, combined, estimate_mean, quotient, slope


def normal(seed, mean=1.0, sd=1.0):
    rng = np.random.default_rng(seed)
    return lambda count: rng.normal(mean, sd, count)


def test_an_estimate_summarises_draws():
    draws = np.array([1.0, 2.0, 4.0, 5.0])
    estimate = Estimate.of(draws, seconds=2.5)
    assert estimate.mean == 3.0
    assert estimate.stderr == pytest.approx(math.sqrt(10 / 3) / 2)
    assert estimate.relative_error == pytest.approx(estimate.stderr / 3)
    assert (estimate.count, estimate.seconds) == (4, 2.5)


@pytest.mark.parametrize("count", [2, 3, 10, 1000])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_its_interval_is_students(count, level):
    draws = np.random.default_rng(count).exponential(size=count)
    low, high = Estimate.of(draws).interval(level)
    expected = stats.t.interval(level, count - 1, draws.mean(), stats.sem(draws))
    assert (low, high) == pytest.approx(expected)


def test_students_interval_covers_where_the_normal_one_would_not():
    rng = np.random.default_rng(0)
    trials = [Estimate.of(rng.normal(size=4)).interval() for _ in range(4000)]
    covered = np.mean([low <= 0.0 <= high for low, high in trials])
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 4000))


def test_one_draw_says_nothing_of_its_error():
    estimate = Estimate.of(np.array([2.0]))
    assert estimate.mean == 2.0
    assert estimate.stderr == math.inf
    assert estimate.interval() == (-math.inf, math.inf)


def test_relative_error_of_a_mean_of_zero():
    assert Estimate(0.0, 0.0, 10).relative_error == 0.0
    assert Estimate(0.0, 0.1, 10).relative_error == math.inf
    assert Estimate(-2.0, 0.1, 10).relative_error == pytest.approx(0.05)


@pytest.mark.parametrize("rel_err", [0.1, 0.01, 0.003])
@pytest.mark.parametrize("sd", [0.3, 3.0])
def test_draws_go_on_until_the_relative_error_is_met(rel_err, sd):
    estimate = estimate_mean(normal(1, 2.0, sd), rel_err, min_count=16)
    # Met even were the estimated error too small by two of its own standard deviations.
    margin = 1 + 2 / math.sqrt(2 * (estimate.count - 1))
    assert estimate.relative_error * margin <= rel_err
    needed = (sd / 2.0 / rel_err) ** 2
    # Not much further than the margin for an underestimated error asks for.
    assert estimate.count <= max(16, needed * (1 + 20 / math.sqrt(needed)) + 20)
    assert estimate.mean == pytest.approx(2.0, abs=5 * estimate.stderr)
    assert 0 < estimate.seconds < 10


def test_at_least_the_least_count_is_drawn():
    assert estimate_mean(normal(1, 100.0), 0.5, min_count=50).count == 50


def test_constant_draws_end_at_once():
    found = estimate_mean(np.ones, 0.01, min_count=4)
    assert found == Estimate(1.0, 0.0, 4, found.seconds)
    assert found.seconds < 1
    assert estimate_mean(np.zeros, 0.01, min_count=4).relative_error == 0.0


@pytest.mark.parametrize("most", [3, 16, 100, 1001])
def test_no_more_than_the_most_is_drawn(most):
    asked = []

    def draw(count):
        asked.append(count)
        return np.random.default_rng(len(asked)).normal(1.0, 1.0, count)

    estimate = estimate_mean(draw, 1e-4, min_count=16, max_count=most)
    assert estimate.count == sum(asked) == most
    assert min(asked) > 0
    assert estimate.relative_error > 1e-4


def test_time_is_capped():
    estimate = estimate_mean(normal(0), 1e-9, min_count=16, max_seconds=0.05)
    assert 0.05 <= estimate.seconds < 5.0
    assert estimate.relative_error > 1e-9


def test_infinite_draws_give_an_infinite_mean():
    # A disconnected network has pairs at infinite distance; no number of draws changes that.
    values = iter(np.tile([1.0, np.inf], 5000))
    estimate = estimate_mean(
        lambda count: np.array([next(values) for _ in range(count)]),
        0.01,
        min_count=16,
        max_count=4000,
    )
    assert estimate.mean == math.inf
    assert not estimate.relative_error <= 0.01


@pytest.mark.parametrize("min_count", [16, 128])
@pytest.mark.parametrize("rel_err", [0.3, 0.1, 0.03])
def test_stopping_at_a_target_keeps_the_coverage(rel_err, min_count):
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(2000):
        low, high = estimate_mean(
            lambda k: rng.normal(1.0, 0.3, k), rel_err, min_count=min_count
        ).interval()
        covered += low <= 1.0 <= high
    assert 0.93 <= covered / 2000 <= 0.97


@pytest.mark.parametrize("rel_err", [0.0, -0.1, math.nan, math.inf, 1e-300])
def test_a_target_that_cannot_be_met_is_refused(rel_err):
    with pytest.raises(InputError, match="rel"):
        estimate_mean(normal(0), rel_err, min_count=8, max_count=100)


def test_a_part_of_one_draw_leaves_the_error_open():
    assert combined(2.0, [0.01, 0.03], [8, 1]).stderr == math.inf
    alike = combined(2.0, [0.02, 0.02], [5, 5])
    assert (alike.stderr, alike.count) == (pytest.approx(0.2), pytest.approx(9))
    assert combined(2.0, [0.01, 0.0], [5, 9]).count == pytest.approx(5)


def test_intervals_of_quotients_and_slopes_cover():
    rng = np.random.default_rng(3)
    trials, hits = 2000, np.zeros(2)
    for _ in range(trials):
        top, bottom = rng.normal(3.0, 0.1, 4), rng.normal(2.0, 0.05, 8)
        ratio = quotient(Estimate.of(top), Estimate.of(bottom))
        points = [Estimate.of(n**-0.5 * rng.normal(1.0, 0.05, 6)) for n in (10, 100, 1000)]
        for k, (one, truth) in enumerate(((ratio, 1.5), (slope((10, 100, 1000), points), -0.5))):
            low, high = one.interval()
            hits[k] += low < truth < high
    assert np.all(np.abs(hits / trials - 0.95) < 0.015)
