import numpy as np

from ibn.simulations.pools.clustered import means


def test_the_variance_is_that_of_seeds_and_prompts_together():
    rng = np.random.default_rng(0)
    found, drawn = [], []
    prompts = [np.arange(30)] * 12
    for _ in range(400):
        table = rng.normal(size=(12, 1)) + rng.normal(size=30) + rng.normal(size=(12, 30))
        one = means([row[None] for row in table], prompts)
        found.append(one.covariance[0, 0])
        drawn.append(one.value[0])
    truth = 1 / 12 + 1 / 30 + 1 / 360
    assert abs(np.mean(found) / truth - 1) < 0.1
    assert abs(np.var(drawn) / truth - 1) < 0.25


def test_intervals_hold_all_means_at_once():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        table = rng.normal(size=(16, 4, 1)) + rng.normal(size=(1, 4, 40))
        table = table + rng.normal(size=(16, 4, 40))
        one = means(list(table), [np.arange(40)] * 16)
        held += bool(np.all(np.abs(one.value) <= one.reach()))
    assert 0.92 <= held / 400 <= 0.98


def test_outcomes_that_are_not_there_are_left_out():
    table = np.array([[1.0, np.nan, 3.0]])
    one = means([table, table], [np.arange(3), np.arange(3)])
    assert one.value[0] == 2.0
    assert np.isfinite(one.reach()).all()
