"""One question to a leaderboard, and what was found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Probe:
    """One question to a leaderboard, answered.

    Attributes
    ----------
    name, question : str
    effect : float, optional
        None where the battles cannot tell.
    low, high : float, optional
        An interval of 95 %, over all items or pairs looked at; none for what is counted.
    flagged : bool
    found : str
        In words.
    advice : str
        What to do; empty where nothing is to be done.
    """

    name: str
    question: str
    effect: float | None
    low: float | None
    high: float | None
    flagged: bool
    found: str
    advice: str = ""
