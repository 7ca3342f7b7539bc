import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import cases, chosen, main
from benchmarks.history import append, read
from benchmarks.machine import Machine, bandwidth
from benchmarks.results_page import Record, from_json, markdown, merge, spread, to_json, write
from benchmarks.roofline import iteration
from benchmarks.timing import Agreement, Curve, Line, Result, Spread, Verdict
from benchmarks.worlds import dataset, network_of
from ibn.errors import InputError

RESULT = Result(
    case="build",
    what="Build",
    n=1000,
    lines=[
        Line("ours", Spread(1.0, 0.5, 2.0, 3), agreement=Agreement(True, "same")),
        Line("peer", Spread(7.0, 7.0, 7.0, 1), True, Spread(7.0, 3.5, 14.0, 3)),
    ],
    verdicts=[Verdict("at least 5 × faster", "7 ×", True), Verdict("a", "b", None)],
    first_call=1.5,
    absent={"other": "not installed"},
    notes=["a note"],
    curves=[],
)
CURVE = Curve("chain, build", [10, 100], [Spread(1.0, 1.0, 1.0, 1)] * 2, 1.25, 0.5, 10)


def record(**changes):
    machine = Machine("processor", 2, 2**34, 1, "Linux", "CPython 3", {"ibn": "1", "igraph": None})
    made = Record(RESULT, machine, "2026-01-01", "python -m benchmarks", "abc", 0.5)
    return replace(made, result=replace(RESULT, **changes))


def test_the_page_shows_what_was_found():
    page = markdown([record()])
    for text in (
        "| ours | 1 s (0.5 to 2) |",
        "> 7 s | > 7 × (3.5 to 14) |",
        "yes: same",
        "Compiling, or loading compiled code, took 1.5 s",
        "- other: not installed.",
        "igraph not installed",
        "| build | 1,000 | at least 5 × faster | 7 × | met |",
        "`python -m benchmarks`, 2026-01-01, commit abc, load 0.5 before it began",
    ):
        assert text in page
    assert "peak memory" not in page


def test_curves_are_a_table_with_slopes():
    page = markdown([record(lines=[], curves=[CURVE])])
    assert "| 100 | 1 |" in page
    assert "| slope from 10 on | 1.25 ± 0.50 |" in page


def test_a_record_survives_json():
    records = [record(curves=[CURVE])]
    assert from_json(json.loads(json.dumps(to_json(records)))) == records


def test_later_records_take_the_place_of_earlier_ones():
    old = [record(case="build", n=1), record(case="audit", n=2)]
    merged = merge(old, [record(case="build", n=3)], ["audit", "build"])
    assert [(each.result.case, each.result.n) for each in merged] == [("audit", 2), ("build", 3)]


def test_the_page_grows_case_by_case(tmp_path):
    out = tmp_path / "page.md"
    write(out, [record()], ["build", "scaling"])
    write(out, [record(case="scaling", lines=[], curves=[CURVE])], ["build", "scaling"])
    text = out.read_text()
    assert text.index("## build") < text.index("## scaling")
    assert (tmp_path / "benchmarks-scaling.svg").stat().st_size > 1000


def test_one_measurement_has_no_spread():
    assert spread(Spread.of([2.0]), "s") == "2 s"
    assert spread(Spread.of([1.0, 3.0, 2.0]), "s") == "2 s (1 to 3)"


def test_cases_are_chosen_by_name_or_group():
    assert [case.name for case in chosen(["posterior-star", "startup"])] == [
        "posterior-star",
        "startup-help",
        "startup-sweep",
    ]
    assert len(chosen([])) == len(cases())
    with pytest.raises(InputError, match="did you mean 'distance'"):
        chosen(["distnace"])


def test_the_command_prints_one_document():
    arguments = ["build", "--quick", "--n", "200", "--json"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0
    (case,) = json.loads(result.stdout)["cases"]
    assert case["result"]["n"] == 200
    assert "build: preparing" in result.stderr


def test_the_command_refuses_what_it_does_not_know(tmp_path):
    result = CliRunner().invoke(main, ["nothing"])
    assert result.exit_code == 2
    assert "unknown case" in result.stderr
    result = CliRunner().invoke(main, ["--out", str(tmp_path / "no" / "page.md")])
    assert result.exit_code == 2


def test_the_list_names_every_case():
    result = CliRunner().invoke(main, ["--list"])
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(cases())


def test_this_machine_can_be_described():
    machine = Machine.here()
    assert machine.cores >= 1
    assert machine.blas_threads >= 1
    assert machine.memory > 2**28
    assert machine.versions["numpy"]


def test_an_iteration_is_timed_and_its_bytes_counted(monkeypatch):
    monkeypatch.setattr("benchmarks.machine.TRIAD", 2**16)
    few, many = (iteration(network_of(dataset("expander", n))) for n in (400, 4000))
    assert 0 < few.nodes < many.nodes
    assert 5 < many.moved / few.moved < 20
    assert many.seconds > 0
    assert "Roofline" in many.describe(bandwidth(repeats=1))


def timed(seconds, ratio=None):
    lines = [Line("ours", Spread(seconds, seconds, seconds, 3))]
    if ratio is not None:
        lines.append(Line("peer", Spread(1.0, 1.0, 1.0, 3), ratio=Spread(ratio, ratio, ratio, 3)))
    return record(lines=lines)


@pytest.mark.parametrize(
    ("before", "after", "slower"),
    [
        ((1.0,), (1.2,), False),
        ((1.0,), (1.3,), True),
        ((1.0, 8.0), (1.3, 6.0), True),
        ((1.0, 8.0), (1.3, 7.9), False),  # the machine is slower, not we
        ((1.0, 8.0), (1.3,), False),  # nothing to hold it against
    ],
)
def test_a_slowdown_is_said(tmp_path, before, after, slower):
    path = tmp_path / "h.csv"
    assert append(path, [timed(*before)]) == []
    assert append(path, [timed(*before)]) == []
    said = append(path, [timed(*after)])
    assert said == (["build: 1.3 s, 1.30 × what it took (1 s)"] if slower else [])
    rows = read(path)
    assert [row["seconds"] for row in rows] == [f"{x:.4g}" for x in (before[0],) * 2 + after[:1]]
    assert rows[0]["commit"] == "abc"


def test_a_file_that_is_no_history_is_kept(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("prompt,winner\n")
    found = CliRunner().invoke(main, ["build", "--quick", "--history", str(path)])
    assert found.exit_code == 2
    assert "not a history of benchmarks" in found.output
    assert path.read_text() == "prompt,winner\n"
