"""``python -m benchmarks``."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from benchmarks.contest import Case, Effort
from benchmarks.history import append, read
from benchmarks.machine import Machine, commit, load
from benchmarks.results_page import Record, markdown, to_json, write
from ibn.errors import InputError, unknown_name

MODULES = (
    *("building", "distances", "posteriors", "resistances"),
    *("large", "sweeping", "commands", "time_growth", "leaderboards"),
)


def cases() -> dict[str, Case]:
    """All cases, by name, in the order of the page."""
    modules = (import_module(f"benchmarks.{name}") for name in MODULES)
    return {case.name: case for module in modules for case in module.CASES}


def chosen(wanted: Sequence[str]) -> list[Case]:
    """Pick cases by name, or by what stands before a name's hyphen; all if none is given.

    Raises
    ------
    InputError
        If there is no such case.
    """
    known = cases()
    groups = {name.partition("-")[0] for name in known}
    for name in wanted:
        if name not in known and name not in groups:
            raise unknown_name("case", name, {*known, *groups})
    return [
        case
        for name, case in known.items()
        if not wanted or name in wanted or name.partition("-")[0] in wanted
    ]


@click.command()
@click.argument("wanted", nargs=-1, metavar="[CASE]...")
@click.option("--n", type=float, help="Comparisons, where a case has no fewer of its own.")
@click.option("--quick", is_flag=True, help="Small sizes, two rounds: whether all of it works.")
@click.option("--rounds", default=Effort.rounds, show_default=True, help="Runs of each contestant.")
@click.option(
    "--patience",
    default=Effort.patience,
    show_default=True,
    help="Seconds after which a contestant begins no more rounds.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page to write, its data beside it; cases not run now stay on it.",
)
@click.option(
    "--history",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A CSV file to add our times to, with the commit; exits with 1 where one grew by a "
    "quarter, beside the fastest peer's too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--list", "listing", is_flag=True, help="Name the cases and stop.")
def main(
    wanted: tuple[str, ...],
    n: float | None,
    quick: bool,
    rounds: int,
    patience: float,
    out: Path | None,
    history: Path | None,
    as_json: bool,
    listing: bool,
) -> None:
    r"""Measure the library side by side with its peers.

    A CASE is a name, or what stands before a name's hyphen: distance is all of distance-chain,
    distance-tree, … Without any, all cases run, at the sizes of their targets, which takes
    an hour or so and 16 GiB of memory.

    \b
    Examples:
      python -m benchmarks --quick
      python -m benchmarks distance posterior-chain --n 1e5
      python -m benchmarks --out docs/benchmarks.md
      python -m benchmarks posterior distance --history times.csv
      python -m benchmarks labels --help
    """
    try:
        picked = chosen(wanted)
        if history is not None:
            read(history)  # refused now, not after hours
    except InputError as error:
        raise click.UsageError(str(error)) from None
    for path in (out, history):
        if path is not None and not path.parent.is_dir():
            raise click.UsageError(f"no such directory: {path.parent}")
    if listing:
        for case in picked:
            click.echo(f"{case.name:20} {case.what}, n = {case.n:,}")
        return
    command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
    about: dict[str, Any] = {
        "machine": Machine.here(),
        "date": date.today().isoformat(),
        "command": command,
        "commit": commit(),
    }
    effort = Effort(2 if quick else rounds, patience, lambda text: click.echo(text, err=True))
    records = []
    for case in picked:
        size = case.small if quick else case.n
        before = load()
        result = case.run(size if n is None else min(case.n, int(n)), effort)
        records.append(Record(result, load=before, **about))
        if out is not None:  # case by case, so that an interruption loses one at most
            write(out, records, list(cases()))
    if as_json:
        print(json.dumps(to_json(records)))
    elif out is None:
        print(markdown(records))
    if history is not None and (slower := append(history, records)):
        click.echo("\n".join(slower), err=True)
        sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["labels"]:
        from benchmarks.labels import main as labels

        labels(sys.argv[2:], prog_name="python -m benchmarks labels")
    main()
