"""Work shared among threads, for kernels and matrix products that leave the interpreter free."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba
from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Found = TypeVar("Found")


def cores() -> int:
    """Count the cores that this process may use, at most ``NUMBA_NUM_THREADS``."""
    allowed = getattr(os, "sched_getaffinity", None)
    count = len(allowed(0)) if allowed else os.cpu_count() or 1
    return min(count, numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


def in_threads(work: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """Apply a function to each item, a thread a core, and return what it gave in order.

    ``work``: must give the same whichever thread it runs in, so that results do not depend on how
    many there are. Its matrix products run on one core each. ``items``: what it is applied to.
    """
    parts = list(items)
    threads = min(cores(), len(parts))
    if threads < 2:
        return [work(part) for part in parts]
    pool = ThreadPoolExecutor(threads)
    try:
        with threadpool_limits(1, user_api="blas"):
            return list(pool.map(work, parts))
    finally:  # an error or an interruption leaves what has not begun undone
        pool.shutdown(wait=True, cancel_futures=True)
