"""Names of columns, however they are written, and the sides of a pair that they name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

ENDS = (("a", "b"), ("0", "1"), ("1", "2"), ("x", "y"), ("left", "right"))
BETTER_ENDS = (("w", "l"), ("chosen", "rejected"), ("win", "lose"))
STEMS = (
    *("response", "conversation", "answer", "completion", "output", "summary", "human_ref"),
    *("candidate", "reply", "generation", "message", "translation", "text", "option", "solution"),
)
MODELS = ("model", "player", "system", "competitor", "team", "assistant")

# Columns whose names say which is the better.
BETTER_PAIRS = (
    *(("chosen", "rejected"), ("preferred", "dispreferred"), ("better", "worse")),
    *(("accepted", "rejected"), ("positive", "negative")),
    *(
        (f"{stem}_{better}", f"{stem}_{worse}")
        for stem in (*STEMS, "y")
        for better, worse in BETTER_ENDS
    ),
    *(
        (f"{better}_{stem}", f"{worse}_{stem}")
        for stem in STEMS
        for better, worse in BETTER_ENDS[1:2]
    ),
)
# Columns of two responses, of which another says which is the better.
PAIRS = (*((f"{stem}_{a}", f"{stem}_{b}") for stem in STEMS for a, b in ENDS), ENDS[-1])
BATTLES = (*((f"{stem}_{a}", f"{stem}_{b}") for stem in MODELS for a, b in ENDS),)
BETTER_BATTLES = (("winner", "loser"), ("winning_model", "losing_model"))


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """Write a name in one way: ``Response 1``, ``response1`` and ``response_1`` are one.

    >>> canonical("Response 1"), canonical("responseB"), canonical("human_ref_A")
    ('response_1', 'response_b', 'human_ref_a')
    """
    spread = re.sub(r"(?<=[a-z])([AB]|\d)$", r"_\1", name.strip())
    return re.sub(r"\W+", "_", spread).strip("_").lower()


def by_canonical(columns: Iterable[str]) -> dict[str, str]:
    """Map canonical names to the columns' own; a column that has it to the letter goes first."""
    found: dict[str, str] = {}
    for column in columns:
        name = canonical(column)
        if name == column or name not in found:
            found[name] = column
    return found


def end_of(side: str) -> str:
    """Last part of a side's canonical name: what tells it from the other."""
    return side.rpartition("_")[2]
