"""Which checks of the ledger Coq has proved: read from the record that building the proofs leaves.

The proofs are ``formal/*.v``. ``python -m ibn.proofs_check.formal_build --record`` compiles them
and writes ``formal/checked.json``: each theorem, what it says, and the axioms that Coq's
``Print Assumptions`` lists. The record holds a hash of each source, so that a record older than its
sources is noticed; an installation has the record alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ibn.errors import InputError
from ibn.strict_json import loads

FOLDER = Path(__file__).with_name("formal")
RECORD = FOLDER / "checked.json"
# The axioms of Coq's library of classical real numbers.
TRUSTED = {
    "ClassicalDedekindReals.sig_forall_dec": "a decidable property of the whole numbers holds of "
    "all, or one can be found that lacks it",
    "ClassicalDedekindReals.sig_not_dec": "of every proposition, its double negation or its "
    "negation can be decided",
    "Classical_Prop.classic": "every proposition holds or its negation does",
    "FunctionalExtensionality.functional_extensionality_dep": "functions that agree everywhere "
    "are equal",
}
REBUILD = "run python -m ibn.proofs_check.formal_build --record"


@dataclass(frozen=True)
class Theorem:
    """A theorem that Coq has checked.

    Attributes
    ----------
    name, file : str
        Its name, and the source that proves it.
    claim : str
        Id of the claim of the ledger that it is about.
    checks, parts : tuple of str
        Checks of that claim that it proves on finite spaces, and those of which it proves a part;
        none for a mutant or a bridge.
    mutant : str
        The wrong variant of the claim that it refutes; empty if none.
    says, tex : str
        The theorem in plain words and as a formula.
    statement : str
        The theorem in Coq's own words.
    lines : int
        Lines of its proof, without the lemmas before it.
    axioms : tuple of str
        What Coq takes on trust for it.
    """

    name: str
    file: str
    claim: str
    checks: tuple[str, ...]
    parts: tuple[str, ...]
    mutant: str
    says: str
    tex: str
    statement: str
    lines: int
    axioms: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """The record of one build.

    Attributes
    ----------
    coq : str
        Version of Coq.
    seconds : float
        Processor time that compiling took.
    sources : dict of str to str
        SHA-256 of each source, by name, in the order in which they are compiled.
    lines : dict of str to int
        Lines of each source.
    theorems : tuple of Theorem
        What was proved.
    """

    coq: str
    seconds: float
    sources: Mapping[str, str]
    lines: Mapping[str, int]
    theorems: tuple[Theorem, ...]


def hashes(folder: Path = FOLDER) -> dict[str, str]:
    """SHA-256 of each source in a folder, by name; none in an installation."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob("*.v"))
    }


@cache
def checked(record: Path = RECORD) -> Checked:
    """Read the record.

    Raises
    ------
    InputError
        If it is missing or damaged.
    """
    try:
        document: dict[str, Any] = loads(record.read_text(encoding="utf-8"))
        theorems = tuple(Theorem(**_with_tuples(one)) for one in document.pop("theorems"))
        return Checked(**document, theorems=theorems)
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = "the record of the machine-checked proofs cannot be read"
        raise InputError(problem, file=record, fix=REBUILD) from error


def is_stale(record: Path = RECORD) -> bool:
    """Whether sources lie beside the record and are others than those it was made of."""
    sources = hashes(record.parent)
    return bool(sources) and sources != dict(checked(record).sources)


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(x) if isinstance(x, list) else x for key, x in fields.items()}


def proving(claim: str, check: str) -> tuple[Theorem, ...]:
    """Theorems that prove a check of a claim or a part of it; none if the record is stale."""
    if is_stale(RECORD):
        return ()
    found = (one for one in checked(RECORD).theorems if one.claim == claim)
    return tuple(one for one in found if check in one.checks or check in one.parts)


def extent(claim: str, check: str) -> str:
    """Say how far a check is machine-checked; nothing if it is not."""
    found = proving(claim, check)
    if any(check in one.checks for one in found):
        return "machine-checked"
    return "machine-checked in part" if found else ""
