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

    # Unlabelled, its pairs still wait; labelled, it goes on where the first file ends.
    waiting = tmp_path / "waiting.jsonl"
    status, _, err = ibn("plan", prefs, out, "--budget", 5, "--out", waiting)
    assert status == 0
    assert "5 pairs without a label" in err
    pairs = [{(r["response_a"], r["response_b"]) for r in rows(x)} for x in (out, waiting)]
    assert pairs[0] == pairs[1]
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
            ("--budget", 61, "--out", "next.jsonl"),
            "a budget of 61 is more than the 60 pairs within",
        ),
        (("--budget", 30, "--max-uses", 1, "--out", "next.jsonl"), "for a budget of 30"),
        (("--budget", 0, "--out", "next.jsonl"), "--budget"),
        (("--out", "next.jsonl"), "--budget"),
        (("--budget", 3), "nowhere to write"),
        (("--budget", 3, "--out", "next.txt"), "unknown file format"),
        (("--budget", 3, "--out", "no/such/next.jsonl"), "no such directory"),
        ((*GOOD, "--pairs", "withn"), "--pairs"),
        ((*GOOD, "--beta", 0), "beta must be positive"),
        ((*GOOD, "--beta", 1e6), "beta is 1e+06 (from 1e-5 to 1e5)"),
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


def start(folder, name, records):
    path = folder / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_a_start_without_labels(ibn, tmp_path):
    """Lists of responses, ready pairs and one response a row; ids come out again."""
    out = tmp_path / "next.jsonl"
    words = ["red", "blue", "green", "grey"]
    lists = [
        {"id": f"q{i}", "prompt": f"Question {i}?", "responses": [f"{w} {i}" for w in words]}
        for i in range(6)
    ]
    pairs = [
        {"id": f"p{i}", "prompt": f"Question {i}?", "response_a": f"red {i}", "response_b": "no"}
        for i in range(6)
    ]
    single = [{"prompt": x["prompt"], "response": r} for x in lists for r in x["responses"]]
    for name, records, count in (
        ("l.jsonl", lists, 36),
        ("p.jsonl", pairs, 6),
        ("s.jsonl", single, 36),
    ):
        path = start(tmp_path, name, records)
        status, text, err = ibn("plan", path, "--budget", 4, "--out", out, "--json")
        assert status == 0, err
        assert f"{count} pairs without a label, none has one" in err
        assert (json.loads(text)["labels"], json.loads(text)["candidates"]) == (0, count)
        planned = rows(out)
        assert len(planned) == 4
        if name != "s.jsonl":
            at = {x["prompt"]: x["id"] for x in records}
            assert all(row["id"] == at[row["prompt"]] for row in planned)
        out.unlink()


def test_one_pair_a_prompt_gets_second_labels_and_prompts_to_grow(ibn, tmp_path):
    path = start(
        tmp_path,
        "prefs.jsonl",
        [
            {"prompt": f"Question {i}?", "chosen": f"red {i} yes", "rejected": f"blue {i}"}
            for i in range(12)
        ],
    )
    out, prompts = tmp_path / "next.jsonl", tmp_path / "prompts.jsonl"
    status, text, _ = ibn(
        *("plan", path, "--budget", 5, "--out", out, "--prompts", prompts, "--json")
    )
    assert status == 0
    assert json.loads(text)["relabels"] == 5
    planned = rows(out)
    assert all(row["relabel"] for row in planned)
    assert len({row["prompt"] for row in planned}) == 5  # each pair once more at most
    assert [set(row) for row in rows(prompts)] == [{"prompt", "responses", "variance"}] * 5
    status, text, _ = ibn("plan", path, "--budget", 5, "--out", tmp_path / "b.jsonl")
    assert "5 of the 5 have one and are to get a second" in " ".join(text.split())


def test_labels_that_people_filled_in_are_kept(ibn, prefs, tmp_path):
    out = tmp_path / "next.jsonl"
    ibn("plan", prefs, "--budget", 4, "--out", out)
    planned = rows(out)
    planned[2]["winner"] = "b"
    start(tmp_path, "next.jsonl", planned)
    before = out.read_bytes()
    for first in (prefs, out):
        status, _, err = ibn("plan", first, "--budget", 4, "--out", out)
        assert status == 2
        assert out.read_bytes() == before
    assert "the output would replace an input" in err
    # Three of the four still wait: they come first, and the label counts.
    status, text, err = ibn(
        "plan", prefs, out, "--budget", 3, "--out", tmp_path / "n.jsonl", "--json"
    )
    assert (status, json.loads(text)["labels"]) == (0, 21)
    assert {r["response_a"] for r in rows(tmp_path / "n.jsonl")} == {
        r["response_a"] for r in planned if not r["winner"]
    }
