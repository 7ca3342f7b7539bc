import codecs
import csv
import io
import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.row import COLUMNS, Row
from ibn.simulations.sweeping.store import Store, load

TASKS = Grid(topology="chain,tree", n="10,20").tasks()
CONTRACT = (
    "task,topology,n,family,alpha,scale,branching,beta,leaves,inference,replicate,seed,"
    "mean,stderr,count,seconds"
)


def row(task, mean=1.25, relative=0.001, count=100, seconds=0.25):
    return Row(task, Estimate(mean, abs(mean) * relative, count, seconds))


ROWS = [row(task, mean=0.1 + i / 7, seconds=0.01 * i) for i, task in enumerate(TASKS)]


def write(path, rows):
    with Store(path) as store:
        for each in rows:
            store.append(each)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "s.csv"


def test_columns_begin_as_the_contract_says():
    assert ",".join(COLUMNS).startswith(CONTRACT + ",")


def test_rows_come_back_and_files_do_not_depend_on_their_order(path, tmp_path):
    assert write(path, ROWS) == write(tmp_path / "other.csv", ROWS[::-1])
    assert set(load(path)) == set(ROWS)


@given(
    mean=st.floats(allow_nan=False, allow_infinity=False),
    stderr=st.floats(0, 1e300),
    count=st.integers(0, 2**40),
    seconds=st.floats(0, 1e6),
)
def test_a_line_reads_back_as_its_row(mean, stderr, count, seconds):
    written = Row(TASKS[0], Estimate(mean, stderr, count, seconds))
    assert Row.parse(written.line) == written


def test_repetitions_differ_in_seconds_alone():
    first, second = (row(TASKS[0], seconds=s).line.decode().split(",") for s in (0.1, 0.2))
    differing = [name for name, x, y in zip(COLUMNS, first, second, strict=True) if x != y]
    assert differing == ["seconds"]
    assert abs(float(first[COLUMNS.index("seconds")]) - 0.1) < 1e-6


def test_no_flipped_bit_goes_unnoticed_within_a_row():
    line = ROWS[0].line
    for where in range(len(line)):
        for bit in range(8):
            flipped = bytearray(line)
            flipped[where] ^= 1 << bit
            with pytest.raises(ValueError):  # noqa: PT011  # how it is noticed is no matter
                Row.parse(bytes(flipped))


@given(data=st.data())
def test_a_changed_byte_costs_its_row_at_most(data):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s.csv"
        good = write(path, ROWS)
        where = data.draw(st.integers(0, len(good) - 1))
        bad = bytearray(good)
        bad[where] ^= data.draw(st.integers(1, 255))
        path.write_bytes(bad)
        with Store(path) as store:  # mended on opening
            missing = [task for task in TASKS if not store.answers(task)]
        kept = load(path)
        assert set(kept) <= set(ROWS)
        assert len(missing) == len(ROWS) - len(kept) <= 1
        header = len(good.split(b"\n")[0])
        if where > header:
            # Only the line's end of a row may change without harm to what the row says.
            assert missing or good[where : where + 1] == b"\n"
        assert write(path, [r for r in ROWS if r.task in missing]) == good


@given(data=st.data())
def test_a_file_cut_anywhere_keeps_its_whole_rows(data):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s.csv"
        good = write(path, ROWS)
        end = data.draw(st.integers(0, len(good)))
        path.write_bytes(good[:end])
        whole = sum(line in (r.line for r in ROWS) for line in good[:end].split(b"\n"))
        with Store(path) as store:
            missing = [task for task in TASKS if not store.answers(task)]
        assert len(missing) == len(ROWS) - whole
        assert not path.with_name("s.csv.damaged").exists()
        assert write(path, [r for r in ROWS if r.task in missing]) == good


def test_damage_is_told_by_line_and_set_aside(path, caplog):
    good = write(path, ROWS)
    lines = good.split(b"\n")
    lines[2] = lines[2].replace(b"chain", b"chaim")
    path.write_bytes(b"\n".join(lines)[:-9])
    with Store(path):
        pass
    assert f"{path}:3: damaged line" in caplog.text
    assert f"{path}:{len(ROWS) + 1}: dropped the torn last line" in caplog.text
    assert path.with_name("s.csv.damaged").read_bytes() == lines[2] + b"\n"
    assert len(load(path)) == len(ROWS) - 2


