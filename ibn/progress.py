"""How far something is, on standard error: one line that changes on a terminal, else a few lines.

What takes long calls ``progress(message)`` with what comes next. A message that ends in its place,
such as ``split 2 of 5``, is a step of the message before it.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal

from ibn.harmless import harmless

if TYPE_CHECKING:
    from rich.progress import Progress

PLAIN_SECONDS = 10.0
PLACE = re.compile(r"([\d,]+) of ([\d,]+)$")

Tell = Callable[[str], None]
Level = Literal["quiet", "usual", "verbose"]

# Share of an audit's processor time that has passed when a stage begins, by words of its message:
# measured with 200,000 comparisons.
AUDIT = {
    "embedding texts": 0.02,
    "tying": 0.12,
    "near-duplicates": 0.26,
    "uncertainty before": 0.32,
    "uncertainty after": 0.42,
    "other layouts": 0.53,
    "held-out labels": 0.73,
    "what to do next": 0.77,
    "writing the report": 0.98,
}


def silent(message: str) -> None:
    """Tell nothing."""


class Bar:
    """One line on a terminal: what is being done, a bar, the time spent and the time left."""

    def __init__(self) -> None:
        self._bar: Progress | None = None

    def draw(self, words: str, share: float | None) -> None:
        """Draw it, pulsing where the share done is not known."""
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(20),
                TimeElapsedColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task("", total=None)
            self._bar.start()
        total = None if share is None else 1.0
        self._bar.update(
            self._bar.task_ids[0],
            description=harmless(words),
            completed=share or 0.0,
            total=total,
        )

    def say(self, line: str) -> None:
        """Leave a line standing above it."""
        if self._bar is None:
            _print(line)
        else:
            self._bar.console.print(harmless(line), markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Wipe it off."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class Display:
    """How many tasks have ended and the time left: a bar on a terminal, else a line now and then.

    A context manager; what runs tasks calls it as its ``progress``. ``total`` are the tasks to run;
    0 until known.
    """

    def __init__(self, level: Level = "usual", kind: str = "tasks") -> None:
        self.total = 0
        self.kind, self.level = kind, level
        self._bar = Bar()
        self._start = self._printed = time.monotonic()

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, ended: int, total: int, share: float) -> None:
        """Show how many tasks have ended, and from their share of the work the time left."""
        self.total = total
        if self.level == "quiet":
            return
        now = time.monotonic()
        done = f"{ended} of {total} {self.kind}{_left(now - self._start, share)}"
        if sys.stderr.isatty() and self.level == "usual":
            self._bar.draw(done, share)
        elif share and (self.level == "verbose" or now - self._printed >= PLAIN_SECONDS):
            self._printed = now
            _print(done)

    def say(self, line: str) -> None:
        """Tell what is not to be wiped off."""
        if self.level != "quiet":
            self._bar.say(line)


class Stages:
    """What an audit, a plan or a replay is at; a context manager, called with what comes next.

    Parameters
    ----------
    shares : mapping of str to float
        Share of the work that has passed when a stage begins, by words of its message. Without
        any, the time left is known in a stage whose steps are numbered.
    level : {"quiet", "usual", "verbose"}
        ``quiet`` tells nothing; ``verbose`` tells each step in a line of its own, also on a
        terminal; ``usual`` has one changing line there, and elsewhere a line a stage, and a step
        where nothing was printed for a while.
    """

    def __init__(self, shares: Mapping[str, float] | None = None, level: Level = "usual") -> None:
        self.shares, self.level = shares or {}, level
        self._bar = Bar()
        self._lock = threading.Lock()  # steps that run in several threads tell at once
        self._start = self._began = self._printed = time.monotonic()
        self._stage = self._said = ""
        self._first: float | None = None  # share at which the clock started
        self._base, self._next, self._done = 0.0, 1.0, 0.0

    def __enter__(self) -> Stages:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, message: str) -> None:
        """Tell what comes next."""
        if self.level != "quiet":
            with self._lock:
                self._tell(message, time.monotonic())

    def say(self, line: str) -> None:
        """Tell what is not to be wiped off."""
        if self.level != "quiet":
            self._bar.say(line)

    def _tell(self, message: str, now: float) -> None:
        place = PLACE.search(message)
        named = next((words for words in self.shares if words in message), "")
        fresh = (named or message) != self._stage and (place is None or bool(named))
        if fresh:
            self._stage, self._said = named or message, PLACE.sub("", message)
            self._begin(named, now)
        if place is not None:
            step, steps = (int(number.replace(",", "")) for number in place.groups())
            here = self._base + (self._next - self._base) * (step - 1) / max(steps, 1)
            self._done = max(self._done, here)
        left = _left(now - self._began, self._done)
        if sys.stderr.isatty() and self.level == "usual":
            whole = message if named or fresh or not self._said else f"{self._said}, {message}"
            self._bar.draw(whole + left, self._done or None)
        elif self.level == "verbose" or fresh or now - self._printed >= PLAIN_SECONDS:
            self._printed = now
            _print(f"{now - self._start:6.1f} s  {message}{left}")

    def _begin(self, named: str, now: float) -> None:
        """Start the clock, or go on to the share that has passed where a stage begins."""
        if not self.shares:  # the time left is that of the stage
            self._began, self._done = now, 0.0
        elif named:
            if self._first is None:
                self._first, self._began = self.shares[named], now
            scale = 1.0 - self._first
            later = (share for share in self.shares.values() if share > self.shares[named])
            self._base = (self.shares[named] - self._first) / scale
            self._next = (min(later, default=1.0) - self._first) / scale
            self._done = max(self._done, self._base)


@contextmanager
def telling(progress: bool | Tell, shares: Mapping[str, float] | None = None) -> Iterator[Tell]:
    """Turn what a function of the library is given as ``progress`` into what it calls.

    Parameters
    ----------
    progress : bool or callable
        ``False`` tells nothing, ``True`` tells on standard error, a callable is called.
    shares : mapping, optional
        As for :class:`Stages`.
    """
    if progress is True:
        with Stages(shares) as stages:
            yield stages
    else:
        with nullcontext(progress or silent) as given:
            yield given


def _print(line: str) -> None:
    print(harmless(line), file=sys.stderr, flush=True)


def _left(spent: float, share: float | None) -> str:
    """Say how long the rest takes, once there is enough to judge by."""
    if not share or spent < PLAIN_SECONDS:
        return ""
    return f", about {_duration(spent * (1.0 - share) / share)} left"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"
