from itertools import pairwise

import naive
import numpy as np

from ibn.bias.ultrametric import Ultrametric
from ibn.preferences.comparisons import Comparisons
from ibn.proofs_check.exact.lower_bound import _counting_bound, _observe, _prior, _variogram


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