def test_reading_mends_nothing(path):
    write(path, ROWS)
    torn = path.read_bytes()[:-3]
    path.write_bytes(torn)
    assert len(load(path)) == len(ROWS) - 1
    assert path.read_bytes() == torn


def test_stores_joined_by_hand_are_read_and_mended(path, tmp_path):
    first, second = write(path, ROWS[:5]), write(tmp_path / "b.csv", ROWS[3:])
    path.write_bytes(first + second)
    with Store(path):
        pass
    assert path.read_bytes() == write(tmp_path / "c.csv", ROWS)


@pytest.mark.parametrize("content", [b"name,score\nme,1\n", b"\x00" * 100, b"task,topology\n1,2\n"])
def test_other_files_are_refused_and_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a results store"), Store(path):
        pass
    with pytest.raises(InputError, match="not a results store"):
        load(path)
    assert path.read_bytes() == content


def test_other_versions_are_refused(path):
    write(path, ROWS)
    newer = replace(ROWS[0], version=99)
    with path.open("ab") as file:
        file.write(newer.line + b"\n")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"s\.csv:10: this row has results version 99"):
        load(path)
    with pytest.raises(InputError), Store(path):
        pass
    assert path.read_bytes() == before


def test_only_one_may_write(path):
    with Store(path) as store:
        store.append(ROWS[0])
        with pytest.raises(InputError, match="another run is writing"), Store(path):
            pass
        store.append(ROWS[1])
        assert len(load(path)) == 2
    with Store(path) as store:
        assert store.answers(TASKS[1])


def test_a_store_replaced_while_it_was_opened_is_opened_anew(path, monkeypatch):
    write(path, ROWS[:1])
    real, opened = os.open, []

    def open_late(name, *rest):
        fd = real(name, *rest)
        if Path(name) == path and not opened:  # another sweep ends here, and tidies
            opened.append(fd)
            other = path.with_name("other.csv")
            write(other, ROWS)
            os.replace(other, path)
        return fd

    monkeypatch.setattr(os, "open", open_late)
    with Store(path) as store:
        store.append(row(TASKS[0]))
    assert {r.task for r in load(path)} == set(TASKS)


def test_a_folder_and_a_device_are_no_stores(tmp_path):
    with pytest.raises(OSError, match="directory"), Store(tmp_path):
        pass
    with pytest.raises(InputError, match="not a file"), Store("/dev/full"):
        pass


def test_a_disk_that_fills_up_is_named_and_loses_nothing(path, monkeypatch):
    real = os.write

    def little(fd, data):
        if len(data) > 40:
            return real(fd, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    def fill():
        with Store(path) as store:
            store.append(ROWS[0])
            monkeypatch.setattr(os, "write", little)
            store.append(ROWS[1])

    with pytest.raises(OSError, match=r"No space left on device: '.*s\.csv'"):
        fill()
    monkeypatch.undo()
    assert load(path) == [ROWS[0]]


def test_a_failed_rewrite_leaves_the_store_as_it_was(path, monkeypatch):
    def full(fd):
        raise OSError(28, "No space left on device")

    def fill():
        with Store(path) as store:
            store.append(ROWS[0])
            store.append(ROWS[1])  # which comes before: exact < path
            monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space"):
        fill()
    assert path.read_bytes().split(b"\n")[1:3] == [ROWS[0].line, ROWS[1].line]
    assert os.listdir(path.parent) == ["s.csv"]


def test_links_and_permissions_outlive_a_rewrite(path, tmp_path):
    real = tmp_path / "real.csv"
    write(real, ROWS[::-1])
    real.chmod(0o640)
    path.symlink_to(real)
    with Store(path) as store:
        store.append(row(TASKS[0], mean=9.0))
    assert path.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("asked", "estimate", "status"),
    [
        ({}, {}, "done"),
        ({}, {"relative": 0.5}, "capped"),
        ({"max_count": 100}, {"count": 100}, "capped"),
        ({"max_count": 101}, {"count": 100}, "done"),
        ({"max_seconds": 0.2}, {"seconds": 0.25}, "capped"),
        ({"max_seconds": 0.3}, {"seconds": 0.25}, "done"),
    ],
)
def test_status(asked, estimate, status):
    assert row(replace(TASKS[0], **asked), **estimate).status == status


