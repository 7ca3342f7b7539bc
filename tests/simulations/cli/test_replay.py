"""``ibn replay`` end to end."""

import json

import numpy as np
import pytest


def test_replay_of_data(ibn, prefs, tmp_path):
    figure = tmp_path / "replay.svg"
    arguments = ("--budget", 8, "--repetitions", 3, "--batches", 4, "--seed", 5)
    status, text, _ = ibn("replay", prefs, *arguments, "--json", "--figure", figure)
    assert status == 0
    found = json.loads(text)
    assert found["labels"] == [0, 2, 4, 6, 8]
    assert set(found["policies"]) == {"planned", "random", "variance", "margin"}
    for policy in found["policies"].values():
        assert policy["variance"][0] == 1.0
        assert np.all(np.diff(policy["variance"]) < 0)
    saving = found["policies"]["planned"]["savings"][-1]
    low, high = saving["interval"]
    assert low < saving["ratio"] < high
    assert "<svg" in figure.read_text()
    status, text, _ = ibn("replay", prefs, *arguments)
    assert status == 0
    assert f"{saving['ratio']:.2f} [{low:.2f}, {high:.2f}]" in text


def test_replay_in_the_ultrametric_world(ibn):
    status, text, _ = ibn(
        *("replay", "--world", "power", "--responses", 24, "--budget", 48),
        *("--repetitions", 4, "--batches", 4, "--json"),
    )
    assert status == 0
    found = json.loads(text)
    # Two comparisons a response: planned, all is known; at random, some are left out.
    assert found["policies"]["planned"]["savings"][-1]["interval"][0] > 1.0
    assert found["policies"]["planned"]["variance"][-1] < 1e-3


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--budget", 3, "--figure", "x.doc"), "unknown kind of file"),
        (("--budget", 3, "--world", "power"), "without PREFS"),
        (("--budget", 3, "--repetitions", 1), "at least 2"),
        (("--budget", 3, "--batches", 4), "batches must lie between 1 and"),
        (("--budget", 99), "60 candidates for a budget of 99"),
    ],
)
def test_errors(ibn, prefs, arguments, problem):
    status, out, err = ibn("replay", prefs, *arguments)
    assert (status, out) == (2, "")
    assert problem in err.splitlines()[-1]


def test_errors_without_data(ibn):
    assert "nothing to replay" in ibn("replay", "--budget", 3)[2]
    world = ("replay", "--budget", 3, "--batches", 2, "--world")
    assert "did you mean 'power'" in ibn(*world, "powr")[2]
    assert "at least 3 responses" in ibn(*world, "power", "--responses", 2)[2]
