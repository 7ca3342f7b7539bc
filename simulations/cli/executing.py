"""The options that say where tasks run, for the verbs that run sweeps."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def _cores() -> int:
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def executing(command: Command) -> Command:
    """Give a command the options ``--jobs`` and ``--cluster``."""
    jobs = click.option(
        "--jobs",
        type=click.IntRange(1, 1024),
        default=_cores,
        show_default="all cores",
        help="Processes on this machine. The rows do not depend on it.",
    )
    cluster = click.option(
        "--cluster",
        metavar="URL",
        help="Run on all workers of a cluster instead: tcp://HOST:PORT of a Dask scheduler "
        "(extra [dask]) or ray://HOST:PORT of a Ray head (extra [ray]). The rows are the same.",
    )
    return jobs(cluster(command))
