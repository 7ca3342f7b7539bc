import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibn import autoencoder
from ibn.errors import InputError
from simulations.language import LEARNERS, Language, decode, draw, win_rate
from simulations.tournament import Outcome, Setting, load, predictions, run, save

SMALL = Language("chain", 48, alpha=0.7, beta=50.0, length=6)


def data_of(setting=SMALL, seed=0):
    rng = np.random.default_rng(seed)
    reward = setting.world.rewards(setting.sequences, rng)
    return draw(setting, reward, rng)


@given(st.integers(2, 12), st.integers(0, 2**16))
@settings(max_examples=50, deadline=None)
def test_win_rates_are_those_of_all_pairs(m, seed):
    rng = np.random.default_rng(seed)
    reward = rng.integers(0, 5, m).astype(float)
    p, q = rng.dirichlet(np.ones(m)), rng.dirichlet(np.ones(m))
    naive = sum(
        p[i] * q[j] * ((reward[i] > reward[j]) + 0.5 * (reward[i] == reward[j]))
        for i in range(m)
        for j in range(m)
    )
    assert win_rate(np.log(p), np.log(q), reward) == pytest.approx(naive)
    assert win_rate(np.log(p), np.log(p), reward) == pytest.approx(0.5)


def test_rewards_of_long_common_prefixes_are_alike():
    rng = np.random.default_rng(0)
    setting = Language("chain", 8, alpha=1.0, length=5)
    drawn = np.array([setting.world.rewards(setting.sequences, rng) for _ in range(4000)])
    for y, depth in ((1, 4), (2, 3), (8, 1), (16, 0)):
        squared = (drawn[:, 0] - drawn[:, y]) ** 2
        error = squared.std() / np.sqrt(len(squared))
        assert abs(squared.mean() - setting.world.distance_at(depth)) < 4 * error


@pytest.mark.parametrize("name", LEARNERS)
def test_learners_learn(name):
    few = [_error(name, Language("chain", 16, 0.7, 50.0, length=6), seed) for seed in range(4)]
    many = [_error(name, Language("chain", 256, 0.7, 50.0, length=6), seed) for seed in range(4)]
    assert np.mean(many) < 0.7 * np.mean(few)


def _error(name, setting, seed):
    data = data_of(setting, seed)
    model = LEARNERS[name](data, np.random.default_rng(seed))
    return np.var(model - data.reward)


def test_the_linear_model_is_the_posterior_mean_where_its_prefixes_are_all_there_is():
    setting = Language("chain", 40, alpha=0.7, beta=3.0, length=5)
    data = data_of(setting)
    linear, exact = (LEARNERS[name](data, None) for name in ("linear", "gaussian-process"))
    assert np.allclose(linear - linear.mean(), exact - exact.mean(), atol=1e-8)


def test_decoders_are_those_of_the_autoencoder():
    reward = np.random.default_rng(0).normal(size=32)
    assert np.array_equal(decode(reward, "best-of-n"), autoencoder.best_of(reward, 16))
    assert np.array_equal(decode(reward, "regularised"), autoencoder.gibbs(reward, 4.0))
    with pytest.raises(InputError, match="did you mean 'best-of-n'"):
        decode(reward, "best-of")


def test_outcomes_do_not_depend_on_the_number_of_workers_and_are_read_back(tmp_path):
    setting = [Setting(0.5, 32, 20.0, 5, ("chain", "tree"))]
    one, two = (next(run(setting, 3, 0, jobs)) for jobs in (1, 2))
    assert one == two
    assert {(row.topology, row.learner) for row in one} == {
        (topology, learner) for topology in ("chain", "tree") for learner in LEARNERS
    }
    chain = [row for row in one if row.topology == "chain"]
    assert np.allclose([[row.regularised, row.best_of_n] for row in chain], 0.5)
    save(tmp_path / "t.csv", one)
    assert load(tmp_path / "t.csv") == one
    (tmp_path / "bad.csv").write_text("alpha,n\n")
    with pytest.raises(InputError, match=r"bad.csv:1: no table of a tournament"):
        load(tmp_path / "bad.csv")


def test_the_mean_variance_is_the_mean_error_of_the_exact_learner():
    """The posterior variance is what it says: the expected squared error of the posterior mean."""
    gaps = []
    for seed in range(60):
        data = data_of(Language("chain", 24, 0.5, 1e4, length=5), seed)
        model = LEARNERS["gaussian-process"](data, None)
        gaps.append(2.0 * np.var(model - data.reward, ddof=1))
    from ibn.posterior import resistance_matrix

    predicted = [
        resistance_matrix(data_of(Language("chain", 24, 0.5, 1e4, length=5), seed).network).sum()
        / (32 * 31)
        for seed in range(60)
    ]
    difference = np.array(gaps) - np.array(predicted)
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(len(difference))


def test_predictions_rank_what_they_should():
    rng = np.random.default_rng(0)
    rows = []
    for alpha in (0.1, 0.2, 0.3, 0.4):
        for n in (8, 16, 32):
            for k in range(4):
                error = rng.random()
                rows += [
                    Outcome(
                        alpha, n, 1.0, f"t{k}", 0, learner, 9,
                        *(0.5, 0.0, 0.5, 0.0), error, 0.0, -error, 0.0, error**3, 0.0,
                    )
                    for learner in LEARNERS
                ]  # fmt: skip
    for one in predictions(rows):
        assert one.points == 48
        assert one.correlation == pytest.approx(1.0 if one.measure == "variance" else -1.0)
        assert one.low <= one.correlation <= one.high
