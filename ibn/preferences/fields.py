"""Values out of records, checked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import islice
from typing import Any

from ibn.errors import InputError
from ibn.preferences.source import Record, parse_json


def kind(value: object) -> str:
    """Name the type of a decoded value in the words of JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else f"of type {type(value).__name__}"


def names(columns: Iterable[str]) -> str:
    """List column names, the first dozen, each of bounded length."""
    listed = [repr(str(column)[:40]) for column in islice(columns, 13)]
    return ", ".join(listed[:12] + ["…"] * (len(listed) > 12)) or "none"


def take(record: Record, column: str) -> Any:
    """Take a value that must be there.

    Raises
    ------
    InputError
        If the column is missing, saying which there are, or holds null, or the record is none.
    """
    if not isinstance(record, dict):
        raise InputError(f"{kind(record)}, not an object with {column!r}")
    value = value_at(record, column)
    if value is None:
        if column.partition(".")[0] in record:
            raise InputError(f"{column} is null")
        raise InputError(f"no column {column!r}; there are {names(record)}")
    return value


def value_at(record: Record, column: str) -> Any:
    """Look up a column, or a place within an object: ``question.full_text``; ``None`` if absent."""
    if column in record or "." not in column:
        return record.get(column)
    outer, _, inner = column.partition(".")
    inside = structured(record.get(outer))
    return value_at(inside, inner) if isinstance(inside, dict) else None


def text(value: Any, column: str) -> str:
    """Check that a value is text that can be written as UTF-8.

    A number, and JSON's ``true`` for a response "True", are written as Python writes them.
    """
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        raise InputError(f"{column} is {kind(value)}, not text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InputError(f"{column} holds half of a surrogate pair, which is no text") from None
    return value


def number(value: Any, column: str) -> float:
    """Check that a value is a finite number, or text that reads as one, as in CSV."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            result = float(value)
        except (ValueError, OverflowError):
            result = math.nan
        if math.isfinite(result):
            return result
        raise InputError(f"{column} is no finite number: {str(value)[:40]!r}")
    raise InputError(f"{column} is {kind(value)}, not a number")


def structured(value: Any) -> Any:
    """Decode a list or object that a cell, as in CSV, holds as JSON; leave the rest as it is."""
    if isinstance(value, str) and value.startswith(("[", "{")):
        try:
            return parse_json(value)
        except InputError:
            return value
    return value
