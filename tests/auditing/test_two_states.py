"""Two states of a dataset: more labels of the same kind teach more, and noise teaches less."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.special import expit

from ibn.auditing.two_states import compare_states, over_groups
from ibn.cli import main
from ibn.errors import InputError
from ibn.preferences.reading import read_preferences

WORDS = ["red", "blue", "green", "grey", "warm", "cold", "calm", "loud"]


def records(count, seed, noise=False):
    rng = np.random.default_rng(seed)
    worth = np.linspace(-2.5, 2.5, 8)
    found = []
    for i in range(count):
        a, b = rng.choice(8, 2, replace=False)
        chance = 0.5 if noise else expit(worth[a] - worth[b])
        texts = [f"{WORDS[x]} {WORDS[x]} answer {rng.integers(999)}" for x in (a, b)]
        won = rng.random() < chance
        found.append(
            {
                "prompt": f"Question {seed} {i}?",
                "chosen": texts[0 if won else 1],
                "rejected": texts[1 if won else 0],
            }
        )
    return found


def test_a_state_with_more_labels_is_better():
    some = records(300, 0)
    found = compare_states(read_preferences(some[:40]), read_preferences(some))
    assert found.labels == (40, 300)
    assert found.on_second.gain.mean > 2 * found.on_second.gain.stderr
    equal = found.on_second.gain_equal
    assert abs(equal.mean) < 3 * equal.stderr + 0.02
    assert (found.on_first.labels, found.on_second.labels) == (40, 300)


def test_noise_loses_whichever_comes_first():
    good, bad = read_preferences(records(250, 1)), read_preferences(records(250, 2, noise=True))
    assert compare_states(good, bad).on_first.gain.mean < 0
    found = compare_states(bad, good)
    assert found.on_second.gain.mean > 2 * found.on_second.gain.stderr
    assert found.verdict(found.on_second).endswith("is better")


def test_a_state_against_itself_is_neither():
    data = read_preferences(records(100, 0))
    found = compare_states(data, data)
    assert found.on_first.gain.mean == pytest.approx(0.0, abs=1e-12)
    assert found.verdict(found.on_first) == "neither is clearly better"


def test_errors_are_over_prompts():
    values = np.repeat(np.random.default_rng(0).normal(size=50), 4)
    one = over_groups(values, np.repeat(np.arange(50), 4))
    assert one.stderr == pytest.approx(values[::4].std(ddof=1) / np.sqrt(50))


def test_the_command(tmp_path):
    files = [tmp_path / "before.jsonl", tmp_path / "after.jsonl"]
    for file, count in zip(files, (60, 120), strict=True):
        file.write_text("".join(json.dumps(r) + "\n" for r in records(120, 0)[:count]))
    run = CliRunner().invoke(main, ["audit", *map(str, files), "--json"])
    assert run.exit_code == 0, run.stderr
    assert json.loads(run.stdout)["labels"] == [60, 120]
    run = CliRunner().invoke(main, ["audit", *map(str, files)])
    assert "The second lowers the log loss by" in run.stdout
    run = CliRunner().invoke(main, ["audit", *map(str, files), "--out", str(tmp_path / "x.html")])
    assert run.exit_code == 2


def test_too_few_prompts_are_refused():
    data = read_preferences(records(3, 0))
    with pytest.raises(InputError, match="too few"):
        compare_states(data, data)
