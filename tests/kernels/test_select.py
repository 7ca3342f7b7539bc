"""Kernels that select the nearest, against their naive twins."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ibn.kernels.select import nearest_elsewhere


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(2, 30))
def test_nearest_elsewhere(seed, rows, columns):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, columns)
    own = rng.integers(0, 3, rows)
    product = rng.integers(-3, 4, (rows, columns)).astype(float)
    norms = rng.integers(0, 4, columns).astype(float)
    distance = np.where(label == own[:, None], np.inf, norms - 2.0 * product)
    found, least = nearest_elsewhere(product, norms, label, own)
    np.testing.assert_array_equal(found, distance.argmin(axis=1))
    np.testing.assert_array_equal(least, distance.min(axis=1))
