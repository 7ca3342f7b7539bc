"""A contest: one question, put to this library and to its peers in turn."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from benchmarks.timing import Agreement, Line, Result, Spread, Verdict

Report = Callable[[str], None]
"""Told what is going on."""


@dataclass(frozen=True)
class Effort:
    """How hard to measure.

    Attributes
    ----------
    rounds : int
        Times that each contestant runs.
    patience : float
        Seconds after which a contestant runs no more rounds.
    report : callable
        Told what is going on.
    """

    rounds: int = 5
    patience: float = 60.0
    report: Report = lambda message: None


class Case(Protocol):
    """Something to measure; see the modules of this package for the kinds there are."""

    @property
    def name(self) -> str:
        """What the command calls it."""
        ...

    @property
    def what(self) -> str:
        """What it measures, in one line."""
        ...

    @property
    def n(self) -> int:
        """Comparisons, as the targets have it."""
        ...

    @property
    def small(self) -> int:
        """Comparisons for a quick look."""
        ...

    def run(self, n: int, effort: Effort) -> Result:
        """Measure at n comparisons."""
        ...


@dataclass(frozen=True)
class Run:
    """One run of a contestant.

    Attributes
    ----------
    seconds : float
        Time counted.
    answer : object
        Whatever its ``check`` looks at.
    at_least : bool
        Whether the run was cut short.
    note : str
        How the time came about, where that is not plain timing.
    """

    seconds: float
    answer: Any = None
    at_least: bool = False
    note: str = ""


@dataclass(frozen=True)
class Contestant:
    """One way to answer the question.

    Attributes
    ----------
    name : str
        As the table shows it.
    run : callable
        ``run(round)`` answers once; the number of the round serves as a seed.
    check : callable, optional
        Compares the answer of its first round with what it should be.
    """

    name: str
    run: Callable[[int], Run]
    check: Callable[[Any], Agreement] | None = None


def timed(answer: Callable[[int], Any]) -> Callable[[int], Run]:
    """Make a contestant's ``run`` of a function whose whole time counts."""

    def run(number: int) -> Run:
        start = time.perf_counter()
        found = answer(number)
        return Run(time.perf_counter() - start, found)

    return run


@dataclass(frozen=True)
class Trial:
    """A question made ready at one size.

    Attributes
    ----------
    ours : Contestant
        This library.
    peers : sequence of Contestant
        The others.
    absent : mapping
        Peers left out, and why.
    notes : sequence of str
        What a reader should know.
    afterwards : callable
        Measures, after the rounds, what else a reader should know.
    """

    ours: Contestant
    peers: Sequence[Contestant] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    afterwards: Callable[[], Sequence[str]] = tuple


class Target(Protocol):
    """Something a contest must show."""

    def judge(self, lines: Sequence[Line]) -> Verdict:
        """Hold the lines of a contest, ours first, against the target."""
        ...


@dataclass(frozen=True)
class Faster:
    """Ours must be ``times`` times as fast as a peer; below 1, it may be slower.

    Attributes
    ----------
    times : float
        Least ratio of its time to ours.
    than : str
        The peer; by default whichever is fastest.
    """

    times: float
    than: str = ""

    def judge(self, lines: Sequence[Line]) -> Verdict:
        """Compare medians of the ratios."""
        whom = self.than or "the fastest peer"
        if self.times < 1:
            target = f"at most {1 / self.times:g} × the time of {whom}"
        elif self.times == 1:
            target = f"no slower than {whom}"
        else:
            target = f"at least {self.times:g} × faster than {whom}"
        peers = [line for line in lines[1:] if line.who == self.than or not self.than]
        peers = [line for line in peers if line.ratio is not None]
        if not peers:
            return Verdict(target, "no peer ran", None)
        line = min(peers, key=lambda line: line.seconds.median)
        ratio = line.ratio
        assert ratio is not None
        if self.times < 1:
            measured = f"{1 / ratio.median:.2g} × ({1 / ratio.most:.2g} to {1 / ratio.least:.2g})"
        else:
            sign = "> " if line.at_least else ""
            measured = f"{sign}{ratio.median:.3g} × ({ratio.least:.3g} to {ratio.most:.3g})"
        agrees = all(x.agreement is None or x.agreement.holds for x in (lines[0], line))
        met = ratio.median >= self.times and agrees
        # A peer cut short bounds the ratio from below, which cannot show that a target is missed.
        unknown = line.at_least and not met
        text = f"{measured}, {line.who}" + ("" if agrees else ", but the answers disagree")
        return Verdict(target, text, None if unknown else met)


