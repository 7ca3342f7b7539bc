"""``ibn convert`` end to end: what is audited before is audited after, and nothing is lost."""

import json

import numpy as np
import pytest

from ibn.auditing.audit import audit
from ibn.cli import main
from ibn.preferences.files import read_records
from ibn.preferences.reading import read_preferences

WORDS = ["red", "green", "blue", "warm", "cold", "sweet", "sour", "bitter", "loud", "calm"]


@pytest.fixture
def ibn(capsys):
    """Run the command; return its exit status, standard output and standard error."""

    def run(*args):
        with pytest.raises(SystemExit) as end:
            main(list(map(str, args)))
        return end.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def prefs(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "prefs.jsonl"
    with path.open("w") as file:
        for i in range(24):
            a, b = (" ".join(rng.choice(WORDS, 5)) + f" {i} {j}" for j in range(2))
            label = "A>B" if ("red" in a) >= ("red" in b) else "B>A"
            record = {"id": f"r{i}", "question": f"Question {i % 8}?", "response_A": a}
            file.write(json.dumps({**record, "response_B": b, "label": label}) + "\n")
    return path


@pytest.mark.parametrize("options", [[], ["--labelled"]])
@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_the_audit_is_the_same_number_for_number(ibn, prefs, tmp_path, suffix, options):
    out = tmp_path / f"out.{suffix}"
    status, text, err = ibn("convert", prefs, "--out", out, "--json", *options)
    assert status == 0, err
    found = json.loads(text)
    assert (found["comparisons"], found["skipped"], found["unused"]) == (24, 0, ["id"])
    assert [record["id"] for _, record in read_records(out)] == [f"r{i}" for i in range(24)]

    def numbers(value):
        if isinstance(value, dict):
            places = ("source", "shape", "seconds", "line", "lines")  # a CSV's header is a line
            return {k: numbers(v) for k, v in value.items() if k not in places}
        return [numbers(item) for item in value] if isinstance(value, (list, tuple)) else value

    def measured(path):
        return numbers(audit(read_preferences(path), replicates=2).to_json())

    assert measured(out) == measured(prefs)


def test_ties_are_left_out_and_counted(ibn, tmp_path):
    path, out = tmp_path / "p.csv", tmp_path / "o.jsonl"
    path.write_text("prompt,response_a,response_b,winner\np,x,y,a\np,x,z,tie\np,x,,a\np,y,z,\n")
    status, text, err = ibn("convert", path, "--out", out, "--json")
    assert status == 0, err
    found = json.loads(text)
    assert (found["ties_left_out"], found["written"]) == (1, 2)
    assert found["skipped_lines"] == {"winner without a label": [5]}
    status, _, _ = ibn("convert", path, "--out", out, "--labelled")
    assert [record["winner"] for _, record in read_records(out)] == ["a", "tie", "a"]
    assert ibn("convert", path, "--out", path)[0] == 2


def test_an_id_goes_through_plan_and_back(ibn, prefs, tmp_path):
    candidates, out = tmp_path / "candidates.jsonl", tmp_path / "next.jsonl"
    known = [record for _, record in read_records(prefs)]
    rows = [
        {
            "id": f"c{i}",
            "prompt": a["question"],
            "response_a": a["response_A"],
            "response_b": b["response_A"],
        }
        for i, (a, b) in enumerate(zip(known[:8], known[8:16], strict=True))
    ]
    candidates.write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, _, err = ibn("plan", prefs, "--candidates", candidates, "--budget", 3, "--out", out)
    assert status == 0, err
    planned = [record for _, record in read_records(out)]
    by_id = {row["id"]: row for row in rows}
    for record in planned:
        source = by_id[record["id"]]
        assert {record["response_a"], record["response_b"]} == {
            source["response_a"],
            source["response_b"],
        }
    out.write_text("".join(json.dumps({**record, "winner": "a"}) + "\n" for record in planned))
    data = read_preferences(out)
    back = [data.rows[i]["id"] for i in data.row_of[:, 0]]
    assert back == [record["id"] for record in planned]


def test_a_number_beyond_64_bits_is_no_parquet(ibn, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prompt": "q", "chosen": "a", "rejected": "b", "id": 1%s}\n' % ("0" * 40))
    status, out, err = ibn("convert", rows, "--out", tmp_path / "made.parquet")
    assert (status, out) == (2, "")
    assert "cannot be written as Parquet" in err
