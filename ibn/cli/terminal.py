"""What reaches a terminal: names and texts of strangers, made harmless.

Escape sequences in a column's name could repaint the screen, and marks that turn the direction of
writing could make one file's name look like another's. They are printed as escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import click

# Controls but for tab and line feed, marks of direction, and surrogates, which no stream takes.
HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def harmless(text: str) -> str:
    r"""Write control characters and marks of direction as escapes.

    Examples
    --------
    >>> from ibn.cli.terminal import harmless
    >>> print(harmless("\x1b[31mred"))
    \x1b[31mred
    """
    return HARMFUL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def say(text: object, *, err: bool = False) -> None:
    """Print a line, harmless."""
    click.echo(harmless(str(text)), err=err)


def terminal(*, err: bool = False) -> Any:
    """Make a console of rich that interprets no markup and prints what is harmless."""
    from rich.console import Console
    from rich.segment import Segment

    class Terminal(Console):
        def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
            for text, style, control in super().render(renderable, options):
                yield Segment(text if control else harmless(text), style, control)

    return Terminal(stderr=err, markup=False, emoji=False, highlight=False)