@dataclass(frozen=True)
class Within:
    """The lines together must keep within a time, or each within an amount of memory.

    Attributes
    ----------
    seconds, gib : float, optional
        The bounds.
    """

    seconds: float | None = None
    gib: float | None = None

    def judge(self, lines: Sequence[Line]) -> Verdict:
        """Add up median times; take the highest peak."""
        bounds, found, met = [], [], True
        if self.seconds is not None:
            total = sum(line.seconds.median for line in lines)
            bounds.append(f"{self.seconds:g} s")
            found.append(f"{total:.3g} s")
            met = met and total <= self.seconds
        if self.gib is not None:
            peak = max(line.peak or 0 for line in lines) / 2**30
            bounds.append(f"{self.gib:g} GiB")
            found.append(f"{peak:.3g} GiB")
            met = met and peak <= self.gib
        return Verdict("within " + " and ".join(bounds), ", ".join(found), met)


@dataclass(frozen=True)
class Contest:
    """A case that is a contest.

    Attributes
    ----------
    name, what, n, small
        See :class:`Case`.
    prepare : callable
        ``prepare(n)`` makes the question ready; nothing in it is timed.
    targets : sequence of Target
        What must be shown at ``n``; at other sizes the verdict is left open.
    """

    name: str
    what: str
    n: int
    small: int
    prepare: Callable[[int], Trial]
    targets: Sequence[Target] = ()

    def run(self, n: int, effort: Effort) -> Result:
        """Let everyone answer in turn, round by round, so that all meet the same conditions."""
        first_call = self._first_call()
        effort.report(f"{self.name}: preparing n = {n:,}")
        trial = self.prepare(n)
        lines, failed = self._take_turns(trial, effort)
        verdicts = [target.judge(lines) for target in self.targets]
        if n != self.n:
            verdicts = [replace(verdict, met=None) for verdict in verdicts]
        return Result(
            case=self.name,
            what=self.what,
            n=n,
            lines=lines,
            verdicts=verdicts,
            first_call=first_call,
            absent={**trial.absent, **failed},
            notes=[*trial.notes, *trial.afterwards()],
            curves=[],
        )

    def _take_turns(self, trial: Trial, effort: Effort) -> tuple[list[Line], dict[str, str]]:
        """Run the rounds; return the lines, ours first, and what made peers fail."""
        runs: dict[str, list[Run]] = {one.name: [] for one in (trial.ours, *trial.peers)}
        spent = dict.fromkeys(runs, 0.0)
        agreements: dict[str, Agreement | None] = {}
        failed: dict[str, str] = {}
        for number in range(effort.rounds):
            for one in (trial.ours, *trial.peers):
                if one.name in failed or spent[one.name] > effort.patience:
                    continue
                start = time.perf_counter()
                try:
                    run, agreement = _turn(one, number)
                except Exception as error:
                    if one is trial.ours:
                        raise
                    failed[one.name] = f"failed with {type(error).__name__}: {error}"
                    continue
                spent[one.name] += time.perf_counter() - start
                runs[one.name].append(run)
                agreements.setdefault(one.name, agreement)
                effort.report(f"{self.name}: {one.name}, round {number + 1}: {run.seconds:.3g} s")
        ours = [run.seconds for run in runs[trial.ours.name]]
        lines = [_line(name, some, ours, agreements[name]) for name, some in runs.items() if some]
        return lines, failed

    def _first_call(self) -> float:
        """Seconds by which a first run at the small size exceeds a second one."""
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            self.prepare(self.small).ours.run(0)
            seconds.append(time.perf_counter() - start)
        return max(seconds[0] - seconds[1], 0.0)


def _turn(one: Contestant, number: int) -> tuple[Run, Agreement | None]:
    """Run once, and check the first answer.

    Answers are dropped: kept, they would deny later rounds the memory that earlier ones had.
    """
    gc.collect()
    run = one.run(number)
    agreement = one.check(run.answer) if one.check and number == 0 else None
    return replace(run, answer=None), agreement


def _line(
    who: str, runs: Sequence[Run], ours: Sequence[float], agreement: Agreement | None
) -> Line:
    """Summarise a contestant's runs; its ratios pair its runs with ours of the same rounds."""
    latest = [runs[min(i, len(runs) - 1)].seconds for i in range(len(ours))]
    ratios = [theirs / mine for theirs, mine in zip(latest, ours, strict=True)]
    return Line(
        who=who,
        seconds=Spread.of([run.seconds for run in runs]),
        at_least=any(run.at_least for run in runs),
        ratio=Spread.of(ratios),
        agreement=agreement,
        note=runs[-1].note,
    )
