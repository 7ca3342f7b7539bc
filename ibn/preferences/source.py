"""A file being read, and a record of it: bytes, lines and JSON, every failure one error."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ibn.errors import InputError

Record = dict[str, Any]
T = TypeVar("T")

# What one record may take; beyond it a file is corrupt or hostile, and memory stays bounded.
MAX_RECORD = 2**24
MAX_UNPACKED = 2**32  # bytes of a gzipped file, a few kilobytes of which may unpack to terabytes

GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def refusal(error: Exception) -> str:
    """Say why the operating system refuses, without the path that the message names anyway."""
    return "cannot be read: " + (getattr(error, "strerror", None) or str(error)).lower()


class Source:
    """A file being read: its bytes, unpacked where gzipped, and the line reached.

    Parameters
    ----------
    path : str
        Its name in errors.
    raw : binary file
        The file, at its start.
    gzipped : bool
        Whether its name says so; gzip is recognised by its first bytes either way.
    """

    def __init__(self, path: str, raw: io.BufferedReader, gzipped: bool = False) -> None:
        self.path, self.line, self.unpacked = path, 0, 0
        self.stream = raw
        self.gzipped = raw.peek(2)[:2] == GZIP_MAGIC
        if self.gzipped:
            self.stream = io.BufferedReader(gzip.GzipFile(fileobj=raw))
        elif gzipped:
            raise self.error("named .gz and is not gzipped", fix="rename it or compress it")

    def error(self, problem: str, fix: str | None = None) -> InputError:
        """Build the error for something wrong at the line reached."""
        return InputError(problem, file=self.path, line=self.line or None, fix=fix)

    def read(self, size: int) -> bytes:
        """Read up to so many bytes; none at the end."""
        return self._counted(self._guarded(self.stream.read, size))

    def readline(self) -> bytes:
        """Read the next line with its end; nothing at the end of the file."""
        self.line += 1
        data = self._guarded(self.stream.readline, MAX_RECORD + 1)
        if len(data) > MAX_RECORD:
            raise self.error(f"a line of more than {MAX_RECORD >> 20} MiB")
        self._counted(data)
        return data.removeprefix(BYTE_ORDER_MARK) if self.line == 1 else data

    def rewind(self) -> None:
        """Go back to the start."""
        self.unpacked = 0
        self._guarded(self.stream.seek, 0)

    def lines(self) -> Iterator[str]:
        """Decode line by line."""
        while data := self.readline():
            try:
                yield data.decode()
            except UnicodeDecodeError as error:
                raise self.not_utf8(error) from None

    def not_utf8(self, error: UnicodeDecodeError) -> InputError:
        """Build the error for bytes that are not text."""
        return self.error(
            f"not UTF-8 text: byte 0x{error.object[error.start]:02x}", fix="save it as UTF-8"
        )

    def _counted(self, data: bytes) -> bytes:
        """Refuse a gzipped file that unpacks to too much."""
        self.unpacked += len(data)
        if self.gzipped and self.unpacked > MAX_UNPACKED:
            raise self.error(
                f"unpacks to more than {MAX_UNPACKED >> 30} GiB", fix="unpack it first"
            )
        return data

    def _guarded(self, read: Callable[[int], T], size: int) -> T:
        try:
            return read(size)
        except EOFError:
            raise self.error("the gzip stream is cut off", fix="fetch or write it again") from None
        except (zlib.error, gzip.BadGzipFile):
            raise self.error("the gzip stream is corrupt", fix="fetch or write it again") from None
        except OSError as error:
            raise self.error(refusal(error)) from None


def parse_json(text: str) -> Any:
    """Parse one JSON value, every failure an :class:`InputError` without a place."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{malformed_json(error)} at column {error.colno}", fix="complete or remove it"
        ) from None
    except RecursionError:
        raise InputError("JSON nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise InputError(f"malformed JSON: {error}") from None


def malformed_json(error: json.JSONDecodeError) -> str:
    """Tell JSON that ends too early from JSON that is wrong."""
    cut = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")
    return ("JSON is cut off: " if cut else "malformed JSON: ") + error.msg


def as_record(value: Any) -> Record:
    """Check that a JSON value is an object."""
    if not isinstance(value, dict):
        raise InputError(
            "a record that is no JSON object",
            fix='such as {"chosen": "…", "rejected": "…"}',
        )
    return value
