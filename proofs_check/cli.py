"""``ibn check``: the ledger of claims, decided and held against the record."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ibn.proofs_check.claim import Context, Verdict

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
@click.option("--seed", default=0, show_default=True, help="Seed of all random streams.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
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

    Checks are symbolic, rigorous numeric, exhaustive over small instances, or Monte Carlo with a
    stated probability of error. Exit status 0 if every verdict is the one on record in the
    repository, 1 if one has changed.

    \b
    Examples:
      ibn check
      ibn check P5 E2
      ibn check --profile full --page claims.md
      ibn check --json
    """  # noqa: D301 - the escape is for click
    from ibn.proofs_check import ledger
    from ibn.proofs_check.claim import Context

    verdicts = decide(ledger.select(ids), Context(profile, seed), jobs)
    if record:
        ledger.record(verdicts)
    if as_json:
        print(json.dumps({"claims": [document(verdict) for verdict in verdicts]}))
    else:
        from rich.console import Console

        _show(Console(), verdicts, ledger.recorded(), whole=evidence or bool(ids))
    if page:
        from ibn.proofs_check.claims_page import markdown

        Path(page).write_text(markdown(verdicts, profile, seed), encoding="utf-8")
    return tell_changed(ledger.changed(verdicts))


def decide(names: list[str], context: Context, jobs: int) -> list[Verdict]:
    """Decide claims, telling each verdict on standard error as it falls."""
    from ibn.proofs_check import ledger

    verdicts = []
    for verdict in ledger.run(names, context, min(jobs, max(len(names), 1))):
        verdicts.append(verdict)
        told = f"{verdict.claim.id}: {verdict.verdict} ({verdict.seconds:.1f} s)"
        click.echo(told, err=True)
    return verdicts


def tell_changed(changed: list[tuple[Verdict, str]]) -> int:
    """Tell verdicts that are not those on record on standard error; return the exit status."""
    for verdict, on_record in changed:
        told = f"{verdict.claim.id} {verdict.verdict}, on record: {on_record}"
        click.echo(f"ibn: the verdict has changed: {told}", err=True)
    return 1 if changed else 0


def document(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as an object of the JSON document."""
    claim = verdict.claim
    evidence = [
        {
            "check": check.name,
            "method": check.method,
            "verdict": finding.verdict,
            "evidence": finding.evidence,
            "data": dict(finding.data),
        }
        for check, finding in zip(claim.checks, verdict.findings, strict=True)
    ]
    return {
        "id": claim.id,
        "statement": claim.statement,
        "latex": claim.latex,
        "source": claim.source,
        "assumptions": list(claim.assumptions),
        "method": sorted({check.method for check in claim.checks}),
        "verdict": verdict.verdict,
        "evidence": evidence,
        "seconds": round(verdict.seconds, 3),
    }


def _show(console: Console, verdicts: list[Verdict], expected: dict[str, str], whole: bool) -> None:
    """Print the table of verdicts, then the evidence: all of it, or only what does not hold."""
    from rich.padding import Padding
    from rich.text import Text

    console.print(_table(verdicts, expected))
    for verdict in verdicts:
        checks = zip(verdict.claim.checks, verdict.findings, strict=True)
        told = [one for one in checks if whole or one[1].verdict != "holds"]
        if told:
            console.print(Text(verdict.claim.id, style="bold"))
        for check, finding in told:
            colour = COLOURS[finding.verdict]
            head = ((finding.verdict, colour), f" {check.name} ({check.method}): ")
            console.print(Padding(Text.assemble(*head, finding.evidence), (0, 0, 0, 2)))
    if not whole:
        console.print("All the evidence: ibn check --evidence, or name the claims.")


def _table(verdicts: list[Verdict], expected: dict[str, str]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="The ledger")
    for heading in ("claim", "verdict", "statement", "checks that hold"):
        table.add_column(heading)
    for verdict in verdicts:
        on_record = expected.get(verdict.claim.id)
        note = "" if on_record == verdict.verdict else f" (on record: {on_record})"
        held = sum(finding.verdict == "holds" for finding in verdict.findings)
        table.add_row(
            verdict.claim.id,
            f"[{COLOURS[verdict.verdict]}]{verdict.verdict}[/]{note}",
            escape(verdict.claim.statement),
            f"{held} of {len(verdict.findings)}",
        )
    return table
