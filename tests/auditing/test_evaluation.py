import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import expit

import ibn
from benchmarks.foresight import against_more
from ibn.auditing.evaluation import deal, evaluate, groups_of, logistic_regression, restrict
from ibn.auditing.scoring import calibration_error, reliability
from ibn.errors import InputError
from ibn.learner.log_loss import log_losses
from ibn.learner.reward_model import fit
from ibn.results import plain


def world(prompts=300, answers=2, d=4, *, seed=0, scale=3.0):
    """Prompts of a few answers each, every two compared, rewards linear in the embedding."""
    rng = np.random.default_rng(seed)
    m = prompts * answers
    embeddings = rng.normal(size=(m, d))
    prompt_of = np.repeat(np.arange(prompts), answers)
    a, b = np.nonzero((prompt_of[:, None] == prompt_of) & (np.arange(m)[:, None] < np.arange(m)))
    reward = embeddings @ rng.normal(0, np.sqrt(scale / (2 * d)), d)
    comparisons = ibn.simulate_labels(ibn.Comparisons(np.arange(m), a, b), reward, 1.0, rng)
    return embeddings, comparisons, prompt_of


@pytest.fixture(scope="module")
def evaluation():
    return evaluate(*world())


@given(st.integers(0, 9), st.integers(2, 6))
def test_no_prompt_is_on_both_sides_of_a_split(seed, splits):
    _, comparisons, prompt_of = world(20, seed=seed)
    group, split_by = groups_of(comparisons, prompt_of, splits)
    part = deal(group, splits, np.random.default_rng(seed))
    assert split_by == "prompt"
    prompts = [set(prompt_of[comparisons.a[part == k]]) for k in range(splits)]
    assert sum(map(len, prompts)) == len(set().union(*prompts)) == 20
    assert max(map(len, prompts)) - min(map(len, prompts)) <= 1


def test_prompts_that_a_comparison_joins_stay_together():
    comparisons = ibn.Comparisons(np.arange(8), [0, 2, 4, 6], [1, 4, 5, 7], winner=np.ones(4))
    group, split_by = groups_of(comparisons, np.array([0, 0, 1, 1, 2, 2, 3, 3]), 1)
    assert split_by == "prompt"
    assert group[1] == group[2]
    assert len(set(group)) == 3


def test_a_leaderboard_is_split_by_pair():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 9, 200)
    b = (a + rng.integers(1, 9, 200)) % 9
    group, split_by = groups_of(ibn.Comparisons(np.arange(9), a, b), np.zeros(9, int), 5)
    assert split_by == "comparison"
    assert len(np.unique(group)) == len({frozenset(pair) for pair in zip(a, b, strict=True)})


def test_the_losses_are_those_of_a_loop():
    embeddings, comparisons, prompt_of = world(30, 3, seed=2)
    comparisons = comparisons.labelled(
        winner=np.where(np.arange(len(comparisons)) % 5, comparisons.winner, 0)
    )
    found = evaluate(embeddings, comparisons, prompt_of, splits=3)
    part = deal(groups_of(comparisons, prompt_of, 3)[0], 3, np.random.default_rng(0))
    losses, hits = [], []
    for k in range(3):
        model = fit(embeddings, restrict(comparisons, part != k), intervals=False)
        loss, hit = [], []
        for i in np.flatnonzero(part == k):
            p = model.probability([comparisons.a[i]], [comparisons.b[i]])[0]
            share = (1 + comparisons.winner[i]) / 2
            loss.append(-share * np.log(p) - (1 - share) * np.log(1 - p))
            hit.append(0.5 if share == 0.5 else (p > 0.5) == (share == 1))
        losses.append(np.mean(loss))
        hits.append(np.mean(hit))
    assert found.model.log_loss.mean == pytest.approx(np.mean(losses))
    assert found.model.log_loss.stderr == pytest.approx(np.std(losses, ddof=1) / np.sqrt(3))
    assert found.model.accuracy.mean == pytest.approx(np.mean(hits))


def test_a_right_model_is_calibrated_and_no_worse_than_logistic_regression(evaluation):
    chance = evaluation.model.by_chance
    assert evaluation.model.pooled_calibration_error < chance.mean + 4 * chance.stderr
    assert evaluation.gain.mean > -3 * evaluation.gain.stderr
    assert evaluation.model.log_loss.mean < 0.65
    accuracy = [fifth.accuracy.mean for fifth in evaluation.fifths["label"]]
    assert accuracy[-1] > accuracy[0] + 0.2
    assert sum(fifth.accuracy.count for fifth in evaluation.fifths["label"]) == evaluation.count
    assert sum(cell.count for cell in evaluation.reliability) == evaluation.count
    json.dumps(plain(evaluation), allow_nan=False)


def test_labels_without_signal_are_seen_to_have_none():
    embeddings, comparisons, prompt_of = world(seed=3)
    rng = np.random.default_rng(1)
    winner = rng.choice([-1, 1], len(comparisons)).astype(np.int8)
    found = evaluate(embeddings, comparisons.labelled(winner=winner), prompt_of, splits=3)
    assert found.model.log_loss.mean == pytest.approx(np.log(2), abs=0.02)
    assert found.model.accuracy.mean == pytest.approx(0.5, abs=0.1)


def test_predicted_variance_predicts_the_error():
    found = against_more(*world(200, answers=2, seed=4), splits=3, resamples=100)
    assert found.variance.low > 0.0
    assert found.variance.value == pytest.approx(found.variance.expected, abs=0.25)
    assert 0.3 < found.ratio.mean < 2.5


def test_overconfidence_is_a_calibration_error():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.95, 4000)
    label = (rng.random(4000) < p).astype(float)
    assert calibration_error(p, label) < 0.03
    assert calibration_error(expit(3 * np.log(p / (1 - p))), label) > 0.1


@given(st.integers(0, 30))
def test_calibration_is_the_same_from_either_side(seed):
    rng = np.random.default_rng(seed)
    p, label = rng.uniform(0.01, 0.99, 50), rng.choice([0.0, 0.5, 1.0], 50)
    assert calibration_error(p, label) == pytest.approx(calibration_error(1 - p, 1 - label))
    assert_allclose(log_losses(p, label), log_losses(1 - p, 1 - label))
    naive = 0.0
    for cell in reliability(p, label):
        inside = [
            (max(x, 1 - x), 0.5 if y == 0.5 else float((x > 0.5) == (y == 1)))
            for x, y in zip(p, label, strict=True)
            if cell.low <= max(x, 1 - x) < cell.high
        ]
        naive += abs(sum(y - x for x, y in inside)) / 50
    assert calibration_error(p, label) == pytest.approx(naive)


def test_the_baseline_counts_a_tie_as_half_a_label_each_way():
    embeddings, comparisons, prompt_of = world(60)
    group = prompt_of[comparisons.a]
    every = np.ones(len(comparisons), bool)
    tied = comparisons.labelled(winner=np.zeros(len(comparisons), np.int8))
    p = logistic_regression(embeddings, tied, every, group, 0)(comparisons.a, comparisons.b)
    assert_allclose(p, 0.5, atol=1e-3)


def test_bad_input_is_refused():
    embeddings, comparisons, prompt_of = world(20)
    with pytest.raises(InputError, match="2 splits"):
        evaluate(embeddings, comparisons, prompt_of, splits=1)
    with pytest.raises(InputError, match="too few"):
        evaluate(embeddings, comparisons, prompt_of, splits=40)
    bare = ibn.Comparisons(comparisons.responses, comparisons.a, comparisons.b)
    with pytest.raises(InputError, match="winner"):
        evaluate(embeddings, bare, prompt_of)
