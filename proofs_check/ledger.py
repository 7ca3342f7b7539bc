"""The ledger as a whole: run it, and hold it against the verdicts on record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from threadpoolctl import threadpool_limits

from ibn.errors import InputError, unknown_name
from ibn.outputs import write_text
from ibn.proofs_check.claim import Claim, Context, Verdict, decide
from ibn.proofs_check.kept_findings import Found
from ibn.simulations.sweeping.executors import processes
from ibn.strict_json import dumps

LEVELS = ("macro", "paths", "rates", "exact", "instruments")
LETTERS = "MPET"  # the order of the theory
# Begun first, as the longest. P5, P7 and P9 draw on the same curves, measured once in one process.
FIRST = (("P5", "P7", "P9"), ("E2",), ("T5",))
RECORD = Path(__file__).with_name("recorded.json")


def _place(name: str) -> tuple[int, str]:
    return LETTERS.index(name[0]), name


def claims() -> dict[str, Callable[[], Claim]]:
    """Builders of all claims by id, in the order of the theory."""
    builders: dict[str, Callable[[], Claim]] = {}
    for level in LEVELS:
        for build in import_module(f"ibn.proofs_check.{level}").CLAIMS:
            builders[build().id] = build
    return {name: builders[name] for name in sorted(builders, key=_place)}


def select(ids: Iterable[str]) -> list[str]:
    """Ids of the claims asked for, or of all if none is.

    Raises
    ------
    InputError
        If an id is none of the ledger's.
    """
    known = list(claims())
    wanted = [name.upper() for name in ids]
    for name in wanted:
        if name not in known:
            raise unknown_name("claim", name, known)
    return wanted or known


def _decide(context: Context, claim_ids: tuple[str, ...]) -> dict[str, Found]:
    """Decide claims, perhaps in another process; what was found by claim."""
    # A claim holds functions, which do not travel between processes; its findings do. One thread
    # each: the processes share the cores already.
    with threadpool_limits(1):
        verdicts = [decide(claims()[name](), context) for name in claim_ids]
    return {verdict.claim.id: (verdict.findings, verdict.seconds) for verdict in verdicts}


def run(
    ids: Iterable[str],
    context: Context,
    jobs: int = 1,
    earlier: Mapping[str, Found] = MappingProxyType({}),
    keep: Callable[[str, Found], None] | None = None,
) -> Iterator[Verdict]:
    """Decide claims, in order, on ``jobs`` processes.

    The verdicts do not depend on ``jobs``: each check has a random stream of its own.

    ``earlier``: what was found before, by claim; it is not decided again.
    ``keep``: called with what is found as it falls.
    """
    builders, names, found = claims(), list(ids), dict(earlier)
    missing = [name for name in names if name not in found]
    if jobs == 1:
        outcomes = (_decide(context, (name,)) for name in missing)
    else:
        groups = (tuple(name for name in group if name in missing) for group in FIRST)
        first = [group for group in groups if group]
        others = [(name,) for name in missing if not any(name in group for group in first)]
        outcomes = processes(jobs)(partial(_decide, context), [*first, *others])
    with closing(outcomes):
        for name in names:
            while name not in found:
                outcome = next(outcomes)
                if keep is not None:
                    for fallen in outcome.items():
                        keep(*fallen)
                found |= outcome
            yield Verdict(builders[name](), *found[name])


# --- The record ----------------------------------------------------------------------------------


def _record() -> dict[str, Any]:
    """Return the record: by claim its profile, its verdict, and those of readings and checks.

    Raises
    ------
    InputError
        If the record is missing or damaged.
    """
    try:
        return json.loads(RECORD.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            "the record of verdicts cannot be read", file=RECORD, fix="run ibn check --record"
        ) from error


def recorded() -> dict[str, str]:
    """Verdicts on record, by claim id; errors are those of a record that cannot be read."""
    return {name: one["verdict"] for name, one in _record().items()}


def recorded_checks(claim: str) -> dict[str, str]:
    """Verdicts on record of a claim's checks; errors are those of :func:`recorded`."""
    return _record()[claim]["checks"]


def _verdicts(verdict: Verdict) -> dict[str, Any]:
    """Every verdict of a decided claim, as they are recorded."""
    return {
        "verdict": verdict.verdict,
        "readings": verdict.readings,
        "checks": {name: finding.verdict for name, finding in verdict.findings.items()},
    }


def changed(verdicts: Iterable[Verdict]) -> list[tuple[str, str, str]]:
    """List what is not as on record: claim, reading or check, its verdict, and the record's.

    A check or reading that the record lacks has ``none`` on record, and one that the record has
    beyond the claim's own is ``missing``.
    """
    known, found = _record(), []
    for verdict in verdicts:
        name = verdict.claim.id
        now, then = _flat(name, _verdicts(verdict)), _flat(name, known.get(name, {}))
        found += [
            (what, now.get(what, "missing"), then.get(what, "none"))
            for what in {**now, **then}
            if now.get(what) != then.get(what)
        ]
    return found


def _flat(name: str, verdicts: Mapping[str, Any]) -> dict[str, str]:
    flat = {name: verdicts["verdict"]} if verdicts else {}
    for kind in ("readings", "checks"):
        for what, verdict in verdicts.get(kind, {}).items():
            flat[f"{name}, {kind[:-1]} “{what}”:"] = verdict
    return flat


def record(verdicts: Iterable[Verdict], profile: str) -> None:
    """Put these verdicts on record, leaving those of other claims."""
    known = _record() if RECORD.exists() else {}
    for verdict in verdicts:
        known[verdict.claim.id] = {"profile": profile, **_verdicts(verdict)}
    ordered = {name: known[name] for name in sorted(known, key=_place)}
    text = dumps(ordered, indent=1, ensure_ascii=False) + "\n"
    write_text(RECORD, text)
