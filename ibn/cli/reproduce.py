"""``ibn reproduce``: sweep, figures and report in one go."""

from __future__ import annotations

import json
import shlex
from datetime import date
from pathlib import Path

import click

from ibn.cli.executing import executing
from ibn.cli.progress import Display
from simulations.profiles import PROFILES, tasks


@click.command(name="reproduce")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default="quick",
    show_default=True,
    help="quick: one world, about a minute; full: every family and regime, hours.",
)
@click.option(
    "--out",
    default="reproduction",
    show_default=True,
    metavar="DIR",
    help="Where report.html, sweep.csv and figures/ go; a sweep begun there goes on.",
)
@executing
@click.option("--json", "as_json", is_flag=True, help="Print a summary as one JSON document.")
def command(profile: str, out: str, jobs: int, cluster: str | None, as_json: bool) -> None:
    r"""Measure, draw and report, from nothing to one page.

    Runs the profile's sweep over simulated worlds, draws the figures from it and writes
    DIR/report.html, an article with everything inside. It needs no data and no network.

    \b
    Examples:
      ibn reproduce
      ibn reproduce --profile full --out full --jobs 8
    """
    import numpy as np

    from figures.gallery import draw
    from figures.report import Provenance, render, summary
    from figures.results import read
    from simulations.sweep import run

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    store, report = folder / "sweep.csv", folder / "report.html"
    with Display() as display:
        measured = run(tasks(profile), store, jobs=jobs, cluster=cluster, progress=display)
    click.echo(f"{len(measured)} rows in {store}; drawing", err=True)

    stored = read(store)  # with whatever other profiles have left there
    rows = stored[np.isin(stored["task"], [row.task.id for row in measured])]
    pictures = draw((), rows, folder / "figures")
    made = Provenance(
        command=shlex.join(["ibn", "reproduce", "--profile", profile, "--out", out]),
        store=store.name,
        date=date.today().isoformat(),
    )
    report.write_text(render(pictures, rows, made), encoding="utf-8")
    if as_json:
        made_of = {"profile": profile, "report": str(report), "store": str(store)}
        print(json.dumps({**made_of, **summary(pictures, rows)}))
    else:
        click.echo(report)
