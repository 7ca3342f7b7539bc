"""The results store: one CSV file, a row a task, that survives a crash at any byte.

Rows are appended as tasks end. Each carries a checksum, in the digits of ``seconds`` below the
microsecond: so it covers the one column that a repetition of the task would change, and changes
no other. A line counts only if it is, byte for byte, what would be written for what it says.
While no sweep runs, rows lie in the order of their tasks, whoever computed them in which order.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import stat
import time
from binascii import crc_hqx
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any

from ibn.errors import InputError
from ibn.estimate import Estimate
from simulations.task import CAPS, RESULTS_VERSION, Task

_ASKED = ("rel_err", *CAPS)
COLUMNS = (
    "task",
    *(field.name for field in fields(Task) if field.name not in _ASKED),
    *("mean", "stderr", "count", "seconds"),
    *_ASKED,
    *("status", "version"),
)
"""The contract's columns, then the precision and the caps asked for, whether a cap cut the
estimate short (``done`` or ``capped``), and the results version."""

_READ = {"str": str, "int": int, "float": float}
_TYPES = {field.name: _READ[field.type] for field in fields(Task)}  # type: ignore[index]
_HEADER = ",".join(COLUMNS).encode()
_ID = re.compile(rb"t[0-9a-f]{19},")
_ORDER = attrgetter(*(f"task.{field.name}" for field in fields(Task)))
_SYNC_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """A task and its answer."""

    task: Task
    estimate: Estimate
    version: int = RESULTS_VERSION

    def __post_init__(self) -> None:
        rounded = round(self.estimate.seconds, 6)
        object.__setattr__(self, "estimate", replace(self.estimate, seconds=rounded))

    @property
    def status(self) -> str:
        """``capped`` if a cap was reached or the wanted precision was not, else ``done``."""
        task, estimate = self.task, self.estimate
        capped = (
            estimate.relative_error > task.rel_err
            or 0 < task.max_count <= estimate.count
            or 0 < task.max_seconds <= estimate.seconds
        )
        return "capped" if capped else "done"

    def answers(self, task: Task) -> bool:
        """Whether running the task, one with the same id, would add nothing to this row."""
        return self.status == "done" or all(
            (getattr(self.task, cap) or float("inf")) >= (getattr(task, cap) or float("inf"))
            for cap in CAPS
        )

    def record(self) -> dict[str, Any]:
        """Value of each column."""
        current = self.version == RESULTS_VERSION
        own: dict[str, Any] = {
            "task": self.task.id if current else self.task.strong_id(self.version),
            "status": self.status,
            "version": self.version,
        }
        return {
            name: own[name]
            if name in own
            else getattr(self.task if name in _TYPES else self.estimate, name)
            for name in COLUMNS
        }

    @cached_property
    def line(self) -> bytes:
        """The row as its line of the store, without the line's end."""
        values = self.record()
        seconds = f"{self.estimate.seconds:.6f}"
        cells = [seconds if name == "seconds" else str(values[name]) for name in COLUMNS]
        checksum = crc_hqx(",".join(cells).encode(), 0)
        cells[COLUMNS.index("seconds")] = f"{seconds}{checksum:05d}"
        return ",".join(cells).encode()

    @classmethod
    def parse(cls, line: bytes) -> Row:
        """Read a line.

        Raises
        ------
        ValueError
            If the line is not exactly what a row writes.
        """
        cell = dict(zip(COLUMNS, line.decode("ascii").split(","), strict=True))
        task = Task(**{name: read(cell[name]) for name, read in _TYPES.items()})
        estimate = Estimate(
            float(cell["mean"]),
            float(cell["stderr"]),
            int(cell["count"]),
            float(cell["seconds"][:-5]),  # the rest is the checksum
        )
        row = cls(task, estimate, int(cell["version"]))
        if row.line != line:
            raise ValueError("damaged row")
        return row


def load(path: str | os.PathLike[str]) -> list[Row]:
    """Read a store's rows, one a task, in the order of their tasks.

    Damaged lines are skipped, each with a warning in the log.

    Raises
    ------
    InputError
        If the file is no results store, or of another results version.
    OSError
        If it cannot be read.
    """
    rows, _ = _scan(Path(path).read_bytes(), Path(path))
    return rows


