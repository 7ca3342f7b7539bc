"""Compiled kernels on several threads: they release the interpreter's lock while they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from numba import config

T = TypeVar("T")
S = TypeVar("S")


def spread(work: Callable[[T], S], parts: Sequence[T]) -> list[S]:
    """Apply a function to each part, on as many threads as Numba may use (``NUMBA_NUM_THREADS``).

    The parts are the caller's, so that results do not depend on the number of threads.
    """
    if len(parts) < 2 or config.NUMBA_NUM_THREADS < 2:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(min(config.NUMBA_NUM_THREADS, len(parts))) as pool:
        return list(pool.map(work, parts))
