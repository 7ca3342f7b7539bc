"""The results store: one CSV file, a row a task, that survives a crash at any byte.

Rows are appended as tasks end. Each carries a checksum, in the digits of ``seconds`` below the
microsecond: so it covers the one column that a repetition of the task would change, and changes
no other. A line counts only if it says what would be written. What a spreadsheet or pandas made of
a store is read: other line ends and spellings of numbers, columns in another order, a column of
line numbers; and written anew as it was. While no sweep runs, rows lie in the order of their tasks,
whoever computed them in which order.
"""

from __future__ import annotations

import codecs
import csv
import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from ibn.appended import append, keep_alone, open_alone
from ibn.errors import InputError
from ibn.harmless import harmless
from ibn.outputs import writing
from ibn.regular_file import require_regular
from ibn.simulations.sweeping.row import COLUMNS, Row, differ
from ibn.simulations.sweeping.task import RESULTS_VERSION, Task

_ID = re.compile(rb"t[0-9a-f]{19},")
_HEADER = ",".join(COLUMNS).encode()
_ORDER = attrgetter(*(f"task.{field.name}" for field in fields(Task)))
_SYNC_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Found(NamedTuple):
    """A row, and the line it was read from."""

    row: Row
    path: Path
    line: int


def find(path: str | os.PathLike[str]) -> list[Found]:
    """Read a store's rows, one a task, in the order of their tasks, with the line of each.

    Damaged lines are skipped, each with a warning in the log.

    Raises InputError if the file is no results store, or of another results version, or gives a
    task two answers; OSError if it cannot be read.
    """
    path = Path(path)
    require_regular(path)
    return _scan(path.read_bytes(), path)[0]


def load(path: str | os.PathLike[str]) -> list[Row]:
    """Read a store's rows; see :func:`find`."""
    return [found.row for found in find(path)]


def two_answers(pairs: Sequence[tuple[Found, Found]]) -> InputError:
    """Build the error for rows that differ, at least one pair of them."""
    one, other = pairs[0]
    more = f", and so for {len(pairs) - 1} other tasks" if len(pairs) > 1 else ""
    return InputError(
        f"task {other.row.task.id} is {_spell(other.row)} here and {_spell(one.row)} at "
        f"{one.path}:{one.line}{more}",
        file=other.path,
        line=other.line,
        fix="find out which machine is wrong, and delete its lines",
    )


def _spell(row: Row) -> str:
    return f"{row.estimate.mean:.8g} ± {row.estimate.stderr:.3g} (count {row.estimate.count})"


