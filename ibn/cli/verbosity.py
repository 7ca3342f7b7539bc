"""``--quiet`` and ``--verbose``, which every verb has, and what is said on standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ibn.cli.terminal import say
from ibn.progress import Display, Level, Stages

_KEY = "ibn.verbosity"


def _set(ctx: click.Context, param: click.Parameter, given: bool) -> None:
    if given:
        ctx.meta[_KEY] = "quiet" if param.name == "quiet" else "verbose"


def options() -> list[click.Option]:
    """Make the two options, the last one given deciding."""
    common: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _set}
    quiet = "Say nothing on standard error but errors and the verdict of a gate."
    verbose = "Say each step on standard error, in a line of its own, with the time."
    return [
        click.Option(["-q", "--quiet"], help=quiet, **common),
        click.Option(["-v", "--verbose"], help=verbose, **common),
    ]


def level() -> Level:
    """Return how much the verb that runs is to say."""
    context = click.get_current_context(silent=True)
    return "usual" if context is None else context.meta.get(_KEY, "usual")


def note(line: str) -> None:
    """Say a line on standard error, unless all is to be quiet."""
    if level() != "quiet":
        say(line, err=True)


def stages(shares: Mapping[str, float] | None = None) -> Stages:
    """Make what tells the stages of the verb that runs."""
    return Stages(shares, level())


def tasks(kind: str = "tasks") -> Display:
    """Make what counts the tasks of the verb that runs."""
    return Display(level(), kind)
