import numpy as np

from ibn.bias.ultrametric import Ultrametric
from ibn.proofs_check.measured import mean_nearest


def test_nearest_leaf_is_that_of_a_simulation():
    world = Ultrametric(alpha=0.5)
    rng = np.random.default_rng(0)
    draws = [
        world.distance(world.sample(1, rng), world.sample(20, rng)).min() for _ in range(4_000)
    ]
    error = np.std(draws) / np.sqrt(len(draws))
    assert abs(np.mean(draws) - mean_nearest(world, 20)) < 4 * error
