"""Ford's condition, against the division of players it speaks of."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ibn.preferences.dominance import has_maximum


def naive_has_maximum(size, a, b, preferred):
    """Go through every division in two and look for a win each way."""
    for side in product((False, True), repeat=size):
        if all(side) or not any(side):
            continue
        crossed = [
            (side[x] and q > 0) or (side[y] and q < 1)
            for x, y, q in zip(a, b, preferred, strict=True)
            if side[x] != side[y]
        ]
        if not any(crossed):
            return False
    return True


@given(st.integers(2, 5), st.integers(0, 12), st.integers(0, 2**32 - 1))
def test_every_division_of_the_players_is_crossed_both_ways(size, count, seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, size, count)
    b = (a + rng.integers(1, size, count)) % size
    preferred = rng.choice([0.0, 0.5, 1.0], count, p=[0.45, 0.1, 0.45])
    assert has_maximum(size, a, b, preferred) == naive_has_maximum(size, a, b, preferred)
