"""Work shared among threads, for kernels and matrix products that leave the interpreter free."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Found = TypeVar("Found")


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(work: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """Apply a function to each item, a thread a core, and return what it gave in order.

    Parameters
    ----------
    work : callable
        Must give the same whichever thread it runs in, so that results do not depend on how many
        there are. Its matrix products run on one core each.
    items : iterable
        What it is applied to.
    """
    pool = ThreadPoolExecutor(cores())
    try:
        with threadpool_limits(1, user_api="blas"):
            return list(pool.map(work, items))
    finally:  # an error or an interruption leaves what has not begun undone
        pool.shutdown(wait=True, cancel_futures=True)
