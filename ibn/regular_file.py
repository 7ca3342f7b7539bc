"""Inputs that end: a pipe could keep us waiting, and a device never stops."""

from __future__ import annotations

import os
import stat

from ibn.errors import InputError


def require_regular(path: str | os.PathLike[str]) -> None:
    """Raise InputError where something is there that is no regular file; OSError where nothing."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise InputError("not a regular file", file=path)
