"""What a claim is, what a check is, and how checks make a verdict."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
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


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    verdict : {"holds", "fails", "undecided"}
        What it says of the claim.
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
    """One way of deciding a claim.

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
    """

    name: str
    method: str
    run: Callable[[Context], Finding]


@dataclass(frozen=True)
class Claim:
    """A claim of the theory and the checks that decide it.

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
    checks : tuple of Check
        All must hold for the claim to hold; one that fails refutes it.
    """

    id: str
    statement: str
    latex: str
    source: str
    assumptions: tuple[str, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Verdict:
    """A claim decided.

    Attributes
    ----------
    claim : Claim
        What was decided.
    verdict : {"holds", "fails", "undecided"}
        ``fails`` if any check fails, else ``undecided`` if any is, else ``holds``.
    findings : tuple of Finding
        One a check.
    seconds : float
        Time spent.
    """

    claim: Claim
    verdict: str
    findings: tuple[Finding, ...]
    seconds: float


def decide(claim: Claim, context: Context) -> Verdict:
    """Run a claim's checks and draw the verdict from them."""
    start = time.perf_counter()
    findings = tuple(check.run(context) for check in claim.checks)
    found = {finding.verdict for finding in findings}
    verdict = FAILS if FAILS in found else UNDECIDED if UNDECIDED in found else HOLDS
    return Verdict(claim, verdict, findings, time.perf_counter() - start)
