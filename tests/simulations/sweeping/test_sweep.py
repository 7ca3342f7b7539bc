import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.simulations.sweeping import sweep
from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.store import load
from ibn.simulations.sweeping.sweep import guess_cost, run

TASKS = Grid(topology="chain,tree", n="10,1e3,100").tasks()


def constant(task):
    return Estimate(1.0 + task.n, 0.001, 100, 0.5)


def answers(rows):
    """Rows with their times put aside."""
    return [(row.task, replace(row.estimate, seconds=0.0)) for row in rows]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "s.csv"


def test_longest_first_and_rows_in_the_order_of_the_tasks(path):
    ran = []

    def remember(task):
        ran.append(task)
        return constant(task)

    rows = run(TASKS, path, estimate=remember)
    assert [row.task for row in rows] == TASKS
    costs = [guess_cost(task) for task in ran]
    assert costs == sorted(costs, reverse=True)


def test_only_what_is_missing_is_run(path):
    calls = []
    run(TASKS[:5], path, estimate=constant)
    rows = run(TASKS, path, estimate=constant, progress=lambda *told: calls.append(told))
    assert [told[:2] for told in calls] == [(k, 7) for k in range(8)]
    shares = [told[2] for told in calls]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, pytest.approx(1.0))
    assert run(TASKS, path, estimate=None, progress=lambda *told: 1 / 0) == rows


def test_tasks_given_twice_run_once(path):
    run(TASKS + TASKS, path, estimate=constant)
    assert len(load(path)) == len(TASKS)


def test_what_a_cap_cut_short_is_run_again_when_more_is_allowed(path):
    def slow(task):
        return Estimate(1.0, 0.5 if task.max_seconds else 0.001, 100, task.max_seconds or 9.0)

    short = [replace(task, max_seconds=1.0) for task in TASKS]
    assert {row.status for row in run(short, path, estimate=slow)} == {"capped"}
    assert {row.status for row in run(TASKS, path, estimate=slow)} == {"done"}
    assert len(load(path)) == len(TASKS)


def test_a_failing_task_stops_no_other(path):
    def fail(task):
        if task.topology == "tree":
            raise ZeroDivisionError("no\nluck")
        return constant(task)

    with pytest.raises(
        InputError, match=r"6 of 12 tasks failed, the first \(tree, n = 1000, exact"
    ):
        run(TASKS, path, estimate=fail)
    assert {row.task.topology for row in load(path)} == {"chain"}
    assert len(load(path)) == 6


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_answer_that_is_no_number_is_a_failure(path, value):
    with pytest.raises(InputError, match="no finite estimate"):
        run(TASKS[:1], path, estimate=lambda task: Estimate(value, 0.1, 100))
    assert load(path) == []


def test_an_interrupted_sweep_says_how_to_go_on_and_does(path):
    def interrupt(task):
        if task.n == 100:
            raise KeyboardInterrupt
        return constant(task)

    with pytest.raises(KeyboardInterrupt, match=r"4 of 12 tasks are in .*the same command runs"):
        run(TASKS, path, estimate=interrupt)
    assert len(load(path)) == 4
    assert len(run(TASKS, path, estimate=constant)) == 12


def test_rows_do_not_depend_on_the_number_of_processes(path, tmp_path, monkeypatch):
    tasks = Grid(topology="chain,tree,star", n="30,300", rel_err=0.05).tasks()
    monkeypatch.setattr(sweep, "WORTH_PROCESSES", 0.0)
    one, two = run(tasks, path, jobs=1), run(tasks, tmp_path / "t.csv", jobs=2)
    assert answers(one) == answers(two)
    assert answers(load(path)) == answers(load(tmp_path / "t.csv"))


# What a subprocess runs, so that it can be killed: 200 tasks of 2 ms that need no library.
SCRIPT = """
import sys, time
from ibn.estimate import Estimate
from ibn.simulations.sweeping import sweep
from ibn.simulations.sweeping.grid import Grid

def slow(task):
    time.sleep(0.002)
    if task.replicate == int(sys.argv[3]):
        import os; os._exit(1)
    return Estimate(1.0 + task.replicate, 0.001, 100, time.perf_counter())

def tell(ended, total, share):
    print(ended, flush=True)

sweep.WORTH_PROCESSES = 0.0
tasks = Grid(topology="chain", n=100, inference="path", replicates=200).tasks()
if __name__ == "__main__":
    sweep.run(tasks, sys.argv[1], jobs=int(sys.argv[2]), estimate=slow, progress=tell)
"""


def start(path, jobs=1, die_at=-1):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(path), str(jobs), str(die_at)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        start_new_session=True,
    )


def test_the_interrupt_key_ends_workers_too(path):
    process = start(path, jobs=2)
    for _ in range(2):  # workers may still be starting
        process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    error = process.communicate(timeout=20)[1]
    assert error.splitlines()[-1].startswith("KeyboardInterrupt: interrupted: ")
    assert error.count("Traceback") == 1  # this script's own, none of a worker
    assert 0 < len(load(path)) <= 200


def test_a_killed_worker_is_told(path):
    process = start(path, jobs=2, die_at=150)
    error = process.communicate(timeout=60)[1]
    assert "a worker process was killed" in error.splitlines()[-1]
    assert 0 < len(load(path)) < 200


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no hangups here")
def test_a_hangup_of_all_processes_ends_them_without_a_complaint():
    command = "from ibn.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "check", "P1", "M3", "--jobs", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr.readline().startswith("P1: holds")
    os.killpg(process.pid, signal.SIGHUP)
    assert "Traceback" not in process.communicate(timeout=20)[1]
    assert process.returncode == 128 + signal.SIGHUP
