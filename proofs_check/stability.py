"""Do other seeds give the same verdicts? ``python -m ibn.proofs_check.stability --trials 20``."""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import click

from ibn.outputs import write_text
from ibn.proofs_check import ledger
from ibn.proofs_check.claim import Context

MONTE_CARLO = "Monte Carlo"


@dataclass(frozen=True)
class Trial:
    """One Monte Carlo check run with one seed.

    Attributes
    ----------
    seed : int
        Seed of the whole run.
    claim, check : str
        Which check of which claim.
    verdict : {"holds", "fails", "undecided"}
        What it found.
    seconds : float
        Time spent.
    """

    seed: int
    claim: str
    check: str
    verdict: str
    seconds: float


def run_seed(claim: str, seed: int, profile: str, part: str = "") -> list[Trial]:
    """Run the Monte Carlo checks of a claim with one seed; the others do not depend on it.

    ``part`` names those whose names hold it.
    """
    context, trials = Context(profile, seed), []
    for check in ledger.claims()[claim]().checks:
        if check.method == MONTE_CARLO and part in check.name:
            start = time.perf_counter()
            verdict = check.run(context).verdict
            seconds = round(time.perf_counter() - start, 3)
            trials.append(Trial(seed, claim, check.name, verdict, seconds))
    return trials


def _run_all(task: tuple[int, list[str], str, str]) -> list[Trial]:
    seed, claims, profile, part = task
    # Claims of one seed stay in one process, for several draw on the same measured curves.
    return [trial for claim in claims for trial in run_seed(claim, seed, profile, part)]


def run(
    claims_of: Mapping[int, list[str]], profile: str = "quick", jobs: int = 1, part: str = ""
) -> Iterator[list[Trial]]:
    """Run the Monte Carlo checks of some claims with each seed, a list a seed."""
    tasks = [(seed, claims, profile, part) for seed, claims in claims_of.items() if claims]
    if jobs == 1:
        yield from map(_run_all, tasks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_run_all, tasks)


def table(trials: Iterable[Trial]) -> str:
    """Tabulate in Markdown how often each check came out how."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for trial in trials:
        counts.setdefault((trial.claim, trial.check), Counter())[trial.verdict] += 1
    verdicts = ("holds", "fails", "undecided")
    lines = ["| claim | check | " + " | ".join(verdicts) + " | same |", "|" + " --- |" * 6]
    for (claim, check), found in counts.items():
        cells = [str(found[verdict]) for verdict in verdicts]
        total = sum(found.values())
        name = check.replace("|", "\\|")
        lines.append(f"| {claim} | {name} | {' | '.join(cells)} | {max(found.values())}/{total} |")
    return "\n".join(lines)


def read(store: Path) -> list[Trial]:
    """Read the trials that an earlier run left."""
    if not store.exists():
        return []
    with store.open(newline="") as file:
        return [
            Trial(int(r["seed"]), r["claim"], r["check"], r["verdict"], float(r["seconds"]))
            for r in csv.DictReader(file)
        ]


def keep(store: Path, trials: Iterable[Trial]) -> None:
    """Write trials into a store, whole or not at all."""
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(field.name for field in fields(Trial))
    writer.writerows(map(astuple, trials))
    write_text(store, table.getvalue())


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--trials", default=20, show_default=True, help="How many seeds, from 0 on.")
@click.option("--profile", type=click.Choice(["quick", "full"]), default="quick")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--check", "part", default="", help="Only checks whose names hold this.")
@click.option("--out", metavar="CSV", help="Keep the trials here; run again, the rest is done.")
def main(
    ids: tuple[str, ...], trials: int, profile: str, jobs: int, part: str, out: str | None
) -> None:
    """Run the ledger's Monte Carlo checks with several seeds and count the verdicts.

    Exit status 0 if every check came out the same with every seed, else 1.
    """
    measured = [
        name
        for name, build in ledger.claims().items()
        if any(check.method == MONTE_CARLO for check in build().checks)
    ]
    claims = [name for name in ledger.select(ids) if name in measured]
    store = Path(out) if out else None
    done = [t for t in read(store) if t.claim in claims] if store else []
    done = [trial for trial in done if trial.seed < trials]
    known = {(trial.seed, trial.claim) for trial in done}
    missing = {
        seed: [claim for claim in claims if (seed, claim) not in known] for seed in range(trials)
    }
    if part and out:
        raise click.UsageError("--check runs a part: its trials are not kept with --out")
    others = [trial for trial in read(store) if trial not in done] if store else []
    for found in run(missing, profile, jobs, part):
        done += found
        if store:
            keep(store, others + done)
        if found:
            seconds = sum(trial.seconds for trial in found)
            click.echo(f"seed {found[0].seed}: {seconds:.0f} s", err=True)
    done.sort(key=lambda trial: trial.seed)
    click.echo(table(done))
    found_all: dict[tuple[str, str], set[str]] = {}
    for trial in done:
        found_all.setdefault((trial.claim, trial.check), set()).add(trial.verdict)
    raise SystemExit(1 if any(len(found) > 1 for found in found_all.values()) else 0)


if __name__ == "__main__":
    main()
