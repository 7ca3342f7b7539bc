"""Numbers of things in words: the one rule for plurals."""

from __future__ import annotations


def count_of(number: int, noun: str) -> str:
    """Write a number of things.

    Parameters
    ----------
    number : int
    noun : str
        In the singular, of those whose plural takes an s.

    Examples
    --------
    >>> count_of(1, "prompt"), count_of(1383, "comparison")
    ('1 prompt', '1,383 comparisons')
    """
    return f"{number:,} {plural(number, noun)}"


def plural(number: int, noun: str) -> str:
    """Write the noun as it follows a number.

    Examples
    --------
    >>> plural(1, "pair"), plural(0, "pair")
    ('pair', 'pairs')
    """
    return noun if number == 1 else f"{noun}s"
