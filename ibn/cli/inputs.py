"""What the verbs that read preference files share: options, reading and where results may go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ibn.cli.verbosity import note
from ibn.outputs import check_file

if TYPE_CHECKING:
    from ibn.preferences.reading import PreferenceData

Command = TypeVar("Command", bound=Callable[..., Any])


def renamed(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Parse NAME=THEIRS."""
    for item in given:
        if not all(item.partition("=")):
            raise click.BadParameter(f"{item!r} is not NAME=THEIRS, such as prompt=question")
    return dict(item.split("=", 1) for item in given)


def mapped(ctx: click.Context, param: click.Parameter, given: str | None) -> dict[str, str] | None:
    """Parse VALUE=MEANING, separated by commas."""
    if given is None:
        return None
    pairs = [item.rpartition("=") for item in given.split(",")]
    if not all(value and meaning for value, _, meaning in pairs):
        raise click.BadParameter(f"{given!r} is not VALUE=MEANING,…, such as 0=a,1=b,2=tie")
    return {value.strip(): meaning.strip() for value, _, meaning in pairs}


def choosing(command: Command) -> Command:
    """Give a command the options ``--column``, ``--winner`` and ``--strict``."""
    column = click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="NAME=THEIRS",
        callback=renamed,
        help="What the file calls a column, such as --column prompt=title. Columns that together "
        "make the prompt are joined: --column prompt=instruction+input.",
    )
    winner = click.option(
        "--winner",
        metavar="VALUE=MEANING,…",
        callback=mapped,
        help="What the labels mean, where it is not certain: --winner 0=a,1=b,2=tie. Meanings are "
        "a, b, tie and skip; for battles also both_bad; for labels of single responses good, "
        "bad and skip.",
    )
    strict = click.option(
        "--strict",
        is_flag=True,
        help="Refuse the file at the first row that cannot be used. By default such rows are "
        "left out, counted and listed.",
    )
    # Identical responses are left out by default now; scripts may still say so.
    skip = click.option("--skip-identical", is_flag=True, hidden=True, expose_value=False)
    return column(winner(strict(skip(command))))


def reading(command: Command) -> Command:
    """Give a command all options of reading a preference file."""
    score = click.option(
        "--score",
        metavar="COLUMN",
        help="The column that says how good a response is, where responses have several: "
        "--score helpfulness.",
    )
    no_prompt = click.option(
        "--no-prompt", is_flag=True, help="The file has no prompts: all responses are to the same."
    )
    return choosing(score(no_prompt(command)))


def sharing(command: Command) -> Command:
    """Give a command the option ``--jobs``, of verbs that share work among threads."""
    jobs = click.option(
        "--jobs",
        type=click.IntRange(1, 1024),
        show_default="all cores",
        help="Cores used at most. The answer does not depend on it.",
    )
    return jobs(command)


def planning(command: Command) -> Command:
    """Give a command the options that choosing comparisons has in common."""
    kinds = click.Choice(["within", "any"])
    where = "within, where a prompt has two responses"
    options = (
        click.option(
            "--budget", type=click.IntRange(1, 10**6), required=True, help="Comparisons wanted, K."
        ),
        click.option(
            "--pairs",
            type=kinds,
            show_default=where,
            help="Candidates: pairs within prompts, or any two responses.",
        ),
        click.option(
            "--target",
            type=kinds,
            show_default=where,
            help="Pairs over which the posterior variance is averaged.",
        ),
        click.option(
            "--embeddings",
            metavar="FILE",
            help="A .npy matrix, a row a distinct (prompt, response) in order of first "
            "appearance, as for ibn audit. Default: TF-IDF with SVD.",
        ),
        click.option(
            "--kernel",
            type=click.Choice(["linear", "rbf", "best"]),
            default="linear",
            show_default=True,
            help="Of the reward model.",
        ),
        click.option(
            "--pool",
            type=click.IntRange(1, 10**6),
            default=5000,
            show_default=True,
            help="With --pairs any: random pairs from which each choice starts its search.",
        ),
        click.option(
            "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of all."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_all(prefs: tuple[str, ...], wishes: dict[str, Any]) -> PreferenceData:
    """Read one file or several behind each other, and say on standard error what was read."""
    from ibn.preferences.reading import read_preferences
    from ibn.preferences.uniting import concatenate

    first, *others = (tell(read_preferences(path, **wishes)) for path in prefs)
    for other in others:
        first = concatenate(first, other)
    return first


def tell(data: PreferenceData) -> PreferenceData:
    """Say on standard error what was read of a file and what was not."""
    for line in data.report.short():
        note(f"{data.source}: {line}")
    return data


def check_out(out: str, *inputs: str | None) -> None:
    """Refuse a file that no preferences can be written to, before any work is done."""
    from ibn.preferences.files import file_format

    file_format(out)
    check_file(out, inputs)
