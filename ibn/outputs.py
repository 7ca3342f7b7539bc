"""One way to write a file: whole or not at all, never over what was read."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ibn.errors import InputError

__all__ = ["check_file", "keep_inputs", "making", "require_name", "write_text", "writing"]

PART = ".part"
Name = str | os.PathLike[str]


def keep_inputs(out: Name, inputs: Iterable[Name | None]) -> None:
    """Refuse an output that is one of the inputs, or in a folder that is: raise an InputError.

    Links make no difference. ``inputs``: None stands for one that was not given; another output,
    which need not be there yet, may be among them.
    """
    place = Path(os.path.realpath(out))
    for path in inputs:
        if path is None:
            continue
        other = Path(os.path.realpath(path))
        linked = place.exists() and other.exists() and place.samefile(other)
        if place == other or linked or (place.exists() and other in place.parents):
            raise InputError("the output would replace an input", file=out, fix="name another file")


def require_name(out: Name) -> None:
    """Refuse what elsewhere stands for standard output: raise an InputError."""
    if os.fspath(out) == "-":
        raise InputError("no name of a file", file=out, fix="name one; --json prints instead")


def check_file(out: Name, inputs: Iterable[Name | None] = ()) -> None:
    """Refuse a file that cannot be written, or an input, before any work: raise an InputError."""
    require_name(out)
    if not Path(out).parent.is_dir():
        raise InputError("no such directory", file=Path(out).parent)
    if os.path.isdir(out):
        raise InputError("a directory", file=out, fix="name a file")
    keep_inputs(out, inputs)


@contextmanager
def writing(path: Name) -> Iterator[IO[bytes]]:
    """Open a file for binary writing that takes its place when all of it is written.

    A file that is there before keeps its permissions, its owner where that may be, and where it is
    a link, the link. Whatever goes wrong in between, an interruption included, leaves it as it
    was. After a kill that cannot be caught, a hidden file ``.ibn-….part`` may stay beside it.

    Parameters
    ----------
    path : str or path
        The file; a device or a pipe is written as it is.

    Yields
    ------
    binary file

    Raises
    ------
    InputError
        If there is no such directory, or nobody reads the pipe.
    OSError
        If it cannot be written; it names the file.

    Examples
    --------
    >>> from ibn.outputs import writing
    >>> with writing("greeting.txt") as file:
    ...     _ = file.write(b"hello")
    """
    in_place = os.path.exists(path) and not os.path.isfile(path)
    try:
        with _stream(path) if in_place else _aside(Path(os.path.realpath(path))) as file:
            yield file
    except OSError as error:
        if error.errno is not None and (
            error.filename is None or str(error.filename).endswith(PART)
        ):
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None
        raise


@contextmanager
def making(folder: Name) -> Iterator[Path]:
    """Yield a folder to fill, which takes the name of a missing one when all is in it."""
    target = Path(os.path.realpath(folder))
    aside = target.with_name(f".ibn-{secrets.token_hex(8)}{PART}")
    try:
        aside.mkdir()
        yield aside
        os.rename(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_text(path: Name, text: str) -> None:
    """Write a text as UTF-8, whole or not at all; halves of surrogate pairs become escapes."""
    with writing(path) as file:
        file.write(text.encode("utf-8", errors="backslashreplace"))


@contextmanager
def _aside(target: Path) -> Iterator[IO[bytes]]:
    """Open a file beside the target that takes its place."""
    there = target.exists()
    if not target.parent.is_dir():
        raise InputError("no such directory", file=target.parent, fix="make it first")
    if there and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    # A name nobody can guess, made exclusively and in the same folder: no link can lead it astray.
    # It is known before the file is made, so that no signal falls between the two.
    aside = str(target.with_name(f".ibn-{secrets.token_hex(8)}{PART}"))
    try:
        with open(aside, "xb") as file:
            if there:
                _take_after(file, target)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, target)
        _sync(target.parent)
    finally:
        with suppress(OSError):
            os.unlink(aside)


def _stream(path: Name) -> IO[bytes]:
    """Open a device, or a pipe that somebody reads."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise InputError("nobody reads this pipe", file=path, fix="start its reader") from None
        raise
    os.set_blocking(handle, True)
    return os.fdopen(handle, "wb")


def _take_after(file: IO[bytes], target: Path) -> None:
    """Give a file the permissions, and where that may be the owner, of the one it will replace."""
    before = target.stat()
    with suppress(PermissionError):
        os.fchown(file.fileno(), before.st_uid, before.st_gid)
    os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))


def _sync(folder: Path) -> None:
    """Let a new name in a folder survive the machine."""
    with suppress(OSError):  # a folder may be written and not read
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
