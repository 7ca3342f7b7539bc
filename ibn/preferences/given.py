"""What the verbs are given in Python: preferences read already, something to read, or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibn.errors import InputError
from ibn.preferences.reading import PreferenceData, read_preferences
from ibn.preferences.uniting import concatenate

READING = ("columns", "winner", "score", "no_prompt", "strict")
"""Options of reading, arguments of :func:`ibn.read_preferences`."""


def take_reading(options: dict[str, Any]) -> dict[str, Any]:
    """Take the options of reading out of a verb's."""
    return {name: options.pop(name) for name in READING if name in options}


def each_source(source: Any) -> list[Any]:
    """List what is to be read one behind the other: several paths or tables, or the one given.

    A list of mappings is the records of one.
    """
    if isinstance(source, (list, tuple)) and source and not isinstance(source[0], Mapping):
        return list(source)
    return [source]


def preferences_of(source: Any, **reading: Any) -> PreferenceData:
    """Return preferences as they are, or read them.

    Parameters
    ----------
    source : PreferenceData, or as for :func:`ibn.read_preferences`, or a list of several
        Several are read one behind the other.
    **reading
        Options of reading, as for :func:`ibn.read_preferences`.

    Raises
    ------
    InputError
        If it cannot be read, or was read already and is to be read otherwise.

    Examples
    --------
    >>> from ibn.preferences.given import preferences_of
    >>> pair = {"prompt": "Hi!", "chosen": "Hello!", "rejected": "Go."}
    >>> len(preferences_of([[pair], [pair]]).comparisons)
    2
    """
    first, *others = (_one(each, reading) for each in each_source(source))
    for other in others:
        first = concatenate(first, other)
    return first


def _one(source: Any, reading: Mapping[str, Any]) -> PreferenceData:
    if not isinstance(source, PreferenceData):
        return read_preferences(source, **reading)
    if wished := [name for name, value in reading.items() if value]:
        raise InputError(
            f"{wished[0]} is for reading, and these preferences have been read",
            fix="say it to ibn.read_preferences, or give what is to be read",
        )
    return source
