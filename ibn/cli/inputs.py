"""What the verbs that read preference files share: options, reading and where results may go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from ibn.errors import InputError

if TYPE_CHECKING:
    from ibn.preferences.reading import PreferenceData

Command = TypeVar("Command", bound=Callable[..., Any])


def renamed(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Parse NAME=THEIRS."""
    for item in given:
        if not all(item.partition("=")):
            raise click.BadParameter(f"{item!r} is not NAME=THEIRS, such as prompt=question")
    return dict(item.split("=", 1) for item in given)


def reading(command: Command) -> Command:
    """Give a command the options ``--column`` and ``--skip-identical``."""
    column = click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="NAME=THEIRS",
        callback=renamed,
        help="What the file calls a column: --column prompt=title.",
    )
    skip = click.option(
        "--skip-identical", is_flag=True, help="Leave out responses compared with themselves."
    )
    return column(skip(command))


def read_all(prefs: tuple[str, ...], options: dict[str, Any]) -> PreferenceData:
    """Read one file or several behind each other."""
    from ibn.preferences.reading import read_preferences
    from ibn.preferences.uniting import concatenate

    identical: Literal["error", "skip"] = "skip" if options["skip_identical"] else "error"
    first, *others = (
        read_preferences(path, columns=options["columns"], on_identical=identical) for path in prefs
    )
    for other in others:
        first = concatenate(first, other)
    return first


def given_embeddings(path: str | None, rows: int) -> Any:
    """Load the embeddings that were given, if any."""
    if path is None:
        return None
    from ibn.bias.embeddings import load_embeddings

    return load_embeddings(path, rows)


def check_out(out: str) -> None:
    """Refuse a file that no preferences can be written to, before any work is done."""
    from ibn.preferences.files import file_format

    file_format(out)
    if not Path(out).parent.is_dir():
        raise InputError("no such directory", file=Path(out).parent)
