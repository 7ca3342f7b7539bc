"""Battles from files: those of :func:`ibn.preferences.reading.read_battles`, with what else a
column says of each.

Arenas hold few battles that differ: who met whom and how it ended. Each is read once, and stands
for all rows that say the same, so a million rows take seconds.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ibn.errors import InputError
from ibn.leaderboard.battles import Battles
from ibn.preferences.reading import PreferenceData

KNOWN: dict[str, tuple[str, ...]] = {
    "weight": ("weight", "weights"),
    "count": ("count", "counts", "votes", "battles"),
    "judge": ("judge", "judge_id", "voter", "voter_id", "annotator", "annotator_id", "worker"),
    "prompt": ("prompt", "prompt_id", "question_id", "item_id", "question", "instruction"),
    "category": ("category", "task", "language"),
    "time": ("time", "timestamp", "tstamp", "date"),
}
"""What columns beside the battle are called, the first that a file has being taken."""

LABELS = ("judge", "prompt", "category")
BOTH_BAD = ("tie_bothbad", "tie_both_bad", "bothbad", "both_bad", "neither")
MOST_DISTINCT = 2**16  # battles that differ, up to which each is read once


@dataclass(frozen=True, eq=False)
class BattleFile:
    """Battles as read.

    Attributes
    ----------
    battles : Battles
    data : PreferenceData
        What :func:`ibn.preferences.reading.read_battles` made of the battles that differ, its
        report of all.
    columns : dict of str to str
        What was read from which column.
    unused : list of str
        The other columns.
    """

    battles: Battles
    data: PreferenceData
    columns: dict[str, str]
    unused: list[str]


class _Codes(dict[Any, int]):
    """Number what is asked for in order of first appearance."""

    def __missing__(self, value: Any) -> int:
        self[value] = number = len(self)
        return number


class _Column:
    """One column as it grows: the code of each row's value, each value parsed once."""

    def __init__(self, name: str) -> None:
        self.name, self.codes, self.row = name, _Codes(), array("q")

    def parsed(self, parse: Callable[[Any, str], Any], lines: array[int]) -> list[Any]:
        """Parse the distinct values, naming the first line of one that cannot be."""
        found = []
        for value, code in self.codes.items():
            try:
                found.append(parse(value, self.name))
            except InputError as error:
                line = lines[self.row.index(code)]
                raise InputError(error.problem, line=line, fix=error.fix) from None
        return found
