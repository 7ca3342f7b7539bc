import naive
import numpy as np

from ibn.kernels.pairwise import pairwise_resistance


def test_pairwise_resistance_reads_the_lower_triangle():
    rng = np.random.default_rng(2)
    size = 150
    matrix = (
        naive.laplacian(
            size, np.arange(size), np.roll(np.arange(size), -1), rng.uniform(0.5, 2.0, size)
        )
        + 1.0
    )
    inverse = np.linalg.inv(matrix)
    nodes = rng.integers(0, size, 130)
    own = np.diag(inverse)[nodes]
    expected = own[:, None] + own - 2.0 * inverse[np.ix_(nodes, nodes)]
    lower = np.asfortranarray(np.where(np.tri(size, dtype=bool), inverse, np.nan))
    np.testing.assert_allclose(pairwise_resistance(lower, nodes), expected, atol=1e-12)
