"""What checks found, as short tables of Markdown, from a finding's data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sympy

MOST_ROWS = 10
_SYMBOLIC = re.compile(r"[*/^+()√]|\d")
# Letters of the theory that sympy would take for functions and constants.
_NAMES = {name: sympy.Symbol(name) for name in ("alpha", "beta", "gamma", "sigma", "I", "S", "N")}
_SLOPES = ("world", "claimed order", "measured / claimed", "left over in log n", "may be owed")


def table_of(data: Mapping[str, Any]) -> list[str]:
    r"""Lay a finding's data out as a table; no lines where it has no form that a table shows.

    Examples
    --------
    >>> print(*table_of({"at most": 1.5, "quotient": "2**alpha"}), sep="\n")
    | what | found |
    | --- | --- |
    | at most | 1.5 |
    | quotient | $2^{\alpha}$ |
    """
    if not data:
        return []
    values = list(data.values())
    if all(_is_slope(value) for value in values):
        return _laid(_SLOPES, [_slope(name, value) for name, value in data.items()])
    if "interval" in data and "difference" in data:
        low, high = data["interval"]
        row = [shown(data[key]) for key in ("distance", "variance", "difference")]
        columns = ("rank by the distance", "by the variance", "the second less the first", "95 %")
        return _laid(columns, [[*row, f"{shown(low)} to {shown(high)}"]])
    if all(_is_scalar(value) for value in values):
        return _laid(("what", "found"), [[_name(k), shown(v)] for k, v in data.items()])
    if all(_is_records(value) for value in values):
        named = len(data) > 1
        records = [
            ({"": name} if named else {}) | row for name, rows in data.items() for row in rows
        ]
        return _of_records(records)
    if all(isinstance(value, Mapping) and value for value in values):
        records = [{"": name, **value} for name, value in data.items()]
        return _of_records(records) if all(map(_is_record, records)) else []
    is_columns = all(name.isidentifier() and _is_column(value) for name, value in data.items())
    if is_columns and len({len(value) for value in values}) == 1:
        rows = list(zip(*values, strict=True))[:MOST_ROWS]
        return _laid(list(map(_name, data)), [list(map(shown, row)) for row in rows])
    return []


def slopes(data: Mapping[str, Any]) -> dict[str, Sequence[float]]:
    """Return what is left over of each claimed power of n: value, error, and what may be owed."""
    return {name: one["left"]["n"] for name, one in data.items() if _is_slope(one)}


def escaped(text: str) -> str:
    r"""Write a text as it is to be read: no column, emphasis or tag begins in it.

    Indices and powers are set as such; a name of several words, such as a function's, is none.

    Examples
    --------
    >>> escaped("d_IB < n^(-α) | n^2")
    'd<sub>IB</sub> &lt; n<sup>-α</sup> \\| n<sup>2</sup>'
    >>> escaped("log_B, inference_distance")
    'log<sub>B</sub>, inference\\_distance'
    """
    for sign in "\\|*`$":
        text = text.replace(sign, "\\" + sign)
    text = text.replace("<", "&lt;").replace("\n", " ")
    index = r"(?<=[A-Za-z])_((?<=\b[A-Za-z]_)[A-Za-z]+|[A-Z]|[0-9]+)\b"
    text = re.sub(index, r"<sub>\1</sub>", text).replace("_", "\\_")
    return re.sub(r"\^(?:\(([^()]*)\)|(-?\w+))", r"<sup>\1\2</sup>", text)


def shown(value: Any) -> str:
    """Write a value: four digits of a number, its error beside it, a symbolic one typeset."""
    if isinstance(value, str):
        return _typeset(value)
    if isinstance(value, Sequence):
        return " ± ".join(shown(part) for part in value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _typeset(text: str) -> str:
    """Typeset what sympy wrote; other words stay words."""
    if _SYMBOLIC.search(text) and "," not in text and "≤" not in text:
        try:
            return f"${sympy.latex(sympy.sympify(text, locals=_NAMES))}$".replace("|", r"\vert ")
        except (sympy.SympifyError, SyntaxError, TypeError, AttributeError):
            pass
    return escaped(text)


def _name(key: str) -> str:
    """Write what a value is called in data as words."""
    return escaped(key.replace("_", " "))


def _laid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def _of_records(records: Sequence[Mapping[str, Any]]) -> list[str]:
    columns = list(dict.fromkeys(name for row in records for name in row))
    left_out = len(records) - MOST_ROWS
    rows = [[shown(row.get(name)) for name in columns] for row in records[:MOST_ROWS]]
    if left_out > 0:
        rows.append([f"and {left_out} more", *[""] * (len(columns) - 1)])
    return _laid(list(map(_name, columns)), rows)


def _slope(name: str, found: Mapping[str, Any]) -> list[str]:
    left, error, owed = found["left"]["n"]
    claimed = found["claimed"]
    powers = [
        f"{base}^{{{claimed[key]:.3g}}}"
        for key, base in (("n", "n"), ("log_n", r"(\log n)"))
        if claimed[key]
    ]
    return [
        escaped(name),
        f"${' '.join(powers)}$" if powers else "–",
        f"{found['first']:.3g} → {found['last']:.3g}",
        f"{left:+.3f} ± {error:.3f}",
        f"±{owed:.3f}",
    ]


def _is_slope(value: Any) -> bool:
    return isinstance(value, Mapping) and {"left", "claimed", "first", "last"} <= set(value)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float))


def _is_column(value: Any) -> bool:
    return isinstance(value, Sequence) and bool(value) and all(map(_is_scalar, value))


def _is_record(row: Any) -> bool:
    """Whether each entry is a scalar, or a number with its error."""
    return isinstance(row, Mapping) and all(
        _is_scalar(value) or (_is_column(value) and len(value) == 2) for value in row.values()
    )


def _is_records(value: Any) -> bool:
    return isinstance(value, Sequence) and bool(value) and all(map(_is_record, value))
