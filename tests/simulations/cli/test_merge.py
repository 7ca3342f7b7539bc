import csv
import json

import pytest

SMALL = ("--n", "50", "--rel-err", "0.05", "--jobs", "1")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)


def test_stores_of_two_machines_make_one_that_a_sweep_goes_on_with(ibn):
    ibn("sweep", *SMALL, "--topology", "chain", "--out", "a.csv")
    ibn("sweep", *SMALL, "--inference", "path", "--out", "b.csv")
    made = ibn("merge", "a.csv", "b.csv", "--out", "c.csv")
    assert made == (0, "3 rows in c.csv; 1 repetitions left out\n", "")
    again = ibn("merge", "a.csv", "b.csv", "--out", "c.csv", "--json")
    assert json.loads(again[1]) == {"out": "c.csv", "rows": 3, "repeated": 4}
    status = json.loads(ibn("sweep", *SMALL, "--out", "c.csv", "--status", "--json")[1])
    assert (status["done"], status["missing"]) == (3, 1)


def test_two_answers_are_one_line_and_exit_2(ibn):
    ibn("sweep", *SMALL, "--out", "a.csv")
    with open("a.csv", newline="") as file:
        header, first, *_ = csv.reader(file)
    from ibn.simulations.sweeping.row import Row
    from ibn.simulations.sweeping.store import Store, load

    row = load("a.csv")[0]
    with Store("b.csv") as store:
        store.append(Row(row.task, type(row.estimate)(9.0, 0.001, 100)))
    status, out, err = ibn("merge", "a.csv", "b.csv", "--out", "c.csv")
    assert (status, out) == (2, "")
    assert err.startswith(f"ibn: b.csv:2: task {first[header.index('task')]} is 9 ")
    assert " at a.csv:2 (" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "Missing argument"),
        (("a.csv",), "--out"),
        (("a.csv", "--out", "c.csv"), "a.csv: No such file or directory"),
    ],
)
def test_bad_usage_is_one_line(ibn, args, message):
    status, out, err = ibn("merge", *args)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