def test_capped_rows_answer_until_more_is_allowed(path):
    short = replace(TASKS[0], max_seconds=1.0)
    with Store(path) as store:
        store.append(row(short, relative=0.5))
        assert store.answers(short)
        assert store.answers(replace(short, max_seconds=0.5))
        assert not store.answers(replace(short, max_seconds=2.0))
        assert not store.answers(TASKS[0])
        store.append(row(TASKS[0]))
        assert store.answers(short)
    assert load(path) == [row(TASKS[0])]


def _quoted(lines):
    table = io.StringIO()
    csv.writer(table, quoting=csv.QUOTE_ALL).writerows(line.split(",") for line in lines)
    return table.getvalue().encode()


def _reordered(lines):
    return "".join(",".join(line.split(",")[::-1]) + "\n" for line in lines).encode()


def _numbered(lines, name):
    rows = (f"{i}," if i >= 0 else f"{name}," for i in range(-1, len(lines) - 1))
    return "".join(number + line + "\n" for number, line in zip(rows, lines, strict=True)).encode()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: "\r\n".join(lines).encode() + b"\r\n",
        lambda lines: codecs.BOM_UTF8 + "\n".join(lines).encode() + b"\n",
        lambda lines: "\n".join(lines).encode() + b"\n\n\r\n\n",
        lambda lines: "\n".join(lines).encode(),  # without the last line's end
        lambda lines: _numbered(lines, ""),
        lambda lines: _numbered(lines, "Unnamed: 0"),
        _quoted,
        _reordered,
    ],
)
def test_what_other_programs_make_of_a_store_is_read_and_mended(path, spoil, caplog):
    good = write(path, ROWS)
    path.write_bytes(spoil(good.decode().splitlines()))
    assert load(path) == load_of(good, path)
    with Store(path) as store:
        assert all(store.answers(row.task) for row in ROWS)
    assert path.read_bytes() == good
    assert not caplog.text


def load_of(data, path):
    """Rows of a store of these bytes."""
    beside = path.with_name("good.csv")
    beside.write_bytes(data)
    rows = load(beside)
    beside.unlink()
    return rows


@pytest.mark.filterwarnings("ignore")
def test_a_store_that_went_through_pandas_is_read(path):
    pandas = pytest.importorskip("pandas")
    good = write(path, ROWS)
    pandas.read_csv(path, float_precision="round_trip").to_csv(path)
    with Store(path):
        pass
    assert path.read_bytes() == good


def test_rounded_numbers_are_no_answers_and_a_column_of_notes_is_not_lost(path, caplog):
    header, first, *rest = write(path, ROWS).decode().splitlines()
    cells = first.split(",")
    cells[COLUMNS.index("mean")] = "0.12"
    path.write_text("\n".join([header, ",".join(cells), *rest]) + "\n")
    assert len(load(path)) == len(ROWS) - 1
    assert "s.csv:2: damaged line, left out: its task runs again" in caplog.text
    load(path.rename(path.with_name("\x1b[31m.csv")))
    assert "\x1b" not in caplog.text
    path.with_name("\x1b[31m.csv").rename(path)
    caplog.clear()
    path.write_text("\n".join([header, ",".join(cells), first, *rest]) + "\n")
    assert len(load(path)) == len(ROWS)
    assert "s.csv:2: damaged line, left out; its task has a row all the same" in caplog.text
    path.write_text("\n".join([header + ",notes", *(f"{line},x" for line in [first, *rest])]))
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"s\.csv:1: columns .* would be lost: notes"), Store(path):
        pass
    assert path.read_bytes() == before


def test_a_pipe_is_no_store(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        load(tmp_path / "pipe")


def test_a_lone_carriage_return_is_no_store(tmp_path):
    (tmp_path / "s.csv").write_bytes(b"a,b\rc\n")
    with pytest.raises(InputError, match="not a results store"):
        load(tmp_path / "s.csv")
