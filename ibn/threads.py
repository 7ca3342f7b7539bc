"""Work shared among threads, for kernels and matrix products that leave the interpreter free."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

import numba
from threadpoolctl import threadpool_limits

from ibn.errors import InputError

Item = TypeVar("Item")
Found = TypeVar("Found")

_MOST: ContextVar[int | None] = ContextVar("most", default=None)


def cores() -> int:
    """Count the cores that work may be shared among, at most ``NUMBA_NUM_THREADS``."""
    allowed = getattr(os, "sched_getaffinity", None)
    count = len(allowed(0)) if allowed else os.cpu_count() or 1
    return min(count, numba.config.NUMBA_NUM_THREADS, _MOST.get() or count)  # type: ignore[attr-defined]


@contextmanager
def at_most(jobs: int | None) -> Iterator[None]:
    """Share work among so many cores at most, while it lasts.

    ``None`` leaves it as it is. Matrix products run on one core each: how many share a product
    changes its last digits.

    Raises InputError if there are none.
    """
    if jobs is None:
        yield
        return
    if jobs < 1:
        raise InputError(f"jobs must be at least 1, not {jobs}")
    before = _MOST.set(jobs)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        _MOST.reset(before)


def in_threads(work: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """Apply a function to each item, a thread a core, and return what it gave in order.

    ``work``: must give the same whichever thread it runs in, so that results do not depend on how
    many there are. Its matrix products run on one core each. ``items``: what it is applied to.
    """
    parts = list(items)
    threads = min(cores(), len(parts))
    if threads < 2:
        return [work(part) for part in parts]
    # What a thread shares in its turn stays within the limit.
    inner = _MOST.get() and max(1, cores() // threads)
    pool = ThreadPoolExecutor(threads, initializer=_MOST.set, initargs=(inner,))
    try:
        with threadpool_limits(1, user_api="blas"):
            return list(pool.map(work, parts))
    finally:  # an error or an interruption leaves what has not begun undone
        pool.shutdown(wait=True, cancel_futures=True)
