"""Sweeps killed again and again, and what is left of them.

Each trial runs one sweep in a process of its own, kills it with SIGKILL at a random moment, once or
twice, and resumes it. It must have lost no task that it had reported as done, run none of them
again, left no worker behind, and come to the rows of a sweep that nobody disturbed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ibn.estimate import Estimate
from ibn.simulations.sweeping import sweep
from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.store import load
from ibn.simulations.sweeping.task import Task

PATIENCE = 60.0  # seconds in which the workers of a killed sweep must have ended by themselves


def tasks(count: int) -> list[Task]:
    """List tasks of some milliseconds each, of either topology and inference."""
    grid = Grid(topology="chain,tree", n=30, rel_err=0.1, replicates=-(-count // 4))
    return grid.tasks()[:count]


def answers(path: Path) -> list[tuple[Task, Estimate]]:
    """Rows of a store in its order, with their times put aside."""
    return [(row.task, replace(row.estimate, seconds=0.0)) for row in load(path)]


def _start(path: Path, count: int, jobs: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, __file__, str(path), str(count), str(jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # where joblib reports what the killed left undone
        text=True,
        start_new_session=True,
    )


def ended_tasks(process: subprocess.Popen[str]) -> Iterator[tuple[int, int]]:
    """Tasks ended and to run, as the sweep reports them; ends when its last worker has ended."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith("\n"):
            ended, total = line.split()
            yield int(ended), int(total)


def trial(path: Path, count: int, jobs: int, draw: random.Random) -> int:
    """Kill a sweep at a random moment, once or twice, and resume it; return how often."""
    before: dict[str, bytes] = {}
    stored: list[int] = []
    kills = draw.choice((1, 1, 2))
    while True:
        process = _start(path, count, jobs)
        news = ended_tasks(process)
        ended, total = next(news, (0, 0))  # killed after its last task, it has none to run
        assert total == count - len(before), "a finished task was to be run again"
        if len(stored) < kills and total:
            last = draw.randrange(total)
            ended = next((number for number, _ in news if number >= last), ended)
            time.sleep(draw.uniform(0.0, 0.05))
            if draw.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        start = time.monotonic()
        ended = max([ended, *(number for number, _ in news)])
        killed = process.wait() != 0
        assert not killed or time.monotonic() - start < PATIENCE, "workers outlived their sweep"
        data = path.read_bytes()
        rows = {row.task.id: row.line for row in load(path)}
        assert before.items() <= rows.items(), "a finished task was lost"
        assert len(rows) >= len(before) + ended, "a task reported as done was lost"
        assert data.count(b"\n") - 1 == len(rows), "a task was stored twice"
        before = rows
        if not killed:
            assert len(rows) == count
            return len(stored)
        stored.append(len(rows))
        assert len(stored) <= kills, "the sweep failed by itself"


@pytest.mark.parametrize(
    ("trials", "count"), [(1, 60), pytest.param(25, 200, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_sweeps_lose_and_repeat_nothing(tmp_path, jobs, trials, count):
    sweep.run(tasks(count), tmp_path / "whole.csv")
    draw = random.Random(jobs)
    kills = done = 0
    while done < trials or not kills:  # a sweep may end before it can be killed
        path = tmp_path / f"{done}.csv"
        kills += trial(path, count, jobs, draw)
        assert answers(path) == answers(tmp_path / "whole.csv")
        done += 1


if __name__ == "__main__":  # the sweep that is killed
    sweep.WORTH_PROCESSES = 0.0
    sweep.run(
        tasks(int(sys.argv[2])),
        Path(sys.argv[1]),
        jobs=int(sys.argv[3]),
        progress=lambda ended, total, share: print(ended, total, flush=True),
    )
