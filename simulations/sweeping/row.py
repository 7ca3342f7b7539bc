"""A row of the results store: a task, its answer, and the line that both are written as."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from math import isclose
from operator import attrgetter
from typing import Any

from ibn.estimate import Estimate
from ibn.simulations.sweeping.task import CAPS, RESULTS_VERSION, Task

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

_SECONDS = COLUMNS.index("seconds")
_DESCRIBED = attrgetter(*(field.name for field in fields(Task) if field.name not in _ASKED))
_ASKED_OF = attrgetter(*_ASKED)


def _whole(cell: str) -> int:
    return int(float(cell)) if "." in cell else int(cell)


_READ: dict[str, Callable[[str], Any]] = {"str": str, "int": _whole, "float": float}
_TYPES = {field.name: _READ[field.type] for field in fields(Task)}  # type: ignore[index]
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Row:
    """A task and its answer."""

    task: Task
    estimate: Estimate
    version: int = RESULTS_VERSION

    def __post_init__(self) -> None:
        found = self.estimate
        rounded = Estimate(found.mean, found.stderr, found.count, round(found.seconds, 6))
        object.__setattr__(self, "estimate", rounded)

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

    @property
    def values(self) -> tuple[str | int | float, ...]:
        """Value of each column, in order."""
        task, estimate = self.task, self.estimate
        return (
            task.id if self.version == RESULTS_VERSION else task.strong_id(self.version),
            *_DESCRIBED(task),
            *(estimate.mean, estimate.stderr, estimate.count, estimate.seconds),
            *_ASKED_OF(task),
            *(self.status, self.version),
        )

    def record(self) -> dict[str, Any]:
        """Value of each column, by name."""
        return dict(zip(COLUMNS, self.values, strict=True))

    @cached_property
    def line(self) -> bytes:
        """The row as its line of the store, without the line's end."""
        cells = [*map(str, self.values)]
        cells[_SECONDS] = seconds = f"{self.estimate.seconds:.6f}"
        checksum = crc_hqx(",".join(cells).encode(), 0)
        cells[_SECONDS] = f"{seconds}{checksum:05d}"
        return ",".join(cells).encode()

    @classmethod
    def parse(cls, line: bytes, *, exactly: bool = True) -> Row:
        """Read a line.

        Not ``exactly``: numbers may be written otherwise, as spreadsheets do, if they are equal.

        Raises
        ------
        ValueError
            If the line is not what a row writes.
        """
        cell = dict(zip(COLUMNS, line.decode("ascii").split(","), strict=True))
        task = Task(**{name: read(cell[name]) for name, read in _TYPES.items()})
        estimate = Estimate(
            float(cell["mean"]),
            float(cell["stderr"]),
            int(cell["count"]),
            float(f"{float(cell['seconds']):.11f}"[:-5]),  # the rest is the checksum
        )
        row = cls(task, estimate, int(cell["version"]))
        pairs = zip(row.line.decode().split(","), cell.values(), strict=True)
        if row.line != line and (exactly or not all(_same(*pair) for pair in pairs)):
            raise ValueError("damaged row")
        return row


def _same(written: str, found: str) -> bool:
    """Whether two cells say the same, as text or as a number."""
    try:
        return written == found or float(written) == float(found)
    except ValueError:
        return False


def differ(one: Row, other: Row) -> bool:
    """Whether two rows of one task give finished answers that rounding cannot make equal.

    Other processors may round the last digits of a sum otherwise.
    """
    return one.status == other.status == "done" and not (
        one.estimate.count == other.estimate.count
        and isclose(one.estimate.mean, other.estimate.mean, rel_tol=_ROUNDING)
        and isclose(one.estimate.stderr, other.estimate.stderr, rel_tol=_ROUNDING)
    )
