"""Compiled kernels on several threads: they release the interpreter's lock while they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba

T = TypeVar("T")
S = TypeVar("S")


def spread(work: Callable[[T], S], parts: Sequence[T]) -> list[S]:
    """Apply a function to each part, on as many threads as Numba may use (``NUMBA_NUM_THREADS``).

    The parts are the caller's, so that results do not depend on the number of threads.
    """
    threads = min(numba.config.NUMBA_NUM_THREADS, len(parts))  # type: ignore[attr-defined]
    if threads < 2:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, parts))
