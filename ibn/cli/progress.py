"""How far a sweep is, on standard error."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress

PLAIN_SECONDS = 10.0


class Display:
    """A bar with the time left on a terminal, else a plain line now and then.

    A context manager; what runs tasks calls it as its ``progress``. ``total`` are the tasks to run;
    0 until known.
    """

    def __init__(self) -> None:
        self.total = 0
        self._bar: Progress | None = None
        self._start = self._printed = time.monotonic()

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, ended: int, total: int, share: float) -> None:
        """Show how many tasks have ended, and from their share of the work the time left."""
        self.total = total
        done = f"{ended} of {total} tasks"
        now = time.monotonic()
        if sys.stderr.isatty():
            self._draw(done, share)
        elif share and now - self._printed >= PLAIN_SECONDS:
            self._printed = now
            left = _duration((now - self._start) * (1.0 - share) / share)
            click.echo(f"{done}, about {left} left", err=True)

    def _draw(self, done: str, share: float) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task(done, total=1.0)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], description=done, completed=share)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"
