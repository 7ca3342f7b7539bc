"""``ibn sweep``: Monte Carlo over a grid of simulated worlds."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulations.grid import Grid

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

    from simulations.store import Row

PLAIN_SECONDS = 10.0
MOST_LINES = 60
NAMES = ("inference", "family", "topology")
SHOWN = (*NAMES[:2], "alpha", "scale", "branching", "beta", NAMES[2], "leaves", "n")


def _values(name: str, help_: str) -> Any:
    """Make the option for a parameter of the grid, its default the grid's own."""
    return click.option(
        f"--{name}", default=getattr(Grid, name), show_default=True, metavar="LIST", help=help_
    )


@click.command(name="sweep")
@_values("topology", "Rules that spend the comparisons: chain, tree, star, expander, kwise, …")
@_values("n", "Numbers of comparisons.")
@_values("family", "Families of the structural function: power, logarithmic, sub-logarithmic.")
@_values("alpha", "Decay α of the structural function.")
@_values("scale", "Variance I of the inductive bias at the root of the hierarchy.")
@_values("branching", "Branching B of the hierarchy.")
@_values("leaves", "|S| of a tree, as expressions in n with log, sqrt, min, max.")
@_values("beta", "Inverse temperature β of the labels.")
@_values("inference", "path: mean inference distance; exact: mean posterior variance.")
@click.option(
    "--rel-err",
    default=Grid.rel_err,
    show_default=True,
    help="Sample until the standard error is this share of the mean.",
)
@click.option(
    "--replicates", default=Grid.replicates, show_default=True, help="Datasets a grid point."
)
@click.option("--seed", default=Grid.seed, show_default=True, help="Seed of all random streams.")
@click.option(
    "--max-count",
    default=Grid.max_count,
    show_default="none",
    help="Cap on draws a task; what it cuts short is marked capped.",
)
@click.option(
    "--max-seconds",
    default=Grid.max_seconds,
    show_default="none",
    help="Cap on sampling time a task; what it cuts short is marked capped.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=lambda: len(os.sched_getaffinity(0))
    if hasattr(os, "sched_getaffinity")
    else os.cpu_count(),
    show_default="all cores",
    help="Processes. The rows do not depend on it.",
)
@click.option(
    "--out", required=True, metavar="FILE", help="The results store, a CSV file; resumed if there."
)
@click.option("--status", is_flag=True, help="Run nothing; tell how much is done.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, {\"rows\": […]}.")
def command(jobs: int, out: str, status: bool, as_json: bool, **grid: Any) -> None:
    """Measure reward uncertainty over a grid of simulated worlds.

    For every combination of the listed values: draw a dataset of n comparisons by the topology's
    rule from an ultrametric world, join it with the inductive bias into the induced Bayesian
    network, and measure the mean uncertainty of reward differences, either along the best path
    (path) or with all paths at once (exact), to the precision asked for.

    A LIST is values with commas between; of numbers, low:high:count is a range evenly spaced in
    the logarithm. Each task adds a row to the store as it ends: run the same command again
    after any interruption, and it does only what is missing.

    \b
    Examples:
      ibn sweep --n 1e3 --out sweep.csv
      ibn sweep --topology chain,tree,star,expander --n 1e2:1e6:9 --out sweep.csv
      ibn sweep --topology tree --leaves "n/log(n),n/log(n)**2" --replicates 3 --out tree.csv
      ibn sweep --n 1e3,1e4 --out sweep.csv --status
    """
    tasks = Grid(**grid).tasks()
    from simulations.store import load
    from simulations.sweep import run

    if status:
        ids = {task.id: task for task in tasks}
        rows = [row for row in (load(out) if Path(out).exists() else []) if row.task.id in ids]
        counts = {"tasks": len(tasks), "done": 0, "capped": 0, "missing": len(tasks) - len(rows)}
        for row in rows:
            counts[row.status] += 1
        if as_json:
            print(json.dumps(counts))
        else:
            print(", ".join(f"{count} {name}" for name, count in counts.items()) + f" in {out}")
        return

    with Display() as display:
        rows = run(tasks, out, jobs=jobs, progress=display)
    if not display.ended:
        click.echo(f"nothing to do: all {len(tasks)} tasks are in {out}", err=True)
    if capped := sum(row.status == "capped" for row in rows):
        click.echo(f"{capped} of {len(tasks)} tasks were cut short, see column status", err=True)
    if as_json:
        print(json.dumps({"rows": [row.record() for row in rows]}))
    else:
        from rich.console import Console

        console = Console()
        console.print(_table(rows, out))


class Display:
    """Progress on standard error: a bar on a terminal, else a plain line now and then."""

    def __init__(self) -> None:
        self.ended = 0
        self._bar: Progress | None = None
        self._start = self._told = time.monotonic()

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, ended: int, total: int, share: float) -> None:
        """Show how many tasks have ended, and from their share of the work the time left."""
        self.ended = ended
        if sys.stderr.isatty():
            self._draw(ended, total, share)
        elif (now := time.monotonic()) - self._told >= PLAIN_SECONDS:
            self._told = now
            left = (now - self._start) * (1.0 - share) / share
            click.echo(f"{ended} of {total} tasks, about {_duration(left)} left", err=True)

    def _draw(self, ended: int, total: int, share: float) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        if self._bar is None:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.add_task("", total=1.0)
            self._bar.start()
        self._bar.update(
            self._bar.task_ids[0], description=f"{ended} of {total} tasks", completed=share
        )


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"


def _table(rows: Sequence[Row], out: str) -> Table:
    """Tabulate means over replicates; what is the same in all rows goes into the title."""
    import numpy as np
    from rich.table import Table

    from ibn.estimate import Estimate

    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(getattr(row.task, name) for name in SHOWN), []).append(row)
    lines = sorted(groups.items())
    varying = [i for i in range(len(SHOWN)) if len({values[i] for values in groups}) > 1]
    fixed = [f"{SHOWN[i]} {lines[0][0][i]}" for i in range(len(SHOWN)) if i not in varying]

    table = Table(title="Mean uncertainty of reward differences", caption=", ".join(fixed))
    for i in varying:
        table.add_column(SHOWN[i], justify="left" if SHOWN[i] in NAMES else "right")
    for heading in ("mean", "± stderr", "datasets", "seconds"):
        table.add_column(heading, justify="right")
    for values, group in lines[:MOST_LINES]:
        # Several datasets: their spread counts, which the error within one does not see.
        means = np.array([row.estimate.mean for row in group])
        overall = Estimate.of(means) if len(group) > 1 else group[0].estimate
        seconds = sum(row.estimate.seconds for row in group)
        numbers = (f"{overall.mean:.4g}", f"{overall.stderr:.1g}", str(len(group)), f"{seconds:.2f}")
        table.add_row(*(str(values[i]) for i in varying), *numbers)
    if len(lines) > MOST_LINES:
        table.caption = f"{table.caption}\n{len(lines) - MOST_LINES} more lines are in {out}"
    return table
