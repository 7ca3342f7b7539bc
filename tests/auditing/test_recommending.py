"""What to do next: ranked by worth in random labels, and nothing without a signal."""

import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from ibn.auditing.audit import audit
from ibn.auditing.recommendation import Recommendation
from ibn.cli import main
from ibn.preferences.reading import read_preferences
from ibn.report.words import effect, to_do

WORDS = ["fine", "good", "clear", "short", "bad", "wrong", "odd", "vague"]


def records(signal, prompts=60):
    """Three answers a prompt, two compared; the better words win where there is a signal."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(prompts):
        worth = rng.permutation(8)[:3]
        if signal:
            worth = np.sort(worth)
        texts = [f"{WORDS[w]} {WORDS[w]} answer {rng.integers(99)}" for w in worth]
        found.append({"prompt": f"Question {i}?", "chosen": texts[0], "rejected": texts[1]})
        found.append({"prompt": f"Question {i}?", "chosen": texts[0], "rejected": texts[2]})
    return found


@pytest.fixture(scope="module")
def found():
    return audit(read_preferences(records(True)), replicates=2, seed=0)


def test_labels_of_most_worth_come_first(found):
    times = [one.times for one in found.recommendations]
    assert times == sorted(times, reverse=True)
    assert {one.action for one in found.recommendations} == {"plan", "plan-anywhere", "recheck"}
    for one in found.recommendations:
        assert 0.5 < one.now <= min(one.then, one.otherwise) < 1.0
        assert one.worth_range[0] <= one.worth <= one.worth_range[1]
        assert (one.then > one.otherwise) == (one.worth > one.labels)


def test_without_a_signal_nothing_is_advised():
    found = audit(read_preferences(records(False)), replicates=2, seed=0)
    assert not found.labels.predicts
    assert not any(one.helps for one in found.recommendations)
    assert "no signal" in to_do(found)[0]


def test_random_will_do_where_nothing_is_worth_more(found):
    none = [replace(one, worth_range=(0.0, 1.0)) for one in found.recommendations]
    assert to_do(replace(found, recommendations=tuple(none)))[0].startswith("Random will do")


def test_help_must_be_clear_at_both_ends_of_the_scale():
    one = Recommendation("plan", "Label", "", "ibn plan", 100, 0.6, 0.63, 0.62, 150, (120, 160))
    assert one.helps
    assert not replace(one, worth_range=(105, 160)).helps
    assert not replace(one, supported=False).helps
    assert "worth 150 of those (120 to 160)" in effect(one)


def test_every_command_runs_as_printed(tmp_path, monkeypatch):
    """Also with the options that reading the file needed, and an odd name."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {"Q": r["prompt"], "left text": r["chosen"], "right text": r["rejected"], "said": i % 2}
        for i, r in enumerate(records(True))
    ]
    for row in rows:
        if row["said"]:
            row["left text"], row["right text"] = row["right text"], row["left text"]
    (tmp_path / "my file.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    reading = ["--column", "prompt=Q", "--column", "response_a=left text"]
    reading += ["--column", "response_b=right text", "--column", "winner=said"]
    reading += ["--winner", "0=a,1=b"]
    run = CliRunner().invoke(main, ["audit", "my file.jsonl", *reading, "--json"])
    assert run.exit_code == 0, run.stderr
    advised = json.loads(run.stdout)["recommendations"]
    assert len(advised) == 3
    for one in advised:
        words = shlex.split(one["command"])
        assert words[0] == "ibn"
        again = CliRunner().invoke(main, words[1:])
        assert again.exit_code == 0, (one["command"], again.stderr)
        out = tmp_path / words[-1] if "--recheck" in words else tmp_path / "next.jsonl"
        assert out.read_text().count("\n") == one["labels"]
        out.unlink()


def test_a_list_without_labels_is_told_to_plan():
    data = read_preferences(
        [{"prompt": f"Q{i}", "response_a": f"a {i}", "response_b": f"b {i}"} for i in range(30)],
        labelled=False,
    )
    assert "ibn plan" in to_do(audit(data, replicates=2, seed=0))[0]
