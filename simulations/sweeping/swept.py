"""What a sweep measured, in Python: the rows of a grid, run here or read from a store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ibn.outputs import writing
from ibn.progress import Display
from ibn.results import Result, Table
from ibn.simulations.sweeping.grid import Grid
from ibn.simulations.sweeping.row import COLUMNS, Row
from ibn.simulations.sweeping.sweep import Progress, run


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Result):
    """The rows of a sweep, one a task, in the order of the grid."""

    rows: tuple[Row, ...]

    endings = (".csv",)
    picture = "ibn.figures.sweep_picture:draw_sweep"

    @property
    def headline(self) -> str:
        """How many tasks, of what."""
        tasks = [row.task for row in self.rows]
        capped = sum(row.status == "capped" for row in self.rows)
        sizes = sorted({task.n for task in tasks})
        cut = f", {capped} cut short" if capped else ""
        span = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
        names = ", ".join(dict.fromkeys(task.topology for task in tasks))
        return f"{len(tasks)} tasks{cut}: {names}; n = {span}"

    def to_json(self) -> dict[str, Any]:
        """Return what ``ibn sweep --json`` prints."""
        return {"rows": self.tables()["rows"]}

    def tables(self) -> dict[str, Table]:
        """Return the rows, as the store has them."""
        return {"rows": [row.record() for row in self.rows]}

    def _write(self, path: Path, ending: str) -> None:
        """Write a store, which a later sweep resumes and ``ibn figures`` reads."""
        lines = (",".join(COLUMNS).encode(), *(row.line for row in self.rows))
        with writing(path) as file:
            file.writelines(line + b"\n" for line in lines)


def sweep(
    out: str | os.PathLike[str] | None = None,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    progress: bool | Progress = False,
    **grid: Any,
) -> Sweep:
    """Measure reward uncertainty over a grid of simulated worlds.

    Parameters
    ----------
    out : path-like, optional
        A results store, a CSV file: resumed if it is there, a row added as each task ends. Without
        it nothing is kept but what is returned.
    jobs : int
        Most processes; the rows do not depend on it.
    cluster : str, optional
        Address of a cluster to run on instead.
    progress : bool or callable
        Whether to tell on standard error how much is done; or what is called with the tasks that
        have ended, the tasks to run, and the share of the work done.
    **grid
        Fields of :class:`ibn.simulations.sweeping.grid.Grid`, one value or several, or text as on
        the command line: topology, n, family, alpha, scale, branching, beta, leaves, inference,
        rel_err, replicates, seed, max_count, max_seconds.

    Returns
    -------
    Sweep
        With a short ``repr``; ``to_json()``, ``to_frame()``, ``save(path)`` and ``plot()``.

    Raises
    ------
    InputError
        If a value cannot be used, the store cannot, or a task failed.

    Examples
    --------
    >>> import ibn
    >>> grid = {"topology": ["chain", "star"], "n": [50, 100], "inference": "exact"}
    >>> measured = ibn.sweep(**grid, rel_err=0.1)
    >>> measured
    Sweep(4 tasks: chain, star; n = 50 to 100)
    >>> measured.to_frame()[["topology", "n"]].values.tolist()
    [['chain', 50], ['chain', 100], ['star', 50], ['star', 100]]
    """
    tasks = Grid(**grid).tasks()
    with (
        TemporaryDirectory() as folder,
        Display("usual" if progress is True else "quiet") as display,
    ):
        store = Path(folder, "sweep.csv") if out is None else out
        tell = progress if callable(progress) else display
        return Sweep(tuple(run(tasks, store, jobs=jobs, cluster=cluster, progress=tell)))
