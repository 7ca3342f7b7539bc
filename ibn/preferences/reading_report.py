"""What was read of a file and what was not: nothing is dropped without a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ibn.plurals import count_of, plural

LISTED_LINES = 5


@dataclass(frozen=True)
class ReadingReport:
    """What became of every column and row of a file.

    Attributes
    ----------
    rows : int
        Records in the file.
    comparisons, prompts, responses, ties : int
        What was read.
    columns : mapping of str to list of str
        Columns used, by what for; several under ``prompt`` are joined.
    carried : tuple of str
        Columns that take no part and are written again by the verbs that write.
    unused : tuple of str
        Columns, or places in objects, that take no part and are not carried along.
    skipped : mapping of str to tuple of int
        Lines of rows, or parts of rows, that were left out, by reason.
    skipped_rows : int
        Rows of which nothing was used.
    idle : int
        Rows that hold nothing to compare, such as one response or equally right ones.
    notes : tuple of str
        What else to know.
    flags : tuple of str
        What a command line says so that the file is read this way.
    keeping : str
        Python that keeps what was read in a file, where it was held in memory.
    """

    rows: int = 0
    comparisons: int = 0
    prompts: int = 0
    responses: int = 0
    ties: int = 0
    columns: Mapping[str, list[str]] = field(default_factory=dict)
    carried: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    skipped: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    skipped_rows: int = 0
    idle: int = 0
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    keeping: str = ""

    @property
    def skipped_count(self) -> int:
        """Rows and parts of rows that were left out."""
        return sum(map(len, self.skipped.values()))

    def used(self) -> str:
        """Say which columns were used for what, joined ones with a plus."""
        return ", ".join(
            f"{role}: {(' + ' if role == 'prompt' else ', ').join(columns)}"
            for role, columns in self.columns.items()
        )

    def short(self) -> list[str]:
        """Say in a few lines what was read and what was not."""
        found = [
            f"read {count_of(self.comparisons, 'comparison')} of "
            f"{count_of(self.responses, 'response')} to {count_of(self.prompts, 'prompt')}, "
            f"{count_of(self.ties, 'tie')} ({self.used()})"
        ]
        if self.skipped:
            found.append(f"skipped {describe_skipped(self.skipped)}")
        if self.idle:
            found.append(f"with nothing to compare: {count_of(self.idle, 'row')}")
        if self.carried or self.unused:
            found.append(f"not used: {', '.join((*self.carried, *self.unused))}")
        return [*found, *self.notes]

    def to_json(self) -> dict[str, Any]:
        """Return it as ``ibn convert --json`` prints it."""
        return {
            "rows": self.rows,
            "comparisons": self.comparisons,
            "prompts": self.prompts,
            "responses": self.responses,
            "ties": self.ties,
            "skipped": self.skipped_count,
            "skipped_lines": {reason: list(lines) for reason, lines in self.skipped.items()},
            "idle": self.idle,
            "columns": dict(self.columns),
            "carried": list(self.carried),
            "unused": [*self.carried, *self.unused],
            "notes": list(self.notes),
        }


def describe_skipped(skipped: Mapping[str, Iterable[int]]) -> str:
    """Count what was left out by reason, with the first lines of each."""
    parts = []
    for reason, lines in skipped.items():
        listed = list(lines)
        shown = ", ".join(map(str, listed[:LISTED_LINES]))
        more = ", …" if len(listed) > LISTED_LINES else ""
        parts.append(f"{len(listed):,} × {reason} ({plural(len(listed), 'line')} {shown}{more})")
    return "; ".join(parts)
