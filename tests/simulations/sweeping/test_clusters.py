"""Sweeps on a Dask and a Ray cluster of two workers, started here.

The part with Ray, which is heavy, runs where it is installed: pip install -e '.[test,ray]'.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import ibn.simulations.sweeping.row
from ibn.cli import main
from ibn.errors import InputError
from ibn.simulations.sweeping.executors import cluster
from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.store import load
from ibn.simulations.sweeping.sweep import run
from ibn.simulations.sweeping.task import RESULTS_VERSION, run_task

ROOT = Path(__file__).parents[2]
TASKS = Grid(topology="chain,tree,star", n="30,300", rel_err=0.05).tasks()
KINDS = ("dask", "ray")


@pytest.fixture(scope="module")
def dask():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as local:
        yield local.scheduler_address


@pytest.fixture(scope="module")
def ray():
    pytest.importorskip("ray")
    pytest.importorskip("grpc")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="ray")  # short: sockets lie in it
    options = (
        *("--num-cpus=2", "--port=0", f"--ray-client-server-port={port}", f"--temp-dir={folder}"),
        *("--include-dashboard=false", "--disable-usage-stats", "--object-store-memory=80000000"),
    )
    head = subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert any(b"Ray runtime started" in line for line in head.stdout)
        for _ in range(60):  # until it listens
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1.0).close()
                break
            time.sleep(1.0)
        yield f"ray://127.0.0.1:{port}"
    finally:
        head.terminate()
        head.communicate(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=KINDS)
def address(request):
    return request.getfixturevalue(request.param)


def answers(rows):
    return [(row.task, replace(row.estimate, seconds=0.0)) for row in rows]


def test_rows_are_those_of_this_machine(address, tmp_path):
    there = run(TASKS, tmp_path / "there.csv", cluster=address)
    here = run(TASKS, tmp_path / "here.csv")
    assert answers(there) == answers(here)
    assert answers(load(tmp_path / "there.csv")) == answers(load(tmp_path / "here.csv"))


def fragile(folder, task):
    """Take note of each run; the first of one task kills its worker."""
    time.sleep(0.3)
    with open(f"{folder}/runs", "a") as notes:
        notes.write(f"{task.replicate}\n")
    if task.replicate == 3 and not os.path.exists(f"{folder}/killed"):
        open(f"{folder}/killed", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return run_task(task)


fragile.__module__ = "__main__"  # so that workers get its code, not the name of this module


def test_a_killed_worker_costs_its_task_alone(address, tmp_path):
    tasks = Grid(topology="tree", n="30", inference="path", rel_err=0.05, replicates=10).tasks()
    stored = []

    def look(*told):
        stored.append(len(load(tmp_path / "s.csv")))

    rows = run(
        tasks,
        tmp_path / "s.csv",
        cluster=address,
        estimate=partial(fragile, str(tmp_path)),
        progress=look,
    )
    assert answers(rows) == answers(run(tasks, tmp_path / "t.csv"))
    runs = (tmp_path / "runs").read_text().split()
    assert sorted(runs) == sorted([*(str(task.replicate) for task in tasks), "3"])
    assert stored == list(range(len(tasks) + 1))  # as they come


def test_the_command_line(address, tmp_path, capsys):
    args = ["sweep", "--n", "30", "--rel-err", "0.05", "--out", str(tmp_path / "s.csv")]
    with pytest.raises(SystemExit) as end:
        main([*args, "--cluster", address])
    assert end.value.code == 0
    assert "ibn:" not in capsys.readouterr().err
    assert len(load(tmp_path / "s.csv")) == 4


def deadly(task):
    os.kill(os.getpid(), signal.SIGKILL)


deadly.__module__ = "__main__"


def test_a_task_that_kills_every_worker_is_given_up(address, tmp_path):
    with pytest.raises(InputError, match=r"cluster: .* failed: \w+: .*the same command runs"):
        run(TASKS[:1], tmp_path / "s.csv", cluster=address, estimate=deadly)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("tcp://127.0.0.1:1", r"no cluster answers at tcp://127\.0\.0\.1:1: .*refused"),
        ("ray://127.0.0.1:1", r"no cluster answers at ray://127\.0\.0\.1:1: .*refused"),
        ("tcp://no-such-host.invalid:8786", "no cluster answers at"),
        ("tcp://", "no address of one"),
        ("head:8786", "no address of one"),
        ("http://head:80", "no address of one"),
        ("tcp://head:port", "no address of one"),
    ],
)
def test_wrong_addresses_are_told_at_once(tmp_path, url, message):
    if "no cluster" in message:
        pytest.importorskip("distributed" if url.startswith("tcp") else "ray")
    start = time.monotonic()
    with pytest.raises(InputError, match=message) as caught:
        run(TASKS, tmp_path / "s.csv", cluster=url)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - start < 30


def test_what_listens_but_is_no_cluster_is_told(tmp_path):
    pytest.importorskip("distributed")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(InputError, match="no cluster answers"),
    ):
        run(TASKS, tmp_path / "s.csv", cluster=f"tcp://127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize(("scheme", "package"), [("tcp", "distributed"), ("ray", "ray")])
def test_a_missing_extra_is_named(tmp_path, monkeypatch, scheme, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=r"pip install 'ibn\[(dask|ray)\]'"):
        run(TASKS, tmp_path / "s.csv", cluster=f"{scheme}://127.0.0.1:1")


def test_an_address_is_checked_before_anything_runs():
    with pytest.raises(InputError, match="tcp://HOST:PORT of a Dask scheduler"):
        cluster("somewhere")


def test_rows_of_a_worker_with_another_ibn_are_refused(tmp_path, monkeypatch):
    real = ibn.simulations.sweeping.row.Row

    def other(task, estimate):
        return real(task, estimate, RESULTS_VERSION + 1)

    monkeypatch.setattr("ibn.simulations.sweeping.sweep.Row", other)
    monkeypatch.setattr("ibn.simulations.sweeping.sweep.isinstance", lambda *_: True, raising=False)
    told = f"results version {RESULTS_VERSION + 1}, this ibn makes {RESULTS_VERSION}"
    with pytest.raises(InputError, match=told):
        run(TASKS, tmp_path / "s.csv")
    assert load(tmp_path / "s.csv") == []
