"""Files that one process at a time appends to, and that survive a kill at any byte."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

from ibn.errors import InputError


def open_alone(path: Path) -> int:
    """Open a file for appending, made if missing, as the only one to write it.

    Raises InputError if it is no regular file, or another process is writing it; OSError if it
    cannot be opened.
    """
    import fcntl  # where there is none, files can still be read

    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    while True:
        fd = os.open(path, flags, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise InputError("not a file that can hold results", file=path)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(fd), os.stat(path)):
                return fd
        except BlockingIOError:
            os.close(fd)
            raise InputError(
                "another run is writing this file",
                file=path,
                fix="wait for it to end, or give another --out",
            ) from None
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)  # the file was replaced between its opening and its locking


def append(fd: int, data: bytes, path: Path) -> None:
    """Write all of the data at the end of an open file; an OSError names the file."""
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def keep_alone(file: IO[bytes]) -> int:
    """Keep a new file, of which all is written, open for appending as the only one to write it."""
    import fcntl

    file.flush()
    fd = os.dup(file.fileno())
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd
