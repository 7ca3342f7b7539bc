"""Merging: the stores of several machines made one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ibn.simulations.sweeping.row import Row, differ
from ibn.simulations.sweeping.store import Found, Store, find, two_answers


@dataclass(frozen=True)
class Merged:
    """What a merge made."""

    rows: int  # tasks with a row in the merged store
    repeated: int  # rows left out because another gives the same answer, or a better one


def merge(paths: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str]) -> Merged:
    """Gather the rows of stores in one, a row a task.

    Of several rows of a task a finished one is kept, or where a cap cut all short, the one of most
    draws; among equals the one given first. The stores are only read, save ``out``; where that
    exists, its rows come first.

    ``out``: the store to write, made if missing. It is written once all others have been read.

    Raises InputError if a file is no results store or of another results version, or two rows of
    one task give different finished answers; nothing is written then; OSError if a file cannot be
    read or written.
    """
    best: dict[str, Found] = {}
    differing: list[tuple[Found, Found]] = []
    read = 0
    for path in dict.fromkeys(map(Path, [out, *paths] if Path(out).exists() else paths)):
        for found in find(path):
            read += 1
            kept = best.setdefault(found.row.task.id, found)
            if differ(kept.row, found.row):
                differing.append((kept, found))
            if _draws(found.row) > _draws(kept.row):
                best[found.row.task.id] = found
    if differing:
        raise two_answers(differing)
    with Store(out) as store:
        for row, _, _ in best.values():
            if store.get(row.task) != row:
                store.append(row)
    return Merged(len(best), read - len(best))


def _draws(row: Row) -> tuple[bool, float]:
    """Tell how good a row is: finished, then the draws behind one that is not."""
    return (True, 0) if row.status == "done" else (False, row.estimate.count)
