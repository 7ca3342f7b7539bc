from dataclasses import replace

import pytest

from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.merge import merge
from ibn.simulations.sweeping.row import Row
from ibn.simulations.sweeping.store import Store, load

TASKS = Grid(topology="chain,tree", n="10,20").tasks()
ROWS = [Row(task, Estimate(0.1 + i / 7, 1e-4, 100, 0.25)) for i, task in enumerate(TASKS)]


@pytest.fixture
def stores(tmp_path):
    """Write lists of rows to files a.csv, b.csv, … and return their paths."""

    def write(*each):
        paths = [tmp_path / f"{name}.csv" for name, _ in zip("abcdef", each, strict=False)]
        for path, rows in zip(paths, each, strict=True):
            with Store(path) as store:
                for row in rows:
                    store.append(row)
        return paths

    return write


def changed(row, **estimate):
    return replace(row, estimate=replace(row.estimate, **estimate))


def test_all_rows_once_whatever_the_order(stores, tmp_path):
    a, b, whole = stores(ROWS[:5], [changed(row, seconds=9.0) for row in ROWS[3:]], ROWS)
    before = a.read_bytes(), b.read_bytes()
    made = merge([a, b], tmp_path / "out.csv")
    assert (made.rows, made.repeated) == (8, 2)
    assert [r.task for r in load(tmp_path / "out.csv")] == [r.task for r in load(whole)]
    assert (a.read_bytes(), b.read_bytes()) == before
    merge([b, a], tmp_path / "other.csv")
    assert [r.estimate.mean for r in load(tmp_path / "other.csv")] == [
        r.estimate.mean for r in load(tmp_path / "out.csv")
    ]


def test_into_one_that_is_there_and_into_one_of_its_own(stores):
    a, b, out = stores(ROWS[:2], ROWS[2:4], ROWS[4:])
    assert merge([a, b], out).rows == 8
    assert merge([a, b], a).rows == 4
    assert set(load(a)) == set(ROWS[:4])
    assert merge([a], a).repeated == 0


def test_a_finished_row_wins_then_the_one_of_most_draws(stores, tmp_path):
    short, longer = (
        changed(ROWS[0], mean=m, stderr=0.5, count=c) for m, c in ((1.0, 10), (2.0, 20))
    )
    for order in ([short], [longer]), ([longer], [short]):
        out = tmp_path / f"{order[0][0].estimate.count}.csv"
        merge(stores(*order), out)
        assert load(out) == [longer]
        merge(stores(ROWS[:1]), out)
        assert load(out) == ROWS[:1]
        merge(stores(*order), out)
        assert load(out) == ROWS[:1]


@pytest.mark.parametrize("change", [{"mean": 0.11}, {"stderr": 2e-4}, {"count": 101}])
def test_two_answers_are_told_by_file_and_line_and_nothing_is_written(stores, tmp_path, change):
    a, b = stores(ROWS, [changed(row, **change) for row in ROWS[2:4]])
    with pytest.raises(InputError) as caught:
        merge([a, b], tmp_path / "out.csv")
    line = next(i for i, row in enumerate(load(a), 2) if row.task == load(b)[0].task)
    text = str(caught.value)
    assert text.startswith(f"{b}:2: task {load(b)[0].task.id} is ")
    assert f" at {a}:{line}, and so for 1 other tasks (" in text
    assert "\n" not in text
    assert not (tmp_path / "out.csv").exists()
    before = a.read_bytes()
    with pytest.raises(InputError):
        merge([b], a)
    assert a.read_bytes() == before


def test_rounding_is_no_other_answer(stores, tmp_path):
    a, b = stores(ROWS, [changed(row, mean=row.estimate.mean * (1 + 1e-12)) for row in ROWS])
    merge([a, b], tmp_path / "out.csv")
    assert set(load(tmp_path / "out.csv")) == set(ROWS)


def test_two_answers_in_one_file_joined_by_hand_are_told(stores):
    a, b = stores(ROWS, [changed(ROWS[0], mean=9.0)])
    a.write_bytes(a.read_bytes() + b.read_bytes())
    with pytest.raises(InputError, match=r"a\.csv:11: task t\w+ is 9 .* at .*a\.csv:\d"), Store(a):
        pass


def test_other_versions_and_other_files_are_refused(stores, tmp_path):
    a, b = stores(ROWS[:4], ROWS[4:])
    with b.open("ab") as file:
        file.write(replace(ROWS[0], version=99).line + b"\n")
    with pytest.raises(InputError, match=r"b\.csv:6: this row has results version 99"):
        merge([a, b], tmp_path / "out.csv")
    b.write_text("mine\n")
    with pytest.raises(InputError, match=r"b\.csv: not a results store"):
        merge([a, b], tmp_path / "out.csv")
    with pytest.raises(OSError, match=r"nowhere\.csv"):
        merge([a, tmp_path / "nowhere.csv"], tmp_path / "out.csv")
    with pytest.raises(InputError, match=r"b\.csv: not a results store"):
        merge([a], b)
    assert b.read_text() == "mine\n"
    assert not (tmp_path / "out.csv").exists()


def test_damage_is_told_and_stays_where_it_is(stores, tmp_path, caplog):
    a, b = stores(ROWS[:4], ROWS[4:])
    bad = a.read_bytes()[:-3].replace(b"chain", b"chaim", 1)
    a.write_bytes(bad)
    assert merge([a, b], tmp_path / "out.csv").rows == 6
    assert "damaged line" in caplog.text
    assert "torn last line" in caplog.text
    assert a.read_bytes() == bad


def test_a_store_being_written_can_be_merged_from_but_not_into(stores, tmp_path):
    a, b = stores(ROWS[:4], ROWS[4:])
    with Store(a) as store:
        store.append(ROWS[5])
        assert merge([a, b], tmp_path / "out.csv").rows == 8
        with pytest.raises(InputError, match="another run is writing"):
            merge([b], a)
