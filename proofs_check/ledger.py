"""The ledger as a whole: run it, and hold it against the verdicts on record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path

from threadpoolctl import threadpool_limits

from ibn.errors import InputError, unknown_name
from ibn.proofs_check.claim import Claim, Context, Verdict, decide

LEVELS = ("macro", "paths", "rates", "exact")
TOGETHER = (("P5", "P7", "P9"),)  # draw on the same measured curves: one process measures them once
RECORD = Path(__file__).with_name("recorded.json")


def claims() -> dict[str, Callable[[], Claim]]:
    """Builders of all claims by id, in the order of the theory."""
    builders: dict[str, Callable[[], Claim]] = {}
    for level in LEVELS:
        for build in import_module(f"ibn.proofs_check.{level}").CLAIMS:
            builders[build().id] = build
    return dict(sorted(builders.items(), key=lambda item: ("MPE".index(item[0][0]), item[0])))


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


def _decide(claim_ids: tuple[str, ...], context: Context) -> list[tuple[str, tuple, float]]:
    # A claim holds functions, which do not travel between processes; its findings do. One thread
    # each: the processes share the cores already.
    with threadpool_limits(1):
        verdicts = [decide(claims()[name](), context) for name in claim_ids]
    return [(verdict.verdict, verdict.findings, verdict.seconds) for verdict in verdicts]


def run(ids: Iterable[str], context: Context, jobs: int = 1) -> Iterator[Verdict]:
    """Decide claims, in order, on ``jobs`` processes.

    The verdicts do not depend on ``jobs``: each check has a random stream of its own.
    """
    builders = claims()
    names = list(ids)
    if jobs == 1:
        for name in names:
            yield Verdict(builders[name](), *_decide((name,), context)[0])
        return
    groups = (tuple(name for name in group if name in names) for group in TOGETHER)
    together = [group for group in groups if group]
    alone = [(name,) for name in names if not any(name in group for group in together)]
    with ProcessPoolExecutor(jobs) as pool:
        # The longest first, so that no process is left with them at the end.
        found = {group: pool.submit(_decide, group, context) for group in [*together, *alone]}
        home = {name: group for group in found for name in group}
        for name in names:
            group = home[name]
            yield Verdict(builders[name](), *found[group].result()[group.index(name)])


def recorded() -> dict[str, str]:
    """Verdicts on record, by claim id.

    Raises
    ------
    InputError
        If the record is missing or damaged.
    """
    try:
        return json.loads(RECORD.read_text())
    except (OSError, ValueError) as error:
        raise InputError(
            "the record of verdicts cannot be read", file=RECORD, fix="run ibn check --record"
        ) from error


def changed(verdicts: Iterable[Verdict]) -> list[tuple[Verdict, str]]:
    """Verdicts that are not those on record, each with what the record says (or ``none``)."""
    known = recorded()
    held = [(verdict, known.get(verdict.claim.id, "none")) for verdict in verdicts]
    return [(verdict, expected) for verdict, expected in held if verdict.verdict != expected]


def record(verdicts: Iterable[Verdict]) -> None:
    """Put these verdicts on record, leaving those of other claims."""
    known = recorded() if RECORD.exists() else {}
    known |= {verdict.claim.id: verdict.verdict for verdict in verdicts}
    order = sorted(known, key=lambda name: ("MPE".index(name[0]), name))
    RECORD.write_text(json.dumps({name: known[name] for name in order}, indent=2) + "\n")
