"""Compiled kernels: arrays in, arrays out, no objects, no input or output.

Compiled code is cached beside these files, else in the user's cache, or in ``NUMBA_CACHE_DIR``;
where none of these can be written, in a folder that goes with the process. Each kernel has a naive
twin in ``tests/``.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import numba


def _keep_compiled() -> None:
    """Give Numba a folder of our own where it could write its cache nowhere, and would fail."""
    user = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folders = (Path(__file__).parent / "__pycache__", Path(user))
    if numba.config.CACHE_DIR or any(map(_writable, folders)):  # type: ignore[attr-defined]
        return
    own = tempfile.mkdtemp(prefix="ibn-")
    numba.config.CACHE_DIR = own  # type: ignore[attr-defined]
    atexit.register(shutil.rmtree, own, ignore_errors=True)


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


_keep_compiled()
