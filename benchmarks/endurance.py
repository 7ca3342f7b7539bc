"""``python -m benchmarks.endurance``: sweeps killed again and again, and what is left of them.

Each trial runs one sweep in a process of its own, kills it with SIGKILL at a random moment, once or
twice, and resumes it. It must have lost no task that it had told to be done, run none
of them again, left no worker behind, and come to the rows of a sweep that nobody disturbed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from benchmarks.process import ROOT
from ibn.estimate import Estimate
from ibn.simulations.sweeping import sweep
from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.store import load
from ibn.simulations.sweeping.task import Task

PATIENCE = 60.0
"""Seconds in which the workers of a killed sweep must have ended by themselves."""


def tasks(count: int) -> list[Task]:
    """List tasks of some milliseconds each, of either topology and inference."""
    grid = Grid(topology="chain,tree", n=30, rel_err=0.1, replicates=-(-count // 4))
    return grid.tasks()[:count]


def answers(path: Path) -> list[tuple[Task, Estimate]]:
    """Rows of a store in its order, with their times put aside."""
    return [(row.task, replace(row.estimate, seconds=0.0)) for row in load(path)]


@dataclass(frozen=True)
class Trial:
    """What became of one sweep.

    Attributes
    ----------
    kills : int
        How often it was killed.
    torn : int
        How often that left a torn line.
    stored : list of int
        Rows in the store after each kill.
    """

    kills: int
    torn: int
    stored: list[int]


def _start(path: Path, count: int, jobs: int) -> subprocess.Popen[str]:
    numbers = ("--tasks", str(count), "--jobs", str(jobs))
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.endurance", "--child", str(path), *numbers],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # where joblib tells what the killed left undone
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )


def _told(process: subprocess.Popen[str]) -> Iterator[tuple[int, int]]:
    """Tasks ended and to run, as the sweep tells them; ends when its last worker has ended."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith("\n"):
            ended, total = line.split()
            yield int(ended), int(total)


def trial(path: Path, count: int, jobs: int, draw: random.Random) -> Trial:
    """Run a sweep that is killed at a random moment, once or twice, and resumed to its end.

    Parameters
    ----------
    path : Path
        Its store.
    count, jobs : int
        How many tasks, and processes.
    draw : random.Random
        Draws the moments, and whether the workers are killed too or must end by themselves.

    Raises
    ------
    AssertionError
        If a row was lost, a finished task run again, or a worker left behind.
    """
    before: dict[str, bytes] = {}
    stored: list[int] = []
    torn = 0
    kills = draw.choice((1, 1, 2))
    while True:
        process = _start(path, count, jobs)
        news = _told(process)
        ended, total = next(news)
        assert total == count - len(before), "a finished task was to be run again"
        if len(stored) < kills:
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
        torn += not data.endswith(b"\n")
        rows = {row.task.id: row.line for row in load(path)}
        assert before.items() <= rows.items(), "a finished task was lost"
        assert len(rows) >= len(before) + ended, "a task told to be done was lost"
        assert data.count(b"\n") - 1 == len(rows), "a task was stored twice"
        before = rows
        if not killed:
            assert len(rows) == count
            return Trial(len(stored), torn, stored)
        stored.append(len(rows))
        assert len(stored) <= kills, "the sweep failed by itself"


def _child(path: Path, count: int, jobs: int) -> None:
    sweep.WORTH_PROCESSES = 0.0
    sweep.run(
        tasks(count),
        path,
        jobs=jobs,
        progress=lambda ended, total, share: print(ended, total, flush=True),
    )


@click.command()
@click.option("--trials", default=50, show_default=True, help="Sweeps to run.")
@click.option("--tasks", "count", default=200, show_default=True, help="Tasks of each.")
@click.option(
    "--jobs", default=2, show_default=True, help="Most processes of one; 1, 2, … in turn."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the moments.")
@click.option("--child", type=click.Path(path_type=Path), hidden=True)
def main(trials: int, count: int, jobs: int, seed: int, child: Path | None) -> None:
    """Kill sweeps at random moments, and see whether anything is lost or done twice."""
    if child is not None:
        _child(child, count, jobs)
        return
    draw = random.Random(seed)
    kills = torn = 0
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.csv"
        for _ in _told(_start(whole, count, 1)):
            pass
        expected = answers(whole)
        assert len(expected) == count
        for number in range(1, trials + 1):
            path = Path(folder) / f"{number}.csv"
            processes = 1 + (number - 1) % jobs
            ended = trial(path, count, processes, draw)
            assert answers(path) == expected, "the rows differ from those of an undisturbed sweep"
            kills += ended.kills
            torn += ended.torn
            click.echo(
                f"trial {number}, {processes} processes: killed with "
                f"{' and '.join(map(str, ended.stored))} rows stored; resumed, all rows equal",
                err=True,
            )
    click.echo(
        f"{trials} trials of {count} tasks, {kills} kills, {torn} of them within a line: no "
        "finished task lost or run twice, all rows equal to those of an undisturbed sweep"
    )


if __name__ == "__main__":
    main()
