"""One way to write a file: whole or not at all, never over what was read."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ibn.errors import InputError

__all__ = ["keep_inputs", "write_text", "writing"]

Name = str | os.PathLike[str]


def keep_inputs(out: Name, inputs: Iterable[Name]) -> None:
    """Refuse an output that is one of the inputs, be it by a link: raise an InputError."""
    for path in inputs:
        if os.path.exists(out) and os.path.exists(path) and os.path.samefile(out, path):
            raise InputError("the output would replace an input", file=out, fix="name another file")


@contextmanager
def writing(path: Name) -> Iterator[IO[bytes]]:
    """Open a file for binary writing that takes its place when all of it is written.

    A file that is there before keeps its permissions and, where it is a link, the link. Whatever
    goes wrong in between, an interruption included, leaves it as it was.

    Parameters
    ----------
    path : str or path
        The file; a device or a pipe is written as it is.

    Yields
    ------
    binary file

    Raises
    ------
    OSError
        If it cannot be written.

    Examples
    --------
    >>> from ibn.outputs import writing
    >>> with writing("greeting.txt") as file:
    ...     _ = file.write(b"hello")
    """
    target = Path(os.path.realpath(path))
    before = target.stat() if target.exists() else None
    if before is not None and not stat.S_ISREG(before.st_mode):
        with open(target, "wb") as stream:
            yield stream
        return
    # A name nobody can guess, made exclusively and in the same folder: no link can lead it astray.
    try:
        handle, aside = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
    except FileNotFoundError:
        raise InputError("no such directory", file=target.parent, fix="make it first") from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), 0o666 & ~_umask() if before is None else before.st_mode)
            os.fsync(file.fileno())
        os.replace(aside, target)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def write_text(path: Name, text: str) -> None:
    """Write a text as UTF-8, whole or not at all; halves of surrogate pairs become escapes."""
    with writing(path) as file:
        file.write(text.encode("utf-8", errors="backslashreplace"))


def _umask() -> int:
    """Read the permissions that new files do not get; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
