import csv
import json
import os
import pty
import shutil
import signal
import subprocess
import sys

import pytest

from ibn.estimate import Estimate
from ibn.simulations.sweeping import sweep as sweeping
from ibn.simulations.sweeping import task as sweep_task
from ibn.simulations.sweeping.store import Store, load
from ibn.topology import TOPOLOGIES

CONTRACT = (
    *("task", "topology", "n", "family", "alpha", "scale", "branching", "beta", "leaves"),
    *("inference", "replicate", "seed", "mean", "stderr", "count", "seconds"),
)
SMALL = ("--n", "50", "--rel-err", "0.05", "--jobs", "1")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)


def rows_without_time(rows):
    return [{name: row[name] for name in row if name != "seconds"} for row in rows]


def test_every_topology_and_both_inferences_end_within_the_error(ibn):
    status, out, _ = ibn("sweep", *SMALL, "--topology", ",".join(TOPOLOGIES), "--out", "s.csv")
    assert status == 0
    assert "tree" in out
    with open("s.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0])[: len(CONTRACT)] == CONTRACT
    assert len(rows) == 2 * len(TOPOLOGIES)
    for row in rows:
        assert 0 < float(row["stderr"]) <= 0.05 * float(row["mean"])
        assert row["status"] == "done"


def test_json_is_one_document_of_the_rows_of_the_store(ibn):
    status, out, err = ibn("sweep", *SMALL, "--out", "s.csv", "--json")
    rows = json.loads(out)["rows"]
    assert (status, err) == (0, "")
    with open("s.csv", newline="") as file:
        stored = {row["task"]: row for row in csv.DictReader(file)}
    assert len(rows) == len(stored) == 4
    for row in rows_without_time(rows):
        assert {name: str(value) for name, value in row.items()}.items() <= stored[
            row["task"]
        ].items()


def test_run_again_it_does_nothing_and_says_so(ibn):
    first = ibn("sweep", *SMALL, "--out", "s.csv", "--json")
    with open("s.csv", "rb") as file:
        before = file.read()
    again = ibn("sweep", *SMALL, "--out", "s.csv", "--json")
    assert again == (0, first[1], "nothing to do: all 4 tasks are in s.csv\n")
    with open("s.csv", "rb") as file:
        assert file.read() == before


def test_rows_do_not_depend_on_jobs(ibn, monkeypatch):
    monkeypatch.setattr(sweeping, "WORTH_PROCESSES", 0.0)
    one = ibn("sweep", *SMALL, "--out", "1.csv", "--json")
    two = ibn("sweep", *SMALL, "--jobs", "2", "--out", "2.csv", "--json")
    one, two = (rows_without_time(json.loads(out)["rows"]) for _, out, _ in (one, two))
    assert one == two


def test_status_counts_and_runs_nothing(ibn):
    assert ibn("sweep", *SMALL, "--out", "s.csv", "--status") == (
        0,
        "4 tasks, 0 done, 0 capped, 4 missing in s.csv\n",
        "",
    )
    assert not os.path.exists("s.csv")
    assert "\x1b" not in ibn("sweep", *SMALL, "--out", "\x1b[31m.csv", "--status")[1]
    ibn("sweep", *SMALL, "--inference", "path", "--out", "s.csv")
    assert json.loads(ibn("sweep", *SMALL, "--out", "s.csv", "--status", "--json")[1]) == {
        "tasks": 4,
        "done": 2,
        "capped": 0,
        "missing": 2,
    }


def test_replicates_are_tabulated_together(ibn):
    _, out, _ = ibn("sweep", *SMALL, "--inference", "path", "--replicates", "3", "--out", "s.csv")
    means = [row.estimate.mean for row in load("s.csv") if row.task.topology == "chain"]
    (line,) = [line for line in out.splitlines() if "chain" in line]
    assert f"{sum(means) / 3:.4g}" in line
    assert f"{Estimate.of(means).stderr:.2g}" in line


def test_a_long_table_is_cut(ibn):
    sizes = ",".join(map(str, range(10, 81)))
    args = ("--topology", "star", "--inference", "path", "--rel-err", "1")
    _, out, _ = ibn("sweep", *args, "--n", sizes, "--jobs", "1", "--out", "s.csv")
    assert "11 more lines are in s.csv" in out


def test_what_a_cap_cut_short_is_told(ibn):
    args = ("--topology", "chain", "--n", "50", "--rel-err", "1e-6", "--max-count", "50")
    _, _, err = ibn("sweep", *args, "--out", "s.csv")
    assert err == "2 of 2 tasks were cut short, see column status\n"
    assert {row.status for row in load("s.csv")} == {"capped"}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--n", "0"], "n must be a whole number above 0, not 0"),
        (["--topology", "chian"], "unknown topology 'chian' (did you mean 'chain'?)"),
        (["--alpha", "0"], "alpha must be positive and finite, not 0.0"),
        (["--alpha=-1"], "alpha must be positive and finite, not -1.0"),
        (["--leaves", "n/"], "leaves: cannot evaluate 'n/'"),
        (["--out", "none/s.csv"], "none/s.csv: No such file or directory"),
        (["--out", "."], ".: Is a directory"),
        (["--out", "notes.csv"], "notes.csv: not a results store (give another --out)"),
        (["--out", "notes.csv", "--status"], "notes.csv: not a results store"),
        (["--jobs", "0"], "0 is not in the range"),
    ],
)
def test_bad_input_is_told_in_one_line(ibn, args, message):
    with open("notes.csv", "w") as file:
        file.write("mine\n")
    status, out, err = ibn("sweep", *SMALL, "--out", "s.csv", *args)
    assert (status, out) == (2, "")
    assert message in err
    assert err.startswith("ibn: ")
    assert err.count("\n") == 1
    with open("notes.csv") as file:
        assert file.read() == "mine\n"


