"""``ibn plan`` end to end: what is written, what is told, constraints and errors."""

import json

import numpy as np
import pytest

from ibn.preferences.files import read_records
from ibn.preferences.reading import read_preferences


def rows(path):
    return [record for _, record in read_records(path)]


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "parquet", "jsonl.gz"])
def test_plan_is_labelled_and_read_again(ibn, prefs, tmp_path, suffix):
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    out = tmp_path / f"next.{suffix}"
    status, text, err = ibn("plan", prefs, "--budget", 5, "--out", out, "--json")
    assert status == 0
    found = json.loads(text)
    assert "5 comparisons in" in err
    assert (found["budget"], found["candidates"], found["pairs"]) == (5, 40, "within")
    assert found["variance"]["planned"] < found["variance"]["random"]["mean"]
    assert found["variance"]["random"]["mean"] < found["variance"]["before"]
    planned = rows(out)
    data = read_preferences(out, labelled=False)
    known = read_preferences(prefs)
    assert len(data.comparisons) == len(planned) == 5
    compared = {
        frozenset((known.responses[a], known.responses[b]))
        for a, b in zip(known.comparisons.a, known.comparisons.b, strict=True)
    }
    for record, said in zip(planned, found["comparisons"], strict=True):
        a, b = known.responses[said["a"]], known.responses[said["b"]]
        assert (record["response_a"], record["response_b"]) == (a, b)
        assert known.prompt_of[said["a"]] == known.prompt_of[said["b"]]
        assert frozenset((a, b)) not in compared
        assert float(record["expected_reduction"]) == pytest.approx(said["expected_reduction"])
        assert 0 < float(record["probability_a"]) < 1
        assert record["winner"] == ""

    # Unlabelled it is no preference file; labelled it goes on where the first file ends.
    status, _, err = ibn("plan", prefs, out, "--budget", 5, "--out", tmp_path / "more.jsonl")
    assert status == 2
    assert "winner without a label" in err
    labelled = tmp_path / "labelled.jsonl"
    labelled.write_text("".join(json.dumps({**r, "winner": "b"}) + "\n" for r in planned))
    status, text, _ = ibn(
        "plan", prefs, labelled, "--budget", 5, "--out", tmp_path / "more.jsonl", "--json"
    )
    assert status == 0
    again = json.loads(text)
    assert (again["labels"], again["responses"]) == (25, found["responses"])
    assert again["candidates"] == 35


def test_constraints(ibn, prefs, tmp_path):
    out = tmp_path / "next.jsonl"
    status, text, _ = ibn(
        *("plan", prefs, "--budget", 20, "--pairs", "any", "--target", "any"),
        *("--max-uses", 1, "--out", out, "--json"),
    )
    assert status == 0
    found = json.loads(text)
    ends = [end for row in found["comparisons"] for end in (row["a"], row["b"])]
    assert len(set(ends)) == 40
    assert found["candidates"] == 40 * 39 // 2 - 20
    assert {"prompt_a", "prompt_b"} <= rows(out)[0].keys()
    status, text, _ = ibn("plan", prefs, "--budget", 90, "--repeat", "--out", out, "--json")
    assert status == 0
    assert json.loads(text)["candidates"] == 60
    assert len(rows(out)) == 90


def test_candidates_may_name_new_responses(ibn, prefs, tmp_path):
    path, out = tmp_path / "candidates.csv", tmp_path / "next.jsonl"
    path.write_text(
        "prompt,response_a,response_b\n"
        + "".join(f"Question {i}?,red new {i},blue new {i}\n" for i in range(3))
        + "New?,red,blue\n"
    )
    status, text, _ = ibn(
        *("plan", prefs, "--candidates", path, "--budget", 2, "--out", out, "--json")
    )
    assert status == 0
    found = json.loads(text)
    assert (found["candidates"], found["responses"], found["pairs"]) == (4, 48, "given")
    given = {(r["response_a"], r["response_b"]) for r in rows(path)}
    assert {(r["response_a"], r["response_b"]) for r in rows(out)} <= given
    matrix = tmp_path / "e.npy"
    np.save(matrix, np.random.default_rng(0).normal(size=(48, 3)))
    arguments = ("--candidates", path, "--budget", 2, "--out", out, "--embeddings", matrix)
    assert ibn("plan", prefs, *arguments)[0] == 0


def test_same_seed_same_plan_and_terminal(ibn, prefs, tmp_path):
    out, other = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    arguments = ("--budget", 6, "--pairs", "any", "--pool", 50)
    status, text, _ = ibn("plan", prefs, *arguments, "--out", out)
    assert status == 0
    assert "after the 6 planned" in text
    assert "Question" not in text
    ibn("plan", prefs, *arguments, "--out", other)
    assert out.read_bytes() == other.read_bytes()


GOOD = ("--budget", 3, "--out", "next.jsonl")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ("--budget", 41, "--out", "next.jsonl"),
            "a budget of 41 is more than the 40 pairs within",
        ),
        (("--budget", 30, "--max-uses", 1, "--out", "next.jsonl"), "for a budget of 30"),
        (("--budget", 0, "--out", "next.jsonl"), "--budget"),
        (("--out", "next.jsonl"), "--budget"),
        (("--budget", 3), "nowhere to write"),
        (("--budget", 3, "--out", "next.txt"), "unknown file format"),
        (("--budget", 3, "--out", "no/such/next.jsonl"), "no such directory"),
        ((*GOOD, "--pairs", "withn"), "--pairs"),
        ((*GOOD, "--beta", 0), "beta must be positive"),
        ((*GOOD, "--candidates", "none.jsonl"), "none.jsonl: no such file"),
    ],
)
def test_errors(ibn, prefs, tmp_path, monkeypatch, arguments, problem):
    monkeypatch.chdir(tmp_path)
    status, out, err = ibn("plan", prefs, *arguments)
    assert (status, out) == (2, "")
    assert problem in err.splitlines()[-1]
    assert sum(line.startswith("ibn: ") for line in err.splitlines()) == 1
    assert not (tmp_path / "next.jsonl").exists()


def test_errors_without_data(ibn):
    assert "no preference file" in ibn("plan", "--budget", 3, "--out", "x.jsonl")[2]
