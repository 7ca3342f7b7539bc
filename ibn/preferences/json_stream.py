"""JSON documents read record by record, so that memory does not grow with the file."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from ibn.errors import InputError
from ibn.preferences.source import MAX_RECORD, Record, Source, as_record, malformed_json

CHUNK = 2**16
WHITE_SPACE = re.compile(r"[ \t\r\n]*")


def read_json(source: Source) -> Iterator[tuple[int, Record]]:
    """Stream the records of a JSON document.

    Parameters
    ----------
    source : Source
        A list of records, an object with such a list under ``"data"``, or records one after
        another (many a ``.json`` file is JSON Lines).

    Yields
    ------
    line : int
        The line that the record starts on.
    record : dict
    """
    document = _Document(source)
    if document.peek() == "[":
        yield from document.records()
        document.end()
        return
    if document.peek() == "{":
        listed = False
        for key in document.fields():
            if key == "data" and not listed and document.peek() == "[":
                listed = True
                yield from document.records()
            else:
                document.value()
        if listed:
            document.end()
            return
    source.rewind()
    document = _Document(source)
    while document.peek():
        yield document.record()


class _Document:
    """A JSON text taken apart from the front, never holding more than one record of it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self.scan = json.JSONDecoder().raw_decode
        self.text, self.at, self.ended = "", 0, False
        source.line = 1

    def more(self) -> bool:
        """Read on, dropping what is behind; false at the end of the file."""
        if self.ended:
            return False
        ahead = len(self.text) - self.at
        if ahead > MAX_RECORD:
            raise self.source.error(f"a record of more than {MAX_RECORD >> 20} MiB")
        data = self.source.read(max(CHUNK, ahead))  # doubling: a long record is scanned few times
        self.ended = not data
        try:
            self.text, self.at = self.text[self.at :] + self.decode(data, self.ended), 0
        except UnicodeDecodeError as error:
            self.source.line += self.text.count("\n", self.at)
            self.source.line += error.object.count(b"\n", 0, error.start)
            raise self.source.not_utf8(error) from None
        return not self.ended

    def pass_to(self, end: int) -> None:
        """Go on to a place in the text, counting lines."""
        self.source.line += self.text.count("\n", self.at, end)
        self.at = end

    def peek(self) -> str:
        """Pass over white space; the next character, or nothing at the end."""
        while True:
            if space := WHITE_SPACE.match(self.text, self.at):
                self.pass_to(space.end())
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def take(self, wanted: str) -> str:
        """Take the next character, one of those wanted."""
        found = self.peek()
        if not found:
            raise self.source.error("JSON is cut off", fix="fetch or write the file again")
        if found not in wanted:
            raise self.source.error(f"malformed JSON: {found!r} instead of {' or '.join(wanted)}")
        self.at += 1
        return found

    def value(self) -> Any:
        """Take the next value, whole."""
        self.peek()
        while True:
            try:
                value, end = self.scan(self.text, self.at)
            except json.JSONDecodeError as error:
                if self.more():
                    continue
                self.pass_to(error.pos)
                raise self.source.error(malformed_json(error)) from None
            except RecursionError:
                raise self.source.error("JSON nested too deeply") from None
            except ValueError as error:  # an integer of thousands of digits
                raise self.source.error(f"malformed JSON: {error}") from None
            if end == len(self.text) and self.more():
                continue  # 12 may have been the start of 123
            self.pass_to(end)
            return value

    def record(self) -> tuple[int, Record]:
        """Take the next value, an object, with the line it starts on."""
        self.peek()
        line, value = self.source.line, self.value()
        try:
            return line, as_record(value)
        except InputError as error:
            raise InputError(
                error.problem, file=self.source.path, line=line, fix=error.fix
            ) from None

    def records(self) -> Iterator[tuple[int, Record]]:
        """Take a list of objects apart."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.record()
            if self.take(",]") == "]":
                return

    def fields(self) -> Iterator[str]:
        """Take an object apart; whoever iterates takes the value after each key."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() != '"':
                self.take('"')
            key = self.value()
            self.take(":")
            yield key
            if self.take(",}") == "}":
                return

    def end(self) -> None:
        """Check that nothing follows."""
        if found := self.peek():
            raise self.source.error(f"malformed JSON: {found!r} after the end of the document")