def test_two_sweeps_cannot_write_one_store(ibn):
    with Store("s.csv"):
        status, _, err = ibn("sweep", *SMALL, "--out", "s.csv")
    assert status == 2
    assert err.startswith("ibn: s.csv: another run is writing this file (")


def test_interruption_is_told_in_one_line(ibn, monkeypatch):
    def interrupt(*_, **__):
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setitem(sweep_task.INFERENCES, "path", interrupt)
    status, out, err = ibn("sweep", *SMALL, "--out", "s.csv")
    assert (status, out) == (130, "")
    assert err == "ibn: interrupted: 2 of 4 tasks are in s.csv; the same command runs the rest\n"


# A process as another user, or with a full disk, that has all it needs from disk beforehand.
SCRIPT = """
import os, resource, sys
import ibn.inference.paths, ibn.inference.gaussian
import rich.console, rich.table, simpleeval, threadpoolctl
import ibn.simulations.sweeping.sweep
from ibn.cli import main
{prepare}
main(["sweep", "--n", "50", "--rel-err", "0.05", "--jobs", "1", "--out", "s.csv"])
"""


def constrained(prepare):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(prepare=prepare)], capture_output=True, text=True
    )


def test_a_folder_that_cannot_be_written_is_told(ibn, tmp_path):
    tmp_path.chmod(0o555)
    result = constrained("if os.geteuid() == 0: os.setuid(65534)")
    assert result.returncode == 2
    assert result.stderr == "ibn: s.csv: Permission denied\n"


def test_a_full_disk_is_told_and_loses_nothing(ibn):
    result = constrained("resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))")
    assert result.returncode == 2
    assert result.stderr == "ibn: s.csv: File too large\n"
    stored = load("s.csv")
    assert 0 < len(stored) < 4
    assert ibn("sweep", *SMALL, "--out", "s.csv")[0] == 0
    assert len(load("s.csv")) == 4
    assert set(stored) <= set(load("s.csv"))


def mounted(tmp_path, options, script):
    """Run a script in a folder that is a file system of its own, or skip where none may be made."""
    script = (
        f"import ibn.inference.paths, ibn.inference.gaussian\nfrom ibn.cli import main\n{script}"
    )
    command = f'mount -t tmpfs -o {options} none "$0" && cd "$0" && exec "$1" -c "$2"'
    if shutil.which("unshare") is None:
        pytest.skip("no unshare")
    result = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, str(tmp_path), sys.executable, script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    if "unshare:" in result.stderr or "mount:" in result.stderr:
        pytest.skip("no file system may be mounted here")
    return result


def test_a_read_only_file_system_is_told_even_to_root(tmp_path):
    result = mounted(tmp_path, "ro", 'main(["sweep", "--n", "50", "--out", "s.csv"])')
    assert result.returncode == 2
    assert result.stderr == "ibn: s.csv: Read-only file system\n"


FILL_UP = """
args = "sweep --topology star --n 10 --rel-err 0.5 --replicates 30 --jobs 1 --out s.csv".split()
from ibn.simulations.sweeping.store import load
import os, sys
with open("ballast", "wb", buffering=0) as file:
    file.write(bytes(60 * 1024))  # one page of 4 KiB is left
try:
    main(args)
except SystemExit as end:
    print(end.code)
before = load("s.csv")
os.remove("ballast")
try:
    main(args)
except SystemExit as end:
    print(end.code)
print(0 < len(before) < 60, set(before) <= set(load("s.csv")), len(load("s.csv")))
"""


def test_a_disk_that_is_really_full_is_told_and_loses_nothing(tmp_path):
    result = mounted(tmp_path, "size=64k", FILL_UP)
    told = result.stderr.splitlines()
    assert told[0] == "ibn: s.csv: No space left on device"
    assert all("dropped the torn last line" in line for line in told[1:])
    lines = result.stdout.splitlines()
    assert (lines[0], lines[-2], lines[-1]) == ("2", "0", "True True 60")


def test_the_store_opens_in_pandas(ibn):
    pandas = pytest.importorskip("pandas")
    ibn("sweep", *SMALL, "--out", "s.csv")
    table = pandas.read_csv("s.csv")
    assert tuple(table.columns[: len(CONTRACT)]) == CONTRACT
    kinds = {name: table[name].dtype.kind for name in CONTRACT}
    numbers = {name for name, kind in kinds.items() if kind in "if"}
    assert set(CONTRACT) - numbers == {"task", "topology", "family", "inference"}
    assert not table.isna().any().any()
    assert list(table["mean"]) == [row.estimate.mean for row in load("s.csv")]


def test_progress_is_drawn_on_a_terminal_and_the_table_kept_apart(ibn):
    ours, theirs = pty.openpty()
    code = f"from ibn.cli import main; main({['sweep', *SMALL, '--json', '--out', 's.csv']!r})"
    result = subprocess.run(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    assert len(json.loads(result.stdout)["rows"]) == 4
    assert b"of 4 tasks" in os.read(ours, 10**6)
    os.close(ours)
