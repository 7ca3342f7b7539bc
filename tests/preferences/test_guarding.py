"""Cells that a spreadsheet would run: harmless for it, and the same when read back."""

import csv

from hypothesis import example, given
from hypothesis import strategies as st

from ibn.preferences.files import read_records
from ibn.preferences.guarding import guard, unguarded
from ibn.preferences.reading import read_for_planning
from ibn.preferences.writing import write_records

CELLS = st.one_of(st.text("'=+-@\t\ra ", max_size=5), st.text(), st.integers())


@given(st.lists(st.fixed_dictionaries({"prompt": CELLS, "chosen": CELLS, "x": CELLS}), max_size=5))
@example([{"prompt": "'=1", "chosen": "''=1", "x": -1}, {"prompt": "'a", "chosen": "'", "x": ""}])
def test_what_is_guarded_reads_back_and_runs_nothing(rows):
    made = guard(rows)
    assert [unguarded(row) for row in made] == rows
    texts = [x for row in made for x in row.values() if isinstance(x, str)]
    assert not any(text[:1] in tuple("=+-@\t\r") for text in texts if text)


def test_files_for_people_are_guarded_and_others_are_not(tmp_path):
    rows = [
        {
            "prompt": "p",
            "response_a": '=HYPERLINK("u")',
            "response_b": "- one\n- two",
            "winner": "",
        },
        {"prompt": "p", "response_a": "'x", "response_b": "y", "winner": ""},
    ]
    people, machines = tmp_path / "people.csv", tmp_path / "machines.csv"
    write_records(people, rows, by_people=True)
    write_records(machines, rows)
    with people.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert '\'=HYPERLINK("u")' in cells
    assert not any(cell[:1] in tuple("=+-@") for cell in cells if cell)
    with machines.open(newline="") as file:
        assert '=HYPERLINK("u")' in next(row for i, row in enumerate(csv.reader(file)) if i)
    for path in (people, machines):
        assert [record for _, record in read_records(path)] == rows
    labelled = people.read_text().replace("y,,", "y,a,")
    (tmp_path / "back.csv").write_text(labelled)
    data, waiting = read_for_planning(tmp_path / "back.csv")
    assert {'=HYPERLINK("u")', "- one\n- two"} <= set(waiting.responses)
    assert set(data.responses) == {"'x", "y"}
