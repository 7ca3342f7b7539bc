"""A journal of what was grown and judged: lines of JSON that survive a kill at any byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ibn.appended import append, open_alone
from ibn.errors import InputError
from ibn.strict_json import loads

FORMAT = "ibn grow journal, version 1"


class Journal:
    """An append-only file of JSON lines that begins with the settings it belongs to.

    To be used as a context manager. A torn last line, as a kill leaves it, is dropped. ``settings``
    are everything that determines the content, and ``entries`` what the file held and what was
    added. Raises InputError if the file is no journal, is damaged, belongs to other settings or is
    being written.
    """

    def __init__(self, path: str | os.PathLike[str], settings: dict[str, Any]) -> None:
        self.path = Path(path)
        self.settings = json.loads(json.dumps({"format": FORMAT, **settings}))
        self.entries: list[dict[str, Any]] = []

    def __enter__(self) -> Journal:
        self._fd = open_alone(self.path)
        try:
            self._load()
        except BaseException:
            os.close(self._fd)
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        os.close(self._fd)

    def append(self, entry: dict[str, Any]) -> None:
        """Add an entry; once this returns it is on the disk."""
        self._write(entry)
        self.entries.append(entry)

    def _load(self) -> None:
        with open(self._fd, "rb", closefd=False) as stream:
            data = stream.read()
        *lines, torn = data.split(b"\n")
        end = len(data) - len(torn)
        if not lines:
            if not _line(self.settings).startswith(torn):
                raise self._foreign(1)
            os.ftruncate(self._fd, 0)
            self._write(self.settings)
            return
        for number, line in enumerate(lines, 1):
            try:
                entry = loads(line)
            except ValueError:
                entry = None
            if not isinstance(entry, dict) or (number == 1 and entry.get("format") != FORMAT):
                raise self._foreign(number)
            self.entries.append(entry)
        os.ftruncate(self._fd, end)  # only now: a file of others keeps its last line
        header = self.entries.pop(0)
        for name in sorted({*header, *self.settings}):
            if header.get(name) != self.settings.get(name):
                raise InputError(
                    f"begun with {name} = {header.get(name)!r}, not {self.settings.get(name)!r}",
                    file=self.path,
                    fix="give the same options to go on, or another --out",
                )

    def _foreign(self, number: int) -> InputError:
        return InputError(
            "not a line of a growth journal",
            file=self.path,
            line=number,
            fix="remove the line, or give another --out",
        )

    def _write(self, entry: dict[str, Any]) -> None:
        try:
            append(self._fd, _line(entry), self.path)
            os.fsync(self._fd)
        except OSError as error:
            raise InputError(
                f"cannot be written: {(error.strerror or str(error)).lower()}",
                file=self.path,
                fix="what was written before is safe; the same command goes on",
            ) from None


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=True).encode() + b"\n"
