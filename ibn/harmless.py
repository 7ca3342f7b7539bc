"""Names and texts of strangers, made harmless for a terminal.

Escape sequences in a column's name could repaint the screen, and marks that turn the direction of
writing could make one file's name look like another's. They are printed as escapes.
"""

from __future__ import annotations

import re

# Controls but for tab and line feed, marks of direction, and surrogates, which no stream takes.
HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def harmless(text: str) -> str:
    r"""Write control characters and marks of direction as escapes.

    Examples
    --------
    >>> from ibn.harmless import harmless
    >>> print(harmless("\x1b[31mred"))
    \x1b[31mred
    """
    return HARMFUL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)
