import numpy as np
import pytest

from ibn.simulations.validation.document import win_rates
from ibn.simulations.validation.repetition import BASE, Policy, Repetition


def repetition(seed, tree, chain, base):
    """One draw a prompt, or several as columns."""
    tree, chain, base = (
        np.asarray(scores, float).reshape(len(scores), -1) for scores in (tree, chain, base)
    )
    scores = {BASE: base}
    for decoder, budget, draws in (
        ("best-of-n", "comparisons", 4),
        ("best-of-n", "tokens", 4),
        ("rft", "comparisons", 8),
    ):
        scores[Policy("tree", decoder, budget, draws)] = tree
        scores[Policy("chain", decoder, budget, draws)] = chain
    return Repetition(seed, [], scores)


def test_wins_and_ties_are_counted():
    rates = win_rates([repetition(0, [1, 2, 3, 0], [0, 2, 1, 5], [0, 0, 0, 0])])
    found = {(one.policy, one.against, one.decoder, one.budget): one for one in rates}
    assert len(found) == len(rates) == 9
    tree = found["tree", "chain", "best-of-n", "comparisons"]
    assert (tree.rate, tree.ties, tree.prompts, tree.draws) == (0.625, 0.25, 4, 4)
    assert found["tree", "base", "best-of-n", "tokens"].rate == 0.875
    assert found["chain", "base", "rft", "comparisons"].rate == 0.875
    assert found["chain", "base", "rft", "comparisons"].draws == 8


def test_tree_meets_chain_draw_by_draw_and_the_base_model_everywhere():
    one = repetition(0, [[1, 5], [2, 2]], [[0, 6], [3, 1]], [[0, 4, 2], [2, 2, 2]])
    found = {(rate.policy, rate.against): rate for rate in win_rates([one])}
    assert found["tree", "chain"].rate == 0.5
    assert found["tree", "chain"].ties == 0.0
    assert found["tree", "base"].rate == pytest.approx(((4 / 6) + 0.5) / 2)
    assert found["tree", "base"].ties == 0.5


def test_intervals_cover_the_true_rate():
    rng = np.random.default_rng(0)
    covered, width = 0, []
    for _ in range(200):
        runs = []
        for seed in range(8):
            tree = rng.normal(0.25, 1.0, 20)
            runs.append(repetition(seed, tree, rng.normal(0.0, 1.0, 20), np.zeros(20)))
        one = win_rates(runs)[0]
        covered += one.low <= 0.5702 <= one.high  # Φ(0.25/√2)
        width.append(one.high - one.low)
    assert covered / 200 >= 0.93
    alone = 2 * 1.96 * 0.5 / np.sqrt(8 * 20)  # were there no seeds
    assert 1.2 < np.mean(width) / alone < 1.55


@pytest.mark.parametrize("task", ["gsm8k", "dialogsum", "hh"])
def test_the_files_of_the_tasks_are_read_as_they_are(task, shared_data):
    from ibn.simulations.validation.tasks import read_task

    pytest.importorskip("rouge_score")
    files = {
        "gsm8k": ("gsm8k_train.jsonl", "gsm8k_model_solutions.jsonl"),
        "dialogsum": ("dialogsum_dev.jsonl",),
        "hh": ("hh_harmless.jsonl",),
    }
    for name in files[task]:
        read = read_task(task, shared_data / name)
        assert len(read.prompts) > 400
        record = read.prompts[0].record
        names = (record.get(name) for name in ("answer", "ground_truth", "summary"))
        reference = next((text for text in names if text), "I am sorry, I cannot help with that.")
        nothing, right = read.gold(read.prompts[0], ["", reference])
        assert right == 1.0 if record else right != nothing
