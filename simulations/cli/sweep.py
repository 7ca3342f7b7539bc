"""``ibn sweep``: Monte Carlo over a grid of simulated worlds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ibn.cli.terminal import say, terminal
from ibn.cli.verbosity import note
from ibn.cli.verbosity import tasks as counting
from ibn.outputs import require_name
from ibn.simulations.cli.executing import executing
from ibn.simulations.sweeping.grid import Grid
from ibn.strict_json import dumps

if TYPE_CHECKING:
    from rich.table import Table

    from ibn.simulations.sweeping.row import Row

MOST_LINES = 60
NAMES = ("inference", "family", "topology")
SHOWN = (*NAMES[:2], "alpha", "scale", "branching", "beta", NAMES[2], "leaves", "n")


def _option(name: str, help_: str, shown: str | bool = True) -> Any:
    """Make the option for a parameter of the grid, its default the grid's own."""
    default = getattr(Grid, name)
    metavar = "LIST" if isinstance(default, str) else None
    dashed = name.replace("_", "-")
    return click.option(
        f"--{dashed}", default=default, show_default=shown, metavar=metavar, help=help_
    )


@click.command(name="sweep")
@_option("topology", "Rules that spend the comparisons: chain, tree, star, expander, kwise, …")
@_option("n", "Numbers of comparisons.")
@_option("family", "Families of the structural function: power, logarithmic, sub-logarithmic.")
@_option("alpha", "Decay α of the structural function.")
@_option("scale", "Variance I of the inductive bias at the root of the hierarchy.")
@_option("branching", "Branching B of the hierarchy.")
@_option("leaves", "|S| of a tree, as expressions in n with log, sqrt, min, max.")
@_option("beta", "Inverse temperature β of the labels.")
@_option("inference", "path: mean inference distance; exact: mean posterior variance.")
@_option("rel_err", "Sample until the standard error is this share of the mean.")
@_option("replicates", "Datasets a grid point; an interval over datasets needs at least 2.")
@_option("seed", "Seed of all random streams.")
@_option("max_count", "Cap on draws a task; what it cuts short is marked capped.", "none")
@_option("max_seconds", "Cap on sampling time a task; what it cuts short is marked capped.", "none")
@executing
@click.option(
    "--out", required=True, metavar="FILE", help="The results store, a CSV file; resumed if there."
)
@click.option("--status", is_flag=True, help="Run nothing; tell how much is done.")
@click.option("--json", "as_json", is_flag=True, help='Print one JSON document, {"rows": […]}.')
def command(
    jobs: int, cluster: str | None, out: str, status: bool, as_json: bool, **grid: Any
) -> None:
    """Measure reward uncertainty over a grid of simulated worlds.

    For every combination of the listed values: draw a dataset of n comparisons by the topology's
    rule from an ultrametric world, join it with the inductive bias into the induced Bayesian
    network, and measure the mean uncertainty of reward differences, either along the best path
    (path) or with all paths at once (exact), to the precision asked for.

    A row is one dataset: its mean and stderr are of that dataset alone, and tell nothing of how
    datasets differ. That is what --replicates is for: figures and the table printed here take the
    spread between replicates as their error.

    A LIST is values with commas between; of numbers, low:high:count is a range evenly spaced in
    the logarithm. Each task adds a row to the store as it ends: run the same command again
    after any interruption, and it does only what is missing. Stores of several machines are made
    one by ibn merge.

    \b
    Examples:
      ibn sweep --n 1e3 --out sweep.csv
      ibn sweep --topology chain,tree,star,expander --n 1e2:1e6:9 --out sweep.csv
      ibn sweep --topology tree --leaves "n/log(n),n/log(n)**2" --replicates 3 --out tree.csv
      ibn sweep --n 1e3,1e4 --out sweep.csv --status
      ibn sweep --n 1e3:1e7:9 --cluster tcp://head:8786 --out sweep.csv
      ibn sweep --n 1e3:1e7:9 --cluster ray://head:10001 --out sweep.csv
    """  # noqa: D301 - the escape is for click
    from ibn.simulations.sweeping.store import load
    from ibn.simulations.sweeping.swept import sweep

    require_name(out)
    if status:
        tasks = Grid(**grid).tasks()
        stored = {row.task.id: row for row in load(out)} if Path(out).exists() else {}
        counts = {"tasks": len(tasks), "done": 0, "capped": 0, "missing": 0}
        for task in tasks:
            row = stored.get(task.id)
            counts[row.status if row and row.answers(task) else "missing"] += 1
        if as_json:
            print(dumps(counts))
        else:
            say(", ".join(f"{count} {name}" for name, count in counts.items()) + f" in {out}")
        return

    with counting() as display:
        found = sweep(out, jobs=jobs, cluster=cluster, progress=display, **grid)
    rows = found.rows
    if not display.total:
        note(f"nothing to do: all {len(rows)} tasks are in {out}")
    if capped := sum(row.status == "capped" for row in rows):
        note(f"{capped} of {len(rows)} tasks were cut short, see column status")
    if as_json:
        print(dumps(found.to_json()))
    else:
        terminal().print(_table(rows, out))


def _cell(value: str | int | float) -> str:
    """Write a parameter; 0 means that it does not apply."""
    return f"{value:g}" if isinstance(value, float) and value else str(value or "–")


def _table(rows: Sequence[Row], out: str) -> Table:
    """Tabulate means over replicates; what is the same in all rows goes into the caption."""
    import numpy as np
    from rich.table import Table

    from ibn.estimate import Estimate

    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(getattr(row.task, name) for name in SHOWN), []).append(row)
    columns = zip(SHOWN, zip(*groups, strict=True), strict=True)
    same = {name: values[0] for name, values in columns if len(set(values)) == 1}
    fixed = [f"{name} {_cell(value)}" for name, value in same.items()]
    fixed.append(f"replicates {len(rows) // len(groups)}")

    table = Table(title="Mean uncertainty of reward differences", caption=", ".join(fixed))
    for name in (name for name in SHOWN if name not in same):
        table.add_column(name, justify="left" if name in NAMES else "right")
    for heading in ("mean", "± stderr", "seconds"):
        table.add_column(heading, justify="right")
    for key, group in sorted(groups.items())[:MOST_LINES]:
        # Several datasets: their spread counts, which the error within one does not see.
        means = np.array([row.estimate.mean for row in group])
        overall = Estimate.of(means) if len(group) > 1 else group[0].estimate
        seconds = sum(row.estimate.seconds for row in group)
        cells = [_cell(value) for name, value in zip(SHOWN, key, strict=True) if name not in same]
        table.add_row(*cells, f"{overall.mean:.4g}", f"{overall.stderr:.2g}", f"{seconds:.2f}")
    if len(groups) > MOST_LINES:
        table.caption = f"{table.caption}\n{len(groups) - MOST_LINES} more lines are in {out}"
    return table
