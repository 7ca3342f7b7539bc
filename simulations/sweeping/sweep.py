"""Sweeps: run the tasks that a store lacks, and add their rows as they end."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from math import isfinite, log

from ibn.errors import InputError
from ibn.estimate import Estimate
from ibn.simulations.sweeping.executors import cluster as on_cluster
from ibn.simulations.sweeping.executors import in_process, processes
from ibn.simulations.sweeping.row import Row
from ibn.simulations.sweeping.store import Store
from ibn.simulations.sweeping.task import Task, run_task

WORTH_PROCESSES = 5e5
"""Guessed cost, about a second, below which starting processes takes longer than it saves."""

Progress = Callable[[int, int, float], None]
"""Called with tasks ended, tasks to run, and the share of the work that they are guessed to be."""


@dataclass(frozen=True)
class Failure:
    """A task that ended without an answer."""

    task: Task
    problem: str


Outcome = Row | Failure


def run(
    tasks: Sequence[Task],
    path: str | os.PathLike[str],
    *,
    jobs: int = 1,  # most processes to use; 1 runs everything in this one. The rows are the same
    cluster: str | None = None,
    progress: Progress | None = None,
    estimate: Callable[[Task], Estimate] = run_task,
) -> list[Row]:
    """Run the tasks that a store lacks, the longest first, and return the rows of all.

    A task that fails does not stop the others.

    ``cluster``: address of a cluster to run on instead, see
    :func:`ibn.simulations.sweeping.executors.cluster`.
    ``progress``: called at the start and as each task ends; never, if there is nothing to run.
    ``estimate``: makes a task's estimate; other processes must be able to import it.

    Raises InputError if the store cannot be used, or a task failed; the others' rows are then
    stored; KeyboardInterrupt when interrupted, saying how to go on; rows of the tasks that ended
    are stored.
    """
    failures: list[Failure] = []
    with Store(path) as store:
        lacking = {task.id: task for task in tasks if not store.answers(task)}
        missing = sorted(lacking.values(), key=guess_cost, reverse=True)
        total, worked = sum(map(guess_cost, missing)), 0.0
        if cluster is not None and missing:
            executor = on_cluster(cluster)
        elif min(jobs, len(missing)) <= 1 or total < WORTH_PROCESSES:
            executor = in_process
        else:
            executor = processes(jobs)
        if missing and progress is not None:
            progress(0, len(missing), 0.0)
        try:
            with closing(executor(partial(_attempt, estimate), missing)) as outcomes:
                for ended, outcome in enumerate(outcomes, 1):
                    if isinstance(outcome, Row):
                        store.append(outcome)
                    else:
                        failures.append(outcome)
                    worked += guess_cost(outcome.task)
                    if progress is not None:
                        progress(ended, len(missing), worked / total)
        except KeyboardInterrupt:
            done = sum(map(store.answers, tasks))
            raise KeyboardInterrupt(
                f"interrupted: {done} of {len(tasks)} tasks are in {path}; "
                "the same command runs the rest"
            ) from None
        except BrokenExecutor:
            raise InputError(
                "a worker process was killed, perhaps for want of memory",
                fix="the same command runs the rest; fewer --jobs need less memory",
            ) from None
        rows = [] if failures else [store[task] for task in tasks]
    if failures:
        first = failures[0]
        raise InputError(
            f"{len(failures)} of {len(tasks)} tasks failed, the first "
            f"({first.task.topology}, n = {first.task.n}, {first.task.inference}) "
            f"with: {first.problem}",
            fix=f"the others are in {path}",
        )
    return rows


def guess_cost(task: Task) -> float:
    """Guess how long a task takes, in arbitrary units: to order tasks and to tell time left.

    Searches for paths wander far where distances hardly differ: in slow families, and where the
    variance of a label is above the diversity.
    """
    work = task.n * log(task.n + 1)
    if task.inference == "exact":
        return 3.0 * work
    slow = 8.0 if task.family != "power" else 1.0
    noisy = 8.0 if task.scale * task.beta**2 < 3.0 else 1.0
    return work * slow * noisy


def _attempt(estimate: Callable[[Task], Estimate], task: Task) -> Outcome:
    """Run a task and make whatever goes wrong an outcome."""
    try:
        row = Row(task, estimate(task))
    except Exception as error:
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        return Failure(task, f"{kind}{error}")
    if not (isfinite(row.estimate.mean) and isfinite(row.estimate.stderr)):
        return Failure(task, f"no finite estimate, but {row.estimate}")
    return row
