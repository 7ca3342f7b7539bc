"""What survived of the theory, what failed and what replaces it: read off the ledger's verdicts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ibn.figures.ledger_evidence import Claims

INSTRUMENTS = "T0"  # a claim about the ledger itself


@dataclass(frozen=True)
class Line:
    """A claim, or one reading of it, in a sentence.

    ``says`` it in words; ``why`` its verdict is what it is; ``formula`` is LaTeX, of what is so.
    """

    id: str
    says: str
    why: str = ""
    formula: str = ""


@dataclass(frozen=True)
class BottomLine:
    """The ledger in half a page.

    Attributes
    ----------
    survived : tuple of Line
        The paper's claims that hold in every sense that their words call for.
    failed : tuple of Line
        Readings of the paper's claims that fail, each with why, and the formula of what is so.
    as_bounds : tuple of Line
        Readings of those same claims that hold.
    replaced : tuple of Line
        What this project claims beside them, and holds.
    open : tuple of Line
        Claims of either that are undecided.
    """

    survived: tuple[Line, ...]
    failed: tuple[Line, ...]
    as_bounds: tuple[Line, ...]
    replaced: tuple[Line, ...]
    open: tuple[Line, ...]


def bottom_line(claims: Claims) -> BottomLine:
    """Sort decided claims by their verdicts, and the failing ones by their readings."""
    survived: list[Line] = []
    failed: list[Line] = []
    as_bounds: list[Line] = []
    replaced: list[Line] = []
    left: list[Line] = []
    for claim in claims:
        own = not claim["source"].startswith("paper")
        says = first_clause(claim["statement"])
        promised = own or claim["statement"][len(says) :].startswith(":")  # a formula to follow
        line = Line(claim["id"], says, formula=claim.get("latex", "") if promised else "")
        if claim["id"] == INSTRUMENTS:
            continue
        if claim["verdict"] == "holds":
            (replaced if own else survived).append(line)
        elif claim["verdict"] == "undecided":
            left.append(line)
        for one in claim.get("readings", ()) if claim["verdict"] == "fails" else ():
            read = Line(claim["id"], one["reading"], one["why"], one["latex"])
            if one["verdict"] == "fails" and one["counts"]:
                failed.append(read)
            elif one["verdict"] == "holds" and one["counts"]:
                as_bounds.append(read)
    sorted_out = (tuple(each) for each in (survived, failed, as_bounds, replaced, left))
    return BottomLine(*sorted_out)


def first_clause(statement: str) -> str:
    """Cut a statement where its first clause ends.

    Examples
    --------
    >>> first_clause("Mean path distance of a chain: E[d] is of the order of I. It is large.")
    'Mean path distance of a chain'
    """
    return re.split(r"[:;.](?=\s|$)", statement, maxsplit=1)[0]
