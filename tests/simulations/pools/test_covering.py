import numpy as np
import pytest

from ibn.simulations.pools.covering import coverage, made_up
from ibn.simulations.pools.falling import exponent
from ibn.simulations.pools.foreseen import NAMES, UNEXPLAINED, foresee
from ibn.simulations.pools.laying import lay


def test_intervals_of_made_up_pools_are_counted_the_same_whatever_the_workers():
    one, two = coverage(3, 3, jobs=1), coverage(3, 3, jobs=2)
    assert one == two
    assert all(0 <= each.hits <= 3 for each in one)


@pytest.mark.slow
def test_the_intervals_cover():
    for one in coverage(100, 20):
        assert 0.88 <= one.hits / one.trials <= 1.0, one


def test_reuse_is_foreseen_to_leave_more_uncertainty():
    pool = made_up(np.random.default_rng(0))
    features = pool.features["made-up"]
    groups = np.split(np.arange(240), 40)
    test = np.stack([np.arange(240, 360, 2), np.arange(241, 361, 2)], axis=1)
    rng = np.random.default_rng(0)
    scores = {
        name: foresee(features, pool.prompt_of, lay(name, groups, 80, rng), test, name,
                      np.random.default_rng(1))
        for name in ("chain", "tree-few")
    }  # fmt: skip
    for k, name in enumerate(NAMES):
        if name in ("chain", "responses", "prompts", "kernel", "own"):
            assert scores["chain"][k] < scores["tree-few"][k], name


def test_an_exponent_is_found_again():
    ns = np.array([100.0, 300.0, 1000.0, 3000.0, 10000.0])
    for rho in (0.3, 0.5, 1.0):
        assert abs(exponent(ns, 0.6 + 2 * ns**-rho, np.full(5, 1e-3)) - rho) < 0.03


def test_pairs_that_features_do_not_tell_apart_differ_by_their_own_parts_alone():
    pool = made_up(np.random.default_rng(0))
    features = pool.features["made-up"].copy()
    features[240:] = features[240]
    groups = np.split(np.arange(240), 40)
    test = np.stack([np.arange(240, 360, 2), np.arange(241, 361, 2)], axis=1)
    rng = np.random.default_rng(0)
    pairs = lay("chain", groups, 80, rng)
    found = dict(zip(NAMES, foresee(features, pool.prompt_of, pairs, test, "chain", rng),
                     strict=True))  # fmt: skip
    assert found["kernel"] == pytest.approx(0.0, abs=1e-12)
    assert found["own"] == pytest.approx(UNEXPLAINED)
    assert np.isfinite(list(found.values())).all()
