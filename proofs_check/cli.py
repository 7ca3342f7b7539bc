"""``ibn check``: the ledger of claims, decided and held against the record."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ibn.cli.terminal import say, terminal
from ibn.cli.verbosity import note, tasks
from ibn.outputs import check_file
from ibn.strict_json import dumps

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ibn.proofs_check.claim import Verdict
    from ibn.proofs_check.decided import Ledger

MOST_LISTED = 10  # claims of which each verdict is listed as it falls
COLOURS = {"holds": "green", "fails": "red", "undecided": "yellow"}


@click.command(name="check")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--profile",
    type=click.Choice(["quick", "full"]),
    default="quick",
    show_default=True,
    help="How much work to spend on what is measured.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of all random streams.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 1024),
    default=os.cpu_count() or 1,
    show_default="all cores",
    help="Processes. The verdicts do not depend on it.",
)
@click.option("--evidence", is_flag=True, help="Print all evidence, as for claims that are named.")
@click.option("--page", metavar="FILE", help="Also write the ledger as a Markdown page.")
@click.option("--record", is_flag=True, help="Put the verdicts on record as the expected ones.")
@click.option("--json", "as_json", is_flag=True, help='Print one JSON document, {"claims": […]}.')
def command(
    ids: tuple[str, ...],
    profile: str,
    seed: int,
    jobs: int,
    evidence: bool,
    page: str | None,
    record: bool,
    as_json: bool,
) -> int:
    """Decide the claims of the theory: each holds, fails or is undecided, with the evidence.

    A claim may be read in several ways, such as an upper bound (O) or a tight order (Θ); each
    reading has checks: symbolic, rigorous numeric, exhaustive over small instances, or Monte Carlo
    with a stated probability of error. A reading has the worst verdict of its checks, a claim the
    worst of its readings that count. Exit status 0 if every verdict, of claims, readings and
    checks, is the one on record in the repository, 1 if one has changed.

    \b
    Examples:
      ibn check
      ibn check P5 E2
      ibn check --profile full --page claims.md
      ibn check --json
    """  # noqa: D301 - the escape is for click
    from ibn.proofs_check import ledger
    from ibn.proofs_check.decided import Ledger
    from ibn.proofs_check.machine_checked import REBUILD, is_stale

    if page:
        from ibn.proofs_check.claims_page import GRAPH

        check_file(page, [Path(page).with_name(GRAPH)])
        Ledger.check_path(page)
    ledger.select(ids)
    found = decide(ids, profile=profile, seed=seed, jobs=jobs)
    if record:
        ledger.record(found.verdicts, profile)
        found = replace(found, changed=tuple(ledger.changed(found.verdicts)))
    if as_json:
        print(dumps(found.to_json()))
    else:
        changed = dict(map(_on_record, found.changed))
        _show(terminal(), found.verdicts, changed, whole=evidence or bool(ids))
        if profile == "quick":
            _say_what_is_left(found.verdicts)
        if is_stale():
            note(f"The proofs have changed since Coq checked them: {REBUILD}")
    if page:
        found.save(page)
    return report_changed(found.changed)


def _on_record(change: tuple[str, str, str]) -> tuple[str, str]:
    what, _, on_record = change
    return what, on_record


def _say_what_is_left(verdicts: Sequence[Verdict]) -> None:
    """Say what the quick profile leaves to the full one."""
    left = [(v.claim.id, check) for v in verdicts for check in v.claim.checks if check.full]
    if left:
        say("Left to --profile full:")
    for name, check in left:
        say(f"  {name}, {check.name}: {check.full}")


def decide(
    ids: Sequence[str],
    *,
    profile: str = "quick",
    seed: int = 0,
    jobs: int = 1,
    kept: Path | None = None,
) -> Ledger:
    """Decide claims, telling on standard error how far it is; those ``kept`` are not decided."""
    from ibn.proofs_check.decided import check

    with tasks("claims") as display:

        def tell(verdict: Verdict, fallen: int, of: int) -> None:
            if display.level == "verbose" or of <= MOST_LISTED:
                display.say(f"{verdict.claim.id}: {in_words(verdict)} ({verdict.seconds:.1f} s)")
            display(fallen, of, fallen / of)

        return check(*ids, profile=profile, seed=seed, jobs=jobs, progress=tell, kept=kept)


def in_words(verdict: Verdict) -> str:
    """Say a claim's verdict, and those of its readings where it has several."""
    readings = verdict.readings
    if len(readings) == 1:
        return verdict.verdict
    parts = (f"{found} as {name}" for name, found in readings.items())
    return f"{verdict.verdict} ({'; '.join(parts)})"


def report_changed(changed: Sequence[tuple[str, str, str]]) -> int:
    """Report verdicts that are not those on record on standard error; return the exit status."""
    for what, found, on_record in changed:
        line = f"{what} {found}, on record: {on_record}"
        say(f"ibn: the verdict has changed: {line}", err=True)
    return 1 if changed else 0


def _show(
    console: Console, verdicts: Sequence[Verdict], changed: dict[str, str], whole: bool
) -> None:
    """Print the table of verdicts, then the evidence: all of it, or only what does not hold."""
    from rich.padding import Padding
    from rich.text import Text

    from ibn.proofs_check.machine_checked import extent, proving

    console.print(_table(verdicts, changed))
    for verdict in verdicts:
        checks = [(check, verdict.findings[check.name]) for check in verdict.claim.checks]
        shown = [one for one in checks if whole or one[1].verdict != "holds"]
        if shown:
            console.print(Text(verdict.claim.id, style="bold"))
        for check, finding in shown:
            colour = COLOURS[finding.verdict]
            method = ", ".join(filter(None, (check.method, extent(verdict.claim.id, check.name))))
            head = ((finding.verdict, colour), f" {check.name} ({method}): ")
            console.print(Padding(Text.assemble(*head, finding.evidence), (0, 0, 0, 2)))
            for one in proving(verdict.claim.id, check.name):
                line = f"Coq, {one.name}: {one.says} Axioms: {', '.join(one.axioms) or 'none'}."
                console.print(Padding(Text(line), (0, 0, 0, 4)))
    if not whole:
        console.print("All the evidence: ibn check --evidence, or name the claims.")


def _table(verdicts: Sequence[Verdict], changed: dict[str, str]) -> Table:
    """Table of claims, each with its readings below it."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title="The ledger")
    for heading in ("claim", "verdict", "statement or reading", "checks that hold"):
        table.add_column(heading)

    def add(name: str, found: str, text: str, checks: Any, on_record: str | None) -> None:
        note = "" if on_record is None else f" (on record: {on_record})"
        held = sum(verdict.findings[check.name].verdict == "holds" for check in checks)
        coloured = Text.assemble((found, COLOURS[found]), note)
        table.add_row(name, coloured, text, f"{held} of {len(checks)}")

    for verdict in verdicts:
        claim, readings = verdict.claim, verdict.readings
        add(claim.id, verdict.verdict, claim.statement, claim.checks, changed.get(claim.id))
        for reading in claim.readings if len(readings) > 1 else ():
            text = reading.name + ("" if reading.counts else " (does not count)")
            key = f"{claim.id}, reading “{reading.name}”:"
            add("", readings[reading.name], f"– {text}", reading.checks, changed.get(key))
    return table
