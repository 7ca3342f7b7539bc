from itertools import pairwise

import naive
import numpy as np
import pytest

from ibn.bias.ultrametric import Ultrametric
from ibn.preferences.comparisons import Comparisons
from proofs_check.claim import FAILS, METHODS, Context
from proofs_check.resistance import (
    CLAIMS,
    MUTANTS,
    _counting_bound,
    _nearest,
    _observe,
    _prior,
    _variogram,
    exponents,
)


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


def test_exponents_are_recovered_and_their_intervals_cover():
    n = 2.0 ** np.arange(6, 17)
    missed = 0
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(0.0, 1.0 / np.sqrt(n), (4, len(n)))
        values = 3.0 * n**-0.3 * np.log(n) ** 0.5 * np.exp(noise)
        e, l = exponents(n, values, 0.95, ["n", "log n"])  # noqa: E741
        missed += not e[0] <= -0.3 <= e[1]
        missed += not l[0] <= 0.5 <= l[1]
    assert 4 <= missed <= 40  # 20 of 400 expected


def test_nearest_leaf_is_that_of_a_simulation():
    world = Ultrametric(alpha=0.5)
    rng = np.random.default_rng(0)
    draws = [
        world.distance(world.sample(1, rng), world.sample(20, rng)).min() for _ in range(4_000)
    ]
    error = np.std(draws) / np.sqrt(len(draws))
    assert abs(np.mean(draws) - _nearest(world, 20)) < 4 * error


def test_observing_gives_the_posterior_variance():
    world = Ultrametric(alpha=0.5, digits=3)
    comparisons = Comparisons(np.arange(8), np.array([0, 1]), np.array([6, 4]))
    posterior = _prior(world)[None]
    for a, b in zip(comparisons.a, comparisons.b, strict=True):
        posterior = _observe(posterior, np.array([a]), np.array([b]), 0.2)
    network = naive.whole_world(world, comparisons, 0.2)
    assert np.allclose(_variogram(posterior)[0], naive.resistance_matrix(network))


def test_counting_bound_is_below_the_prior_and_falls_as_more_is_touched():
    world = Ultrametric(alpha=0.5)
    bounds = [_counting_bound(world, touched) for touched in (2, 20, 200, 2_000)]
    assert all(a > b for a, b in pairwise(bounds))
    assert bounds[0] < float(world.structural_function(1))
