"""The benchmark of chosen labels: its pools, methods, learners, units and page."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.acquisition import METHODS, State, greedy_determinant
from benchmarks.forecast_check import check_forecasts
from benchmarks.label_pools import pool_of_pairs, pool_of_scores
from benchmarks.label_runs import FORECAST, RANDOM_CURVE, Job, Place, read_store, run_all, run_job
from benchmarks.label_units import METRICS, Measured, Units, falling, reach, resampling, worth
from benchmarks.labels import main
from benchmarks.pool_learners import bayesian, cross_validated, laplace
from ibn.learner.reward_model import posterior
from ibn.preferences.comparisons import Comparisons

seeds = st.integers(0, 10_000)
WORDS = [
    "red",
    "green",
    "blue",
    "old",
    "new",
    "small",
    "large",
    "warm",
    "cold",
    "quick",
    "slow",
    "bright",
]


def small_state(rng, prompts=12, each=3, labelled=6):
    m = prompts * each
    features = rng.normal(size=(m, 4))
    prompt_of = np.repeat(np.arange(prompts), each)
    pairs = np.array([[i, i + 1] for i in range(m - 1) if prompt_of[i] == prompt_of[i + 1]])
    x = features[pairs[:, 0]] - features[pairs[:, 1]]
    sign = np.where(x[:, 0] > 0, 1.0, -1.0)[:labelled]
    is_open = np.arange(len(x)) >= labelled
    belief = bayesian(x[:labelled] * sign[:, None])
    known = np.arange(labelled)
    prompt_rows = rng.normal(size=(prompts, 3))
    return State(features, prompt_of, prompt_rows, pairs, x, is_open, known, sign, belief)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("labelled", [0, 6])
def test_a_method_chooses_so_many_new_candidates(name, labelled):
    state = small_state(np.random.default_rng(0), labelled=labelled)
    for k in (1, 9, int(state.open.sum())):
        chosen = METHODS[name](state, k, np.random.default_rng(1))
        assert len(np.unique(chosen)) == k
        assert state.open[chosen].all()
    assert state.open.sum() == len(state.x) - labelled


@given(seeds, st.booleans())
def test_the_fast_determinant_is_the_naive_one(seed, one_a_group):
    rng = np.random.default_rng(seed)
    x, weight = rng.normal(size=(8, 3)), rng.uniform(0.05, 0.25, 8)
    group = np.arange(8) // 2
    covariance = np.diag(rng.uniform(0.5, 2.0, 3))
    left = np.full(4, 1 if one_a_group else 9)
    found = greedy_determinant(x, weight, covariance, np.ones(8, bool), group, left, 3)
    precision, free = np.linalg.inv(covariance), list(range(8))
    for i in found:
        after = {
            k: np.linalg.slogdet(precision + weight[k] * np.outer(x[k], x[k]))[1] for k in free
        }
        assert after[i] == pytest.approx(max(after.values()))
        precision = precision + weight[i] * np.outer(x[i], x[i])
        free = [k for k in free if (group[k] != group[i] if one_a_group else k != i)]


def test_our_learner_is_the_library_s():
    rng = np.random.default_rng(2)
    features = rng.normal(size=(40, 5))
    a, b = np.arange(20), np.arange(20, 40)
    comparisons = Comparisons(np.arange(40), a, b, winner=np.ones(20, np.int8))
    model = posterior(features, comparisons, scale=0.7)
    belief = laplace(features[a] - features[b], 0.7, None)
    np.testing.assert_allclose(belief.mean, model.mean, atol=1e-4)
    np.testing.assert_allclose(belief.covariance, model.covariance, atol=1e-4)
    assert belief.evidence == pytest.approx(model.log_evidence, abs=1e-4)


def test_the_other_learner_finds_the_direction():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 3))
    x = x * np.where(x[:, 0] > 0, 1.0, -1.0)[:, None]
    weights = cross_validated(x, rng)
    assert weights[0] > 5 * np.abs(weights[1:]).max()
    assert not cross_validated(x[:3], rng).any()


@given(seeds)
def test_curves_are_made_to_fall_and_inverted(seed):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=7)
    # The least-squares falling curve, by its min-max formula.
    means = [[y[i : j + 1].mean() if i <= j else np.nan for j in range(7)] for i in range(7)]
    naive = [min(max(means[i][j] for j in range(at, 7)) for i in range(at + 1)) for at in range(7)]
    row = y[None].copy()
    falling(row)
    np.testing.assert_allclose(row[0], naive, atol=1e-12)
    x, curve = np.arange(4.0), np.array([[3.0, 2.0, 2.0, 0.0]])
    for value, where in ((4.0, 0.0), (2.5, 0.5), (2.0, 1.5), (1.0, 2.5), (-1.0, 3.0)):
        assert reach(curve, x, np.array([value]))[0] == pytest.approx(where)


def test_label_units_of_what_twice_the_random_labels_reach():
    counts = {0: np.array([8, 32, 64, 128, 256]), 32: np.array([0, 32, 64, 128])}

    def scores(n):
        return np.array([[0.69 - 0.02 * np.log2(1 + n), 0.5 + 0.02 * np.log2(1 + n), 1.0]] * 2)

    curves = {s: np.array([[scores(n + s) for n in of.tolist()]] * 3) for s, of in counts.items()}
    good = {(s, 64): np.array([scores(128 + s)] * 3) for s in (0, 32)}
    same = {(s, 64): np.array([scores(64 + s)] * 3) for s in (0, 32)}
    one = Measured(counts, curves, {"good": good, "same": same})
    weights = resampling(3, np.random.default_rng(0))
    for metric in ("log loss", "accuracy"):
        found = worth({"any": one}, metric, 64, weights)
        np.testing.assert_allclose(found["good"], 2.0, rtol=1e-6)
        np.testing.assert_allclose(found["same"], 1.0, rtol=1e-6)
    assert list(METRICS) == ["log loss", "accuracy", "regret"]


def test_simultaneous_intervals_hold_all_columns_at_once():
    rng = np.random.default_rng(0)
    table = Units([("s", str(i)) for i in range(20)], np.zeros(20), rng.normal(size=(1000, 20)))
    low, high = table.interval()
    inside = np.all((table.resampled >= low) & (table.resampled <= high), axis=1)
    assert inside.mean() == pytest.approx(0.95, abs=0.01)


def test_pools_hold_each_pair_once_and_no_ties():
    rows = [("p", "x", "y", 1), ("p", "y", "x", 1), ("p", "x", "x", 1), ("q", "x", "y", 0)]
    pool = pool_of_pairs("any", rows)
    assert len(pool.pairs) == 1
    winner = pool.pairs[0][0 if pool.label[0] > 0 else 1]
    assert pool.responses[winner] == "x"
    scored = pool_of_scores("any", [("p", t, s) for t, s in zip("xyzx", [1, 2, 2, 3], strict=True)])
    assert len(scored.responses) == 3
    assert scored.score.tolist() == [2.0, 2.0, 2.0]
    assert not len(scored.pairs)


def written(path, rng, prompts=160):
    with open(path, "w") as file:
        for p in range(prompts):
            texts = [" ".join(rng.choice(WORDS, 8)) for _ in range(2)]
            texts.sort(key=lambda text: -text.count("red") - text.count("warm"))
            row = {"prompt": f"prompt {p}", "chosen": texts[0], "rejected": texts[1]}
            file.write(json.dumps(row) + "\n")
    return path


def test_from_a_file_to_a_page(tmp_path):
    data = written(tmp_path / "mine.jsonl", np.random.default_rng(0))
    out, store = tmp_path / "labels.md", tmp_path / "kept.jsonl"
    arguments = ["--data", str(data), "--splits", "3", "--features", "tfidf", "--out", str(out)]
    arguments += ["--methods", "random,ours,bald", "--store", str(store)]
    ran = CliRunner().invoke(main, arguments)
    assert ran.exit_code == 0, ran.output
    text = out.read_text()
    for part in ("## Sets", "| mine |", "K = 64", "ours", "Random wins against", "## Forecast"):
        assert part in text
    lines = len(store.read_text().splitlines())
    assert lines == 3 * 4 + 3
    with open(store, "a") as file:
        file.write('{"cut off')
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 0
    assert out.read_text() == text
    records = read_store(store)
    assert len(records) == lines
    found = check_forecasts(records, ["mine"], "log loss")
    assert found is not None
    assert found.sets == 1


def test_runs_are_the_same_again_and_unknown_methods_are_refused(tmp_path):
    data = written(tmp_path / "mine.jsonl", np.random.default_rng(1))
    place = Place(data, None)
    for method in (RANDOM_CURVE, "ours", FORECAST):
        job = Job("mine", "tfidf", 0, method)
        first = next(run_all(place, [job], tmp_path / f"{method}.jsonl", 1))
        assert json.dumps(run_job(place, job)) == json.dumps(first)
    ran = CliRunner().invoke(main, ["--data", str(data), "--methods", "best"])
    assert ran.exit_code != 0
    assert "no such method" in ran.output
