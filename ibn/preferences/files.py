"""Records from files: JSON Lines, JSON, CSV and Parquet, each also gzipped, streamed one by one."""

from __future__ import annotations

import csv
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from difflib import get_close_matches
from pathlib import Path

from ibn.errors import InputError
from ibn.preferences.guarding import unguarded
from ibn.preferences.source import MAX_RECORD, Record, Source, as_record, parse_json, refusal

SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".parquet": "parquet",
}


def file_format(path: str | os.PathLike[str]) -> tuple[str, bool]:
    """Tell a file's format and whether it is gzipped, from its name.

    Parameters
    ----------
    path : path-like
        Only its suffixes are looked at.

    Returns
    -------
    format : {"jsonl", "json", "csv", "parquet"}
    gzipped : bool

    Raises
    ------
    InputError
        If the suffix is none of the known ones.
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    gzipped = suffixes[-1:] == [".gz"]
    suffix = (suffixes[:-1] if gzipped else suffixes)[-1:]
    if not suffix or suffix[0] not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise InputError(
            "unknown file format", file=os.fspath(path), fix=f"known: {known}, each also .gz"
        )
    return SUFFIXES[suffix[0]], gzipped


def read_records(path: str | os.PathLike[str]) -> Generator[tuple[int, Record], None, None]:
    """Stream the records of a file.

    Parameters
    ----------
    path : path-like
        A ``.jsonl``, ``.ndjson``, ``.json``, ``.csv`` or ``.parquet`` file, or one of them
        gzipped; a directory written by ``save_to_disk`` of Hugging Face ``datasets``; or, where no
        such file exists, a name on its hub (``owner/name`` or ``owner/name:split``).

    Yields
    ------
    line : int
        The line that the record starts on, counted from 1; its number for Parquet and ``datasets``.
    record : dict
        Values by column.

    Raises
    ------
    InputError
        If the file cannot be read, naming it and the line.
    """
    name = os.fspath(path)
    try:
        status = os.stat(name)
    except FileNotFoundError:
        if not _names_hub_dataset(name):
            raise InputError("no such file", file=name, fix=_near(name)) from None
        from ibn.preferences.tables import read_hub

        yield from read_hub(name)
        return
    except (OSError, ValueError) as error:
        raise InputError(refusal(error), file=name) from None
    if stat.S_ISDIR(status.st_mode):
        from ibn.preferences.tables import read_saved_dataset

        yield from read_saved_dataset(name)
        return
    if not stat.S_ISREG(status.st_mode):
        raise InputError("not a regular file", file=name)
    kind, gzipped = file_format(name)
    if not status.st_size:
        raise InputError("the file is empty", file=name)
    try:
        raw = open(name, "rb")  # noqa: SIM115 - closed below, its stream may be wrapped
    except OSError as error:
        raise InputError(refusal(error), file=name) from None
    with raw:
        yield from READERS[kind](Source(name, raw, gzipped))


def _near(name: str) -> str | None:
    """Suggest the file in the same folder whose name is nearest, if one is."""
    folder, wanted = os.path.split(name)
    try:
        near = get_close_matches(wanted, sorted(os.listdir(folder or ".")), n=1, cutoff=0.8)
    except OSError:
        return None
    return f"did you mean {os.path.join(folder, near[0])!r}?" if near else None


def _names_hub_dataset(name: str) -> bool:
    """Whether a missing path reads as owner/name[:split] and not as a file of a known format."""
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*(:[\w.-]+)?", name):
        return False
    try:
        file_format(name)
    except InputError:
        return True
    return False


def _read_jsonl(source: Source) -> Iterator[tuple[int, Record]]:
    blank = 0
    for text in source.lines():
        if text.isspace():
            blank += len(text)
            if blank > MAX_RECORD:
                raise _too_blank(source)
            continue
        blank = 0
        try:
            record = as_record(parse_json(text))
        except InputError as error:
            raise source.error(error.problem, error.fix) from None
        yield source.line, record


def _too_blank(source: Source) -> InputError:
    return source.error(
        f"more than {MAX_RECORD >> 20} MiB of blank lines in a row", fix="remove them"
    )


def _read_json(source: Source) -> Iterator[tuple[int, Record]]:
    from ibn.preferences.json_stream import read_json

    return read_json(source)


def _read_csv(source: Source) -> Iterator[tuple[int, Record]]:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD))  # for the whole process
    size = 0

    def lines_of_record() -> Iterator[str]:
        nonlocal size
        for text in source.lines():
            size += len(text)
            if size > MAX_RECORD:  # an unclosed quote swallows line after line
                if text.isspace():
                    raise _too_blank(source)
                source.line = start
                raise source.error(f"a record of more than {MAX_RECORD >> 20} MiB")
            yield text

    rows = csv.reader(lines_of_record(), strict=True)
    header: list[str] | None = None
    while True:
        start = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            source.line = start
            raise source.error(f"malformed CSV: {error}", fix="quote the field") from None
        if row is None:
            return
        if not row:
            continue
        size = 0
        if header is None:
            header = row
            name, count = Counter(header).most_common(1)[0]
            if count > 1:
                source.line = start
                raise source.error(f"{count} columns are named {name[:40]!r}")
        elif len(row) != len(header):
            source.line = start
            raise source.error(
                f"{len(row)} fields under {len(header)} columns", fix="quote fields with commas"
            )
        else:
            yield start, unguarded(dict(zip(header, row, strict=True)))


def _read_parquet(source: Source) -> Iterator[tuple[int, Record]]:
    from ibn.preferences.tables import read_parquet

    return read_parquet(source)


READERS: dict[str, Callable[[Source], Iterator[tuple[int, Record]]]] = {
    "jsonl": _read_jsonl,
    "json": _read_json,
    "csv": _read_csv,
    "parquet": _read_parquet,
}
