"""Battles: who met whom, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibn.checks import frozen, numbers, positions
from ibn.errors import InputError
from ibn.preferences.comparisons import Comparisons

MOST_ITEMS = 5000
MOST_MARKS = 2**26  # keys up to which marking them is faster than sorting
MOST_VALUES = 64  # of covariates, for battles to be added up by them


@dataclass(frozen=True, eq=False)
class Battles:
    """Battles between items.

    Attributes
    ----------
    names : sequence of str
        The K items.
    a, b : ndarray of int, shape (n,)
        The two sides of each battle, as positions in ``names``; a was shown first.
    outcome : ndarray of float, shape (n,)
        1 where a won, 0 where b won, 0.5 for a tie; other fractions are a's share of the verdicts.
    weight : ndarray of float, shape (n,), optional
        How much a battle matters; it remains one battle.
    count : ndarray of float, shape (n,), optional
        How many battles of this outcome a row stands for.
    both_bad : ndarray of bool, shape (n,), optional
        Ties of which the file says that both sides were bad.
    labels : dict of str to ndarray of int, shape (n,)
        Whom or what each battle belongs to, as codes: ``judge``, ``prompt``, ``category``.
    keys : dict of str to list of str
        What the codes of ``labels`` stand for.
    controls : dict of str to ndarray of float, shape (n,)
        Covariates, a's minus b's.
    times : ndarray of float, shape (n,), optional
        When each battle was, in any unit.
    lines : ndarray of int, shape (n,), optional
        Where each one stands in the file.

    Raises
    ------
    InputError
        If lengths differ, an outcome lies outside 0 to 1, an item meets itself, or a weight or
        count is not a positive finite number.
    """

    names: Sequence[str]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    outcome: NDArray[np.float64]
    weight: NDArray[np.float64] | None = None
    count: NDArray[np.float64] | None = None
    both_bad: NDArray[np.bool_] | None = None
    labels: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    controls: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    times: NDArray[np.float64] | None = None
    lines: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        names = list(self.names)
        a = positions("a", self.a, len(names), of="the list of names")
        shape = a.shape
        b = positions("b", self.b, len(names), shape, of="the list of names", each="battles")
        won = self.outcome
        if isinstance(won, np.ndarray) and won.dtype == bool:
            won = won.astype(np.float64)
        outcome = numbers("outcome", won, shape, infinite=True, each="battles")
        self._refuse(a == b, "an item meets itself", "leave such battles out")
        self._refuse(~((outcome >= 0.0) & (outcome <= 1.0)), "an outcome is not 0 to 1", None)
        parts: dict[str, NDArray[Any]] = {"a": a, "b": b, "outcome": outcome}
        for name in ("weight", "count", "times"):
            if (column := getattr(self, name)) is not None:
                values = numbers(name, column, shape, infinite=True, each="battles")
                wrong = ~(np.isfinite(values) & (values > 0.0))
                if name != "times":
                    self._refuse(wrong, f"a {name} is not a positive number", None)
                parts[name] = values
        for name, values in parts.items():
            object.__setattr__(self, name, frozen(values))
        for name, column in self._columns().items():
            if np.shape(column) != shape:
                raise InputError(f"{name} has {len(column)} entries for {len(a)} battles")

    def _columns(self) -> dict[str, NDArray[Any]]:
        single = {name: getattr(self, name) for name in ("both_bad", "lines")}
        present = {name: column for name, column in single.items() if column is not None}
        return present | self.labels | self.controls

    def _refuse(self, wrong: NDArray[np.bool_], problem: str, fix: str | None) -> None:
        if (where := np.flatnonzero(wrong)).size:
            line = None if self.lines is None else int(self.lines[where[0]])
            place = "" if line else f": battle {where[0]}"
            raise InputError(problem + place, line=line, fix=fix)

    @classmethod
    def of(cls, comparisons: Comparisons, names: Sequence[str] | None = None) -> Battles:
        """Take comparisons as battles of their responses.

        Raises
        ------
        InputError
            If ``winner`` is missing.
        """
        if comparisons.winner is None:
            raise InputError("a leaderboard needs winner for every battle")
        k = len(comparisons.responses)
        names = [str(name) for name in range(k)] if names is None else names
        ends = comparisons.a, comparisons.b
        return cls(names, *ends, comparisons.preferred, weight=comparisons.weight)

    def __len__(self) -> int:
        """Return the number of rows, n."""
        return len(self.a)

    @property
    def tie(self) -> NDArray[np.bool_]:
        """Which are ties, shape (n,)."""
        return self.outcome == 0.5

    def take(self, rows: NDArray[Any]) -> Battles:
        """Return these battles only, as positions or a mask; the items stay the same."""

        def pick(column: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if column is None else column[rows]

        return replace(
            self,
            a=self.a[rows],
            b=self.b[rows],
            outcome=self.outcome[rows],
            weight=pick(self.weight),
            count=pick(self.count),
            both_bad=pick(self.both_bad),
            labels={name: codes[rows] for name, codes in self.labels.items()},
            controls={name: values[rows] for name, values in self.controls.items()},
            times=pick(self.times),
            lines=pick(self.lines),
        )

    def met(self) -> Battles:
        """Return the same battles with only the items that take part in one."""
        used = np.union1d(self.a, self.b)
        a, b = np.searchsorted(used, self.a), np.searchsorted(used, self.b)
        return replace(self, names=[self.names[i] for i in used], a=a, b=b)


@dataclass(frozen=True, eq=False)
class Tally:
    """Battles added up where ends and covariates are the same: one row a pair, or more.

    Attributes
    ----------
    items : int
        K.
    a, b : ndarray of int, shape (m,)
        Ends of each row.
    score : ndarray of float, shape (3, m)
        Weight of a's wins, of ties, and of a's losses.
    moments : ndarray of float, shape (3, m)
        Sums of ω², ω² s and ω² s² over battles of weight ω whose share of a's verdicts is s.
    number : ndarray of float, shape (m,)
        Battles, weights aside.
    x : ndarray of float, shape (m, q)
        Covariates, which are added to the log-odds of a.
    row : ndarray of int, shape (n,)
        Which row each battle went to; its outcome as a is a's there if ``kept``, else b's.
    kept : ndarray of bool, shape (n,)
    slope : ndarray of float, shape (m,), optional
        Factor of the reward difference in each row's log-odds: the judge's reliability.
    """

    items: int
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    score: NDArray[np.float64]
    moments: NDArray[np.float64]
    number: NDArray[np.float64]
    x: NDArray[np.float64]
    row: NDArray[np.int64]
    kept: NDArray[np.bool_]
    slope: NDArray[np.float64] | None = None

    @property
    def weight(self) -> NDArray[np.float64]:
        """Weight of all battles of a row, shape (m,)."""
        return self.score.sum(axis=0)


def tally(
    battles: Battles,
    x: NDArray[np.float64] | None = None,
    apart: NDArray[np.int64] | None = None,
) -> Tally:
    """Add battles up by pair; with covariates by ordered pair and their values.

    Where covariates take many values each battle is a row of its own.

    Parameters
    ----------
    battles : Battles
    x : ndarray of float, shape (n, q), optional
        Covariates, a's minus b's.
    apart : ndarray of int, shape (n,), optional
        Codes of battles that are not to be added up, such as those of different judges.
    """
    k = len(battles.names)
    kept = battles.a < battles.b if x is None else np.ones(len(battles), bool)
    first, second = (
        np.where(kept, i, j) for i, j in ((battles.a, battles.b), (battles.b, battles.a))
    )
    outcome = np.where(kept, battles.outcome, 1.0 - battles.outcome)
    if x is None:
        values, code = np.zeros((1, 0)), np.zeros(1, np.int64)
    else:
        values, code = np.unique(x, axis=0, return_inverse=True)
    if len(values) <= MOST_VALUES:
        kind = code.ravel() if apart is None else apart * len(values) + code.ravel()
        present, row = _compact((kind * k + first) * k + second)
        a, b = present // k % k, present % k
        x = values[present // (k * k) % len(values)]
    else:
        assert x is not None
        a, b, row = first, second, np.arange(len(battles))
    shares = np.stack([outcome, np.zeros_like(outcome), 1.0 - outcome])
    shares[:, outcome == 0.5] = np.array([[0.0], [1.0], [0.0]])
    one = np.ones(len(battles)) if battles.weight is None else battles.weight
    number = np.ones(len(battles)) if battles.count is None else battles.count

    def add(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(row, values, minlength=len(a)).astype(np.float64)

    return Tally(
        items=k,
        a=a,
        b=b,
        score=np.stack([add(share * one * number) for share in shares]),
        moments=np.stack([add(one**2 * number * outcome**power) for power in range(3)]),
        number=add(number),
        x=x,
        row=row,
        kept=kept,
    )


def _compact(key: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the distinct keys, in order, and which of them each entry is."""
    size = int(key.max()) + 1
    if size > MOST_MARKS:
        return np.unique(key, return_inverse=True)
    present = np.zeros(size, bool)
    present[key] = True
    number = np.cumsum(present) - 1
    return np.flatnonzero(present), number[key]
