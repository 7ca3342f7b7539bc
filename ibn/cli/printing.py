"""Documents of the verbs on standard output: as JSON, or as tables for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ibn.cli.terminal import terminal
from ibn.strict_json import dumps

KINDS = {"within": "within prompts", "any": "of any two responses", "given": "given"}


def print_document(
    document: dict[str, Any], tables: Callable[[dict[str, Any]], list[Any]], as_json: bool
) -> None:
    """Print a document, as it is or as tables for people."""
    if as_json:
        click.echo(dumps(document))
        return
    console = terminal()
    for table in tables(document):
        console.print(table)


def table(title: str, *columns: str) -> Any:
    """Begin a table for a terminal."""
    from rich import box
    from rich.table import Table

    begun = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        begun.add_column(column, justify="right" if i else "left")
    return begun
