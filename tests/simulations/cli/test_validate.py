import json

import pytest
from click.testing import CliRunner

from ibn.cli import main
from ibn.simulations.validation import protocol
from ibn.simulations.validation.protocol import SHARES


def run(*arguments):
    return CliRunner().invoke(main, ["validate", *map(str, arguments)])


def records(task):
    if task == "gsm8k":
        return [
            {"question": f"What is {i} and {i}?", "answer": f"<<{i}+{i}={2 * i}>>\n#### {2 * i}"}
            for i in range(12)
        ]
    if task == "dialogsum":
        return [
            {"dialogue": f"#Person1#: {i} apples.", "summary": f"They talk of {i} apples."}
            for i in range(12)
        ]
    return [
        {
            "chosen": f"\n\nHuman: Tell me of {i}?\n\nAssistant: It is good and number {i}.",
            "rejected": f"\n\nHuman: Tell me of {i}?\n\nAssistant: Bad {i}, go away.",
        }
        for i in range(12)
    ]


@pytest.mark.parametrize("task", ["gsm8k", "dialogsum", "hh"])
def test_the_tiny_profile_runs_and_what_is_finished_is_not_run_again(tmp_path, monkeypatch, task):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("rouge_score")
    pytest.importorskip("trl")
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(map(json.dumps, records(task))))
    done = run(task, "--data", data, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    rates = found["win_rates"]
    assert {(one["policy"], one["against"]) for one in rates} == {
        ("tree", "chain"),
        ("tree", "base"),
        ("chain", "base"),
    }
    assert all(0 <= one["low"] <= one["rate"] <= one["high"] <= 1 for one in rates)
    assert {one["decoder"] for one in rates} == {"best-of-n", "rft"}
    assert len(found["reward_models"]) == 2 * (len(SHARES) + 1) * found["seeds"]
    assert all(one["variance"] > 0 and one["distance"] > 0 for one in found["reward_models"])
    chain = [one["comparisons"] for one in found["reward_models"] if one["topology"] == "chain"]
    tree = [one["comparisons"] for one in found["reward_models"] if one["topology"] == "tree"]
    assert max(chain + tree) <= 12
    equal = [
        sorted(one["comparisons"] for one in found["reward_models"] if one["topology"] == topology
               and one["budget"] == "comparisons")
        for topology in ("chain", "tree")
    ]  # fmt: skip
    assert equal[0] == equal[1]
    assert json.loads((tmp_path / "out" / "validation.json").read_text()) == found
    (tmp_path / "out" / "repetition-1.journal").unlink()  # as if interrupted in the second
    repeat = protocol.repeat

    def second(*arguments):
        assert 1 in arguments
        return repeat(*arguments)

    monkeypatch.setattr(protocol, "repeat", second)
    again = run(task, "--data", data, "--out", tmp_path / "out", "--json")
    assert json.loads(again.stdout) == found
    with data.open("a") as stream:
        stream.write("\n")
    other = run(task, "--data", data, "--out", tmp_path / "out")
    assert other.exit_code == 2
    assert "begun with digest" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gsm9k",), "did you mean 'gsm8k'"),
        (("gsm8k", "--profile", "tiney"), "did you mean 'tiny'"),
        (("gsm8k", "--profile", "cpu"), "--profile cpu needs --model"),
        (("dialogsum",), "data.jsonl:1: the template does not fit"),
    ],
)
def test_bad_usage_is_told_in_one_line(tmp_path, arguments, message):
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(map(json.dumps, records("gsm8k"))))
    done = run(*arguments, "--data", data, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert message in done.stderr
