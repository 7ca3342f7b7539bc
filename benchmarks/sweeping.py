"""What a sweep costs over the bare work: ids, rows, the store and its safety."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.contest import Contest, Contestant, Faster, Run, Trial
from benchmarks.timing import Agreement
from ibn.estimate import Estimate
from ibn.simulations.sweeping import sweep
from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.store import load
from ibn.simulations.sweeping.task import Task

JOBS = 2
CHUNK = 100
SECONDS = 1e-3
"""Work of a task."""


def _work(steps: int, task: Task) -> Estimate:
    """Do a fixed amount of work: waiting instead would hide what the machinery takes."""
    total = 0
    for step in range(steps):
        total += step
    return Estimate(1.0 + task.replicate, 1e-3, 100, SECONDS)


def _steps(task: Task) -> int:
    """Count the steps of work that take as long as a task should, on this machine."""
    steps, least = 10_000, float("inf")
    for _ in range(100):
        start = time.perf_counter()
        _work(steps, task)
        least = min(least, time.perf_counter() - start)
    return round(steps * SECONDS / least)


class _Clock:
    """Time within a ``with`` block, and processor time, which the machine's load leaves alone."""

    def __enter__(self) -> _Clock:
        self._start, self._used = time.perf_counter(), _used()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._start
        self.note = f"{_used() - self._used:.3g} s of processor time"


def _used() -> float:
    """Processor time of this process and of its children that have ended."""
    whose = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in whose)


def _prepare(n: int) -> Trial:
    tasks = Grid(topology="chain", n=100, inference="path", replicates=n).tasks()
    work = partial(_work, _steps(tasks[0]))

    def ours(number: int) -> Run:
        from joblib.externals.loky import get_reusable_executor

        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "sweep.csv"
            with _Clock() as clock:
                rows = sweep.run(tasks, store, jobs=JOBS, estimate=work)
                get_reusable_executor().shutdown(wait=True)
            assert len(load(store)) == n
        return Run(clock.seconds, [row.estimate for row in rows], note=clock.note)

    def bare(number: int) -> Run:
        with _Clock() as clock, ProcessPoolExecutor(JOBS) as pool:
            found = list(pool.map(work, tasks, chunksize=CHUNK))
        return Run(clock.seconds, found, note=clock.note)

    def check(found: Sequence[Estimate]) -> Agreement:
        return Agreement([one.mean for one in found] == [1.0 + i for i in range(n)], "all answers")

    return Trial(
        ours=Contestant("ibn sweep", ours, check),
        peers=(Contestant("ProcessPoolExecutor.map", bare, check),),
        notes=(
            f"{JOBS} processes, started and ended within the time; tasks of a millisecond of work, "
            f"in chunks of {CHUNK} for the bare map. A sweep also stores every row as it comes.",
        ),
    )


CASES = (
    Contest(
        name="sweep",
        what="The machinery of a sweep: tasks of a millisecond each",
        n=10_000,
        small=1_000,
        prepare=_prepare,
        targets=(Faster(1 / 1.2, "ProcessPoolExecutor.map"),),
    ),
)
