"""``ibn merge``: the stores of several machines made one."""

from __future__ import annotations

from dataclasses import asdict

import click

from ibn.cli.terminal import say
from ibn.outputs import require_name
from ibn.strict_json import dumps


@click.command(name="merge")
@click.argument("stores", metavar="FILE…", nargs=-1, required=True)
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    help="The store to write; if there already, its rows stay and take part.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was made as one JSON document.")
def command(stores: tuple[str, ...], out: str, as_json: bool) -> None:
    """Merge the stores of sweeps that ran on several machines.

    The merged store has one row a task. A task that was run more than once keeps a finished row
    rather than one that a cap cut short. The stores read are left as they are.

    Nothing is written, and the exit status is 2, if two finished rows of a task differ by more
    than rounding, or if a row was made by an ibn whose answers are others; file and line are
    named.

    \b
    Examples:
      ibn merge laptop.csv server.csv --out all.csv
      ibn sweep --n 1e3:1e6:7 --out all.csv        (runs only what neither has)
    """  # noqa: D301 - the escape is for click
    from ibn.simulations.sweeping.merge import merge

    require_name(out)
    merged = merge(stores, out)
    if as_json:
        print(dumps({"out": out, **asdict(merged)}))
    else:
        say(f"{merged.rows} rows in {out}; {merged.repeated} repetitions left out")
