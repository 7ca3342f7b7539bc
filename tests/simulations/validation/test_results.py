import numpy as np
import pytest

from simulations.validation.protocol import Repetition
from simulations.validation.results import dumps, win_rates


def repetition(seed, tree, chain, base):
    scores = {("base", "", 1): np.asarray(base, float)}
    for budget in ("comparisons", "tokens"):
        scores["tree", budget, 4] = np.asarray(tree, float)
        scores["chain", budget, 4] = np.asarray(chain, float)
    return Repetition(seed, [], scores)


def test_wins_and_ties_are_counted():
    rates = win_rates([repetition(0, [1, 2, 3, 0], [0, 2, 1, 5], [0, 0, 0, 0])])
    found = {(one.policy, one.against, one.budget): one for one in rates}
    tree = found["tree", "chain", "comparisons"]
    assert (tree.rate, tree.ties, tree.prompts, tree.draws) == (0.625, 0.25, 4, 4)
    assert found["tree", "base", "tokens"].rate == 0.875
    assert found["chain", "base", "tokens"].rate == 0.875


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


def test_numbers_that_are_none_are_null():
    assert dumps({"a": [float("nan"), 1.5], "b": {"c": float("inf")}}).split() == [
        *['{', '"a":', '[', 'null,', '1.5', '],', '"b":', '{', '"c":', 'null', '}', '}']
    ]  # fmt: skip


@pytest.mark.parametrize("task", ["gsm8k", "dialogsum", "hh"])
def test_the_files_of_the_tasks_are_read_as_they_are(task, shared_data):
    from simulations.validation.tasks import read_task

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