class Store:
    """A store open for writing by one sweep, to be used as a context manager.

    Opening repairs it: a torn last line is dropped, damaged lines are set aside in a file beside
    it, and the log says both; every valid row is kept.

    Raises InputError if the file is no results store, of another results version, gives a task two
    answers, or is being written by another sweep; OSError if it cannot be opened or written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._rows: dict[str, Row] = {}

    def __enter__(self) -> Store:
        self._fd = open_alone(self.path)
        self._synced = time.monotonic()
        try:
            found, damaged = _scan(self.path.read_bytes(), self.path)
            if damaged:
                aside = self.path.with_name(self.path.name + ".damaged")
                fd = open_alone(aside)
                try:
                    append(fd, b"".join(line + b"\n" for line in damaged), aside)
                finally:
                    os.close(fd)
                _warn(f"{self.path}: what was damaged is now in {aside}")
            self._rows = {row.task.id: row for row, _, _ in found}
            self._tidy()
        except BaseException:
            os.close(self._fd)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *raised: object) -> None:
        try:
            if kind is None:
                self._tidy()
            else:
                os.fsync(self._fd)
        finally:
            os.close(self._fd)

    def __getitem__(self, task: Task) -> Row:
        """Return the row of a task."""
        return self._rows[task.id]

    def get(self, task: Task) -> Row | None:
        """Return the row of a task if there is one."""
        return self._rows.get(task.id)

    def answers(self, task: Task) -> bool:
        """Whether the store holds all that running the task would give."""
        row = self.get(task)
        return row is not None and row.answers(task)

    def append(self, row: Row) -> None:
        """Add a row; it survives the process at once, and the machine within a second.

        Raises InputError if it is of another results version, made by a worker with another ibn;
        OSError if it cannot be written.
        """
        if row.version != RESULTS_VERSION:
            raise InputError(
                f"a worker made a row of results version {row.version}, "
                f"this ibn makes {RESULTS_VERSION}",
                fix="install the same ibn where its workers run",
            )
        append(self._fd, row.line + b"\n", self.path)
        self._rows[row.task.id] = row
        if time.monotonic() - self._synced >= _SYNC_SECONDS:
            os.fsync(self._fd)
            self._synced = time.monotonic()

    def _tidy(self) -> None:
        """Make the file the header and the rows in order, by replacing it whole if need be."""
        rows = sorted(self._rows.values(), key=_ORDER)
        wanted = b"".join(line + b"\n" for line in (_HEADER, *(row.line for row in rows)))
        if self.path.read_bytes() == wanted:
            os.fsync(self._fd)
            return
        with writing(self.path) as file:
            file.write(wanted)
            fd = keep_alone(file)  # so that no other run comes in between
        self._fd, old = fd, self._fd
        os.close(old)


def _scan(data: bytes, path: Path) -> tuple[list[Found], list[bytes]]:
    """Find the valid rows, the best of each task in the order of tasks, and the damaged lines."""
    best: dict[str, Found] = {}
    differing: list[tuple[Found, Found]] = []
    damaged: list[tuple[int, bytes]] = []
    *lines, torn = data.split(b"\n")
    heading: list[str] | None = None  # where it is another than a store's own
    headed = _HEADER.startswith(data)
    for number, line in enumerate([*lines, torn], 1):
        line = line.removeprefix(codecs.BOM_UTF8).rstrip(b"\r")
        headed |= line == _HEADER
        if _HEADER.startswith(line):  # empty, torn, or once more where stores were joined by hand
            continue
        if number == 1 and (heading := _foreign(line, path)) is not None:
            headed = True
            continue
        row, whole = _last_row(line if heading is None else _in_order(line, heading))
        if not whole:
            damaged.append((number, line))
        if row is None:
            continue
        if row.version != RESULTS_VERSION:
            raise InputError(
                f"this row has results version {row.version}, this ibn makes {RESULTS_VERSION}",
                file=path,
                line=number,
                fix="give another store, or use the ibn that made it",
            )
        found = Found(row, path, number)
        kept = best.get(row.task.id)
        if kept is not None and differ(kept.row, row):
            differing.append((kept, found))
        if kept is None or kept.row.status == "capped":
            best[row.task.id] = found
    if not (best or headed):
        raise InputError("not a results store", file=path, fix="give another --out")
    if differing:
        raise two_answers(differing)
    if damaged and damaged[-1][1] == torn:
        number, _ = damaged.pop()
        _warn(f"{path}:{number}: dropped the torn last line, whose task runs again")
    for number, line in damaged:
        _warn(f"{path}:{number}: damaged line, {_fate(line, best)}")
    rows = sorted(best.values(), key=lambda found: _ORDER(found.row))
    return rows, [line for _, line in damaged]


def _warn(text: str) -> None:
    """Log a warning, in which a file may have any name."""
    _log.warning("%s", harmless(text))


def _foreign(line: bytes, path: Path) -> list[str] | None:
    """Read a heading that holds all columns in another order or beside others; None of another.

    Raises InputError if a column would be lost when the store is written.
    """
    cells = _cells(line)
    if not set(COLUMNS).issubset(cells):
        return None
    others = [name for name in cells if name not in COLUMNS]
    if own := [name for name in others if name and not name.startswith("Unnamed: ")]:
        raise InputError(
            f"columns that are no sweep's, and would be lost: {', '.join(own)}",
            file=path,
            line=1,
            fix="keep them in another file",
        )
    return cells


def _cells(line: bytes) -> list[str]:
    """Read the cells of a line; none of a line that is no CSV."""
    try:
        return next(csv.reader([line.decode("utf-8", "replace")]), [])
    except csv.Error:
        return []


def _in_order(line: bytes, heading: list[str]) -> bytes:
    """Put the cells of a line into the order of a store's columns."""
    cells = _cells(line)
    if len(cells) != len(heading):
        return line
    named = dict(zip(heading, cells, strict=True))
    return ",".join(named[name] for name in COLUMNS).encode()


def _fate(line: bytes, best: Mapping[str, object]) -> str:
    """Say what becomes of the task of a damaged line."""
    known = [found.group()[:-1].decode() for found in _ID.finditer(line)]
    if known and known[-1] in best:
        return "left out; its task has a row all the same"
    return "left out: its task runs again"


def _last_row(line: bytes) -> tuple[Row | None, bool]:
    """Find the row that ends a line, and whether it is all of the line.

    Where a line's end was damaged, the next row hangs on behind what is left.
    """
    for match in _ID.finditer(line):
        try:
            whole = match.start() == 0
            return Row.parse(line[match.start() :], exactly=not whole), whole
        except ValueError:
            continue
    return None, False
