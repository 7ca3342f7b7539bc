"""``ibn reproduce``: sweep, ledger, figures and report in one go."""

from __future__ import annotations

import shlex
from datetime import date
from pathlib import Path

import click

from ibn.cli.terminal import say
from ibn.cli.verbosity import note
from ibn.cli.verbosity import tasks as counting
from ibn.outputs import write_text
from ibn.proofs_check.cli import decide, report_changed
from ibn.simulations.cli.executing import executing
from ibn.simulations.sweeping.profiles import PROFILES, tasks
from ibn.strict_json import dumps, loads


@click.command(name="reproduce")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default="quick",
    show_default=True,
    help="quick: every regime at a glance and the ledger, minutes; full: all worlds, hours.",
)
@click.option(
    "--out",
    default="reproduction",
    show_default=True,
    metavar="DIR",
    help="Where report.html, sweep.csv, claims.json and figures/ go; what was begun there goes on.",
)
@executing
@click.option(
    "--claims",
    default="all",
    show_default=True,
    metavar="ID,...",
    help="Claims of the ledger to decide: all, none, or these.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a summary as one JSON document.")
def command(
    profile: str, out: str, jobs: int, cluster: str | None, claims: str, as_json: bool
) -> int:
    """Measure, draw and report, from nothing to one page.

    Runs the profile's sweep over simulated worlds, decides the claims of the theory, draws the
    figures and writes DIR/report.html, an article with everything inside. Claims are decided as
    by ibn check, with its quick profile. It needs no data and no network. The same command goes on
    where it was interrupted: rows of the sweep, and findings of the same code and packages, are
    taken up. Exit status 1 if a verdict is not the one on record, as with ibn check.

    \b
    Examples:
      ibn reproduce
      ibn reproduce --profile full --out full --jobs 8
      ibn reproduce --claims P5,E2
    """  # noqa: D301 - the escape is for click
    import numpy as np

    from ibn.figures.gallery import ACROSS, DECIDED, EXAMPLES, MEASURED, NAMES, RECORDED, draw
    from ibn.figures.measurements import read
    from ibn.figures.report import EVIDENCE, Provenance, render, summary
    from ibn.proofs_check import ledger
    from ibn.proofs_check.kept_findings import FOLDER
    from ibn.simulations.sweeping.sweep import run

    chosen = () if claims == "all" else claims.split(",")
    names = [] if claims == "none" else ledger.select(chosen)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    store, report, kept = folder / "sweep.csv", folder / "report.html", folder / FOLDER
    if names:
        kept.mkdir(exist_ok=True)  # an error comes now, not when all is measured
    # What can be drawn is there to be looked at while the rest is measured and decided.
    pictures = draw((), None, folder / "figures", among={*EXAMPLES, *RECORDED}, jobs=jobs)
    note(f"{len(pictures)} figures in {folder / 'figures'}")
    with counting() as display:
        measured = run(tasks(profile), store, jobs=jobs, cluster=cluster, progress=display)
    note(f"{len(measured)} rows in {store}")
    stored = read(store)  # with whatever other profiles have left there
    rows = stored[np.isin(stored["task"], [row.task.id for row in measured])]
    pictures += draw((), rows, folder / "figures", among={*ACROSS, *MEASURED}, jobs=jobs)
    note(f"{len(pictures)} figures in {folder / 'figures'}; deciding {len(names)} claims")
    found = decide(names, jobs=jobs, kept=kept) if names else None
    if found and found.taken_up:
        note(f"{len(found.taken_up)} of {len(names)} claims as the same code left them in {kept}")
    evidence = dumps(found.to_json() if found else {"claims": []}, indent=1)
    decided = loads(evidence)["claims"]  # alike whether found now or kept
    write_text(folder / EVIDENCE, evidence + "\n")
    pictures += draw((), rows, folder / "figures", decided, among=DECIDED, jobs=jobs)
    pictures.sort(key=lambda picture: NAMES.index(picture.name))
    made = Provenance(
        command=shlex.join(
            ["ibn", "reproduce", "--profile", profile, "--out", out]
            + ([] if claims == "all" else ["--claims", claims])
        ),
        store=store.name,
        date=date.today().isoformat(),
    )
    page = render(pictures, rows, made, decided, ledger.recorded())
    write_text(report, page)
    if as_json:
        made_of = {"profile": profile, "report": str(report), "store": str(store)}
        verdicts_by_id = {"claims": {one["id"]: one["verdict"] for one in decided}}
        print(dumps({**made_of, **summary(pictures, rows), **verdicts_by_id}))
    else:
        say(report)
    return report_changed(found.changed if found else ())