class Store:
    """A store open for writing by one sweep, to be used as a context manager.

    Opening mends it: a torn last line is dropped, damaged lines are set aside in a file beside
    it, and both are told in the log; every valid row is kept.

    Parameters
    ----------
    path : path-like
        The CSV file, made if missing.

    Raises
    ------
    InputError
        If the file is no results store, of another results version, or being written by
        another sweep.
    OSError
        If it cannot be opened or written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._rows: dict[str, Row] = {}

    def __enter__(self) -> Store:
        self._fd = _open_locked(self.path)
        self._synced = time.monotonic()
        try:
            rows, damaged = _scan(self.path.read_bytes(), self.path)
            if damaged:
                aside = self.path.with_name(self.path.name + ".damaged")
                with aside.open("ab") as file:
                    file.writelines(line + b"\n" for line in damaged)
                _log.warning("%s: what was damaged is now in %s", self.path, aside)
            self._rows = {row.task.id: row for row in rows}
            self._tidy()
        except BaseException:
            os.close(self._fd)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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

    def answers(self, task: Task) -> bool:
        """Whether the store holds all that running the task would give."""
        row = self._rows.get(task.id)
        return row is not None and row.answers(task)

    def append(self, row: Row) -> None:
        """Add a row; it survives the process at once, and the machine within a second."""
        _write(self._fd, row.line + b"\n", self.path)
        self._rows[row.task.id] = row
        if time.monotonic() - self._synced >= _SYNC_SECONDS:
            os.fsync(self._fd)
            self._synced = time.monotonic()

    def _tidy(self) -> None:
        """Make the file the header and the rows in order, by replacing it whole if need be."""
        wanted = _file(sorted(self._rows.values(), key=_ORDER))
        if self.path.read_bytes() == wanted:
            os.fsync(self._fd)
            return
        path = self.path.resolve()
        beside = path.with_name(path.name + ".tmp")
        fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
        try:
            _lock(fd, self.path)
            shutil.copymode(path, beside)
            _write(fd, wanted, beside)
            os.fsync(fd)
            os.replace(beside, path)
        except BaseException:
            os.close(fd)
            beside.unlink(missing_ok=True)
            raise
        self._fd, old = fd, self._fd
        os.close(old)
        _sync_folder(path.parent)


def _file(rows: Iterable[Row]) -> bytes:
    return b"".join(line + b"\n" for line in (_HEADER, *(row.line for row in rows)))


def _scan(data: bytes, path: Path) -> tuple[list[Row], list[bytes]]:
    """Find the valid rows, the best of each task in the order of tasks, and the damaged lines."""
    best: dict[str, Row] = {}
    damaged: list[tuple[int, bytes]] = []
    *lines, torn = data.split(b"\n")
    for number, line in enumerate([*lines, torn], 1):
        if _HEADER.startswith(line):  # empty, torn, or once more where stores were joined by hand
            continue
        row, whole = _last_row(line)
        if not whole:
            damaged.append((number, line))
        if row is None:
            continue
        if row.version != RESULTS_VERSION:
            raise InputError(
                f"this row has results version {row.version}, this ibn makes {RESULTS_VERSION}",
                file=path,
                line=number,
                mend="give another --out, or use the ibn that made it",
            )
        kept = best.get(row.task.id)
        if kept is None or kept.status == "capped":
            best[row.task.id] = row
    if not (best or _HEADER in lines or _HEADER.startswith(data)):
        raise InputError("not a results store", file=path, mend="give another --out")
    if damaged and damaged[-1][1] == torn:
        number, _ = damaged.pop()
        _log.warning("%s:%d: dropped the torn last line, whose task runs again", path, number)
    for number, _ in damaged:
        _log.warning("%s:%d: damaged line, whose task runs again", path, number)
    rows = sorted(best.values(), key=_ORDER)
    return rows, [line for _, line in damaged]


def _last_row(line: bytes) -> tuple[Row | None, bool]:
    """Find the row that ends a line, and whether it is all of the line.

    Where a line's end was damaged, the next row hangs on behind what is left.
    """
    for match in _ID.finditer(line):
        try:
            return Row.parse(line[match.start() :]), match.start() == 0
        except ValueError:
            continue
    return None, False


def _open_locked(path: Path) -> int:
    """Open a store, made if missing, as the only one to write it."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise InputError("not a file that can hold results", file=path)
            _lock(fd, path)
            if os.path.samestat(os.fstat(fd), os.stat(path)):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)  # the file was replaced between its opening and its locking


def _lock(fd: int, path: Path) -> None:
    import fcntl  # where there is none, stores can still be read

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            "another sweep is writing this store",
            file=path,
            mend="wait for it to end, or give another --out",
        ) from None


def _write(fd: int, data: bytes, path: Path) -> None:
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError as error:  # a full disk, told by the name of the file that it stopped
        raise OSError(error.errno, error.strerror, str(path)) from None


def _sync_folder(folder: Path) -> None:
    """Make a replaced file survive the machine."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
