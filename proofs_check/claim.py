"""What a claim is, how it may be read, and how checks make verdicts.

A check finds that what its line says holds, fails or is undecided. A reading is one sense in which
a claim may be taken, such as an upper bound (O) or a tight order (Θ); its verdict is the worst of
its checks: fails, then undecided, then holds. The claim's one verdict is the worst of the readings
that count, those that the source's words call for; the others are recorded beside it.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"
METHODS = ("symbolic", "rigorous numeric", "exhaustive", "Monte Carlo", "recorded experiment")

# Probability that any Monte Carlo check of one run of the ledger decides wrongly by chance.
FAMILY_ERROR = 1e-3
MONTE_CARLO_CHECKS = 100  # more than there are, so that the bound above holds
CHECK_ERROR = FAMILY_ERROR / MONTE_CARLO_CHECKS
ROUNDING = 1e-9  # relative, of double-precision sums and solves


def decided(holds: bool) -> str:
    """Return the verdict of a check that leaves no third answer."""
    return HOLDS if holds else FAILS


def judged(shown: bool, refuted: bool) -> str:
    """Return the verdict of a check that may be left open: refuted, shown or neither."""
    return FAILS if refuted else HOLDS if shown else UNDECIDED


def worst(verdicts: Iterable[str]) -> str:
    """Return the verdict on a conjunction: any that fails decides, then any undecided."""
    found = set(verdicts)
    return FAILS if FAILS in found else UNDECIDED if UNDECIDED in found else HOLDS


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    verdict : {"holds", "fails", "undecided"}
        What it says of the reading that it serves.
    evidence : str
        The numbers, intervals and instances that decide it, in a sentence or two; a
        counterexample where it fails; the reason and what would decide it where undecided.
    data : mapping
        The same numbers for machines, ready for JSON.
    """

    verdict: str
    evidence: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a check may draw on.

    Attributes
    ----------
    profile : {"quick", "full"}
        How much work to spend.
    seed : int
        Seed of the whole run; each check has a stream of its own.
    """

    profile: str = "quick"
    seed: int = 0

    def rng(self, name: str) -> np.random.Generator:
        """Return the stream of the check of this name, whatever ran before it."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])


@dataclass(frozen=True)
class Check:
    """One way of deciding a reading of a claim.

    Attributes
    ----------
    name : str
        What is checked, unique within its claim.
    method : str
        One of ``METHODS``. A Monte Carlo check decides wrongly by chance with probability
        ``CHECK_ERROR`` at most; a recorded experiment took hours, or models and data that are not
        at hand, and is decided from what its command wrote.
    run : callable
        From a context to a finding.
    lemma : str
        The lemma of ``docs/proofs`` that it instantiates, such as ``"L1"``; empty if none.
    full : str
        What the full profile does beyond the quick one; empty if nothing.
    """

    name: str
    method: str
    run: Callable[[Context], Finding]
    lemma: str = ""
    full: str = ""


@dataclass(frozen=True)
class Reading:
    """One sense in which a claim may be taken, decided for itself.

    Attributes
    ----------
    name : str
        The sense in a few words, unique within its claim.
    checks : tuple of Check
        All must hold for the reading to hold. A check may serve several readings.
    latex : str
        What is so in this sense: the formula if it holds, the corrected one if it fails.
    why : str
        One sentence: why it has the verdict that is on record.
    counts : bool
        Whether the source's words call for it. One that does not count is stronger than the
        claim and stands on record beside it.
    """

    name: str
    checks: tuple[Check, ...]
    latex: str = ""
    why: str = ""
    counts: bool = True


AS_STATED = "as stated"


def as_stated(*checks: Check, why: str = "", latex: str = "") -> tuple[Reading, ...]:
    """Return the one reading of a claim whose words leave no choice."""
    return (Reading(AS_STATED, checks, latex, why),)


@dataclass(frozen=True)
class Claim:
    """A claim of the theory, the ways to read it and the checks that decide these.

    Attributes
    ----------
    id : str
        Its id in the theory, such as ``"P5"``.
    statement : str
        The claim in plain words.
    latex : str
        The claim as a formula.
    source : str
        ``"paper"``, with the pointer, or ``"this project"``.
    assumptions : tuple of str
        Spelled out, those that the source leaves unsaid included.
    readings : tuple of Reading
        The senses in which it may be taken.
    rests_on : tuple of str
        Ids of the claims that it uses.
    """

    id: str
    statement: str
    latex: str
    source: str
    assumptions: tuple[str, ...]
    readings: tuple[Reading, ...]
    rests_on: tuple[str, ...] = ()

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks of all readings, each once."""
        return tuple({c.name: c for reading in self.readings for c in reading.checks}.values())


@dataclass(frozen=True)
class Verdict:
    """A claim decided.

    Attributes
    ----------
    claim : Claim
        What was decided.
    findings : mapping of str to Finding
        What each check found, by its name.
    seconds : float
        Time spent.
    """

    claim: Claim
    findings: Mapping[str, Finding]
    seconds: float

    @property
    def readings(self) -> dict[str, str]:
        """The verdict of each reading: the worst of its checks."""
        return {
            reading.name: worst(self.findings[check.name].verdict for check in reading.checks)
            for reading in self.claim.readings
        }

    @property
    def verdict(self) -> str:
        """The claim's one verdict: the worst of the readings that count."""
        found = self.readings
        return worst(found[reading.name] for reading in self.claim.readings if reading.counts)


def decide(claim: Claim, context: Context) -> Verdict:
    """Run a claim's checks, each once."""
    start = time.perf_counter()
    findings = {check.name: check.run(context) for check in claim.checks}
    return Verdict(claim, findings, time.perf_counter() - start)
