"""The cases' own times, commit by commit, so that a slowdown shows."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from benchmarks.results_page import Record
from ibn.errors import InputError

COLUMNS = (
    *("date", "commit", "processor", "cores", "load", "case", "n"),
    *("seconds", "least", "most", "peer", "peer_ratio"),
)
SLOWER = 1.25  # times as long as before
BEFORE = 5  # rows that "before" is the median of, at most

Row = dict[str, str]


def row_of(record: Record) -> Row:
    """Make the row of a case: our time, and the fastest peer's over it."""
    result, machine = record.result, record.machine
    ours, *others = result.lines
    peers = {line.who: line.ratio.median for line in others if line.ratio is not None}
    fastest = min(peers, key=lambda who: peers[who], default="")
    values = (
        *(record.date, record.commit, machine.processor, machine.cores),
        *("" if record.load is None else f"{record.load:.2f}", result.case, result.n),
        *(f"{x:.4g}" for x in (ours.seconds.median, ours.seconds.least, ours.seconds.most)),
        *(fastest, f"{peers[fastest]:.4g}" if fastest else ""),
    )
    return dict(zip(COLUMNS, map(str, values), strict=True))


def read(path: Path) -> list[Row]:
    """Read the rows so far; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.DictReader(file)
        if tuple(lines.fieldnames or ()) != COLUMNS:
            raise InputError("not a history of benchmarks", file=path, line=1, fix="another name")
        return list(lines)


def append(path: Path, records: Iterable[Record]) -> list[str]:
    """Add a row a case; returns a sentence for each that is slower than it was.

    Slower is what takes ``SLOWER`` times as long as before, by its least time and the same
    processor; and where a peer ran beside it, by the ratio to that peer as well, since the machine
    itself may be slower today.
    """
    before, said = read(path), []
    new = [row_of(record) for record in records if record.result.lines]
    for row in new:
        same = [
            each
            for each in before
            if all(each[name] == row[name] for name in ("case", "n", "processor", "cores", "peer"))
        ][-BEFORE:]
        if not same:
            continue
        was = median(float(each["least"]) for each in same)
        longer = float(row["least"]) / was
        if row["peer"]:
            ratio = median(float(each["peer_ratio"]) for each in same)
            longer = min(longer, ratio / float(row["peer_ratio"]))
        if longer > SLOWER:
            said.append(
                f"{row['case']}: {row['least']} s, {longer:.2f} × what it took ({was:.3g} s)"
            )
    started = path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if not started:
            out.writeheader()
        out.writerows(new)
    return said
