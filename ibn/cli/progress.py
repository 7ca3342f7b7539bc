"""How far a sweep or an audit is, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ibn.cli.terminal import say

if TYPE_CHECKING:
    from rich.progress import Progress

PLAIN_SECONDS = 10.0

# Share of an audit's processor time that has passed when a stage begins, by words of its message:
# measured with 200,000 comparisons.
DONE_BEFORE = {
    "embedding texts": 0.02,
    "tying": 0.12,
    "near-duplicates": 0.26,
    "uncertainty before": 0.32,
    "uncertainty after": 0.42,
    "comparisons as": 0.53,
    "held-out labels": 0.73,
    "what to do next": 0.77,
    "writing the report": 0.98,
}


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
            say(f"{done}, about {left} left", err=True)

    def _draw(self, done: str, share: float) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task(done, total=1.0)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], description=done, completed=share)


def audit_stages() -> Callable[[str], None]:
    """Make a function that prints each step of an audit, and as a stage begins the time left."""
    start = time.monotonic()
    begun: dict[str, float] = {}

    def tell(message: str) -> None:
        now = time.monotonic()
        line = f"{now - start:6.1f} s  {message}"
        stage = next((words for words in DONE_BEFORE if words in message), None)
        if stage is not None and stage not in begun:
            begun[stage] = now
            first = next(iter(begun))
            passed = DONE_BEFORE[stage] - DONE_BEFORE[first]
            if passed > 0 and now - begun[first] >= PLAIN_SECONDS:
                left = (now - begun[first]) * (1.0 - DONE_BEFORE[stage]) / passed
                line += f", about {_duration(left)} left"
        say(line, err=True)

    return tell


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"
