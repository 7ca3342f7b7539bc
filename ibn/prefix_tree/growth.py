"""How responses are grown: depth, branching, budget, temperature and the rest (theory §7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ibn.errors import InputError

# Chinese and Japanese write no space behind a sentence.
SENTENCE_ENDS = (". ", "! ", "? ", ".\n", "!\n", "?\n", "\n", "。", "！", "？", "。」", "。”")
UNFINISHED = ("keep", "drop", "extend")
MOST_LEAVES = 100_000  # of one prompt


@dataclass(frozen=True)
class Growth:
    """How responses are grown.

    Raises InputError if a number is out of range.
    """

    depth: int = 3  # levels D of the tree, at least 1; a chain is grown in one
    branching: int = 2  # children B of a node, at least 2
    # budget of tokens of a response; a level but the last gets an equal share of it
    tokens: int = 256
    # a segment ends behind the last of these that it holds, where it holds one
    separators: tuple[str, ...] = SENTENCE_ENDS
    # of the draw; where siblings come out alike it is multiplied by warming for those to be drawn
    # again, up to warmest
    temperature: float = 0.8
    warmest: float = 1.6
    warming: float = 1.25
    # share of words in common (Jaccard) from which siblings are alike; 1 means the same text
    alike: float = 0.9
    attempts: int = 4  # rounds in which what is alike, empty or failed is drawn again
    # keep, drop or extend: what becomes of leaves that the budget cut short: kept and marked, left
    # out, or continued up to half the budget more and then kept and marked
    unfinished: str = "keep"

    def __post_init__(self) -> None:
        for name, least in (("depth", 1), ("branching", 2), ("tokens", 1), ("attempts", 1)):
            value = getattr(self, name)
            if value < least or value % 1:
                raise InputError(f"{name} must be a whole number of at least {least}, not {value}")
        if self.depth * np.log(self.branching) > np.log(MOST_LEAVES):
            raise InputError(
                f"{self.branching} children at {self.depth} levels make too many leaves",
                fix=f"at most {MOST_LEAVES:,}",
            )
        if self.tokens < self.depth:
            raise InputError(f"{self.tokens} tokens are too few for {self.depth} segments")
        if not 0 < self.temperature <= self.warmest < np.inf:
            raise InputError(
                f"temperatures must be positive and rise, not {self.temperature} to {self.warmest}"
            )
        if not self.warming >= 1:
            raise InputError(f"warming must be at least 1, not {self.warming}")
        if not 0 < self.alike <= 1:
            raise InputError(f"alike must lie above 0 and not above 1, not {self.alike}")
        if self.unfinished not in UNFINISHED:
            raise InputError(f"unfinished must be one of {', '.join(UNFINISHED)}")
