"""MinHash kernels against their naive twins."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ibn.kernels.minhash import least_hashes


@given(st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=6), max_size=5), st.integers(0, 99))
def test_least_hashes(sets, seed):
    rng = np.random.default_rng(seed)
    factor, shift = rng.integers(0, 2**32, (2, 3), dtype=np.uint32)
    start = np.cumsum([0, *map(len, sets)])
    values = np.array([x for one in sets for x in one], np.uint32)
    found = least_hashes(start, values, factor, shift)
    assert found.shape == (3, len(sets))
    for i, one in enumerate(sets):
        for j in range(3):
            hashes = [(int(factor[j]) * x + int(shift[j])) % 2**32 for x in one]
            assert found[j, i] == min(hashes, default=2**32 - 1)
