"""How many draws a precision takes."""

from __future__ import annotations

from itertools import count
from math import ceil, sqrt


def draws_needed(variation: float, rel_err: float, least: int, *, wary: bool = False) -> int:
    """Fewest draws whose mean has a relative standard error of at most ``rel_err``.

    Parameters
    ----------
    variation : float
        Standard deviation of one draw over the mean.
    rel_err : float
        The target.
    least : int
        Draws at the least, 2 or more.
    wary : bool
        Whether to stop as ``ibn.estimate_mean`` does, only when the target would hold were the
        estimated error too small by two of its own standard deviations.
    """
    enough = max(least, ceil((variation / rel_err) ** 2))
    if not wary:
        return enough
    return next(
        k for k in count(enough) if variation / sqrt(k) * (1 + 2 / sqrt(2 * (k - 1))) <= rel_err
    )
