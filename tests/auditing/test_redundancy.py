"""Redundancy against leaving comparisons out for real."""

import numpy as np
import pytest

from ibn.auditing.redundancy import measure_redundancy
from ibn.auditing.similarity import FixedBias
from ibn.bias.neighbours import NeighbourGraph
from ibn.inference.gaussian import resistance
from ibn.network import build_network
from ibn.preferences.comparisons import Comparisons

SIGMA2 = 1.7


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    bias = FixedBias(NeighbourGraph(rng.normal(size=(12, 2)), 3).edges(np.arange(12)))
    a = rng.integers(0, 12, 20)
    b = (a + rng.integers(1, 12, 20)) % 12
    a[-1], b[-1] = a[0], b[0]  # one comparison twice
    return bias, Comparisons(np.arange(12), a, b)


def left(bias, comparisons, which, pairs):
    some = Comparisons(np.arange(12), comparisons.a[which], comparisons.b[which])
    return resistance(build_network(bias, some, SIGMA2), pairs)


def test_shares_are_those_of_precision(world):
    bias, comparisons = world
    pairs = np.stack([comparisons.a, comparisons.b], axis=1)
    every = np.arange(20)
    before, after = left(bias, comparisons, every[:0], pairs), left(bias, comparisons, every, pairs)
    found = measure_redundancy(pairs, every + 1, after, SIGMA2, solved=(before, after), listed=3)
    for k in range(20):
        without = left(bias, comparisons, np.delete(every, k), pairs[k : k + 1])[0]
        assert found.implied[k] == pytest.approx(after[k] / without)
        assert 1 / after[k] == pytest.approx(1 / without + 1 / SIGMA2)
    shares = (found.by_bias, found.by_others, found.by_itself)
    assert sum(share.mean for share in shares) == pytest.approx(1)
    assert found.by_bias.mean == pytest.approx(np.mean(after / before))
    assert [share.stderr for share in shares] == [0, 0, 0]
    some = measure_redundancy(pairs, every, after, SIGMA2, solved=(before[:9], after[:9]))
    assert some.by_itself.mean == pytest.approx(np.mean(after[:9]) / SIGMA2)
    assert some.by_itself.stderr > 0
    assert found.effective == pytest.approx(np.sum(after) / SIGMA2)
    assert [one.line for one in found.most] == (np.argsort(-found.implied)[:3] + 1).tolist()


def test_the_threshold_counts(world):
    bias, comparisons = world
    pairs = np.stack([comparisons.a, comparisons.b], axis=1)
    before = left(bias, comparisons, np.arange(0), pairs)
    after = left(bias, comparisons, np.arange(20), pairs)
    for threshold in (0.0, 0.5, 0.8, 1.0):
        found = measure_redundancy(
            pairs, np.arange(20), after, SIGMA2, solved=(before, after), threshold=threshold
        )
        assert found.redundant == np.count_nonzero(found.implied >= threshold)
