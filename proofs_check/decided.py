"""The ledger's claims, decided, as Python has them: ``ibn.check``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ibn.errors import unknown_name
from ibn.progress import Display
from ibn.proofs_check import ledger
from ibn.proofs_check.claim import Context, Verdict
from ibn.proofs_check.kept_findings import Kept
from ibn.proofs_check.machine_checked import proving
from ibn.results import Result, Table, standing_at

PROFILES = ("quick", "full")

Told = Callable[[Verdict, int, int], None]
"""Called with each verdict as it falls, how many have fallen, and how many there will be."""


@dataclass(frozen=True, eq=False, repr=False)
class Ledger(Result):
    """Claims, decided and held against the record.

    Attributes
    ----------
    verdicts : tuple of Verdict
        One a claim.
    profile, seed
        What they were decided with.
    changed : tuple of (str, str, str)
        What is not as on record: claim, reading or check, its verdict, and the record's.
    taken_up : tuple of str
        Ids of the claims that were not decided now, but kept.
    """

    verdicts: tuple[Verdict, ...]
    profile: str
    seed: int
    changed: tuple[tuple[str, str, str], ...]
    taken_up: tuple[str, ...] = ()

    endings = (".md",)
    picture = "ibn.proofs_check.claims_graph:draw_ledger"

    @property
    def passed(self) -> bool:
        """Whether every verdict is the one on record."""
        return not self.changed

    @property
    def headline(self) -> str:
        """How many claims hold, fail and are undecided, and whether that is on record."""
        found = [verdict.verdict for verdict in self.verdicts]
        counts = ", ".join(
            f"{found.count(name)} {shown}"
            for name, shown in (("holds", "hold"), ("fails", "fail"), ("undecided", "undecided"))
        )
        record = "as on record" if self.passed else f"{len(self.changed)} verdicts have changed"
        return f"{len(found)} claims: {counts}; {record}"

    def to_json(self) -> dict[str, Any]:
        """Return what ``ibn check --json`` prints."""
        return {"claims": [document(verdict) for verdict in self.verdicts]}

    def tables(self) -> dict[str, Table]:
        """Return a row a claim, and a row a check."""
        claims = [
            {
                "id": verdict.claim.id,
                "verdict": verdict.verdict,
                "statement": verdict.claim.statement,
                "seconds": round(verdict.seconds, 3),
            }
            for verdict in self.verdicts
        ]
        checks = [
            {
                "id": verdict.claim.id,
                "check": check.name,
                "method": check.method,
                "verdict": verdict.findings[check.name].verdict,
                "evidence": verdict.findings[check.name].evidence,
            }
            for verdict in self.verdicts
            for check in verdict.claim.checks
        ]
        return {"claims": claims, "checks": checks}

    def _write(self, path: Path, ending: str) -> None:
        """Write the page, and beside it the graph of the claims."""
        write = standing_at("ibn.proofs_check.claims_page:write")
        write(path, self.verdicts, self.profile, self.seed, {what for what, _, _ in self.changed})


def check(
    *ids: str,
    profile: str = "quick",
    seed: int = 0,
    jobs: int = 1,
    progress: bool | Told = False,
    kept: Path | None = None,
) -> Ledger:
    """Decide the claims of the theory: each holds, fails or is undecided, with the evidence.

    Parameters
    ----------
    *ids : str
        Ids of claims, such as ``"P5"``; none for all.
    profile : {"quick", "full"}
        How much work to spend on what is measured.
    seed : int
        Of all random streams.
    jobs : int
        Processes; the verdicts do not depend on it.
    progress : bool or callable
        Whether to tell on standard error how much is done; or what is called with each verdict,
        how many have fallen, and how many there will be.
    kept : Path, optional
        A folder in which findings are kept as they fall. Those that the same code, packages,
        profile and seed left there are taken up.

    Returns
    -------
    Ledger
        With a short ``repr``; ``to_json()``, ``to_frame()``, ``save(path)`` and ``plot()``.

    Raises
    ------
    InputError
        If an id or the profile is unknown.

    Examples
    --------
    >>> import ibn
    >>> found = ibn.check("M1")
    >>> found
    Ledger(1 claims: 1 hold, 0 fail, 0 undecided; as on record)
    >>> found.passed
    True
    """
    if profile not in PROFILES:
        raise unknown_name("profile", profile, PROFILES)
    names = ledger.select(ids)
    context = Context(profile, seed)
    keeping = Kept(kept, context) if kept else None
    earlier = {name: one for name in names if keeping and (one := keeping.find(name))}
    verdicts: list[Verdict] = []
    with Display("usual" if progress is True else "quiet", "claims") as display:
        for verdict in ledger.run(
            names, context, min(jobs, len(names)), earlier, keeping.keep if keeping else None
        ):
            verdicts.append(verdict)
            display(len(verdicts), len(names), len(verdicts) / len(names))
            if callable(progress):
                progress(verdict, len(verdicts), len(names))
    changed = tuple(ledger.changed(verdicts))
    return Ledger(tuple(verdicts), profile, seed, changed, tuple(earlier))


def document(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as an object of the JSON document."""
    claim, readings = verdict.claim, verdict.readings
    evidence = [
        {
            "check": check.name,
            "method": check.method,
            "lemma": check.lemma,
            "verdict": verdict.findings[check.name].verdict,
            "evidence": verdict.findings[check.name].evidence,
            "data": dict(verdict.findings[check.name].data),
            "machine_checked": [
                {"theorem": one.name, "says": one.says, "axioms": list(one.axioms)}
                for one in proving(claim.id, check.name)
            ],
        }
        for check in claim.checks
    ]
    return {
        "id": claim.id,
        "statement": claim.statement,
        "latex": claim.latex,
        "source": claim.source,
        "assumptions": list(claim.assumptions),
        "rests_on": list(claim.rests_on),
        "method": sorted({check.method for check in claim.checks}),
        "verdict": verdict.verdict,
        "readings": [
            {
                "reading": reading.name,
                "verdict": readings[reading.name],
                "counts": reading.counts,
                "latex": reading.latex,
                "why": reading.why,
                "checks": [check.name for check in reading.checks],
            }
            for reading in claim.readings
        ],
        "checks": {name: finding.verdict for name, finding in verdict.findings.items()},
        "evidence": evidence,
        "seconds": round(verdict.seconds, 3),
    }
