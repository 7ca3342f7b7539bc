"""Which items a leaderboard can place: Ford's condition, and who breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ibn.errors import InputError
from ibn.leaderboard.battles import Tally
from ibn.leaderboard.names import LONGEST, shown

NAMED = 5


@dataclass(frozen=True, eq=False)
class Standing:
    """How the items hang together.

    Attributes
    ----------
    group : ndarray of int, shape (K,)
        Items in one group are joined by battles, perhaps through others.
    undefeated, winless : list of ndarray of int
        Sets of items that never lost to, or never beat or tied with, any item outside the set.
    """

    group: NDArray[np.int64]
    undefeated: list[NDArray[np.int64]]
    winless: list[NDArray[np.int64]]

    @property
    def finite(self) -> bool:
        """Whether the likelihood has a maximum within each group."""
        return not self.undefeated and not self.winless


def standing(rows: Tally, *, ties_count: bool = True) -> Standing:
    """Look at who beat whom.

    Parameters
    ----------
    rows : Tally
    ties_count : bool
        Whether a tie holds both sides together, as half a win does.
    """
    won, tied, lost = rows.score
    tied = tied if ties_count else np.zeros_like(tied)
    ahead, behind = won + tied > 0, lost + tied > 0
    winner = np.concatenate([rows.a[ahead], rows.b[behind]])
    loser = np.concatenate([rows.b[ahead], rows.a[behind]])
    shape = (rows.items, rows.items)
    beats = csr_array((np.ones(len(winner)), (winner, loser)), shape=shape)
    _, group = connected_components(beats, directed=False)
    count, circle = connected_components(beats, connection="strong")
    across = circle[winner] != circle[loser]
    loses = np.bincount(circle[loser[across]], minlength=count) > 0
    wins = np.bincount(circle[winner[across]], minlength=count) > 0
    return Standing(
        group,
        [np.flatnonzero(circle == c) for c in np.flatnonzero(wins & ~loses)],
        [np.flatnonzero(circle == c) for c in np.flatnonzero(loses & ~wins)],
    )


def require_maximum(found: Standing, names: Sequence[str]) -> None:
    """Refuse battles whose likelihood has no maximum.

    Raises
    ------
    InputError
        Naming the fewest items to blame.
    """
    size = np.bincount(found.group)
    if len(size) > 1:
        apart = np.flatnonzero(found.group == np.argmin(size))
        _refuse(f"no battle joins {listed(apart, names)} to the rest")
    sets = [(len(x), x, "never lose to the others") for x in found.undefeated]
    sets += [(len(x), x, "never beat or tie with the others") for x in found.winless]
    if sets:
        _, items, what = min(sets, key=lambda each: each[0])
        _refuse(f"{listed(items, names)} {what}: their rewards are infinite")


def listed(items: NDArray[np.int64], names: Sequence[str]) -> str:
    """List items for a message, the first few by name."""
    some = ", ".join(f"'{shown(names[i], LONGEST)}'" for i in items[:NAMED])
    return some + (f" and {len(items) - NAMED} more" if len(items) > NAMED else "")


def _refuse(problem: str) -> None:
    raise InputError(problem, fix="leave them out, add battles, or use the prior: --prior auto")
