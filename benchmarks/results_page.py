"""Results as a page of tables, and as JSON that later runs add to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import Machine
from benchmarks.timing import Agreement, Curve, Line, Result, Spread, Verdict

FIGURE = "benchmarks-scaling.svg"
HEAD = """\
# Benchmarks

Written by `python -m benchmarks`; edit nothing here. Everyone answers the same question in the
same process, in turns, round by round; times are medians with the least and the most, and a ratio
is a peer's time over ours in the same round. Everyone begins with the network as a list of weighted
edges; a library's own form of it is part of its time. Compiling is done before and reported apart.
"""
MARKS = {True: "met", False: "**missed**", None: "open"}


@dataclass(frozen=True)
class Record:
    """A result with where and when it was measured.

    Attributes
    ----------
    result : Result
        What was found.
    machine : Machine
        Where.
    date, command, commit : str
        When, by which command, of which state of the code.
    load : float, optional
        Processes that wanted to run just before, on average over a minute.
    """

    result: Result
    machine: Machine
    date: str
    command: str
    commit: str
    load: float | None


def to_json(records: Iterable[Record]) -> dict[str, Any]:
    """Make one JSON document of records."""
    return {"cases": [asdict(record) for record in records]}


def from_json(document: dict[str, Any]) -> list[Record]:
    """Read records back."""
    return [
        Record(**{**case, "result": _result(case["result"]), "machine": Machine(**case["machine"])})
        for case in document["cases"]
    ]


def _result(fields: dict[str, Any]) -> Result:
    return Result(
        **{
            **fields,
            "lines": [_line(line) for line in fields["lines"]],
            "verdicts": [Verdict(**verdict) for verdict in fields["verdicts"]],
            "curves": [
                Curve(**{**curve, "seconds": [Spread(**spread) for spread in curve["seconds"]]})
                for curve in fields["curves"]
            ],
        }
    )


def _line(fields: dict[str, Any]) -> Line:
    kinds = {"seconds": Spread, "ratio": Spread, "agreement": Agreement}
    made = {name: kind(**fields[name]) for name, kind in kinds.items() if fields[name]}
    return Line(**{**fields, **made})


def merge(old: Iterable[Record], new: Iterable[Record], order: Sequence[str]) -> list[Record]:
    """Let new records take the place of old ones of the same case, in the order of the cases."""
    newest = {record.result.case: record for record in (*old, *new)}
    return [newest[name] for name in order if name in newest]


def write(path: Path, new: Sequence[Record], order: Sequence[str]) -> None:
    """Write the page and, beside it, its data; cases not run this time stay as they were."""
    data = path.with_suffix(".json")
    old = from_json(json.loads(data.read_text())) if data.exists() else []
    records = merge(old, new, order)
    data.write_text(json.dumps(to_json(records), indent=1) + "\n")
    path.write_text(markdown(records))
    curves = [curve for record in records for curve in record.result.curves]
    if curves:
        from benchmarks.time_growth import draw

        draw(curves, path.with_name(FIGURE))


def markdown(records: Sequence[Record]) -> str:
    """Render the page."""
    parts = [HEAD, _summary(records), _machines(records)]
    parts += [_section(record) for record in records]
    return "\n".join(parts)


def _summary(records: Sequence[Record]) -> str:
    rows = [
        (record.result.case, size(record.result.n), v.target, v.measured, MARKS[v.met])
        for record in records
        for v in record.result.verdicts
    ]
    return "## Targets\n\n" + _table(("case", "n", "target", "measured", "verdict"), rows)


def _machines(records: Sequence[Record]) -> str:
    parts = ["## Machine\n"]
    for machine in dict.fromkeys(json.dumps(asdict(record.machine)) for record in records):
        m = Machine(**json.loads(machine))
        versions = ", ".join(
            f"{name} {version}" if version else f"{name} not installed"
            for name, version in m.versions.items()
        )
        cases = ", ".join(
            record.result.case
            for record in records
            if json.dumps(asdict(record.machine)) == machine
        )
        parts.append(
            f"{m.processor}, {m.cores} cores, {m.memory / 2**30:.3g} GiB, {m.blas_threads} "
            f"threads of BLAS; {m.system}; {m.python}; "
            f"{versions}. Cases: {cases}.\n"
        )
    return "\n".join(parts)


def _section(record: Record) -> str:
    result = record.result
    at = f", n = {size(result.n)}" if result.n > 1 else ""
    parts = [f"## {result.case}\n", f"{result.what}{at}.\n"]
    if result.lines:
        parts.append(_lines(result.lines))
    if result.curves:
        parts.append(_curves(result.curves))
    parts += [
        f"- Target: {v.target}. Measured: {v.measured}: {MARKS[v.met]}." for v in result.verdicts
    ]
    parts += [f"- {note}" for note in result.notes]
    parts += [f"- {name}: {why}." for name, why in result.absent.items()]
    if result.first_call is not None:
        parts.append(
            f"- Compiling, or loading compiled code, took {result.first_call:.2g} s, not counted."
        )
    load = "" if record.load is None else f", load {record.load:.1f} before it began"
    parts.append(f"- `{record.command}`, {record.date}, commit {record.commit}{load}.\n")
    return "\n".join(parts)


def _lines(lines: Sequence[Line]) -> str:
    rows = []
    for line in lines:
        more = "> " if line.at_least else ""
        right = line.agreement
        rows.append(
            (
                line.who,
                more + spread(line.seconds, "s"),
                "" if line.ratio is None or line is lines[0] else more + spread(line.ratio, "×"),
                "" if line.peak is None else f"{line.peak / 2**30:.3g} GiB",
                "" if right is None else ("yes: " if right.holds else "**no**: ") + right.text,
                line.note,
            )
        )
    head = ("who", "time", "over ours", "peak memory", "agrees", "how")
    filled = [i for i in range(len(head)) if any(row[i] for row in rows)]
    return _table([head[i] for i in filled], [[row[i] for i in filled] for row in rows])


def _curves(curves: Sequence[Curve]) -> str:
    head = ["seconds at n =", *(curve.label for curve in curves)]
    rows = [
        [size(n), *(f"{curve.seconds[i].median:.3g}" for curve in curves)]
        for i, n in enumerate(curves[0].n)
    ]
    rows.append(
        [
            f"slope from {size(curves[0].slope_from)} on",
            *(f"{curve.slope:.2f} ± {curve.slope_stderr:.2f}" for curve in curves),
        ]
    )
    return _table(head, rows) + f"\n![Cost against n, log-log, with slopes]({FIGURE})\n"


def spread(values: Spread, unit: str) -> str:
    """Write a median with its least and most."""
    if values.count == 1:
        return f"{values.median:.3g} {unit}"
    return f"{values.median:.3g} {unit} ({values.least:.3g} to {values.most:.3g})"


def size(n: int) -> str:
    """Write a count with its thousands apart."""
    return f"{n:,}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
