"""What the verbs answer in Python, and that the command answers the same."""

import json
import sys
import threading

import numpy as np
import pytest
from matplotlib.figure import Figure

import ibn
from ibn.errors import InputError, MissingExtra
from ibn.proofs_check.decided import Ledger
from ibn.results import Result, plain
from ibn.simulations.sweeping.store import load
from ibn.threads import at_most, cores, in_threads

pandas = pytest.importorskip("pandas")

BATTLES = [
    {"model_a": a, "model_b": b, "winner": "model_a" if i % 3 else "model_b"}
    for i, (a, b) in enumerate([("x", "y"), ("y", "z"), ("z", "w"), ("x", "w")] * 9)
]
GRID = {"topology": "chain,star", "n": "50,100", "inference": "exact", "rel_err": 0.1, "seed": 3}
COURSE = {"repetitions": 3, "batches": 4, "seed": 5}


def judged():
    """Enough labels to hide some: kind answers are preferred."""
    return [
        {"prompt": f"question {i}", "chosen": f"kind {i % 7}", "rejected": f"rude {i % 5}"}
        for i in range(120)
    ]


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def timeless(value):
    """Leave out how long things took."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key != "seconds"}
    return [timeless(item) for item in value] if isinstance(value, (list, tuple)) else value


def printed(ibn_command, *arguments):
    status, out, err = ibn_command(*arguments)
    assert status == 0, err
    return timeless(json.loads(out))


def as_printed(found):
    return timeless(json.loads(json.dumps(found.to_json())))


@pytest.fixture(scope="module")
def audited(prefs):
    return ibn.audit(prefs, replicates=2, seed=1)


@pytest.fixture(scope="module")
def answers(prefs, audited):
    """One answer of each verb."""
    return {
        "audit": audited,
        "plan": ibn.plan(prefs, 4),
        "battles": ibn.plan(BATTLES, 7, ranks="top:2"),
        "rank": ibn.rank(BATTLES, probes=True),
        "sweep": ibn.sweep(**GRID),
        "check": ibn.check("M1"),
        "replay": ibn.replay(prefs, 8, **COURSE),
        "real": ibn.replay(judged(), 12, repetitions=3),
    }


VERBS = ("audit", "plan", "battles", "rank", "sweep", "check", "replay", "real")


@pytest.mark.parametrize("verb", VERBS)
def test_every_answer_shows_itself(answers, verb):
    found = answers[verb]
    assert isinstance(found, Result)
    assert len(repr(found)) < 300
    assert "\n" not in repr(found)
    assert repr(found) == f"{type(found).__name__}({found.headline})"
    page = found._repr_html_()
    assert page.startswith("<p>")
    assert "<table>" in page
    assert isinstance(found.plot(), Figure)
    json.dumps(found.to_json(), allow_nan=True)
    tables = found.tables()
    for name, rows in tables.items():
        frame = found.to_frame(name)
        assert len(frame) == len(rows)
        assert not rows or list(frame.columns) == list(rows[0])
    assert found.to_frame().equals(found.to_frame(next(iter(tables))))
    with pytest.raises(InputError, match="unknown table 'uncertain'"):
        found.to_frame("uncertain")


@pytest.mark.parametrize("verb", VERBS)
def test_every_answer_is_saved_as_its_ending_says(answers, verb, tmp_path):
    found = answers[verb]
    for ending in (*found.endings, ".svg", ".png", ".pdf"):
        path = tmp_path / f"answer{ending}"
        if ending != ".parquet.gz":  # Parquet is packed already
            found.save(path)
            assert path.stat().st_size > 20, ending
    if ".json" not in found.endings:  # a plan's is for labelling tools
        found.save(tmp_path / "answer.json")
        kept = json.loads((tmp_path / "answer.json").read_text())
        assert timeless(kept) == as_printed(found)
    for name, problem in {
        "answer.xyz": "unknown kind of file",
        "none/answer.svg": "no such directory",
    }.items():
        with pytest.raises(InputError, match=problem):
            found.save(tmp_path / name)
    with pytest.raises(InputError, match="know no colour"):
        found.save(tmp_path / "answer.svg", colour="red")


def test_the_command_and_python_audit_alike(ibn, prefs, audited, tmp_path):
    page, again = tmp_path / "command.html", tmp_path / "python.html"
    arguments = ("--replicates", 2, "--seed", 1)
    assert printed(ibn, "audit", prefs, *arguments, "--out", page, "--json") == as_printed(audited)
    audited.save(again)
    one, other = page.read_text(), again.read_text()
    assert one.count("<data ") == other.count("<data ") > 20


def test_the_command_and_python_hold_the_same_gate(ibn, prefs):
    status, out, _ = ibn("audit", prefs, "--replicates", 2, "--max-variance", "1e-6", "--json")
    found = __import__("ibn").audit(prefs, replicates=2, max_variance=1e-6)
    assert status == 1
    assert json.loads(out)["gate"] == found.to_json()["gate"]
    assert not found.gate.passed


def test_the_command_and_python_plan_alike(ibn, prefs, answers, tmp_path):
    out, again = tmp_path / "next.jsonl", tmp_path / "again.jsonl"
    document = printed(ibn, "plan", prefs, "--budget", 4, "--out", out, "--json")
    assert document.pop("out") == str(out)
    assert document == as_printed(answers["plan"])
    answers["plan"].save(again)
    assert out.read_bytes() == again.read_bytes()
    assert answers["plan"].to_frame().to_dict("records") == rows_of(out)


def test_the_command_and_python_rank_alike(ibn, answers, tmp_path):
    path = tmp_path / "battles.csv"
    pandas.DataFrame(BATTLES).to_csv(path, index=False)
    document = printed(ibn, "rank", path, "--probes", "--json")
    found = as_printed(__import__("ibn").rank(path, probes=True))
    assert document == found
    assert {**document, "source": "list"} == as_printed(answers["rank"])
    bought = printed(ibn, "plan", path, "--budget", 7, "--ranks", "top:2", "--json")
    assert {k: v for k, v in bought.items() if k not in ("out", "source")} == {
        k: v for k, v in as_printed(answers["battles"]).items() if k != "source"
    }


def test_the_command_and_python_sweep_alike(ibn, answers, tmp_path):
    store, again = tmp_path / "sweep.csv", tmp_path / "again.csv"
    options = [x for k, v in GRID.items() for x in (f"--{k.replace('_', '-')}", v)]
    document = printed(ibn, "sweep", *options, "--jobs", 1, "--out", store, "--json")
    assert document == as_printed(answers["sweep"])
    answers["sweep"].save(again)
    kept = [timeless(row.record()) for row in load(again)]
    assert kept == [timeless(row.record()) for row in load(store)]
    resumed = __import__("ibn").sweep(store, **GRID)  # does nothing anew
    assert [row.estimate for row in resumed.rows] == [row.estimate for row in load(store)]


def test_the_command_and_python_check_alike(ibn, answers):
    assert printed(ibn, "check", "M1", "--json") == as_printed(answers["check"])
    assert answers["check"].passed


def test_the_command_and_python_replay_alike(ibn, prefs, answers, tmp_path):
    options = [x for name, value in COURSE.items() for x in (f"--{name}", value)]
    document = printed(ibn, "replay", prefs, "--budget", 8, *options, "--json")
    assert document == as_printed(answers["replay"])
    assert "labels are too few to hide 8" in answers["replay"].instead
    path = tmp_path / "judged.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in judged()))
    again = tmp_path / "again.json"
    real = ("replay", path, "--budget", 12, "--repetitions", 3)
    document = printed(ibn, *real, "--out", again, "--json")
    assert {**document, "source": "list"} == as_printed(answers["real"])
    assert timeless(json.loads(again.read_text())) == document
    world = __import__("ibn").Ultrametric("power", alpha=0.5)
    found = __import__("ibn").replay(world, 8, responses=12, **COURSE)
    arguments = ("--world", "power", "--alpha", 0.5, "--budget", 8, "--responses", 12)
    assert printed(ibn, "replay", *arguments, *options, "--json") == as_printed(found)


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "prefs", "--replicates", 2),
        ("plan", "prefs", "--budget", 4, "--out", "next.jsonl"),
        ("replay", "prefs", "--budget", 8, "--repetitions", 2, "--batches", 2),
        ("rank", "battles", "--by", "category", "--probes"),
    ],
)
def test_answers_do_not_depend_on_the_jobs(ibn, prefs, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    battles = tmp_path / "battles.jsonl"
    rows = [{**one, "category": "ab"[i % 2]} for i, one in enumerate(BATTLES)]
    battles.write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = [{"prefs": prefs, "battles": battles}.get(each, each) for each in arguments]
    one = printed(ibn, *given, "--jobs", 1, "--json")
    assert one == printed(ibn, *given, "--jobs", 3, "--json")


def test_work_is_shared_among_as_many_as_are_asked_for():
    with at_most(1):
        assert cores() == 1
        assert set(in_threads(lambda _: threading.get_ident(), range(9))) == {threading.get_ident()}
    with at_most(2):
        inner = in_threads(lambda _: cores(), range(2))
        assert inner == [1, 1]
    with pytest.raises(InputError, match="at least 1, not 0"), at_most(0):
        pass


def test_a_verdict_that_has_changed_is_said():
    found = Ledger((), "quick", 0, (("M1", "fails", "holds"),))
    assert not found.passed
    assert "1 verdicts have changed" in repr(found)


@pytest.mark.parametrize("held", ["DataFrame", "list", "Dataset", "Table", "polars", "paths"])
def test_preferences_however_they_are_held(prefs, audited, held, tmp_path):
    records = rows_of(prefs)
    if held == "DataFrame":
        given = pandas.DataFrame(records)
    elif held == "list":
        given = records
    elif held == "Dataset":
        given = pytest.importorskip("datasets").Dataset.from_list(records)
    elif held == "Table":
        given = pytest.importorskip("pyarrow").Table.from_pylist(records)
    elif held == "polars":
        given = pytest.importorskip("polars").DataFrame(records)
    else:
        given = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
        lines = prefs.read_text().splitlines(keepends=True)
        given[0].write_text("".join(lines[:9]))
        given[1].write_text("".join(lines[9:]))
    found = ibn.audit(given, replicates=2, seed=1)
    for name in ("comparisons", "uncertainty", "topologies"):
        assert found.to_json()[name] == audited.to_json()[name]
    planned = ibn.plan(given, 4)
    assert len(planned.to_frame()) == 4


def test_embeddings_are_an_array_or_its_file(prefs, tmp_path):
    data = ibn.read_preferences(prefs)
    rows = np.random.default_rng(0).normal(size=(len(data.responses), 5))
    np.save(tmp_path / "rows.npy", rows)
    one = ibn.audit(data, embeddings=rows, replicates=2, labels=False)
    other = ibn.audit(prefs, embeddings=tmp_path / "rows.npy", replicates=2, labels=False)
    assert one.remaining == other.remaining
    with pytest.raises(InputError, match="would replace an input"):
        other.save(prefs)


def test_a_plan_goes_on_from_its_own_table(prefs):
    table = ibn.plan(prefs, 4, seed=2).to_frame()
    table["winner"] = ["a", "b", "tie", ""]
    again = ibn.plan([prefs, table], 3)
    assert len(again.data.comparisons) == len(rows_of(prefs)) + 3
    assert len(again.to_frame()) == 3


def test_what_was_read_is_not_read_otherwise(prefs):
    data = ibn.read_preferences(prefs)
    with pytest.raises(InputError, match="score is for reading"):
        ibn.audit(data, score="helpfulness")


def test_without_pandas_a_frame_says_what_to_install(answers, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ibn\[pandas\]'"):
        answers["rank"].to_frame()


def test_names_of_strangers_are_no_markup():
    battles = [{**one, "model_a": f"<b>{one['model_a']}"} for one in BATTLES]
    page = ibn.rank(battles)._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;x" in page


def test_python_is_quiet_unless_told(prefs, capsys):
    ibn.audit(prefs, replicates=2, labels=False)
    assert capsys.readouterr() == ("", "")
    heard = []
    ibn.audit(prefs, replicates=2, labels=False, progress=heard.append)
    assert capsys.readouterr() == ("", "")
    assert any("uncertainty after" in message for message in heard)
    ibn.audit(prefs, replicates=2, labels=False, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "uncertainty after" in err


def test_plain_leaves_out_arrays_and_nan():
    assert plain({"x": (np.float64(1.5), float("nan"))}) == {"x": [1.5, None]}


def test_a_plan_saved_twice_keeps_the_labels_that_people_filled_in(tmp_path):
    rows = [{"prompt": f"q {i}", "chosen": f"kind {i}", "rejected": f"no {i}"} for i in range(12)]
    planned = ibn.plan(rows, budget=3, pairs="any")
    path = tmp_path / "next.csv"
    planned.save(path)
    planned.save(path)  # nobody has labelled any
    path.write_text(path.read_text().replace(",,", ",a,", 1))
    labelled = path.read_text()
    with pytest.raises(ibn.InputError, match="1 label there would be lost"):
        planned.save(path)
    assert path.read_text() == labelled
