"""Can the checks fail? ``python -m ibn.proofs_check.mutants`` breaks what they rest on, and looks.

A mutant is a wrong variant of a claim, or a fault put into the library, and names the checks that
must notice: each must find another verdict than the one on record. Mutants of the library run in
processes of their own, so that neither they nor what was cached reaches anything else; variants of
claims that rest on the same measurements share a process, and those.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from typing import Any

import click
from threadpoolctl import threadpool_limits

from ibn.proofs_check import ledger
from ibn.proofs_check.broken_library import BREAKAGES
from ibn.proofs_check.claim import Claim, Context

MONTE_CARLO = "Monte Carlo"


@dataclass(frozen=True)
class Mutant:
    """One thing done wrong, and who must notice.

    Attributes
    ----------
    name : str
        What is wrong, beginning with the claim that must notice, such as ``"P5: …"``.
    checks : tuple of str
        Checks of that claim that must find another verdict than the one on record.
    build : callable
        Builds the claim, or its wrong variant.
    changes : str
        The attribute of the library that is broken; empty for a variant of the claim.
    break_it : callable, optional
        Breaks the library.
    """

    name: str
    checks: tuple[str, ...]
    build: Callable[[], Claim]
    changes: str = ""
    break_it: Callable[[], None] | None = None

    @property
    def claim(self) -> str:
        """Id of the claim that must notice."""
        return self.name.split(":")[0]

    @property
    def slow(self) -> bool:
        """Whether a check that must notice draws at random for long."""
        methods = {check.name: check.method for check in ledger.claims()[self.claim]().checks}
        measured = any(methods[name] == MONTE_CARLO for name in self.checks)
        return measured and self.claim not in ("T0", "M1")


@dataclass(frozen=True)
class Catch:
    """What became of a mutant.

    Attributes
    ----------
    mutant : str
        Its name.
    found : dict of str to str
        The verdict of each check that must notice.
    expected : dict of str to str
        Their verdicts on record.
    """

    mutant: str
    found: dict[str, str]
    expected: dict[str, str]

    @property
    def caught(self) -> bool:
        """Whether every check that must notice has another verdict than the one on record."""
        return all(self.found[name] != self.expected[name] for name in self.found)


def mutants() -> dict[str, Mutant]:
    """All mutants by name: variants of claims, then breakages of the library."""
    builders = ledger.claims()
    found = {}
    for level in ledger.LEVELS:
        for name, (build, check) in import_module(f"ibn.proofs_check.{level}").MUTANTS.items():
            found[name] = Mutant(name, (check,), build)
    for one in BREAKAGES:
        build = builders[one.name.split(":")[0]]
        found[one.name] = Mutant(one.name, one.checks, build, one.changes, one.apply)
    return found


def run(name: str) -> Catch:
    """Break what the mutant breaks, in this process, and run the checks that must notice."""
    mutant = mutants()[name]
    expected = ledger.recorded_checks(mutant.claim)
    if mutant.break_it is not None:
        mutant.break_it()
    checks = {check.name: check for check in mutant.build().checks}
    found = {}
    with threadpool_limits(1):
        for check in mutant.checks:
            try:
                found[check] = checks[check].run(Context()).verdict
            except Exception as error:  # a check that breaks down has noticed
                found[check] = f"{type(error).__name__}"
    return Catch(name, found, {check: expected[check] for check in mutant.checks})


def together(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Part mutants into those that share a process."""
    known, found = mutants(), dict[Any, tuple[str, ...]]()
    for name in names:
        claim, alone = known[name].claim, known[name].break_it is not None
        shared = next((group for group in ledger.FIRST if claim in group), claim)
        key = name if alone else shared
        found[key] = (*found.get(key, ()), name)
    return list(found.values())


def run_all(names: Iterable[str], jobs: int = 1) -> Iterator[Catch]:
    """Run mutants, in processes of their own."""
    with get_context("fork").Pool(jobs, maxtasksperchild=1) as pool:
        for catches in pool.imap(_run_each, together(names), chunksize=1):
            yield from catches


def _run_each(names: tuple[str, ...]) -> list[Catch]:
    return [run(name) for name in names]


def table(catches: Iterable[Catch]) -> str:
    """Tabulate in Markdown which mutants were caught, and by what."""
    known = mutants()
    lines = ["| mutant | changes | must be caught by | verdict there | caught |"]
    lines.append("|" + " --- |" * 5)
    for catch in catches:
        changes = known[catch.mutant].changes or "a variant of the claim"
        verdicts = "; ".join(
            f"{catch.expected[name]} → {found}" for name, found in catch.found.items()
        )
        checks, caught = "; ".join(catch.found), "yes" if catch.caught else "NO"
        cells = (catch.mutant, changes, checks, verdicts, caught)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


@click.command()
@click.argument("parts", nargs=-1, metavar="[PART]...")
@click.option("--quick", is_flag=True, help="Only mutants whose checks draw little at random.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True)
def main(parts: tuple[str, ...], quick: bool, jobs: int) -> None:
    """Run the mutants whose names hold one of the PARTs, or all, and print who caught them.

    Exit status 0 if every mutant was caught by every check that must notice, else 1.
    """
    chosen = [
        name
        for name, mutant in mutants().items()
        if (not parts or any(part in name for part in parts)) and not (quick and mutant.slow)
    ]
    catches = []
    for catch in run_all(chosen, jobs):
        catches.append(catch)
        click.echo(f"{catch.mutant}: {'caught' if catch.caught else 'NOT CAUGHT'}", err=True)
    click.echo(table(catches))
    missed: list[Any] = [catch for catch in catches if not catch.caught]
    click.echo(f"\n{len(catches) - len(missed)} of {len(catches)} mutants caught")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
