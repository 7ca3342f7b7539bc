"""What reaches a terminal, made harmless."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from ibn.harmless import harmless


def say(text: object, *, err: bool = False) -> None:
    """Print a line, harmless."""
    click.echo(harmless(str(text)), err=err)


def terminal() -> Any:
    """Make a console of rich that interprets no markup and prints what is harmless."""
    from rich.console import Console
    from rich.segment import Segment

    class Terminal(Console):
        def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
            for text, style, control in super().render(renderable, options):
                yield Segment(text if control else harmless(text), style, control)

    return Terminal(markup=False, emoji=False, highlight=False)
