"""What a case leaves behind: times with their spread, agreements, verdicts, curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Several measurements of one quantity.

    Attributes
    ----------
    median, least, most : float
        Of the measurements.
    count : int
        How many there were.
    """

    median: float
    least: float
    most: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise measurements, at least one."""
        return cls(float(np.median(values)), min(values), max(values), len(values))


@dataclass(frozen=True)
class Agreement:
    """Whether an answer is the right one, and how far off it is."""

    holds: bool
    text: str


@dataclass(frozen=True)
class Line:
    """What one contestant, or one stage of a case, took.

    Attributes
    ----------
    who : str
        The contestant.
    seconds : Spread
        Time from the network's list of edges to the answer.
    at_least : bool
        Whether it was cut short, so that ``seconds`` and ``ratio`` are lower bounds.
    ratio : Spread, optional
        Its time over ours, run by run.
    peak : int, optional
        Most memory its process held, in bytes.
    agreement : Agreement, optional
        Whether its answer agrees.
    note : str
        How the figure came about.
    """

    who: str
    seconds: Spread
    at_least: bool = False
    ratio: Spread | None = None
    peak: int | None = None
    agreement: Agreement | None = None
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """A target, what was measured, and whether it is met; None where it does not apply."""

    target: str
    measured: str
    met: bool | None


@dataclass(frozen=True)
class Curve:
    """Cost against n.

    Attributes
    ----------
    label : str
        What was measured.
    n : list of int
        Numbers of comparisons.
    seconds : list of Spread
        Time at each.
    slope, slope_stderr : float
        Of log seconds against log n, by least squares over the upper part.
    slope_from : int
        The least n that the slope was fitted to.
    """

    label: str
    n: list[int]
    seconds: list[Spread]
    slope: float
    slope_stderr: float
    slope_from: int


@dataclass(frozen=True)
class Result:
    """All that a case found.

    Attributes
    ----------
    case, what : str
        Its name and what it measures.
    n : int
        Comparisons.
    lines : list of Line
        Ours first.
    verdicts : list of Verdict
        One a target.
    first_call : float, optional
        Seconds that compiling, or loading compiled code, took; never counted elsewhere.
    absent : dict
        Peers that did not take part, and why.
    notes : list of str
        Whatever else a reader should know.
    curves : list of Curve
        Where the case measures cost against n.
    """

    case: str
    what: str
    n: int
    lines: list[Line]
    verdicts: list[Verdict]
    first_call: float | None
    absent: dict[str, str]
    notes: list[str]
    curves: list[Curve]
