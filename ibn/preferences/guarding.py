"""Cells of CSV files that a spreadsheet would run, made texts for it and read back the same.

A spreadsheet takes a cell that begins with = + - @ for a formula, a list with dashes or a link that
sends the sheet away. Files for people to label get an apostrophe before such a text, and say so in
a column of their own, which only rows have that need it. Other files keep texts as they are: what
trains on them takes an apostrophe for part of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]
GUARDED = "guarded"  # the column; its value is the mark
MARK = "'"
_RUN = re.compile("'*[=+\\-@\t\r]")
_MARKED = re.compile("'+[=+\\-@\t\r]")


def guard(rows: Iterable[Row]) -> list[Row]:
    """Put the mark before each text that a spreadsheet would run, and say in which rows.

    Examples
    --------
    >>> from ibn.preferences.guarding import guard, unguarded
    >>> guard([{"chosen": "=1+1", "margin": -1}])
    [{'chosen': "'=1+1", 'margin': -1, 'guarded': "'"}]
    >>> unguarded(guard([{"chosen": "=1+1"}])[0])
    {'chosen': '=1+1'}
    """
    given = list(rows)
    made = [
        {name: MARK + x if isinstance(x, str) and _RUN.match(x) else x for name, x in row.items()}
        for row in given
    ]
    if made == given:
        return given
    return [
        {**new, GUARDED: MARK if new != old else ""} for new, old in zip(made, given, strict=True)
    ]


def unguarded(row: Row) -> Row:
    """Take the marks off again where the row says that it has some."""
    mark = row.get(GUARDED)
    if mark not in (MARK, ""):
        return row
    plain = {name: x for name, x in row.items() if name != GUARDED}
    if not mark:
        return plain
    return {
        name: x[1:] if isinstance(x, str) and _MARKED.match(x) else x for name, x in plain.items()
    }
