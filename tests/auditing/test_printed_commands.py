"""Every command that a report prints, run as printed, on real files where they are."""

import json
import shlex

import pytest
from click.testing import CliRunner

import ibn
from ibn.cli import main

LINES = 300
FILES = {
    "hh_harmless.jsonl": [],
    "gsm8k_model_solutions.jsonl": [],
    "as_published/auto_j_pairwise.jsonl": ["--winner", "0=a,1=b,2=tie"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_commands_run_as_printed(name, shared_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = (shared_data / name).read_text(encoding="utf-8").splitlines(keepends=True)[:LINES]
    (tmp_path / "prefs.jsonl").write_text("".join(lines), encoding="utf-8")
    run = CliRunner().invoke(
        main, ["audit", "prefs.jsonl", *FILES[name], "--out", "report.html", "--json"]
    )
    assert run.exit_code == 0, run.stderr
    page = (tmp_path / "report.html").read_text()
    advised = json.loads(run.stdout)["recommendations"]
    assert len(advised) == 3
    for one in advised:
        assert one["command"] in page.replace("&#39;", "'")
        again = CliRunner().invoke(main, shlex.split(one["command"])[1:])
        assert again.exit_code == 0, (one["command"], again.stderr)
        for made in ("next.jsonl", "recheck.jsonl"):
            (tmp_path / made).unlink(missing_ok=True)


@pytest.mark.parametrize("held", ["DataFrame", "list", "Table", "Dataset", "polars"])
def test_what_memory_holds_is_kept_first(held, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pandas = pytest.importorskip("pandas")
    rows = [{"q": f"q {i}", "chosen": f"kind {i}", "rejected": f"no {i}"} for i in range(12)]
    source = {
        "DataFrame": lambda: pandas.DataFrame(rows),
        "list": lambda: rows,
        "Table": lambda: pytest.importorskip("pyarrow").Table.from_pylist(rows),
        "Dataset": lambda: pytest.importorskip("datasets").Dataset.from_list(rows),
        "polars": lambda: pytest.importorskip("polars").DataFrame(rows),
    }[held]()
    data = ibn.read_preferences(source, columns={"prompt": "q"})
    comment, command = data.command("plan", "--budget", "3", "--out", "next.jsonl").splitlines()
    names = dict.fromkeys(("df", "rows", "table", "dataset"), source) | {"pandas": pandas}
    exec(comment.removeprefix("# first, in Python: "), names)
    again = CliRunner().invoke(main, shlex.split(command)[1:])
    assert again.exit_code == 0, again.stderr
    assert command.startswith("ibn plan data.jsonl --column prompt=q")
    assert "#" not in ibn.read_preferences("next.jsonl", labelled=False).command("plan")
